package graph_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// told is a store with a delivered notification, a failed one and a held one, in this order.
func told(t *testing.T, h *house) (endpoint core.Endpoint, all [3]core.Notification) {
	t.Helper()
	endpoint = core.Endpoint{ID: newID[core.EndpointID](), URL: "https://shop.example/hooks", Secret: "whsec_hush", CreatedAt: epoch}
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error { return tx.InsertEndpoint(ctx, endpoint) })
	for i := range all {
		event := core.Event{ID: newID[core.EventID](), Type: core.EventPaymentFailed, Subject: "pay_" + string(rune('a'+i)), Data: []byte(`{}`), OccurredAt: epoch}
		all[i] = core.Notification{
			ID: newID[core.NotificationID](), Endpoint: endpoint.ID, Event: event.ID, Type: event.Type, Subject: event.Subject,
			Status: core.NotificationPending, CreatedAt: epoch.Add(time.Duration(i) * time.Minute),
		}
		h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
			if _, err := tx.AppendEvent(ctx, event); err != nil {
				return err
			}
			return tx.AppendNotification(ctx, all[i])
		})
	}
	now := epoch.Add(time.Hour)
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
		claimed, err := tx.ClaimNotifications(ctx, endpoint.ID, now, now, 2)
		if err != nil {
			return err
		}
		delivered := claimed[0].Tried(core.NotificationTry{At: now, AnswerStatus: 204})
		failed := claimed[1].Tried(core.NotificationTry{At: now, AnswerStatus: 500, Answer: []byte("ada\xff@shop.example"), Error: "endpoint answered 500"})
		failed.Status = core.NotificationFailed
		if err := tx.SettleNotification(ctx, delivered); err != nil {
			return err
		}
		return tx.SettleNotification(ctx, failed)
	})
	endpoint = endpoint.Disabled(core.DisabledFailing, now)
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error { return tx.UpdateEndpoint(ctx, endpoint) })
	return endpoint, all
}

func TestNotificationsAreShownToStaff(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	endpoint, all := told(t, h)
	const list = `query($filter: NotificationFilter, $after: Cursor) { notifications(first: 2, after: $after, filter: $filter) {
		nodes { id status endpointId eventId sequence type subject attempts dueAt answerStatus answer error deliveredAt } pageInfo { hasNextPage endCursor } } }`
	page := h.get(t, core.RoleSupport, list, nil)
	require.Equal(t, string(all[2].ID), page.at(t, "notifications.nodes.0.id"), "newest first")
	require.Equal(t, "HELD", page.at(t, "notifications.nodes.0.status"))
	require.Equal(t, true, page.at(t, "notifications.pageInfo.hasNextPage"))
	require.Equal(t, map[string]any{
		"id": string(all[1].ID), "status": "FAILED", "endpointId": string(endpoint.ID), "eventId": string(all[1].Event), "sequence": 2.0,
		"type": "payment.failed", "subject": "pay_b", "attempts": 1.0, "dueAt": nil, "answerStatus": 500.0, "answer": "ada�@shop.example",
		"error": "endpoint answered 500", "deliveredAt": nil,
	}, page.at(t, "notifications.nodes.1"))
	rest := h.get(t, core.RoleSupport, list, map[string]any{"after": page.at(t, "notifications.pageInfo.endCursor")})
	require.Equal(t, "DELIVERED", rest.at(t, "notifications.nodes.0.status"))
	for name, filter := range map[string]map[string]any{
		"status": {"status": []string{"HELD"}}, "event": {"event": all[2].Event}, "subject": {"subject": "pay_c", "endpoint": endpoint.ID},
	} {
		narrowed := h.get(t, core.RoleSupport, list, map[string]any{"filter": filter})
		require.Len(t, narrowed.at(t, "notifications.nodes"), 1, name)
		require.Equal(t, string(all[2].ID), narrowed.at(t, "notifications.nodes.0.id"), name)
	}
	for _, filter := range []map[string]any{{"status": []string{}}, {"event": "msg_1"}, {"endpoint": "pay_1"}, {"subject": ""}} {
		require.Equal(t, "BAD_USER_INPUT", h.ask(t, core.RoleSupport, list, map[string]any{"filter": filter}).code(t))
	}
	masked := h.get(t, core.RoleViewer, `query($id: ID!) { node(id: $id) { ... on Notification { answer error } } }`, map[string]any{"id": all[1].ID})
	require.Equal(t, map[string]any{"answer": "***", "error": "endpoint answered 500"}, masked.at(t, "node"), "a storefront may answer with what is personal")

	endpoints := h.get(t, core.RoleViewer, `{ webhookEndpoints { id url types disabledReason failures waiting waitingSince } }`, nil)
	require.Equal(t, map[string]any{
		"id": string(endpoint.ID), "url": endpoint.URL, "types": []any{}, "disabledReason": "FAILING", "failures": 0.0, "waiting": 1.0,
		"waitingSince": "2026-03-01T12:02:00.000000Z",
	}, endpoints.at(t, "webhookEndpoints.0"))
	require.NotContains(t, endpoints.Body, "whsec_")
}

func TestNotificationsAreSentAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	endpoint, all := told(t, h)
	const again = `mutation($input: NotificationRedeliverInput!) { notificationRedeliver(input: $input) { notification { id status attempts } userErrors { field message code } } }`
	send := func(input map[string]any) answer {
		return h.get(t, core.RoleSupport, again, map[string]any{"input": input})
	}
	status := func(n core.Notification) core.NotificationStatus {
		stored, err := h.store.Notification(t.Context(), n.ID)
		require.NoError(t, err)
		return stored.Status
	}
	require.Equal(t, "FORBIDDEN", h.ask(t, core.RoleViewer, again, map[string]any{"input": map[string]any{"notificationId": all[1].ID}}).code(t))
	require.Equal(t, core.NotificationFailed, status(all[1]))

	preview := send(map[string]any{"notificationId": all[1].ID, "dryRun": true})
	require.Equal(t, map[string]any{"id": string(all[1].ID), "status": "PENDING", "attempts": 0.0}, preview.at(t, "notificationRedeliver.notification"))
	require.Equal(t, core.NotificationFailed, status(all[1]), "nothing was done")

	first := send(map[string]any{"notificationId": all[0].ID, "idempotencyKey": "k-1"})
	require.Empty(t, first.at(t, "notificationRedeliver.userErrors"))
	require.Equal(t, "HELD", first.at(t, "notificationRedeliver.notification.status"), "its endpoint is disabled")
	deliver := func() {
		h.inTx(t, func(ctx context.Context, tx ports.Tx) error {
			claimed, err := tx.ClaimNotifications(ctx, endpoint.ID, epoch.Add(2*time.Hour), epoch.Add(2*time.Hour), 1)
			if err != nil {
				return err
			}
			return tx.SettleNotification(ctx, claimed[0].Tried(core.NotificationTry{At: epoch.Add(2 * time.Hour), AnswerStatus: 204}))
		})
	}
	deliver()
	repeated := send(map[string]any{"notificationId": all[0].ID, "idempotencyKey": "k-1"})
	require.Equal(t, "DELIVERED", repeated.at(t, "notificationRedeliver.notification.status"), "the same key sends nothing twice")
	reused := send(map[string]any{"notificationId": all[1].ID, "idempotencyKey": "k-1"})
	require.Equal(t, "IDEMPOTENCY_KEY_REUSED", reused.at(t, "notificationRedeliver.userErrors.0.code"))
	require.Nil(t, reused.at(t, "notificationRedeliver.notification"))
	send(map[string]any{"notificationId": all[1].ID})
	require.Equal(t, core.NotificationHeld, status(all[1]))

	missing := send(map[string]any{"notificationId": newID[core.NotificationID](), "idempotencyKey": "k-2"})
	require.Equal(t, map[string]any{"field": []any{"notificationId"}, "message": "There is no such object.", "code": "NOT_FOUND"},
		missing.at(t, "notificationRedeliver.userErrors.0"))
	endpoint.DeletedAt = epoch
	h.inTx(t, func(ctx context.Context, tx ports.Tx) error { return tx.UpdateEndpoint(ctx, endpoint) })
	for _, dry := range []bool{true, false} {
		removed := send(map[string]any{"notificationId": all[2].ID, "dryRun": dry})
		require.Equal(t, "INVALID_STATE", removed.at(t, "notificationRedeliver.userErrors.0.code"))
	}
	for _, bad := range []map[string]any{{"notificationId": "x"}, {"notificationId": all[0].ID, "idempotencyKey": ""}, {"notificationId": all[0].ID, "idempotencyKey": "a b"}} {
		require.Equal(t, "BAD_USER_INPUT", h.ask(t, core.RoleSupport, again, map[string]any{"input": bad}).code(t))
	}
}

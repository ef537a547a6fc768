package graph_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const healthQuery = `{ providerHealth { account provider reachable webhook {
	url state missingTypes apiVersions checkedAt triedAt note lastEventAt lastEvents { type apiVersion receivedAt }
	received rejectedSignatures refused missed lastMissedAt } } }`

func TestProviderHealth(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	fresh := h.get(t, core.RoleViewer, healthQuery, nil)
	require.JSONEq(t, `{"data":{"providerHealth":[{"account":"stripe","provider":"stripe","reachable":true,"webhook":{
		"url":"https://pay.example/webhooks/stripe","state":"UNKNOWN","missingTypes":[],"apiVersions":[],"checkedAt":null,"triedAt":null,"note":null,
		"lastEventAt":null,"lastEvents":[],"received":0,"rejectedSignatures":0,"refused":0,"missed":0,"lastMissedAt":null}}]}}`, fresh.Body)

	now := fixedClock{}.Now()
	event := core.InboundEvent{
		Account: "stripe", Type: "payment.changed", Status: core.InboundReceived, Source: core.InboundWebhook,
		ID: "evt_1", ProviderEventID: "told", APIVersion: "2023-10-16", Body: []byte("{}"), ReceivedAt: now,
	}
	missed := event
	missed.ID, missed.ProviderEventID, missed.Source = "evt_2", "missed", core.InboundBackfill
	require.NoError(t, h.store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.AcceptInbound(ctx, []core.InboundEvent{event, missed})
		require.NoError(t, err)
		require.NoError(t, tx.AddDeliveryCounts(ctx, []core.DeliveryCount{
			{Account: "stripe", Result: core.DeliveryReceived, Hour: now, Count: 5},
			{Account: "stripe", Result: core.DeliveryInvalidSignature, Hour: now, Count: 2},
			{Account: "stripe", Result: core.DeliveryInvalidPayload, Hour: now, Count: 1},
		}))
		return tx.SaveWebhookCheck(ctx, core.WebhookCheck{
			Account: "stripe", State: core.WebhookRegistered, Missing: []string{"refund.changed"}, APIVersions: []string{"2022-11-15"},
			Note: "the provider's answer: invalid", FirstAt: epoch, CheckedAt: epoch, TriedAt: now,
		})
	}))
	seen := h.get(t, core.RoleViewer, healthQuery, nil)
	require.JSONEq(t, `{"data":{"providerHealth":[{"account":"stripe","provider":"stripe","reachable":true,"webhook":{
		"url":"https://pay.example/webhooks/stripe","state":"REGISTERED","missingTypes":["refund.changed"],"apiVersions":["2022-11-15"],
		"checkedAt":"2026-03-01T12:00:00.000000Z","triedAt":"2026-03-03T12:00:00.000000Z","note":"the provider's answer: invalid",
		"lastEventAt":"2026-03-03T12:00:00.000000Z","lastEvents":[{"type":"payment.changed","apiVersion":"2023-10-16","receivedAt":"2026-03-03T12:00:00.000000Z"}],
		"received":5,"rejectedSignatures":2,"refused":1,"missed":1,"lastMissedAt":"2026-03-03T12:00:00.000000Z"}}]}}`, seen.Body)
	require.Empty(t, h.provider.Calls(), "no provider is asked")
}

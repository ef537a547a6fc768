package notify_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/ports"
)

const shop = "https://shop.example/hooks"

func newHouse(t *testing.T) *coretest.House { return coretest.New(t, repotest.SQLite(t)) }

func add(t *testing.T, h *coretest.House, types ...core.EventType) core.Endpoint {
	t.Helper()
	endpoint, err := h.Notify.Add(t.Context(), shop, types)
	require.NoError(t, err)
	return endpoint
}

// told reads all notifications, the oldest first.
func told(t *testing.T, h *coretest.House) []core.Notification {
	t.Helper()
	page, err := h.Store.Notifications(t.Context(), ports.NotificationFilter{}, core.PageRequest{Limit: core.PageItemsMax, Last: true})
	require.NoError(t, err)
	slices.Reverse(page.Items)
	return page.Items
}

func statuses(t *testing.T, h *coretest.House) []core.NotificationStatus {
	t.Helper()
	var all []core.NotificationStatus
	for _, n := range told(t, h) {
		all = append(all, n.Status)
	}
	return all
}

// actions reads what the audit log tells of endpoints and notifications.
func actions(t *testing.T, h *coretest.House) []string {
	t.Helper()
	entries, err := h.Store.AuditLog(t.Context(), 0, 100)
	require.NoError(t, err)
	var all []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Action, "endpoint.") || strings.HasPrefix(entry.Action, "notification.") {
			all = append(all, entry.Action)
		}
	}
	return all
}

func TestEndpointsGetWhatTheyWant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	all, some := add(t, h), add(t, h, core.EventPaymentSucceeded)
	removed := add(t, h)
	require.NoError(t, h.Notify.Remove(t.Context(), removed.ID))
	secret, ok := strings.CutPrefix(all.Secret, "whsec_")
	require.True(t, ok)
	raw, err := base64.StdEncoding.DecodeString(secret)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(raw), 24, "as the specification asks")

	p := h.Start(h.Open(core.CaptureAutomatic).ID) // tells of requires_action
	h.RunDue()
	sent := h.Notifier.Sent()
	require.Len(t, sent, 1)
	event := h.Events(string(p.ID))[0]
	require.Equal(t, string(event.ID), sent[0].ID)
	require.Equal(t, shop, sent[0].URL)
	require.Equal(t, []string{all.Secret}, sent[0].Secrets)
	require.NotEqual(t, some.Secret, all.Secret)
	var body struct {
		Type, Timestamp string
		Data            json.RawMessage
	}
	require.NoError(t, json.Unmarshal(sent[0].Body, &body))
	require.Equal(t, string(core.EventPaymentRequiresAction), body.Type)
	require.Equal(t, "2026-03-04T05:06:07.123456Z", body.Timestamp)
	require.JSONEq(t, string(event.Data), string(body.Data))
}

func TestTroubleMeansAnotherTryUnderTheSameID(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	add(t, h)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Notifier.AnswerNext(500, errors.New("500"))
	h.Notifier.AnswerNext(0, errors.New("no answer"))
	h.RunAll()
	sent := h.Notifier.Sent()
	require.Len(t, sent, 3)
	require.Equal(t, sent[0], sent[1])
	require.Equal(t, sent[0], sent[2])
	require.Empty(t, h.Store.GivenUp())
}

func TestAnEndpointThatIsGoneIsDisabled(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Notifier.AnswerNext(410, errors.New("410"))
	h.RunAll()
	require.Len(t, h.Notifier.Sent(), 1)
	stored, err := h.Store.Endpoint(t.Context(), endpoint.ID)
	require.NoError(t, err)
	require.False(t, stored.DisabledAt.IsZero())
	require.Equal(t, core.DisabledGone, stored.DisabledReason)
	require.Equal(t, []string{"endpoint.disable"}, actions(t, h))
	h.Start(h.Open(core.CaptureAutomatic).ID)
	h.RunAll()
	require.Len(t, h.Notifier.Sent(), 1, "nothing more is sent")
	standing, err := h.Notify.Endpoints(t.Context())
	require.NoError(t, err)
	require.Len(t, standing, 1, "it is still shown")
	require.Equal(t, []core.NotificationStatus{core.NotificationHeld, core.NotificationHeld}, statuses(t, h), "what happens meanwhile is kept")

	enabled, err := h.Notify.Enable(t.Context(), endpoint.ID, "key_1")
	require.NoError(t, err)
	require.True(t, enabled.Told())
	require.Empty(t, enabled.DisabledReason)
	h.RunDue()
	require.Equal(t, []core.NotificationStatus{core.NotificationDelivered, core.NotificationDelivered}, statuses(t, h), "at once, from what it missed on")
	require.Equal(t, []string{"endpoint.disable", "endpoint.enable"}, actions(t, h))
	_, err = h.Notify.Enable(t.Context(), endpoint.ID, "key_1")
	require.NoError(t, err, "again is no trouble")
	require.Len(t, actions(t, h), 2, "and nothing to tell of")
}

func TestRemove(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	endpoint := add(t, h)
	h.Start(h.Open(core.CaptureAutomatic).ID)
	require.NoError(t, h.Notify.Remove(t.Context(), endpoint.ID))
	h.RunAll()
	require.Empty(t, h.Notifier.Sent(), "what was on its way is dropped")
	require.ErrorIs(t, h.Notify.Remove(t.Context(), endpoint.ID), ports.ErrNotFound)
	require.ErrorIs(t, h.Notify.Remove(t.Context(), "whk_missing"), ports.ErrNotFound)
	standing, err := h.Notify.Endpoints(t.Context())
	require.NoError(t, err)
	require.Empty(t, standing)
}

func TestEndpointsThatAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	live := notify.New(h.Store, h.Notifier, h.Clock, h.Clock, h.IDs, coretest.NoTraces{}, core.EnvLive)
	_, err := live.Add(t.Context(), "http://shop.example", nil)
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid, "money needs https")
	for _, address := range []string{"", "shop.example", "ftp://shop.example", "https://", "https://user@shop.example", "https://x/" + strings.Repeat("y", 2100)} {
		_, err := h.Notify.Add(t.Context(), address, nil)
		require.ErrorAs(t, err, &invalid, "%q", address)
		require.Equal(t, "url", invalid.Fields[0].Field)
	}
	h.Notifier.Refuse("https://inside.example")
	_, err = h.Notify.Add(t.Context(), "https://inside.example", nil)
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, []core.FieldError{{Field: "url", Message: "must not lead to a private address"}}, invalid.Fields)
	_, err = h.Notify.Add(t.Context(), shop, []core.EventType{core.EventPaymentFailed, "payment.exploded"})
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "types[1]", invalid.Fields[0].Field)
	for n := range 32 {
		_, err := h.Notify.Add(t.Context(), fmt.Sprint("http://shop.example/", n), nil)
		require.NoError(t, err)
	}
	_, err = h.Notify.Add(t.Context(), shop, nil)
	require.ErrorAs(t, err, &invalid, "there is a limit")
}

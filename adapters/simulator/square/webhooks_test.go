package square_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/square"
)

func TestWebhooksAreListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	list := func(query string) answer { return h.call(t, http.MethodGet, "/v2/webhooks/subscriptions"+query, nil) }
	whole := list("")
	require.Equal(t, signedURL, whole.text("subscriptions.0.notification_url"), "the address that is signed")
	require.Equal(t, "true", whole.text("subscriptions.0.enabled"))
	require.Contains(t, whole.at("subscriptions.0.event_types"), "refund.updated")
	require.Nil(t, whole.at("subscriptions.0.signature_key"), "a list tells no secrets")
	require.Equal(t, "INVALID_CURSOR", list("?cursor=x").code())
	require.ErrorIs(t, h.sim.SetWebhook(engine.WebhookSettings{Without: []string{"*"}}), engine.ErrNoEventType)
	require.NoError(t, h.sim.SetWebhook(engine.WebhookSettings{Without: []string{"payment.created"}}))
	require.NotContains(t, list("").at("subscriptions.0.event_types"), "payment.created")
	h.pay(t, "1", nil)
	require.Empty(t, h.deliveries(t, "payment.created"))
	require.NotEmpty(t, h.deliveries(t, "payment.updated"))
	require.NoError(t, h.sim.SetWebhook(engine.WebhookSettings{Disabled: true}))
	before := len(h.deliveries(t, ""))
	h.pay(t, "2", nil)
	require.Len(t, h.deliveries(t, ""), before)
	require.JSONEq(t, `{}`, list("").Text)
	require.JSONEq(t, `{}`, list("?include_disabled=false").Text)
	require.Equal(t, "false", list("?include_disabled=true").text("subscriptions.0.enabled"))
	require.Equal(t, "EXPECTED_BOOLEAN", list("?include_disabled=maybe").code())
	h.sim.Reset()
	require.Equal(t, whole.Text, list("").Text)
}

// TestEventsThatAreKeptFromTheStart: somebody enabled them in the dashboard.
func TestEventsThatAreKeptFromTheStart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	with := h.sim.Options
	with.EventsEnabled = true
	h.serve(t, square.New(with))
	search := func() answer {
		return h.call(t, http.MethodPost, "/v2/events", object{"query": object{"filter": object{"event_types": []any{"payment.created"}}}})
	}
	id := h.pay(t, "1", nil).text("payment.id")
	require.Equal(t, id, search().text("events.0.data.id"))
	require.Equal(t, http.StatusOK, h.call(t, http.MethodPut, "/v2/events/disable", nil).Status)
	h.pay(t, "2", nil)
	require.JSONEq(t, `{}`, search().Text)
	h.now.Add(1)
	require.Equal(t, http.StatusOK, h.call(t, http.MethodPut, "/v2/events/enable", nil).Status)
	require.JSONEq(t, `{}`, search().Text, "what happened meanwhile is not there")
	h.sim.Reset()
	id = h.pay(t, "1", nil).text("payment.id")
	require.Equal(t, id, search().text("events.0.data.id"))
}

package stripe_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

func TestEndpointsAreListed(t *testing.T) {
	t.Parallel()
	require.Empty(t, newQuietHouse(t).get(t, "/webhook_endpoints").texts(t, "id"), "nobody is told")
	h := newHouse(t)
	require.Equal(t, []string{"enabled"}, h.get(t, "/webhook_endpoints").texts(t, "status"))
	require.Equal(t, []string{"[*]"}, h.get(t, "/webhook_endpoints").texts(t, "enabled_events"))
	require.ErrorIs(t, h.sim.SetWebhook(engine.WebhookSettings{Without: []string{"refund.invented"}}), engine.ErrNoEventType)
	require.NoError(t, h.sim.SetWebhook(engine.WebhookSettings{Without: []string{"payment_intent.created"}}))
	kinds := h.get(t, "/webhook_endpoints").texts(t, "enabled_events")[0]
	require.Contains(t, kinds, "payment_intent.succeeded")
	require.NotContains(t, kinds, "payment_intent.created")
	require.NotContains(t, kinds, "*")
	h.paid(t, "4242424242424242")
	require.Empty(t, h.told(t, "payment_intent.created"))
	require.Len(t, h.told(t, "payment_intent.succeeded"), 1)
	require.NoError(t, h.sim.SetWebhook(engine.WebhookSettings{Disabled: true}))
	require.Equal(t, []string{"disabled"}, h.get(t, "/webhook_endpoints").texts(t, "status"))
	h.paid(t, "4242424242424242")
	require.Len(t, h.told(t, "payment_intent.succeeded"), 1, "no more came")
	for _, kind := range []string{"payment_intent.created", "payment_intent.succeeded"} {
		require.Len(t, h.get(t, "/events", "type", kind).texts(t, "id"), 2, "what is not posted is listed all the same")
	}
	h.sim.Reset()
	require.Equal(t, []string{"enabled"}, h.get(t, "/webhook_endpoints").texts(t, "status"))
}

// TestEventsAreKeptForAMonth: and cannot be asked for afterwards, one by one either.
func TestEventsAreKeptForAMonth(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.paid(t, "4242424242424242")
	made := h.get(t, "/events", "limit", "100").texts(t, "id")
	require.NotEmpty(t, made)
	h.advance(30 * 24 * time.Hour)
	kept := h.get(t, "/events", "limit", "100").texts(t, "id")
	require.Subset(t, kept, made)
	h.advance(time.Second)
	for _, id := range h.get(t, "/events", "limit", "100").texts(t, "id") {
		require.False(t, slices.Contains(made, id))
	}
	h.get(t, "/events/"+made[0]).refuses(t, http.StatusNotFound, "resource_missing", "id")
	h.get(t, "/events", "starting_after", made[0]).refuses(t, http.StatusBadRequest, "resource_missing", "starting_after")
}

package conformance_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// eventPagesMax is far above the pages of what these tests make.
const eventPagesMax = 20

// listedEvents are an account's events of the last hour, by their ids.
func listedEvents(t *testing.T, adapter app.Adapter) map[string]ports.ListedEvent {
	t.Helper()
	lister, ok := adapter.(ports.EventLister)
	require.True(t, ok)
	in := ports.ListEvents{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Limit: core.PageItemsMax}
	all := map[string]ports.ListedEvent{}
	for range eventPagesMax {
		list, err := lister.ListEvents(t.Context(), in)
		require.NoError(t, err)
		for _, e := range list.Events {
			all[e.ProviderEventID] = e
		}
		if in.Cursor = list.NextCursor; in.Cursor == "" {
			return all
		}
	}
	require.FailNow(t, "the pages have no end")
	return nil
}

// listening is the public listener's place of an account's webhooks, which says what came.
func listening(t *testing.T, provider core.ProviderName) (address string, verifier *atomic.Pointer[ports.WebhookVerifier], came chan core.Delivery) {
	t.Helper()
	verifier, came = &atomic.Pointer[ports.WebhookVerifier]{}, make(chan core.Delivery, deliveriesMax)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, deliveryBytesMax))
		if err != nil || r.URL.Path != "/webhooks/"+string(provider) {
			t.Errorf("posted to %s: %v", r.URL.Path, err)
			return
		}
		delivery, err := (*verifier.Load()).VerifyWebhook(r.Context(), r.Header, body, time.Now())
		if err != nil {
			t.Errorf("%q cannot be used: %v", delivery.ProviderEventID, err)
		}
		came <- delivery
	}))
	t.Cleanup(server.Close)
	return server.URL, verifier, came
}

// TestListedEvents has each provider list what its webhooks brought: the same events by the same
// ids, which lead to the same objects.
func TestListedEvents(t *testing.T) {
	t.Parallel()
	for provider := range told {
		t.Run(string(provider), func(t *testing.T) {
			t.Parallel()
			address, verifier, came := listening(t, provider)
			adapter, end := openSimulated(t, provider, address)
			checks := ports.WebhookVerifier(adapter)
			verifier.Store(&checks)
			sell(t, adapter, end)
			listed := listedEvents(t, adapter)
			require.NotEmpty(t, listed)
			missing := map[string]bool{}
			for id := range listed {
				missing[id] = true
			}
			timeout := time.After(deliveryWait)
			for len(missing) > 0 {
				select {
				case delivery := <-came:
					e, is := listed[delivery.ProviderEventID]
					if !is {
						continue // made after they were listed
					}
					delete(missing, delivery.ProviderEventID)
					require.Equal(t, delivery.Type, e.Type)
					require.Equal(t, delivery.Ref, e.Ref)
					require.Equal(t, delivery.APIVersion, e.APIVersion)
					require.Equal(t, delivery.Account, e.Account)
					require.JSONEq(t, string(delivery.Body), string(e.Body))
				case <-timeout:
					require.FailNow(t, "events that are listed never came", "%v", missing)
				}
			}
		})
	}
}

// TestEventsOfLostWebhooks: what no webhook brought is listed all the same, and leads to every
// object.
func TestEventsOfLostWebhooks(t *testing.T) {
	t.Parallel()
	for provider, kinds := range told {
		t.Run(string(provider), func(t *testing.T) {
			t.Parallel()
			address, _, came := listening(t, provider)
			adapter, end := openSimulated(t, provider, address)
			status, text := postJSON(t, end.control+"/faults", map[string]any{"fault": "webhook_drop", "count": deliveriesMax}, nil)
			require.Equal(t, http.StatusOK, status, "%s", text)
			missing := map[core.ProviderRef]bool{}
			for _, ref := range sell(t, adapter, end) {
				if slices.Contains(kinds, ref.Kind) {
					missing[ref] = true
				}
			}
			for _, e := range listedEvents(t, adapter) {
				delete(missing, e.Ref)
			}
			require.Empty(t, missing, "no event leads there")
			require.Empty(t, came, "nothing was posted")
		})
	}
}

// TestRegisteredWebhooks: an account tells where its webhooks go, and what somebody took away.
func TestRegisteredWebhooks(t *testing.T) {
	t.Parallel()
	for provider := range told {
		t.Run(string(provider), func(t *testing.T) {
			t.Parallel()
			address, verifier, came := listening(t, provider)
			adapter, end := openSimulated(t, provider, address)
			checks := ports.WebhookVerifier(adapter)
			verifier.Store(&checks)
			registrar, ok := adapter.(ports.WebhookRegistrar)
			require.True(t, ok)
			registered := func() ports.RegisteredWebhook {
				all, err := registrar.Webhooks(t.Context())
				require.NoError(t, err)
				require.Len(t, all, 1)
				require.NotEmpty(t, all[0].ID)
				require.Equal(t, address+"/webhooks/"+string(provider), all[0].URL)
				return all[0]
			}
			set := func(webhook map[string]any) {
				status, text := postJSON(t, end.control+"/settings", map[string]any{"account": provider, "webhook": webhook}, nil)
				require.Equal(t, http.StatusOK, status, "%s", text)
			}
			whole := registered()
			require.True(t, whole.Enabled)
			for _, kind := range registrar.NeededEvents() {
				require.True(t, whole.All || slices.Contains(whole.Types, kind), kind)
			}
			for _, kind := range registrar.NeededEvents() {
				set(map[string]any{"without": []string{kind}})
				less := registered()
				require.False(t, less.All)
				require.NotContains(t, less.Types, kind)
				for _, other := range registrar.NeededEvents() {
					require.True(t, other == kind || slices.Contains(less.Types, other), other)
				}
			}
			set(map[string]any{"without": registrar.NeededEvents()})
			sell(t, adapter, end)
			for len(came) > 0 {
				delivery := <-came
				require.NotContains(t, registrar.NeededEvents(), delivery.Type, "what it is not registered for does not come")
			}
			set(map[string]any{"disabled": true})
			if provider == core.ProviderPayPal { // it knows none that are disabled
				all, err := registrar.Webhooks(t.Context())
				require.NoError(t, err)
				require.Empty(t, all)
			} else {
				require.False(t, registered().Enabled)
			}
			set(map[string]any{})
			require.Equal(t, whole, registered())
		})
	}
}

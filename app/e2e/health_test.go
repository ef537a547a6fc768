package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// A webhook lost a type of events: doctor names it and the mend, and the admin API knows of it, of
// forged posts and of the API version.
func TestDoctorTellsOfWebhooks(t *testing.T) {
	t.Parallel()
	house := apptest.Start(t)
	c := newClient(house)
	require.Equal(t, http.StatusOK, c.pay(t, c.checkout(t, "health", "automatic"), "success").Status)
	forged := c.call(t, http.MethodPost, house.PublicURL+"/webhooks/stripe", map[string]any{"id": "evt_forged"}, nil)
	require.Equal(t, http.StatusBadRequest, forged.Status, forged.Raw)
	const query = `{ providerHealth { account reachable webhook { state url lastEvents { type apiVersion } rejectedSignatures received } } }`
	type webhook struct {
		State      string
		LastEvents []struct{ Type, APIVersion string }

		RejectedSignatures, Received int
	}
	require.Eventually(t, func() bool {
		var seen struct {
			Data struct {
				ProviderHealth []struct {
					Account string
					Webhook webhook
				}
			}
		}
		if err := json.Unmarshal([]byte(c.graphql(t, query, nil).Raw), &seen); err != nil {
			return false
		}
		for _, one := range seen.Data.ProviderHealth {
			if hook := one.Webhook; one.Account == "stripe" {
				return hook.State == "REGISTERED" && hook.RejectedSignatures == 1 && hook.Received > 0 && len(hook.LastEvents) > 0 && hook.LastEvents[0].APIVersion != ""
			}
		}
		return false
	}, waitMax, 100*time.Millisecond)

	env := append(slices.Clone(house.Env), "PAYDESK_PUBLIC_URL="+house.PublicURL, "PAYDESK_STRIPE_SECRET_KEY=sk_test_paydesk_simulator",
		"PAYDESK_STRIPE_PUBLISHABLE_KEY=pk_test_paydesk_simulator", "PAYDESK_STRIPE_WEBHOOK_SECRETS=whsec_paydesk_simulator",
		"PAYDESK_STRIPE_API_BASE="+house.SimulatorURL+"/stripe")
	stdout, stderr, code := apptest.Command(t, house.Folder, env, "doctor")
	require.Zero(t, code, stdout+stderr)
	require.Regexp(t, `ok +webhook stripe +registered for \S+/webhooks/stripe with all types that are needed, API version 2`, stdout)
	require.Regexp(t, `ok +arrivals stripe +the last event, \S+, came \S+ ago in API version 2\S+; in the last day \d+ taken, 1 with a wrong signature, 0 that no`, stdout)

	c.control(t, http.MethodPost, "settings", map[string]any{"account": "stripe", "webhook": map[string]any{"without": []string{"charge.refunded"}}})
	stdout, _, code = apptest.Command(t, house.Folder, env, "doctor")
	require.Equal(t, 1, code, stdout)
	require.Regexp(t, `FAIL +webhook stripe +the one for \S+/webhooks/stripe does not get charge\.refunded: add these types to it at the provider`, stdout)
	c.control(t, http.MethodPost, "settings", map[string]any{"account": "stripe", "webhook": map[string]any{"disabled": true}})
	stdout, _, code = apptest.Command(t, house.Folder, env, "doctor")
	require.Equal(t, 1, code, stdout)
	require.Regexp(t, `FAIL +webhook stripe +the one for \S+ is disabled: enable it`, stdout)
	elsewhere := append(slices.Clone(env), "PAYDESK_PUBLIC_URL=http://127.0.0.1:1")
	stdout, _, code = apptest.Command(t, house.Folder, elsewhere, "doctor")
	require.Equal(t, 1, code, stdout)
	require.Regexp(t, `FAIL +webhook stripe +none is registered for http://127.0.0.1:1/webhooks/stripe: register it at the provider for the types \S+`, stdout)
}

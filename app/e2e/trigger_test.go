package e2e_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// TestTriggers has each scenario of `paydesk trigger` happen at each provider, one after the other
// in one house, as somebody at a desk would.
func TestTriggers(t *testing.T) {
	t.Parallel()
	for account := range accounts {
		t.Run(account, func(t *testing.T) {
			t.Parallel()
			house := apptest.Start(t)
			trigger := func(scenario string, more ...string) map[string]string {
				args := append([]string{"trigger", scenario, "--provider", account}, more...)
				stdout, stderr, code := apptest.Command(t, house.Folder, house.Env, args...)
				require.Zero(t, code, "%s: %s", scenario, stderr)
				var told map[string]string
				require.NoError(t, json.Unmarshal([]byte(stdout), &told), stdout)
				return told
			}
			for scenario, status := range map[string]string{
				"payment.succeeded": "succeeded", "payment.authorized": "authorized", "payment.failed": "failed", "payment.insufficient_funds": "failed",
				"payment.authenticated": "succeeded", "payment.captured": "succeeded", "payment.canceled": "canceled",
				"refund.partial": "", "refund.pending": "pending", "refund.elsewhere": "",
				"dispute.opened": "needs_response", "dispute.inquiry": "inquiry", "dispute.escalated": "needs_response", "dispute.lost": "lost",
				"method.saved": "", "subscription.created": "active", "subscription.paused_elsewhere": "",
			} {
				told := trigger(scenario)
				if status != "" {
					require.Equal(t, status, told["status"], "%s: %v", scenario, told)
				}
			}
			paid := trigger("payment.succeeded")["payment"]
			require.Equal(t, paid, trigger("refund.succeeded", "--payment", paid)["payment"])
			disputed := trigger("dispute.opened")["dispute"]
			require.Equal(t, "won", trigger("dispute.won", "--dispute", disputed)["status"])
			sold := trigger("subscription.trialing")
			require.Equal(t, "trialing", sold["status"])
			for _, step := range []struct{ scenario, status string }{
				{"subscription.trial_ended", "active"},
				{"subscription.renewed", "active"},
				{"subscription.past_due", "past_due"},
				{"subscription.recovered", "active"},
			} {
				require.Equal(t, step.status, trigger(step.scenario, "--subscription", sold["subscription"])["status"], step.scenario)
			}
			require.Equal(t, "failed", trigger("refund.failed")["status"])
			require.Contains(t, []string{"canceled", "unpaid"}, trigger("subscription.given_up")["status"])
			require.Contains(t, []string{"expired", "canceled"}, trigger("payment.expired")["status"])
		})
	}
}

package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// The README's walk: a checkout, a buyer, and what each side sees of it.
func TestWalk(t *testing.T) {
	t.Parallel()
	house := apptest.Start(t)
	c := newClient(house)
	for name, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusOK, "/metrics": http.StatusOK} {
		require.Equal(t, want, c.call(t, http.MethodGet, house.OpsURL+name, nil, nil).Status, name)
	}
	checkout := c.checkout(t, "walk", "automatic")
	again := c.api(t, http.MethodPost, "/v1/checkouts", order("walk", "automatic"), "walk")
	require.Equal(t, checkout, again.text("id"), "the same call gives the first answer again")
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))

	declined := c.pay(t, checkout, "declined")
	require.Equal(t, http.StatusOK, declined.Status, declined.Raw)
	failed := c.payment(t, declined.text("payment"), "failed")
	require.Equal(t, "card_declined", failed.text("failure", "code"))
	paid := c.pay(t, checkout, "success")
	require.Equal(t, http.StatusOK, paid.Status, paid.Raw)
	payment := c.payment(t, paid.text("payment"), "succeeded")
	require.EqualValues(t, 2500, payment.Body["amount_captured"])
	require.Equal(t, "4242", payment.text("payment_method", "last4"))
	require.Equal(t, []string{"checkout.completed"}, c.events(t, checkout))

	require.Eventually(t, func() bool {
		history := c.graphql(t, `query($id: ID!) { payment(id: $id) { timeline(first: 50) { nodes { cause { kind } } } } }`, map[string]any{"id": paid.text("payment")})
		return strings.Contains(history.Raw, `"WEBHOOK"`)
	}, waitMax, 20*time.Millisecond, "the timeline tells of the webhook")
	seen := c.graphql(t, `query($id: ID!) { payment(id: $id) { status amount { formatted } timeline(first: 50) { nodes { kind reason cause { kind } } } } viewer { email role } }`,
		map[string]any{"id": paid.text("payment")})
	require.Equal(t, http.StatusOK, seen.Status, seen.Raw)
	require.Equal(t, "SUCCEEDED", seen.text("data", "payment", "status"), seen.Raw)
	require.Equal(t, "ADMIN", seen.text("data", "viewer", "role"))

	metrics := c.call(t, http.MethodGet, house.OpsURL+"/metrics", nil, nil).Raw
	for _, name := range []string{"api", "pay", "graphql", "webhook", "job", "provider_call"} {
		require.Regexp(t, `paydesk_`+name+`_duration_seconds_bucket\{.*le="0\.025"\}`, metrics, "bounds in seconds, as the unit says")
	}
	events := inbound(t, house)
	require.NotEmpty(t, events)
	for _, args := range [][]string{
		{"version"}, {"migrate", "status"}, {"keys", "list", "--json"}, {"staff", "list", "--json"}, {"audit", "verify"},
	} {
		stdout, stderr, code := apptest.Command(t, house.Folder, house.Env, args...)
		require.Zero(t, code, "%v: %s%s", args, stdout, stderr)
	}
	stdout, stderr, code := apptest.Command(t, house.Folder, append(house.Env, "PAYDESK_PUBLIC_URL="+house.PublicURL, "PAYDESK_STRIPE_SECRET_KEY=sk_test_paydesk_simulator",
		"PAYDESK_STRIPE_PUBLISHABLE_KEY=pk_test_paydesk_simulator", "PAYDESK_STRIPE_WEBHOOK_SECRETS=whsec_paydesk_simulator",
		"PAYDESK_STRIPE_API_BASE="+house.SimulatorURL+"/stripe"), "doctor")
	require.Zero(t, code, stdout+stderr)
	require.Zero(t, house.Stop(t), "it ends in order")
}

// What was typed as a card number, secrets and personal data leave no trace in logs or
// on disk.
func TestNothingSecretIsLeftBehind(t *testing.T) {
	t.Parallel()
	house := apptest.Start(t)
	c := newClient(house)
	refused := c.api(t, http.MethodPost, "/v1/checkouts", order("4242 4242-4242 4242", "automatic"), "card")
	require.Equal(t, http.StatusUnprocessableEntity, refused.Status, refused.Raw)
	require.Equal(t, "card_number_refused", refused.text("code"))
	require.Equal(t, http.StatusOK, c.pay(t, c.checkout(t, "secrets", "automatic"), "4000 0000 0000 0002").Status)
	require.Zero(t, house.Stop(t))
	_, logs, ready := strings.Cut(house.Output(), "thanks\"}'") // the end of the welcome, which names a test card
	require.True(t, ready)
	for _, secret := range []string{"4242 4242", "4000 0000 0000 0002", "4000000000000002", "buyer@shop.example", "Ada Buyer", "whsec_", "sk_test_"} {
		require.NotContains(t, logs, secret)
	}
	require.NoError(t, filepath.WalkDir(house.Data, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "credentials.json" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range []string{"4242 4242", "4000000000000002", "buyer@shop.example", "Ada Buyer", house.APIKey, house.StaffToken, "payment_intent.payment_failed\","} {
			require.NotContains(t, string(text), secret, path)
		}
		return err
	}))
}

// A wrong configuration ends the start with one line that names the variable.
func TestWrongStartsSayWhatToMend(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, c := range map[string]struct {
		env  []string
		args []string
		code int
		says string
	}{
		"environment":    {[]string{"PAYDESK_ENV=prod"}, []string{"serve"}, 2, "PAYDESK_ENV"},
		"live key":       {[]string{"PAYDESK_STRIPE_SECRET_KEY=sk_live_x"}, []string{"serve"}, 2, "PAYDESK_STRIPE_SECRET_KEY"},
		"live over http": {[]string{"PAYDESK_ENV=live"}, []string{"serve"}, 2, "PAYDESK_PUBLIC_URL"},
		"dev in live":    {[]string{"PAYDESK_ENV=live"}, []string{"dev"}, 2, "PAYDESK_"},
		"command":        {nil, []string{"levitate"}, 2, "levitate"},
		"flag":           {nil, []string{"serve", "--roles", "cook"}, 2, "--roles"},
		"schema":         {nil, []string{"serve"}, 1, "migrate up"},
		"damaged keys":   {[]string{"PAYDESK_ENCRYPTION_KEYS=k1:short"}, []string{"events", "list"}, 2, "PAYDESK_ENCRYPTION_KEYS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, stderr, code := apptest.Command(t, folder, append([]string{"PAYDESK_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "x.db")}, c.env...), c.args...)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stderr, c.says)
			require.LessOrEqual(t, strings.Count(strings.TrimSpace(stderr), "\n"), 30, "it is told briefly")
		})
	}
}

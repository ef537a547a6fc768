package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// accounts are those of a trial house, one at each provider, and the calls at which their
// money moves.
var accounts = map[string]string{
	"stripe": "POST /stripe/v1/payment_intents",
	"paypal": "/capture",
	"square": "POST /square/v2/payments",
}

// payAt is the buyer at one account.
func (c *client) payAt(t testing.TB, checkout, account, card string) answer {
	t.Helper()
	a := c.control(t, http.MethodPost, "pay", map[string]any{"checkout": checkout, "account": account, "card": card})
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.NotEmpty(t, a.text("object"), a.Raw)
	return a
}

// TestProviders takes money at each provider over each database, in the same ways.
func TestProviders(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]func(*testing.T) []string{
		"sqlite":   func(*testing.T) []string { return nil },
		"postgres": func(t *testing.T) []string { t.Helper(); return []string{"PAYDESK_DATABASE_URL=" + needPostgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(apptest.Start(t, env(t)...))
			for account := range accounts {
				t.Run(account, func(t *testing.T) {
					t.Parallel()
					providerSucceeds(t, c, account)
					providerDeclines(t, c, account)
					providerHolds(t, c, account)
					providerRedirects(t, c, account)
					providerLosesAnswer(t, c, account)
				})
			}
			t.Run("one after the other", func(t *testing.T) {
				t.Parallel()
				declinedHerePaidThere(t, c)
			})
		})
	}
}

func providerSucceeds(t *testing.T, c *client, account string) {
	t.Helper()
	for _, card := range []string{"success", "3ds"} {
		checkout := c.checkout(t, account+"-"+card, "automatic")
		paid := c.payAt(t, checkout, account, card)
		payment := c.payment(t, paid.text("payment"), "succeeded")
		require.Equal(t, account, payment.text("account"))
		require.Equal(t, account, payment.text("provider"))
		require.Equal(t, paid.text("object"), payment.text("provider_payment_id"))
		require.EqualValues(t, 2500, payment.Body["amount_captured"])
		require.NotEmpty(t, payment.text("payment_method", "type"))
		require.Equal(t, []string{"checkout.completed"}, c.events(t, checkout))
		require.Eventually(t, func() bool {
			for _, event := range inbound(t, c.house) {
				if event["account"] == account && event["status"] == "processed" {
					return true
				}
			}
			return false
		}, waitMax, waitMax/100, "the provider's webhooks are believed and acted on")
	}
}

func providerDeclines(t *testing.T, c *client, account string) {
	t.Helper()
	checkout := c.checkout(t, account+"-declined", "automatic")
	for card, code := range map[string]string{"declined": "card_declined", "insufficient_funds": "insufficient_funds"} {
		refused := c.payAt(t, checkout, account, card)
		failed := c.payment(t, refused.text("payment"), "failed")
		require.Equal(t, code, failed.text("failure", "code"), failed.Raw)
		require.NotEmpty(t, failed.text("failure", "provider_code"), "the provider's own word, for staff")
		require.NotEmpty(t, failed.text("failure", "message"))
	}
	paid := c.payAt(t, checkout, account, "success")
	c.payment(t, paid.text("payment"), "succeeded")
	require.Equal(t, "complete", c.api(t, http.MethodGet, "/v1/checkouts/"+checkout, nil, "").text("status"))
}

func providerHolds(t *testing.T, c *client, account string) {
	t.Helper()
	held := c.payAt(t, c.checkout(t, account+"-held", "manual"), account, "success").text("payment")
	c.payment(t, held, "authorized")
	taken := c.api(t, http.MethodPost, "/v1/payments/"+held+"/capture", map[string]any{"amount": 2000}, account+"-capture")
	require.Equal(t, http.StatusOK, taken.Status, taken.Raw)
	require.EqualValues(t, 2000, c.payment(t, held, "succeeded").Body["amount_captured"])

	released := c.payAt(t, c.checkout(t, account+"-released", "manual"), account, "success").text("payment")
	c.payment(t, released, "authorized")
	given := c.api(t, http.MethodPost, "/v1/payments/"+released+"/cancel", map[string]any{}, account+"-cancel")
	require.Equal(t, http.StatusOK, given.Status, given.Raw)
	c.payment(t, released, "canceled")
}

func providerRedirects(t *testing.T, c *client, account string) {
	t.Helper()
	checkout := c.hostedCheckout(t, account+"-redirect")
	paid := c.payAt(t, checkout, account, "success")
	c.payment(t, paid.text("payment"), "succeeded")
	require.Equal(t, "complete", c.api(t, http.MethodGet, "/v1/checkouts/"+checkout, nil, "").text("status"))
}

// providerLosesAnswer has the answer to the call lost at which money moves: it moves once.
func providerLosesAnswer(t *testing.T, c *client, account string) {
	t.Helper()
	checkout := c.checkout(t, account+"-lost", "automatic")
	fault := c.control(t, http.MethodPost, "faults", map[string]any{"account": account, "match": accounts[account], "fault": "timeout_after_commit", "count": 1})
	require.Equal(t, http.StatusOK, fault.Status, fault.Raw)
	paid := c.payAt(t, checkout, account, "success")
	c.payment(t, paid.text("payment"), "succeeded")
	payments := c.api(t, http.MethodGet, "/v1/payments?reference="+account+"-lost", nil, "")
	require.Len(t, payments.Body["data"], 1, payments.Raw)
	require.Equal(t, []string{"checkout.completed"}, c.events(t, checkout))
}

// declinedHerePaidThere goes from one provider to the next on one checkout.
func declinedHerePaidThere(t *testing.T, c *client) {
	t.Helper()
	checkout := c.checkout(t, "from-one-to-the-next", "automatic")
	for _, account := range []string{"square", "stripe", "paypal"} {
		c.payment(t, c.payAt(t, checkout, account, "declined").text("payment"), "failed")
	}
	paid := c.payAt(t, checkout, "square", "success")
	c.payment(t, paid.text("payment"), "succeeded")
	again := c.control(t, http.MethodPost, "pay", map[string]any{"checkout": checkout, "account": "stripe", "card": "success"})
	require.NotEqual(t, http.StatusOK, again.Status, "it is paid")
	payments := c.api(t, http.MethodGet, "/v1/payments?reference=from-one-to-the-next&status=succeeded", nil, "")
	require.Len(t, payments.Body["data"], 1, payments.Raw)
}

package conformance_test

import (
	"cmp"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// stripeBuyer pays with Stripe's test payment methods.
type stripeBuyer struct {
	secret string
	base   string
}

func newStripeBuyer(account app.Account) buyer {
	return stripeBuyer{secret: account.Stripe.SecretKey, base: cmp.Or(account.Stripe.APIBase, "https://api.stripe.com")}
}

// stripeMethods do what the cards are known for, and stripeNumbers are typed in at pages.
//
// Source: docs.stripe.com/testing.
var (
	stripeMethods = map[portstest.Card]string{
		portstest.CardSucceeds:          "pm_card_visa",
		portstest.CardDeclined:          "pm_card_visa_chargeDeclined",
		portstest.CardInsufficientFunds: "pm_card_visa_chargeDeclinedInsufficientFunds",
		portstest.CardExpired:           "pm_card_chargeDeclinedExpiredCard",
		portstest.CardIncorrectCVC:      "pm_card_chargeDeclinedIncorrectCvc",
		portstest.CardProcessingError:   "pm_card_chargeDeclinedProcessingError",
		portstest.CardStolen:            "pm_card_chargeDeclinedFraudulent",
		portstest.Card3DS:               "pm_card_threeDSecure2Required",
		portstest.CardDisputed:          "pm_card_createDispute",
	}
	stripeNumbers = map[portstest.Card]string{portstest.CardSucceeds: "4242424242424242", portstest.CardDeclined: "4000000000000002"}
)

func (b stripeBuyer) has(card portstest.Card) string { return stripeMethods[card] }

func (b stripeBuyer) key(request *http.Request, _ []byte) string {
	return request.Header.Get("Idempotency-Key")
}

func (b stripeBuyer) mutates(request *http.Request) bool { return request.Method == http.MethodPost }

func (b stripeBuyer) outage(status int) string {
	if status == http.StatusTooManyRequests {
		return `{"error":{"type":"invalid_request_error","code":"rate_limit","message":"Too many requests."}}`
	}
	return `{"error":{"type":"api_error","message":"Something is wrong."}}`
}

func (b stripeBuyer) authorization() map[string]string {
	return map[string]string{"Authorization": "Bearer " + b.secret}
}

func (b stripeBuyer) confirm(t testing.TB, session ports.PaymentSession, card portstest.Card) {
	t.Helper()
	if session.Action.Type == ports.ActionRedirect {
		payThere(t, session.Action.URL, stripeNumbers[card])
		return
	}
	status, text := postForm(t, b.base+"/v1/payment_intents/"+session.Snapshot.Ref.ID+"/confirm",
		url.Values{"payment_method": {stripeMethods[card]}, "return_url": {"https://shop.example/return"}}, b.authorization())
	require.Contains(t, []int{http.StatusOK, http.StatusPaymentRequired}, status, "%s", text)
}

// authenticate answers the simulated bank.
func (b stripeBuyer) authenticate(t testing.TB, session ports.PaymentSession, passes bool) {
	t.Helper()
	outcome := "fail"
	if passes {
		outcome = "complete"
	}
	status, text := postForm(t, b.base+"/v1/3ds2/authenticate", url.Values{"source": {session.Snapshot.Ref.ID}, "outcome": {outcome}}, b.authorization())
	require.Contains(t, []int{http.StatusOK, http.StatusPaymentRequired}, status, "%s", text)
}

func (b stripeBuyer) source(t testing.TB, _ portstest.Card, _ core.Money) string {
	t.Helper()
	require.FailNow(t, "Stripe makes no one-time tokens")
	return ""
}

package conformance_test

import (
	"bytes"
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
		portstest.CardDeclinedLater:     "pm_card_chargeCustomerFail",
		portstest.Card3DSOffSession:     "pm_card_authenticationRequired",
	}
	stripeNumbers = map[portstest.Card]string{portstest.CardSucceeds: "4242424242424242", portstest.CardDeclined: "4000000000000002"}
)

func (b stripeBuyer) has(card portstest.Card) string { return stripeMethods[card] }

func (b stripeBuyer) key(request *http.Request, _ []byte) string {
	return request.Header.Get("Idempotency-Key")
}

func (b stripeBuyer) mutates(request *http.Request) bool {
	return request.Method == http.MethodPost || request.Method == http.MethodDelete
}

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
	b.pays(t, session.Snapshot.Ref.ID, stripeMethods[card])
}

// pays confirms a payment with a test method.
func (b stripeBuyer) pays(t testing.TB, intent, method string) {
	t.Helper()
	b.does(t, "/v1/payment_intents/"+intent+"/confirm", url.Values{"payment_method": {method}, "return_url": {"https://shop.example/return"}})
}

// saves confirms a setup with a test method, and passes the bank's question where there is one.
func (b stripeBuyer) saves(t testing.TB, setup, method string) {
	t.Helper()
	answer := b.does(t, "/v1/setup_intents/"+setup+"/confirm", url.Values{"payment_method": {method}, "return_url": {"https://shop.example/return"}})
	if bytes.Contains(answer, []byte(`"requires_action"`)) {
		b.answers(t, setup, true)
	}
}

// authenticate answers the simulated bank.
func (b stripeBuyer) authenticate(t testing.TB, session ports.PaymentSession, passes bool) {
	t.Helper()
	b.answers(t, session.Snapshot.Ref.ID, passes)
}

func (b stripeBuyer) answers(t testing.TB, object string, passes bool) {
	t.Helper()
	outcome := "fail"
	if passes {
		outcome = "complete"
	}
	b.does(t, "/v1/3ds2/authenticate", url.Values{"source": {object}, "outcome": {outcome}})
}

// does makes a call that may be declined, and gives its answer.
func (b stripeBuyer) does(t testing.TB, path string, form url.Values) []byte {
	t.Helper()
	status, text := postForm(t, b.base+path, form, b.authorization())
	require.Contains(t, []int{http.StatusOK, http.StatusPaymentRequired}, status, "%s", text)
	return text
}

func (b stripeBuyer) agreeSetup(t testing.TB, session ports.SetupSession, card portstest.Card) {
	t.Helper()
	b.saves(t, session.Snapshot.Setup, stripeMethods[card])
}

func (b stripeBuyer) setupSource(t testing.TB, card portstest.Card) string {
	t.Helper()
	return b.source(t, card, core.Money{})
}

func (b stripeBuyer) agreeSubscription(t testing.TB, session ports.SubscriptionSession, card portstest.Card) {
	t.Helper()
	if session.Action.Type == ports.ActionStripeSetup {
		b.saves(t, session.Object, stripeMethods[card])
		return
	}
	b.pays(t, session.Object, stripeMethods[card])
}

func (b stripeBuyer) source(t testing.TB, _ portstest.Card, _ core.Money) string {
	t.Helper()
	require.FailNow(t, "Stripe makes no one-time tokens")
	return ""
}

package conformance_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// payPalBuyer pays with PayPal's test cards, without its wallet: that wants a person.
type payPalBuyer struct {
	id, secret string
	base       string
	simulated  bool
}

func newPayPalBuyer(account app.Account) buyer {
	return payPalBuyer{
		id: account.PayPal.ClientID, secret: account.PayPal.ClientSecret, simulated: account.PayPal.APIBase != "",
		base: cmp.Or(account.PayPal.APIBase, "https://api-m.sandbox.paypal.com"),
	}
}

// payPalHolders are the names on a card, of payPalNumber, that have it act so at card fields.
// At PayPal's own pages the number alone does: those of payPalNumbers are the simulator's.
// PayPal's payments do not show disputes.
//
// Source: developer.paypal.com/tools/sandbox/card-testing.
var (
	payPalHolders = map[portstest.Card]string{
		portstest.CardSucceeds:          "Ada Buyer",
		portstest.CardDeclined:          "CCREJECT-BANK_ERROR",
		portstest.CardInsufficientFunds: "CCREJECT-IF",
		portstest.CardExpired:           "CCREJECT-EC",
		portstest.CardIncorrectCVC:      "CCREJECT-CVV_F",
		portstest.CardStolen:            "CCREJECT-LS",
	}
	payPalNumbers = map[portstest.Card]string{
		portstest.CardSucceeds:      payPalNumber,
		portstest.CardDeclined:      "4000000000000002",
		portstest.CardDeclinedLater: "4000000000000341",
		portstest.Card3DSOffSession: "4000002760003184",
	}
)

const payPalNumber = "4012888888881881"

func (b payPalBuyer) has(card portstest.Card) string {
	if holder := payPalHolders[card]; holder != "" || !b.simulated {
		return holder
	}
	return payPalNumbers[card]
}

func (b payPalBuyer) key(request *http.Request, _ []byte) string {
	return request.Header.Get("PayPal-Request-Id")
}

func (b payPalBuyer) mutates(request *http.Request) bool {
	return request.Method != http.MethodGet && !strings.HasSuffix(request.URL.Path, "/v1/oauth2/token")
}

func (b payPalBuyer) outage(status int) string {
	if status == http.StatusTooManyRequests {
		return `{"name":"RATE_LIMIT_REACHED","message":"Too many requests.","debug_id":"d1"}`
	}
	return `{"name":"INTERNAL_SERVER_ERROR","message":"Something is wrong.","debug_id":"d1"}`
}

// confirm gives the card to PayPal, as card fields do.
//
// Source: POST /v2/checkout/orders/{id}/confirm-payment-source.
func (b payPalBuyer) confirm(t testing.TB, session ports.PaymentSession, card portstest.Card) {
	t.Helper()
	if session.Action.Type == ports.ActionRedirect {
		payThere(t, session.Action.URL, payPalNumbers[card])
		return
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(b.id+":"+b.secret))
	status, text := postForm(t, b.base+"/v1/oauth2/token", url.Values{"grant_type": {"client_credentials"}}, map[string]string{"Authorization": basic})
	require.Equal(t, http.StatusOK, status)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal(text, &token))
	status, text = postJSON(t, b.base+"/v2/checkout/orders/"+session.Snapshot.Ref.ID+"/confirm-payment-source", map[string]any{
		"payment_source": map[string]any{"card": map[string]any{"number": payPalNumber, "expiry": "2034-12", "security_code": "123", "name": payPalHolders[card]}},
	}, map[string]string{"Authorization": "Bearer " + token.AccessToken, "PayPal-Request-Id": session.Snapshot.Ref.ID})
	require.Less(t, status, http.StatusBadRequest, "%s", text)
}

func (b payPalBuyer) authenticate(t testing.TB, _ ports.PaymentSession, _ bool) {
	t.Helper()
	require.FailNow(t, "the bank asks before our server does")
}

func (b payPalBuyer) source(t testing.TB, _ portstest.Card, _ core.Money) string {
	t.Helper()
	require.FailNow(t, "PayPal makes no one-time tokens")
	return ""
}

// agreeSetup agrees on the page that PayPal names, which its script opens in a window.
func (b payPalBuyer) agreeSetup(t testing.TB, session ports.SetupSession, card portstest.Card) {
	t.Helper()
	payThere(t, session.Action.URL, payPalNumbers[card])
}

func (b payPalBuyer) setupSource(t testing.TB, card portstest.Card) string {
	t.Helper()
	return b.source(t, card, core.Money{})
}

// agreeSubscription agrees there to a subscription, or to a change of one.
func (b payPalBuyer) agreeSubscription(t testing.TB, session ports.SubscriptionSession, card portstest.Card) {
	t.Helper()
	payThere(t, session.Action.URL, payPalNumbers[card])
}

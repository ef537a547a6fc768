package conformance_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// squareBuyer pays with Square's test tokens.
type squareBuyer struct {
	application, location string
	base                  string
	simulated             bool
}

func newSquareBuyer(account app.Account) buyer {
	return squareBuyer{
		application: account.Square.ApplicationID, location: account.Square.LocationID, simulated: account.Square.APIBase != "",
		base: cmp.Or(account.Square.APIBase, "https://connect.squareupsandbox.com"),
	}
}

// squareTokens do what the cards are known for. For the others the sandbox has none, and the
// simulator's form makes one of a number. Square has no word of its own for fraud, and its
// payments do not show disputes.
//
// Source: developer.squareup.com/docs/devtools/sandbox/payments.
var (
	squareTokens = map[portstest.Card]string{
		portstest.CardSucceeds:     "cnon:card-nonce-ok",
		portstest.CardDeclined:     "cnon:card-nonce-declined",
		portstest.CardExpired:      "cnon:card-nonce-rejected-expiration",
		portstest.CardIncorrectCVC: "cnon:card-nonce-rejected-cvv",
	}
	squareNumbers = map[portstest.Card]string{
		portstest.CardSucceeds:          "4111111111111111",
		portstest.CardDeclined:          "4000000000000002",
		portstest.CardInsufficientFunds: "4000000000009995",
		portstest.CardDeclinedLater:     "4000000000000341",
		portstest.Card3DSOffSession:     "4000002760003184",
	}
)

func (b squareBuyer) has(card portstest.Card) string {
	if token := squareTokens[card]; token != "" || !b.simulated {
		return token
	}
	return squareNumbers[card]
}

// squareKey is the key in a body of JSON, or in the part of JSON that a file comes with.
var squareKey = regexp.MustCompile(`"idempotency_key":"([^"]*)"`)

func (b squareBuyer) key(_ *http.Request, body []byte) string {
	if found := squareKey.FindSubmatch(body); found != nil {
		return string(found[1])
	}
	return ""
}

// mutates leaves the lowering of an amount out, which is the first half of a capture, and looks
// that are posted.
func (b squareBuyer) mutates(request *http.Request) bool {
	path := request.URL.Path
	looks := strings.HasSuffix(path, "/search") || strings.HasSuffix(path, "/batch-retrieve") || strings.HasSuffix(path, "/v2/events")
	return request.Method == http.MethodPost && !looks || request.Method == http.MethodDelete
}

func (b squareBuyer) outage(status int) string {
	if status == http.StatusTooManyRequests {
		return `{"errors":[{"category":"RATE_LIMIT_ERROR","code":"RATE_LIMITED"}]}`
	}
	return `{"errors":[{"category":"API_ERROR","code":"INTERNAL_SERVER_ERROR"}]}`
}

// confirm pays at a page: elsewhere a token does.
func (b squareBuyer) confirm(t testing.TB, session ports.PaymentSession, card portstest.Card) {
	t.Helper()
	payThere(t, session.Action.URL, squareNumbers[card])
}

func (b squareBuyer) authenticate(t testing.TB, _ ports.PaymentSession, _ bool) {
	t.Helper()
	require.FailNow(t, "the bank asks before there is a token")
}

func (b squareBuyer) source(t testing.TB, card portstest.Card, _ core.Money) string {
	t.Helper()
	if token := squareTokens[card]; token != "" {
		return token
	}
	return b.token(t, squareNumbers[card], "CHARGE")
}

// token types a number in and passes the bank's question, where there is one.
func (b squareBuyer) token(t testing.TB, number, intent string) string {
	t.Helper()
	status, text := postJSON(t, b.base+"/v1/tokens", map[string]string{
		"application_id": b.application, "location_id": b.location, "number": number, "cvv": "123",
		"exp_month": "12", "exp_year": "2034", "postal_code": "94103", "intent": intent,
	}, nil)
	require.Equal(t, http.StatusOK, status, "%s", text)
	var made struct {
		Token        string `json:"token"`
		Verification string `json:"verification"`
	}
	require.NoError(t, json.Unmarshal(text, &made))
	if made.Verification != "" {
		status, text = postJSON(t, b.base+"/v1/tokens/"+made.Verification, map[string]string{"outcome": "complete"}, nil)
		require.Equal(t, http.StatusOK, status, "%s", text)
		require.NoError(t, json.Unmarshal(text, &made))
	}
	require.NotEmpty(t, made.Token, "%s", text)
	return made.Token
}

func (b squareBuyer) setupSource(t testing.TB, card portstest.Card) string {
	t.Helper()
	if number := squareNumbers[card]; number != "" && b.simulated {
		return b.token(t, number, "STORE")
	}
	return squareTokens[card]
}

func (b squareBuyer) agreeSetup(t testing.TB, _ ports.SetupSession, _ portstest.Card) {
	t.Helper()
	require.FailNow(t, "a one-time token is all that there is to agree to")
}

func (b squareBuyer) agreeSubscription(t testing.TB, _ ports.SubscriptionSession, _ portstest.Card) {
	t.Helper()
	require.FailNow(t, "a one-time token is all that there is to agree to")
}

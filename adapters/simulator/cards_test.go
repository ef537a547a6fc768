package simulator_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTestCards(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status      int
		intent      string
		code        string
		declineCode string
	}{
		"4242424242424242": {200, "succeeded", "", ""},
		"5555555555554444": {200, "succeeded", "", ""},
		"378282246310005":  {200, "succeeded", "", ""},
		"4000000000000002": {402, "requires_payment_method", "card_declined", "generic_decline"},
		"4000000000009995": {402, "requires_payment_method", "card_declined", "insufficient_funds"},
		"4000000000009987": {402, "requires_payment_method", "card_declined", "lost_card"},
		"4000000000000069": {402, "requires_payment_method", "expired_card", ""},
		"4000000000000127": {402, "requires_payment_method", "incorrect_cvc", ""},
		"4000000000000119": {402, "requires_payment_method", "processing_error", ""},
		"4000000000003220": {200, "requires_action", "", ""},
		"4000000000000259": {200, "succeeded", "", ""},
		"4242424242424241": {402, "requires_payment_method", "incorrect_number", ""},
		"4242":             {402, "requires_payment_method", "incorrect_number", ""},
		"4111111111111111": {402, "requires_payment_method", "card_declined", "test_mode_live_card"},
	}
	for number, test := range tests {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			made := h.create(t)
			a := h.confirm(t, made, number)
			require.Equal(t, test.status, a.Status, a.Text)
			require.Equal(t, test.intent, h.show(t, made.text("id")).text("status"))
			require.NotContains(t, a.Text, number)
			if test.code == "" {
				require.Equal(t, test.intent, a.text("status"))
				return
			}
			require.Equal(t, "card_error", a.text("error.type"))
			require.Equal(t, test.code, a.text("error.code"))
			require.Equal(t, made.text("id"), a.text("error.payment_intent.id"))
			if test.declineCode != "" {
				require.Equal(t, test.declineCode, a.text("error.decline_code"))
			} else {
				require.NotContains(t, a.Text, "decline_code")
			}
		})
	}
}

func TestADeclineIsRememberedAndAnotherCardPays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.create(t)
	declined := h.confirm(t, made, "4000000000009995")
	shown := h.show(t, made.text("id"))
	require.Equal(t, "insufficient_funds", shown.text("last_payment_error.decline_code"))
	require.Equal(t, "9995", shown.text("last_payment_error.payment_method.card.last4"))
	require.Equal(t, "failed", shown.text("latest_charge.status"))
	require.Equal(t, declined.text("error.charge"), shown.text("latest_charge.id"))
	require.Equal(t, "<nil>", shown.text("payment_method"))

	paid := h.confirm(t, made, "4242 4242 4242 4242")
	require.Equal(t, "succeeded", paid.text("status"), paid.Text)
	shown = h.show(t, made.text("id"))
	require.Equal(t, "<nil>", shown.text("last_payment_error"))
	require.Equal(t, "succeeded", shown.text("latest_charge.status"))
	require.Equal(t, "4242", shown.text("payment_method.card.last4"))
	require.Equal(t, "2500", shown.text("amount_received"))
	require.Equal(t, "true", shown.text("latest_charge.captured"))
	h.settle(t)
	require.ElementsMatch(t, []string{
		"payment_intent.created", "charge.failed", "payment_intent.payment_failed", "charge.succeeded", "payment_intent.succeeded",
	}, h.paydesk.types())
}

func TestThreeDSecure(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		number, outcome, status, code string
	}{
		"passed":        {"4000000000003220", "complete", "succeeded", ""},
		"failed":        {"4000002760003184", "fail", "requires_payment_method", "payment_intent_authentication_failure"},
		"then declined": {"4000008400001629", "complete", "requires_payment_method", "card_declined"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			made := h.create(t)
			asked := h.confirm(t, made, test.number)
			require.Equal(t, "requires_action", asked.text("status"))
			require.Equal(t, "use_stripe_sdk", asked.text("next_action.type"))
			require.Equal(t, "0", asked.text("amount_received"))

			form := url.Values{"source": {made.text("id")}, "client_secret": {made.text("client_secret")}, "outcome": {"maybe"}}
			require.Equal(t, http.StatusBadRequest, h.browser(t, http.MethodPost, "/3ds2/authenticate", form).Status)
			form.Set("outcome", test.outcome)
			a := h.browser(t, http.MethodPost, "/3ds2/authenticate", form)
			require.Equal(t, http.StatusOK, a.Status, a.Text)
			require.Equal(t, "payment_intent", a.text("object"))
			require.Equal(t, test.status, a.text("status"))
			require.Equal(t, "<nil>", a.text("next_action"))
			if test.code != "" {
				require.Equal(t, test.code, a.text("last_payment_error.code"))
			}
			again := h.browser(t, http.MethodPost, "/3ds2/authenticate", form)
			require.Equal(t, "payment_intent_unexpected_state", again.text("error.code"), "the challenge is over")
		})
	}
}

func TestDisputedCards(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.create(t)
	h.confirm(t, made, "4000000000000259")
	require.Equal(t, "true", h.show(t, made.text("id")).text("latest_charge.disputed"))
	disputes := h.get(t, "/disputes", url.Values{"payment_intent": {made.text("id")}}).list(t)
	require.Len(t, disputes, 1)
	require.Equal(t, "needs_response", disputes[0].text("status"))
	require.Equal(t, "2500", disputes[0].text("amount"))

	held := h.create(t, "capture_method", "manual")
	h.confirm(t, held, "4000000000000259")
	require.Equal(t, "false", h.show(t, held.text("id")).text("latest_charge.disputed"), "nothing was taken yet")
	h.post(t, "/payment_intents/"+held.text("id")+"/capture", url.Values{"amount_to_capture": {"1000"}})
	require.Equal(t, "true", h.show(t, held.text("id")).text("latest_charge.disputed"))
	h.settle(t)
	require.Len(t, h.paydesk.webhooks("charge.dispute.created"), 2)
}

func TestPaymentMethodsByID(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	confirm := func(id string, form url.Values) answer {
		form.Set("return_url", "https://shop.example/back")
		return h.post(t, "/payment_intents/"+id+"/confirm", form)
	}
	id := h.create(t).text("id")
	require.Equal(t, "payment_intent_unexpected_state", confirm(id, url.Values{}).text("error.code"), "no card was given")
	require.Equal(t, "resource_missing", confirm(id, url.Values{"payment_method": {"pm_nothing"}}).text("error.code"))
	require.Equal(t, "insufficient_funds", confirm(id, url.Values{"payment_method": {"pm_card_visa_chargeDeclinedInsufficientFunds"}}).text("error.decline_code"))
	require.Equal(t, "succeeded", confirm(id, url.Values{"payment_method": {"pm_card_visa"}}).text("status"))
	require.Equal(t, "payment_intent_unexpected_state", confirm(id, url.Values{"payment_method": {"pm_card_visa"}}).text("error.code"), "it is paid")
}

// A card's number is in no answer, object, event, log line or list of requests.
func TestCardNumbersAreNowhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var seen strings.Builder
	for _, number := range []string{"4242424242424242", "4000000000000002", "4000000000003220", "4242424242424241", "4111111111111111"} {
		seen.WriteString(h.confirm(t, h.create(t), number).Text)
	}
	h.settle(t)
	for _, path := range []string{"objects", "objects?type=event", "requests"} {
		seen.WriteString(h.control(t, http.MethodGet, path, "").Text)
	}
	for _, got := range h.paydesk.webhooks("") {
		seen.WriteString(got.Body)
	}
	h.sim.Close()
	seen.WriteString(h.logs.String())
	for _, number := range []string{"4242424242424242", "4000000000000002", "4000000000003220", "4242424242424241", "4111111111111111"} {
		require.NotContains(t, seen.String(), number)
	}
}

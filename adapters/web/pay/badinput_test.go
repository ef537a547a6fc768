package pay_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	for _, c := range []struct {
		name, body, code string
		status           int
	}{
		{"nothing", "", "invalid_json", http.StatusBadRequest},
		{"no JSON", "account=stripe", "invalid_json", http.StatusBadRequest},
		{"a list", `["stripe"]`, "invalid_json", http.StatusBadRequest},
		{"null", "null", "invalid_json", http.StatusBadRequest},
		{"two values", atStripe + atStripe, "invalid_json", http.StatusBadRequest},
		{"an unknown field", `{"account":"stripe","amount":1}`, "invalid_json", http.StatusBadRequest},
		{"a field twice", `{"account":"stripe","account":"stripe_two"}`, "invalid_json", http.StatusBadRequest},
		{"another type", `{"account":7}`, "invalid_json", http.StatusBadRequest},
		{"an object inside", `{"account":{}}`, "invalid_json", http.StatusBadRequest},
		{"too much", `{"account":"` + strings.Repeat("a", 4096) + `"}`, "body_too_large", http.StatusRequestEntityTooLarge},
		{"a card", `{"account":"4242 4242 4242 4242"}`, "card_number_refused", http.StatusUnprocessableEntity},
		{"a card in disguise", `{"account":"\u0034242424242424242"}`, "card_number_refused", http.StatusUnprocessableEntity},
		{"a card as a name", `{"4242-4242-4242-4242":""}`, "card_number_refused", http.StatusUnprocessableEntity},
		{"a card as a number", `{"account":4242424242424242}`, "card_number_refused", http.StatusUnprocessableEntity},
	} {
		status, answer := h.post(t, attempts(checkout.ID), c.body)
		require.Equal(t, c.status, status, c.name)
		require.Equal(t, c.code, answer["code"], c.name)
		require.NotContains(t, answer["detail"], "4242")
	}
	status, answer := h.post(t, attempts(checkout.ID)+"?card=4242+4242%204242-4242", atStripe)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, "card_number_refused", answer["code"])
	status, answer = h.post(t, attempts(checkout.ID)+"/4242424242424242/sync", "{}")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, "card_number_refused", answer["code"])

	w := h.request(t, http.MethodPost, attempts(checkout.ID), strings.NewReader(atStripe), "Content-Type", "text/plain")
	require.Equal(t, http.StatusUnsupportedMediaType, w.Code)
	require.NotContains(t, timeless(h.log.String()), "4242")
	require.Zero(t, h.Provider.CallsOf("CreatePayment"))
}

// what of a log is different each time, and may have any digits.
var loggedTimes = regexp.MustCompile(`"(time|took|trace_id)":("[^"]*"|\d+)`)

func timeless(log string) string { return loggedTimes.ReplaceAllString(log, "") }

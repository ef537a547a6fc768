package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator"
)

func TestTheBuyerPays(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"success": "succeeded", "declined": "requires_payment_method", "insufficient_funds": "requires_payment_method",
		"3ds": "succeeded", "disputed": "succeeded", "4000000000000069": "requires_payment_method",
		"4242 4242 4242 4242": "succeeded", "4242424242424241": "requires_payment_method",
	}
	for card, status := range tests {
		t.Run(card, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.paydesk.pending = 1
			a := h.control(t, http.MethodPost, "pay", `{"checkout":"chk_1","account":"stripe","card":"`+card+`"}`)
			require.Equal(t, http.StatusOK, a.Status, a.Text)
			require.Equal(t, "pay_1", a.text("payment"))
			require.Equal(t, status, h.show(t, a.text("object")).text("status"))
			require.Equal(t, status, a.text("status"))
			require.Equal(t, []string{"page", "attempt", "attempt", "sync"}, h.paydesk.calls)
		})
	}
}

func TestTheBuyerIsRefused(t *testing.T) {
	t.Parallel()
	for field, body := range map[string]string{
		"checkout": `{"account":"stripe","card":"success"}`,
		"account":  `{"checkout":"chk_1","account":"square","card":"success"}`,
		"card":     `{"checkout":"chk_1","account":"stripe","card":"gold"}`,
		"wallet":   `{"checkout":"chk_1","account":"stripe","card":"success","wallet":"x"}`,
		"object":   `{"checkout":"chk_1","account":"stripe","card":"success"}{}`,
	} {
		a := newHouse(t).control(t, http.MethodPost, "pay", body)
		require.Equal(t, http.StatusBadRequest, a.Status, field)
		require.Contains(t, a.text("error"), field)
	}
	pay := func(h *house) answer {
		return h.control(t, http.MethodPost, "pay", `{"checkout":"chk_1","account":"stripe","card":"success"}`)
	}
	for _, call := range []string{"page", "attempt"} {
		h := newHouse(t)
		h.paydesk.broken = call
		a := pay(h)
		require.Equal(t, http.StatusConflict, a.Status)
		require.Equal(t, "checkout_complete", a.text("problem.code"))
		require.Contains(t, a.text("error"), "The checkout is complete.")
	}
	h := newHouse(t)
	h.paydesk.broken = "sync"
	a := pay(h)
	require.Equal(t, http.StatusConflict, a.Status)
	require.Equal(t, "pay_1", a.text("payment"), "the money moved all the same")
	require.Equal(t, "succeeded", h.show(t, a.text("object")).text("status"))

	h = newHouse(t)
	h.fault(t, `{"match":"/confirm","fault":"error_500"}`)
	a = pay(h)
	require.Equal(t, http.StatusBadGateway, a.Status)
	require.Equal(t, "pay_1", a.text("payment"))
	require.Contains(t, h.paydesk.calls, "sync")
}

func TestAuthorizationsRunOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.authorized(t).text("id")
	taken := h.authorized(t).text("id")
	h.post(t, "/payment_intents/"+taken+"/capture", url.Values{})
	a := h.control(t, http.MethodPost, "clock/advance", `{"by":"167h59m"}`)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	require.Equal(t, "requires_capture", h.show(t, id).text("status"))
	h.control(t, http.MethodPost, "clock/advance", `{"by":"1m"}`)
	shown := h.show(t, id)
	require.Equal(t, "canceled", shown.text("status"))
	require.Equal(t, "automatic", shown.text("cancellation_reason"))
	require.Equal(t, "0", shown.text("amount_capturable"))
	require.Equal(t, "succeeded", h.show(t, taken).text("status"))
	require.EqualValues(t, 168*time.Hour, h.moved.Load())
	h.settle(t)
	require.Len(t, h.paydesk.webhooks("payment_intent.canceled"), 1)
	require.Len(t, h.paydesk.webhooks("charge.expired"), 1)

	for _, by := range []string{"soon", "-1h", "0s", "900000h"} {
		a := h.control(t, http.MethodPost, "clock/advance", `{"by":"`+by+`"}`)
		require.Equal(t, http.StatusBadRequest, a.Status)
		require.Contains(t, a.text("error"), "by:")
	}
}

func TestDisputes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.create(t)
	open := func(body string) answer { return h.control(t, http.MethodPost, "disputes", body) }
	require.Equal(t, http.StatusNotFound, open(`{"account":"stripe","payment":"pay_1"}`).Status, "nothing was taken")
	h.confirm(t, made, "4242424242424242")
	require.Contains(t, open(`{"account":"stripe","payment":"pay_1","amount":2501}`).text("error"), "amount:")
	require.Contains(t, open(`{"account":"stripe","payment":"pay_1","amount":-1}`).text("error"), "amount:")
	a := open(`{"account":"stripe","payment":"pay_1","reason":"product_not_received","amount":1000}`)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	require.Equal(t, http.StatusConflict, open(`{"account":"stripe","payment":"pay_1"}`).Status)

	end := func(outcome string) answer {
		return h.control(t, http.MethodPost, "disputes/"+a.text("id"), `{"outcome":"`+outcome+`"}`)
	}
	require.Contains(t, end("maybe").text("error"), "outcome:")
	require.Equal(t, http.StatusOK, end("lost").Status)
	require.Equal(t, http.StatusConflict, end("won").Status)
	require.Equal(t, http.StatusNotFound, h.control(t, http.MethodPost, "disputes/dp_nothing", `{"outcome":"won"}`).Status)
	shown := h.get(t, "/disputes/"+a.text("id"), nil)
	require.Equal(t, "lost", shown.text("status"))
	require.Equal(t, "product_not_received", shown.text("reason"))
	require.Equal(t, "1000", shown.text("amount"))
	h.settle(t)
	require.Len(t, h.paydesk.webhooks("charge.dispute.created"), 1)
	require.Equal(t, made.text("id"), h.paydesk.webhooks("charge.dispute.closed")[0].Object["payment_intent"])
}

func TestWhatItHoldsAndWasAsked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.create(t)
	h.confirm(t, made, "4000000000000259")
	for kind, want := range map[string]int{"payment_intent": 1, "payment_intents": 1, "charge": 1, "dispute": 1, "event": 5, "": 3} {
		objects := h.control(t, http.MethodGet, "objects?account=stripe&type="+kind, "").list(t)
		require.Len(t, objects, want, kind)
		held, err := h.sim.Objects("stripe", kind)
		require.NoError(t, err)
		require.Len(t, held, want)
	}
	intent := h.control(t, http.MethodGet, "objects?type=payment_intent", "").list(t)[0]
	require.Equal(t, "pay_1", intent.text("metadata.paydesk_payment"))
	require.Equal(t, "true", intent.text("latest_charge.disputed"))
	require.Equal(t, "<nil>", intent.text("client_secret"))
	for field, query := range map[string]string{"account": "account=paypal", "type": "type=coupon", "kind": "kind=charge"} {
		a := h.control(t, http.MethodGet, "objects?"+query, "")
		require.Equal(t, http.StatusBadRequest, a.Status)
		require.Contains(t, a.text("error"), field)
	}
	requests := h.control(t, http.MethodGet, "requests", "").list(t)
	require.Len(t, requests, 2)
	require.Equal(t, "POST", requests[0].text("method"))
	require.Equal(t, "/stripe/v1/payment_intents", requests[0].text("path"))
	require.Equal(t, "200", requests[0].text("status"))
	require.Equal(t, http.StatusNotFound, h.control(t, http.MethodPost, "nonsense", "{}").Status)
}

func TestResetForgets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.paydesk.refuse = func(_ int, body string) int {
		if strings.Contains(body, "pay_old") {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	h.post(t, "/payment_intents", url.Values{"amount": {"2500"}, "currency": {"eur"}, "metadata[x]": {"pay_old"}}, "Idempotency-Key", "k")
	h.fault(t, `{"match":"payment_intents","fault":"error_500"}`)
	require.Equal(t, http.StatusOK, h.control(t, http.MethodPost, "reset", "").Status)
	h.settle(t) // the delivery that was refused does not come again
	require.Empty(t, h.control(t, http.MethodGet, "objects", "").list(t))
	require.Empty(t, h.sim.Requests())
	a := h.post(t, "/payment_intents", url.Values{"amount": {"99"}, "currency": {"eur"}}, "Idempotency-Key", "k")
	require.Equal(t, http.StatusOK, a.Status, "neither fault nor key is left")
	h.settle(t)
	all := h.paydesk.webhooks("")
	require.Equal(t, a.text("id"), all[len(all)-1].Object["id"])
}

func TestBrowserScriptIsServed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, err := h.try(t.Context(), http.MethodGet, "/stripe/v3/", "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.Status)
	require.Contains(t, a.Text, "window.Stripe")
}

func TestNewChecksItsOptions(t *testing.T) {
	t.Parallel()
	keys := []simulator.StripeAccount{{SecretKey: secretKey, PublishableKey: publishableKey}}
	for name, options := range map[string]simulator.Options{
		"no keys":     {},
		"base URL":    {Stripe: keys, BaseURL: "localhost:8090"},
		"Paydesk URL": {Stripe: keys, PaydeskURL: "::"},
	} {
		_, err := simulator.New(options)
		require.Error(t, err, name)
	}
	sim, err := simulator.New(simulator.Options{Stripe: keys})
	require.NoError(t, err)
	server := httptest.NewServer(sim.Handler())
	defer server.Close()
	response, err := http.Post(server.URL+"/_control/pay", "application/json", strings.NewReader(`{"checkout":"chk_1","account":"stripe","card":"success"}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusConflict, response.StatusCode, "nobody told it where Paydesk is")
	sim.Close()
	sim.Close()
}

// TestSettingsOfAWebhook: what staff made of it, and nothing else of the settings.
func TestSettingsOfAWebhook(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	set := func(body string) answer {
		return h.control(t, http.MethodPost, "settings", `{"account":"stripe"`+body+`}`)
	}
	status := func() string {
		return h.get(t, "/webhook_endpoints", nil).list(t)[0].text("status")
	}
	require.Equal(t, http.StatusOK, set(`,"webhook":{"disabled":true,"without":["refund.created"]}`).Status)
	require.Equal(t, "disabled", status())
	require.Equal(t, http.StatusOK, set(`,"after_retries":"unpaid"`).Status)
	require.Equal(t, "disabled", status())
	for body, field := range map[string]string{
		``: "after_retries", `,"after_retries":"x","webhook":{}`: "after_retries", `,"webhook":{"without":["x"]}`: "webhook.without", `,"webhook":{"with":["x"]}`: "with",
	} {
		a := set(body)
		require.Equal(t, http.StatusBadRequest, a.Status, body)
		require.Contains(t, a.text("error"), field)
		require.Equal(t, "disabled", status(), "nothing was set")
	}
	require.Equal(t, http.StatusOK, set(`,"webhook":{}`).Status)
	require.Equal(t, "enabled", status())
}

package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// charge is the body of a charge of a saved method.
func charge(customer core.CustomerID, method core.MethodID) string {
	return fmt.Sprintf(`{"customer":%q,"payment_method":%q,"amount":1500,"currency":"EUR","reference":"renewal"}`, customer, method)
}

// TestBillingCalls walks through the calls of customers, methods, prices and subscriptions. The
// transcript is what storefronts see: a change in it is a change of the published API.
func TestBillingCalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := &transcript{t: t, h: h}

	w.chapter("Customers")
	customer := core.CustomerID(read[idOnly](t, w.post("/v1/customers", "k-1", `{"email":"ada@example.test","name":"Ada","metadata":{"shop":"7"}}`), http.StatusCreated).ID)
	w.get("/v1/customers/" + string(customer))
	w.get("/v1/customers?limit=1")

	w.chapter("A saved method")
	setup := core.CheckoutID(read[idOnly](t, w.post("/v1/checkouts", "k-2",
		`{"mode":"setup","reference":"wallet","currency":"EUR","customer":{"id":"`+string(customer)+`"},"success_url":"https://shop.example/saved"}`), http.StatusCreated).ID)
	attempt, err := h.Customers.StartSetup(t.Context(), setup, "stripe")
	require.NoError(t, err)
	require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
	_, _, err = h.Customers.LookSetup(t.Context(), setup, attempt.Method.ID)
	require.NoError(t, err)
	w.get("/v1/checkouts/" + string(setup))
	methods := "/v1/customers/" + string(customer) + "/payment_methods"
	w.get(methods)

	w.chapter("Off-session")
	w.post("/v1/payments", "k-3", charge(customer, attempt.Method.ID))
	w.post("/v1/payments", "k-3", charge(customer, attempt.Method.ID))
	asks := h.Saved(customer, portstest.Card3DSOffSession)
	w.post("/v1/payments", "k-4", charge(customer, asks.ID))
	w.call(request{method: http.MethodDelete, path: methods + "/" + string(asks.ID)})
	w.call(request{method: http.MethodDelete, path: "/v1/payment_methods/" + string(asks.ID)})
	w.post("/v1/payments", "k-5", charge(customer, asks.ID))

	w.chapter("Prices")
	price := read[idOnly](t, w.post("/v1/prices", "k-6", `{"name":"Tea club","amount":1000,"currency":"EUR","recurring":{"interval":"month"}}`), http.StatusCreated).ID
	dear := read[idOnly](t, w.post("/v1/prices", "k-7", `{"name":"Tea club, large","amount":2500,"currency":"EUR","recurring":{"interval":"month","interval_count":1}}`), http.StatusCreated).ID
	w.get("/v1/prices/" + price)
	w.get("/v1/prices?limit=1")

	w.chapter("A subscription")
	checkout := core.CheckoutID(read[idOnly](t, w.post("/v1/checkouts", "k-8",
		`{"mode":"subscription","reference":"tea","currency":"EUR","line_items":[{"price":"`+price+`","quantity":1}],"customer":{"id":"`+string(customer)+`"},"success_url":"https://shop.example/done"}`), http.StatusCreated).ID)
	started, err := h.Subscriptions.Start(t.Context(), checkout, "stripe")
	require.NoError(t, err)
	path := "/v1/subscriptions/" + string(started.Subscription.ID)
	w.get(path)
	require.True(t, h.Provider.Subscribe(started.Subscription.ProviderSubscriptionID, portstest.CardSucceeds))
	_, _, err = h.Subscriptions.Look(t.Context(), checkout, started.Subscription.ID)
	require.NoError(t, err)
	w.get(path)
	w.get("/v1/checkouts/" + string(checkout))
	w.get("/v1/subscriptions?customer=" + string(customer) + "&status=active,past_due")
	w.get(path + "/invoices")

	w.chapter("Verbs")
	w.post(path+"/change/preview", "", `{"price":"`+dear+`","proration":"create"}`)
	w.post(path+"/change", "k-9", `{"price":"`+dear+`","quantity":2,"proration":"create"}`)
	w.post(path+"/change", "k-10", `{"quantity":2}`)
	w.post(path+"/pause", "", "")
	w.post(path+"/resume", "k-11", "{}")
	w.post(path+"/resume", "k-12", "")
	w.post(path+"/method_link", "k-13", "")
	w.post(path+"/cancel", "k-14", `{"at_period_end":true}`)
	h.Provider.FailNext(portstest.NoAnswer())
	w.post(path+"/cancel", "k-15", "")
	w.post(path+"/cancel", "", "")
	w.post(path+"/pause", "", "")
	w.get("/v1/events?types=subscription.created,subscription.canceled,invoice.paid")

	golden(t, "billing.golden", w.text.Bytes())
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
	for _, private := range []string{"ada@example.test", "tea", string(started.Subscription.ID)} {
		require.Empty(t, h.log.lines(private))
	}
}

func TestWhatAProviderCannotDoIsUnsupported(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmWithSource)
	s := h.Subscribed(h.Plan(1000, 0).ID, 1, portstest.CardSucceeds)
	path := "/v1/subscriptions/" + string(s.ID)
	refused(t, h.post(t, path+"/cancel", "k1", `{"at_period_end":false}`), http.StatusConflict, "unsupported")
	refused(t, h.post(t, path+"/change", "k2", `{"quantity":2}`), http.StatusConflict, "unsupported")
	refused(t, h.post(t, path+"/method_link", "k3", ""), http.StatusConflict, "unsupported")
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassRetryable, Op: "fake"})
	refused(t, h.post(t, path+"/pause", "k4", ""), http.StatusServiceUnavailable, "provider_unavailable")
}

func TestBadBillingCallsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(1000, 0).ID, 1, portstest.CardSucceeds)
	customer := h.Customer()
	saved := h.Saved(customer.ID, portstest.CardSucceeds)
	const good = "01h455vb4pex5vsknk084sn02q"
	path := "/v1/subscriptions/" + string(s.ID)
	for n, bad := range []struct {
		method, path, body string
		status             int
		code, at           string
	}{
		{"POST", "/v1/customers", `{}`, 422, "invalid_request", "body.email"},
		{"POST", "/v1/customers", `{"email":"x"}`, 422, "invalid_request", "body.email"},
		{"POST", "/v1/customers", `{"id":"x"}`, 422, "invalid_request", "body.id"},
		{"GET", "/v1/customers/pay_" + good, "", 400, "invalid_id", "path.id"},
		{"GET", "/v1/customers/cus_" + good, "", 404, "not_found", ""},
		{"GET", "/v1/customers?cursor=x", "", 422, "invalid_request", "query.cursor"},
		{"GET", "/v1/customers/cus_" + good + "/payment_methods", "", 404, "not_found", ""},
		{"DELETE", "/v1/payment_methods/pay_" + good, "", 400, "invalid_id", "path.id"},
		{"DELETE", "/v1/payment_methods/pm_" + good, "", 404, "not_found", ""},
		{"DELETE", "/v1/customers/x/payment_methods/pm_" + good, "", 400, "invalid_id", "path.customer"},
		{"DELETE", "/v1/customers/cus_" + good + "/payment_methods/" + string(saved.ID), "", 404, "not_found", ""},
		{"POST", "/v1/prices", `{"name":"n","amount":0,"currency":"EUR"}`, 422, "invalid_request", "body.amount"},
		{"POST", "/v1/prices", `{"name":"n","amount":1.5,"currency":"EUR"}`, 422, "invalid_request", "body.amount"},
		{"POST", "/v1/prices", `{"name":"","amount":1,"currency":"EUR"}`, 422, "invalid_request", "body.name"},
		{"POST", "/v1/prices", `{"name":"n","amount":1,"currency":"eur"}`, 422, "invalid_request", "body.currency"},
		{"POST", "/v1/prices", `{"name":"n","amount":1,"currency":"EUR","recurring":{"interval":"hour"}}`, 422, "invalid_request", "body.recurring.interval"},
		{"POST", "/v1/prices", `{"name":"n","amount":1,"currency":"EUR","recurring":{"interval":"day","interval_count":366}}`, 422, "invalid_request", "body.recurring.interval_count"},
		{"GET", "/v1/prices/prc_" + good, "", 404, "not_found", ""},
		{"GET", "/v1/prices/prc_1", "", 400, "invalid_id", "path.id"},
		{"POST", "/v1/payments", `{"customer":"c","payment_method":"p","amount":1,"currency":"EUR","reference":"r"}`, 422, "invalid_request", "body.customer"},
		{"POST", "/v1/payments", strings.Replace(charge(customer.ID, saved.ID), "1500", "0", 1), 422, "invalid_request", "body.amount"},
		{"POST", "/v1/payments", charge(h.Customer().ID, saved.ID), 422, "invalid_request", "body.payment_method"},
		{"GET", "/v1/subscriptions/sub_1", "", 400, "invalid_id", "path.id"},
		{"GET", "/v1/subscriptions/sub_" + good, "", 404, "not_found", ""},
		{"GET", "/v1/subscriptions?customer=x", "", 422, "invalid_request", "query.customer"},
		{"GET", "/v1/subscriptions?status=gone", "", 422, "invalid_request", "query.status"},
		{"GET", "/v1/subscriptions/sub_" + good + "/invoices", "", 404, "not_found", ""},
		{"POST", "/v1/subscriptions/sub_" + good + "/pause", "", 404, "not_found", ""},
		{"POST", "/v1/subscriptions/sub_" + good + "/cancel", "", 404, "not_found", ""},
		{"POST", "/v1/subscriptions/sub_" + good + "/method_link", "", 404, "not_found", ""},
		{"POST", path + "/change", `{"quantity":0}`, 422, "invalid_request", "body.quantity"},
		{"POST", path + "/change", `{"proration":"always"}`, 422, "invalid_request", "body.proration"},
		{"POST", path + "/change", `{"price":"prc_` + good + `"}`, 422, "invalid_request", "body.price"},
		{"POST", path + "/change", `{}`, 409, "nothing_to_change", ""},
		{"POST", path + "/change/preview", `{"price":"x"}`, 422, "invalid_request", "body.price"},
		{"POST", path + "/cancel", `{"at_period_end":"yes"}`, 422, "invalid_request", "body.at_period_end"},
		{"POST", path + "/resume", "", 409, "invalid_subscription_state", ""},
	} {
		answer := h.do(t.Context(), request{method: bad.method, path: bad.path, body: bad.body, key: fmt.Sprint("key-", n)})
		p := refused(t, answer, bad.status, bad.code)
		if bad.at != "" {
			require.Equal(t, bad.at, p.Errors[0].Location, bad.path+bad.body)
		}
	}
	for _, unkeyed := range []string{"/v1/customers", "/v1/prices", "/v1/payments", path + "/change", path + "/method_link"} {
		refused(t, h.do(t.Context(), request{method: "POST", path: unkeyed, body: `{}`}), http.StatusBadRequest, "idempotency_key_required")
	}
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
	require.Equal(t, core.SubscriptionActive, h.Subscription(s.ID).Status)
}

package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports/portstest"
)

// TestBillingCalls walks through the calls of customers, methods, prices and subscriptions. The
// transcript is what storefronts see: a change in it is a change of the published API.
func TestBillingCalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := &transcript{t: t, h: h}

	w.chapter("Customers")
	customer := core.CustomerID(read[idOnly](t, w.post("/v1/customers", "k-1", `{"email":"ada@example.test","name":"Ada","metadata":{"shop":"7"}}`), http.StatusCreated).ID)
	w.get("/v1/customers/" + string(customer))

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
	w.call(request{method: http.MethodDelete, path: methods + "/" + string(asks.ID)})
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

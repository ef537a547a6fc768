package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// setup is the body of a checkout at which a customer leaves a method.
func setup(customer string) string {
	return fmt.Sprintf(`{"mode":"setup","reference":"wallet","currency":"EUR","customer":{"id":%q},"success_url":"https://shop.example/saved"}`, customer)
}

// leave is the buyer at such a checkout, with a card, at the first account.
func (h *house) leave(t *testing.T, checkout string, card portstest.Card) core.MethodID {
	t.Helper()
	attempt, err := h.Customers.StartSetup(t.Context(), core.CheckoutID(checkout), coretest.Account)
	require.NoError(t, err)
	if attempt.Action.Type == ports.ActionTokenize {
		_, _, err = h.Customers.ConfirmSetup(t.Context(), core.CheckoutID(checkout), attempt.Method.ID, portstest.FakeSource(card))
		require.NoError(t, err)
		return attempt.Method.ID
	}
	require.True(t, h.Provider.Save(attempt.Object, card))
	_, _, err = h.Customers.LookSetup(t.Context(), core.CheckoutID(checkout), attempt.Method.ID)
	require.NoError(t, err)
	return attempt.Method.ID
}

func (h *house) remove(t *testing.T, customer, method string) *httptest.ResponseRecorder {
	t.Helper()
	return h.do(t.Context(), request{method: http.MethodDelete, path: "/v1/customers/" + customer + "/payment_methods/" + method})
}

type methodAnswer struct {
	ID, Customer, Status string
	Last4                string
	Consent              *struct{ Text, Checkout string }
}

// confirmModes are the manners of accounts.
var confirmModes = map[string]ports.ConfirmMode{
	"in the browser": ports.ConfirmInBrowser, "after approval": ports.ConfirmAfterApproval, "with a source": ports.ConfirmWithSource,
}

func TestTheLifeOfASavedMethod(t *testing.T) {
	t.Parallel()
	for name, mode := range confirmModes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.Confirming(mode)
			customer := h.made(t, "/v1/customers", "k-1", `{"email":"ada@example.test","name":"Ada","metadata":{"shop":"7"}}`)
			known := read[map[string]any](t, h.get(t, "/v1/customers/"+customer), http.StatusOK)
			require.Equal(t, "ada@example.test", known["email"])
			require.Equal(t, map[string]any{"shop": "7"}, known["metadata"])
			methods := "/v1/customers/" + customer + "/payment_methods"
			require.Empty(t, h.listed(t, methods, 20))

			checkout := h.made(t, "/v1/checkouts", "k-2", setup(customer))
			method := string(h.leave(t, checkout, portstest.CardSucceeds))
			closed := read[map[string]any](t, h.get(t, "/v1/checkouts/"+checkout), http.StatusOK)
			require.Equal(t, "complete", closed["status"])
			require.Equal(t, method, closed["payment_method"])
			require.Nil(t, closed["payment"])
			saved := read[struct{ Data []methodAnswer }](t, h.get(t, methods), http.StatusOK).Data
			require.Len(t, saved, 1)
			require.Equal(t, method, saved[0].ID)
			require.Equal(t, customer, saved[0].Customer)
			require.Equal(t, "active", saved[0].Status)
			require.Equal(t, "4242", saved[0].Last4)
			require.Equal(t, checkout, saved[0].Consent.Checkout)
			require.Contains(t, saved[0].Consent.Text, "wallet")

			paid := h.made(t, "/v1/payments", "k-3", charge(core.CustomerID(customer), core.MethodID(method)))
			require.Equal(t, []string{paid}, h.listed(t, "/v1/payments?customer="+customer, 20))

			for range 2 {
				require.Equal(t, "removed", read[methodAnswer](t, h.remove(t, customer, method), http.StatusOK).Status)
			}
			require.Equal(t, 1, h.Provider.CallsOf("DetachMethod"))
			require.Empty(t, h.listed(t, methods, 20))
			refused(t, h.post(t, "/v1/payments", "k-4", charge(core.CustomerID(customer), core.MethodID(method))), http.StatusConflict, "payment_method_not_usable")
			h.RunAll()
			require.Empty(t, h.Store.GivenUp())
			require.Empty(t, h.log.lines(`"level":"ERROR"`))
			require.Empty(t, h.log.lines("ada@example.test"))
		})
	}
}

// A buyer told by email and name alone becomes a customer where something is to be charged later.
func TestASetupCheckoutMakesACustomer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	body := strings.Replace(setup("x"), `"id":"x"`, `"email":"ada@example.test","name":"Ada"`, 1)
	checkout := h.made(t, "/v1/checkouts", "k", body)
	customer := read[struct{ Customer struct{ ID string } }](t, h.get(t, "/v1/checkouts/"+checkout), http.StatusOK).Customer.ID
	require.Equal(t, "Ada", read[map[string]any](t, h.get(t, "/v1/customers/"+customer), http.StatusOK)["name"])
	method := h.leave(t, checkout, portstest.CardSucceeds)
	require.Equal(t, []string{string(method)}, h.listed(t, "/v1/customers/"+customer+"/payment_methods", 20))
}

func TestMethodsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer().ID
	h.Saved(h.Customer().ID, portstest.CardSucceeds)
	var want []string
	for n := range 5 {
		if n%2 == 0 { // some at the same moment
			h.Clock.Advance(time.Second)
		}
		want = append(want, string(h.Saved(customer, portstest.CardSucceeds).ID))
	}
	slices.Reverse(want)
	path := "/v1/customers/" + string(customer) + "/payment_methods"
	for limit := 1; limit <= 6; limit++ {
		require.Equal(t, want, h.listed(t, path, limit), limit)
	}
	require.Equal(t, want, h.listed(t, path, 100))
	// One that is taken away between two pages takes no other along.
	next := read[listOnly](t, h.get(t, path+"?limit=2"), http.StatusOK).Next
	require.Equal(t, http.StatusOK, h.remove(t, string(customer), want[1]).Code)
	rest := read[listOnly](t, h.get(t, path+"?limit=2&cursor="+next), http.StatusOK)
	require.Equal(t, want[2], rest.Data[0].ID)
	require.Equal(t, want[3], rest.Data[1].ID)
}

func TestARemovalWithoutItsAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer().ID
	remove := func(method core.SavedMethod) *httptest.ResponseRecorder {
		return h.remove(t, string(customer), string(method.ID))
	}
	for _, fail := range []func(*core.ProviderError){h.Provider.FailNext, h.Provider.FailNextAfterCommit} {
		method := h.Saved(customer, portstest.CardSucceeds)
		fail(portstest.NoAnswer())
		require.Equal(t, "active", read[methodAnswer](t, remove(method), http.StatusAccepted).Status)
		h.RunAll()
		require.Equal(t, "removed", read[methodAnswer](t, remove(method), http.StatusOK).Status)
	}
	method := h.Saved(customer, portstest.CardSucceeds)
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassRetryable, Op: "detach", RetryAfter: 7 * time.Second})
	answer := remove(method)
	require.Equal(t, "7", answer.Header().Get("Retry-After"))
	refused(t, answer, http.StatusServiceUnavailable, "provider_unavailable")
	require.Equal(t, "removed", read[methodAnswer](t, remove(method), http.StatusOK).Status)

	method = h.Saved(customer, portstest.CardSucceeds)
	delete(h.Accounts, coretest.Account)
	refused(t, remove(method), http.StatusConflict, "account_not_configured")
}

func TestBadCustomerCallsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	saved := h.Saved(customer.ID, portstest.CardSucceeds)
	stranger := h.Customer()
	pending, err := h.Customers.StartSetup(t.Context(), h.OpenSetup(customer.ID).ID, coretest.Account)
	require.NoError(t, err)
	path := "/v1/customers/" + string(customer.ID)
	const post = http.MethodPost
	h.refuseAll(t, []badCall{
		{post, "/v1/customers", `{}`, 422, "invalid_request", "body.email"},
		{post, "/v1/customers", `{"email":"","name":""}`, 422, "invalid_request", "body.email"},
		{post, "/v1/customers", `{"email":"` + secretText + `"}`, 422, "invalid_request", "body.email"},
		{post, "/v1/customers", `{"email":"a@` + strings.Repeat("b", 260) + `"}`, 422, "invalid_request", "body.email"},
		{post, "/v1/customers", `{"email":7}`, 422, "invalid_request", "body.email"},
		{post, "/v1/customers", `{"email":null}`, 422, "invalid_request", "body.email"},
		{post, "/v1/customers", `{"name":"` + secretText + `\u0000"}`, 422, "invalid_request", "body.name"},
		{post, "/v1/customers", `{"name":"` + strings.Repeat("n", 201) + `"}`, 422, "invalid_request", "body.name"},
		{post, "/v1/customers", `{"name":["Ada"]}`, 422, "invalid_request", "body.name"},
		{post, "/v1/customers", `{"name":"Ada","id":"` + secretText + `"}`, 422, "invalid_request", "body.id"},
		{post, "/v1/customers", `{"name":"Ada","metadata":{"":"x"}}`, 422, "invalid_request", "body.metadata"},
		{post, "/v1/customers", `{"name":"Ada","metadata":{"a":"\u0000"}}`, 422, "invalid_request", "body.metadata.a"},
		{post, "/v1/customers", `{"name":"Ada","metadata":{"a":1}}`, 422, "invalid_request", "body.metadata.a"},
		{post, "/v1/customers", `{"name":"4242424242424242"}`, 422, "card_number_refused", ""},
		{post, "/v1/customers", ``, 400, "invalid_request", "body"},
		{http.MethodGet, "/v1/customers/pay_" + someID, ``, 400, "invalid_id", "path.id"},
		{http.MethodGet, "/v1/customers/%00", ``, 400, "invalid_id", "path.id"},
		{http.MethodGet, "/v1/customers/cus_" + someID, ``, 404, "not_found", ""},
		{http.MethodGet, "/v1/customers", ``, 405, "method_not_allowed", ""},
		{http.MethodGet, "/v1/customers/" + string(saved.ID) + "/payment_methods", ``, 400, "invalid_id", "path.id"},
		{http.MethodGet, "/v1/customers/cus_" + someID + "/payment_methods", ``, 404, "not_found", ""},
		{http.MethodGet, path + "/payment_methods?limit=0", ``, 422, "invalid_request", "query.limit"},
		{http.MethodGet, path + "/payment_methods?limit=101", ``, 422, "invalid_request", "query.limit"},
		{http.MethodGet, path + "/payment_methods?cursor=here", ``, 422, "invalid_request", "query.cursor"},
		{http.MethodGet, path + "/payment_methods?status=active", ``, 422, "invalid_request", "query.status"},
		{http.MethodDelete, "/v1/customers/x/payment_methods/" + string(saved.ID), ``, 400, "invalid_id", "path.id"},
		{http.MethodDelete, path + "/payment_methods/" + string(customer.ID), ``, 400, "invalid_id", "path.method"},
		{http.MethodDelete, path + "/payment_methods/pm_" + someID, ``, 404, "not_found", ""},
		{http.MethodDelete, "/v1/customers/" + string(stranger.ID) + "/payment_methods/" + string(saved.ID), ``, 404, "not_found", ""},
		{http.MethodDelete, path + "/payment_methods/" + string(pending.Method.ID), ``, 409, "payment_method_not_usable", ""},
		{post, "/v1/checkouts", setup("cus_" + someID), 422, "invalid_request", "body.customer.id"},
		{post, "/v1/checkouts", setup(string(saved.ID)), 422, "invalid_request", "body.customer.id"},
		{post, "/v1/checkouts", strings.Replace(setup("x"), `"customer":{"id":"x"},`, ``, 1), 422, "invalid_request", "body.customer"},
		{post, "/v1/checkouts", strings.Replace(setup(string(customer.ID)), `"currency"`, `"line_items":[{"name":"Tea","amount":1,"quantity":1}],"currency"`, 1), 422, "invalid_request", "body.line_items"},
		{post, "/v1/checkouts", strings.Replace(setup(string(customer.ID)), `"currency"`, `"capture":"manual","currency"`, 1), 422, "invalid_request", "body.capture"},
	})
	refused(t, h.post(t, "/v1/customers", "", `{"name":"Ada"}`), http.StatusBadRequest, "idempotency_key_required")
	require.Zero(t, h.Provider.CallsOf("DetachMethod"))
}

package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// charge is the body of a charge of a saved method.
func charge(customer core.CustomerID, method core.MethodID) string {
	return fmt.Sprintf(`{"customer":%q,"payment_method":%q,"amount":1500,"currency":"EUR","reference":"renewal"}`, customer, method)
}

type paymentAnswer struct {
	ID, Status, Reference string
	Checkout              *string
	Captured              int64               `json:"amount_captured"`
	OffSession            bool                `json:"off_session"`
	Method                struct{ ID string } `json:"payment_method"`
	Failure               *struct{ Code string }
	Metadata              map[string]string
}

func (h *house) paymentShown(t *testing.T, id string) paymentAnswer {
	t.Helper()
	return read[paymentAnswer](t, h.get(t, "/v1/payments/"+id), http.StatusOK)
}

func TestAChargeOfASavedMethod(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer().ID
	method := h.Saved(customer, portstest.CardSucceeds)
	body := strings.Replace(charge(customer, method.ID), `"currency"`, `"metadata":{"order":"7"},"currency"`, 1)
	first := h.post(t, "/v1/payments", "k-1", body)
	h.again(t, "/v1/payments", "k-1", body, first)
	paid := read[paymentAnswer](t, first, http.StatusCreated)
	require.Equal(t, "succeeded", paid.Status)
	require.EqualValues(t, 1500, paid.Captured)
	require.True(t, paid.OffSession)
	require.Nil(t, paid.Checkout)
	require.Equal(t, string(method.ID), paid.Method.ID)
	require.Equal(t, map[string]string{"order": "7"}, paid.Metadata)
	require.Equal(t, paid, h.paymentShown(t, paid.ID))
	require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))

	held := read[paymentAnswer](t, h.post(t, "/v1/payments", "k-2", strings.Replace(body, `"currency"`, `"capture":"manual","currency"`, 1)), http.StatusCreated)
	require.Equal(t, "authorized", held.Status)
	captured := read[paymentAnswer](t, h.post(t, "/v1/payments/"+held.ID+"/capture", "k-3", `{"amount":900}`), http.StatusOK)
	require.EqualValues(t, 900, captured.Captured)
	require.Equal(t, http.StatusCreated, h.post(t, "/v1/payments/"+paid.ID+"/refunds", "k-4", "").Code)
	require.Equal(t, []string{held.ID, paid.ID}, h.listed(t, "/v1/payments?customer="+string(customer), 1))
	require.Empty(t, h.log.lines("renewal"))
}

func TestADeclinedCharge(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer().ID
	body := charge(customer, h.Saved(customer, portstest.CardDeclinedLater).ID)
	first := h.post(t, "/v1/payments", "k", body)
	h.again(t, "/v1/payments", "k", body, first)
	require.NotContains(t, first.Body.String(), "checkout")
	p := refused(t, first, http.StatusPaymentRequired, "payment_refused")
	require.Equal(t, "card_declined", p.Failure.Code)
	failed := h.paymentShown(t, p.Payment)
	require.Equal(t, "failed", failed.Status)
	require.Equal(t, "card_declined", failed.Failure.Code)
	require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
}

func TestABankThatWantsTheBuyerThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer().ID
	body := charge(customer, h.Saved(customer, portstest.Card3DSOffSession).ID)
	first := h.post(t, "/v1/payments", "k", body)
	h.again(t, "/v1/payments", "k", body, first)
	p := refused(t, first, http.StatusPaymentRequired, "payment_refused")
	require.Equal(t, "authentication_required", p.Failure.Code)
	require.Equal(t, "failed", h.paymentShown(t, p.Payment).Status)
	checkout := read[struct {
		URL, Status, Reference string
		Amount                 int64
		Customer               struct{ ID string }
	}](t, h.get(t, "/v1/checkouts/"+p.Checkout), http.StatusOK)
	require.Equal(t, p.CheckoutURL, checkout.URL)
	require.Equal(t, "open", checkout.Status)
	require.Equal(t, "renewal", checkout.Reference)
	require.EqualValues(t, 1500, checkout.Amount)
	require.Equal(t, string(customer), checkout.Customer.ID)

	paid := h.Start(core.CheckoutID(p.Checkout))
	h.Pay(paid.ID, portstest.CardSucceeds)
	h.Look(paid)
	require.Equal(t, "succeeded", h.paymentShown(t, string(paid.ID)).Status)
	require.Equal(t, []string{string(paid.ID), p.Payment}, h.listed(t, "/v1/payments?reference=renewal", 20))
}

// A refusal whose checkout cannot be opened just now is not the last word on it.
func TestARefusalWaitsForItsCheckout(t *testing.T) {
	t.Parallel()
	for _, skip := range []int{3, 4} { // the key, the charge, its outcome; then the checkout, and the answer
		for _, afterCommit := range []bool{false, true} {
			h := newHouse(t)
			customer := h.Customer().ID
			body := charge(customer, h.Saved(customer, portstest.Card3DSOffSession).ID)
			h.Store.CrashNext(skip, afterCommit)
			first := h.post(t, "/v1/payments", "k", body)
			h.Store.CrashNever()
			if skip == 3 {
				refused(t, first, http.StatusInternalServerError, "internal_error")
			}
			h.Clock.Advance(core.IdempotencyLockMax)
			p := refused(t, h.post(t, "/v1/payments", "k", body), http.StatusPaymentRequired, "payment_refused")
			require.Equal(t, "authentication_required", p.Failure.Code)
			require.NotEmpty(t, p.Payment)
			require.Equal(t, http.StatusOK, h.get(t, "/v1/checkouts/"+p.Checkout).Code)
			require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
			require.Len(t, h.listed(t, "/v1/payments", 20), 1)
		}
	}
}

func TestAChargeWithoutItsAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer().ID
	method := h.Saved(customer, portstest.CardSucceeds)
	for n, fail := range []func(*core.ProviderError){h.Provider.FailNext, h.Provider.FailNextAfterCommit} {
		key, body := fmt.Sprint("lost-", n), charge(customer, method.ID)
		fail(portstest.NoAnswer())
		first := h.post(t, "/v1/payments", key, body)
		h.again(t, "/v1/payments", key, body, first)
		open := read[paymentAnswer](t, first, http.StatusAccepted)
		require.Equal(t, "processing", open.Status)
		h.RunAll()
		require.Equal(t, "succeeded", h.paymentShown(t, open.ID).Status)
		require.Equal(t, 1, h.Provider.EffectsOf(h.Operation(core.PaymentID(open.ID), core.OpChargeMethod).Key()))
	}
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassRetryable, Op: "charge", RetryAfter: 2 * time.Second})
	answer := h.post(t, "/v1/payments", "away", charge(customer, method.ID))
	require.Equal(t, "2", answer.Header().Get("Retry-After"))
	p := refused(t, answer, http.StatusServiceUnavailable, "provider_unavailable")
	paid := read[paymentAnswer](t, h.post(t, "/v1/payments", "away", charge(customer, method.ID)), http.StatusCreated)
	require.Equal(t, p.Payment, paid.ID, "the same one goes on")
	require.Equal(t, "succeeded", paid.Status)
}

func TestOneKeyChargesOnce(t *testing.T) {
	t.Parallel()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) {
		h := houseOver(t, open(t))
		customer := h.Customer().ID
		body := charge(customer, h.Saved(customer, portstest.CardSucceeds).ID)
		for _, answer := range together(t, h, 16, func(int) request {
			return request{method: http.MethodPost, path: "/v1/payments", key: "same", body: body}
		}) {
			if answer.Code != http.StatusCreated {
				refused(t, answer, http.StatusConflict, "idempotency_in_progress")
			}
		}
		require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
		require.Len(t, h.listed(t, "/v1/payments", 20), 1)
	})
}

func TestChargesThatAnAccountCannotMake(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer().ID
	body := charge(customer, h.Saved(customer, portstest.CardSucceeds).ID)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.ManualCapture = false })
	refused(t, h.post(t, "/v1/payments", "k-1", strings.Replace(body, `"currency"`, `"capture":"manual","currency"`, 1)), http.StatusConflict, "unsupported")
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Vault = false })
	refused(t, h.post(t, "/v1/payments", "k-2", body), http.StatusConflict, "unsupported")
	delete(h.Accounts, coretest.Account)
	refused(t, h.post(t, "/v1/payments", "k-3", body), http.StatusConflict, "account_not_configured")
	require.Zero(t, h.Provider.CallsOf("ChargeMethod"))
	require.Empty(t, h.listed(t, "/v1/payments", 20))
}

func TestBadChargesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer().ID
	method := h.Saved(customer, portstest.CardSucceeds)
	good := charge(customer, method.ID)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { delete(can.Currencies, "SEK") })
	var calls []badCall
	for _, bad := range []struct{ old, with, at string }{
		{`"` + string(customer) + `"`, `"` + secretText + `"`, "body.customer"},
		{`"` + string(customer) + `"`, `"` + string(method.ID) + `"`, "body.customer"},
		{`"` + string(customer) + `"`, `null`, "body.customer"},
		{`"customer":"` + string(customer) + `",`, ``, "body.customer"},
		{`"` + string(customer) + `"`, `"` + string(h.Customer().ID) + `"`, "body.payment_method"},
		{`"` + string(method.ID) + `"`, `"` + string(customer) + `"`, "body.payment_method"},
		{`"` + string(method.ID) + `"`, `"pm_` + someID + `"`, "body.payment_method"},
		{`"` + string(method.ID) + `"`, `{"id":"x"}`, "body.payment_method"},
		{`1500`, `0`, "body.amount"},
		{`1500`, `-1`, "body.amount"},
		{`1500`, `1.5`, "body.amount"},
		{`1500`, `"1500"`, "body.amount"},
		{`1500`, fmt.Sprint(core.MinorMax + 1), "body.amount"},
		{`"amount":1500,`, ``, "body.amount"},
		{`EUR`, `eur`, "body.currency"},
		{`EUR`, `SEK`, "body.currency"},
		{`"renewal"`, `""`, "body.reference"},
		{`renewal`, secretText + `\u0000`, "body.reference"},
		{`renewal`, strings.Repeat("r", 201), "body.reference"},
		{`"currency"`, `"capture":"later","currency"`, "body.capture"},
		{`"currency"`, `"metadata":{"":""},"currency"`, "body.metadata"},
		{`"currency"`, `"off_session":true,"currency"`, "body.off_session"},
	} {
		body := strings.Replace(good, bad.old, bad.with, 1)
		require.NotEqual(t, good, body, bad.with)
		calls = append(calls, badCall{http.MethodPost, "/v1/payments", body, 422, "invalid_request", bad.at})
	}
	h.refuseAll(t, append(calls,
		badCall{http.MethodPost, "/v1/payments", strings.Replace(good, "renewal", "4242 4242 4242 4242", 1), 422, "card_number_refused", ""},
	))
	refused(t, h.post(t, "/v1/payments", "", good), http.StatusBadRequest, "idempotency_key_required")
	require.Zero(t, h.Provider.CallsOf("ChargeMethod"))
	require.Empty(t, h.listed(t, "/v1/payments", 20))
}

package customers_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func charge(customer core.CustomerID, method core.MethodID) payments.Charge {
	return payments.Charge{
		RequestKey: "charge-1", Customer: string(customer), Method: string(method), Amount: 1500, Currency: "EUR", Reference: "renewal",
		Metadata: map[string]string{"order": "7"}, Cause: core.Cause{Kind: core.CauseAPI, Actor: "key_1"},
	}
}

func TestASavedMethodIsCharged(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, _ ports.ConfirmMode) {
		t.Helper()
		customer := h.Customer()
		method := h.Saved(customer.ID, portstest.CardSucceeds)
		charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		require.NoError(t, err)
		p := charged.Payment
		require.Equal(t, core.PaymentSucceeded, p.Status)
		require.True(t, p.OffSession)
		require.Equal(t, customer.ID, p.Customer)
		require.Equal(t, method.ID, p.Method.ID)
		require.Equal(t, "renewal", p.Reference)
		require.Empty(t, charged.Checkout.ID)
		require.Equal(t, []core.EventType{core.EventPaymentSucceeded}, h.Types(string(p.ID)))
		again, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		require.NoError(t, err)
		require.Equal(t, p, again.Payment)
		require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))

		held := charge(customer.ID, method.ID)
		held.RequestKey, held.Capture = "charge-2", core.CaptureManual
		charged, err = h.Payments.Charge(t.Context(), held)
		require.NoError(t, err)
		require.Equal(t, core.PaymentAuthorized, charged.Payment.Status)
		h.RunAll()
		require.Empty(t, h.Store.GivenUp())
	})
}

func TestADeclinedCharge(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	method := h.Saved(customer.ID, portstest.CardDeclinedLater)
	charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
	var refused *core.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, core.FailureCardDeclined, refused.Failure.Code)
	require.Equal(t, core.PaymentFailed, charged.Payment.Status)
	require.NotEmpty(t, charged.Payment.ProviderPaymentID, "the provider keeps what it declined")
	require.Empty(t, charged.Checkout.ID)
	require.Equal(t, []core.EventType{core.EventPaymentFailed}, h.Types(string(charged.Payment.ID)))
	again, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
	require.ErrorAs(t, err, &refused)
	require.Equal(t, charged.Payment, again.Payment)
	require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
}

func TestABankThatWantsTheBuyerThere(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		customer := h.Customer()
		method := h.Saved(customer.ID, portstest.Card3DSOffSession)
		charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		var refused *core.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, core.FailureAuthenticationRequired, charged.Payment.Failure.Code)
		checkout := charged.Checkout
		require.Equal(t, core.CheckoutOpen, checkout.Status)
		require.Equal(t, charged.Payment.Amount, checkout.Amount)
		require.Equal(t, "renewal", checkout.Reference)
		require.Equal(t, customer.ID, checkout.Buyer.Customer)
		require.Equal(t, "https://shop.example/saved", checkout.SuccessURL)
		again, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
		require.ErrorAs(t, err, &refused)
		require.Equal(t, checkout, again.Checkout, "one is enough")
		paid := h.Start(checkout.ID)
		h.Pay(paid.ID, portstest.CardSucceeds)
		require.Equal(t, core.PaymentSucceeded, h.Look(paid).Status)
	})
}

func TestAChargeWhoseAnswerNeverCame(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*portstest.FakeProvider){
		"and it did nothing":  func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) },
		"and it did its work": func(f *portstest.FakeProvider) { f.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			customer := h.Customer()
			method := h.Saved(customer.ID, portstest.CardSucceeds)
			fail(h.Provider)
			charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
			require.NoError(t, err)
			require.Equal(t, core.PaymentProcessing, charged.Payment.Status)
			h.RunAll()
			p := h.Payment(charged.Payment.ID)
			require.Equal(t, core.PaymentSucceeded, p.Status)
			op := h.Operation(p.ID, core.OpChargeMethod)
			require.Equal(t, core.OperationSucceeded, op.Status)
			require.Equal(t, 1, h.Provider.EffectsOf(op.Key()))
		})
	}
}

func TestAChargeIsFoundOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	method := h.Saved(customer.ID, portstest.CardSucceeds)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	charged, err := h.Payments.Charge(t.Context(), charge(customer.ID, method.ID))
	require.NoError(t, err)
	h.Clock.Advance(25 * time.Hour)
	h.RunDue()
	require.Equal(t, core.PaymentSucceeded, h.Payment(charged.Payment.ID).Status)
	require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
}

// A storefront that comes back late with the same call must not have the buyer charged twice.
func TestARepeatedChargeIsNotSentOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*portstest.FakeProvider){
		"and it did nothing":  func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) },
		"and it did its work": func(f *portstest.FakeProvider) { f.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			customer := h.Customer()
			method := h.Saved(customer.ID, portstest.CardSucceeds)
			fail(h.Provider)
			in := charge(customer.ID, method.ID)
			first, err := h.Payments.Charge(t.Context(), in)
			require.NoError(t, err)
			h.Clock.Advance(25 * time.Hour)
			again, err := h.Payments.Charge(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, first.Payment.ID, again.Payment.ID)
			require.Equal(t, 1, h.Provider.CallsOf("ChargeMethod"))
			want := core.PaymentProcessing
			if name == "and it did its work" {
				want = core.PaymentSucceeded
			}
			require.Equal(t, want, again.Payment.Status)
		})
	}
}

func TestBadChargesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer := h.Customer()
	method := h.Saved(customer.ID, portstest.CardSucceeds)
	for field, change := range map[string]func(*payments.Charge){
		"customer":       func(c *payments.Charge) { c.Customer = "someone" },
		"payment_method": func(c *payments.Charge) { c.Customer = string(h.Customer().ID) },
		"amount":         func(c *payments.Charge) { c.Amount = 0 },
		"currency":       func(c *payments.Charge) { c.Currency = "eur" },
		"reference":      func(c *payments.Charge) { c.Reference = "" },
		"capture":        func(c *payments.Charge) { c.Capture = "later" },
		"metadata":       func(c *payments.Charge) { c.Metadata = map[string]string{"": ""} },
	} {
		in := charge(customer.ID, method.ID)
		change(&in)
		_, err := h.Payments.Charge(t.Context(), in)
		var invalid *core.InvalidError
		require.ErrorAs(t, err, &invalid, field)
		require.Equal(t, field, invalid.Fields[0].Field)
	}
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.ManualCapture = false })
	in := charge(customer.ID, method.ID)
	in.Capture = core.CaptureManual
	_, err := h.Payments.Charge(t.Context(), in)
	require.ErrorIs(t, err, core.ErrNotSupported)
	require.Zero(t, h.Provider.CallsOf("ChargeMethod"))
}

func TestOffersFollowTheMode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.OpenSetup(h.Customer().ID)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Vault = false })
	_, err := h.Customers.StartSetup(t.Context(), checkout.ID, coretest.Account)
	require.ErrorIs(t, err, core.ErrAccountNotOffered)
	_, err = h.Payments.Start(t.Context(), checkout.ID, coretest.OtherAccount)
	require.ErrorIs(t, err, core.ErrAccountNotOffered, "there is nothing to pay")
	in := payments.OpenCheckout{
		Reference: "wallet", Currency: "EUR", Mode: core.ModeSetup, Flow: core.FlowRedirect, SuccessURL: "https://shop.example/saved", Email: "ada@example.test",
	}
	_, err = h.Payments.OpenCheckout(t.Context(), in)
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid, "nobody agrees on a page of the provider's own here")
	require.Equal(t, "mode", invalid.Fields[0].Field)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Vault = true })
	h.Confirming(ports.ConfirmAfterApproval)
	redirect, err := h.Payments.OpenCheckout(t.Context(), in)
	require.NoError(t, err)
	attempt, err := h.Customers.StartSetup(t.Context(), redirect.ID, coretest.Account)
	require.NoError(t, err)
	require.Equal(t, ports.ActionRedirect, attempt.Action.Type)
	require.NotEmpty(t, attempt.Action.URL)
	for field, change := range map[string]func(*payments.OpenCheckout){
		"customer":   func(o *payments.OpenCheckout) { o.Email = "" },
		"line_items": func(o *payments.OpenCheckout) { o.Items = []payments.OpenItem{{Name: "a", Amount: 1, Quantity: 1}} },
		"capture":    func(o *payments.OpenCheckout) { o.Capture = core.CaptureManual },
	} {
		bad := in
		change(&bad)
		_, err = h.Payments.OpenCheckout(t.Context(), bad)
		require.ErrorAs(t, err, &invalid, field)
		require.Equal(t, field, invalid.Fields[0].Field)
	}
}

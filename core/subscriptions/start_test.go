package subscriptions_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func TestADeclinedFirstPayment(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
		attempt, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		id := attempt.Subscription.ID
		if mode == ports.ConfirmWithSource {
			_, _, err = h.Subscriptions.Confirm(t.Context(), checkout.ID, id, portstest.FakeSource(portstest.CardDeclined))
			var refused *core.RefusedError
			require.ErrorAs(t, err, &refused)
			s, after, err := h.Subscriptions.Look(t.Context(), checkout.ID, id)
			require.NoError(t, err)
			require.Equal(t, core.SubscriptionCanceled, s.Status)
			require.Equal(t, core.FailureCardDeclined, s.Failure.Code)
			require.Empty(t, after.Lease)
			next, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
			require.NoError(t, err)
			require.NotEqual(t, id, next.Subscription.ID)
			return
		}
		require.True(t, h.Provider.Subscribe(attempt.Subscription.ProviderSubscriptionID, portstest.CardDeclined))
		s, after, err := h.Subscriptions.Look(t.Context(), checkout.ID, id)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionIncomplete, s.Status)
		require.Equal(t, core.FailureCardDeclined, s.Failure.Code)
		require.Equal(t, string(id), after.Lease)
		require.Empty(t, h.Types(string(id)), "nothing ran yet")
		again, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		require.Equal(t, id, again.Subscription.ID)
		require.NotEmpty(t, again.Action.Type)
		require.True(t, h.Provider.Subscribe(s.ProviderSubscriptionID, portstest.CardSucceeds))
		h.Told("evt_1", core.ObjectSubscription, s.ProviderSubscriptionID)
		require.Equal(t, core.SubscriptionActive, h.Subscription(id).Status)
	})
}

func TestAnotherAccountIsChosen(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
		first, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		other, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.OtherAccount)
		require.NoError(t, err)
		require.NotEqual(t, first.Subscription.ID, other.Subscription.ID)
		require.Equal(t, core.SubscriptionCanceled, h.Subscription(first.Subscription.ID).Status)
		require.Equal(t, string(other.Subscription.ID), h.Checkout(checkout.ID).Lease)

		require.True(t, h.Other.Subscribe(other.Subscription.ProviderSubscriptionID, portstest.CardSucceeds))
		_, after, err := h.Subscriptions.Look(t.Context(), checkout.ID, other.Subscription.ID)
		require.NoError(t, err)
		require.Equal(t, core.CheckoutComplete, after.Status)
		if mode != ports.ConfirmAfterApproval {
			return
		}
		// This provider could not end what nobody agreed to, and now somebody does in another window.
		require.True(t, h.Provider.Subscribe(first.Subscription.ProviderSubscriptionID, portstest.CardSucceeds))
		h.Told("evt_1", core.ObjectSubscription, first.Subscription.ProviderSubscriptionID)
		h.RunAll()
		require.Equal(t, core.SubscriptionCanceled, h.Subscription(first.Subscription.ID).Status, "nobody pays twice")
		require.Equal(t, core.SubscriptionActive, h.Subscription(other.Subscription.ID).Status)
		require.Equal(t, other.Subscription.ID, h.Checkout(checkout.ID).Subscription)
		require.Equal(t, 1, h.Odd.Of(core.ObjectSubscription))
		require.Equal(t, core.ReasonOverpaid, h.Subscription(first.Subscription.ID).Anomaly)
		require.Empty(t, h.Store.GivenUp())

		paid := paymentsOf(t, h, first.Subscription.ID)
		require.Len(t, paid, 1)
		require.Equal(t, core.PaymentSucceeded, paid[0].Status)
		require.True(t, paid[0].Refundable().IsZero(), "what was taken went back")
		require.True(t, paymentsOf(t, h, other.Subscription.ID)[0].AmountRefunded.IsZero())
	})
}

// The money of one that nobody needs may arrive only after it was ended.
func TestLateMoneyOfASecondSubscriptionGoesBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
	first, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
	require.NoError(t, err)
	other, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.OtherAccount)
	require.NoError(t, err)
	require.True(t, h.Other.Subscribe(other.Subscription.ProviderSubscriptionID, portstest.CardSucceeds))
	_, _, err = h.Subscriptions.Look(t.Context(), checkout.ID, other.Subscription.ID)
	require.NoError(t, err)
	require.True(t, h.Provider.Subscribe(first.Subscription.ProviderSubscriptionID, portstest.CardSucceeds))
	seen, err := h.Provider.GetSubscription(t.Context(), core.ProviderRef{Account: coretest.Account, Kind: core.ObjectSubscription, ID: first.Subscription.ProviderSubscriptionID})
	require.NoError(t, err)
	payment := seen.Invoices[0].Payment.ID
	arrives := h.Provider.Hold(payment)
	h.Told("evt_1", core.ObjectSubscription, first.Subscription.ProviderSubscriptionID)
	h.RunAll()
	require.Equal(t, core.SubscriptionCanceled, h.Subscription(first.Subscription.ID).Status)
	require.Equal(t, core.PaymentProcessing, paymentsOf(t, h, first.Subscription.ID)[0].Status)
	arrives()
	h.Told("evt_2", core.ObjectPayment, payment)
	h.RunAll()
	require.Equal(t, core.PaymentSucceeded, paymentsOf(t, h, first.Subscription.ID)[0].Status)
	require.True(t, paymentsOf(t, h, first.Subscription.ID)[0].Refundable().IsZero())
	require.Empty(t, h.Store.GivenUp())
}

func TestACheckoutExpiresWithItsAttempt(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, _ ports.ConfirmMode) {
		t.Helper()
		checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
		attempt, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		h.Clock.Advance(25 * time.Hour)
		require.NoError(t, h.Payments.ExpireDue(t.Context(), ports.Job{}))
		require.Equal(t, core.CheckoutExpired, h.Checkout(checkout.ID).Status)
		require.Equal(t, core.SubscriptionCanceled, h.Subscription(attempt.Subscription.ID).Status)
	})
}

func TestAnswersOfCreationsThatNeverCame(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*portstest.FakeProvider){
		"and it did nothing":  func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) },
		"and it did its work": func(f *portstest.FakeProvider) { f.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
				t.Helper()
				first := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds) // what it takes is there
				checkout := h.OpenPlan(first.Price, 1)
				_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
				require.NoError(t, err)
				if mode != ports.ConfirmWithSource {
					fail(h.Provider)
				}
				attempt, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
				if mode == ports.ConfirmWithSource {
					require.NoError(t, err)
					fail(h.Provider)
					_, _, err = h.Subscriptions.Confirm(t.Context(), checkout.ID, attempt.Subscription.ID, portstest.FakeSource(portstest.CardSucceeds))
					require.ErrorIs(t, err, core.ErrPaymentInProgress)
					h.RunAll()
				} else {
					var lost *core.ProviderError
					require.ErrorAs(t, err, &lost)
					again, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
					require.NoError(t, err)
					require.Equal(t, attempt.Subscription.ID, again.Subscription.ID)
					require.True(t, h.Provider.Subscribe(again.Subscription.ProviderSubscriptionID, portstest.CardSucceeds))
				}
				s, after, err := h.Subscriptions.Look(t.Context(), checkout.ID, attempt.Subscription.ID)
				require.NoError(t, err)
				require.Equal(t, core.SubscriptionActive, s.Status)
				require.Equal(t, core.CheckoutComplete, after.Status)
				operations, err := h.Store.SubjectOperations(t.Context(), string(s.ID))
				require.NoError(t, err)
				require.Len(t, operations, 1)
				require.Equal(t, core.OperationSucceeded, operations[0].Status)
				require.Empty(t, operations[0].Source)
				require.Equal(t, 1, h.Provider.EffectsOf(operations[0].Key()))
			})
		})
	}
}

func TestAPriceWhoseAnswerNeverCame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
	_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
	require.NoError(t, err)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	_, err = h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
	require.ErrorIs(t, err, core.ErrPaymentInProgress)
	require.Empty(t, h.Checkout(checkout.ID).Lease)
	_, err = h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
	require.NoError(t, err)
	h.RunAll()
	require.Empty(t, h.Store.GivenUp())
	require.Equal(t, 2, h.Provider.CallsOf("CreatePrice"), "the same key again")
}

func TestACreationWhoseKeyIsForgotten(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		t.Helper()
		first := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
		checkout := h.OpenPlan(first.Price, 1)
		_, err := h.Customers.Account(t.Context(), checkout.Buyer.Customer, coretest.Account)
		require.NoError(t, err)
		if mode != ports.ConfirmWithSource {
			h.Provider.FailNext(portstest.NoAnswer())
		}
		attempt, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
		if mode == ports.ConfirmWithSource {
			h.Provider.FailNext(portstest.NoAnswer())
			_, _, err = h.Subscriptions.Confirm(t.Context(), checkout.ID, attempt.Subscription.ID, portstest.FakeSource(portstest.CardSucceeds))
		}
		require.Error(t, err)
		calls := h.Provider.CallsOf("CreateSubscription")
		h.Clock.Advance(24 * time.Hour)
		h.RunDue()
		require.Equal(t, calls, h.Provider.CallsOf("CreateSubscription"), "it is never sent again")
		s := h.Subscription(attempt.Subscription.ID)
		if mode == ports.ConfirmWithSource {
			require.Equal(t, core.SubscriptionIncomplete, s.Status, "money may have moved")
			return
		}
		require.Equal(t, core.SubscriptionCanceled, s.Status, "the buyer never saw it")
		require.Empty(t, h.Checkout(checkout.ID).Lease)
	})
}

func TestBadSubscriptionCheckoutsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plan := h.Plan(fee, 0)
	once, err := h.Subscriptions.CreatePrice(t.Context(), subscriptions.NewPrice{Name: "Mug", Amount: fee, Currency: "EUR"})
	require.NoError(t, err)
	good := func() payments.OpenCheckout {
		return payments.OpenCheckout{
			Reference: "r", Currency: "EUR", Mode: core.ModeSubscription, SuccessURL: "https://shop.example/done", Email: "ada@example.test",
			Items: []payments.OpenItem{{Price: string(plan.ID), Quantity: 1}},
		}
	}
	_, err = h.Payments.OpenCheckout(t.Context(), good())
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		field  string
		change func(*payments.OpenCheckout)
	}{
		"one-time price":      {"line_items[0].price", func(o *payments.OpenCheckout) { o.Items[0].Price = string(once.ID) }},
		"unknown price":       {"line_items[0].price", func(o *payments.OpenCheckout) { o.Items[0].Price = "prc_01h455vb4pex5vsknk084sn02q" }},
		"no price":            {"line_items[0].price", func(o *payments.OpenCheckout) { o.Items[0] = payments.OpenItem{Name: "n", Amount: 1, Quantity: 1} }},
		"price and amount":    {"line_items[0].price", func(o *payments.OpenCheckout) { o.Items[0].Amount = 1 }},
		"no quantity":         {"line_items[0].quantity", func(o *payments.OpenCheckout) { o.Items[0].Quantity = 0 }},
		"two rows":            {"line_items", func(o *payments.OpenCheckout) { o.Items = append(o.Items, o.Items[0]) }},
		"other currency":      {"line_items[0].price", func(o *payments.OpenCheckout) { o.Currency = "USD" }},
		"nobody":              {"customer", func(o *payments.OpenCheckout) { o.Email = "" }},
		"unknown customer":    {"customer.id", func(o *payments.OpenCheckout) { o.CustomerID = "cus_01h455vb4pex5vsknk084sn02q" }},
		"manual capture":      {"capture", func(o *payments.OpenCheckout) { o.Capture = core.CaptureManual }},
		"recurring in a sale": {"line_items[0].price", func(o *payments.OpenCheckout) { o.Mode = core.ModePayment }},
	} {
		in := good()
		tt.change(&in)
		_, err := h.Payments.OpenCheckout(t.Context(), in)
		var invalid *core.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, tt.field, invalid.Fields[0].Field, name)
	}
	sale := good()
	sale.Mode, sale.Items[0] = core.ModePayment, payments.OpenItem{Price: string(once.ID), Quantity: 2}
	checkout, err := h.Payments.OpenCheckout(t.Context(), sale)
	require.NoError(t, err)
	require.Equal(t, 2*fee, checkout.Amount.Minor())
	require.Equal(t, "Mug", checkout.LineItems[0].Name)
	require.Equal(t, once.ID, checkout.LineItems[0].Price)

	many := good()
	many.Items[0].Quantity = 2
	h.Other.SetCapabilities(func(can *ports.Capabilities) { can.Subscriptions = nil })
	h.Confirming(ports.ConfirmWithSource)
	_, err = h.Payments.OpenCheckout(t.Context(), many)
	require.Error(t, err, "no account bills more than one")
}

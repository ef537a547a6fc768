package subscriptions_test

import (
	"fmt"
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

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
		_, err := h.Subscriptions.Resume(t.Context(), verb(s, ""))
		require.ErrorIs(t, err, core.ErrSubscriptionState)
		for range 2 {
			paused, err := h.Subscriptions.Pause(t.Context(), verb(s, "pause"))
			require.NoError(t, err)
			require.Equal(t, core.SubscriptionPaused, paused.Subscription.Status)
		}
		require.Equal(t, 1, h.Provider.CallsOf("PauseSubscription"))
		again, err := h.Subscriptions.Pause(t.Context(), verb(s, "pause again"))
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionPaused, again.Subscription.Status)
		passes(t, h, 2*month)
		require.Len(t, invoices(t, h, s.ID), 1, "nothing is asked for")
		resumed, err := h.Subscriptions.Resume(t.Context(), verb(s, "resume"))
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionActive, resumed.Subscription.Status)
		require.Len(t, invoices(t, h, s.ID), 2)
		require.Equal(t, []core.EventType{core.EventSubscriptionCreated, core.EventSubscriptionPaused, core.EventSubscriptionUpdated}, h.Types(string(s.ID)))
		h.RunAll()
		require.Empty(t, h.Store.GivenUp())
	})
}

func TestAPauseThatBeginsLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmWithSource)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	outcome, err := h.Subscriptions.Pause(t.Context(), verb(s, "k"))
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionActive, outcome.Subscription.Status)
	passes(t, h, month)
	require.Equal(t, core.SubscriptionPaused, h.Subscription(s.ID).Status)
}

func TestAnEndNow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	for range 2 {
		ended, err := h.Subscriptions.Cancel(t.Context(), verb(s, "end"), false)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionCanceled, ended.Subscription.Status)
	}
	require.Equal(t, 1, h.Provider.CallsOf("CancelSubscription"))
	for _, later := range []bool{true, false} {
		_, err := h.Subscriptions.Cancel(t.Context(), verb(s, core.RequestKey(fmt.Sprint("end again ", later))), later)
		require.ErrorIs(t, err, core.ErrSubscriptionEnded)
	}
	for _, call := range []func() (subscriptions.Outcome, error){
		func() (subscriptions.Outcome, error) { return h.Subscriptions.Pause(t.Context(), verb(s, "")) },
		func() (subscriptions.Outcome, error) { return h.Subscriptions.Resume(t.Context(), verb(s, "")) },
		func() (subscriptions.Outcome, error) {
			return h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb(s, ""), Quantity: 2})
		},
	} {
		_, err := call()
		require.ErrorIs(t, err, core.ErrSubscriptionEnded)
	}
	h.Confirming(ports.ConfirmWithSource)
	bound := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	_, err := h.Subscriptions.Cancel(t.Context(), verb(bound, ""), false)
	require.ErrorIs(t, err, core.ErrNotSupported)
}

func TestAnEndAtThePeriodsEnd(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, mode ports.ConfirmMode) {
		t.Helper()
		here := mode == ports.ConfirmAfterApproval // its provider only ends at once
		s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
		for _, key := range []core.RequestKey{"end", "end", "end once more"} {
			planned, err := h.Subscriptions.Cancel(t.Context(), verb(s, key), true)
			require.NoError(t, err)
			require.Equal(t, core.SubscriptionActive, planned.Subscription.Status)
			require.True(t, planned.Subscription.CancelAtPeriodEnd)
			require.Equal(t, here, planned.Subscription.CancelHere)
			require.False(t, planned.Subscription.CanceledAt.IsZero())
		}
		kept, err := h.Subscriptions.Resume(t.Context(), verb(s, "keep"))
		require.NoError(t, err)
		require.False(t, kept.Subscription.CancelAtPeriodEnd || kept.Subscription.CancelHere)
		require.True(t, kept.Subscription.CanceledAt.IsZero())
		passes(t, h, month)
		require.Equal(t, core.SubscriptionActive, h.Subscription(s.ID).Status)

		_, err = h.Subscriptions.Cancel(t.Context(), verb(s, "end after all"), true)
		require.NoError(t, err)
		s = h.Subscription(s.ID)
		end := s.CurrentPeriodEnd
		h.Told("evt_1", core.ObjectSubscription, s.ProviderSubscriptionID)
		require.True(t, h.Subscription(s.ID).CancelAtPeriodEnd, "a look does not undo it")
		passes(t, h, end.Sub(h.Clock.Now())-2*time.Hour)
		require.Equal(t, core.SubscriptionActive, h.Subscription(s.ID).Status)
		passes(t, h, 90*time.Minute)
		if here {
			require.Equal(t, core.SubscriptionCanceled, h.Subscription(s.ID).Status, "an hour before, so that nothing is asked for")
		}
		passes(t, h, time.Hour)
		s = h.Subscription(s.ID)
		require.Equal(t, core.SubscriptionCanceled, s.Status)
		require.Len(t, paymentsOf(t, h, s.ID), 2)
		types := h.Types(string(s.ID))
		require.Equal(t, core.EventSubscriptionCanceled, types[len(types)-1])
	})
}

func TestAChange(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
		dear := h.Plan(3*fee, 0)
		in := subscriptions.Change{Verb: verb(s, "change"), Price: string(dear.ID), Quantity: 2, Prorate: true}
		preview, err := h.Subscriptions.PreviewChange(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, 5*fee, preview.DueNow.Minor())
		require.Equal(t, 6*fee, preview.NextAmount.Minor())
		require.Equal(t, s.CurrentPeriodEnd, preview.NextAt)
		require.Equal(t, fee, h.Subscription(s.ID).Amount.Minor(), "a preview changes nothing")
		for range 2 {
			changed, err := h.Subscriptions.Change(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, dear.ID, changed.Subscription.Price)
			require.EqualValues(t, 2, changed.Subscription.Quantity)
			require.Equal(t, 6*fee, changed.Subscription.Amount.Minor())
		}
		require.Equal(t, 1, h.Provider.CallsOf("ChangeSubscription"))
		require.Len(t, paymentsOf(t, h, s.ID), 2, "the rest of the period is billed")
		same := in
		same.RequestKey = ""
		_, err = h.Subscriptions.Change(t.Context(), same)
		require.ErrorIs(t, err, core.ErrNothingToChange)
		require.Equal(t, []core.EventType{core.EventSubscriptionCreated, core.EventSubscriptionUpdated}, h.Types(string(s.ID)))
		h.RunAll()
		require.Empty(t, h.Store.GivenUp())
	})
}

func TestAChangeThatCannotBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	price := func(currency string, recurring *core.Recurring) string {
		made, err := h.Subscriptions.CreatePrice(t.Context(), subscriptions.NewPrice{Name: "n", Amount: 1, Currency: currency, Recurring: recurring})
		require.NoError(t, err)
		return string(made.ID)
	}
	monthly := &core.Recurring{Interval: core.IntervalMonth}
	for name, tt := range map[string]struct {
		change subscriptions.Change
		err    error
		field  string
	}{
		"nothing":        {change: subscriptions.Change{Quantity: 1}, err: core.ErrNothingToChange},
		"currency":       {change: subscriptions.Change{Price: price("USD", monthly)}, err: core.ErrCurrencyOther},
		"period":         {change: subscriptions.Change{Price: price("EUR", &core.Recurring{Interval: core.IntervalYear, Count: 3})}, err: core.ErrNotSupported},
		"paid once":      {change: subscriptions.Change{Price: price("EUR", nil)}, field: "price"},
		"unknown price":  {change: subscriptions.Change{Price: "prc_01h455vb4pex5vsknk084sn02q"}, field: "price"},
		"no price":       {change: subscriptions.Change{Price: "cheap"}, field: "price"},
		"large quantity": {change: subscriptions.Change{Quantity: core.LineItemQuantityMax + 1}, field: "quantity"},
		"no quantity":    {change: subscriptions.Change{Quantity: -1}, field: "quantity"},
	} {
		in := tt.change
		in.Verb = verb(s, "")
		for _, try := range []func() error{
			func() error { _, err := h.Subscriptions.Change(t.Context(), in); return err },
			func() error { _, err := h.Subscriptions.PreviewChange(t.Context(), in); return err },
		} {
			err := try()
			if tt.err != nil {
				require.ErrorIs(t, err, tt.err, name)
				continue
			}
			var invalid *core.InvalidError
			require.ErrorAs(t, err, &invalid, name)
			require.Equal(t, tt.field, invalid.Fields[0].Field, name)
		}
	}
	require.Zero(t, h.Provider.CallsOf("ChangeSubscription")+h.Provider.CallsOf("PreviewChange"))
	h.Provider.SetCapabilities(func(can *ports.Capabilities) {
		abilities := *can.Subscriptions
		abilities.Quantity, abilities.Prorate = false, false
		can.Subscriptions = &abilities
	})
	_, err := h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb(s, ""), Quantity: 2})
	require.ErrorIs(t, err, core.ErrNotSupported)
	_, err = h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb(s, ""), Price: price("EUR", monthly), Prorate: true})
	require.ErrorIs(t, err, core.ErrNotSupported)
}

func TestAChangeThatComesLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmWithSource)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	dear := h.Plan(3*fee, 0)
	outcome, err := h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb(s, "k"), Price: string(dear.ID)})
	require.NoError(t, err)
	require.Equal(t, fee, outcome.Subscription.Amount.Minor())
	require.Equal(t, &core.SubscriptionChange{Price: dear.ID, Quantity: 1, At: s.CurrentPeriodEnd}, outcome.Subscription.Pending)
	passes(t, h, month)
	s = h.Subscription(s.ID)
	require.Nil(t, s.Pending)
	require.Equal(t, dear.ID, s.Price)
	require.Equal(t, 3*fee, paymentsOf(t, h, s.ID)[0].Amount.Minor())
}

func TestAChangeThatTheBuyerAgreesTo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	in := subscriptions.Change{Verb: verb(s, "k"), Quantity: 2}
	outcome, err := h.Subscriptions.Change(t.Context(), in)
	require.NoError(t, err)
	require.NotEmpty(t, outcome.ActionURL)
	require.EqualValues(t, 1, outcome.Subscription.Quantity, "nothing has changed yet")
	require.True(t, h.Provider.Subscribe(s.ProviderSubscriptionID, portstest.CardSucceeds))
	h.Told("evt_1", core.ObjectSubscription, s.ProviderSubscriptionID)
	require.EqualValues(t, 2, h.Subscription(s.ID).Quantity)
}

// Who allowed a method to be charged for a subscription did not allow anything else.
func TestAMethodOfASubscriptionIsChargedForNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	link, err := h.Subscriptions.MethodLink(t.Context(), verb(s, "link"))
	require.NoError(t, err)
	attempt, err := h.Customers.StartSetup(t.Context(), link.Checkout.ID, coretest.Account)
	require.NoError(t, err)
	require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
	method, _, err := h.Customers.LookSetup(t.Context(), link.Checkout.ID, attempt.Method.ID)
	require.NoError(t, err)
	require.Equal(t, core.MethodActive, method.Status)
	_, err = h.Payments.Charge(t.Context(), payments.Charge{
		Customer: string(s.Customer), Method: string(method.ID), Amount: 100, Currency: "EUR", Reference: "a shirt",
	})
	require.ErrorIs(t, err, core.ErrMethodNotUsable)
	require.Zero(t, h.Provider.CallsOf("ChargeMethod"))
}

// One that is overdue and cannot be looked at rests for a while, so that others have their turn.
func TestAnOverdueSubscriptionRests(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	h.RunAll()
	h.Clock.Advance(s.CurrentPeriodEnd.Sub(h.Clock.Now()) + time.Minute)
	h.Provider.FailNext(portstest.NoAnswer())
	h.Sweep()
	calls := h.Provider.CallsOf("GetSubscription")
	require.NotZero(t, calls)
	h.Clock.Advance(time.Minute)
	h.Sweep()
	require.Equal(t, calls, h.Provider.CallsOf("GetSubscription"))
	h.Clock.Advance(15 * time.Minute)
	h.Sweep()
	require.Greater(t, h.Provider.CallsOf("GetSubscription"), calls)
	require.True(t, h.Subscription(s.ID).CurrentPeriodEnd.After(s.CurrentPeriodEnd))
}

func TestTheBuyersLinkToTheMethod(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
		h.Provider.Steer(t, s.ProviderSubscriptionID, portstest.Steering{Card: portstest.CardExpired})
		passes(t, h, month)
		require.Equal(t, core.SubscriptionPastDue, h.Subscription(s.ID).Status)
		link, err := h.Subscriptions.MethodLink(t.Context(), verb(s, "link"))
		require.NoError(t, err)
		again, err := h.Subscriptions.MethodLink(t.Context(), verb(s, "link"))
		require.NoError(t, err)
		require.Equal(t, link, again)
		require.Equal(t, coretest.URL.CheckoutPage(link.Checkout.ID), link.URL)
		require.Equal(t, s.ID, link.Checkout.Subscription)
		_, err = h.Customers.StartSetup(t.Context(), link.Checkout.ID, coretest.OtherAccount)
		require.ErrorIs(t, err, core.ErrAccountNotOffered, "only where it is billed")
		attempt, err := h.Customers.StartSetup(t.Context(), link.Checkout.ID, coretest.Account)
		require.NoError(t, err)
		require.True(t, h.Provider.Save(attempt.Object, portstest.CardSucceeds))
		method, checkout, err := h.Customers.LookSetup(t.Context(), link.Checkout.ID, attempt.Method.ID)
		require.NoError(t, err)
		require.Equal(t, core.CheckoutComplete, checkout.Status)
		require.Contains(t, method.Consent.Text, "subscription")
		h.RunDue()
		s = h.Subscription(s.ID)
		require.Equal(t, core.SubscriptionActive, s.Status, "what was open is paid with it")
		require.Equal(t, core.PaymentSucceeded, paymentsOf(t, h, s.ID)[0].Status)
		require.NoError(t, h.Subscriptions.SwapMethod(t.Context(), ports.Job{Subject: string(method.ID)}))
		require.Equal(t, 1, h.Provider.CallsOf("UpdateSubscriptionMethod"))
		require.Empty(t, h.Store.GivenUp())
	})
	h := newHouse(t)
	h.Confirming(ports.ConfirmAfterApproval)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	link, err := h.Subscriptions.MethodLink(t.Context(), verb(s, "k"))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("https://provider.example/autopay/%s", s.ProviderSubscriptionID), link.URL)
	require.Empty(t, link.Checkout.ID)
	h.Confirming(ports.ConfirmWithSource)
	s = h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	_, err = h.Subscriptions.MethodLink(t.Context(), verb(s, "k"))
	require.ErrorIs(t, err, core.ErrNotSupported)
}

package subscriptions_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const (
	fee   int64 = 1000
	month       = 31 * 24 * time.Hour
)

func newHouse(t *testing.T) *coretest.House { return coretest.New(t, repotest.SQLite(t)) }

func eachHouse(t *testing.T, test func(t *testing.T, h *coretest.House)) {
	t.Helper()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) { test(t, coretest.New(t, open(t))) })
}

var modes = map[string]ports.ConfirmMode{
	"in the browser": ports.ConfirmInBrowser, "after approval": ports.ConfirmAfterApproval, "with a source": ports.ConfirmWithSource,
}

// eachMode runs a test at an account of each manner.
func eachMode(t *testing.T, test func(t *testing.T, h *coretest.House, mode ports.ConfirmMode)) {
	t.Helper()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.Confirming(mode)
			test(t, h, mode)
		})
	}
}

var watch = ports.Job{Kind: ports.JobWatchSubscriptions}

// passes moves the clock ahead and has the sweep run, with a provider that tells nobody.
func passes(t *testing.T, h *coretest.House, by time.Duration) {
	t.Helper()
	h.Clock.Advance(by)
	require.NoError(t, h.Subscriptions.Watch(t.Context(), watch))
	h.Sweep()
	h.RunDue()
}

func verb(s core.Subscription, key core.RequestKey) subscriptions.Verb {
	return subscriptions.Verb{Subscription: s.ID, RequestKey: key, Cause: core.Cause{Kind: core.CauseAPI, Actor: "key_1"}}
}

func invoices(t *testing.T, h *coretest.House, id core.SubscriptionID) []core.Invoice {
	t.Helper()
	page, err := h.Subscriptions.Invoices(t.Context(), id, core.PageRequest{Limit: 100})
	require.NoError(t, err)
	return page.Items
}

func paymentsOf(t *testing.T, h *coretest.House, id core.SubscriptionID) []core.Payment {
	t.Helper()
	page, err := h.Payments.Payments(t.Context(), ports.PaymentFilter{Subscription: id}, core.PageRequest{Limit: 100})
	require.NoError(t, err)
	return page.Items
}

func TestAPrice(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		in := subscriptions.NewPrice{RequestKey: "k", Name: "Tea", Amount: fee, Currency: "EUR", Recurring: &core.Recurring{Interval: core.IntervalWeek, TrialDays: 3}}
		price, err := h.Subscriptions.CreatePrice(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, &core.Recurring{Interval: core.IntervalWeek, Count: 1, TrialDays: 3}, price.Recurring)
		again, err := h.Subscriptions.CreatePrice(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, price, again)
		read, err := h.Subscriptions.Price(t.Context(), price.ID)
		require.NoError(t, err)
		require.Equal(t, price, read)
		page, err := h.Subscriptions.Prices(t.Context(), core.PageRequest{Limit: 5})
		require.NoError(t, err)
		require.Equal(t, []core.Price{price}, page.Items)
	})
	h := newHouse(t)
	for field, in := range map[string]subscriptions.NewPrice{
		"name":                     {Amount: 1, Currency: "EUR"},
		"amount":                   {Name: "n", Currency: "EUR"},
		"currency":                 {Name: "n", Amount: 1, Currency: "euro"},
		"recurring.interval":       {Name: "n", Amount: 1, Currency: "EUR", Recurring: &core.Recurring{Interval: "hour"}},
		"recurring.interval_count": {Name: "n", Amount: 1, Currency: "EUR", Recurring: &core.Recurring{Interval: "day", Count: 366}},
		"recurring.trial_days":     {Name: "n", Amount: 1, Currency: "EUR", Recurring: &core.Recurring{Interval: "day", TrialDays: -1}},
	} {
		_, err := h.Subscriptions.CreatePrice(t.Context(), in)
		var invalid *core.InvalidError
		require.ErrorAs(t, err, &invalid, field)
		require.Equal(t, field, invalid.Fields[0].Field)
	}
}

func TestASubscriptionStarts(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, _ ports.ConfirmMode) {
		t.Helper()
		price := h.Plan(fee, 0)
		s := h.Subscribed(price.ID, 1, portstest.CardSucceeds)
		require.Equal(t, core.SubscriptionActive, s.Status)
		require.Equal(t, price.ID, s.Price)
		require.Equal(t, fee, s.Amount.Minor())
		require.Equal(t, h.Clock.Now().Truncate(time.Microsecond), s.CurrentPeriodStart)
		require.Equal(t, "tea", s.Reference)
		require.Equal(t, "4242", s.Method.Last4)
		checkout := h.Checkout(s.Checkout)
		require.Equal(t, core.CheckoutComplete, checkout.Status)
		require.Equal(t, s.ID, checkout.Subscription)
		require.Equal(t, s.Customer, checkout.Buyer.Customer)
		require.Equal(t, []core.EventType{core.EventCheckoutCompleted}, h.Types(string(checkout.ID)))
		require.Equal(t, []core.EventType{core.EventSubscriptionCreated}, h.Types(string(s.ID)))

		billed := invoices(t, h, s.ID)
		require.Len(t, billed, 1)
		require.Equal(t, core.InvoicePaid, billed[0].Status)
		require.Equal(t, []core.EventType{core.EventInvoicePaid}, h.Types(string(billed[0].ID)))
		p := h.Payment(billed[0].Payment)
		require.Equal(t, core.PaymentSucceeded, p.Status)
		require.Equal(t, s.ID, p.Subscription)
		require.Equal(t, billed[0].ID, p.Invoice)
		require.Equal(t, "tea", p.Reference)
		require.Equal(t, s.Customer, p.Customer)
		require.Empty(t, p.Checkout)

		h.RunAll()
		require.Empty(t, h.Store.GivenUp())
		require.Len(t, paymentsOf(t, h, s.ID), 1)
		require.Equal(t, 1, h.Provider.CallsOf("CreatePrice"))
		second := h.Subscribed(price.ID, 1, portstest.CardSucceeds)
		require.NotEqual(t, s.ID, second.ID)
		require.Equal(t, 1, h.Provider.CallsOf("CreatePrice"), "its counterpart is there")
		_, err := h.Subscriptions.Start(t.Context(), s.Checkout, coretest.Account)
		require.ErrorIs(t, err, core.ErrCheckoutComplete)
	})
}

func TestATrial(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, h *coretest.House, _ ports.ConfirmMode) {
		t.Helper()
		s := h.Subscribed(h.Plan(fee, 14).ID, 1, portstest.CardSucceeds)
		require.Equal(t, core.SubscriptionTrialing, s.Status)
		require.Equal(t, s.CurrentPeriodEnd, s.TrialEnd)
		require.Equal(t, core.CheckoutComplete, h.Checkout(s.Checkout).Status)
		require.Empty(t, paymentsOf(t, h, s.ID))
		passes(t, h, 15*24*time.Hour)
		s = h.Subscription(s.ID)
		require.Equal(t, core.SubscriptionActive, s.Status)
		require.Len(t, paymentsOf(t, h, s.ID), 1)
		require.Equal(t, []core.EventType{core.EventSubscriptionCreated, core.EventSubscriptionUpdated}, h.Types(string(s.ID)))
	})
}

func TestASubscriptionRenews(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		s := h.Subscribed(h.Plan(fee, 0).ID, 2, portstest.CardSucceeds)
		require.Equal(t, 2*fee, s.Amount.Minor())
		for n := range 3 {
			passes(t, h, month)
			s = h.Subscription(s.ID)
			require.Equal(t, core.SubscriptionActive, s.Status)
			require.True(t, s.CurrentPeriodEnd.After(h.Clock.Now()))
			require.Len(t, invoices(t, h, s.ID), n+2)
			require.Len(t, paymentsOf(t, h, s.ID), n+2)
		}
		require.Equal(t, []core.EventType{
			core.EventSubscriptionCreated, core.EventSubscriptionUpdated, core.EventSubscriptionUpdated, core.EventSubscriptionUpdated,
		}, h.Types(string(s.ID)))
		h.Sweep()
		require.Len(t, h.Types(string(s.ID)), 4, "nothing new, nothing told")
		for _, invoice := range invoices(t, h, s.ID) {
			require.Equal(t, []core.EventType{core.EventInvoicePaid}, h.Types(string(invoice.ID)))
			require.Equal(t, 2*fee, h.Payment(invoice.Payment).AmountCaptured.Minor())
		}
	})
}

func TestAPaymentThatFailsAndRecovers(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
		h.Provider.Steer(t, s.ProviderSubscriptionID, portstest.Steering{Card: portstest.CardInsufficientFunds})
		passes(t, h, month)
		s = h.Subscription(s.ID)
		require.Equal(t, core.SubscriptionPastDue, s.Status)
		require.Equal(t, core.FailureInsufficientFunds, s.Failure.Code)
		require.Equal(t, 1, s.FailedAttempts)
		require.False(t, s.NextAttempt.IsZero())
		open := invoices(t, h, s.ID)[0]
		require.Equal(t, core.InvoiceOpen, open.Status)
		require.Equal(t, core.PaymentFailed, h.Payment(open.Payment).Status)

		h.Clock.Advance(3 * 24 * time.Hour)
		h.Told("evt_2", core.ObjectInvoice, open.ProviderInvoiceID)
		require.Equal(t, 2, h.Subscription(s.ID).FailedAttempts)
		require.Equal(t, []core.EventType{core.EventInvoicePaymentFailed, core.EventInvoicePaymentFailed}, h.Types(string(open.ID)))
		require.Equal(t, []core.EventType{core.EventPaymentFailed}, h.Types(string(open.Payment)))

		h.Provider.Steer(t, s.ProviderSubscriptionID, portstest.Steering{Card: portstest.CardSucceeds, Do: portstest.SteerRetry})
		h.Told("evt_3", core.ObjectSubscription, s.ProviderSubscriptionID)
		s = h.Subscription(s.ID)
		require.Equal(t, core.SubscriptionActive, s.Status)
		require.Nil(t, s.Failure)
		require.Equal(t, core.PaymentSucceeded, h.Payment(open.Payment).Status)
		require.Equal(t, []core.EventType{core.EventPaymentFailed, core.EventPaymentSucceeded}, h.Types(string(open.Payment)))
		require.Equal(t, []core.EventType{
			core.EventSubscriptionCreated, core.EventSubscriptionPastDue, core.EventSubscriptionUpdated, core.EventSubscriptionUpdated,
		}, h.Types(string(s.ID)))
	})
}

func TestASubscriptionThatIsNeverPaidAgainEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	h.Provider.Steer(t, s.ProviderSubscriptionID, portstest.Steering{Card: portstest.Card3DSOffSession})
	passes(t, h, month)
	require.Equal(t, core.FailureAuthenticationRequired, h.Subscription(s.ID).Failure.Code)
	h.Clock.Advance(20 * 24 * time.Hour)
	h.Told("evt_1", core.ObjectSubscription, s.ProviderSubscriptionID)
	s = h.Subscription(s.ID)
	require.Equal(t, core.SubscriptionCanceled, s.Status)
	require.False(t, s.EndedAt.IsZero())
	require.Equal(t, core.InvoiceUncollectible, invoices(t, h, s.ID)[0].Status)
	_, err := h.Subscriptions.Pause(t.Context(), verb(s, ""))
	require.ErrorIs(t, err, core.ErrSubscriptionEnded)
}

// The event of a renewal's payment may be the first that is heard of it.
func TestAPaymentIsHeardOfFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	h.Clock.Advance(month)
	seen, err := h.Provider.GetSubscription(t.Context(), s.Ref())
	require.NoError(t, err)
	newest := seen.Invoices[0]
	h.Told("evt_1", core.ObjectPayment, newest.Payment.ID)
	require.Len(t, paymentsOf(t, h, s.ID), 2)
	require.Equal(t, newest.PeriodStart, h.Subscription(s.ID).CurrentPeriodStart)
	for n, ref := range []core.ProviderRef{newest.Payment, newest.Ref, s.Ref(), newest.Payment} {
		h.Told("evt_again_"+string(rune('a'+n)), ref.Kind, ref.ID)
	}
	require.Len(t, paymentsOf(t, h, s.ID), 2)
	require.Len(t, invoices(t, h, s.ID), 2)
	for _, p := range paymentsOf(t, h, s.ID) {
		require.NotEmpty(t, p.Invoice)
		require.Contains(t, h.Types(string(p.ID)), core.EventPaymentSucceeded)
	}
}

func TestWhatIsDoneInTheDashboardIsFollowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	for n, step := range []struct {
		change portstest.Steering
		status core.SubscriptionStatus
		event  core.EventType
	}{
		{portstest.Steering{Do: portstest.SteerPause}, core.SubscriptionPaused, core.EventSubscriptionPaused},
		{portstest.Steering{Do: portstest.SteerResume}, core.SubscriptionActive, core.EventSubscriptionUpdated},
		{portstest.Steering{Do: portstest.SteerQuantity, Quantity: 3}, core.SubscriptionActive, core.EventSubscriptionUpdated},
		{portstest.Steering{Do: portstest.SteerCancelLater}, core.SubscriptionActive, core.EventSubscriptionUpdated},
		{portstest.Steering{Do: portstest.SteerKeep}, core.SubscriptionActive, core.EventSubscriptionUpdated},
		{portstest.Steering{Do: portstest.SteerCancel}, core.SubscriptionCanceled, core.EventSubscriptionCanceled},
	} {
		h.Provider.Steer(t, s.ProviderSubscriptionID, step.change)
		h.Told("evt_"+string(rune('a'+n)), core.ObjectSubscription, s.ProviderSubscriptionID)
		s = h.Subscription(s.ID)
		require.Equal(t, step.status, s.Status)
		types := h.Types(string(s.ID))
		require.Equal(t, step.event, types[len(types)-1], step.change.Do)
		require.Len(t, types, n+2)
	}
	h.Provider.SetSubscription(s.ProviderSubscriptionID, func(seen *core.SubscriptionSnapshot) { seen.Status = core.SubscriptionActive })
	h.Told("evt_z", core.ObjectSubscription, s.ProviderSubscriptionID)
	s = h.Subscription(s.ID)
	require.Equal(t, core.Reason(core.ReviewTransition), s.Anomaly)
	require.Equal(t, core.SubscriptionActive, s.Status, "who is billed is the provider's to say")
	h.Told("evt_nobody", core.ObjectSubscription, "sub_nobodys")
	h.Told("evt_nobody_2", core.ObjectInvoice, "in_nobodys")
}

package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

const (
	subscriptionID core.SubscriptionID = "sub_01h455vb4pex5vsknk084sn02q"
	invoiceID      core.InvoiceID      = "inv_01h455vb4pex5vsknk084sn02q"
	priceID        core.PriceID        = "prc_01h455vb4pex5vsknk084sn02q"
)

var ours = core.SeenPrices{Current: priceID}

func newSubscription(t require.TestingT) core.Subscription {
	return core.Subscription{
		ID: subscriptionID, Checkout: checkoutID, Account: "stripe", Provider: core.ProviderStripe, Status: core.SubscriptionIncomplete,
		Price: priceID, Quantity: 1, Amount: money(t, 1000, "EUR"), Environment: core.EnvTest, CreatedAt: start,
	}
}

func seenSubscription(t require.TestingT, status core.SubscriptionStatus) core.SubscriptionSnapshot {
	return core.SubscriptionSnapshot{
		Ref: core.ProviderRef{Account: "stripe", Kind: core.ObjectSubscription, ID: "sub_1"}, Subscription: subscriptionID,
		Status: status, ForeignStatus: string(status), Price: "price_1", Quantity: 1, Amount: money(t, 1000, "EUR"),
		CurrentPeriodStart: start, CurrentPeriodEnd: start.AddDate(0, 1, 0), Environment: core.EnvTest,
	}
}

func TestASnapshotMovesTheSubscription(t *testing.T) {
	t.Parallel()
	for _, step := range []struct {
		held, seen core.SubscriptionStatus
		event      core.EventType
	}{
		{core.SubscriptionIncomplete, core.SubscriptionIncomplete, ""},
		{core.SubscriptionIncomplete, core.SubscriptionTrialing, core.EventSubscriptionCreated},
		{core.SubscriptionIncomplete, core.SubscriptionActive, core.EventSubscriptionCreated},
		{core.SubscriptionIncomplete, core.SubscriptionCanceled, core.EventSubscriptionCanceled},
		{core.SubscriptionTrialing, core.SubscriptionActive, core.EventSubscriptionUpdated},
		{core.SubscriptionActive, core.SubscriptionPastDue, core.EventSubscriptionPastDue},
		{core.SubscriptionPastDue, core.SubscriptionActive, core.EventSubscriptionUpdated},
		{core.SubscriptionPastDue, core.SubscriptionUnpaid, core.EventSubscriptionUpdated},
		{core.SubscriptionActive, core.SubscriptionPaused, core.EventSubscriptionPaused},
		{core.SubscriptionPaused, core.SubscriptionActive, core.EventSubscriptionUpdated},
		{core.SubscriptionActive, core.SubscriptionCanceled, core.EventSubscriptionCanceled},
	} {
		held := newSubscription(t)
		held.Status = step.held
		a := core.ApplySubscriptionSnapshot(held, seenSubscription(t, step.seen), ours)
		require.Equal(t, step.seen, a.Subscription.Status)
		require.Equal(t, step.event, a.Event, "%s to %s", step.held, step.seen)
		require.Equal(t, "sub_1", a.Subscription.ProviderSubscriptionID)
		require.Equal(t, start.AddDate(0, 1, 0), a.Subscription.CurrentPeriodEnd)
		require.False(t, a.Anomaly)
		again := core.ApplySubscriptionSnapshot(a.Subscription, seenSubscription(t, step.seen), ours)
		require.False(t, again.Changed)
		require.Empty(t, again.Event)
	}
}

func TestARenewalAndAChangeAreUpdates(t *testing.T) {
	t.Parallel()
	held := core.ApplySubscriptionSnapshot(newSubscription(t), seenSubscription(t, core.SubscriptionActive), ours).Subscription
	for name, change := range map[string]func(*core.SubscriptionSnapshot){
		"period":   func(s *core.SubscriptionSnapshot) { s.CurrentPeriodEnd = s.CurrentPeriodEnd.AddDate(0, 1, 0) },
		"quantity": func(s *core.SubscriptionSnapshot) { s.Quantity, s.Amount = 2, money(t, 2000, "EUR") },
		"price":    func(s *core.SubscriptionSnapshot) { s.Price, s.Amount = "price_2", money(t, 500, "EUR") },
		"end":      func(s *core.SubscriptionSnapshot) { s.CancelAtPeriodEnd = true },
		"pending":  func(s *core.SubscriptionSnapshot) { s.PendingPrice, s.PendingQuantity = "price_2", 1 },
		"method": func(s *core.SubscriptionSnapshot) {
			s.Method = &core.PaymentMethod{Type: "card", Brand: "visa", Last4: "1111"}
		},
		"failure": func(s *core.SubscriptionSnapshot) { s.Failure = core.NewFailure(core.FailureExpiredCard, "expired") },
	} {
		seen := seenSubscription(t, core.SubscriptionActive)
		change(&seen)
		a := core.ApplySubscriptionSnapshot(held, seen, core.SeenPrices{})
		require.Equal(t, core.EventSubscriptionUpdated, a.Event, name)
		require.Equal(t, core.ReasonDetails, a.Reason, name)
		require.False(t, a.Moved, name)
	}
}

func TestAnEndThatIsOursToBring(t *testing.T) {
	t.Parallel()
	held := core.ApplySubscriptionSnapshot(newSubscription(t), seenSubscription(t, core.SubscriptionActive), ours).Subscription
	held.CancelHere, held.CancelAtPeriodEnd, held.CanceledAt = true, true, start
	a := core.ApplySubscriptionSnapshot(held, seenSubscription(t, core.SubscriptionActive), ours)
	require.False(t, a.Changed, "the provider knows nothing of it")
	require.Equal(t, start, a.Subscription.CanceledAt)
	ended := core.ApplySubscriptionSnapshot(held, seenSubscription(t, core.SubscriptionCanceled), ours).Subscription
	ended.EndedAt = start.Add(time.Hour)
	require.False(t, core.ApplySubscriptionSnapshot(ended, seenSubscription(t, core.SubscriptionCanceled), ours).Changed, "when it ended is kept")
}

func TestImpossibleMovesOfASubscriptionAreTakenAndNoted(t *testing.T) {
	t.Parallel()
	held := newSubscription(t)
	held.Status = core.SubscriptionCanceled
	a := core.ApplySubscriptionSnapshot(held, seenSubscription(t, core.SubscriptionActive), ours)
	require.Equal(t, core.Impossible, a.Verdict)
	require.True(t, a.Anomaly)
	require.Equal(t, core.Reason(core.ReviewTransition), a.Subscription.Anomaly)
	require.Equal(t, core.SubscriptionActive, a.Subscription.Status, "the buyer is billed")
	require.Equal(t, core.EventSubscriptionUpdated, a.Event)

	foreign := seenSubscription(t, core.SubscriptionActive)
	foreign.Environment = core.EnvLive
	b := core.ApplySubscriptionSnapshot(newSubscription(t), foreign, ours)
	require.True(t, b.Anomaly)
	require.Equal(t, core.SubscriptionIncomplete, b.Subscription.Status)
	require.Empty(t, b.Event)

	other := seenSubscription(t, core.SubscriptionActive)
	other.Ref.ID = "sub_2"
	held.ProviderSubscriptionID = "sub_1"
	require.Equal(t, held, core.ApplySubscriptionSnapshot(held, other, ours).Subscription)

	currency := seenSubscription(t, core.SubscriptionActive)
	currency.Amount = money(t, 1000, "USD")
	c := core.ApplySubscriptionSnapshot(newSubscription(t), currency, ours)
	require.Equal(t, core.Reason(core.ReviewCurrency), c.Subscription.Anomaly)
	require.True(t, c.Anomaly)
}

func TestSubscriptionsThatComeToNothing(t *testing.T) {
	t.Parallel()
	op := core.Operation{Kind: core.OpCreateSubscription, Failure: core.NewFailure(core.FailureCardDeclined, "declined")}
	s := newSubscription(t).Rejected(op, start)
	require.Equal(t, core.SubscriptionCanceled, s.Status)
	require.Equal(t, core.FailureCardDeclined, s.Failure.Code)
	require.Equal(t, start, s.EndedAt)
	there := newSubscription(t)
	there.ProviderSubscriptionID = "sub_1"
	require.Equal(t, there, there.Rejected(op, start))
	require.Equal(t, core.SubscriptionCanceled, newSubscription(t).Abandoned(nil, start).Status)
	require.Equal(t, core.SubscriptionIncomplete, newSubscription(t).Abandoned([]core.Operation{{Status: core.OperationUnknown}}, start).Status)
}

// Whatever a provider shows, in whatever order and however often: the subscription is what was seen
// last, every impossible move is noted, and twice is the same as once.
func TestAnySequenceOfSubscriptionSnapshots(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := newSubscription(t)
		for range rapid.IntRange(1, 20).Draw(t, "length") {
			snapshot := drawSubscription(t)
			a := core.ApplySubscriptionSnapshot(s, snapshot, ours)
			next := a.Subscription
			if a.Verdict == core.Impossible {
				require.True(t, a.Anomaly)
				require.NotEmpty(t, next.Anomaly)
			}
			if snapshot.Environment == core.EnvTest && a.Verdict != core.Stale {
				require.Equal(t, snapshot.Status, next.Status)
			}
			require.Equal(t, next.Status != s.Status, a.Moved)
			if a.Moved && next.Status != core.SubscriptionIncomplete {
				require.NotEmpty(t, a.Event)
			}
			if !a.Changed {
				require.Equal(t, s, next)
				require.Empty(t, a.Event)
			}
			again := core.ApplySubscriptionSnapshot(next, snapshot, ours)
			require.Equal(t, next, again.Subscription)
			require.False(t, again.Changed || again.Moved)
			require.Empty(t, again.Event)
			s = next
		}
	})
}

func drawSubscription(t *rapid.T) core.SubscriptionSnapshot {
	s := seenSubscription(t, rapid.SampledFrom(core.SubscriptionStatuses()).Draw(t, "status"))
	if rapid.IntRange(0, 9).Draw(t, "foreign") == 0 {
		s.Environment = core.EnvLive
	}
	s.Quantity = rapid.Int64Range(0, 3).Draw(t, "quantity")
	s.CancelAtPeriodEnd = rapid.Bool().Draw(t, "end")
	if rapid.Bool().Draw(t, "pending") {
		s.PendingPrice, s.PendingQuantity, s.PendingAt = "price_2", 2, s.CurrentPeriodEnd
	}
	if rapid.Bool().Draw(t, "method") {
		s.Method = &core.PaymentMethod{Type: "card", Brand: "visa", Last4: rapid.SampledFrom([]string{"4242", "1111"}).Draw(t, "last4")}
	}
	if s.Status == core.SubscriptionPastDue {
		s.FailedAttempts, s.Failure = rapid.IntRange(1, 3).Draw(t, "attempts"), core.NewFailure(core.FailureCardDeclined, "declined")
	}
	if s.Status == core.SubscriptionCanceled && rapid.Bool().Draw(t, "dated") {
		s.CanceledAt, s.EndedAt = start, start
	}
	return s
}

func seenInvoice(t require.TestingT, status core.InvoiceStatus, attempts int) core.InvoiceSnapshot {
	paid := int64(0)
	if status == core.InvoicePaid {
		paid = 1000
	}
	return core.InvoiceSnapshot{
		Ref: core.ProviderRef{Account: "stripe", Kind: core.ObjectInvoice, ID: "in_1"}, Status: status, ForeignStatus: string(status),
		AmountDue: money(t, 1000, "EUR"), AmountPaid: money(t, paid, "EUR"), Attempts: attempts, Environment: core.EnvTest, IssuedAt: start,
	}
}

func TestASnapshotMovesTheInvoice(t *testing.T) {
	t.Parallel()
	i := core.NewInvoice(invoiceID, newSubscription(t), seenInvoice(t, core.InvoiceOpen, 0))
	opened := core.ApplyInvoiceSnapshot(i, seenInvoice(t, core.InvoiceOpen, 0), "")
	require.Equal(t, core.InvoiceOpen, opened.Invoice.Status)
	require.Empty(t, opened.Event)
	failed := core.ApplyInvoiceSnapshot(opened.Invoice, seenInvoice(t, core.InvoiceOpen, 1), paymentID)
	require.Equal(t, core.EventInvoicePaymentFailed, failed.Event)
	require.Equal(t, paymentID, failed.Invoice.Payment)
	require.Empty(t, core.ApplyInvoiceSnapshot(failed.Invoice, seenInvoice(t, core.InvoiceOpen, 1), paymentID).Event, "once for each attempt")
	require.False(t, core.ApplyInvoiceSnapshot(failed.Invoice, seenInvoice(t, core.InvoiceOpen, 0), paymentID).Changed, "attempts never become fewer")
	paid := core.ApplyInvoiceSnapshot(failed.Invoice, seenInvoice(t, core.InvoicePaid, 2), "")
	require.Equal(t, core.EventInvoicePaid, paid.Event)
	require.Equal(t, paymentID, paid.Invoice.Payment, "it is not forgotten")
	require.Equal(t, money(t, 1000, "EUR"), paid.Invoice.AmountPaid)
	require.False(t, core.ApplyInvoiceSnapshot(paid.Invoice, seenInvoice(t, core.InvoiceOpen, 3), "").Changed)

	void := core.ApplyInvoiceSnapshot(paid.Invoice, seenInvoice(t, core.InvoiceVoid, 2), "")
	require.True(t, void.Anomaly)
	require.Equal(t, core.InvoiceVoid, void.Invoice.Status)
	require.Equal(t, core.Reason(core.ReviewTransition), void.Invoice.Anomaly)
}

func TestAnySequenceOfInvoiceSnapshots(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i := core.NewInvoice(invoiceID, newSubscription(t), seenInvoice(t, core.InvoiceOpen, 0))
		for range rapid.IntRange(1, 20).Draw(t, "length") {
			snapshot := seenInvoice(t, rapid.SampledFrom(append(core.InvoiceStatuses(), "odd")).Draw(t, "status"), rapid.IntRange(0, 4).Draw(t, "attempts"))
			a := core.ApplyInvoiceSnapshot(i, snapshot, "")
			require.True(t, a.Invoice.Status.Known())
			require.GreaterOrEqual(t, a.Invoice.Attempts, i.Attempts)
			require.Equal(t, a.Verdict == core.Impossible, a.Anomaly)
			if !a.Changed {
				require.Equal(t, i, a.Invoice)
				require.Empty(t, a.Event)
			}
			again := core.ApplyInvoiceSnapshot(a.Invoice, snapshot, "")
			require.Equal(t, a.Invoice, again.Invoice)
			require.False(t, again.Changed || again.Moved)
			require.Empty(t, again.Event)
			i = a.Invoice
		}
	})
}

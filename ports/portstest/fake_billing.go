package portstest

import (
	"slices"
	"testing"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// fakeRetryTime is how long the fake waits before it asks for an unpaid invoice again, and
	// fakeAttemptsMax how often it asks before it ends the subscription.
	fakeRetryTime   = 3 * 24 * time.Hour
	fakeAttemptsMax = 4
	// fakeStepsMax bounds what one look catches up with.
	fakeStepsMax = 10_000
)

// fakeSubscription is a subscription with what is billed of it.
type fakeSubscription struct {
	seen     core.SubscriptionSnapshot // without invoices
	price    core.Price
	customer string
	card     Card // that is charged; empty before the buyer agreed
	secret   string
	invoices []*fakeInvoice // oldest first
	pauses   bool           // at the end of the period
	next     *ports.ChangeSubscription
	asked    *ports.ChangeSubscription // that the buyer has to agree to
}

type fakeInvoice struct {
	seen   core.InvoiceSnapshot
	object *fakeObject
}

// fakeBilling are the abilities of each manner.
func fakeBilling(mode ports.ConfirmMode) *ports.SubscriptionAbilities {
	counts := make([]int, core.IntervalCountMax)
	for n := range counts {
		counts[n] = n + 1
	}
	can := &ports.SubscriptionAbilities{
		Periods: map[core.Interval][]int{
			core.IntervalDay: counts, core.IntervalWeek: counts[:52], core.IntervalMonth: counts[:12], core.IntervalYear: counts[:1],
		},
		TrialDaysMax: core.TrialDaysMax, QuantityMax: core.LineItemQuantityMax, Quantity: true, Pause: true, CancelNow: true,
	}
	switch mode {
	case ports.ConfirmInBrowser:
		can.Prorate, can.ChangeNow, can.PauseNow, can.CancelLater, can.KeepCanceled, can.SwapMethod = true, true, true, true, true, true
	case ports.ConfirmAfterApproval:
		can.BuyerAgrees, can.PauseNow = true, true
	case ports.ConfirmWithSource:
		can.QuantityMax, can.Quantity, can.CancelNow, can.CancelLater, can.KeepCanceled = 1, false, false, true, true
	}
	return can
}

// periodEnd is when a period that begins at a time is over.
func periodEnd(start time.Time, r core.Recurring) time.Time {
	switch r.Interval {
	case core.IntervalDay:
		return start.AddDate(0, 0, r.Count)
	case core.IntervalWeek:
		return start.AddDate(0, 0, 7*r.Count)
	case core.IntervalMonth:
		return start.AddDate(0, r.Count, 0)
	case core.IntervalYear:
		return start.AddDate(r.Count, 0, 0)
	}
	return start
}

// due is when something happens to a subscription by itself; zero for never.
func (s *fakeSubscription) due() time.Time {
	switch s.seen.Status {
	case core.SubscriptionPastDue:
		return s.seen.NextAttempt
	case core.SubscriptionTrialing, core.SubscriptionActive:
		return s.seen.CurrentPeriodEnd
	case core.SubscriptionIncomplete, core.SubscriptionPaused, core.SubscriptionUnpaid, core.SubscriptionCanceled:
	}
	return time.Time{}
}

// catchUp does what fell due since somebody looked. The lock is held.
func (f *FakeProvider) catchUp() {
	now := f.now()
	for range fakeStepsMax {
		var soonest *fakeSubscription
		for _, s := range f.subscriptions {
			if at := s.due(); !at.IsZero() && !at.After(now) && (soonest == nil || at.Before(soonest.due())) {
				soonest = s
			}
		}
		if soonest == nil {
			return
		}
		f.step(soonest, soonest.due())
	}
}

// step does the next thing that falls due. The lock is held.
func (f *FakeProvider) step(s *fakeSubscription, at time.Time) {
	switch {
	case s.seen.Status == core.SubscriptionPastDue:
		f.attempt(s, s.invoices[len(s.invoices)-1], at)
	case s.seen.CancelAtPeriodEnd:
		s.end(at)
	case s.pauses:
		s.pauses, s.seen.Status, s.seen.ForeignStatus = false, core.SubscriptionPaused, "paused"
	default:
		if s.next != nil {
			s.take(*s.next)
		}
		f.bill(s, at)
	}
}

func (s *fakeSubscription) end(at time.Time) {
	s.seen.Status, s.seen.ForeignStatus, s.seen.EndedAt = core.SubscriptionCanceled, "canceled", at
	s.seen.NextAttempt = time.Time{}
	if s.seen.CanceledAt.IsZero() {
		s.seen.CanceledAt = at
	}
}

// take has a subscription have another price or quantity.
func (s *fakeSubscription) take(in ports.ChangeSubscription) {
	s.price, s.next, s.asked = in.Price, nil, nil
	s.seen.Price, s.seen.Quantity = in.ProviderPrice, in.Quantity
	s.seen.Amount = fakeSum(in.Price, in.Quantity)
	s.seen.PendingPrice, s.seen.PendingQuantity, s.seen.PendingAt = "", 0, time.Time{}
}

func fakeSum(price core.Price, quantity int64) core.Money {
	sum, err := price.Amount.Mul(quantity)
	if err != nil {
		return price.Amount
	}
	return sum
}

// begin has a subscription run from a time on. The lock is held.
func (f *FakeProvider) beginSubscription(s *fakeSubscription, at time.Time) {
	details := fakeDetails()
	s.seen.Method = &details
	days := s.price.Recurring.TrialDays
	if days == 0 {
		f.bill(s, at)
		return
	}
	s.seen.Status, s.seen.ForeignStatus = core.SubscriptionTrialing, "trialing"
	s.seen.TrialEnd = at.AddDate(0, 0, days)
	s.seen.CurrentPeriodStart, s.seen.CurrentPeriodEnd = at, s.seen.TrialEnd
}

// bill begins a period and asks for it. The lock is held.
func (f *FakeProvider) bill(s *fakeSubscription, at time.Time) {
	s.seen.CurrentPeriodStart, s.seen.CurrentPeriodEnd = at, periodEnd(at, *s.price.Recurring)
	f.attempt(s, f.invoice(s, s.seen.Amount, at), at)
}

// invoice makes an open one with its payment. The lock is held.
func (f *FakeProvider) invoice(s *fakeSubscription, amount core.Money, at time.Time) *fakeInvoice {
	object := f.make(ports.CreatePayment{Amount: amount, Capture: core.CaptureAutomatic})
	object.approves = false
	object.seen.Subscription, object.seen.CreatedAt = s.seen.Ref.ID, at
	invoice := &fakeInvoice{object: object, seen: core.InvoiceSnapshot{
		Ref:          core.ProviderRef{Account: f.account, Kind: core.ObjectInvoice, ID: f.nextID("in")},
		Subscription: s.seen.Ref, Payment: object.seen.Ref, Status: core.InvoiceOpen, ForeignStatus: "open",
		AmountDue: amount, AmountPaid: core.Zero(amount.Currency()), PeriodStart: at, PeriodEnd: periodEnd(at, *s.price.Recurring),
		Environment: f.env, IssuedAt: at,
	}}
	s.invoices = append(s.invoices, invoice)
	return invoice
}

// attempt asks the card for an invoice's money. The lock is held.
func (f *FakeProvider) attempt(s *fakeSubscription, invoice *fakeInvoice, at time.Time) {
	code := fakeCharge(s.card)
	invoice.seen.Attempts++
	invoice.object.seen.Payable = false
	if code == "" {
		f.paidInvoice(s, invoice)
		return
	}
	invoice.object.fail(code)
	failure := core.NewFailure(code, string(code))
	invoice.seen.Failure, s.seen.Failure = failure, failure
	s.seen.FailedAttempts = invoice.seen.Attempts
	if invoice.seen.Attempts >= fakeAttemptsMax {
		invoice.seen.Status, invoice.seen.ForeignStatus, invoice.seen.NextAttempt = core.InvoiceUncollectible, "uncollectible", time.Time{}
		s.end(at)
		return
	}
	invoice.seen.NextAttempt = at.Add(fakeRetryTime)
	s.seen.Status, s.seen.ForeignStatus, s.seen.NextAttempt = core.SubscriptionPastDue, "past_due", invoice.seen.NextAttempt
}

// paidInvoice has an invoice be paid. The lock is held.
func (f *FakeProvider) paidInvoice(s *fakeSubscription, invoice *fakeInvoice) {
	invoice.object.confirm(CardSucceeds, f.now())
	invoice.seen.Status, invoice.seen.ForeignStatus = core.InvoicePaid, "paid"
	invoice.seen.AmountPaid, invoice.seen.NextAttempt, invoice.seen.Failure = invoice.seen.AmountDue, time.Time{}, nil
	s.seen.Status, s.seen.ForeignStatus = core.SubscriptionActive, "active"
	s.seen.FailedAttempts, s.seen.NextAttempt, s.seen.Failure = 0, time.Time{}, nil
}

// shown shares no memory with the subscription.
func (s *fakeSubscription) shown() core.SubscriptionSnapshot {
	seen := s.seen
	if seen.Method != nil {
		method := *seen.Method
		seen.Method = &method
	}
	for _, invoice := range slices.Backward(s.invoices) {
		if len(seen.Invoices) < core.InvoicesShownMax {
			seen.Invoices = append(seen.Invoices, invoice.seen)
		}
	}
	return seen
}

// subscription finds one by the provider's id, as it stands now. The lock is held.
func (f *FakeProvider) subscription(id string) *fakeSubscription {
	f.catchUp()
	for _, s := range f.subscriptions {
		if s.seen.Ref.ID == id {
			return s
		}
	}
	return nil
}

// AgreeSubscription implements [Billed].
func (f *FakeProvider) AgreeSubscription(t testing.TB, session ports.SubscriptionSession, card Card) {
	t.Helper()
	if !f.Subscribe(session.Snapshot.Ref.ID, card) {
		t.Fatalf("the buyer cannot agree to %s", session.Snapshot.Ref)
	}
}

// Subscribe is the buyer of a subscription, or of a change that waits for them. It reports whether
// there was something to agree to.
func (f *FakeProvider) Subscribe(id string, card Card) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.subscription(id)
	switch {
	case s == nil:
		return false
	case s.asked != nil:
		s.take(*s.asked)
		return true
	case s.seen.Status != core.SubscriptionIncomplete:
		return false
	}
	code, declined := fakeDeclines[card]
	switch {
	case declined && len(s.invoices) > 0:
		first := s.invoices[0]
		first.object.fail(code)
		first.seen.Attempts++
		s.seen.Failure = core.NewFailure(code, string(code))
		first.seen.Failure = s.seen.Failure
	case declined:
		s.seen.Failure = core.NewFailure(code, string(code))
	case len(s.invoices) > 0:
		s.card = card
		details := fakeDetails()
		s.seen.Method = &details
		s.invoices[0].seen.Attempts++
		s.seen.CurrentPeriodStart, s.seen.CurrentPeriodEnd = f.now(), periodEnd(f.now(), *s.price.Recurring)
		f.paidInvoice(s, s.invoices[0])
	default:
		s.card, s.seen.Failure = card, nil
		f.beginSubscription(s, f.now())
	}
	return true
}

// Hold makes the provider show a payment, by its own id, as one that it still works on, until the
// function that it gives is called.
func (f *FakeProvider) Hold(id string) (arrives func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	object := f.find(id)
	before := copied(object.seen)
	none := core.Zero(before.Amount.Currency())
	object.seen.Status, object.seen.ForeignStatus = core.PaymentProcessing, "processing"
	object.seen.Authorized, object.seen.Captured = none, none
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		object.seen = before
	}
}

// Advance implements [Renewing].
func (f *FakeProvider) Advance(_ testing.TB, by time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now
	f.now = func() time.Time { return now().Add(by) }
	f.catchUp()
}

// Steer implements [Renewing].
func (f *FakeProvider) Steer(t testing.TB, id string, change Steering) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.subscription(id)
	if s == nil {
		t.Fatalf("there is no subscription %q", id)
		return
	}
	if change.Card != "" {
		s.card = change.Card
	}
	now := f.now()
	switch change.Do {
	case SteerPause:
		s.seen.Status, s.seen.ForeignStatus = core.SubscriptionPaused, "paused"
	case SteerResume:
		f.resume(s, now)
	case SteerCancel:
		s.end(now)
	case SteerCancelLater:
		s.seen.CancelAtPeriodEnd, s.seen.CanceledAt = true, now
	case SteerKeep:
		s.seen.CancelAtPeriodEnd, s.seen.CanceledAt = false, time.Time{}
	case SteerQuantity:
		s.take(ports.ChangeSubscription{Price: s.price, ProviderPrice: s.seen.Price, Quantity: change.Quantity})
	case SteerRetry:
		f.attempt(s, s.invoices[len(s.invoices)-1], now)
	}
}

// resume goes on with a paused one: what would have been billed meanwhile is not. The lock is held.
func (f *FakeProvider) resume(s *fakeSubscription, now time.Time) {
	s.seen.Status, s.seen.ForeignStatus = core.SubscriptionActive, "active"
	if !s.seen.CurrentPeriodEnd.After(now) {
		f.bill(s, now)
	}
}

// SetSubscription rewrites what the provider shows of a subscription from now on. It reports whether
// there is one.
func (f *FakeProvider) SetSubscription(id string, change func(*core.SubscriptionSnapshot)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.subscription(id)
	if s != nil {
		change(&s.seen)
	}
	return s != nil
}

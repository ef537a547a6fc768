package paypal

import "time"

const (
	// retryPause is how long PayPal waits before it tries a failed payment again, and
	// retriesMost how often it does where no threshold ends it.
	//
	// Source: developer.paypal.com/docs/subscriptions/customize/payment-failure-retry.
	retryPause  = 5 * 24 * time.Hour
	retriesMost = 2
	// skippedMost bounds the payments that are skipped while a subscription is suspended.
	skippedMost = 100_000
)

// billing is how a subscription's payments stand.
type billing struct {
	executed []int // how often each cycle was billed
	cycle    int   // the one that is under way; -1 for none yet
	anchor   time.Time
	steps    int       // billing times since the anchor
	next     time.Time // to bill; zero for never
	retry    time.Time // of a payment that failed; zero for never
	retries  int
	round    int64 // counts what makes the appointments of before void
	price    int64 // of the period that is under way
	owed     int64
	failed   int // payments in a row

	lastPaid, lastFailed *attempt
}

// attempt is a payment of a subscription that was tried.
type attempt struct {
	amount int64
	at     time.Time
	reason string // why it failed
}

// running is the cycle that is billed next; -1 where all are over.
func (b *subscription) running() int {
	for i, one := range b.terms.cycles {
		if one.total == 0 || b.bill.executed[i] < one.total {
			return i
		}
	}
	return -1
}

// overdue reports whether so many payments failed that the subscription is suspended for it.
func (b *subscription) overdue() bool {
	return b.terms.threshold > 0 && b.bill.failed >= b.terms.threshold
}

// dueAtOnce is what the buyer pays as soon as he agrees.
func (b *subscription) dueAtOnce() int64 {
	due := b.terms.setupFee
	if b.starts.IsZero() {
		due += b.terms.taxed(b.terms.cycles[0].price * b.quantity)
	}
	return due
}

// card is what later payments are made with, none of which the buyer is there for.
func (b *subscription) card() *card {
	with := b.funding.offSession()
	if with.behavior.laterAsks {
		with.behavior.code = notAuthenticated
	}
	return with
}

// begin makes a subscription active. The caller holds mu.
func (s *Server) begin(b *subscription) {
	now := s.now()
	b.status, b.note, b.changed, b.updated = statusActive, "", now, now
	if b.starts.Before(now) {
		b.start = now
	}
	b.bill.cycle, b.bill.next = -1, b.start
	if b.terms.setupFee > 0 {
		s.pay(b, b.terms.setupFee, b.funding)
	}
	if b.start.After(now) {
		s.await(b)
	} else {
		s.renew(b, b.funding)
	}
	s.tell("BILLING.SUBSCRIPTION.ACTIVATED", b.id, s.shownSubscription(b, true, false))
}

// await has a subscription billed when it is time. The caller holds mu.
func (s *Server) await(b *subscription) {
	round, next := b.bill.round, b.bill.next
	s.schedule(next, func() {
		if b.status == statusActive && b.bill.round == round && b.bill.next.Equal(next) {
			s.renew(b, b.card())
		}
	})
}

// renew bills the period that begins. Cycles count as completed from then on, trials too. The
// caller holds mu.
func (s *Server) renew(b *subscription, with *card) {
	l, i := &b.bill, b.running()
	if i < 0 {
		s.end(b, subscriptionExpired, "")
		return
	}
	one := b.terms.cycles[i]
	if i != l.cycle {
		l.cycle, l.anchor, l.steps = i, s.now(), 0
	}
	l.executed[i]++
	l.step(one)
	l.price = b.terms.taxed(one.price * b.quantity)
	l.owed += l.price
	l.retries, l.retry = 0, time.Time{}
	s.await(b)
	s.try(b, with)
}

// step moves on to the next billing time.
func (l *billing) step(one cycle) {
	l.steps++
	l.next = later(l.anchor, one.unit, one.count*l.steps)
}

// later is a number of days, weeks, months or years after a time. Months that are too short
// for the day end on their last one.
func later(at time.Time, unit string, count int) time.Time {
	switch unit {
	case "DAY":
		return at.AddDate(0, 0, count)
	case "WEEK":
		return at.AddDate(0, 0, 7*count)
	case "YEAR":
		count *= 12
	}
	first := at.AddDate(0, count, 1-at.Day())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(at.Day(), last)-1)
}

// try takes what is to be taken for the period that is under way: with what is owed of before,
// or without. The caller holds mu.
func (s *Server) try(b *subscription, with *card) {
	due := b.bill.owed
	if !b.terms.autoBill {
		due = min(due, b.bill.price)
	}
	if due == 0 {
		return
	}
	if s.pay(b, due, with) != nil {
		b.bill.owed -= due
	}
}

// pay takes money for a subscription; nil where the bank refuses. The caller holds mu.
func (s *Server) pay(b *subscription, due int64, with *card) *capture {
	now := s.now()
	b.updated = now
	if with.refusal() != "" {
		s.fail(b, due)
		return nil
	}
	b.bill.failed, b.bill.retry, b.bill.lastPaid = 0, time.Time{}, &attempt{amount: due, at: now}
	hidden := &order{
		status: statusCompleted, currency: b.terms.currency, source: sourcePayPal, funding: with, subscription: b, created: now, updated: now,
	}
	u := &unit{customID: b.customID, amount: due}
	hidden.units = []*unit{u}
	c := s.take(&capture{order: hidden, unit: u, amount: due, final: true})
	b.sales = append(b.sales, c)
	s.tellCapture(c)
	s.disputeByCard(c)
	return c
}

// fail notes a payment that the bank refused: it is tried again, or it was the last that the
// plan bears with. The caller holds mu.
func (s *Server) fail(b *subscription, due int64) {
	l, now := &b.bill, s.now()
	l.failed++
	l.retry = time.Time{}
	l.lastFailed = &attempt{amount: due, at: now, reason: "PAYMENT_DENIED"}
	again := now.Add(retryPause)
	if b.status == statusActive && !b.overdue() && again.Before(l.next) && (b.terms.threshold > 0 || l.retries < retriesMost) {
		l.retry = again
		round := l.round
		s.schedule(again, func() {
			if b.status == statusActive && l.round == round && l.retry.Equal(again) {
				l.retries++
				s.try(b, b.card())
			}
		})
	}
	s.tell("BILLING.SUBSCRIPTION.PAYMENT.FAILED", b.id, s.shownSubscription(b, true, false))
	if b.status == statusActive && b.overdue() {
		s.suspend(b, "The payment failure threshold has been reached.")
	}
}

// suspend halts a subscription. The caller holds mu.
func (s *Server) suspend(b *subscription, note string) {
	s.halt(b, subscriptionSuspended, note)
	s.tell("BILLING.SUBSCRIPTION.SUSPENDED", b.id, s.shownSubscription(b, true, false))
}

// end ends a subscription for good. The caller holds mu.
func (s *Server) end(b *subscription, status, note string) {
	s.halt(b, status, note)
	b.bill.next, b.change = time.Time{}, nil
	s.tell("BILLING.SUBSCRIPTION."+status, b.id, s.shownSubscription(b, true, false))
}

func (s *Server) halt(b *subscription, status, note string) {
	now := s.now()
	b.status, b.note, b.changed, b.updated = status, note, now, now
	b.bill.round++
	b.bill.retry = time.Time{}
}

// resume goes on with a suspended subscription from its next billing time on; what fell due
// meanwhile is never billed. The caller holds mu.
func (s *Server) resume(b *subscription, note string) {
	l, now := &b.bill, s.now()
	s.halt(b, statusActive, note)
	switch {
	case l.next.After(now):
		s.await(b)
	case l.cycle < 0:
		s.renew(b, b.card())
	default:
		for range skippedMost {
			if l.next.After(now) {
				break
			}
			l.step(b.terms.cycles[l.cycle])
		}
		s.await(b)
	}
	s.tell("BILLING.SUBSCRIPTION.ACTIVATED", b.id, s.shownSubscription(b, true, false))
}

// collect takes what is owed, or a part of it, at the shop's word.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1, subscriptions_capture.
func (s *Server) collect(in *request) result {
	var wire struct {
		Amount money `json:"amount"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	b, bad := s.subscriptionIn(in.id, statusActive, subscriptionSuspended, subscriptionExpired)
	if bad != nil {
		return *bad
	}
	units, bad := wire.Amount.units("/amount", false)
	switch {
	case bad != nil:
		return *bad
	case b.bill.owed == 0:
		return unprocessable("ZERO_OUTSTANDING_BALANCE", "")
	case wire.Amount.Currency != b.terms.currency:
		return unprocessable("CURRENCY_MISMATCH", "/amount/currency_code")
	case units > b.bill.owed:
		return unprocessable("AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE", "/amount/value")
	}
	c := s.pay(b, units, b.card())
	if c == nil {
		return done(s.shownDeclined(b, units))
	}
	b.bill.owed -= units
	out := done(nil)
	out.ref = "sale " + c.id
	return out
}

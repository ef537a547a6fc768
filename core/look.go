package core

import "time"

// Every object that has not come to its end is looked at again by its age and status alone, so that
// nothing waits for a message or a job that was lost. The pauses between two looks grow with the
// object's age: each is as long as the object was old at the last look, within these bounds.
const (
	// processingLookLeast and actionLookLeast are of payments that the provider works on, or that
	// wait for their buyer.
	processingLookLeast = 2 * time.Minute
	actionLookLeast     = 5 * time.Minute
	// authorizedLookLeast is of money that is held, lapsedLookEvery of what should have run out.
	authorizedLookLeast = time.Hour
	lapsedLookEvery     = 15 * time.Minute
	// refundLookLeast is of refunds that are pending at their provider.
	refundLookLeast = 2 * time.Minute
	// disputeLookEvery is of disputes that are open, whatever their age.
	disputeLookEvery = 12 * time.Hour
	// attemptLookLeast is of methods and subscriptions that wait for their buyer.
	attemptLookLeast = 10 * time.Minute
	// overdueLookEvery is of subscriptions whose period or trial is over.
	overdueLookEvery = 15 * time.Minute
	// lookLongest is the longest pause of what moves within hours, lookSlowest of all else.
	lookLongest = 6 * time.Hour
	lookSlowest = 24 * time.Hour
	// operationLookLeast and operationLookLongest are of operations of unknown outcome. They lie above
	// the pauses of the job that settles most, so that only what the job has lost is found.
	operationLookLeast   = 2 * time.Minute
	operationLookLongest = time.Hour
	// overpaidLooksFor is how long money that was taken twice, and is still here, is looked after.
	overpaidLooksFor = 30 * 24 * time.Hour
)

// When what has not moved waits for staff.
const (
	// stuckProcessing is longer than any bank takes to debit or to give back.
	stuckProcessing = 15 * 24 * time.Hour
	// stuckAction is longer than any checkout lives.
	stuckAction = CheckoutLifeLongest + 5*24*time.Hour
	// stuckOverdue is longer than any provider takes to bill a period that has begun, with its retries.
	stuckOverdue = 15 * 24 * time.Hour
	// stuckEnding is how long after its period a subscription runs on that we had to end.
	stuckEnding = 24 * time.Hour
)

// seenAt is when an object was looked at last; its making where nobody did.
func seenAt(synced, created time.Time) time.Time {
	if synced.After(created) {
		return synced
	}
	return created
}

// nextLook is when an object is looked at again that was seen and has not moved.
func nextLook(seen, created time.Time, least, longest time.Duration) time.Time {
	return seen.Add(min(max(seen.Sub(created), least), longest))
}

// sooner is the earlier of two times; zero times are none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// LookAt is when the payment is looked at again, should nobody do so before; zero where it has come
// to its end, waits for staff, or is not known at its provider: then its operation tells.
func (p Payment) LookAt() time.Time {
	seen := seenAt(p.SyncedAt, p.CreatedAt)
	if !p.Exists() {
		return time.Time{}
	}
	switch p.Status {
	case PaymentProcessing:
		return nextLook(seen, p.CreatedAt, processingLookLeast, lookLongest)
	case PaymentRequiresAction:
		return nextLook(seen, p.CreatedAt, actionLookLeast, lookSlowest)
	case PaymentAuthorized:
		next := nextLook(seen, p.CreatedAt, authorizedLookLeast, lookSlowest)
		if p.CaptureBefore.IsZero() {
			return next
		}
		if seen.Before(p.CaptureBefore) {
			return sooner(next, p.CaptureBefore)
		}
		return seen.Add(lapsedLookEvery)
	case PaymentSucceeded:
		if p.Anomaly == ReasonOverpaid && p.Refundable().IsPositive() && seen.Sub(p.CreatedAt) < overpaidLooksFor {
			return nextLook(seen, p.CreatedAt, authorizedLookLeast, lookSlowest)
		}
	case PaymentFailed, PaymentCanceled, PaymentExpired, PaymentNeedsReview:
	}
	return time.Time{}
}

// Stuck reports whether the payment has not moved for so long that staff should know.
func (p Payment) Stuck(now time.Time) bool {
	age := now.Sub(p.CreatedAt)
	return p.Status == PaymentProcessing && age > stuckProcessing || p.Status == PaymentRequiresAction && age > stuckAction
}

// LookAt is when the refund is looked at again, as of [Payment.LookAt].
func (r Refund) LookAt() time.Time {
	if r.Status != RefundPending || r.ProviderRefundID == "" {
		return time.Time{}
	}
	return nextLook(seenAt(r.SyncedAt, r.CreatedAt), r.CreatedAt, refundLookLeast, lookLongest)
}

// Stuck reports whether the refund has not moved for so long that staff should know.
func (r Refund) Stuck(now time.Time) bool {
	return r.Status == RefundPending && now.Sub(r.CreatedAt) > stuckProcessing
}

// LookAt is when the dispute is looked at again, as of [Payment.LookAt].
func (d Dispute) LookAt() time.Time {
	if d.Status.Closed() || d.ProviderDisputeID == "" {
		return time.Time{}
	}
	return seenAt(d.SyncedAt, d.CreatedAt).Add(disputeLookEvery)
}

// LookAt is when the method is looked at again, as of [Payment.LookAt].
func (m SavedMethod) LookAt() time.Time {
	if m.Status != MethodPending || m.Ref().ID == "" {
		return time.Time{}
	}
	return nextLook(seenAt(m.SyncedAt, m.CreatedAt), m.CreatedAt, attemptLookLeast, lookSlowest)
}

// OverAt is when the subscription's period or trial is over, so that it must have moved on by then;
// zero unless it runs.
func (s Subscription) OverAt() time.Time {
	switch s.Status {
	case SubscriptionTrialing:
		return sooner(s.CurrentPeriodEnd, s.TrialEnd)
	case SubscriptionActive, SubscriptionPastDue:
		return s.CurrentPeriodEnd
	case SubscriptionIncomplete, SubscriptionPaused, SubscriptionUnpaid, SubscriptionCanceled:
	}
	return time.Time{}
}

// LookAt is when the subscription is looked at again, as of [Payment.LookAt].
func (s Subscription) LookAt() time.Time {
	seen := seenAt(s.SyncedAt, s.CreatedAt)
	if !s.Exists() || s.Status == SubscriptionCanceled {
		return time.Time{}
	}
	if s.Status == SubscriptionIncomplete {
		return nextLook(seen, s.CreatedAt, attemptLookLeast, lookSlowest)
	}
	over := s.OverAt()
	if !over.IsZero() && !seen.Before(over) {
		return sooner(seen.Add(overdueLookEvery), seen.Add(lookSlowest))
	}
	return sooner(over, seen.Add(lookSlowest))
}

// Stuck reports whether the subscription has not moved for so long that staff should know: it should
// have been billed, or ended, or was billed once more though we had to end it.
func (s Subscription) Stuck(now time.Time) bool {
	over := s.OverAt()
	if over.IsZero() {
		return false
	}
	if s.CancelHere && !s.CanceledAt.IsZero() && s.CurrentPeriodStart.After(s.CanceledAt) {
		return true
	}
	late := now.Sub(over)
	return late > stuckOverdue || s.CancelHere && late > stuckEnding
}

// LookAt is when the operation's outcome is asked for again, should nobody do so before; zero once it
// is settled.
func (o Operation) LookAt() time.Time {
	if o.Status.Settled() {
		return time.Time{}
	}
	seen := seenAt(seenAt(o.LookedAt, o.SentAt), o.CreatedAt)
	if o.GivenUp == GivenUpNotFound || o.GivenUp == GivenUpNoAccount {
		return seen.Add(lookSlowest) // there was an answer, or nobody to ask
	}
	// Twice the operation's age, since its job's pauses double, too.
	return seen.Add(min(max(2*seen.Sub(o.CreatedAt), operationLookLeast), operationLookLongest))
}

// keptAnomaly is the anomaly that stays on an object after a look: that it was missing ends once it is
// seen, that it was stuck once it moves; any other is for staff to judge.
func keptAnomaly(held, next Reason, moved bool) Reason {
	if next == held && (held == ReasonMissing || held == ReasonStuck && moved) {
		return ""
	}
	return next
}

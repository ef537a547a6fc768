package core

// InvoiceApplication is what a snapshot did to an invoice.
type InvoiceApplication struct {
	Invoice Invoice // as it stands now
	Verdict Verdict
	Reason  Reason
	Changed bool      // whether anything needs to be stored
	Moved   bool      // whether the status changed
	Anomaly bool      // whether the provider reports what the rules forbid
	Event   EventType // to tell storefronts; empty for none
}

// NewInvoice is an invoice of a subscription as it is before its first sight is applied.
func NewInvoice(id InvoiceID, s Subscription, seen InvoiceSnapshot) Invoice {
	return Invoice{
		ID: id, Subscription: s.ID, Account: s.Account, ProviderInvoiceID: seen.Ref.ID, Status: InvoiceDraft,
		AmountDue: seen.AmountDue, AmountPaid: Zero(seen.AmountDue.Currency()), IssuedAt: seen.IssuedAt,
	}
}

// ApplyInvoiceSnapshot judges a sight of the provider's invoice against what is held and gives the
// invoice as it then stands. What was billed is the provider's to say: a move that the rules forbid
// is taken, too, and noted. Applying the same snapshot again changes nothing. payment is the one of
// ours that pays it; empty where none is known.
func ApplyInvoiceSnapshot(held Invoice, seen InvoiceSnapshot, payment PaymentID) InvoiceApplication {
	if held.Account != seen.Ref.Account || held.ProviderInvoiceID != seen.Ref.ID {
		return InvoiceApplication{Invoice: held, Verdict: Impossible, Reason: ReasonOtherObject}
	}
	next := held
	if !seen.Status.Known() {
		next.Anomaly = Reason(ReviewTransition)
		return InvoiceApplication{Invoice: next, Verdict: Impossible, Reason: next.Anomaly, Changed: next != held, Anomaly: true}
	}
	verdict := held.Status.Judge(seen.Status)
	older := verdict == Stale && seen.Status != held.Status || seen.Attempts < held.Attempts
	if older && verdict != Advance {
		return InvoiceApplication{Invoice: held, Verdict: Stale, Reason: ReasonOlderState}
	}
	next.Status, next.ForeignStatus = seen.Status, seen.ForeignStatus
	next.AmountDue, next.AmountPaid = seen.AmountDue, seen.AmountPaid
	next.PeriodStart, next.PeriodEnd, next.NextAttempt = seen.PeriodStart, seen.PeriodEnd, seen.NextAttempt
	next.Attempts = max(held.Attempts, seen.Attempts)
	if !seen.IssuedAt.IsZero() {
		next.IssuedAt = seen.IssuedAt
	}
	if payment != "" {
		next.Payment = payment
	}
	if verdict == Impossible {
		next.Anomaly = Reason(ReviewTransition)
	}
	a := InvoiceApplication{
		Invoice: next, Verdict: verdict, Moved: next.Status != held.Status, Changed: !sameInvoice(held, next), Anomaly: verdict == Impossible,
	}
	a.Reason = reasonOf(verdict, a.Changed, ReasonSeenBefore)
	switch {
	case next.Status == InvoicePaid && a.Moved:
		a.Event = EventInvoicePaid
	case next.Status != InvoicePaid && next.Attempts > held.Attempts:
		a.Event = EventInvoicePaymentFailed
	}
	return a
}

// sameInvoice compares what a snapshot can change.
func sameInvoice(a, b Invoice) bool {
	times := a.PeriodStart.Equal(b.PeriodStart) && a.PeriodEnd.Equal(b.PeriodEnd) && a.NextAttempt.Equal(b.NextAttempt) && a.IssuedAt.Equal(b.IssuedAt)
	return times && a.Status == b.Status && a.ForeignStatus == b.ForeignStatus && a.AmountDue == b.AmountDue && a.AmountPaid == b.AmountPaid &&
		a.Attempts == b.Attempts && a.Payment == b.Payment && a.Anomaly == b.Anomaly
}

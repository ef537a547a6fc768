package core

import "time"

// DisputeApplication is what a snapshot did to a dispute.
type DisputeApplication struct {
	Dispute Dispute // as it stands now
	Verdict Verdict
	Reason  Reason
	Changed bool // whether anything needs to be stored
	Moved   bool // whether the status changed
	Anomaly bool // whether the provider reports what the rules forbid
}

// ApplyDisputeSnapshot judges a sight of the provider's dispute against what is held and gives the
// dispute as it then stands. What the rules forbid is taken all the same, since the bank decides,
// and noted as an anomaly; what is of another environment is not. Applying the same snapshot again
// changes nothing.
func ApplyDisputeSnapshot(held Dispute, seen DisputeSnapshot) DisputeApplication {
	if held.Account != seen.Ref.Account || held.ProviderDisputeID != seen.Ref.ID {
		return DisputeApplication{Dispute: held, Verdict: Impossible, Reason: ReasonOtherObject}
	}
	next := held
	if seen.Environment != held.Environment || !seen.Status.Known() {
		reason := Reason(ReviewTransition)
		if seen.Environment != held.Environment {
			reason = Reason(ReviewEnvironment)
		}
		next.Anomaly = reason
		return disputeResult(held, next, Impossible, reason)
	}
	if seen.Status == DisputeLost && !held.AcceptedAt.IsZero() {
		seen.Status = DisputeAccepted // some providers have one word for both
	}
	verdict := held.Status.Judge(seen.Status)
	if verdict == Stale && seen.Status != held.Status {
		return disputeResult(held, next, Stale, ReasonOlderState)
	}
	reason := ReasonSeenBefore
	if verdict == Impossible {
		reason = Reason(ReviewTransition)
		next.Anomaly = reason
	}
	if held.Status == DisputeUnderReview && seen.Status == DisputeNeedsResponse {
		next.SubmittedAt = time.Time{} // the bank asks once more
	}
	if seen.DueAt.After(held.DueAt) {
		next.RemindedDays = 0
	}
	next.Status = seen.Status
	return disputeResult(held, takeDisputeFacts(next, seen), verdict, reason)
}

// NewDisputeFromSnapshot is a dispute the first time that it is seen. Who stores it adds ids and
// times.
func NewDisputeFromSnapshot(p Payment, seen DisputeSnapshot) Dispute {
	none := Zero(seen.Amount.Currency())
	return takeDisputeFacts(Dispute{
		Payment: p.ID, Account: p.Account, Provider: p.Provider, ProviderDisputeID: seen.Ref.ID, Status: seen.Status,
		Fee: none, Withdrawn: none, Reinstated: none, Environment: p.Environment, OpenedAt: seen.OpenedAt,
	}, seen)
}

// takeDisputeFacts takes over what the provider knows. Money that it does not speak of stays as
// it was.
func takeDisputeFacts(next Dispute, seen DisputeSnapshot) Dispute {
	next.ForeignStatus, next.Reason, next.ForeignReason = seen.ForeignStatus, seen.Reason, seen.ForeignReason
	next.Amount, next.DueAt, next.CanSubmit, next.CanAccept = seen.Amount, seen.DueAt, seen.CanSubmit, seen.CanAccept
	for _, of := range []struct {
		held *Money
		seen Money
	}{{&next.Fee, seen.Fee}, {&next.Withdrawn, seen.Withdrawn}, {&next.Reinstated, seen.Reinstated}} {
		if of.seen.Currency() != "" {
			*of.held = of.seen
		}
	}
	return next
}

func disputeResult(held, next Dispute, verdict Verdict, reason Reason) DisputeApplication {
	next.Anomaly = keptAnomaly(held.Anomaly, next.Anomaly, next.Status != held.Status)
	a := DisputeApplication{
		Dispute: next, Verdict: verdict, Reason: reason, Anomaly: verdict == Impossible,
		Moved: next.Status != held.Status, Changed: !sameDispute(held, next),
	}
	if verdict == Advance {
		a.Reason = ReasonMoved
	} else if a.Changed && verdict == Stale && reason == ReasonSeenBefore {
		a.Reason = ReasonDetails
	}
	return a
}

// sameDispute compares what a snapshot can change.
func sameDispute(a, b Dispute) bool {
	return a.Status == b.Status && a.ForeignStatus == b.ForeignStatus && a.Reason == b.Reason && a.ForeignReason == b.ForeignReason &&
		a.Amount == b.Amount && a.Fee == b.Fee && a.Withdrawn == b.Withdrawn && a.Reinstated == b.Reinstated &&
		a.DueAt.Equal(b.DueAt) && a.CanSubmit == b.CanSubmit && a.CanAccept == b.CanAccept &&
		a.RemindedDays == b.RemindedDays && a.SubmittedAt.Equal(b.SubmittedAt) && a.Anomaly == b.Anomaly
}

// CheckEdit reports why a draft of evidence cannot be changed any more, or nil.
func (d Dispute) CheckEdit(now time.Time) error {
	switch {
	case d.Status.Closed():
		return ErrDisputeClosed
	case !d.SubmittedAt.IsZero() || d.Status == DisputeUnderReview:
		return ErrEvidenceSubmitted
	case !d.DueAt.IsZero() && !now.Before(d.DueAt):
		return ErrEvidenceLate
	}
	return nil
}

// CheckSubmit reports why evidence cannot be submitted now, or nil.
func (d Dispute) CheckSubmit(now time.Time) error {
	if err := d.CheckEdit(now); err != nil {
		return err
	}
	if !d.CanSubmit {
		return ErrNotSupported
	}
	return nil
}

// CheckAccept reports why the dispute cannot be accepted now, or nil.
func (d Dispute) CheckAccept() error {
	switch {
	case d.Status.Closed():
		return ErrDisputeClosed
	case !d.CanAccept:
		return ErrNotSupported
	}
	return nil
}

// ReminderDue gives which of [DisputeReminderDays] is to be announced now; 0 for none. One that
// was missed is not announced beside a later one.
func (d Dispute) ReminderDue(now time.Time) int {
	waits := d.Status == DisputeNeedsResponse || d.Status == DisputeInquiry
	if !waits || d.DueAt.IsZero() || !d.SubmittedAt.IsZero() || !now.Before(d.DueAt) {
		return 0
	}
	due := 0
	for _, days := range DisputeReminderDays {
		reached := !now.Before(d.DueAt.AddDate(0, 0, -days))
		if reached && (d.RemindedDays == 0 || days < d.RemindedDays) {
			due = days
		}
	}
	return due
}

// Settles is the dispute after op, which worked on it, was done at its provider.
func (d Dispute) Settles(op Operation, now time.Time) Dispute {
	switch {
	case op.Kind == OpSubmitEvidence && d.SubmittedAt.IsZero():
		d.SubmittedAt = now
	case op.Kind == OpAcceptDispute && d.AcceptedAt.IsZero():
		d.AcceptedAt = now
	}
	return d
}

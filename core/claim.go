package core

import (
	"errors"
	"time"
)

// ErrNotForStaff means that an operation's outcome is known, or still asked for by itself.
var ErrNotForStaff = errors.New("operation does not wait for staff")

// ClaimedOutcome is what staff found out about an operation, in the provider's own dashboard.
type ClaimedOutcome string

// The outcomes.
const (
	ClaimedDone    ClaimedOutcome = "done"
	ClaimedNotDone ClaimedOutcome = "not_done"
)

// Claim is what one person says of an operation that waits for staff, and a second confirms. The zero
// Claim is none.
type Claim struct {
	Outcome     ClaimedOutcome
	Object      string // the provider's object that shows it; empty where it acted on one that is known
	By          StaffID
	At          time.Time
	ConfirmedBy StaffID // empty while nobody did
}

// Confirm is the operation after somebody said how it ended. Whoever says the same as another before them,
// within [ApprovalKept], confirms it; anything else takes the place of what was said.
//
// It is [ErrNotForStaff], [ErrApprovalOwn] for who said so themselves, and [ErrApprovalDecided] once it is
// confirmed.
func (o Operation) Confirm(outcome ClaimedOutcome, object string, by StaffID, now time.Time) (Operation, error) {
	same := o.Claim.Outcome == outcome && o.Claim.Object == object && now.Before(o.Claim.At.Add(ApprovalKept))
	switch {
	case !o.ForStaff():
		return o, ErrNotForStaff
	case o.Claim.ConfirmedBy != "":
		return o, ErrApprovalDecided
	case same && o.Claim.By == by:
		return o, ErrApprovalOwn
	case same:
		o.Claim.ConfirmedBy = by
	default:
		o.Claim = Claim{Outcome: outcome, Object: object, By: by, At: now}
	}
	return o, nil
}

// Confirmed reports whether two people said how an operation ended whose outcome is still to be recorded.
func (o Operation) Confirmed() bool { return !o.Status.Settled() && o.Claim.ConfirmedBy != "" }

package core

// PaymentStatus is where a payment stands (contract 4.1).
type PaymentStatus string

// The statuses of a payment.
const (
	// PaymentRequiresAction waits for the buyer, inside the provider's frame.
	PaymentRequiresAction PaymentStatus = "requires_action"
	// PaymentProcessing is being worked on by us or the provider; every payment starts here.
	PaymentProcessing PaymentStatus = "processing"
	// PaymentAuthorized holds the buyer's money, to be captured or canceled.
	PaymentAuthorized PaymentStatus = "authorized"
	// PaymentSucceeded took money. Final.
	PaymentSucceeded PaymentStatus = "succeeded"
	// PaymentFailed took none. Final but for one case: a provider that shows money after all.
	PaymentFailed PaymentStatus = "failed"
	// PaymentCanceled was given up before any money was taken. Final.
	PaymentCanceled PaymentStatus = "canceled"
	// PaymentExpired was authorized and ran out. Final.
	PaymentExpired PaymentStatus = "expired"
	// PaymentNeedsReview is not what was asked for; staff decide.
	PaymentNeedsReview PaymentStatus = "needs_review"
)

// PaymentStatuses lists all statuses in the order of the table of moves.
func PaymentStatuses() []PaymentStatus {
	return []PaymentStatus{
		PaymentProcessing, PaymentRequiresAction, PaymentAuthorized, PaymentSucceeded,
		PaymentFailed, PaymentCanceled, PaymentExpired, PaymentNeedsReview,
	}
}

// Known reports whether s is one of the statuses.
func (s PaymentStatus) Known() bool {
	_, ok := paymentMoves[s]
	return ok
}

// Terminal reports whether no sight of the provider's object ever changes s.
func (s PaymentStatus) Terminal() bool {
	return s == PaymentSucceeded || s == PaymentCanceled || s == PaymentExpired
}

// HoldsMoney reports whether the buyer's money is held or taken in s.
func (s PaymentStatus) HoldsMoney() bool {
	return s == PaymentAuthorized || s == PaymentSucceeded
}

// Verdict is what a freshly seen status means for the one we hold.
type Verdict uint8

// The verdicts.
const (
	Impossible Verdict = iota // a pair the table does not name: an anomaly for staff
	Advance                   // take the seen status
	Stale                     // seen before, or an older sight: keep ours
)

// String names the verdict for the timeline and for logs.
func (v Verdict) String() string {
	switch v {
	case Advance:
		return "advance"
	case Stale:
		return "stale"
	case Impossible:
		return "impossible"
	}
	return "impossible"
}

type moves = map[PaymentStatus]Verdict

// paymentMoves is the payment's state machine: held status, seen status, verdict. Pairs
// that are not named are [Impossible].
var paymentMoves = map[PaymentStatus]moves{
	PaymentProcessing: {
		PaymentRequiresAction: Advance, PaymentAuthorized: Advance, PaymentSucceeded: Advance,
		PaymentFailed: Advance, PaymentCanceled: Advance, PaymentExpired: Advance,
	},
	PaymentRequiresAction: {
		PaymentProcessing: Advance, PaymentAuthorized: Advance, PaymentSucceeded: Advance,
		PaymentFailed: Advance, PaymentCanceled: Advance, PaymentExpired: Advance,
	},
	PaymentAuthorized: {
		PaymentSucceeded: Advance, PaymentCanceled: Advance, PaymentExpired: Advance,
		PaymentProcessing: Stale, PaymentRequiresAction: Stale,
	},
	PaymentSucceeded: {
		PaymentProcessing: Stale, PaymentRequiresAction: Stale, PaymentAuthorized: Stale,
	},
	// A failed attempt's object can stay payable at the provider until it is closed.
	// Where it got paid in that gap, the money counts.
	PaymentFailed: {
		PaymentAuthorized: Advance, PaymentSucceeded: Advance,
		PaymentProcessing: Stale, PaymentRequiresAction: Stale, PaymentCanceled: Stale, PaymentExpired: Stale,
	},
	PaymentCanceled: {
		PaymentProcessing: Stale, PaymentRequiresAction: Stale, PaymentFailed: Stale, PaymentExpired: Stale,
	},
	PaymentExpired: {
		PaymentProcessing: Stale, PaymentRequiresAction: Stale, PaymentAuthorized: Stale,
		PaymentFailed: Stale, PaymentCanceled: Stale,
	},
	// Whatever is seen, staff decide.
	PaymentNeedsReview: {
		PaymentProcessing: Stale, PaymentRequiresAction: Stale, PaymentAuthorized: Stale,
		PaymentSucceeded: Stale, PaymentFailed: Stale, PaymentCanceled: Stale, PaymentExpired: Stale,
	},
}

// Judge tells what the seen status means for the held one.
func (s PaymentStatus) Judge(seen PaymentStatus) Verdict {
	if seen == s {
		return Stale // seen again: applying a snapshot twice changes nothing
	}
	return paymentMoves[s][seen]
}

// Event is the type under which storefronts learn of a payment reaching s.
func (s PaymentStatus) Event() EventType {
	if s == PaymentExpired {
		// There is no type of its own for it; the object's status tells the difference.
		return EventPaymentCanceled
	}
	return EventType("payment." + string(s))
}

package core

import (
	"slices"
	"time"
)

// RefundStatus is where a refund stands (contract 4.1).
type RefundStatus string

// The statuses of a refund.
const (
	// RefundPending is on its way, perhaps for days; every refund starts here.
	RefundPending RefundStatus = "pending"
	// RefundSucceeded gave the money back. Final but for one case: at some providers a bank can
	// send it back later.
	RefundSucceeded RefundStatus = "succeeded"
	// RefundFailed gave nothing back.
	RefundFailed RefundStatus = "failed"
	// RefundCanceled was called off before any money moved.
	RefundCanceled RefundStatus = "canceled"
)

// refundMoves is the refund's state machine: held status, seen status, verdict. Pairs that are
// not named are [Impossible].
var refundMoves = map[RefundStatus]map[RefundStatus]Verdict{
	RefundPending:   {RefundSucceeded: Advance, RefundFailed: Advance, RefundCanceled: Advance},
	RefundSucceeded: {RefundPending: Stale, RefundFailed: Advance},
	RefundFailed:    {RefundPending: Stale, RefundCanceled: Stale},
	RefundCanceled:  {RefundPending: Stale, RefundFailed: Stale},
}

// RefundStatuses lists all statuses in the order of the table of moves.
func RefundStatuses() []RefundStatus {
	return []RefundStatus{RefundPending, RefundSucceeded, RefundFailed, RefundCanceled}
}

// Known reports whether s is one of the statuses.
func (s RefundStatus) Known() bool {
	_, ok := refundMoves[s]
	return ok
}

// Judge tells what the seen status means for the held one.
func (s RefundStatus) Judge(seen RefundStatus) Verdict {
	if seen == s {
		return Stale
	}
	return refundMoves[s][seen]
}

// Reserves reports whether a refund in s takes from what is left to refund.
func (s RefundStatus) Reserves() bool { return s == RefundPending || s == RefundSucceeded }

// Event is the type under which storefronts learn of a refund reaching s.
func (s RefundStatus) Event() EventType {
	if s == RefundCanceled {
		// There is no type of its own for it; the object's status tells the difference.
		return EventRefundFailed
	}
	return EventType("refund." + string(s))
}

// RefundReason says why money goes back.
type RefundReason string

// The reasons for refunds.
const (
	RefundRequested  RefundReason = "requested_by_customer"
	RefundDuplicate  RefundReason = "duplicate"
	RefundFraudulent RefundReason = "fraudulent"
	RefundOther      RefundReason = "other"
)

// Known reports whether r is one of the reasons.
func (r RefundReason) Known() bool {
	return slices.Contains([]RefundReason{RefundRequested, RefundDuplicate, RefundFraudulent, RefundOther}, r)
}

// Origin says where an object was made.
type Origin string

// The origins.
const (
	OriginHere     Origin = "here"     // by a storefront, staff or our own rules
	OriginProvider Origin = "provider" // in the provider's own dashboard, and followed
)

// Refund is money that goes back to a buyer. Only a [RefundSnapshot], or the provider's refusal
// of its creation, changes its status.
type Refund struct {
	ID               RefundID
	Version          int64 // grows by one with every stored change; 0 before the first
	Payment          PaymentID
	Account          AccountName
	Provider         ProviderName
	ProviderRefundID string // empty until the provider's answer, or a sight of it, named one
	Status           RefundStatus
	ForeignStatus    string // the provider's own word; empty before the first sight
	Amount           Money  // of the payment's currency, above zero
	Reason           RefundReason
	Origin           Origin
	Failure          *Failure // nil unless it failed
	Anomaly          Reason   // the last thing seen that the rules forbid; empty for none
	RequestKey       RequestKey
	Environment      Environment
	Metadata         map[string]string
	CreatedAt        time.Time
	UpdatedAt        time.Time
	SyncedAt         time.Time // of the last look; zero before the first
}

// Ref is how the refund is looked at. Its ID is empty while nothing is known at the provider.
func (r Refund) Ref() ProviderRef {
	return ProviderRef{Account: r.Account, Kind: ObjectRefund, ID: r.ProviderRefundID}
}

// RefundSnapshot is the present state of a provider's refund, in our words.
type RefundSnapshot struct {
	Ref           ProviderRef // its kind is [ObjectRefund]
	Refund        RefundID    // our id as the provider keeps it with the object; empty where it keeps none
	Payment       ProviderRef // what it gives back of
	Status        RefundStatus
	ForeignStatus string // the provider's own word
	Amount        Money
	Failure       *Failure // why it failed; nil where it did not, or where nobody says
	Environment   Environment
	CreatedAt     time.Time // at the provider; zero where it does not say
}

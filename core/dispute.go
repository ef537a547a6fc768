package core

import "time"

// DisputeStatus is where a dispute stands (contract 4.1).
type DisputeStatus string

// The statuses of a dispute.
const (
	// DisputeInquiry is a bank's question: nothing was taken yet.
	DisputeInquiry DisputeStatus = "inquiry"
	// DisputeNeedsResponse waits for evidence, until its deadline.
	DisputeNeedsResponse DisputeStatus = "needs_response"
	// DisputeUnderReview is with the bank.
	DisputeUnderReview DisputeStatus = "under_review"
	// DisputeWon left the money with the shop, or gave it back to it. An inquiry that ended
	// without a chargeback is one, too.
	DisputeWon DisputeStatus = "won"
	// DisputeLost gave the money to the buyer.
	DisputeLost DisputeStatus = "lost"
	// DisputeAccepted is one that the shop did not contest. Final.
	DisputeAccepted DisputeStatus = "accepted"
)

// disputeMoves is the dispute's state machine: held status, seen status, verdict. Pairs that
// are not named are [Impossible].
var disputeMoves = map[DisputeStatus]map[DisputeStatus]Verdict{
	DisputeInquiry: {
		DisputeNeedsResponse: Advance, DisputeUnderReview: Advance, DisputeWon: Advance, DisputeLost: Advance, DisputeAccepted: Advance,
	},
	DisputeNeedsResponse: {
		DisputeInquiry: Stale, DisputeUnderReview: Advance, DisputeWon: Advance, DisputeLost: Advance, DisputeAccepted: Advance,
	},
	// A bank may ask once more.
	DisputeUnderReview: {
		DisputeInquiry: Stale, DisputeNeedsResponse: Advance, DisputeWon: Advance, DisputeLost: Advance, DisputeAccepted: Advance,
	},
	DisputeWon: {DisputeInquiry: Stale, DisputeNeedsResponse: Stale, DisputeUnderReview: Stale},
	// Funds can be reinstated late.
	DisputeLost:     {DisputeInquiry: Stale, DisputeNeedsResponse: Stale, DisputeUnderReview: Stale, DisputeWon: Advance},
	DisputeAccepted: {DisputeInquiry: Stale, DisputeNeedsResponse: Stale, DisputeUnderReview: Stale, DisputeLost: Stale},
}

// DisputeStatuses lists all statuses in the order of the table of moves.
func DisputeStatuses() []DisputeStatus {
	return []DisputeStatus{
		DisputeInquiry, DisputeNeedsResponse, DisputeUnderReview, DisputeWon, DisputeLost, DisputeAccepted,
	}
}

// Known reports whether s is one of the statuses.
func (s DisputeStatus) Known() bool {
	_, ok := disputeMoves[s]
	return ok
}

// Judge tells what the seen status means for the held one.
func (s DisputeStatus) Judge(seen DisputeStatus) Verdict {
	if seen == s {
		return Stale
	}
	return disputeMoves[s][seen]
}

// Closed reports whether the dispute has ended.
func (s DisputeStatus) Closed() bool {
	return s == DisputeWon || s == DisputeLost || s == DisputeAccepted
}

// BlocksRefund reports whether money must not be given back beside a dispute in s: the bank has
// it, or may yet take it. An inquiry can be ended by a refund.
func (s DisputeStatus) BlocksRefund() bool {
	return s == DisputeNeedsResponse || s == DisputeUnderReview || s == DisputeLost || s == DisputeAccepted
}

// DisputeReason says, in words that are stable across providers, what the buyer complains of.
type DisputeReason string

// The reasons for disputes.
const (
	DisputeFraudulent     DisputeReason = "fraudulent"
	DisputeNotReceived    DisputeReason = "product_not_received"
	DisputeUnacceptable   DisputeReason = "product_unacceptable"
	DisputeDuplicate      DisputeReason = "duplicate"
	DisputeCanceledReason DisputeReason = "subscription_canceled"
	DisputeNotRefunded    DisputeReason = "credit_not_processed"
	DisputeUnrecognized   DisputeReason = "unrecognized"
	DisputeWrongAmount    DisputeReason = "wrong_amount"
	DisputeGeneral        DisputeReason = "general"
)

// Dispute is a buyer's complaint to their bank or to the provider about a payment. Only a
// [DisputeSnapshot] changes its status.
type Dispute struct {
	ID                DisputeID
	Version           int64 // grows by one with every stored change; 0 before the first
	Payment           PaymentID
	Account           AccountName
	Provider          ProviderName
	ProviderDisputeID string
	Status            DisputeStatus
	ForeignStatus     string
	Reason            DisputeReason
	ForeignReason     string // the provider's own word
	Amount            Money  // disputed
	Fee               Money  // of the provider, in its currency; zero where none is known
	// Withdrawn is what the provider took from the shop, without its fee, and Reinstated what it
	// gave back; zero while it did neither, or does not say.
	Withdrawn  Money
	Reinstated Money
	DueAt      time.Time // evidence must be there before; zero where none is awaited
	CanSubmit  bool      // whether the provider takes evidence now
	CanAccept  bool      // whether it can be accepted now
	// RemindedDays is the last of [DisputeReminderDays] that was announced; 0 before the first.
	RemindedDays int
	Owner        StaffID   // whose task it is; empty for nobody's
	SubmittedAt  time.Time // when our evidence went to the provider; zero before
	AcceptedAt   time.Time // when we gave in; zero where we did not
	ClosedAt     time.Time // zero while open
	Anomaly      Reason    // the last thing seen that the rules forbid; empty for none
	Environment  Environment
	OpenedAt     time.Time // at the provider
	CreatedAt    time.Time
	UpdatedAt    time.Time
	SyncedAt     time.Time
}

// DisputeReminderDays are the days before the deadline at which a dispute that still waits for
// evidence is announced again, the earliest first.
var DisputeReminderDays = []int{7, 3, 1} //nolint:gochecknoglobals // a constant list

// Ref is how the dispute is looked at.
func (d Dispute) Ref() ProviderRef {
	return ProviderRef{Account: d.Account, Kind: ObjectDispute, ID: d.ProviderDisputeID}
}

// DisputeSnapshot is the present state of a provider's dispute, in our words.
type DisputeSnapshot struct {
	Ref           ProviderRef // its kind is [ObjectDispute]
	Payment       ProviderRef // what is disputed, as payments are known here
	Status        DisputeStatus
	ForeignStatus string
	Reason        DisputeReason
	ForeignReason string
	Amount        Money
	Fee           Money // zero Money where the provider does not say; as below
	Withdrawn     Money
	Reinstated    Money
	DueAt         time.Time
	CanSubmit     bool
	CanAccept     bool
	Environment   Environment
	OpenedAt      time.Time
}

package core

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// OperationKind is what was asked of a provider.
type OperationKind string

// The kinds of operations.
const (
	OpCreatePayment  OperationKind = "create_payment"
	OpConfirmPayment OperationKind = "confirm_payment"
	OpCapturePayment OperationKind = "capture_payment"
	OpCancelPayment  OperationKind = "cancel_payment"
	OpRefundPayment  OperationKind = "refund_payment"
	OpChargeMethod   OperationKind = "charge_method"

	OpSubmitEvidence OperationKind = "submit_evidence"
	OpAcceptDispute  OperationKind = "accept_dispute"

	OpCreateCustomer OperationKind = "create_customer"
	OpCreateSetup    OperationKind = "create_setup"
	OpConfirmSetup   OperationKind = "confirm_setup"
	OpDetachMethod   OperationKind = "detach_method"

	OpCreatePrice        OperationKind = "create_price"
	OpCreateSubscription OperationKind = "create_subscription"
	OpChangeSubscription OperationKind = "change_subscription"
	OpPauseSubscription  OperationKind = "pause_subscription"
	OpResumeSubscription OperationKind = "resume_subscription"
	OpCancelSubscription OperationKind = "cancel_subscription"
	// OpSwapMethod has a subscription paid with another saved method.
	OpSwapMethod OperationKind = "swap_method"
)

// OperationKinds lists all kinds.
func OperationKinds() []OperationKind {
	return []OperationKind{
		OpCreatePayment, OpConfirmPayment, OpCapturePayment, OpCancelPayment, OpRefundPayment, OpChargeMethod, OpSubmitEvidence, OpAcceptDispute,
		OpCreateCustomer, OpCreateSetup, OpConfirmSetup, OpDetachMethod, OpCreatePrice, OpCreateSubscription, OpChangeSubscription,
		OpPauseSubscription, OpResumeSubscription, OpCancelSubscription, OpSwapMethod,
	}
}

// OperationKey is the idempotency key a provider gets: at most 45 visible ASCII
// characters, the least that any provider takes. It is the operation's id.
type OperationKey string

// RequestKey names one call of a storefront, so that the same call made twice leads to
// the same objects. Empty where the caller gave no key.
type RequestKey string

// NewRequestKey derives the key from the caller and the Idempotency-Key header.
func NewRequestKey(caller APIKeyID, header string) RequestKey {
	sum := sha256.Sum256([]byte(string(caller) + "\x00" + header))
	return RequestKey(hex.EncodeToString(sum[:]))
}

// OperationStatus is the outcome of an operation, as far as we know it.
type OperationStatus string

// The statuses of an operation.
const (
	OperationPending   OperationStatus = "pending"   // written down; perhaps sent, perhaps not
	OperationSucceeded OperationStatus = "succeeded" // the provider did it
	OperationFailed    OperationStatus = "failed"    // the provider refused it, for certain
	OperationUnknown   OperationStatus = "unknown"   // sent, and no usable answer came
)

// Settled reports whether the outcome is known for good.
func (s OperationStatus) Settled() bool { return s == OperationSucceeded || s == OperationFailed }

// Operation is one mutating call to a provider, committed before it is sent.
type Operation struct {
	ID      OperationID
	Version int64
	Kind    OperationKind
	Account AccountName
	Payment PaymentID // whose money it is about; empty for none
	// Subject is the object that it works on, by its id: the payment itself, a refund, a dispute, a
	// customer, a saved method, a price or a subscription.
	Subject string
	Amount  Money // asked for; the zero amount where the kind has none, the zero Money where nothing about it has one
	// Asked is what else was asked, as JSON, so that the same request can go again; empty where
	// the subject says it all. It holds no secret and no personal data.
	Asked       []byte
	RequestHash string
	RequestKey  RequestKey // of the storefront's call that led to it; empty for none
	// Source is the one-time token that a confirmation is made with, kept while its
	// outcome is open, so that the same request can go again; empty otherwise. A secret.
	Source    string
	Status    OperationStatus
	Attempts  int    // how often it was sent
	ObjectID  string // provider object that the answer named; empty before
	RequestID string // provider's id of the last call; empty where no answer came
	Failure   *Failure
	CreatedAt time.Time
	SentAt    time.Time // of the last sending; zero before the first
	SettledAt time.Time // zero until settled
	// LookedAt is when its outcome was last asked for without sending it; zero before the first time.
	LookedAt time.Time
	// GivenUpAt is since when it waits for staff, and GivenUp why; zero for never. It is still asked
	// for, and once settled, by whatever shows it, waits no more.
	GivenUpAt time.Time
	GivenUp   GivenUp
	Claim     Claim // what staff say of it; the zero Claim for nothing
}

// GivenUp is why an operation of unknown outcome waits for staff.
type GivenUp string

// The reasons.
const (
	GivenUpNotFound   GivenUp = "not_found"   // its key is forgotten, and the provider shows nothing of it
	GivenUpUnanswered GivenUp = "unanswered"  // the provider gave no usable answer for too long
	GivenUpNoAccount  GivenUp = "no_account"  // its account is configured no more
	GivenUpInternal   GivenUp = "our_failure" // asking failed on our own side for too long
)

// Place is where the operation stands in lists, above those of lower places: 2 where its outcome is
// unknown, 1 where it was written down and perhaps not sent, 0 once it is settled.
func (o Operation) Place() int64 {
	switch o.Status {
	case OperationUnknown:
		return 2
	case OperationPending:
		return 1
	case OperationSucceeded, OperationFailed:
	}
	return 0
}

// ForStaff reports whether the operation waits for staff.
func (o Operation) ForStaff() bool { return !o.Status.Settled() && !o.GivenUpAt.IsZero() }

// Looked is the operation after its outcome was asked for by a look.
func (o Operation) Looked(now time.Time) Operation {
	o.LookedAt = now
	return o
}

// GiveUp hands an open operation to staff; its status stays what it is, since nobody knows better.
// One that is settled stays as it is, and one that waits already as well, but for its reason: that the
// provider has answered, and shows nothing of it, says more than that it had not.
func (o Operation) GiveUp(why GivenUp, now time.Time) Operation {
	switch {
	case o.Status.Settled():
	case o.GivenUpAt.IsZero():
		o.GivenUpAt, o.GivenUp = now, why
	case why == GivenUpNotFound:
		o.GivenUp = why
	}
	return o
}

// Key is what the operation is sent under, at every attempt the same. Whether it still may be is
// asked of package calls.
func (o Operation) Key() OperationKey { return OperationKey(o.ID) }

// Sending is the operation just before it is put on the wire.
func (o Operation) Sending(now time.Time) Operation {
	o.Attempts++
	o.SentAt = now
	return o
}

// Stands reports whether a call's return of err changes nothing about the operation. What succeeded
// did so for good. What was refused may have been sent a second time meanwhile, and succeed then: its
// provider has one object that it acts upon, and acted upon it.
func (o Operation) Stands(err *ProviderError) bool {
	return o.Status == OperationSucceeded || o.Status == OperationFailed && err != nil
}

// Outcome is the operation after its call returned err. One that [Operation.Stands] stays as it is.
// No usable answer leaves it unknown, never failed; a refusal before any effect leaves
// it pending, so that the same key can go again.
func (o Operation) Outcome(err *ProviderError, objectID string, now time.Time) Operation {
	if o.Stands(err) {
		return o
	}
	if objectID != "" {
		o.ObjectID = objectID
	}
	if err == nil {
		o.Status, o.Failure, o.SettledAt, o.Source = OperationSucceeded, nil, now, ""
		return o
	}
	if err.RequestID != "" {
		o.RequestID = err.RequestID
	}
	if err.ObjectID != "" {
		o.ObjectID = err.ObjectID
	}
	switch err.Class {
	case ClassDeclined, ClassInvalid:
		o.Status, o.Failure, o.SettledAt, o.Source = OperationFailed, err.Failure(), now, ""
	case ClassRetryable:
		// An earlier attempt of unknown outcome stays unknown: this refusal says nothing
		// about it.
	case ClassUnknown:
		o.Status = OperationUnknown
	}
	return o
}

// ShownBy reports whether a sight of the payment proves that the operation took effect,
// so that one of unknown outcome is settled by it.
func (o Operation) ShownBy(seen PaymentSnapshot) bool {
	switch o.Kind {
	case OpCreatePayment:
		return true // the object is there
	case OpConfirmPayment:
		return seen.Authorized.IsPositive() || seen.Status == PaymentProcessing || seen.Status == PaymentFailed
	case OpCapturePayment:
		return seen.Captured.IsPositive()
	case OpCancelPayment:
		return seen.Status == PaymentCanceled
	case OpChargeMethod:
		return true
	default: // a refund is shown by a sight of the refund, and so on
		return false
	}
}

// ShownByDispute reports whether a sight of the dispute proves that the operation took effect.
func (o Operation) ShownByDispute(seen DisputeSnapshot) bool {
	switch o.Kind {
	case OpSubmitEvidence:
		return seen.Status == DisputeUnderReview || seen.Status == DisputeWon
	case OpAcceptDispute:
		return seen.Status == DisputeAccepted || seen.Status == DisputeLost
	default: // it is shown by another object
		return false
	}
}

// HashRequest fingerprints what an operation asks for, from its parts in order, so that
// a key can never go out with a changed request.
func HashRequest(parts ...string) string {
	var text strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&text, "%d:%s;", len(part), part)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:])
}

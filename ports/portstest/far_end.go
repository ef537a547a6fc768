package portstest

import (
	"testing"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// FarEnd is the other side of a provider adapter: a simulator, a recording, a sandbox,
// or the fake itself. It plays the buyer, breaks things and tells what really happened.
type FarEnd interface {
	// Fault makes the next call go wrong, whichever it is.
	Fault(t testing.TB, fault Fault)
	// Effects is how often a call really created, confirmed, captured or canceled
	// something. A repetition of a call that had its effect adds none.
	Effects(t testing.TB) int
	// Keys gives the idempotency keys that arrived, in order, repetitions too.
	Keys(t testing.TB) []string
	// Has reports whether buyers have such a card here.
	Has(card Card) bool
	// Confirm is the buyer, who pays, or agrees to pay, with the card in the provider's
	// frame, or on the provider's own page where the session's action leads there. Not used
	// on our page with [ports.ConfirmWithSource].
	Confirm(t testing.TB, session ports.PaymentSession, card Card)
	// Authenticate is the buyer at the bank's question that [Card3DS] leads to. Used with
	// [ports.ConfirmInBrowser] alone: elsewhere the question comes before our server asks.
	Authenticate(t testing.TB, session ports.PaymentSession, passes bool)
}

// SourceFarEnd is the far end of a provider of the mode [ports.ConfirmWithSource].
type SourceFarEnd interface {
	FarEnd
	// Source is the one-time token that the provider's script makes of the card for an
	// amount.
	Source(t testing.TB, card Card, amount core.Money) string
}

// Card is a card by what it does. Each far end knows the number that does it.
type Card string

// The cards.
const (
	CardSucceeds          Card = "success"
	CardDeclined          Card = "declined"
	CardInsufficientFunds Card = "insufficient_funds"
	CardExpired           Card = "expired_card"
	CardIncorrectCVC      Card = "incorrect_cvc"
	CardProcessingError   Card = "processing_error"
	CardStolen            Card = "stolen"
	Card3DS               Card = "3ds" // the bank asks the buyer first
	CardDisputed          Card = "disputed"
	// These can be saved, and pay where the buyer is there.
	CardDeclinedLater Card = "declined_later"  // charges without the buyer are declined
	Card3DSOffSession Card = "3ds_off_session" // the bank wants the buyer to be there
)

// Fault is a way for a call to go wrong.
type Fault string

// The faults. A call that goes out without its caller's doing a second time, as HTTP
// clients do after [FaultReset] on a connection that was used before, may go well then.
const (
	FaultTimeoutBefore      Fault = "timeout_before"       // no answer, and nothing happened
	FaultTimeoutAfterCommit Fault = "timeout_after_commit" // no answer, and it happened
	FaultSlowBody           Fault = "slow_body"            // it happened, and the answer begins and never ends
	FaultError500           Fault = "error_500"            // nothing happened, but who could tell
	FaultBadGateway         Fault = "bad_gateway"          // nothing happened, and a proxy answers 502 with a page of its own
	FaultError429           Fault = "error_429"            // refused, with the advice to wait
	FaultReset              Fault = "reset"                // the connection breaks before anything happened
	FaultHTML               Fault = "html"                 // it happened, and a proxy answers 200 with a page of its own
	FaultTruncated          Fault = "truncated"            // it happened, and the answer breaks off
	FaultOddStatus          Fault = "odd_status"           // it happened, and the answer has a status that nobody has heard of
	FaultNoAmount           Fault = "no_amount"            // it happened, and the answer lacks its amounts
	FaultOtherObject        Fault = "other_object"         // it happened, and the answer is of another object
)

// MutationFaulter is a [FarEnd] that can make just that request go wrong which is meant to
// have an effect, where a call makes others before it.
type MutationFaulter interface {
	FaultMutation(t testing.TB, fault Fault)
}

// Nonsense is a [FarEnd] whose answers can be made to say what no adapter can use:
// [FaultOddStatus], [FaultNoAmount] and [FaultOtherObject].
type Nonsense interface {
	TalksNonsense()
}

// Reporting is a [FarEnd] whose provider makes no events by itself, but where it is told to.
type Reporting interface {
	Happen(kind string, about core.ProviderRef) core.Delivery
}

// Timely is a [FarEnd] whose time can be moved ahead, with all that time brings.
type Timely interface {
	Elapse(t testing.TB, by time.Duration)
}

// Refundable is a [FarEnd] whose shop gives money back by itself, in the provider's own dashboard,
// and whose refunds end when they are told to.
type Refundable interface {
	// RefundElsewhere gives back minor units of a payment of ours, and names the provider's refund.
	RefundElsewhere(t testing.TB, payment core.PaymentID, amount int64) (id string)
	// EndRefund ends a refund as [RefundSucceeds] or [RefundFails]; one that had succeeded can
	// still fail.
	EndRefund(t testing.TB, id, outcome string)
}

// Disputable is a [FarEnd] whose buyers dispute.
type Disputable interface {
	// OpenDispute has the bank of a payment's buyer dispute it, or only ask about it, and names the
	// provider's dispute.
	OpenDispute(t testing.TB, payment core.PaymentID, inquiry bool) (id string)
	// CloseDispute is the bank's decision: [DisputeIsWon], [DisputeIsLost], or, of an inquiry,
	// [DisputeEscalates].
	CloseDispute(t testing.TB, id, outcome string)
}

// PageShy is a [FarEnd] whose buyers go to no page of the provider's own, and agree to nothing in
// its windows: a sandbox, whose pages want a person in front of them.
type PageShy interface {
	StaysAway()
}

// Vaulted is the far end of a [ports.Vault].
type Vaulted interface {
	FarEnd
	// AgreeSetup is the buyer, who agrees to have the card saved, and passes the bank's question where
	// there is one. Not used with [ports.ConfirmWithSource].
	AgreeSetup(t testing.TB, session ports.SetupSession, card Card)
	// SetupSource is the one-time token of a card that is to be saved. Used with
	// [ports.ConfirmWithSource] alone.
	SetupSource(t testing.TB, card Card) string
}

// Billed is the far end of a [ports.Subscriber].
type Billed interface {
	Vaulted
	// AgreeSubscription is the buyer, who agrees to the subscription and gives the card, or agrees to
	// a change that waits for them. Not used for new ones with [ports.ConfirmWithSource].
	AgreeSubscription(t testing.TB, session ports.SubscriptionSession, card Card)
}

// Renewing is a [Billed] whose time can be moved ahead, and whose staff and banks do as they are
// told. A sandbox is none.
type Renewing interface {
	Billed
	// Advance moves the provider's time ahead, with all that is billed meanwhile.
	Advance(t testing.TB, by time.Duration)
	// Steer does to a subscription, by the provider's id, what staff do in the provider's dashboard, or
	// the bank behind its method.
	Steer(t testing.TB, id string, change Steering)
}

// Steering is what happens to a subscription at its provider. One of Card and Do is set.
type Steering struct {
	Card     Card   // how later charges go
	Do       string // one of the words below
	Quantity int64  // with SteerQuantity
}

// What staff do in a provider's dashboard.
const (
	SteerPause       = "pause"
	SteerResume      = "resume"
	SteerCancel      = "cancel"
	SteerCancelLater = "cancel_at_period_end"
	SteerKeep        = "undo_cancel"
	SteerQuantity    = "quantity"
	SteerRetry       = "retry" // ask for the open invoice now
)

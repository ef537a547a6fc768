package engine

import (
	"errors"
	"net/http"
)

// Dialect is one account at a simulated provider: an API in the provider's own words, the
// stand-in for its browser script and its own pages, all in the account's folder, "/" and its
// name. It is safe for concurrent use.
type Dialect interface {
	// Handler serves everything in the account's folder.
	Handler() http.Handler
	// Objects gives what is held of a type, oldest first, as the provider would write it; of
	// all types but events for an empty one. False for a type that there is not.
	Objects(kind string) ([]any, bool)
	// Kinds are the types of objects, events the last.
	Kinds() []string
	// OpenDispute has the buyer's bank dispute a payment, known by the id that the program
	// under test gave it, or only inquire. An amount of 0 is all that was taken, in minor units
	// of ISO 4217. The id is the provider's. Errors are those of this file.
	OpenDispute(payment, reason string, amount int64, inquiry bool) (id string, err error)
	// CloseDispute ends a dispute, "won" or "lost" for the shop, or makes a chargeback of an
	// inquiry, "escalated".
	CloseDispute(id, outcome string) error
	// RefundElsewhere has the shop's staff give money back in the provider's own dashboard. An
	// amount of 0 is all that is left.
	RefundElsewhere(payment string, amount int64) (id string, err error)
	// EndRefund has a pending refund succeed or fail: "succeeded" or "failed". Where the
	// provider's refunds can fail after they succeeded, so can these.
	EndRefund(id, outcome string) error
	// SteerSubscription does what the shop's staff do in the provider's dashboard, or what the
	// bank behind the subscription's method does from now on.
	SteerSubscription(id string, change SubscriptionChange) error
	// AfterRetries sets what becomes of a subscription whose payment failed for the last time:
	// "canceled" or "unpaid".
	AfterRetries(status string) error
	// SetWebhook has the account's registered webhook be as staff made it in the provider's
	// dashboard. Events that are not posted are listed all the same.
	SetWebhook(settings WebhookSettings) error
	// Elapse does what the clock's being moved brings.
	Elapse()
	// Reset forgets all objects and keys.
	Reset()
}

// SubscriptionChange is one thing that happens to a subscription outside of the program under
// test. One of Card and Do is set.
type SubscriptionChange struct {
	// Card is how the subscription's method behaves from now on, by the name of a test card.
	Card string
	// Do is what staff do: "pause", "resume", "cancel", "cancel_at_period_end", "undo_cancel",
	// "quantity", or "retry" for charging the open invoice once more.
	Do       string
	Quantity int64 // for "quantity"
}

// Why the world cannot do what it is asked to.
var (
	ErrNoPayment       = errors.New("names no payment that took money")
	ErrDisputed        = errors.New("names a payment that is disputed already")
	ErrDisputeAmount   = errors.New("is more than the payment took")
	ErrNoDispute       = errors.New("names no dispute")
	ErrDisputeFinished = errors.New("names a dispute that has ended")
	ErrNotInquiry      = errors.New("names a dispute that is no inquiry")
	ErrRefundAmount    = errors.New("is more than is left of the payment")
	ErrNoRefund        = errors.New("names no refund")
	ErrRefundFinished  = errors.New("names a refund that has ended")
	ErrNoSubscription  = errors.New("names no subscription")
	ErrNotNow          = errors.New("is not possible in the subscription's state")
	ErrUnsupported     = errors.New("is something that this provider does not do")
)

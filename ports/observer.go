package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Observation is what a look at a provider's object came to.
//
// One of the objects is set: the one that was looked at, as it stands now; none where the
// provider's object is nobody's. A look at a refund or a dispute gives its payment, too.
type Observation struct {
	Payment      core.Payment
	Refund       core.Refund
	Dispute      core.Dispute
	Method       core.SavedMethod
	Subscription core.Subscription
	Invoice      core.Invoice
	Reason       core.Reason
	// Confirmable says that the buyer has agreed and our server may ask for the money.
	Confirmable bool
}

// Observer moves state, and nothing else does: it looks at a provider's object, judges
// what it saw and stores what follows in one transaction.
type Observer interface {
	// Sync fetches the object and applies what it saw. An object of nobody's is no error:
	// the observation says so. Provider errors come back as *[core.ProviderError].
	Sync(ctx context.Context, ref core.ProviderRef, cause core.Cause) (Observation, error)
	// Settle records how an operation's call ended, together with what its answer showed,
	// in one transaction. Where the payment has changed since the call began, what the
	// answer showed is not applied but looked at afresh.
	Settle(ctx context.Context, op core.Operation, result CallResult, cause core.Cause) (Observation, error)
	// SettleRefund is Settle for an operation on a refund: a refusal makes it failed.
	SettleRefund(ctx context.Context, op core.Operation, snapshot *core.RefundSnapshot, refused *core.ProviderError, cause core.Cause) (core.Refund, error)
	// SettleDispute is Settle for an operation on a dispute: submitted evidence and an acceptance
	// are noted.
	SettleDispute(ctx context.Context, op core.Operation, snapshot *core.DisputeSnapshot, refused *core.ProviderError, cause core.Cause) (core.Dispute, error)
	// SettleMethod is Settle for an operation on a saved method: a refusal of its creation makes it
	// failed.
	SettleMethod(ctx context.Context, op core.Operation, snapshot *core.MethodSnapshot, refused *core.ProviderError, cause core.Cause) (core.SavedMethod, error)
	// SettleSubscription is Settle for an operation on a subscription: a refusal of its creation
	// makes it canceled.
	SettleSubscription(ctx context.Context, op core.Operation, snapshot *core.SubscriptionSnapshot, refused *core.ProviderError, cause core.Cause) (core.Subscription, error)
	// Abandon gives up a payment without asking its provider: one that no provider was ever
	// asked for, or, at a provider where buyers only agree, one whose money our server has not
	// asked for. It is canceled. Any other is [core.ErrPaymentInProgress]; one that is canceled
	// stays so.
	Abandon(ctx context.Context, payment core.PaymentID, cause core.Cause) (Observation, error)
	// Resolve has staff decide on a payment that needs review, by what a look at it shows now. Errors
	// are those of [core.Payment.Resolved], and the provider's.
	Resolve(ctx context.Context, payment core.PaymentID, how core.ReviewResolution, cause core.Cause) (core.Payment, error)
	// AbandonMethod gives up a method that its buyer has not agreed to. One that our server is
	// saving is [core.ErrPaymentInProgress]; one that is not pending stays as it is.
	AbandonMethod(ctx context.Context, method core.MethodID, cause core.Cause) (core.SavedMethod, error)
	// AbandonSubscription gives up a subscription that never ran and that its provider does not
	// know, or will not end. One whose creation is not settled is [core.ErrPaymentInProgress]; one
	// that is not incomplete stays as it is.
	AbandonSubscription(ctx context.Context, subscription core.SubscriptionID, cause core.Cause) (core.Subscription, error)
}

// CallResult is how a mutating provider call ended.
type CallResult struct {
	Payment  core.Payment          // as it stood before the call
	Snapshot *core.PaymentSnapshot // nil where the answer showed nothing
	Err      *core.ProviderError   // nil where the provider did it
}

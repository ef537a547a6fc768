package ports

import (
	"context"
	"time"

	"github.com/paydesk/paydesk/core"
)

// Provider is one account at one payment provider. An adapter only translates: no
// retries, no state, no judgement. Every error of a call is a *[core.ProviderError].
//
// Every mutating call takes the operation's key. The same key with the same request
// has one effect however often it is sent, within the provider's retention; after no
// answer ([core.ClassUnknown]) send the same key, after a definite rejection a new one.
//
// All snapshots carry the account's own environment as the provider tells it.
type Provider interface {
	// Account is the name under which the account is configured.
	Account() core.AccountName
	// Name is the provider's.
	Name() core.ProviderName
	// Capabilities never changes while the program runs.
	Capabilities() Capabilities

	// CreatePayment asks the provider for a payment that the buyer then confirms in the
	// browser. No money moves by it. The answer's snapshot may be an old one where the
	// key was sent before.
	//
	// Source: Stripe POST /v1/payment_intents.
	CreatePayment(ctx context.Context, key core.OperationKey, in CreatePayment) (PaymentSession, error)

	// OpenPayment fetches a payment with what the buyer's browser needs to go on with it.
	OpenPayment(ctx context.Context, ref core.ProviderRef) (PaymentSession, error)

	// GetPayment fetches a payment's present state. An object the provider does not
	// know is [core.ClassInvalid] with the foreign code [ForeignMissing].
	//
	// Source: Stripe GET /v1/payment_intents/{id}.
	GetPayment(ctx context.Context, ref core.ProviderRef) (core.PaymentSnapshot, error)

	// CapturePayment takes money that was authorized earlier; what is left over is
	// released. amount is in the payment's currency and above zero.
	//
	// Source: Stripe POST /v1/payment_intents/{id}/capture.
	CapturePayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef, amount core.Money) (core.PaymentSnapshot, error)

	// CancelPayment gives up a payment that took no money and releases what it holds.
	// Canceling a canceled one is no error.
	//
	// Source: Stripe POST /v1/payment_intents/{id}/cancel.
	CancelPayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.PaymentSnapshot, error)

	// ListPayments gives one page of the payments created in a window, newest first.
	//
	// Source: Stripe GET /v1/payment_intents.
	ListPayments(ctx context.Context, in ListPayments) (PaymentList, error)
}

// ForeignMissing is the foreign code of an object that the provider does not know.
const ForeignMissing = "resource_missing"

// CreatePayment is what a provider is asked for. It is made from what the database
// holds alone, so that the same operation always sends the same request.
type CreatePayment struct {
	Payment     core.PaymentID // kept with the provider's object, to find it again by
	Checkout    core.CheckoutID
	Reference   string
	Amount      core.Money // above zero
	Capture     core.CaptureMode
	Description string // for the buyer's eyes; may be empty
	ReturnURL   string // where the buyer's browser comes back to after a step elsewhere
}

// Confirmer is a [Provider] at which no payment comes about by the buyer's browser alone:
// once the buyer has agreed, our server asks for the money.
type Confirmer interface {
	Provider

	// ConfirmPayment takes or holds the money of a payment that the buyer has agreed to. A
	// decline is [core.ClassDeclined]; where the provider made an object of it, the error
	// names it. Confirming one that is already confirmed gives it as it is.
	//
	// Source: PayPal POST /v2/checkout/orders/{id}/capture and /authorize; Square POST
	// /v2/payments.
	ConfirmPayment(ctx context.Context, key core.OperationKey, in ConfirmPayment) (core.PaymentSnapshot, error)
}

// ConfirmPayment is what a provider is asked to take or hold. The same operation always
// sends the same.
type ConfirmPayment struct {
	CreatePayment
	Ref core.ProviderRef // what the buyer agreed to; its ID is empty with [ConfirmWithSource]
	// Source is the one-time token that the provider's script made of the buyer's card,
	// with [ConfirmWithSource]; empty otherwise. It is a secret.
	Source string
}

// PaymentSession is a payment together with what the buyer's browser needs.
type PaymentSession struct {
	Snapshot core.PaymentSnapshot
	Action   BuyerAction
}

// BuyerAction is the buyer's next step, for the page's script. It holds secrets of the
// one payment: it goes to the buyer's browser and nowhere else, neither log nor store.
type BuyerAction struct {
	Type         string // "stripe_confirm", "paypal_approve", [ActionTokenize], [ActionRedirect] and others beside them; empty where the buyer has nothing to do
	ClientSecret string // of Stripe's payment; empty elsewhere
	URL          string // of the provider's own page, for [ActionRedirect]; empty elsewhere
}

// In is the buyer's next step as a checkout's flow wants it: where buyers agree on the provider's own
// page, they are sent there.
func (a BuyerAction) In(flow core.Flow) BuyerAction {
	if flow == core.FlowRedirect && a.URL != "" {
		a.Type = ActionRedirect
	}
	return a
}

// ActionTokenize has the provider's script make a one-time token of the card, for
// [Confirmer]s of the mode [ConfirmWithSource].
const ActionTokenize = "tokenize"

// ListPayments asks for one page of a window of time.
type ListPayments struct {
	From, Until time.Time // created in [From, Until)
	Cursor      string    // from the page before; empty for the first
	Limit       int       // 1 to core.PageItemsMax
}

// PaymentList is one page.
type PaymentList struct {
	Payments   []core.PaymentSnapshot
	NextCursor string // empty on the last page
}

// Providers holds the configured accounts.
type Providers map[core.AccountName]Provider

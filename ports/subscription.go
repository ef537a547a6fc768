package ports

import (
	"context"
	"slices"
	"time"

	"github.com/paydesk/paydesk/core"
)

// Subscriber is a [Provider] with billing of its own that asks for a price again and again.
// What of it a provider can do is said in [Capabilities.Subscriptions]; what it cannot is never
// asked of it.
type Subscriber interface {
	Vault

	// CreatePrice makes the price's counterpart and gives its id. It may take several calls; each
	// carries a key of its own that follows from the given one.
	//
	// Source: Stripe POST /v1/prices; PayPal POST /v1/catalogs/products and /v1/billing/plans;
	// Square POST /v2/catalog/object.
	CreatePrice(ctx context.Context, key core.OperationKey, price core.Price) (string, error)

	// CreateSubscription asks for a subscription that the buyer then confirms. With
	// [ConfirmWithSource] it comes after the buyer: the source is saved as the customer's method
	// and the subscription starts at once.
	//
	// Source: Stripe POST /v1/subscriptions; PayPal POST /v1/billing/subscriptions; Square POST
	// /v2/cards and /v2/subscriptions.
	CreateSubscription(ctx context.Context, key core.OperationKey, in CreateSubscription) (SubscriptionSession, error)

	// OpenSubscription fetches one that is incomplete, with what the buyer's browser needs.
	OpenSubscription(ctx context.Context, ref core.ProviderRef) (SubscriptionSession, error)

	// GetSubscription fetches a subscription's present state with its newest invoices.
	//
	// Source: Stripe GET /v1/subscriptions/{id} and /v1/invoices; PayPal GET
	// /v1/billing/subscriptions/{id} and its transactions; Square GET /v2/subscriptions/{id} and
	// its invoices.
	GetSubscription(ctx context.Context, ref core.ProviderRef) (core.SubscriptionSnapshot, error)

	// GetInvoice fetches one invoice.
	GetInvoice(ctx context.Context, ref core.ProviderRef) (core.InvoiceSnapshot, error)

	// PreviewChange tells what a change would come to and changes nothing.
	//
	// Source: Stripe GET /v1/invoices/upcoming; elsewhere it follows from the subscription.
	PreviewChange(ctx context.Context, in ChangeSubscription) (ChangePreview, error)

	// ChangeSubscription takes another price or quantity. Where the buyer has to agree, the session
	// has an action and nothing has changed yet.
	//
	// Source: Stripe POST /v1/subscriptions/{id}; PayPal POST /v1/billing/subscriptions/{id}/revise;
	// Square POST /v2/subscriptions/{id}/swap-plan.
	ChangeSubscription(ctx context.Context, key core.OperationKey, in ChangeSubscription) (SubscriptionSession, error)

	// PauseSubscription has nothing asked for until it is resumed.
	//
	// Source: Stripe pause_collection; PayPal POST …/suspend; Square POST …/pause.
	PauseSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error)

	// ResumeSubscription goes on with a paused one.
	//
	// Source: Stripe pause_collection; PayPal POST …/activate; Square POST …/resume.
	ResumeSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error)

	// CancelSubscription ends it, now or when the paid period ends. Ending what has ended is no
	// error.
	//
	// Source: Stripe DELETE /v1/subscriptions/{id} and cancel_at_period_end; PayPal POST …/cancel;
	// Square POST …/cancel.
	CancelSubscription(ctx context.Context, key core.OperationKey, in CancelSubscription) (core.SubscriptionSnapshot, error)

	// KeepSubscription undoes an end that is to come.
	//
	// Source: Stripe cancel_at_period_end; Square DELETE …/actions/{id}.
	KeepSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error)

	// UpdateSubscriptionMethod has the subscription paid with another saved method of its customer
	// from now on, what is open of it, too.
	//
	// Source: Stripe POST /v1/subscriptions/{id} with default_payment_method.
	UpdateSubscriptionMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef, providerMethod string) (core.SubscriptionSnapshot, error)
}

// SubscriptionAbilities says as data what an account's billing can do. What it cannot is refused
// with [core.ErrNotSupported], or done here where the documentation says so.
type SubscriptionAbilities struct {
	// Periods has, for each interval, the counts of it that a period can have.
	Periods      map[core.Interval][]int
	TrialDaysMax int   // 0 for no trials
	QuantityMax  int64 // 1 where each subscription is of one piece
	Prorate      bool  // bill a change within the period
	ChangeNow    bool  // without proration a change takes effect at once; else with the next period
	Quantity     bool  // change the quantity of a running one
	// BuyerAgrees says that the buyer has to agree to a change at the provider.
	BuyerAgrees  bool
	Pause        bool
	PauseNow     bool // else a pause begins with the next period
	CancelNow    bool
	CancelLater  bool // at the end of the paid period
	KeepCanceled bool // undo an end that is to come
	SwapMethod   bool // pay a running one with another saved method
}

// Bills reports whether a price and a quantity of it can be billed; never for a nil receiver or price.
func (a *SubscriptionAbilities) Bills(recurring *core.Recurring, quantity int64) bool {
	return a != nil && recurring != nil && slices.Contains(a.Periods[recurring.Interval], recurring.Count) &&
		recurring.TrialDays <= a.TrialDaysMax && quantity >= 1 && quantity <= max(a.QuantityMax, 1)
}

// CreateSubscription is what a provider is asked to bill. The same operation always sends the
// same.
type CreateSubscription struct {
	Subscription     core.SubscriptionID // kept with the provider's object
	Customer         core.CustomerID
	ProviderCustomer string // empty where the provider has none
	Email            string
	Name             string
	Price            core.Price
	ProviderPrice    string
	Quantity         int64
	Source           string // the one-time token, with [ConfirmWithSource]; empty otherwise. A secret.
	ReturnURL        string
	CancelURL        string
	StartAt          time.Time // the moment of asking, for providers whose trial is a later start
}

// SubscriptionSession is a subscription with what the buyer's browser needs.
type SubscriptionSession struct {
	Snapshot core.SubscriptionSnapshot
	// Action is of the type stripe_confirm, [ActionStripeSetup], [ActionPayPalSubscribe] or
	// [ActionRedirect].
	Action BuyerAction
	// Object is what that action is about at the provider, where it is not the subscription: a
	// payment or a setup.
	Object string
}

// ChangeSubscription is another price or quantity. The same operation always sends the same.
type ChangeSubscription struct {
	Ref           core.ProviderRef
	Price         core.Price // that it shall have
	ProviderPrice string
	Quantity      int64
	Prorate       bool
	At            time.Time // the moment that proration counts from
	ReturnURL     string
	CancelURL     string
}

// ChangePreview is what a change would come to.
type ChangePreview struct {
	DueNow      core.Money // asked for at once; may be zero, and negative where something is credited
	NextAmount  core.Money // asked for at NextAt
	NextAt      time.Time
	EffectiveAt time.Time
	BuyerAgrees bool
}

// CancelSubscription ends a subscription.
type CancelSubscription struct {
	Ref         core.ProviderRef
	AtPeriodEnd bool
}

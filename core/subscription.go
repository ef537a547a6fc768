package core

import "time"

// SubscriptionStatus is where a subscription stands (contract 4.1).
type SubscriptionStatus string

// The statuses of a subscription.
const (
	// SubscriptionIncomplete waits for the buyer, or for the first payment.
	SubscriptionIncomplete SubscriptionStatus = "incomplete"
	// SubscriptionTrialing runs without payment until its trial ends.
	SubscriptionTrialing SubscriptionStatus = "trialing"
	// SubscriptionActive is paid.
	SubscriptionActive SubscriptionStatus = "active"
	// SubscriptionPastDue has a payment that failed and that the provider tries again.
	SubscriptionPastDue SubscriptionStatus = "past_due"
	// SubscriptionPaused asks for nothing until it is resumed.
	SubscriptionPaused SubscriptionStatus = "paused"
	// SubscriptionUnpaid failed to be paid for good, and is not ended.
	SubscriptionUnpaid SubscriptionStatus = "unpaid"
	// SubscriptionCanceled has ended. Final.
	SubscriptionCanceled SubscriptionStatus = "canceled"
)

// subscriptionMoves is the subscription's state machine: held status, seen status, verdict.
// Pairs that are not named are [Impossible].
var subscriptionMoves = map[SubscriptionStatus]map[SubscriptionStatus]Verdict{
	SubscriptionIncomplete: {
		SubscriptionTrialing: Advance, SubscriptionActive: Advance, SubscriptionPastDue: Advance, SubscriptionPaused: Advance,
		SubscriptionUnpaid: Advance, SubscriptionCanceled: Advance,
	},
	SubscriptionTrialing: {
		SubscriptionIncomplete: Stale, SubscriptionActive: Advance, SubscriptionPastDue: Advance, SubscriptionPaused: Advance,
		SubscriptionUnpaid: Advance, SubscriptionCanceled: Advance,
	},
	// Staff at the provider can give another trial.
	SubscriptionActive: {
		SubscriptionIncomplete: Stale, SubscriptionTrialing: Advance, SubscriptionPastDue: Advance, SubscriptionPaused: Advance,
		SubscriptionUnpaid: Advance, SubscriptionCanceled: Advance,
	},
	SubscriptionPastDue: {
		SubscriptionIncomplete: Stale, SubscriptionTrialing: Advance, SubscriptionActive: Advance, SubscriptionPaused: Advance,
		SubscriptionUnpaid: Advance, SubscriptionCanceled: Advance,
	},
	SubscriptionPaused: {
		SubscriptionIncomplete: Stale, SubscriptionTrialing: Advance, SubscriptionActive: Advance, SubscriptionPastDue: Advance,
		SubscriptionUnpaid: Advance, SubscriptionCanceled: Advance,
	},
	SubscriptionUnpaid: {
		SubscriptionIncomplete: Stale, SubscriptionActive: Advance, SubscriptionPastDue: Advance, SubscriptionPaused: Advance,
		SubscriptionCanceled: Advance,
	},
	SubscriptionCanceled: {SubscriptionIncomplete: Stale},
}

// SubscriptionStatuses lists all statuses in the order of the table of moves.
func SubscriptionStatuses() []SubscriptionStatus {
	return []SubscriptionStatus{
		SubscriptionIncomplete, SubscriptionTrialing, SubscriptionActive, SubscriptionPastDue, SubscriptionPaused,
		SubscriptionUnpaid, SubscriptionCanceled,
	}
}

// Known reports whether s is one of the statuses.
func (s SubscriptionStatus) Known() bool {
	_, ok := subscriptionMoves[s]
	return ok
}

// Judge tells what the seen status means for the held one.
func (s SubscriptionStatus) Judge(seen SubscriptionStatus) Verdict {
	if seen == s {
		return Stale
	}
	return subscriptionMoves[s][seen]
}

// SubscriptionChange is a price and a quantity to come.
type SubscriptionChange struct {
	Price    PriceID
	Quantity int64
	At       time.Time // when it takes effect
}

// Subscription is a price that a customer pays again and again, billed by one account's own
// billing. Only a [SubscriptionSnapshot], or the provider's refusal of its creation, changes its
// status.
type Subscription struct {
	ID                     SubscriptionID
	Version                int64 // grows by one with every stored change; 0 before the first
	Checkout               CheckoutID
	Reference              string // the checkout's
	Customer               CustomerID
	Account                AccountName
	Provider               ProviderName
	ProviderSubscriptionID string // empty until the provider's answer, or a sight of it, named one
	Status                 SubscriptionStatus
	ForeignStatus          string
	Price                  PriceID // empty where the provider's dashboard chose one that is none of ours
	Quantity               int64   // 1 or more
	Amount                 Money   // of one period, for the whole quantity
	// The period that is paid, or on trial; zero before the first.
	CurrentPeriodStart time.Time
	CurrentPeriodEnd   time.Time
	TrialEnd           time.Time // zero without a trial
	CancelAtPeriodEnd  bool
	// CancelHere says that we have to end it at the period's end, since the provider cannot.
	CancelHere     bool
	Pending        *SubscriptionChange // nil where none is to come
	Method         *PaymentMethod      // nil until known
	FailedAttempts int                 // of the open invoice, since the last that was paid
	NextAttempt    time.Time           // of the provider; zero where none is planned
	Failure        *Failure            // why the last attempt failed; nil where it did not
	Anomaly        Reason
	Environment    Environment
	Metadata       map[string]string
	CanceledAt     time.Time // when its end was asked for; zero where it was not
	EndedAt        time.Time // zero while it runs
	CreatedAt      time.Time
	UpdatedAt      time.Time
	SyncedAt       time.Time
}

// Exists reports whether the provider is known to have made something for the subscription.
func (s Subscription) Exists() bool { return s.ProviderSubscriptionID != "" }

// Ref is how the subscription is looked at. Its ID is empty while nothing is known at the
// provider.
func (s Subscription) Ref() ProviderRef {
	return ProviderRef{Account: s.Account, Kind: ObjectSubscription, ID: s.ProviderSubscriptionID}
}

// SubscriptionSnapshot is the present state of a provider's subscription, in our words.
type SubscriptionSnapshot struct {
	Ref                ProviderRef    // its kind is [ObjectSubscription]
	Subscription       SubscriptionID // our id as the provider keeps it; empty where it keeps none
	Status             SubscriptionStatus
	ForeignStatus      string
	Price              string // the provider's id of the price
	Quantity           int64
	Amount             Money // of one period, for the whole quantity
	CurrentPeriodStart time.Time
	CurrentPeriodEnd   time.Time
	TrialEnd           time.Time
	CancelAtPeriodEnd  bool
	// The change to come, by the provider's id of the price; an empty one where none is.
	PendingPrice    string
	PendingQuantity int64
	PendingAt       time.Time
	Method          *PaymentMethod
	FailedAttempts  int
	NextAttempt     time.Time
	Failure         *Failure
	Environment     Environment
	CanceledAt      time.Time
	EndedAt         time.Time
	CreatedAt       time.Time
	// Invoices are the newest ones, newest first, at most [InvoicesShownMax].
	Invoices []InvoiceSnapshot
	// MethodURL is where the buyer can change the method at the provider; empty where there is no
	// such page.
	MethodURL string
}

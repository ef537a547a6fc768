package core

import (
	"errors"
	"time"
)

// CheckoutStatus is where a checkout stands.
type CheckoutStatus string

// The statuses of a checkout. Complete and expired are final but for one case: money
// seen on an expired checkout completes it, because money facts win.
const (
	CheckoutOpen     CheckoutStatus = "open"
	CheckoutComplete CheckoutStatus = "complete"
	CheckoutExpired  CheckoutStatus = "expired"
)

// CheckoutMode is what a checkout is for.
type CheckoutMode string

// The modes of a checkout.
const (
	ModePayment      CheckoutMode = "payment"
	ModeSubscription CheckoutMode = "subscription"
	ModeSetup        CheckoutMode = "setup"
)

// CaptureMode says when authorized money is taken.
type CaptureMode string

// The capture modes: at once, or later by a call of the storefront or staff.
const (
	CaptureAutomatic CaptureMode = "automatic"
	CaptureManual    CaptureMode = "manual"
)

// Flow says where the buyer pays: on our page, or on the provider's own.
type Flow string

// The flows.
const (
	FlowPage     Flow = "page"
	FlowRedirect Flow = "redirect"
)

// Limits of a checkout.
const (
	LineItemsMax         = 100
	LineItemQuantityMax  = 10_000
	CheckoutAttemptsMax  = 20 // more cards than one buyer has
	CheckoutLifeDefault  = 24 * time.Hour
	CheckoutLifeShortest = 5 * time.Minute
	CheckoutLifeLongest  = 30 * 24 * time.Hour
)

// LineItem is one row of what is bought.
type LineItem struct {
	Price    PriceID // that name and amount are of; empty where the storefront gave them itself
	Name     string
	Amount   Money // of one piece; not negative
	Quantity int64 // 1 to LineItemQuantityMax
}

// Buyer is who pays, as far as the storefront told. Every field may be empty. Email and
// name are personal data: sealed at rest, never logged.
type Buyer struct {
	Customer CustomerID
	Email    string
	Name     string
	Country  string // ISO 3166-1 alpha-2, "DE"
}

// Checkout is what a storefront asks to be paid. It owns the amount: nothing a browser
// sends can change it.
type Checkout struct {
	ID          CheckoutID
	Version     int64 // grows by one with every stored change; 0 before the first
	Environment Environment
	Reference   string // the storefront's own name for the order; never empty
	Mode        CheckoutMode
	Capture     CaptureMode
	Flow        Flow
	Status      CheckoutStatus
	Amount      Money
	LineItems   []LineItem
	Providers   []ProviderName // which to offer; empty means all that can
	Buyer       Buyer
	SuccessURL  string
	CancelURL   string // empty means none
	Metadata    map[string]string
	RequestKey  RequestKey // of the call that made it; empty where none was given
	// Lease is the attempt that alone may go on now, by its id: a payment's, a subscription's or
	// a saved method's, as the mode says; empty where the next attempt may start. It is held from
	// the attempt's first write until the attempt is known to have come to nothing, and for good
	// once it came to something.
	Lease   string
	Payment PaymentID // the newest attempt, or the one that completed it; empty before the first
	// Subscription and Method are the same in the modes of those names.
	Subscription SubscriptionID
	Method       MethodID
	Attempts     int // how many were started; 0 to CheckoutAttemptsMax
	ExpiresAt    time.Time
	// LookAt is when its end is tried again that could not be brought when its time was over; zero
	// before the first try.
	LookAt    time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// SumLineItems adds up rows of one currency. It refuses an empty list, a sum that is not
// positive and anything out of range.
func SumLineItems(items []LineItem, currency Currency) (Money, error) {
	sum := Zero(currency)
	for _, item := range items {
		row, err := item.Amount.Mul(item.Quantity)
		if err != nil {
			return Money{}, err
		}
		if sum, err = sum.Add(row); err != nil {
			return Money{}, err
		}
	}
	if !sum.IsPositive() {
		return Money{}, ErrAmountRange
	}
	return sum, nil
}

// StatusAt is the status as of now: an open checkout whose time is over has expired,
// whether or not anybody has written that down yet. One whose lease is held stays open,
// since money may be on its way.
func (c Checkout) StatusAt(now time.Time) CheckoutStatus {
	if c.Status == CheckoutOpen && c.Lease == "" && !now.Before(c.ExpiresAt) {
		return CheckoutExpired
	}
	return c.Status
}

// Why a checkout cannot be paid, or not now.
var (
	ErrCheckoutComplete   = errors.New("checkout is complete")
	ErrCheckoutExpired    = errors.New("checkout has expired")
	ErrPaymentInProgress  = errors.New("another payment of this checkout is in progress")
	ErrTooManyAttempts    = errors.New("checkout has no attempts left")
	ErrNothingToPay       = errors.New("checkout has nothing to pay")
	ErrAccountNotOffered  = errors.New("account is not offered on this checkout")
	ErrPaymentNotOpen     = errors.New("payment is not in a state that allows this")
	ErrAmountNotAvailable = errors.New("amount is not available on this payment")
)

// Why a verb on what was sold is refused.
var (
	ErrAuthorizationExpired = errors.New("authorization has expired")
	ErrPaymentDisputed      = errors.New("payment is disputed")
	ErrCurrencyOther        = errors.New("currency is another than the object's")
	ErrDisputeClosed        = errors.New("dispute is closed")
	ErrEvidenceSubmitted    = errors.New("evidence was submitted already")
	ErrEvidenceLate         = errors.New("deadline for evidence has passed")
	ErrEvidenceEmpty        = errors.New("there is no evidence to submit")
	ErrNotSupported         = errors.New("provider does not offer this")
	ErrMethodNotUsable      = errors.New("payment method cannot be charged")
	ErrSubscriptionEnded    = errors.New("subscription has ended")
	ErrSubscriptionState    = errors.New("subscription is not in a state that allows this")
	ErrNothingToChange      = errors.New("nothing would change")
	ErrOperationOpen        = errors.New("an earlier call on this object is not settled yet")
)

// MayTakeLease reports why no new attempt may start at this moment, or nil.
func (c Checkout) MayTakeLease(now time.Time) error {
	switch {
	case c.Status == CheckoutComplete:
		return ErrCheckoutComplete
	case c.Lease != "":
		return ErrPaymentInProgress
	case c.StatusAt(now) == CheckoutExpired:
		return ErrCheckoutExpired
	case c.Mode == ModePayment && !c.Amount.IsPositive():
		return ErrNothingToPay
	case c.Attempts >= CheckoutAttemptsMax:
		return ErrTooManyAttempts
	}
	return nil
}

// LeasedPayment is the attempt to pay that holds the lease; empty where none does.
func (c Checkout) LeasedPayment() PaymentID {
	if c.Mode != ModePayment {
		return ""
	}
	return PaymentID(c.Lease)
}

// TakeLease gives the attempt to pay the only right to be paid. Call it, or one of its siblings,
// on a checkout for which [Checkout.MayTakeLease] is nil, under the row's lock.
func (c Checkout) TakeLease(payment PaymentID) Checkout {
	c.Lease, c.Payment = string(payment), payment
	c.Attempts++
	return c
}

// TakeLeaseForSubscription is [Checkout.TakeLease] for a subscription.
func (c Checkout) TakeLeaseForSubscription(id SubscriptionID) Checkout {
	c.Lease, c.Subscription = string(id), id
	c.Attempts++
	return c
}

// TakeLeaseForMethod is [Checkout.TakeLease] for a method to be saved.
func (c Checkout) TakeLeaseForMethod(id MethodID) Checkout {
	c.Lease, c.Method = string(id), id
	c.Attempts++
	return c
}

// AfterPayment is the checkout once a payment of it stands as p does: complete where p
// took money, free for the next attempt where p held the lease and took none. The
// second result is the event to tell, empty for none.
func (c Checkout) AfterPayment(p Payment) (Checkout, EventType) {
	switch p.Status {
	case PaymentAuthorized, PaymentSucceeded:
		if c.Status == CheckoutComplete {
			return c, ""
		}
		c.Payment = p.ID
		return c.complete(string(p.ID))
	case PaymentFailed, PaymentCanceled, PaymentExpired:
		return c.free(string(p.ID)), ""
	case PaymentRequiresAction, PaymentProcessing, PaymentNeedsReview:
	}
	return c, ""
}

// AfterSubscription is [Checkout.AfterPayment] for a subscription: one that runs completes the
// checkout, also on trial.
func (c Checkout) AfterSubscription(s Subscription) (Checkout, EventType) {
	switch s.Status {
	case SubscriptionTrialing, SubscriptionActive, SubscriptionPastDue, SubscriptionPaused, SubscriptionUnpaid:
		if c.Status == CheckoutComplete {
			return c, ""
		}
		c.Subscription = s.ID
		return c.complete(string(s.ID))
	case SubscriptionCanceled:
		return c.free(string(s.ID)), ""
	case SubscriptionIncomplete:
	}
	return c, ""
}

// AfterMethod is [Checkout.AfterPayment] for a method that was to be saved.
func (c Checkout) AfterMethod(m SavedMethod) (Checkout, EventType) {
	switch m.Status {
	case MethodActive:
		if c.Status == CheckoutComplete {
			return c, ""
		}
		c.Method = m.ID
		return c.complete(string(m.ID))
	case MethodFailed, MethodRemoved:
		return c.free(string(m.ID)), ""
	case MethodPending:
	}
	return c, ""
}

func (c Checkout) complete(attempt string) (Checkout, EventType) {
	c.Status = CheckoutComplete
	if c.Lease == "" {
		c.Lease = attempt
	}
	return c, EventCheckoutCompleted
}

// free lets the next attempt start where this one held the lease.
func (c Checkout) free(attempt string) Checkout {
	if c.Lease == attempt && c.Status != CheckoutComplete {
		c.Lease = ""
	}
	return c
}

// Expire ends an open checkout that nobody is paying. The second result tells whether
// anything changed.
func (c Checkout) Expire() (Checkout, bool) {
	if c.Status != CheckoutOpen || c.Lease != "" {
		return c, false
	}
	c.Status = CheckoutExpired
	return c, true
}

// Overpaid reports whether p took money on a checkout that another payment completed.
func (c Checkout) Overpaid(p Payment) bool {
	paid := p.Status == PaymentAuthorized || p.Status == PaymentSucceeded
	return paid && c.Status == CheckoutComplete && c.Payment != p.ID
}

package core

import (
	"fmt"
	"strings"
	"time"
)

// PaymentMethod is what a buyer paid with, as far as anybody may know: never a card
// number. Empty fields are not known.
type PaymentMethod struct {
	ID       MethodID // of the saved method; empty where it is not saved
	Type     string   // "card", "paypal", …
	Brand    string   // "visa", …
	Last4    string
	ExpMonth int // 1 to 12; 0 not known
	ExpYear  int // four digits; 0 not known
}

// last4Digits is how many digits of a card's number are ever shown.
const last4Digits = 4

// IsLast4 reports whether a text can be the last four digits of a card's number.
func IsLast4(text string) bool {
	return len(text) == last4Digits && strings.Trim(text, "0123456789") == ""
}

// Payment is money asked from one account: one attempt to pay a checkout, a charge of a saved
// method, or what a subscription's billing took. Only a [PaymentSnapshot] changes its status and
// amounts; what was given back and whether it is disputed follow from its refunds and disputes.
type Payment struct {
	ID                PaymentID
	Version           int64 // grows by one with every stored change; 0 before the first
	Checkout          CheckoutID
	Subscription      SubscriptionID // that asked for it; empty elsewhere, as is Invoice
	Invoice           InvoiceID
	Reference         string // the checkout's
	Customer          CustomerID
	Account           AccountName
	Provider          ProviderName
	ProviderPaymentID string // empty until the provider's answer, or a sight of it, named one
	// Hosted says that the buyer pays on the provider's own page.
	Hosted bool
	// OffSession says that a saved method was charged without the buyer.
	OffSession bool
	// ProviderSessionID is that page's object, where it is another than the payment's; empty
	// elsewhere, and until the provider's answer named one.
	ProviderSessionID string
	Status            PaymentStatus
	ForeignStatus     string // the provider's own word, kept beside ours; empty before the first sight
	Amount            Money  // asked; never changes
	AmountAuthorized  Money  // held or taken at its highest; same currency, as below
	AmountCaptured    Money
	AmountRefunded    Money
	Capture           CaptureMode
	// CaptureBefore is when an authorization runs out; zero unless authorized, or where the
	// provider does not say.
	CaptureBefore time.Time
	// ExpiryToldAt is when storefronts were told that it will; zero before.
	ExpiryToldAt time.Time
	Method       *PaymentMethod // nil until known
	Failure      *Failure       // nil unless the status is failed
	Disputed     bool
	Review       ReviewReason // why it needs review, or needed it until staff decided; empty for never
	Anomaly      Reason       // the last thing seen that the rules forbid; empty for none
	Environment  Environment
	Metadata     map[string]string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	SyncedAt     time.Time // of the last sight; zero before the first
}

// NewPayment is the attempt to pay a checkout at an account, before anyone was asked.
func NewPayment(id PaymentID, c Checkout, account AccountName, provider ProviderName, now time.Time) Payment {
	none := Zero(c.Amount.Currency())
	return Payment{
		ID: id, Checkout: c.ID, Reference: c.Reference, Customer: c.Buyer.Customer,
		Account: account, Provider: provider, Status: PaymentProcessing,
		Amount: c.Amount, AmountAuthorized: none, AmountCaptured: none, AmountRefunded: none,
		Capture: c.Capture, Environment: c.Environment, Metadata: c.Metadata, Hosted: c.Flow == FlowRedirect,
		CreatedAt: now, UpdatedAt: now,
	}
}

// NewSubscriptionPayment is what a subscription's billing asked for, as the provider shows it, before
// that sight is applied.
func NewSubscriptionPayment(id PaymentID, s Subscription, invoice InvoiceID, seen PaymentSnapshot, now time.Time) Payment {
	none := Zero(seen.Amount.Currency())
	return Payment{
		ID: id, Subscription: s.ID, Invoice: invoice, Reference: s.Reference, Customer: s.Customer,
		Account: s.Account, Provider: s.Provider, ProviderPaymentID: seen.Ref.ID, Status: PaymentProcessing,
		Amount: seen.Amount, AmountAuthorized: none, AmountCaptured: none, AmountRefunded: none,
		Capture: CaptureAutomatic, Environment: s.Environment, Metadata: s.Metadata, CreatedAt: now, UpdatedAt: now,
	}
}

// NewCharge is a saved method's charge without its buyer, before anyone was asked.
func NewCharge(id PaymentID, m SavedMethod, amount Money, capture CaptureMode, now time.Time) Payment {
	none := Zero(amount.Currency())
	details := m.Details
	return Payment{
		ID: id, Customer: m.Customer, Account: m.Account, Provider: m.Provider, OffSession: true, Status: PaymentProcessing,
		Amount: amount, AmountAuthorized: none, AmountCaptured: none, AmountRefunded: none,
		Capture: capture, Method: &details, Environment: m.Environment, CreatedAt: now, UpdatedAt: now,
	}
}

// Exists reports whether the provider is known to have made something for the payment.
func (p Payment) Exists() bool { return p.ProviderPaymentID != "" || p.ProviderSessionID != "" }

// Ref is how the payment is looked at and given up: by the page it is paid at, where that
// is an object of its own. Its ID is empty while nothing is known at the provider.
func (p Payment) Ref() ProviderRef {
	if p.ProviderSessionID != "" {
		return ProviderRef{Account: p.Account, Kind: ObjectSession, ID: p.ProviderSessionID}
	}
	return p.MoneyRef()
}

// MoneyRef is the provider's payment, whose money is captured and refunded. Its ID is
// empty while it is not known.
func (p Payment) MoneyRef() ProviderRef {
	return ProviderRef{Account: p.Account, Kind: ObjectPayment, ID: p.ProviderPaymentID}
}

// Capturable is what is authorized and not yet captured; zero unless the payment is
// authorized.
func (p Payment) Capturable() Money {
	left, err := p.AmountAuthorized.Sub(p.AmountCaptured)
	if p.Status != PaymentAuthorized || err != nil {
		return Zero(p.Amount.Currency())
	}
	return left
}

// CheckCapture reports why an amount cannot be captured now, or nil.
func (p Payment) CheckCapture(amount Money, now time.Time) error {
	if p.Status == PaymentExpired || p.Status == PaymentAuthorized && !p.CaptureBefore.IsZero() && !now.Before(p.CaptureBefore) {
		return ErrAuthorizationExpired
	}
	if p.Status != PaymentAuthorized {
		return ErrPaymentNotOpen
	}
	order, err := amount.Compare(p.Capturable())
	if err != nil {
		return err
	}
	if !amount.IsPositive() || order > 0 {
		return ErrAmountNotAvailable
	}
	return nil
}

// Refundable is what was taken and not yet given back.
func (p Payment) Refundable() Money {
	left, err := p.AmountCaptured.Sub(p.AmountRefunded)
	if err != nil {
		return Zero(p.Amount.Currency())
	}
	return left
}

// CheckCancel reports why the payment cannot be canceled, or nil. What is already
// canceled may be canceled again, without effect. What a subscription asked for is its provider's
// to give up.
func (p Payment) CheckCancel() error {
	if p.Subscription != "" && p.Status != PaymentCanceled {
		return ErrPaymentNotOpen
	}
	switch p.Status {
	case PaymentSucceeded, PaymentExpired, PaymentNeedsReview:
		return ErrPaymentNotOpen
	case PaymentRequiresAction, PaymentProcessing, PaymentAuthorized, PaymentFailed, PaymentCanceled:
	}
	return nil
}

// Rejected is the payment after its provider refused op for good, as err says: failed
// where it was not created, and where the money was refused that the buyer had agreed
// to. A payment that has moved on stays as it is, and so does one whose confirmation was
// out of place, not declined: there a look at the object tells.
func (p Payment) Rejected(op Operation, err *ProviderError) Payment {
	waiting := p.Status == PaymentProcessing || p.Status == PaymentRequiresAction
	asked := op.Kind == OpConfirmPayment || op.Kind == OpChargeMethod
	declined := asked && err != nil && err.Class == ClassDeclined
	if !waiting || p.Exists() && !declined {
		return p
	}
	if !p.Exists() && declined {
		p.ProviderPaymentID = op.ObjectID // some providers keep what they declined
	}
	p.Status, p.Failure = PaymentFailed, failureOrDefault(op.Failure)
	return p
}

// Abandoned is a payment that is given up without asking its provider: one that no provider
// was ever asked for, or one that its provider forgot, before our server asked for its money.
// operations are the payment's. Any other stays as it is.
func (p Payment) Abandoned(operations []Operation) Payment {
	if p.Status.Terminal() || p.Exists() && p.Status != PaymentRequiresAction || !p.Exists() && len(operations) > 0 {
		return p
	}
	for _, op := range operations {
		if !op.Status.Settled() || op.Kind == OpConfirmPayment && op.Status == OperationSucceeded {
			return p
		}
	}
	p.Status = PaymentCanceled
	return p
}

// Check reports the first broken invariant, or nil: 0 ≤ refunded ≤ captured ≤
// authorized ≤ asked, all of one currency. Stores call it on write and on read: a row
// that breaks it is an error, not data.
func (p Payment) Check() error {
	chain := []struct {
		name   string
		amount Money
	}{
		{"zero", Zero(p.Amount.Currency())},
		{"refunded", p.AmountRefunded},
		{"captured", p.AmountCaptured},
		{"authorized", p.AmountAuthorized},
		{"amount", p.Amount},
	}
	for i := 1; i < len(chain); i++ {
		order, err := chain[i-1].amount.Compare(chain[i].amount)
		if err != nil {
			return fmt.Errorf("payment %s: %s and %s: %w", p.ID, chain[i-1].name, chain[i].name, err)
		}
		if order > 0 {
			return fmt.Errorf("payment %s: %s is more than %s", p.ID, chain[i-1].name, chain[i].name)
		}
	}
	return nil
}

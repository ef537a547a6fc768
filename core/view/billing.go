package view

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

// KnownCustomer is a customer with an id as storefronts see it.
type KnownCustomer struct {
	ID          core.CustomerID   `json:"id"`
	Email       *string           `json:"email"`
	Name        *string           `json:"name"`
	Environment core.Environment  `json:"environment"`
	CreatedAt   Time              `json:"created_at"`
	UpdatedAt   Time              `json:"updated_at"`
	Metadata    map[string]string `json:"metadata"`
}

// SavedMethod is a saved payment method as storefronts see it.
type SavedMethod struct {
	ID        core.MethodID     `json:"id"`
	Customer  core.CustomerID   `json:"customer"`
	Account   core.AccountName  `json:"account"`
	Provider  core.ProviderName `json:"provider"`
	Status    core.MethodStatus `json:"status"`
	Type      *string           `json:"type"`
	Brand     *string           `json:"brand"`
	Last4     *string           `json:"last4"`
	ExpMonth  *int              `json:"exp_month"`
	ExpYear   *int              `json:"exp_year"`
	Consent   *Consent          `json:"consent"`
	CreatedAt Time              `json:"created_at"`
}

// Consent is a buyer's agreement to be charged later without being there.
type Consent struct {
	At       Time             `json:"at"`
	Text     string           `json:"text"`
	Checkout *core.CheckoutID `json:"checkout"`
}

// Price is a price as storefronts see it.
type Price struct {
	ID          core.PriceID     `json:"id"`
	Name        string           `json:"name"`
	Amount      int64            `json:"amount"`
	Currency    core.Currency    `json:"currency"`
	Recurring   *Recurring       `json:"recurring"`
	Environment core.Environment `json:"environment"`
	CreatedAt   Time             `json:"created_at"`
}

// Recurring says how often a price is asked for.
type Recurring struct {
	Interval      core.Interval `json:"interval"`
	IntervalCount int           `json:"interval_count"`
	TrialDays     int           `json:"trial_days"`
}

// Subscription is a subscription as storefronts see it.
type Subscription struct {
	ID                     core.SubscriptionID     `json:"id"`
	Checkout               *core.CheckoutID        `json:"checkout"`
	Reference              string                  `json:"reference"`
	Customer               core.CustomerID         `json:"customer"`
	Account                core.AccountName        `json:"account"`
	Provider               core.ProviderName       `json:"provider"`
	ProviderSubscriptionID *string                 `json:"provider_subscription_id"`
	Status                 core.SubscriptionStatus `json:"status"`
	Price                  *core.PriceID           `json:"price"`
	Quantity               int64                   `json:"quantity"`
	Amount                 int64                   `json:"amount"`
	Currency               core.Currency           `json:"currency"`
	CurrentPeriodStart     *Time                   `json:"current_period_start"`
	CurrentPeriodEnd       *Time                   `json:"current_period_end"`
	TrialEnd               *Time                   `json:"trial_end"`
	CancelAtPeriodEnd      bool                    `json:"cancel_at_period_end"`
	PendingChange          *PendingChange          `json:"pending_change"`
	PaymentMethod          *PaymentMethod          `json:"payment_method"`
	Failure                *Failure                `json:"failure"`
	NextAttempt            *Time                   `json:"next_attempt"`
	CanceledAt             *Time                   `json:"canceled_at"`
	EndedAt                *Time                   `json:"ended_at"`
	Environment            core.Environment        `json:"environment"`
	CreatedAt              Time                    `json:"created_at"`
	UpdatedAt              Time                    `json:"updated_at"`
	Metadata               map[string]string       `json:"metadata"`
}

// PendingChange is a price and a quantity to come.
type PendingChange struct {
	Price    *core.PriceID `json:"price"`
	Quantity *int64        `json:"quantity"`
	At       *Time         `json:"at"`
}

// Invoice is an invoice as storefronts see it.
type Invoice struct {
	ID                core.InvoiceID      `json:"id"`
	Subscription      core.SubscriptionID `json:"subscription"`
	Payment           *core.PaymentID     `json:"payment"`
	ProviderInvoiceID string              `json:"provider_invoice_id"`
	Status            core.InvoiceStatus  `json:"status"`
	AmountDue         int64               `json:"amount_due"`
	AmountPaid        int64               `json:"amount_paid"`
	Currency          core.Currency       `json:"currency"`
	PeriodStart       *Time               `json:"period_start"`
	PeriodEnd         *Time               `json:"period_end"`
	Attempts          int                 `json:"attempts"`
	NextAttempt       *Time               `json:"next_attempt"`
	IssuedAt          Time                `json:"issued_at"`
}

// OfCustomer gives a customer's published shape.
func OfCustomer(c core.Customer) KnownCustomer {
	return KnownCustomer{
		ID: c.ID, Email: optional(c.Email), Name: optional(c.Name), Environment: c.Environment,
		CreatedAt: Time{c.CreatedAt}, UpdatedAt: Time{c.UpdatedAt}, Metadata: metadata(c.Metadata),
	}
}

// OfSavedMethod gives a saved method's published shape.
func OfSavedMethod(m core.SavedMethod) SavedMethod {
	d := m.Details
	v := SavedMethod{
		ID: m.ID, Customer: m.Customer, Account: m.Account, Provider: m.Provider, Status: m.Status,
		Type: optional(d.Type), Brand: optional(d.Brand), Last4: optional(d.Last4), ExpMonth: optional(d.ExpMonth), ExpYear: optional(d.ExpYear),
		CreatedAt: Time{m.CreatedAt},
	}
	if c := m.Consent; c != nil {
		v.Consent = &Consent{At: Time{c.At}, Text: c.Text, Checkout: optional(c.Checkout)}
	}
	return v
}

// OfPrice gives a price's published shape.
func OfPrice(p core.Price) Price {
	v := Price{
		ID: p.ID, Name: p.Name, Amount: p.Amount.Minor(), Currency: p.Amount.Currency(), Environment: p.Environment, CreatedAt: Time{p.CreatedAt},
	}
	if r := p.Recurring; r != nil {
		v.Recurring = &Recurring{Interval: r.Interval, IntervalCount: r.Count, TrialDays: r.TrialDays}
	}
	return v
}

// OfSubscription gives a subscription's published shape.
func OfSubscription(s core.Subscription) Subscription {
	v := Subscription{
		ID: s.ID, Checkout: optional(s.Checkout), Reference: s.Reference, Customer: s.Customer, Account: s.Account, Provider: s.Provider,
		ProviderSubscriptionID: optional(s.ProviderSubscriptionID), Status: s.Status, Price: optional(s.Price), Quantity: s.Quantity,
		Amount: s.Amount.Minor(), Currency: s.Amount.Currency(),
		CurrentPeriodStart: OptionalTime(s.CurrentPeriodStart), CurrentPeriodEnd: OptionalTime(s.CurrentPeriodEnd), TrialEnd: OptionalTime(s.TrialEnd),
		CancelAtPeriodEnd: s.CancelAtPeriodEnd, PaymentMethod: ofMethod(s.Method), Failure: ofFailure(s.Failure),
		NextAttempt: OptionalTime(s.NextAttempt), CanceledAt: OptionalTime(s.CanceledAt), EndedAt: OptionalTime(s.EndedAt),
		Environment: s.Environment, CreatedAt: Time{s.CreatedAt}, UpdatedAt: Time{s.UpdatedAt}, Metadata: metadata(s.Metadata),
	}
	if p := s.Pending; p != nil {
		v.PendingChange = &PendingChange{Price: optional(p.Price), Quantity: optional(p.Quantity), At: OptionalTime(p.At)}
	}
	return v
}

// OfInvoice gives an invoice's published shape.
func OfInvoice(i core.Invoice) Invoice {
	return Invoice{
		ID: i.ID, Subscription: i.Subscription, Payment: optional(i.Payment), ProviderInvoiceID: i.ProviderInvoiceID, Status: i.Status,
		AmountDue: i.AmountDue.Minor(), AmountPaid: i.AmountPaid.Minor(), Currency: i.AmountDue.Currency(),
		PeriodStart: OptionalTime(i.PeriodStart), PeriodEnd: OptionalTime(i.PeriodEnd), Attempts: i.Attempts,
		NextAttempt: OptionalTime(i.NextAttempt), IssuedAt: Time{i.IssuedAt},
	}
}

func ofMethod(m *core.PaymentMethod) *PaymentMethod {
	if m == nil {
		return nil
	}
	return &PaymentMethod{
		ID: optional(m.ID), Type: m.Type, Brand: optional(m.Brand), Last4: optional(m.Last4),
		ExpMonth: optional(m.ExpMonth), ExpYear: optional(m.ExpYear),
	}
}

func ofFailure(f *core.Failure) *Failure {
	if f == nil {
		return nil
	}
	return &Failure{Code: f.Code, ProviderCode: optional(f.ProviderCode), Message: f.Message, Retryable: f.Retryable}
}

// OptionalTime is nil for the zero time.
func OptionalTime(at time.Time) *Time {
	if at.IsZero() {
		return nil
	}
	return &Time{at}
}

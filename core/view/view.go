// Package view holds the shapes in which checkouts, payments and other objects are
// published: the API answers with them, and events carry them as they stood when the
// event happened. Field names and meanings are those of the outer contract; a field is
// never renamed or given another meaning.
package view

import (
	"encoding/json"
	"time"

	"github.com/paydesk/paydesk/core"
)

// timeLayout is RFC 3339 in UTC, always with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// Time writes itself as RFC 3339 UTC with six decimals.
type Time struct{ time.Time }

// MarshalJSON writes the time as a JSON string.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(timeLayout) + `"`), nil
}

// Payment is a payment as storefronts see it.
type Payment struct {
	ID                core.PaymentID       `json:"id"`
	Checkout          *core.CheckoutID     `json:"checkout"`
	Subscription      *core.SubscriptionID `json:"subscription"`
	Invoice           *core.InvoiceID      `json:"invoice"`
	Reference         string               `json:"reference"`
	Customer          *core.CustomerID     `json:"customer"`
	Account           core.AccountName     `json:"account"`
	Provider          core.ProviderName    `json:"provider"`
	ProviderPaymentID *string              `json:"provider_payment_id"`
	Status            core.PaymentStatus   `json:"status"`
	Amount            int64                `json:"amount"`
	AmountCaptured    int64                `json:"amount_captured"`
	AmountRefunded    int64                `json:"amount_refunded"`
	Currency          core.Currency        `json:"currency"`
	Capture           core.CaptureMode     `json:"capture"`
	PaymentMethod     *PaymentMethod       `json:"payment_method"`
	Failure           *Failure             `json:"failure"`
	Disputed          bool                 `json:"disputed"`
	CaptureBefore     *Time                `json:"capture_before"`
	OffSession        bool                 `json:"off_session"`
	Environment       core.Environment     `json:"environment"`
	CreatedAt         Time                 `json:"created_at"`
	UpdatedAt         Time                 `json:"updated_at"`
	Metadata          map[string]string    `json:"metadata"`
}

// PaymentMethod is what a payment was made with.
type PaymentMethod struct {
	ID       *core.MethodID `json:"id"`
	Type     string         `json:"type"`
	Brand    *string        `json:"brand"`
	Last4    *string        `json:"last4"`
	ExpMonth *int           `json:"exp_month"`
	ExpYear  *int           `json:"exp_year"`
}

// Failure is why a payment or a refund did not work.
type Failure struct {
	Code         core.FailureCode `json:"code"`
	ProviderCode *string          `json:"provider_code"`
	Message      string           `json:"message"`
	Retryable    bool             `json:"retryable"`
}

// Checkout is a checkout as storefronts see it.
type Checkout struct {
	ID           core.CheckoutID      `json:"id"`
	URL          string               `json:"url"`
	Status       core.CheckoutStatus  `json:"status"`
	Mode         core.CheckoutMode    `json:"mode"`
	Capture      core.CaptureMode     `json:"capture"`
	Flow         core.Flow            `json:"flow"`
	Amount       int64                `json:"amount"`
	Currency     core.Currency        `json:"currency"`
	Reference    string               `json:"reference"`
	LineItems    []LineItem           `json:"line_items"`
	Providers    []core.ProviderName  `json:"providers"`
	Payment      *core.PaymentID      `json:"payment"`
	Subscription *core.SubscriptionID `json:"subscription"`
	// PaymentMethod is the method that a checkout of the mode setup saves.
	PaymentMethod *core.MethodID    `json:"payment_method"`
	Customer      *Customer         `json:"customer"`
	SuccessURL    string            `json:"success_url"`
	CancelURL     *string           `json:"cancel_url"`
	Environment   core.Environment  `json:"environment"`
	ExpiresAt     Time              `json:"expires_at"`
	CreatedAt     Time              `json:"created_at"`
	UpdatedAt     Time              `json:"updated_at"`
	Metadata      map[string]string `json:"metadata"`
}

// LineItem is one row of what is bought.
type LineItem struct {
	Price    *core.PriceID `json:"price"`
	Name     string        `json:"name"`
	Amount   int64         `json:"amount"`
	Quantity int64         `json:"quantity"`
}

// Customer is who pays, as far as the storefront told.
type Customer struct {
	ID      *core.CustomerID `json:"id"`
	Email   *string          `json:"email"`
	Name    *string          `json:"name"`
	Country *string          `json:"country"`
}

// OfPayment gives a payment's published shape.
func OfPayment(p core.Payment) Payment {
	v := Payment{
		ID: p.ID, Checkout: optional(p.Checkout), Subscription: optional(p.Subscription), Invoice: optional(p.Invoice), Reference: p.Reference, Customer: optional(p.Customer),
		Account: p.Account, Provider: p.Provider, ProviderPaymentID: optional(p.ProviderPaymentID),
		Status: p.Status, Amount: p.Amount.Minor(), AmountCaptured: p.AmountCaptured.Minor(),
		AmountRefunded: p.AmountRefunded.Minor(), Currency: p.Amount.Currency(), Capture: p.Capture,
		Disputed: p.Disputed, Environment: p.Environment, CreatedAt: Time{p.CreatedAt}, UpdatedAt: Time{p.UpdatedAt},
		CaptureBefore: OptionalTime(p.CaptureBefore), OffSession: p.OffSession, Metadata: metadata(p.Metadata),
	}
	v.PaymentMethod, v.Failure = ofMethod(p.Method), ofFailure(p.Failure)
	return v
}

// OfCheckout gives a checkout's published shape as of now. pageURL is the address of
// its hosted page.
func OfCheckout(c core.Checkout, pageURL string, now time.Time) Checkout {
	v := Checkout{
		ID: c.ID, URL: pageURL, Status: c.StatusAt(now), Mode: c.Mode, Capture: c.Capture, Flow: c.Flow,
		Amount: c.Amount.Minor(), Currency: c.Amount.Currency(), Reference: c.Reference,
		LineItems: make([]LineItem, 0, len(c.LineItems)), Providers: c.Providers, Payment: optional(c.Payment),
		Subscription: optional(c.Subscription), PaymentMethod: optional(c.Method),
		SuccessURL: c.SuccessURL, CancelURL: optional(c.CancelURL), Environment: c.Environment,
		ExpiresAt: Time{c.ExpiresAt}, CreatedAt: Time{c.CreatedAt}, UpdatedAt: Time{c.UpdatedAt},
		Metadata: metadata(c.Metadata),
	}
	if v.Providers == nil {
		v.Providers = []core.ProviderName{}
	}
	for _, item := range c.LineItems {
		v.LineItems = append(v.LineItems, LineItem{Price: optional(item.Price), Name: item.Name, Amount: item.Amount.Minor(), Quantity: item.Quantity})
	}
	if b := c.Buyer; b != (core.Buyer{}) {
		v.Customer = &Customer{ID: optional(b.Customer), Email: optional(b.Email), Name: optional(b.Name), Country: optional(b.Country)}
	}
	return v
}

// JSON writes a published shape. The shapes of this package hold nothing that cannot
// be written, so it panics where that rule is broken.
func JSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("view: " + err.Error())
	}
	return text
}

func optional[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

func metadata(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

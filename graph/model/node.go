package model

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

// Node is anything that has an id of its own.
type Node interface{ IsNode() }

// Staff is a person of the back office.
type Staff struct{ core.Staff }

// IsNode marks a type of the schema's interface Node.
func (Staff) IsNode() {}

// Payment is one attempt to pay.
type Payment struct{ core.Payment }

// IsNode marks a type of the schema's interface Node.
func (Payment) IsNode() {}

// ForeignStatus is nil before the provider's object was first seen.
func (p Payment) ForeignStatus() *string { return optional(p.Payment.ForeignStatus) }

// ProviderPaymentID is nil until the provider named its object.
func (p Payment) ProviderPaymentID() *string { return optional(p.Payment.ProviderPaymentID) }

// SubscriptionID is empty for none, as is InvoiceID.
func (p Payment) SubscriptionID() core.SubscriptionID { return p.Subscription }

// InvoiceID is the invoice that it pays.
func (p Payment) InvoiceID() core.InvoiceID { return p.Invoice }

// CustomerID is empty for none.
func (p Payment) CustomerID() core.CustomerID { return p.Customer }

// AmountCapturable is what is authorized and not yet captured.
func (p Payment) AmountCapturable() core.Money { return p.Capturable() }

// Metadata is never nil: the schema has no null there.
func (p Payment) Metadata() map[string]string { return object(p.Payment.Metadata) }

// PaymentMethod is nil until known.
func (p Payment) PaymentMethod() *PaymentMethod {
	if p.Method == nil {
		return nil
	}
	return &PaymentMethod{*p.Method}
}

// Failure is nil unless the payment failed.
func (p Payment) Failure() *Failure { return failure(p.Payment.Failure) }

// PaymentMethod is what a buyer paid with.
type PaymentMethod struct{ core.PaymentMethod }

// Type is nil where not known, like all below.
func (m PaymentMethod) Type() *string { return optional(m.PaymentMethod.Type) }

// Brand is a card's.
func (m PaymentMethod) Brand() *string { return optional(m.PaymentMethod.Brand) }

// Last4 is the end of a card's number.
func (m PaymentMethod) Last4() *string { return optional(m.PaymentMethod.Last4) }

// ExpMonth is 1 to 12.
func (m PaymentMethod) ExpMonth() *int { return optional(m.PaymentMethod.ExpMonth) }

// ExpYear has four digits.
func (m PaymentMethod) ExpYear() *int { return optional(m.PaymentMethod.ExpYear) }

// Failure is why an attempt to take money did not work.
type Failure struct{ core.Failure }

// ProviderCode is nil where the provider gave none.
func (f Failure) ProviderCode() *string { return optional(f.Failure.ProviderCode) }

func failure(why *core.Failure) *Failure {
	if why == nil {
		return nil
	}
	return &Failure{*why}
}

// Checkout is what a storefront asks to be paid, with its status as of now.
type Checkout struct {
	core.Checkout
	URL string // of its hosted page
}

// IsNode marks a type of the schema's interface Node.
func (Checkout) IsNode() {}

// Metadata is never nil: the schema has no null there.
func (c Checkout) Metadata() map[string]string { return object(c.Checkout.Metadata) }

// Buyer is who pays.
func (c Checkout) Buyer() Buyer { return Buyer{c.Checkout.Buyer} }

// Buyer is who pays, as far as the storefront told.
type Buyer struct{ core.Buyer }

// CustomerID is empty for none.
func (b Buyer) CustomerID() core.CustomerID { return b.Customer }

// Email is nil where not known.
func (b Buyer) Email() *string { return optional(b.Buyer.Email) }

// Name is nil where not known.
func (b Buyer) Name() *string { return optional(b.Buyer.Name) }

// Operation is one mutating call to a provider.
type Operation struct{ core.Operation }

// Amount is nil where it is about none.
func (o Operation) Amount() *core.Money { return optional(o.Operation.Amount) }

// IsNode marks a type of the schema's interface Node.
func (Operation) IsNode() {}

// Asked is nil where the subject says it all.
func (o Operation) Asked() *string { return optional(string(o.Operation.Asked)) }

// NextLookAt is zero once it is settled.
func (o Operation) NextLookAt() time.Time { return o.LookAt() }

// ProviderObjectID is nil before an answer named an object.
func (o Operation) ProviderObjectID() *string { return optional(o.ObjectID) }

// ProviderRequestID is nil where no answer came.
func (o Operation) ProviderRequestID() *string { return optional(o.RequestID) }

// Failure is nil unless the operation failed.
func (o Operation) Failure() *Failure { return failure(o.Operation.Failure) }

// TimelineEntry is one line of a payment's history.
type TimelineEntry struct{ core.TimelineEntry }

// Cause is who or what asked.
func (e TimelineEntry) Cause() Cause { return Cause{e.TimelineEntry.Cause} }

// Status is nil where the entry tells of none.
func (e TimelineEntry) Status() *string { return optional(e.TimelineEntry.Status) }

// From is nil where the entry tells of no status, as is To.
func (e TimelineEntry) From() *string { return optional(e.TimelineEntry.From) }

// To equals From where nothing moved.
func (e TimelineEntry) To() *string { return optional(e.TimelineEntry.To) }

// Verdict is empty where nothing was observed.
func (e TimelineEntry) Verdict() VerdictName { return VerdictName(e.TimelineEntry.Verdict) }

// Note is nil for none.
func (e TimelineEntry) Note() *string { return optional(e.TimelineEntry.Note) }

// Text is nil but for notes.
func (e TimelineEntry) Text() *string { return optional(e.TimelineEntry.Text) }

// TraceID is nil where nothing was traced.
func (e TimelineEntry) TraceID() *string { return optional(e.TimelineEntry.TraceID) }

// Cause is the input behind something that happened.
type Cause struct{ core.Cause }

// InboundEventID is empty but for webhooks.
func (c Cause) InboundEventID() core.InboundID { return c.Inbound }

// Actor is nil for none.
func (c Cause) Actor() *string { return optional(c.Cause.Actor) }

func object(values map[string]string) map[string]string {
	if values == nil {
		return map[string]string{}
	}
	return values
}

func optional[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

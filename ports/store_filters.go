package ports

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

// PaymentFilter selects payments; each zero field selects all.
type PaymentFilter struct {
	Reference     string
	Statuses      []core.PaymentStatus
	Customer      core.CustomerID
	Account       core.AccountName
	Provider      core.ProviderName
	Checkout      core.CheckoutID
	Subscription  core.SubscriptionID
	Amounts       Amounts
	CreatedAfter  time.Time // exclusive
	CreatedBefore time.Time // exclusive
	// Email is the customer's, or the one that the buyer of the checkout left, in any case.
	Email string
	Last4 string // of the method's number
	// ProviderID is the provider's id of the payment, or of the page that it is paid at.
	ProviderID  string
	Disputed    *bool // nil for both
	NeedsReview *bool // nil for both
}

// Amounts selects by currency and amount. The zero value selects all; the bounds mean nothing without a
// currency.
type Amounts struct {
	Currency    core.Currency
	Least, Most *int64 // minor units, inclusive; nil for no bound
}

// OperationFilter selects operations; each zero field selects all.
type OperationFilter struct {
	Statuses []core.OperationStatus
	Kinds    []core.OperationKind
	Account  core.AccountName
	Payment  core.PaymentID
	Subject  string
	ForStaff bool // those alone that wait for staff
}

// RefundFilter selects refunds; each zero field selects all.
type RefundFilter struct {
	Payment       core.PaymentID
	Account       core.AccountName
	Statuses      []core.RefundStatus
	Amounts       Amounts
	CreatedAfter  time.Time // exclusive
	CreatedBefore time.Time // exclusive
}

// ApprovalFilter selects approvals; each zero field selects all.
type ApprovalFilter struct {
	Payment  core.PaymentID
	Statuses []core.ApprovalStatus // as they are at Now
	Now      time.Time
}

// DisputeFilter selects disputes; each zero field selects all.
type DisputeFilter struct {
	Payment   core.PaymentID
	Account   core.AccountName
	Statuses  []core.DisputeStatus
	Reasons   []core.DisputeReason
	Owner     core.StaffID
	DueAfter  time.Time // exclusive, as below; what awaits no evidence is left out by it
	DueBefore time.Time
}

// SubscriptionFilter selects subscriptions; each zero field selects all.
type SubscriptionFilter struct {
	Customer      core.CustomerID
	Account       core.AccountName
	Price         core.PriceID
	Reference     string
	Statuses      []core.SubscriptionStatus
	CreatedAfter  time.Time // exclusive
	CreatedBefore time.Time // exclusive
}

// CustomerFilter selects customers; each zero field selects all.
type CustomerFilter struct {
	Email string // in any case
}

// CheckoutFilter selects checkouts; each zero field selects all.
type CheckoutFilter struct {
	Reference     string
	Customer      core.CustomerID
	Email         string                // that the buyer left, in any case
	Statuses      []core.CheckoutStatus // as they are at Now
	Now           time.Time
	CreatedAfter  time.Time // exclusive
	CreatedBefore time.Time // exclusive
}

// InboundFilter selects inbound events; each zero field selects all.
type InboundFilter struct {
	Account        core.AccountName
	Type           string
	Statuses       []core.InboundStatus
	ReceivedAfter  time.Time // exclusive
	ReceivedBefore time.Time // exclusive
}

// AuditFilter selects lines of the audit log; each zero field selects all.
type AuditFilter struct {
	Actor   string
	Action  string
	Subject string
	After   time.Time // exclusive
	Before  time.Time // exclusive
}

// Find is what is searched for: a text that is looked up as it is.
type Find struct {
	// Text is a reference, a provider's id, an email or the last four digits.
	Text string
	// WithoutEmails looks for no email: who may not see them must not find out by asking whose they are.
	WithoutEmails bool

	Limit int // of each kind of hit; 1 to core.PageItemsMax
}

// Found is one object that a search came to.
type Found struct {
	Kind FoundKind
	ID   string
}

// FoundKind says what was found.
type FoundKind string

// The kinds.
const (
	FoundPayment      FoundKind = "payment"
	FoundCheckout     FoundKind = "checkout"
	FoundRefund       FoundKind = "refund"
	FoundDispute      FoundKind = "dispute"
	FoundSubscription FoundKind = "subscription"
	FoundCustomer     FoundKind = "customer"
	FoundInbound      FoundKind = "inbound"
)

// NotificationFilter selects notifications; each zero field selects all.
type NotificationFilter struct {
	Endpoint core.EndpointID
	Event    core.EventID
	Subject  string
	Statuses []core.NotificationStatus
}

// TallyFilter says what to count.
type TallyFilter struct {
	// Edges are those of the buckets in order, the last being the end of the last bucket: a bucket holds
	// what was made at its edge or later, and before the next. At least two, at most [core.SummaryBucketsMax] + 1.
	Edges    []time.Time
	Currency core.Currency // empty for all
}

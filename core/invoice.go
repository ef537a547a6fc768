package core

import "time"

// InvoicesShownMax is how many invoices a look at a subscription gives at most. Older ones were
// seen before, each by its own events.
const InvoicesShownMax = 12

// InvoiceStatus is where an invoice stands.
type InvoiceStatus string

// The statuses of an invoice.
const (
	InvoiceDraft         InvoiceStatus = "draft"
	InvoiceOpen          InvoiceStatus = "open" // asked for; with attempts above 0 its payment fails
	InvoicePaid          InvoiceStatus = "paid"
	InvoiceUncollectible InvoiceStatus = "uncollectible"
	InvoiceVoid          InvoiceStatus = "void"
)

// invoiceMoves is the invoice's state machine. Pairs that are not named are [Impossible].
var invoiceMoves = map[InvoiceStatus]map[InvoiceStatus]Verdict{
	InvoiceDraft:         {InvoiceOpen: Advance, InvoicePaid: Advance, InvoiceUncollectible: Advance, InvoiceVoid: Advance},
	InvoiceOpen:          {InvoiceDraft: Stale, InvoicePaid: Advance, InvoiceUncollectible: Advance, InvoiceVoid: Advance},
	InvoicePaid:          {InvoiceDraft: Stale, InvoiceOpen: Stale},
	InvoiceUncollectible: {InvoiceDraft: Stale, InvoiceOpen: Stale, InvoicePaid: Advance, InvoiceVoid: Advance},
	InvoiceVoid:          {InvoiceDraft: Stale, InvoiceOpen: Stale},
}

// InvoiceStatuses lists all statuses in the order of the table of moves.
func InvoiceStatuses() []InvoiceStatus {
	return []InvoiceStatus{InvoiceDraft, InvoiceOpen, InvoicePaid, InvoiceUncollectible, InvoiceVoid}
}

// Known reports whether s is one of the statuses.
func (s InvoiceStatus) Known() bool {
	_, ok := invoiceMoves[s]
	return ok
}

// Judge tells what the seen status means for the held one.
func (s InvoiceStatus) Judge(seen InvoiceStatus) Verdict {
	if seen == s {
		return Stale
	}
	return invoiceMoves[s][seen]
}

// Invoice is what a subscription asks for one period, mirrored from the provider.
type Invoice struct {
	ID                InvoiceID
	Version           int64 // grows by one with every stored change; 0 before the first
	Subscription      SubscriptionID
	Account           AccountName
	ProviderInvoiceID string
	Payment           PaymentID // the newest that pays it; empty before the first
	Status            InvoiceStatus
	ForeignStatus     string
	AmountDue         Money
	AmountPaid        Money
	PeriodStart       time.Time
	PeriodEnd         time.Time
	Attempts          int       // to take its money
	NextAttempt       time.Time // zero where none is planned
	Anomaly           Reason
	IssuedAt          time.Time // at the provider
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// InvoiceSnapshot is the present state of a provider's invoice, in our words.
type InvoiceSnapshot struct {
	Ref           ProviderRef // its kind is [ObjectInvoice]
	Subscription  ProviderRef
	Payment       ProviderRef // the newest that pays it, as payments are known here; its ID is empty before the first
	Status        InvoiceStatus
	ForeignStatus string
	AmountDue     Money
	AmountPaid    Money
	PeriodStart   time.Time
	PeriodEnd     time.Time
	Attempts      int
	NextAttempt   time.Time
	Failure       *Failure // of the newest attempt; nil where none failed
	Environment   Environment
	IssuedAt      time.Time
}

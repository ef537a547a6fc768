package square

import (
	"encoding/json"
	"time"
)

// payment is a Payment.
//
// Source: developer.squareup.com/reference/square/objects/Payment.
type payment struct {
	ID                string         `json:"id"`
	CreatedAt         string         `json:"created_at"`
	UpdatedAt         string         `json:"updated_at"`
	AmountMoney       money          `json:"amount_money"`
	Status            string         `json:"status"`
	DelayDuration     string         `json:"delay_duration,omitempty"`
	DelayAction       string         `json:"delay_action,omitempty"`
	DelayedUntil      string         `json:"delayed_until,omitempty"`
	SourceType        string         `json:"source_type"`
	CardDetails       *cardDetails   `json:"card_details,omitempty"`
	BankDetails       map[string]any `json:"bank_account_details,omitempty"`
	LocationID        string         `json:"location_id"`
	OrderID           string         `json:"order_id"`
	ReferenceID       string         `json:"reference_id,omitempty"`
	CustomerID        string         `json:"customer_id,omitempty"`
	BuyerEmailAddress string         `json:"buyer_email_address,omitempty"`
	Note              string         `json:"note,omitempty"`
	Statement         string         `json:"statement_description_identifier,omitempty"`
	RiskEvaluation    map[string]any `json:"risk_evaluation,omitempty"`
	RefundIDs         []string       `json:"refund_ids,omitempty"`
	TotalMoney        money          `json:"total_money"`
	ApprovedMoney     *money         `json:"approved_money,omitempty"`
	RefundedMoney     *money         `json:"refunded_money,omitempty"`
	Capabilities      []string       `json:"capabilities,omitempty"`
	ReceiptNumber     string         `json:"receipt_number,omitempty"`
	ReceiptURL        string         `json:"receipt_url,omitempty"`
	Application       map[string]any `json:"application_details"`
	VersionToken      string         `json:"version_token"`

	created, updated time.Time
	delayedUntil     time.Time
	behavior         behavior
	key              string // of its creation; empty for none
	autocomplete     bool
	lapsed           bool  // ended by time, not by a call
	reserved         int64 // what refunds that did not fail were asked for, in the currency's smallest unit
	pending          []*refund
	dispute          *dispute // nil for none
	entry            string   // how the card came to it
	unasked          bool     // the buyer never heard that the card may be stored
	stored           bool     // the card was stored
}

// cardDetails is how a payment by card went.
//
// Source: developer.squareup.com/reference/square/objects/CardPaymentDetails.
type cardDetails struct {
	Status         string         `json:"status"`
	Card           *card          `json:"card"`
	EntryMethod    string         `json:"entry_method"`
	CVVStatus      string         `json:"cvv_status"`
	AVSStatus      string         `json:"avs_status"`
	AuthResultCode string         `json:"auth_result_code,omitempty"`
	Statement      string         `json:"statement_description,omitempty"`
	Timeline       map[string]any `json:"card_payment_timeline,omitempty"`
	Errors         []apiError     `json:"errors,omitempty"`
}

// refund is a PaymentRefund.
//
// Source: developer.squareup.com/reference/square/objects/PaymentRefund.
type refund struct {
	ID              string `json:"id"`
	Status          string `json:"status"`
	AmountMoney     money  `json:"amount_money"`
	PaymentID       string `json:"payment_id"`
	OrderID         string `json:"order_id"`
	Reason          string `json:"reason,omitempty"`
	LocationID      string `json:"location_id"`
	DestinationType string `json:"destination_type"`
	CreatedAt       string `json:"created_at"`
	UpdatedAt       string `json:"updated_at"`

	created, updated time.Time
	// slow says that it ends at its time or when it is told to, and not for being looked at.
	slow bool
}

// order is an Order, as far as payments need one.
//
// Source: developer.squareup.com/reference/square/objects/Order.
type order struct {
	ID          string            `json:"id"`
	LocationID  string            `json:"location_id"`
	ReferenceID string            `json:"reference_id,omitempty"`
	CustomerID  string            `json:"customer_id,omitempty"`
	LineItems   []lineItem        `json:"line_items,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	State       string            `json:"state"`
	Version     int64             `json:"version"`
	TotalMoney  money             `json:"total_money"`
	DueMoney    money             `json:"net_amount_due_money"`
	Tenders     []tender          `json:"tenders,omitempty"`
	CreatedAt   string            `json:"created_at"`
	UpdatedAt   string            `json:"updated_at"`
	ClosedAt    string            `json:"closed_at,omitempty"`

	// single says that the order came to be with its payment, which is the only one it can have.
	single bool
	// by is the payment that was last tried for it; nil for none.
	by *payment
	// invoice is the one that asks for it to be paid; nil for none.
	invoice *invoice
}

// lineItem is one of an order's.
type lineItem struct {
	UID            string `json:"uid,omitempty"`
	Name           string `json:"name,omitempty"`
	Quantity       string `json:"quantity"` // a text, as Square has it
	Note           string `json:"note,omitempty"`
	BasePriceMoney *money `json:"base_price_money,omitempty"`
	TotalMoney     *money `json:"total_money,omitempty"`
}

// tender is what an order was paid with.
type tender struct {
	ID            string         `json:"id"`
	LocationID    string         `json:"location_id"`
	TransactionID string         `json:"transaction_id"`
	CreatedAt     string         `json:"created_at"`
	AmountMoney   money          `json:"amount_money"`
	Type          string         `json:"type"`
	CardDetails   map[string]any `json:"card_details,omitempty"`
	PaymentID     string         `json:"payment_id"`
}

// link is a PaymentLink.
//
// Source: developer.squareup.com/reference/square/objects/PaymentLink.
type link struct {
	ID              string          `json:"id"`
	Version         int64           `json:"version"`
	Description     string          `json:"description,omitempty"`
	OrderID         string          `json:"order_id"`
	CheckoutOptions json.RawMessage `json:"checkout_options,omitempty"`
	PrePopulated    json.RawMessage `json:"pre_populated_data,omitempty"`
	URL             string          `json:"url"`
	LongURL         string          `json:"long_url"`
	CreatedAt       string          `json:"created_at"`
	PaymentNote     string          `json:"payment_note,omitempty"`

	redirect string // where the buyer goes on to; empty for nowhere
	asking   *card  // the one whose bank asks
	deleted  bool
}

// dispute is a Dispute.
//
// Source: developer.squareup.com/reference/square/objects/Dispute.
type dispute struct {
	ID              string            `json:"id"`
	DisputeID       string            `json:"dispute_id"` // the older name of the same
	AmountMoney     money             `json:"amount_money"`
	Reason          string            `json:"reason"`
	State           string            `json:"state"`
	DueAt           string            `json:"due_at"`
	DisputedPayment map[string]string `json:"disputed_payment"`
	CardBrand       string            `json:"card_brand,omitempty"`
	LocationID      string            `json:"location_id"`
	CreatedAt       string            `json:"created_at"`
	UpdatedAt       string            `json:"updated_at"`
	ReportedAt      string            `json:"reported_at"`
	EvidenceIDs     []string          `json:"evidence_ids,omitempty"`
	Version         int64             `json:"version"`

	created time.Time
}

// event is an Event. It never changes once it is made.
//
// Source: developer.squareup.com/docs/webhooks/overview.
type event struct {
	MerchantID string    `json:"merchant_id"`
	LocationID string    `json:"location_id"`
	Type       string    `json:"type"`
	EventID    string    `json:"event_id"`
	CreatedAt  string    `json:"created_at"`
	Data       eventData `json:"data"`

	created time.Time
}

type eventData struct {
	Type   string                     `json:"type"`
	ID     string                     `json:"id"`
	Object map[string]json.RawMessage `json:"object"`
}

// The kinds of objects that are held, in the order of a full list. Events are left out of
// that: they only repeat the others.
var kinds = []string{"payment", "refund", "order", "payment_link", "dispute", "evidence", "customer", "card", "plan", "plan_variation", "subscription", "invoice"}

// Kinds implements [engine.Dialect].
func (s *Server) Kinds() []string { return append(append([]string(nil), kinds...), "event") }

// Objects implements [engine.Dialect].
func (s *Server) Objects(kind string) ([]any, bool) {
	if kind == "" {
		var all []any
		for _, each := range kinds {
			objects, _ := s.Objects(each)
			all = append(all, objects...)
		}
		return all, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	switch kind {
	case "payment":
		return written(s.payments.All()), true
	case "refund":
		return written(s.refunds.All()), true
	case "order":
		return written(s.orders.All()), true
	case "payment_link":
		return written(s.links.All()), true
	case "dispute":
		return written(s.disputes.All()), true
	case "evidence":
		return written(s.heldEvidence()), true
	case "customer":
		return written(s.heldCustomers()), true
	case "card":
		return written(s.cards.All()), true
	case "plan":
		return written(s.catalogOf(typePlan)), true
	case "plan_variation":
		return written(s.catalogOf(typeVariation)), true
	case "subscription":
		return written(s.subscriptions.All()), true
	case "invoice":
		return written(s.invoices.All()), true
	case "event":
		return written(s.events.All()), true
	}
	return nil, false
}

// written are objects as they stand now.
func written[T any](objects []T) []any {
	all := make([]any, len(objects))
	for n, one := range objects {
		all[n] = shown(one)
	}
	return all
}

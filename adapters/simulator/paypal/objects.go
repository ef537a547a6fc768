package paypal

import (
	"encoding/json"
	"time"
)

// The statuses of orders, authorizations, captures and refunds.
//
// Source: PayPal's API descriptions of orders v2 and payments v2.
const (
	statusCreated           = "CREATED"
	statusActionRequired    = "PAYER_ACTION_REQUIRED"
	statusApproved          = "APPROVED"
	statusCompleted         = "COMPLETED"
	statusPending           = "PENDING"
	statusDenied            = "DENIED"
	statusDeclined          = "DECLINED"
	statusFailed            = "FAILED"
	statusVoided            = "VOIDED"
	statusCaptured          = "CAPTURED"
	statusPartlyCaptured    = "PARTIALLY_CAPTURED"
	statusRefunded          = "REFUNDED"
	statusPartlyRefunded    = "PARTIALLY_REFUNDED"
	intentCapture           = "CAPTURE"
	intentAuthorize         = "AUTHORIZE"
	sourcePayPal            = "paypal"
	sourceCard              = "card"
	payerID                 = "PAYERSZ234567"
	merchantID              = "MERCHANT23456"
	payerMail, merchantMail = "buyer@personal.example.com", "shop@business.example.com"
)

// Ways that money is held for a while only.
//
// Source: developer.paypal.com/docs/checkout/standard/customize/authorization.
const (
	orderLife         = 3 * time.Hour              // to approve it
	honorLife         = 3 * 24 * time.Hour         // that money is certain to be there
	authorizationLife = 29 * 24 * time.Hour        // to capture it
	refundLife        = 180 * 24 * time.Hour       // to give money back
	eventLife         = 30 * 24 * time.Hour        // that events are listed for
	disputeListLife   = 180 * 24 * time.Hour       // that disputes are listed for
	sellerTime        = 10 * 24 * time.Hour        // to answer a dispute
	timeFormat        = time.RFC3339               // of most times
	eventTimeFormat   = "2006-01-02T15:04:05.000Z" // of events
	reportTimeFormat  = "2006-01-02T15:04:05-0700" // of reports: the offset has no colon
)

func timeText(at time.Time) string { return at.UTC().Format(timeFormat) }

type link struct {
	Href   string `json:"href"`
	Rel    string `json:"rel"`
	Method string `json:"method"`
}

// experience is how PayPal shows itself to the buyer.
type experience struct {
	ReturnURL        string `json:"return_url"`
	CancelURL        string `json:"cancel_url"`
	MethodPreference string `json:"payment_method_preference"`
}

// order is what a buyer agrees to pay.
type order struct {
	question
	id, intent, status string
	units              []*unit
	currency           string
	source             string      // sourcePayPal, sourceCard, or empty while nobody said
	hasSource          bool        // it was created with a payment_source
	context            *experience // nil where none was given
	created, updated   time.Time
	told               bool          // of the approval
	funding            *card         // that the buyer agreed to pay with
	saveTo             *customerWire // whose it is to be saved as, once it is paid; nil for not
	saved              *paymentToken // that came of it
	charged            *paymentToken // that it was made to be paid with
	// subscription is what it is a payment of. Nobody made such an order, or can see it.
	subscription *subscription
}

// unit is one purchase unit.
type unit struct {
	referenceID, description, customID, invoiceID, descriptor string
	amount                                                    int64
	breakdown, items                                          json.RawMessage // as they were given

	authorizations []*authorization
	captures       []*capture
	refunds        []*refund
}

// authorization is money that is held.
type authorization struct {
	id, status, reason string
	order              *order
	unit               *unit
	amount, captured   int64
	funding            *card
	created, updated   time.Time
	expires            time.Time
	expired            bool
	// again says that it came of a reauthorization, of which there is one only.
	again bool
}

// capture is money that was taken, or was to be.
type capture struct {
	id, status, reason string
	order              *order
	unit               *unit
	authorization      *authorization // nil where the order itself was captured
	amount, refunded   int64
	final              bool
	invoiceID          string
	funding            *card
	created, updated   time.Time
	dispute            *dispute // the last one; nil for none
}

// refund is money that was given back.
type refund struct {
	id, status, reason        string
	capture                   *capture
	amount                    int64
	invoiceID, customID, note string
	created, updated          time.Time
}

// dispute is a case of the buyer's.
type dispute struct {
	id, reason, stage, status, outcome string
	currency                           string
	amount                             int64
	captures                           []*capture
	evidence                           []evidenceWire
	created, updated                   time.Time
	respondBy                          time.Time // while the seller is waited for
}

// event is a webhook event, as it was posted. It never changes once it is made.
type event struct {
	id, kind string
	resource string // its id
	at       time.Time
	text     []byte
}

type processorResponse struct {
	AVSCode      string `json:"avs_code"`
	CVVCode      string `json:"cvv_code"`
	ResponseCode string `json:"response_code"`
	AdviceCode   string `json:"payment_advice_code,omitempty"`
}

type statusDetails struct {
	Reason string `json:"reason"`
}

type payee struct {
	Email      string `json:"email_address"`
	MerchantID string `json:"merchant_id"`
}

type relatedIDs struct {
	RelatedIDs map[string]string `json:"related_ids"`
}

type fullName struct {
	Given   string `json:"given_name"`
	Surname string `json:"surname"`
}

type payer struct {
	Name    fullName          `json:"name"`
	Email   string            `json:"email_address"`
	PayerID string            `json:"payer_id"`
	Address map[string]string `json:"address"`
}

type amountWithBreakdown struct {
	money
	Breakdown json.RawMessage `json:"breakdown,omitempty"`
}

type orderWire struct {
	ID            string         `json:"id"`
	Intent        string         `json:"intent,omitempty"`
	Status        string         `json:"status"`
	PaymentSource map[string]any `json:"payment_source,omitempty"`
	PurchaseUnits []unitWire     `json:"purchase_units,omitempty"`
	Payer         *payer         `json:"payer,omitempty"`
	CreateTime    string         `json:"create_time,omitempty"`
	UpdateTime    string         `json:"update_time,omitempty"`
	Links         []link         `json:"links"`
}

type unitWire struct {
	ReferenceID    string              `json:"reference_id"`
	Amount         amountWithBreakdown `json:"amount"`
	Payee          payee               `json:"payee"`
	Description    string              `json:"description,omitempty"`
	CustomID       string              `json:"custom_id,omitempty"`
	InvoiceID      string              `json:"invoice_id,omitempty"`
	SoftDescriptor string              `json:"soft_descriptor,omitempty"`
	Items          json.RawMessage     `json:"items,omitempty"`
	Payments       *paymentsWire       `json:"payments,omitempty"`
}

type paymentsWire struct {
	Authorizations []authorizationWire `json:"authorizations,omitempty"`
	Captures       []captureWire       `json:"captures,omitempty"`
	Refunds        []refundWire        `json:"refunds,omitempty"`
}

type authorizationWire struct {
	ID                string             `json:"id"`
	Status            string             `json:"status"`
	StatusDetails     *statusDetails     `json:"status_details,omitempty"`
	Amount            *money             `json:"amount,omitempty"`
	InvoiceID         string             `json:"invoice_id,omitempty"`
	CustomID          string             `json:"custom_id,omitempty"`
	SellerProtection  map[string]any     `json:"seller_protection,omitempty"`
	ProcessorResponse *processorResponse `json:"processor_response,omitempty"`
	ExpirationTime    string             `json:"expiration_time,omitempty"`
	SupplementaryData *relatedIDs        `json:"supplementary_data,omitempty"`
	Payee             *payee             `json:"payee,omitempty"`
	CreateTime        string             `json:"create_time,omitempty"`
	UpdateTime        string             `json:"update_time,omitempty"`
	Links             []link             `json:"links"`
}

type captureWire struct {
	ID                string             `json:"id"`
	Status            string             `json:"status"`
	StatusDetails     *statusDetails     `json:"status_details,omitempty"`
	Amount            *money             `json:"amount,omitempty"`
	FinalCapture      *bool              `json:"final_capture,omitempty"`
	InvoiceID         string             `json:"invoice_id,omitempty"`
	CustomID          string             `json:"custom_id,omitempty"`
	SellerProtection  map[string]any     `json:"seller_protection,omitempty"`
	Breakdown         map[string]money   `json:"seller_receivable_breakdown,omitempty"`
	ProcessorResponse *processorResponse `json:"processor_response,omitempty"`
	SupplementaryData *relatedIDs        `json:"supplementary_data,omitempty"`
	Payee             *payee             `json:"payee,omitempty"`
	CreateTime        string             `json:"create_time,omitempty"`
	UpdateTime        string             `json:"update_time,omitempty"`
	Links             []link             `json:"links"`
}

type refundWire struct {
	ID            string           `json:"id"`
	Status        string           `json:"status"`
	StatusDetails *statusDetails   `json:"status_details,omitempty"`
	Amount        *money           `json:"amount,omitempty"`
	InvoiceID     string           `json:"invoice_id,omitempty"`
	CustomID      string           `json:"custom_id,omitempty"`
	NoteToPayer   string           `json:"note_to_payer,omitempty"`
	Breakdown     map[string]money `json:"seller_payable_breakdown,omitempty"`
	Payer         *payee           `json:"payer,omitempty"`
	CreateTime    string           `json:"create_time,omitempty"`
	UpdateTime    string           `json:"update_time,omitempty"`
	Links         []link           `json:"links"`
}

type disputeWire struct {
	ID                   string          `json:"dispute_id"`
	CreateTime           string          `json:"create_time"`
	UpdateTime           string          `json:"update_time"`
	DisputedTransactions []disputedWire  `json:"disputed_transactions,omitempty"`
	Reason               string          `json:"reason"`
	Status               string          `json:"status"`
	State                string          `json:"dispute_state"`
	Amount               money           `json:"dispute_amount"`
	Outcome              *disputeOutcome `json:"dispute_outcome,omitempty"`
	Stage                string          `json:"dispute_life_cycle_stage"`
	Channel              string          `json:"dispute_channel"`
	ResponseDue          string          `json:"seller_response_due_date,omitempty"`
	Options              map[string]any  `json:"allowed_response_options,omitempty"`
	Evidences            []evidenceWire  `json:"evidences,omitempty"`
	Links                []link          `json:"links"`
}

type disputedWire struct {
	SellerTransactionID string `json:"seller_transaction_id"`
	CreateTime          string `json:"create_time"`
	TransactionStatus   string `json:"transaction_status"`
	GrossAmount         money  `json:"gross_amount"`
	InvoiceNumber       string `json:"invoice_number,omitempty"`
	Custom              string `json:"custom,omitempty"`
}

type disputeOutcome struct {
	Code           string `json:"outcome_code"`
	AmountRefunded *money `json:"amount_refunded,omitempty"`
}

type eventWire struct {
	ID              string `json:"id"`
	EventVersion    string `json:"event_version"`
	CreateTime      string `json:"create_time"`
	ResourceType    string `json:"resource_type"`
	ResourceVersion string `json:"resource_version"`
	EventType       string `json:"event_type"`
	Summary         string `json:"summary"`
	Resource        any    `json:"resource"`
	Links           []link `json:"links"`
}

package stripe

import (
	"encoding/json"
	"maps"
)

// intent is a PaymentIntent. What a client may not see is not exported.
//
// Source: docs.stripe.com/api/payment_intents/object.
type intent struct {
	ID                        string            `json:"id"`
	Object                    string            `json:"object"`
	Amount                    int64             `json:"amount"`
	AmountCapturable          int64             `json:"amount_capturable"`
	AmountDetails             map[string]any    `json:"amount_details"`
	AmountReceived            int64             `json:"amount_received"`
	Application               *string           `json:"application"`
	ApplicationFeeAmount      *int64            `json:"application_fee_amount"`
	AutomaticPaymentMethods   map[string]any    `json:"automatic_payment_methods"`
	CanceledAt                *int64            `json:"canceled_at"`
	CancellationReason        *string           `json:"cancellation_reason"`
	CaptureMethod             string            `json:"capture_method"`
	ClientSecret              string            `json:"client_secret,omitempty"`
	ConfirmationMethod        string            `json:"confirmation_method"`
	Created                   int64             `json:"created"`
	Currency                  string            `json:"currency"`
	Customer                  *string           `json:"customer"`
	Description               *string           `json:"description"`
	Invoice                   any               `json:"invoice"` // null, id or object
	LastPaymentError          *apiError         `json:"last_payment_error"`
	LatestCharge              any               `json:"latest_charge"` // null, id or object
	Livemode                  bool              `json:"livemode"`
	Metadata                  map[string]string `json:"metadata,omitzero"`
	NextAction                map[string]any    `json:"next_action"`
	PaymentMethod             any               `json:"payment_method"` // null, id or object
	PaymentMethodTypes        []string          `json:"payment_method_types"`
	Processing                map[string]any    `json:"processing"`
	ReceiptEmail              *string           `json:"receipt_email"`
	SetupFutureUsage          *string           `json:"setup_future_usage"`
	StatementDescriptor       *string           `json:"statement_descriptor"`
	StatementDescriptorSuffix *string           `json:"statement_descriptor_suffix"`
	Status                    string            `json:"status"`

	charge  string         // the latest one's id
	method  *paymentMethod // what it is, or is about to be paid with
	invoice *invoice       // that it pays; nil for none
}

// paymentMethod is a PaymentMethod of type card.
type paymentMethod struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	BillingDetails map[string]any    `json:"billing_details"`
	Card           map[string]any    `json:"card"`
	Created        int64             `json:"created"`
	Customer       *string           `json:"customer"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	Type           string            `json:"type"`

	card  *card
	setUp bool // its bank agreed to its use without the holder
	spent bool // used or let go while it is no customer's, and so of no more use
	saved bool // was a customer's at some time
}

// copied is the method as it stands now, which later changes leave alone.
func (m *paymentMethod) copied() *paymentMethod {
	c := *m
	c.Metadata, c.BillingDetails = maps.Clone(m.Metadata), maps.Clone(m.BillingDetails)
	return &c
}

// charge is a Charge.
//
// Source: docs.stripe.com/api/charges/object.
type charge struct {
	ID                   string            `json:"id"`
	Object               string            `json:"object"`
	Amount               int64             `json:"amount"`
	AmountCaptured       int64             `json:"amount_captured"`
	AmountRefunded       int64             `json:"amount_refunded"`
	Captured             bool              `json:"captured"`
	Created              int64             `json:"created"`
	Currency             string            `json:"currency"`
	Customer             *string           `json:"customer"`
	Description          *string           `json:"description"`
	Disputed             bool              `json:"disputed"`
	FailureCode          *string           `json:"failure_code"`
	FailureMessage       *string           `json:"failure_message"`
	Invoice              *string           `json:"invoice"`
	Livemode             bool              `json:"livemode"`
	Metadata             map[string]string `json:"metadata"`
	Outcome              map[string]any    `json:"outcome"`
	Paid                 bool              `json:"paid"`
	PaymentIntent        any               `json:"payment_intent"` // id or object
	PaymentMethod        string            `json:"payment_method"`
	PaymentMethodDetails map[string]any    `json:"payment_method_details"`
	Refunded             bool              `json:"refunded"`
	Refunds              *listOf           `json:"refunds,omitempty"` // only where it is expanded
	Status               string            `json:"status"`

	intent   string
	behavior behavior  // what the card still has in store
	refunds  []*refund // oldest first
	dispute  *dispute  // nil for none
}

// event is an Event. It never changes once it is made.
//
// Source: docs.stripe.com/api/events/object.
type event struct {
	ID              string         `json:"id"`
	Object          string         `json:"object"`
	APIVersion      string         `json:"api_version"`
	Created         int64          `json:"created"`
	Data            eventData      `json:"data"`
	Livemode        bool           `json:"livemode"`
	PendingWebhooks int            `json:"pending_webhooks"`
	Request         map[string]any `json:"request"`
	Type            string         `json:"type"`
}

type eventData struct {
	Object json.RawMessage `json:"object"`
}

// listOf is a page of objects.
type listOf struct {
	Object  string `json:"object"`
	Data    any    `json:"data"`
	HasMore bool   `json:"has_more"`
	URL     string `json:"url"`
}

// copied is the intent as it stands now, which later changes leave alone.
func (i *intent) copied() *intent {
	c := *i
	c.Metadata = maps.Clone(i.Metadata)
	if i.charge != "" {
		c.LatestCharge = i.charge
	}
	if i.method != nil {
		c.PaymentMethod = i.method.ID
	}
	if i.LastPaymentError != nil {
		failure := *i.LastPaymentError
		c.LastPaymentError = &failure
	}
	return &c
}

// shown is the intent as an answer shows it. The caller holds mu.
func (s *Server) shown(i *intent, in *request) *intent { return s.shownUnder(i, in, "") }

// shownUnder is the intent as an answer shows it at a place, "payment_intent."; empty for the
// answer itself. The caller holds mu.
func (s *Server) shownUnder(i *intent, in *request, place string) *intent {
	c := i.copied()
	if of, ok := s.charges.Get(i.charge); ok && in.reaches(place+"latest_charge") {
		c.LatestCharge = shownCharge(of, in, place+"latest_charge.")
	}
	if i.method != nil && in.expands(place+"payment_method") {
		c.PaymentMethod = i.method.copied()
	}
	if i.invoice != nil && in.reaches(place+"invoice") && !in.public {
		c.Invoice = s.shownInvoice(i.invoice, in, place+"invoice.")
	}
	if in.public { // whoever pays sees no more than paying takes
		c.Metadata, c.Description = nil, nil
	}
	return c
}

// shownCharge is a charge as an answer shows it at a place.
func shownCharge(c *charge, in *request, place string) *charge {
	shown := *c
	if in.expands(place + "refunds") {
		shown.Refunds = listOfRefunds(c)
	}
	return &shown
}

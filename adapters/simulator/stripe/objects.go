package stripe

import (
	"encoding/json"
	"maps"
)

// intent is a PaymentIntent. What a client may not see is not exported.
type intent struct {
	ID                      string            `json:"id"`
	Object                  string            `json:"object"`
	Amount                  int64             `json:"amount"`
	AmountCapturable        int64             `json:"amount_capturable"`
	AmountDetails           map[string]any    `json:"amount_details"`
	AmountReceived          int64             `json:"amount_received"`
	AutomaticPaymentMethods map[string]any    `json:"automatic_payment_methods"`
	CanceledAt              *int64            `json:"canceled_at"`
	CancellationReason      *string           `json:"cancellation_reason"`
	CaptureMethod           string            `json:"capture_method"`
	ClientSecret            string            `json:"client_secret"`
	ConfirmationMethod      string            `json:"confirmation_method"`
	Created                 int64             `json:"created"`
	Currency                string            `json:"currency"`
	Customer                *string           `json:"customer"`
	Description             *string           `json:"description"`
	LastPaymentError        *apiFailure       `json:"last_payment_error"`
	LatestCharge            any               `json:"latest_charge"` // id or object
	Livemode                bool              `json:"livemode"`
	Metadata                map[string]string `json:"metadata"`
	NextAction              map[string]any    `json:"next_action"`
	PaymentMethod           *string           `json:"payment_method"`
	PaymentMethodTypes      []string          `json:"payment_method_types"`
	Status                  string            `json:"status"`

	charge     string // the latest one's id
	card       *card  // what is being paid with, while authentication is waited for
	authorized int64  // when money was held; 0 for never
}

// apiFailure is a PaymentIntent's last_payment_error.
type apiFailure struct {
	Type          string         `json:"type"`
	Code          string         `json:"code"`
	DeclineCode   string         `json:"decline_code,omitempty"`
	Message       string         `json:"message"`
	Charge        string         `json:"charge,omitempty"`
	PaymentMethod map[string]any `json:"payment_method,omitempty"`
}

// charge is a Charge.
type charge struct {
	ID                   string            `json:"id"`
	Object               string            `json:"object"`
	Amount               int64             `json:"amount"`
	AmountCaptured       int64             `json:"amount_captured"`
	AmountRefunded       int64             `json:"amount_refunded"`
	Captured             bool              `json:"captured"`
	Created              int64             `json:"created"`
	Currency             string            `json:"currency"`
	Description          *string           `json:"description"`
	Disputed             bool              `json:"disputed"`
	FailureCode          *string           `json:"failure_code"`
	FailureMessage       *string           `json:"failure_message"`
	Livemode             bool              `json:"livemode"`
	Metadata             map[string]string `json:"metadata"`
	Outcome              map[string]any    `json:"outcome"`
	Paid                 bool              `json:"paid"`
	PaymentIntent        string            `json:"payment_intent"`
	PaymentMethod        string            `json:"payment_method"`
	PaymentMethodDetails map[string]any    `json:"payment_method_details"`
	Refunded             bool              `json:"refunded"`
	Status               string            `json:"status"`
}

// dispute is a Dispute, as far as it is told of here.
type dispute struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Charge        string            `json:"charge"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	Livemode      bool              `json:"livemode"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        string            `json:"reason"`
	Status        string            `json:"status"`
}

// event is an Event.
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
	c.LatestCharge = nil
	if i.charge != "" {
		c.LatestCharge = i.charge
	}
	if i.LastPaymentError != nil {
		failure := *i.LastPaymentError
		c.LastPaymentError = &failure
	}
	return &c
}

// shown is the intent as an answer shows it; expanded holds what was asked to be put in.
func (s *Server) shown(i *intent, in *request) *intent {
	c := i.copied()
	if i.charge != "" && (in.expands("latest_charge") || in.expands("data.latest_charge")) {
		if of, ok := s.charges.byID[i.charge]; ok {
			latest := *of
			c.LatestCharge = &latest
		}
	}
	if in.public { // whoever pays sees no more than paying takes
		c.Metadata = nil
	}
	return c
}

func (in *request) expands(name string) bool {
	for key, value := range in.params {
		if fits("expand[*]", key) && value == name {
			return true
		}
	}
	return false
}

package core

import "time"

// InboundStatus is what became of a provider's message.
type InboundStatus string

// The statuses of an inbound event.
const (
	InboundReceived  InboundStatus = "received"  // stored, its job not done yet
	InboundProcessed InboundStatus = "processed" // its object was looked at since
	InboundIgnored   InboundStatus = "ignored"   // of a type that concerns nothing we keep
	InboundFailed    InboundStatus = "failed"    // given up; staff can replay it
)

// InboundSource says how a provider's message came.
type InboundSource string

// The sources of inbound events.
const (
	InboundWebhook  InboundSource = "webhook"
	InboundBackfill InboundSource = "backfill" // from the provider's list, since no webhook brought it
)

// Known reports whether s is one of the sources.
func (s InboundSource) Known() bool { return s == InboundWebhook || s == InboundBackfill }

// Delivery is one webhook post whose signature was found good, as it goes into the
// journal.
type Delivery struct {
	Account         AccountName `json:"account"`
	ProviderEventID string      `json:"provider_event_id"`
	Type            string      `json:"type"` // the provider's word
	// Ref is the object to look at; zero where the type concerns nothing we keep.
	Ref        ProviderRef `json:"ref"`
	APIVersion string      `json:"api_version,omitempty"` // of the payload; empty where the provider names none
	ReceivedAt time.Time   `json:"received_at"`
	Body       []byte      `json:"body"`            // raw, as signed
	Trace      string      `json:"trace,omitempty"` // W3C traceparent of the delivery; empty where not traced
	// Source is how it came; empty for a webhook.
	Source InboundSource `json:"source,omitempty"`
}

// InboundEvent is a provider's message as stored, once per account and provider event
// id however often it was delivered.
type InboundEvent struct {
	ID              InboundID
	Account         AccountName
	ProviderEventID string
	Type            string
	Source          InboundSource
	Status          InboundStatus
	Ref             ProviderRef
	APIVersion      string
	Body            []byte // raw; sealed at rest
	Note            string // why it was ignored, or the last error; fit for staff
	ReceivedAt      time.Time
	ProcessedAt     time.Time // zero until processed, ignored or failed
}

// NewInboundEvent is a delivery as the inbox first stores it.
func NewInboundEvent(id InboundID, d Delivery) InboundEvent {
	e := InboundEvent{
		ID: id, Account: d.Account, ProviderEventID: d.ProviderEventID, Type: d.Type, Source: d.Source,
		Status: InboundReceived, Ref: d.Ref, APIVersion: d.APIVersion, Body: d.Body, ReceivedAt: d.ReceivedAt,
	}
	if e.Source == "" {
		e.Source = InboundWebhook
	}
	if d.Ref.IsZero() {
		e.Status, e.ProcessedAt, e.Note = InboundIgnored, d.ReceivedAt, "type concerns nothing kept here"
	}
	return e
}

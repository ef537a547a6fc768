package core

import "time"

// EventType names what happened, for storefronts (contract 4.4).
type EventType string

// The types of events.
const (
	EventCheckoutCompleted     EventType = "checkout.completed"
	EventCheckoutExpired       EventType = "checkout.expired"
	EventPaymentRequiresAction EventType = "payment.requires_action"
	EventPaymentProcessing     EventType = "payment.processing"
	EventPaymentAuthorized     EventType = "payment.authorized"
	EventPaymentSucceeded      EventType = "payment.succeeded"
	EventPaymentFailed         EventType = "payment.failed"
	EventPaymentCanceled       EventType = "payment.canceled"
	EventPaymentNeedsReview    EventType = "payment.needs_review"
)

// EventTypes lists all types.
func EventTypes() []EventType {
	return []EventType{
		EventCheckoutCompleted, EventCheckoutExpired, EventPaymentRequiresAction, EventPaymentProcessing,
		EventPaymentAuthorized, EventPaymentSucceeded, EventPaymentFailed, EventPaymentCanceled,
		EventPaymentNeedsReview,
	}
}

// Event is something that happened to an object of ours, told in the transaction that
// made it happen.
type Event struct {
	ID         EventID
	Sequence   int64 // given by the store, growing; 0 before it is stored
	Type       EventType
	Subject    string // the object's id, for example "pay_…"
	Data       []byte // JSON: the object as the API showed it at that moment
	OccurredAt time.Time
}

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
	// EventPaymentExpiring tells that an authorization runs out soon.
	EventPaymentExpiring EventType = "payment.expiring"

	EventRefundPending   EventType = "refund.pending"
	EventRefundSucceeded EventType = "refund.succeeded"
	EventRefundFailed    EventType = "refund.failed" // also of one that was canceled

	EventDisputeOpened  EventType = "dispute.opened"
	EventDisputeUpdated EventType = "dispute.updated"
	EventDisputeClosed  EventType = "dispute.closed"
	// EventDisputeReminder tells that a dispute's deadline is near.
	EventDisputeReminder EventType = "dispute.reminder"

	EventSubscriptionCreated  EventType = "subscription.created"
	EventSubscriptionUpdated  EventType = "subscription.updated"
	EventSubscriptionPastDue  EventType = "subscription.past_due"
	EventSubscriptionPaused   EventType = "subscription.paused"
	EventSubscriptionCanceled EventType = "subscription.canceled"

	EventInvoicePaid          EventType = "invoice.paid"
	EventInvoicePaymentFailed EventType = "invoice.payment_failed"
)

// EventTypes lists all types.
func EventTypes() []EventType {
	return []EventType{
		EventCheckoutCompleted, EventCheckoutExpired, EventPaymentRequiresAction, EventPaymentProcessing,
		EventPaymentAuthorized, EventPaymentSucceeded, EventPaymentFailed, EventPaymentCanceled,
		EventPaymentNeedsReview, EventPaymentExpiring,
		EventRefundPending, EventRefundSucceeded, EventRefundFailed,
		EventDisputeOpened, EventDisputeUpdated, EventDisputeClosed, EventDisputeReminder,
		EventSubscriptionCreated, EventSubscriptionUpdated, EventSubscriptionPastDue, EventSubscriptionPaused, EventSubscriptionCanceled,
		EventInvoicePaid, EventInvoicePaymentFailed,
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

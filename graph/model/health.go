package model

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// MarshalWebhookState writes a state.
func MarshalWebhookState(word core.WebhookState) graphql.Marshaler { return enum(word) }

// UnmarshalWebhookState reads a state.
func UnmarshalWebhookState(value any) (core.WebhookState, error) {
	return readEnum[core.WebhookState](value)
}

// ProviderHealth is how an account is doing.
type ProviderHealth struct{ ports.AccountHealth }

// Reachable is false while no calls are sent.
func (h ProviderHealth) Reachable() bool { return !h.Health.Down }

// Webhook is how its webhooks are doing.
func (h ProviderHealth) Webhook() *WebhookHealth { return &WebhookHealth{h.AccountHealth} }

// WebhookHealth is how an account's webhooks are doing.
type WebhookHealth struct{ ports.AccountHealth }

// URL is what webhooks are posted to.
func (h WebhookHealth) URL() string { return h.Address }

// State is of the registration.
func (h WebhookHealth) State() core.WebhookState { return h.Webhook.State }

// MissingTypes are needed and not sent.
func (h WebhookHealth) MissingTypes() []string { return h.Webhook.Missing }

// APIVersions are those of the registration.
func (h WebhookHealth) APIVersions() []string { return h.Webhook.APIVersions }

// CheckedAt is zero before the first look that did not fail.
func (h WebhookHealth) CheckedAt() time.Time { return h.Webhook.CheckedAt }

// TriedAt is zero before the first look.
func (h WebhookHealth) TriedAt() time.Time { return h.Webhook.TriedAt }

// Note is nil where the last look did not fail.
func (h WebhookHealth) Note() *string { return optional(h.Webhook.Note) }

// LastEventAt is zero where none ever came.
func (h WebhookHealth) LastEventAt() time.Time {
	if len(h.Last) == 0 {
		return time.Time{}
	}
	return h.Last[0].ReceivedAt
}

// LastEvents are the newest of each type.
func (h WebhookHealth) LastEvents() []LastWebhookEvent {
	events := make([]LastWebhookEvent, len(h.Last))
	for i, last := range h.Last {
		events[i] = LastWebhookEvent{last}
	}
	return events
}

// Received counts verified posts.
func (h WebhookHealth) Received() int64 { return h.Counts[core.DeliveryReceived] }

// RejectedSignatures counts posts that nobody vouches for.
func (h WebhookHealth) RejectedSignatures() int64 { return h.Counts[core.DeliveryInvalidSignature] }

// Refused counts verified posts that were of no use.
func (h WebhookHealth) Refused() int64 { return h.Posts() - h.Received() - h.RejectedSignatures() }

// LastMissedAt is zero for none.
func (h WebhookHealth) LastMissedAt() time.Time { return h.LastMissed }

// LastWebhookEvent is the newest event of a type.
type LastWebhookEvent struct{ core.LastEvent }

// APIVersion is nil where the provider names none.
func (e LastWebhookEvent) APIVersion() *string { return optional(e.LastEvent.APIVersion) }

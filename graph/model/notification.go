package model

import (
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Notification is one event on its way to one endpoint.
type Notification struct{ core.Notification }

// IsNode marks a type of the schema's interface Node.
func (Notification) IsNode() {}

// EndpointID is where it goes.
func (n Notification) EndpointID() core.EndpointID { return n.Endpoint }

// EventID is what it tells of.
func (n Notification) EventID() core.EventID { return n.Event }

// DueAt is zero where no try is to come.
func (n Notification) DueAt() time.Time {
	if n.Status != core.NotificationPending {
		return time.Time{}
	}
	return n.Notification.DueAt
}

// AnswerStatus is nil where no answer came.
func (n Notification) AnswerStatus() *int { return optional(n.Notification.AnswerStatus) }

// Answer is made readable: an endpoint may answer anything.
func (n Notification) Answer() *string {
	return optional(strings.ToValidUTF8(string(n.Notification.Answer), "�"))
}

// Error is nil where the last try came to something.
func (n Notification) Error() *string { return optional(n.Notification.Error) }

// NotificationConnection is a page of notifications.
type NotificationConnection struct {
	Edges    []NotificationEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c NotificationConnection) Nodes() []Notification {
	nodes := make([]Notification, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// NotificationEdge is one of them and its place in the list.
type NotificationEdge struct {
	Cursor string
	Node   Notification
}

// WebhookEndpoint is where the storefront is notified, with what it has not taken yet.
type WebhookEndpoint struct {
	core.Endpoint
	Pending ports.EndpointWaiting
}

// Types is never nil: the schema has no null there.
func (e WebhookEndpoint) Types() []string {
	types := make([]string, len(e.Endpoint.Types))
	for i, one := range e.Endpoint.Types {
		types[i] = string(one)
	}
	return types
}

// Waiting is how many notifications it has not taken yet.
func (e WebhookEndpoint) Waiting() int64 { return e.Pending.Count }

// WaitingSince is when the oldest of them was made; zero for none.
func (e WebhookEndpoint) WaitingSince() time.Time { return e.Pending.Oldest }

// MarshalNotificationStatus writes a status.
func MarshalNotificationStatus(word core.NotificationStatus) graphql.Marshaler { return enum(word) }

// UnmarshalNotificationStatus reads a status.
func UnmarshalNotificationStatus(value any) (core.NotificationStatus, error) {
	return readEnum[core.NotificationStatus](value)
}

// MarshalEndpointDisabledReason writes a reason, and null for none.
func MarshalEndpointDisabledReason(word core.DisabledReason) graphql.Marshaler { return enum(word) }

// UnmarshalEndpointDisabledReason reads a reason.
func UnmarshalEndpointDisabledReason(value any) (core.DisabledReason, error) {
	return readEnum[core.DisabledReason](value)
}

// MarshalNotificationID writes an id.
func MarshalNotificationID(id core.NotificationID) graphql.Marshaler { return text(string(id)) }

// UnmarshalNotificationID reads an id.
func UnmarshalNotificationID(value any) (core.NotificationID, error) {
	return readID[core.NotificationID](value)
}

// MarshalEndpointID writes an id.
func MarshalEndpointID(id core.EndpointID) graphql.Marshaler { return text(string(id)) }

// UnmarshalEndpointID reads an id.
func UnmarshalEndpointID(value any) (core.EndpointID, error) { return readID[core.EndpointID](value) }

// MarshalEventID writes an id.
func MarshalEventID(id core.EventID) graphql.Marshaler { return text(string(id)) }

// UnmarshalEventID reads an id.
func UnmarshalEventID(value any) (core.EventID, error) { return readID[core.EventID](value) }

// MarshalEventType writes a type.
func MarshalEventType(word core.EventType) graphql.Marshaler { return text(string(word)) }

// UnmarshalEventType reads a type.
func UnmarshalEventType(value any) (core.EventType, error) { return readText[core.EventType](value) }

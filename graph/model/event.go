package model

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/paydesk/paydesk/core"
)

// InboundEvent is a provider's message. In lists it has no body.
type InboundEvent struct{ core.InboundEvent }

// IsNode marks a type of the schema's interface Node.
func (InboundEvent) IsNode() {}

// ObjectKind is nil where it concerns nothing kept here.
func (e InboundEvent) ObjectKind() *string { return optional(string(e.Ref.Kind)) }

// ObjectID is nil where it concerns nothing kept here.
func (e InboundEvent) ObjectID() *string { return optional(e.Ref.ID) }

// APIVersion is nil where the provider names none.
func (e InboundEvent) APIVersion() *string { return optional(e.InboundEvent.APIVersion) }

// Note is nil for none.
func (e InboundEvent) Note() *string { return optional(e.InboundEvent.Note) }

// InboundEventConnection is a page of events.
type InboundEventConnection struct {
	Edges    []InboundEventEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c InboundEventConnection) Nodes() []InboundEvent {
	nodes := make([]InboundEvent, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// InboundEventEdge is one of them and its place in the list.
type InboundEventEdge struct {
	Cursor string
	Node   InboundEvent
}

// MarshalInboundEventStatus writes a status.
func MarshalInboundEventStatus(word core.InboundStatus) graphql.Marshaler { return enum(word) }

// UnmarshalInboundEventStatus reads a status.
func UnmarshalInboundEventStatus(value any) (core.InboundStatus, error) {
	return readEnum[core.InboundStatus](value)
}

// MarshalInboundEventSource writes a source.
func MarshalInboundEventSource(word core.InboundSource) graphql.Marshaler { return enum(word) }

// UnmarshalInboundEventSource reads a source.
func UnmarshalInboundEventSource(value any) (core.InboundSource, error) {
	return readEnum[core.InboundSource](value)
}

// AuditEntry is one line of the audit log.
type AuditEntry struct{ core.AuditEntry }

// Subject is nil for none.
func (e AuditEntry) Subject() *string { return optional(e.AuditEntry.Subject) }

// Detail is nil for none.
func (e AuditEntry) Detail() *string { return optional(e.AuditEntry.Detail) }

// Before is nil where nothing was there.
func (e AuditEntry) Before() *string { return optional(e.AuditEntry.Before) }

// After is nil where nothing was changed.
func (e AuditEntry) After() *string { return optional(e.AuditEntry.After) }

// From is nil for the command line.
func (e AuditEntry) From() *string { return optional(e.AuditEntry.From) }

// TraceID is nil where nothing was traced.
func (e AuditEntry) TraceID() *string { return optional(e.AuditEntry.TraceID) }

// AuditConnection is a page of lines.
type AuditConnection struct {
	Edges    []AuditEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c AuditConnection) Nodes() []AuditEntry {
	nodes := make([]AuditEntry, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// AuditEdge is one of them and its place in the list.
type AuditEdge struct {
	Cursor string
	Node   AuditEntry
}

package model

import "github.com/paydesk/paydesk/ports"

// PageInfo says where a page lies in its list.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string // nil where the page is empty
	EndCursor       *string // nil where the page is empty
}

// PaymentConnection is a page of payments.
type PaymentConnection struct {
	Edges    []PaymentEdge
	PageInfo PageInfo
	Filter   ports.PaymentFilter // what selects the list, for counting it
}

// Nodes is the page without cursors.
func (c PaymentConnection) Nodes() []Payment {
	nodes := make([]Payment, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// PaymentEdge is a payment and its place in the list.
type PaymentEdge struct {
	Cursor string
	Node   Payment
}

// TimelineConnection is a part of a payment's history.
type TimelineConnection struct {
	Edges    []TimelineEdge
	PageInfo PageInfo
}

// Nodes is the part without cursors.
func (c TimelineConnection) Nodes() []TimelineEntry {
	nodes := make([]TimelineEntry, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// TimelineEdge is an entry and its place in the history.
type TimelineEdge struct {
	Cursor string
	Node   TimelineEntry
}

// RefundConnection is a page of refunds.
type RefundConnection struct {
	Edges    []RefundEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c RefundConnection) Nodes() []Refund {
	nodes := make([]Refund, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// RefundEdge is one of them and its place in the list.
type RefundEdge struct {
	Cursor string
	Node   Refund
}

// DisputeConnection is a page of disputes.
type DisputeConnection struct {
	Edges    []DisputeEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c DisputeConnection) Nodes() []Dispute {
	nodes := make([]Dispute, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// DisputeEdge is one of them and its place in the list.
type DisputeEdge struct {
	Cursor string
	Node   Dispute
}

// SubscriptionConnection is a page of subscriptions.
type SubscriptionConnection struct {
	Edges    []SubscriptionEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c SubscriptionConnection) Nodes() []Subscription {
	nodes := make([]Subscription, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// SubscriptionEdge is one of them and its place in the list.
type SubscriptionEdge struct {
	Cursor string
	Node   Subscription
}

// OperationConnection is a page of operations.
type OperationConnection struct {
	Edges    []OperationEdge
	PageInfo PageInfo
	Filter   ports.OperationFilter // what selects the list, for counting it
}

// Nodes is the page without cursors.
func (c OperationConnection) Nodes() []Operation {
	nodes := make([]Operation, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// OperationEdge is one of them and its place in the list.
type OperationEdge struct {
	Cursor string
	Node   Operation
}

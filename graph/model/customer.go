package model

import "github.com/paydesk/paydesk/core"

// Customer is a buyer whom the storefront knows by an id of ours.
type Customer struct{ core.Customer }

// IsNode marks a type of the schema's interface Node.
func (Customer) IsNode() {}

// Email is nil where not known.
func (c Customer) Email() *string { return optional(c.Customer.Email) }

// Name is nil where not known.
func (c Customer) Name() *string { return optional(c.Customer.Name) }

// Metadata is never nil: the schema has no null there.
func (c Customer) Metadata() map[string]string { return object(c.Customer.Metadata) }

// CustomerConnection is a page of customers.
type CustomerConnection struct {
	Edges    []CustomerEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c CustomerConnection) Nodes() []Customer {
	nodes := make([]Customer, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// CustomerEdge is one of them and its place in the list.
type CustomerEdge struct {
	Cursor string
	Node   Customer
}

// CheckoutConnection is a page of checkouts.
type CheckoutConnection struct {
	Edges    []CheckoutEdge
	PageInfo PageInfo
}

// Nodes is the page without cursors.
func (c CheckoutConnection) Nodes() []Checkout {
	nodes := make([]Checkout, len(c.Edges))
	for i, edge := range c.Edges {
		nodes[i] = edge.Node
	}
	return nodes
}

// CheckoutEdge is one of them and its place in the list.
type CheckoutEdge struct {
	Cursor string
	Node   Checkout
}

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

// TimelineEdge is an entry and its place in the history.
type TimelineEdge struct {
	Cursor string
	Node   TimelineEntry
}

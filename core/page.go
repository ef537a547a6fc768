package core

import (
	"slices"
	"time"
)

// PageItemsMax is the most items one page of any list holds.
const PageItemsMax = 100

// Order is what a list is ordered by.
type Order string

// The orders. Items that are equal by them stand in the order of their ids.
const (
	OrderNewest   Order = ""         // the newest first; what all lists know, and most know alone
	OrderOldest   Order = "oldest"   // the reverse of it
	OrderLargest  Order = "largest"  // the largest amount first, equal ones as in OrderNewest
	OrderSmallest Order = "smallest" // the reverse of it
	// OrderDue is the soonest deadline first; what has none is left out.
	OrderDue Order = "due"
)

// Cursor is a place in a list that is ordered by a time and then id. In lists that are ordered by
// something before that, Lead is it.
type Cursor struct {
	Lead int64
	At   time.Time
	ID   string
}

// PageRequest asks for a part of a list. The zero cursors mean the list's ends.
type PageRequest struct {
	Limit  int     // 1 to PageItemsMax
	After  *Cursor // only what comes after it; nil from the start
	Before *Cursor // only what comes before it; nil to the end
	Last   bool    // the last Limit items of that range and not the first
	Order  Order
}

// Reversed asks for the same part of the same list, read from its end.
func (r PageRequest) Reversed() PageRequest {
	r.After, r.Before, r.Last = r.Before, r.After, !r.Last
	return r
}

// Page is a part of a list, in the list's order.
type Page[T any] struct {
	Items       []T
	HasNext     bool // whether the list goes on after the last item
	HasPrevious bool // whether it has items before the first
}

// Reversed is the same part of the list, read from its end.
func (p Page[T]) Reversed() Page[T] {
	items := slices.Clone(p.Items)
	slices.Reverse(items)
	return Page[T]{Items: items, HasNext: p.HasPrevious, HasPrevious: p.HasNext}
}

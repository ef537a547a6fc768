package core

import "time"

// PageItemsMax is the most items one page of any list holds.
const PageItemsMax = 100

// Cursor is a place in a list that is ordered by time of creation and then id, newest
// first. In lists that are ordered by something before that, Lead is it; the greatest comes first.
type Cursor struct {
	Lead int
	At   time.Time
	ID   string
}

// PageRequest asks for a part of a list. The zero cursors mean the list's ends.
type PageRequest struct {
	Limit  int     // 1 to PageItemsMax
	After  *Cursor // only what comes after it; nil from the start
	Before *Cursor // only what comes before it; nil to the end
	Last   bool    // the last Limit items of that range and not the first
}

// Page is a part of a list, always newest first.
type Page[T any] struct {
	Items       []T
	HasNext     bool // whether the list goes on after the last item
	HasPrevious bool // whether it has items before the first
}

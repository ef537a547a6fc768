package graph

import "github.com/paydesk/paydesk/core"

// CheckRules is what a server does to its schema before it serves it.
var CheckRules = checkRules

// EncodeCursor writes a cursor.
var EncodeCursor = encodeCursor

// DecodeCursor reads a cursor.
func DecodeCursor[T core.ID](name string, text *string, order core.Order) (*core.Cursor, error) {
	return decodeCursor[T](name, text, order)
}

// Guarded makes a cell no formula.
var Guarded = guarded

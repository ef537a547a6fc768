package graph

import (
	"context"
	"time"

	"github.com/paydesk/paydesk/core"
)

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

// Together is together for tests outside the package.
type Together[K comparable, V any] struct{ *together[K, V] }

// NewTogether makes one.
func NewTogether[K comparable, V any](timeMax time.Duration) Together[K, V] {
	return Together[K, V]{newTogether[K, V](timeMax)}
}

// Do is do.
func (t Together[K, V]) Do(ctx context.Context, key K, work func(context.Context) (V, error)) (V, error) {
	return t.do(ctx, key, work)
}

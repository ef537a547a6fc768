package record

import (
	"context"
	"sync/atomic"
)

// Act is an action of staff that is under way. It goes along in the context, so that whatever is
// changed on its way can say in the audit log, in its own transaction, whose doing it is.
type Act struct {
	Actor  string // staff id
	Action string // "payment.capture", …
	From   string // network address that it came from
	noted  atomic.Bool
}

type actKey struct{}

// WithAct is a context in which the action is under way.
func WithAct(ctx context.Context, act *Act) context.Context {
	return context.WithValue(ctx, actKey{}, act)
}

// ActOf gives the action that is under way; nil for none.
func ActOf(ctx context.Context) *Act {
	act, _ := ctx.Value(actKey{}).(*Act)
	return act
}

// Note remembers that a line of the audit log tells of the action.
func (a *Act) Note() { a.noted.Store(true) }

// Noted reports whether one does, as far as its transaction was committed.
func (a *Act) Noted() bool { return a.noted.Load() }

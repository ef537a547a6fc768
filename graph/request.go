package graph

import (
	"context"
	"sync"

	"github.com/paydesk/paydesk/core"
)

// request is what one query carries along.
type request struct {
	staff   core.Staff
	from    string // network address of the caller
	loaders *loaders
	still   func(context.Context) error // whether who asked may read as they could then

	mu     sync.Mutex
	denied map[string]bool // actions already written down as refused
}

// again is the same for another answer of a subscription.
func (r *request) again(loaders *loaders) *request {
	return &request{staff: r.staff, from: r.from, loaders: loaders, still: r.still}
}

// firstDenial reports whether the action is refused for the first time in this request.
func (r *request) firstDenial(action string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.denied[action] {
		return false
	}
	if r.denied == nil {
		r.denied = make(map[string]bool)
	}
	r.denied[action] = true
	return true
}

type requestKey struct{}

func withRequest(ctx context.Context, r *request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// requestOf gives the request's state. Every query runs behind authentication, so one
// without it is a broken house: an empty one may do nothing.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

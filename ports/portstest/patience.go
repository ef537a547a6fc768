package portstest

import (
	"context"
	"net/http"
	"sync"
)

// patience is a context whose time is over as by its deadline once somebody who knows that no
// answer comes says so. Nobody waits the rest of it for nothing, and what does get an answer has
// time enough on the busiest machine.
type patience struct {
	context.Context

	end  func()
	over chan struct{} // closed by end
}

type patienceKey struct{}

func newPatience(ctx context.Context) *patience {
	made := &patience{Context: ctx, over: make(chan struct{})}
	made.end = sync.OnceFunc(func() { close(made.over) })
	context.AfterFunc(ctx, made.end)
	return made
}

// Done implements [context.Context].
func (p *patience) Done() <-chan struct{} { return p.over }

// Err implements [context.Context].
func (p *patience) Err() error {
	select {
	case <-p.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Value implements [context.Context].
func (p *patience) Value(key any) any {
	if key == (patienceKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// hang gives a request no answer for as long as anybody waits, and ends the patience of a chapter.
func hang(request *http.Request) error {
	if p, ok := request.Context().Value(patienceKey{}).(*patience); ok {
		p.end()
	}
	<-request.Context().Done()
	return request.Context().Err()
}

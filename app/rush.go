package app

import (
	"context"
	"sync"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// giveWayMax is how long one piece of background work gives way at most, so that a rush
// without end slows it and does not stop it.
const giveWayMax = 250 * time.Millisecond

// Rush knows whether providers wait for their webhooks to be durable. Work in the
// background gives way to them: nobody waits for it, and disk and processors are the
// same. Only verified deliveries count, so that a stranger's posts slow nothing.
type Rush struct {
	mu      sync.Mutex
	waiting int
	calm    chan struct{} // closed when nobody waits any more; of use while somebody does
}

// NewRush makes one for the process.
func NewRush() *Rush { return new(Rush) }

func (r *Rush) enter() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting++; r.waiting == 1 {
		r.calm = make(chan struct{})
	}
}

func (r *Rush) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting--; r.waiting == 0 {
		close(r.calm)
	}
}

// giveWay returns as soon as nobody waits, ctx is done, or it took long enough.
func (r *Rush) giveWay(ctx context.Context) {
	r.mu.Lock()
	waiting, calm := r.waiting, r.calm
	r.mu.Unlock()
	if waiting == 0 {
		return
	}
	timer := time.NewTimer(giveWayMax)
	defer timer.Stop()
	select {
	case <-calm:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// journal is a journal whose callers are a rush, and whose handing over gives way to it.
func (r *Rush) journal(inner ports.Journal) ports.Journal { return rushedJournal{inner, r} }

// handlers are handlers that give way.
func (r *Rush) handlers(inner map[ports.JobKind]ports.JobHandler) map[ports.JobKind]ports.JobHandler {
	outer := make(map[ports.JobKind]ports.JobHandler, len(inner))
	for kind, handle := range inner {
		outer[kind] = func(ctx context.Context, job ports.Job) error {
			r.giveWay(ctx)
			return handle(ctx, job)
		}
	}
	return outer
}

type rushedJournal struct {
	ports.Journal
	rush *Rush
}

// Append implements [ports.Journal].
func (j rushedJournal) Append(ctx context.Context, delivery core.Delivery) error {
	j.rush.enter()
	defer j.rush.leave()
	return j.Journal.Append(ctx, delivery)
}

// Drain implements [ports.Journal].
func (j rushedJournal) Drain(ctx context.Context, accept ports.AcceptDeliveries) error {
	return j.Journal.Drain(ctx, func(ctx context.Context, batch []core.Delivery) error {
		j.rush.giveWay(ctx)
		return accept(ctx, batch)
	})
}

// Package groupcommit lets callers that wait at the same time share one write.
//
// It promises that every item handed to flush is answered with what flush returned, that
// an item is handed over at most once, and that the time an item waits depends on flush
// alone: there is no timer, whoever waits when a flush begins is part of it. It knows
// nothing of what is written, or where.
package groupcommit

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// Defaults for the fields of [Options] that are zero.
const (
	ItemsMaxDefault        = 256
	BytesMaxDefault        = 4 << 20
	QueueItemsMaxDefault   = 4096
	QueueBytesMaxDefault   = 64 << 20
	ConcurrencyDefault     = 1
	concurrencyMax         = 64
	keptQueueCapacityItems = 1024 // a burst's longer queue goes back to the collector
)

// Errors of Submit, besides those of flush and of the context.
var (
	// ErrFull means that as many items wait as may.
	ErrFull = errors.New("too much is waiting to be written")
	// ErrClosed means that the group takes no more items.
	ErrClosed = errors.New("group is closed")
)

// ItemErrors is what a flush returns that went well for some of its items and not for others: one
// error for each item, nil for a good one.
type ItemErrors []error

// Error implements error.
func (e ItemErrors) Error() string { return errors.Join(e...).Error() }

// of is the nth item's part of what a flush returned.
func of(err error, n int) error {
	if each, ok := errors.AsType[ItemErrors](err); ok {
		return each[n]
	}
	return err
}

// Options bounds a group. Every zero field has a default.
type Options struct {
	ItemsMax      int // in one flush
	BytesMax      int // in one flush, by the item's size; one larger item flushes alone
	QueueItemsMax int // waiting for a flush
	QueueBytesMax int // waiting for a flush
	Concurrency   int // flushes that run at the same time, 1 to 64
}

func (o Options) withDefaults() Options {
	o.ItemsMax = positiveOr(o.ItemsMax, ItemsMaxDefault)
	o.BytesMax = positiveOr(o.BytesMax, BytesMaxDefault)
	o.QueueItemsMax = positiveOr(o.QueueItemsMax, QueueItemsMaxDefault)
	o.QueueBytesMax = positiveOr(o.QueueBytesMax, QueueBytesMaxDefault)
	o.Concurrency = min(positiveOr(o.Concurrency, ConcurrencyDefault), concurrencyMax)
	return o
}

func positiveOr(value, fallback int) int {
	if value > 0 {
		return value
	}
	return fallback
}

// waiter is one caller of Submit. Its fields but for done are guarded by Group.mu.
type waiter[T any] struct {
	item      T
	size      int
	taken     bool
	withdrawn bool
	done      chan error // of capacity 1, so that answering never blocks
}

// Group collects items from many callers and flushes them together. Make one by [New].
type Group[T any] struct {
	options Options
	size    func(T) int
	flush   func([]T) error
	pool    sync.Pool // of *waiter[T]
	workers sync.WaitGroup

	mu          sync.Mutex
	filled      sync.Cond
	queue       []*waiter[T]
	queuedBytes int
	closed      bool
}

// New starts a group. size tells an item's bytes. flush writes items in the order they
// were submitted and must not keep the slice, nor panic; its error is each item's, unless it is an
// [ItemErrors]. With a concurrency above one it is called
// concurrently. Close ends the group.
func New[T any](options Options, size func(T) int, flush func([]T) error) *Group[T] {
	g := &Group[T]{options: options.withDefaults(), size: size, flush: flush}
	g.filled.L = &g.mu
	g.pool.New = func() any { return &waiter[T]{done: make(chan error, 1)} }
	for range g.options.Concurrency {
		g.workers.Go(g.work)
	}
	return g
}

// Submit waits until item was flushed and gives what flush returned. It is [ErrFull] at
// once where too much waits already and [ErrClosed] after Close. When ctx is done first
// it gives ctx's error; then an item that still waited is never flushed, and one whose
// flush was running may or may not have been written.
func (g *Group[T]) Submit(ctx context.Context, item T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w, ok := g.pool.Get().(*waiter[T])
	if !ok {
		return ErrClosed // cannot be: the pool makes nothing else
	}
	w.item, w.size, w.taken, w.withdrawn = item, g.size(item), false, false
	if err := g.enqueue(w); err != nil {
		g.recycle(w)
		return err
	}
	select {
	case err := <-w.done:
		g.recycle(w)
		return err
	case <-ctx.Done():
		// The waiter is still in the queue or in a flush's hands: it is not recycled.
		g.mu.Lock()
		w.withdrawn = !w.taken
		g.mu.Unlock()
		return ctx.Err()
	}
}

func (g *Group[T]) enqueue(w *waiter[T]) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return ErrClosed
	case len(g.queue) >= g.options.QueueItemsMax, g.queuedBytes+w.size > g.options.QueueBytesMax && len(g.queue) > 0:
		return ErrFull
	}
	g.queue = append(g.queue, w)
	g.queuedBytes += w.size
	if len(g.queue) == 1 || g.options.Concurrency > 1 {
		g.filled.Signal()
	}
	return nil
}

func (g *Group[T]) recycle(w *waiter[T]) {
	var none T
	w.item = none
	g.pool.Put(w)
}

func (g *Group[T]) work() {
	waiters := make([]*waiter[T], 0, g.options.ItemsMax)
	items := make([]T, 0, g.options.ItemsMax)
	for {
		waiters = g.take(waiters[:0])
		if waiters == nil {
			return
		}
		items = items[:0]
		for _, w := range waiters {
			items = append(items, w.item)
		}
		if len(items) == 0 {
			continue // all of them were withdrawn
		}
		err := g.flush(items)
		for i, w := range waiters {
			waiters[i] = nil
			w.done <- of(err, i) // the waiter belongs to its caller from here on
		}
		clear(items)
	}
}

// take waits for items and moves a flush's worth of them into batch; nil once the group
// is closed and empty.
func (g *Group[T]) take(batch []*waiter[T]) []*waiter[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.queue) == 0 {
		if g.closed {
			return nil
		}
		g.filled.Wait()
	}
	if len(g.queue) < g.options.ItemsMax {
		// Callers answered by the flush before are about to submit again. Letting those run
		// that are ready costs nothing when nobody is, and makes flushes larger when many are.
		g.mu.Unlock()
		runtime.Gosched()
		g.mu.Lock()
	}
	used, bytes := 0, 0
	for _, w := range g.queue {
		if len(batch) > 0 && (len(batch) >= g.options.ItemsMax || bytes+w.size > g.options.BytesMax) {
			break
		}
		used++
		g.queuedBytes -= w.size
		if w.withdrawn {
			continue
		}
		w.taken = true
		bytes += w.size
		batch = append(batch, w)
	}
	g.shift(used)
	return batch
}

// shift removes the first items of the queue, and wakes a neighbor for what is left.
func (g *Group[T]) shift(used int) {
	left := copy(g.queue, g.queue[used:])
	clear(g.queue[left:])
	g.queue = g.queue[:left]
	if left == 0 && cap(g.queue) > keptQueueCapacityItems {
		g.queue = nil
	}
	if left > 0 {
		g.filled.Signal()
	}
}

// Close refuses new items, flushes what waits and returns when the last flush has ended.
// Closing twice is no error.
func (g *Group[T]) Close() {
	g.mu.Lock()
	g.closed = true
	g.filled.Broadcast()
	g.mu.Unlock()
	g.workers.Wait()
}

package bunrepo

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// errWatchClosed is what a closed watch answers.
var errWatchClosed = errors.New("watch is closed")

// changes hands on what changed to all watches of this process. The zero value is ready for use.
type changes struct {
	mu      sync.Mutex
	watches map[*watch]struct{}
	// listening ends the connection that listens; nil where none does, or on SQLite.
	listening *listener
}

// watch implements [ports.PaymentWatch].
type watch struct {
	store *Store
	only  core.PaymentID
	ready chan struct{} // holds one where there is something to take
	done  chan struct{}

	mu      sync.Mutex
	once    sync.Once
	pending []core.PaymentID
	gap     bool
}

// WatchPayments begins to watch. On SQLite this process is the only one there is; on PostgreSQL the
// first watch opens the connection that listens, and the last one closes it.
func (s *Store) WatchPayments(ctx context.Context, only core.PaymentID) (ports.PaymentWatch, error) {
	w := &watch{store: s, only: only, ready: make(chan struct{}, 1), done: make(chan struct{})}
	s.changes.mu.Lock()
	if s.changes.watches == nil {
		s.changes.watches = make(map[*watch]struct{})
	}
	s.changes.watches[w] = struct{}{}
	if s.pool != nil && s.changes.listening == nil {
		s.changes.listening = s.listen() //nolint:contextcheck // it outlives the watch that was first
	}
	listening := s.changes.listening
	s.changes.mu.Unlock()
	if listening == nil {
		return w, nil
	}
	select {
	case <-listening.ready:
		return w, nil
	case <-ctx.Done():
		w.Close()
		return nil, s.failed(ctx, ctx.Err(), "watch payments")
	}
}

// publish tells all watches, and never waits.
func (c *changes) publish(payments []core.PaymentID, gap bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.watches {
		w.add(payments, gap)
	}
}

func (w *watch) add(payments []core.PaymentID, gap bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gap = w.gap || gap
	for _, id := range payments {
		switch {
		case w.only != "" && w.only != id, slices.Contains(w.pending, id):
		case len(w.pending) == ports.ChangesPendingMax:
			w.pending, w.gap = nil, true
		default:
			w.pending = append(w.pending, id)
		}
	}
	if w.gap || len(w.pending) > 0 {
		select {
		case w.ready <- struct{}{}:
		default:
		}
	}
}

// Next waits for changes and takes them.
func (w *watch) Next(ctx context.Context) (ports.Changed, error) {
	select {
	case <-w.ready:
	case <-w.done:
		return ports.Changed{}, errWatchClosed
	case <-ctx.Done():
		return ports.Changed{}, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := ports.Changed{Payments: w.pending, Gap: w.gap}
	w.pending, w.gap = nil, false
	return taken, nil
}

// Close ends the watch, and with the last one the listening.
func (w *watch) Close() {
	w.once.Do(func() {
		close(w.done)
		c := &w.store.changes
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watches, w)
		if len(c.watches) == 0 && c.listening != nil {
			c.listening.stop()
			c.listening = nil
		}
	})
}

// changed notes, for the end of the transaction, that a payment changed.
func (t *tx) changed(id core.PaymentID) {
	if id != "" && !slices.Contains(t.changedPayments, id) {
		t.changedPayments = append(t.changedPayments, id)
	}
}

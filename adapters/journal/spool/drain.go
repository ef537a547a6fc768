package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// batchItemsMax and batchBytesMax bound what is handed over at once.
	batchItemsMax = 256
	batchBytesMax = 4 << 20
	// acceptTimeMax is how long it may take to take a batch over.
	acceptTimeMax = 30 * time.Second
	// The pause after a batch that could not be taken over grows from the least to the
	// most.
	drainPauseLeast = 50 * time.Millisecond
	drainPauseMost  = 5 * time.Second
	// gatherTime is how long deliveries gather after a batch that was not full, so that a
	// steady stream shares transactions. What comes after a quiet time goes at once.
	gatherTime = 20 * time.Millisecond
)

var (
	errDraining = errors.New("the journal is drained already")
	errClosed   = errors.New("the journal is closed")
)

// handover is one batch and where it comes from.
type handover struct {
	batch []core.Delivery
	first position // of the first of them
	to    position // behind the last of them
}

// Drain implements [ports.Journal].
func (s *Spool) Drain(ctx context.Context, accept ports.AcceptDeliveries) error {
	if !s.draining.TryLock() {
		return errDraining
	}
	defer s.draining.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !s.stopWith(cancel) {
		return errClosed
	}
	pause, items := drainPauseLeast, batchItemsMax
	for {
		tried, moved, err := s.drainOnce(ctx, accept, items)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ports.ErrText) && tried > 1:
			items = 1 // to find the one that can never be stored
		case err != nil:
			s.logger.Warn("the journal could not be taken over", slog.String("error", err.Error()))
			// Fewer go together next time, so that one bad delivery ends up alone.
			items = max(1, tried/2)
			if !wait(ctx, nil, pause) {
				return ctx.Err()
			}
			pause = min(2*pause, drainPauseMost)
		case moved:
			full := tried >= items
			pause, items = drainPauseLeast, min(2*items, batchItemsMax)
			if !full && !wait(ctx, nil, gatherTime) {
				return ctx.Err()
			}
		default:
			if !wait(ctx, s.filled, s.syncCursor()) {
				return ctx.Err()
			}
		}
	}
}

// stopWith has Close stop the Drain; false after Close.
func (s *Spool) stopWith(stop context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopDrain = stop
	return !s.closed
}

// wait waits for a signal or, where the time is not 0, until it is over. It is false once
// ctx is done.
func wait(ctx context.Context, signal <-chan struct{}, longest time.Duration) bool {
	var over <-chan time.Time
	if longest > 0 {
		timer := time.NewTimer(longest)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-signal:
		return true
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// drainOnce hands one batch over and moves the cursor behind it. It reports how many
// deliveries it tried to hand over, and whether the cursor moved.
func (s *Spool) drainOnce(ctx context.Context, accept ports.AcceptDeliveries, items int) (tried int, moved bool, err error) {
	from, end, ok := s.next()
	if !ok {
		return 0, false, nil
	}
	next, err := s.read(from, end, items)
	if err != nil {
		return items, false, err
	}
	if len(next.batch) > 0 {
		if err := s.handOver(ctx, accept, next); err != nil {
			return len(next.batch), false, err
		}
	}
	s.advance(next.to)
	return len(next.batch), true, nil
}

// handOver has the batch taken over. A delivery that is alone and can never be stored
// goes aside, so that it does not hold up those behind it.
func (s *Spool) handOver(ctx context.Context, accept ports.AcceptDeliveries, next handover) error {
	ctx, cancel := context.WithTimeout(ctx, acceptTimeMax)
	defer cancel()
	err := accept(ctx, next.batch)
	if len(next.batch) == 1 && errors.Is(err, ports.ErrText) {
		sealed, err := s.seal(next.batch[0])
		if err != nil {
			return err
		}
		return s.setAside(next.first, appendRecord(nil, sealed), asideRefused)
	}
	return err
}

// next is where to read on, and up to where the segment is durable; false where nothing
// waits.
func (s *Spool) next() (from position, end int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, segment := range s.segments {
		switch {
		case segment.number < s.cursor.segment:
		case segment.number == s.cursor.segment:
			if s.cursor.offset < segment.size {
				return s.cursor, segment.size, true
			}
		case segment.size > 0:
			return position{segment: segment.number}, segment.size, true
		}
	}
	return position{}, 0, false
}

// read gives a batch from one segment. What is damaged is set aside and left out.
func (s *Spool) read(from position, end int64, items int) (next handover, err error) {
	file, err := os.Open(s.path(from.segment))
	if err != nil {
		return next, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	records := reader{file: file, at: from.offset, end: end, window: s.window}
	defer func() { s.window = records.window }()
	for bytes := 0; len(next.batch) < items && bytes < batchBytesMax; {
		p, err := records.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return next, err
		}
		if err := s.readOne(&next, p, position{from.segment, p.offset}); err != nil {
			return next, err
		}
		bytes += len(p.raw)
	}
	next.to = position{from.segment, records.at}
	return next, nil
}

// readOne adds a piece to the batch, or sets it aside.
func (s *Spool) readOne(next *handover, p piece, at position) error {
	if p.sealed == nil {
		_ = s.setAside(at, p.raw, asideDamaged) // kept or not, it is of no use to anybody
		return nil
	}
	plain, err := s.options.Sealer.Open(sealedAt, p.sealed)
	if err != nil {
		return s.setAside(at, p.raw, asideUnsealable)
	}
	delivery, err := decode(plain)
	if err != nil {
		return s.setAside(at, p.raw, asideDamaged)
	}
	if len(next.batch) == 0 {
		next.first = at
	}
	next.batch = append(next.batch, delivery)
	return nil
}

// advance moves the cursor and removes segments that nobody needs any more. Neither
// can fail the drain: what comes of it is that some deliveries come again after a
// restart, or that a file stays until the next one is removed.
func (s *Spool) advance(to position) {
	if err := s.remembered.write(to); err != nil {
		s.logger.Warn("the journal's cursor was not written", slog.String("error", err.Error()))
	}
	s.syncCursor()
	var done []segment
	s.mu.Lock()
	s.cursor = to
	for len(s.segments) > 1 && (s.segments[0].number < to.segment || s.segments[0].number == to.segment && to.offset >= s.segments[0].size) {
		done = append(done, s.segments[0])
		s.segments = s.segments[1:]
	}
	s.mu.Unlock()
	for _, segment := range done {
		if err := os.Remove(s.path(segment.number)); err != nil {
			s.logger.Warn("a segment that is done was not removed", slog.String("error", err.Error()))
		}
	}
}

// syncCursor syncs the cursor when it is due, and tells when it is due again; 0 for when
// there is nothing to sync.
func (s *Spool) syncCursor() time.Duration {
	if err := s.remembered.sync(time.Now()); err != nil {
		s.logger.Warn("the journal's cursor is not durable", slog.String("error", fmt.Sprint(err)))
		return cursorSyncEvery
	}
	if s.remembered.dirty {
		return cursorSyncEvery
	}
	return 0
}

package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
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
	if !s.stopWith(cancel) {
		cancel()
		return errClosed
	}
	var returning sync.WaitGroup
	before := s.setAsideBefore() // and nothing that this Drain sets aside
	returning.Go(func() { s.returnAside(ctx, before) })
	defer returning.Wait()
	defer cancel()
	pause, items := drainPauseLeast, batchItemsMax
	for {
		tried, moved, err := s.drainOnce(ctx, accept, items)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case forEver(err) && tried > 1:
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
		err := s.handOver(ctx, accept, next.batch)
		if len(next.batch) == 1 && forEver(err) {
			next.to, err = s.passBy(ctx, accept, next, err)
		}
		if err != nil {
			return len(next.batch), false, err
		}
	}
	s.advance(next.to)
	return len(next.batch), true, nil
}

// next is where to read on, and up to where the segment is durable; false where nothing
// waits.
func (s *Spool) next() (from position, end int64, ok bool) {
	s.mu.Lock()
	from = s.cursor
	s.mu.Unlock()
	end, ok = s.behind(&from)
	return from, end, ok
}

// behind moves a position to where there is something to read, and gives up to where its
// segment is durable; false where nothing is behind it.
func (s *Spool) behind(at *position) (end int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, segment := range s.segments {
		switch {
		case segment.number < at.segment:
		case segment.number == at.segment:
			if at.offset < segment.size {
				return segment.size, true
			}
		case segment.size > 0:
			*at = position{segment: segment.number}
			return segment.size, true
		}
	}
	return 0, false
}

// read gives a batch from one segment. What is damaged is set aside and left out.
func (s *Spool) read(from position, end int64, items int) (next handover, err error) {
	file, there, err := s.openSegment(from.segment, end)
	if err != nil {
		return next, err
	}
	if from.offset >= there {
		return handover{to: position{from.segment, end}}, nil
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	records := reader{file: file, at: from.offset, end: there, window: s.window}
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

// openSegment opens a segment to read, and gives how much of what should be there is there. A
// file that somebody removed or cut short must not hold up what is behind; it is another matter
// where the whole folder is away, which may come back.
func (s *Spool) openSegment(number, end int64) (file *os.File, there int64, err error) {
	if file, err = os.Open(s.path(number)); err == nil {
		var info os.FileInfo
		if info, err = file.Stat(); err != nil {
			return nil, 0, errors.Join(err, file.Close())
		}
		there = min(end, info.Size())
	} else if !errors.Is(err, os.ErrNotExist) || !s.holdsFolder() {
		return nil, 0, err
	}
	if there < end {
		s.aside.Add(1)
		s.logger.Error("a part of the journal is gone", slog.Int64("segment", number), slog.Int64("from", there), slog.Int64("to", end))
	}
	return file, there, nil
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

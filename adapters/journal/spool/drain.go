package spool

import (
	"context"
	"errors"
	"hash/crc32"
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
	// The pause after a batch that could not be taken over grows from the least to the
	// most.
	drainPauseLeast = 50 * time.Millisecond
	drainPauseMost  = 5 * time.Second
)

// errDraining means that a Drain is under way already.
var errDraining = errors.New("the journal is drained already")

// Drain implements [ports.Journal].
func (s *Spool) Drain(ctx context.Context, accept ports.AcceptDeliveries) error {
	if !s.draining.TryLock() {
		return errDraining
	}
	defer s.draining.Unlock()
	pause := drainPauseLeast
	for {
		moved, err := s.drainOnce(ctx, accept)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.logger.Warn("the journal could not be taken over", slog.String("error", err.Error()))
			if !wait(ctx, nil, pause) {
				return ctx.Err()
			}
			pause = min(2*pause, drainPauseMost)
		case moved:
			pause = drainPauseLeast
		default:
			if !wait(ctx, s.filled, 0) {
				return ctx.Err()
			}
		}
	}
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

// drainOnce hands one batch over and moves the cursor behind it. It reports whether the
// cursor moved.
func (s *Spool) drainOnce(ctx context.Context, accept ports.AcceptDeliveries) (bool, error) {
	from, end, ok := s.next()
	if !ok {
		return false, nil
	}
	batch, to, err := s.read(ctx, from, end)
	if err != nil {
		return false, err
	}
	if len(batch) > 0 {
		if err := accept(ctx, batch); err != nil {
			return false, err
		}
	}
	return true, s.advance(to)
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

// read gives a batch from one segment and where it ends. What is damaged is set aside
// and left out.
func (s *Spool) read(ctx context.Context, from position, end int64) (batch []core.Delivery, to position, err error) {
	file, err := os.Open(s.path(from.segment))
	if err != nil {
		return nil, from, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	data := make([]byte, min(end-from.offset, batchBytesMax+recordHeaderBytes+recordBytesMax))
	if n, err := file.ReadAt(data, from.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, from, err
	} else if int64(n) < int64(len(data)) {
		return nil, from, io.ErrUnexpectedEOF
	}
	at := 0
	for at < len(data) && len(batch) < batchItemsMax && at < batchBytesMax {
		length, sum, ok := header(data[at:])
		next := at + recordHeaderBytes + length
		if !ok || next > len(data) {
			// Where one record ends and the next begins is lost: the rest goes aside.
			s.damaged(ctx, from.segment, from.offset+int64(at), data[at:])
			return batch, position{from.segment, end}, nil
		}
		record := data[at+recordHeaderBytes : next]
		delivery, err := s.open(record, sum)
		if err != nil {
			s.damaged(ctx, from.segment, from.offset+int64(at), data[at:next])
		} else {
			batch = append(batch, delivery)
		}
		at = next
	}
	return batch, position{from.segment, from.offset + int64(at)}, nil
}

func (s *Spool) open(sealed []byte, sum uint32) (core.Delivery, error) {
	if crc32.Checksum(sealed, castagnoli) != sum {
		return core.Delivery{}, errRecord
	}
	plain, err := s.options.Sealer.Open(sealedAt, sealed)
	if err != nil {
		return core.Delivery{}, err
	}
	return decode(plain)
}

func (s *Spool) damaged(ctx context.Context, number, offset int64, data []byte) {
	s.aside.Add(ctx, 1)
	s.setAside(number, offset, data, "damaged")
}

// advance moves the cursor and removes segments that nobody needs any more.
func (s *Spool) advance(to position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursor = to
	if err := s.writeCursor(to); err != nil {
		// The cursor in memory holds; after a restart some deliveries come again.
		s.logger.Warn("the journal's cursor was not written", slog.String("error", err.Error()))
	}
	for len(s.segments) > 1 && (s.segments[0].number < to.segment || s.segments[0].number == to.segment && to.offset >= s.segments[0].size) {
		if err := os.Remove(s.path(s.segments[0].number)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		s.segments = s.segments[1:]
	}
	return nil
}

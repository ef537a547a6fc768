// Package spool is a journal in a folder of this machine: segments of records, appended
// and synced to disk before the caller goes on, and a cursor that says how far they were
// taken over. One process at a time.
//
// It promises what ports.Journal says against the death of the process and the loss of
// power. A torn last record was never acknowledged and is cut off; a damaged one in the
// middle is set aside, and the rest flows.
package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/paydesk/paydesk/adapters/journal/groupcommit"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// segmentBytesMax is how long a segment grows before the next is begun.
	segmentBytesMax = 32 << 20
	// backlogBytesMax is how much may wait to be taken over; beyond it providers keep
	// their deliveries.
	backlogBytesMax = 4 << 30

	// roomBytesLeast is how much room a journal that was full has before it is ready again.
	roomBytesLeast = 1 << 20
	// plainKeptBytesMax is the longest buffer for encoding that is used again.
	plainKeptBytesMax = 64 << 10
	// probeBytes is what is written to learn whether the disk takes data again.
	probeBytes = 4 << 10

	folderMode = 0o700
	fileMode   = 0o600

	lockName = "lock"
	sealedAt = "journal.delivery"
	scope    = "github.com/paydesk/paydesk/adapters/journal/spool"
)

// ErrInUse means that another process has the folder.
var ErrInUse = errors.New("another process uses this journal")

// Options are what a spool is made of. Sealer is required.
type Options struct {
	Dir    string
	Sealer ports.Sealer // seals deliveries, which hold personal data
	Logger *slog.Logger // nil for slog's default
	// SegmentBytes and BacklogBytes change the limits; 0 for the usual ones.
	SegmentBytes int64
	BacklogBytes int64

	// begin makes the file of a segment; tests give worse ones.
	begin func(path string) (segmentFile, error)
}

// Spool implements [ports.Journal]. Make one by [Open].
type Spool struct {
	options Options
	logger  *slog.Logger
	lock    *os.File
	group   *groupcommit.Group[[]byte]
	aside   atomic.Int64 // how many parts were set aside
	watched metric.Registration
	// filled gets a signal after each append, for the one Drain that waits.
	filled chan struct{}

	// plain holds buffers that deliveries are encoded into.
	plain sync.Pool // of *[]byte

	// Of the one goroutine that writes.
	active segmentFile // nil until the first append, and after a failed one
	buffer []byte

	draining   sync.Mutex // held by the one Drain, to which the next two belong
	remembered *cursor
	window     []byte

	mu        sync.Mutex // held for moments, never while a file is written
	segments  []segment  // oldest first; the last one is written to
	cursor    position   // up to where everything was taken over
	problem   error      // of the last append; nil after a good one
	stopDrain context.CancelFunc
	closed    bool
}

// segment is one file of records.
type segment struct {
	number int64
	size   int64 // of what is known to be on disk
}

var _ ports.Journal = (*Spool)(nil)

// Open opens the journal in a folder, which it makes where there is none. Close lets go
// of it.
func Open(options Options) (*Spool, error) {
	if options.Sealer == nil || options.Dir == "" {
		return nil, errors.New("open journal: a folder and a sealer are needed")
	}
	if options.SegmentBytes <= 0 {
		options.SegmentBytes = segmentBytesMax
	}
	if options.BacklogBytes <= 0 {
		options.BacklogBytes = backlogBytesMax
	}
	if options.begin == nil {
		options.begin = beginSegment
	}
	s := &Spool{options: options, logger: options.Logger, filled: make(chan struct{}, 1)}
	if s.logger == nil {
		s.logger = slog.Default()
	}
	if err := makeFolder(options.Dir); err != nil {
		return nil, fmt.Errorf("make journal's folder: %w", err)
	}
	var err error
	if s.lock, err = lockFolder(options.Dir); err != nil {
		return nil, err
	}
	s.plain.New = func() any { return new([]byte) }
	if err := s.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), s.release())
	}
	s.group = groupcommit.New(groupcommit.Options{}, func(sealed []byte) int { return recordHeaderBytes + len(sealed) }, s.write)
	return s, nil
}

func (s *Spool) start() error {
	if err := s.watch(); err != nil {
		return err
	}
	return s.recover()
}

// lockFolder makes sure that no other process uses the folder. The lock goes with the
// process, however it ends.
func lockFolder(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("lock journal's folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", dir, ErrInUse)
		}
		return nil, fmt.Errorf("lock journal's folder: %w", err)
	}
	return file, nil
}

// holdsFolder reports whether the folder that the path leads to is still the one that was locked.
func (s *Spool) holdsFolder() bool {
	locked, err := s.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(filepath.Join(s.options.Dir, lockName))
	return err == nil && os.SameFile(locked, there)
}

// watch publishes how much waits and what was set aside.
func (s *Spool) watch() error {
	meter := otel.Meter(scope)
	aside, err := meter.Int64ObservableCounter("paydesk.journal.records_set_aside", metric.WithDescription("Damaged records that were set aside."))
	if err != nil {
		return err
	}
	backlog, err := meter.Int64ObservableGauge("paydesk.journal.backlog", metric.WithUnit("By"),
		metric.WithDescription("What waits in the journal to be taken over."))
	if err != nil {
		return err
	}
	s.watched, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		o.ObserveInt64(aside, s.aside.Load())
		o.ObserveInt64(backlog, s.backlog())
		return nil
	}, aside, backlog)
	return err
}

// Append implements [ports.Journal].
func (s *Spool) Append(ctx context.Context, delivery core.Delivery) error {
	sealed, err := s.seal(delivery)
	if err != nil {
		return err
	}
	err = s.group.Submit(ctx, sealed)
	if errors.Is(err, groupcommit.ErrFull) || errors.Is(err, groupcommit.ErrClosed) {
		return fmt.Errorf("%w: %w", ports.ErrJournalUnavailable, err)
	}
	return err
}

// seal gives what a record holds. It keeps nothing of the delivery.
func (s *Spool) seal(delivery core.Delivery) ([]byte, error) {
	plain, ok := s.plain.Get().(*[]byte)
	if !ok {
		plain = new([]byte)
	}
	*plain = encode((*plain)[:0], delivery)
	sealed, err := s.options.Sealer.Seal(sealedAt, *plain)
	if cap(*plain) <= plainKeptBytesMax {
		s.plain.Put(plain)
	}
	if err != nil {
		return nil, fmt.Errorf("seal delivery: %w", err)
	}
	if len(sealed) > recordBytesMax {
		return nil, fmt.Errorf("delivery of %d bytes is longer than any record", len(delivery.Body))
	}
	return sealed, nil
}

// Ready reports why the journal cannot take deliveries. After a failed append it tries
// whether the disk takes data again.
func (s *Spool) Ready(context.Context) error {
	s.mu.Lock()
	problem, room, closed := s.problem, s.options.BacklogBytes-s.backlog(), s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return fmt.Errorf("%w: %w", ports.ErrJournalUnavailable, errClosed)
	case errors.Is(problem, errBacklog):
		if room < min(roomBytesLeast, s.options.BacklogBytes/2) {
			return fmt.Errorf("%w: %w", ports.ErrJournalUnavailable, errBacklog)
		}
	case problem != nil:
		probe := filepath.Join(s.options.Dir, "probe")
		if err := errors.Join(writeSynced(probe, make([]byte, probeBytes)), os.Remove(probe)); err != nil {
			return fmt.Errorf("%w: %w", ports.ErrJournalUnavailable, problem)
		}
	}
	return nil
}

// Close waits for appends under way, ends Drain and lets go of the folder. Closing twice
// is no error.
func (s *Spool) Close() {
	s.group.Close()
	s.mu.Lock()
	stop, before := s.stopDrain, s.closed
	s.closed = true
	s.mu.Unlock()
	if before {
		return
	}
	if stop != nil {
		stop()
	}
	s.draining.Lock()
	defer s.draining.Unlock()
	if err := s.release(); err != nil {
		s.logger.Warn("close journal", slog.String("error", err.Error()))
	}
}

// release lets go of whatever start got hold of.
func (s *Spool) release() error {
	var err error
	if s.watched != nil {
		err = s.watched.Unregister()
	}
	if s.active != nil {
		err = errors.Join(err, s.active.Close()) // everything in it is synced
	}
	if s.remembered != nil {
		err = errors.Join(err, s.remembered.close())
	}
	return errors.Join(err, s.lock.Close())
}

// backlog is how many bytes wait. The caller holds mu.
func (s *Spool) backlog() int64 {
	var bytes int64
	for _, segment := range s.segments {
		switch {
		case segment.number > s.cursor.segment:
			bytes += segment.size
		case segment.number == s.cursor.segment:
			bytes += segment.size - s.cursor.offset
		}
	}
	return bytes
}

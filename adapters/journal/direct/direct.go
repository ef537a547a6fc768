// Package direct is the journal without a journal: a delivery is durable once the inbox
// has stored it. Deliveries that wait at the same time share one transaction.
package direct

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/paydesk/paydesk/adapters/journal/groupcommit"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// acceptTimeMax is how long one transaction may take, whatever its callers allow.
	acceptTimeMax = 15 * time.Second
	// batchItemsMax is how many deliveries one transaction stores.
	batchItemsMax = 256
	// postgresConcurrency is how many transactions run at the same time on PostgreSQL,
	// which commits them together; SQLite has one writer.
	postgresConcurrency = 4
)

// errPanicked is what becomes of a panic of whoever stores a batch.
var errPanicked = errors.New("storing panicked")

// Options are what the journal is made of.
type Options struct {
	// Accept stores a batch, each event once.
	Accept ports.AcceptDeliveries
	Logger *slog.Logger // nil for slog's default
	// Postgres says that several transactions at the same time are of use.
	Postgres bool
}

// Journal implements [ports.Journal].
type Journal struct {
	accept ports.AcceptDeliveries
	group  *groupcommit.Group[core.Delivery]
	logger *slog.Logger
	closed atomic.Bool
}

var _ ports.Journal = (*Journal)(nil)

// New makes the journal. Close ends it.
func New(options Options) *Journal {
	j := &Journal{accept: options.Accept, logger: options.Logger}
	if j.logger == nil {
		j.logger = slog.Default()
	}
	concurrency := 1
	if options.Postgres {
		concurrency = postgresConcurrency
	}
	j.group = groupcommit.New(groupcommit.Options{ItemsMax: batchItemsMax, Concurrency: concurrency},
		func(d core.Delivery) int { return len(d.Body) }, j.store)
	return j
}

// store hands a batch over. It belongs to no single caller, so it has a deadline of its
// own.
func (j *Journal) store(batch []core.Delivery) error {
	ctx, cancel := context.WithTimeout(context.Background(), acceptTimeMax)
	defer cancel()
	each := make(groupcommit.ItemErrors, len(batch))
	j.storePart(ctx, batch, each)
	if errors.Join(each...) == nil {
		return nil
	}
	return each
}

// storePart hands a part of a batch over and notes each one's error. Where one of them can never
// be stored, the others are stored without it.
func (j *Journal) storePart(ctx context.Context, part []core.Delivery, each groupcommit.ItemErrors) {
	err := j.handOver(ctx, part)
	if err == nil {
		return
	}
	if len(part) > 1 && (errors.Is(err, ports.ErrText) || errors.Is(err, ports.ErrRefused) || errors.Is(err, errPanicked)) {
		half := len(part) / 2
		j.storePart(ctx, part[:half], each[:half])
		j.storePart(ctx, part[half:], each[half:])
		return
	}
	j.logger.Warn("deliveries could not be stored", slog.Int("count", len(part)), slog.String("error", err.Error()))
	for i := range each {
		each[i] = fmt.Errorf("%w: %w", ports.ErrJournalUnavailable, err)
	}
}

// handOver makes an error of a panic: it is the batch's trouble, and not the process's.
func (j *Journal) handOver(ctx context.Context, batch []core.Delivery) (err error) {
	defer func() {
		if value := recover(); value != nil { // which may hold anything: only its type is told
			j.logger.Error("storing deliveries panicked", slog.String("type", fmt.Sprintf("%T", value)), slog.String("stack", string(debug.Stack())))
			err = errPanicked
		}
	}()
	return j.accept(ctx, batch)
}

// Append implements [ports.Journal].
func (j *Journal) Append(ctx context.Context, delivery core.Delivery) error {
	// A transaction may still be under way when ctx has its caller go.
	delivery.Body = bytes.Clone(delivery.Body)
	err := j.group.Submit(ctx, delivery)
	if errors.Is(err, groupcommit.ErrFull) || errors.Is(err, groupcommit.ErrClosed) {
		return fmt.Errorf("%w: %w", ports.ErrJournalUnavailable, err)
	}
	return err
}

// Drain waits: what was appended has been accepted already.
func (j *Journal) Drain(ctx context.Context, _ ports.AcceptDeliveries) error {
	<-ctx.Done()
	return ctx.Err()
}

// Ready has nothing to say beside the store, but for a journal that is closed.
func (j *Journal) Ready(context.Context) error {
	if j.closed.Load() {
		return fmt.Errorf("%w: %w", ports.ErrJournalUnavailable, groupcommit.ErrClosed)
	}
	return nil
}

// Close waits for what is being stored and takes no more. Closing twice is no error.
func (j *Journal) Close() {
	j.closed.Store(true)
	j.group.Close()
}

package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// backfillReadMax is how long a collection of metrics waits for the database.
const backfillReadMax = 2 * time.Second

// Backfill tells, as metrics, how far the walks through providers' lists came and what they found, and
// what remained of comparisons. Each collection asks the database, so that every node tells the same.
type Backfill struct {
	store  ports.Reader
	clock  ports.Clock
	behind metric.Float64ObservableGauge
	failed metric.Int64ObservableGauge
	found  metric.Int64ObservableCounter
	drift  metric.Int64ObservableGauge
	stuck  metric.Int64ObservableGauge
}

// NewBackfill makes the metrics of the running set-up.
func NewBackfill(_ *Telemetry, store ports.Reader, clock ports.Clock) (*Backfill, error) {
	meter := otel.Meter(scope)
	b := &Backfill{store: store, clock: clock}
	var failed [6]error
	b.behind, failed[0] = meter.Float64ObservableGauge("paydesk.backfill.behind", metric.WithUnit("s"),
		metric.WithDescription("Age of the newest that was surely taken of a provider's list, by account and stream."))
	b.failed, failed[1] = meter.Int64ObservableGauge("paydesk.backfill.failed", metric.WithUnit("{run}"),
		metric.WithDescription("1 where the last walk through a provider's list failed or lacks a part, else 0, by account and stream."))
	b.found, failed[2] = meter.Int64ObservableCounter("paydesk.backfill.found", metric.WithUnit("{object}"),
		metric.WithDescription("Events and changed objects that no webhook had brought, by account and stream."))
	b.drift, failed[3] = meter.Int64ObservableGauge("paydesk.reconcile.remaining", metric.WithUnit("{object}"),
		metric.WithDescription("Objects that the last comparison could not make equal to their provider's, by account."))
	b.stuck, failed[4] = meter.Int64ObservableGauge("paydesk.reconcile.failed", metric.WithUnit("{run}"),
		metric.WithDescription("1 where the last comparison, or a part of it, failed, else 0, by account."))
	if errors.Join(failed[:]...) == nil {
		_, failed[5] = meter.RegisterCallback(b.observe, b.behind, b.failed, b.found, b.drift, b.stuck)
	}
	if err := errors.Join(failed[:]...); err != nil {
		return nil, fmt.Errorf("make the backfill's metrics: %w", err)
	}
	return b, nil
}

// observe asks the database. Where it does not answer there are no values, and nothing else is kept
// from being collected.
func (b *Backfill) observe(ctx context.Context, o metric.Observer) error {
	ctx, cancel := context.WithTimeout(ctx, backfillReadMax)
	defer cancel()
	cursors, err := b.store.BackfillCursors(ctx)
	if err != nil {
		return nil // readiness tells of the database
	}
	runs, err := b.store.DriftRuns(ctx)
	if err != nil {
		return nil // as above
	}
	now := b.clock.Now()
	for _, run := range runs {
		of := metric.WithAttributes(attribute.String("account", string(run.Account)))
		o.ObserveInt64(b.drift, run.Remaining, of)
		var failed int64
		if run.Status == core.DriftFailed {
			failed = 1
		}
		o.ObserveInt64(b.stuck, failed, of)
	}
	for _, c := range cursors {
		of := metric.WithAttributes(attribute.String("account", string(c.Account)), attribute.String("stream", string(c.Stream)))
		var failed int64
		if c.Status == core.BackfillFailed || c.Status == core.BackfillIncomplete {
			failed = 1
		}
		o.ObserveInt64(b.failed, failed, of)
		o.ObserveInt64(b.found, c.Found, of)
		if c.Stream != core.BackfillOpen { // walked through only where something is missing
			o.ObserveFloat64(b.behind, max(now.Sub(c.TakenUntil).Seconds(), 0), of)
		}
	}
	return nil
}

package bunrepo

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/paydesk/paydesk/ports"
)

// jobMetrics counts jobs by kind and outcome; ids are no labels.
type jobMetrics struct {
	count metric.Int64Counter
	run   metric.Float64Histogram
	wait  metric.Float64Histogram
}

// Bounds in seconds: from a job that only reads to one that waits for a provider, and
// from one that is taken at once to one behind an outage.
var (
	runBounds  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	waitBounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 15, 60, 300, 1800}
)

// newJobMetrics makes the instruments. The names are constants, so that an error could
// only come from a meter that refuses all; nothing is measured then.
func newJobMetrics(meter metric.Meter) jobMetrics {
	m, err := makeJobMetrics(meter)
	if err != nil {
		m, _ = makeJobMetrics(noop.Meter{}) // never fails
	}
	return m
}

func makeJobMetrics(meter metric.Meter) (m jobMetrics, err error) {
	if m.count, err = meter.Int64Counter("paydesk.jobs", metric.WithDescription("Tries of jobs by kind and outcome.")); err != nil {
		return m, err
	}
	if m.run, err = meter.Float64Histogram("paydesk.job.duration", metric.WithUnit("s"),
		metric.WithDescription("How long tries of jobs took."), metric.WithExplicitBucketBoundaries(runBounds...)); err != nil {
		return m, err
	}
	m.wait, err = meter.Float64Histogram("paydesk.job.age", metric.WithUnit("s"),
		metric.WithDescription("How long jobs had been due when a try began."), metric.WithExplicitBucketBoundaries(waitBounds...))
	return m, err
}

// done notes one try.
func (m jobMetrics) done(ctx context.Context, kind ports.JobKind, outcome jobOutcome, waited, took time.Duration) {
	byKind := attribute.String("kind", string(kind))
	m.count.Add(ctx, 1, metric.WithAttributes(byKind, attribute.String("outcome", string(outcome))))
	m.run.Record(ctx, took.Seconds(), metric.WithAttributes(byKind))
	m.wait.Record(ctx, waited.Seconds(), metric.WithAttributes(byKind))
}

// warnings passes on what is at least a warning, whatever the handler below would take:
// the queue tells of each job at lower levels.
type warnings struct{ slog.Handler }

// Enabled reports whether a level is passed on.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the bound.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the bound.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

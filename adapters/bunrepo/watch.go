package bunrepo

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scope names this package's spans and metrics.
const scope = "github.com/paydesk/paydesk/adapters/bunrepo"

// statementSpans makes a span of each statement that is part of a trace. It names the
// verb and the table and never the statement, which holds values.
type statementSpans struct {
	tracer  trace.Tracer
	dialect dialect
}

// BeforeQuery begins the span.
func (w statementSpans) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx
	}
	name := event.Operation()
	attributes := []attribute.KeyValue{attribute.String("db.system.name", w.dialect.String()), attribute.String("db.operation.name", name)}
	if event.IQuery != nil {
		if table := event.IQuery.GetTableName(); table != "" {
			name += " " + table
			attributes = append(attributes, attribute.String("db.collection.name", table))
		}
	}
	ctx, span := w.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...)) //nolint:spancheck // AfterQuery ends it
	event.Stash = map[any]any{spanKey{}: span}
	return ctx //nolint:spancheck // AfterQuery ends the span
}

type spanKey struct{}

// AfterQuery ends it.
func (w statementSpans) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	span, ok := event.Stash[spanKey{}].(trace.Span)
	if !ok {
		return
	}
	if event.Err != nil && !errors.Is(event.Err, sql.ErrNoRows) {
		span.SetStatus(codes.Error, "") // the database's words may repeat values
	}
	span.End()
}

// watchPool publishes how busy the connections are.
func watchPool(meter metric.Meter, name string, db *sql.DB) error {
	open, err := meter.Int64ObservableGauge("paydesk.db.connections", metric.WithDescription("Connections to the database by state."))
	if err != nil {
		return err
	}
	waits, err := meter.Int64ObservableCounter("paydesk.db.connection_waits", metric.WithDescription("How often a connection had to be waited for."))
	if err != nil {
		return err
	}
	pool := attribute.String("pool", name)
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		stats := db.Stats()
		o.ObserveInt64(open, int64(stats.InUse), metric.WithAttributes(pool, attribute.String("state", "used")))
		o.ObserveInt64(open, int64(stats.Idle), metric.WithAttributes(pool, attribute.String("state", "idle")))
		o.ObserveInt64(waits, stats.WaitCount, metric.WithAttributes(pool))
		return nil
	}, open, waits)
	return err
}

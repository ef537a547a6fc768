package app

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// NewLogger writes to w: JSON for machines or lines for people. Every line within a
// trace names it.
func NewLogger(w io.Writer, level string, forPeople bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	var parsed slog.Level
	if parsed.UnmarshalText([]byte(level)) == nil {
		options.Level = parsed
	}
	if forPeople {
		return slog.New(tracing{slog.NewTextHandler(w, options)})
	}
	return slog.New(tracing{slog.NewJSONHandler(w, options)})
}

// tracing adds the trace's id to each record.
type tracing struct{ slog.Handler }

// Handle implements [slog.Handler].
func (t tracing) Handle(ctx context.Context, record slog.Record) error {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		record.AddAttrs(slog.String("trace_id", id.String()))
	}
	return t.Handler.Handle(ctx, record)
}

// WithAttrs implements [slog.Handler].
func (t tracing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tracing{t.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (t tracing) WithGroup(name string) slog.Handler { return tracing{t.Handler.WithGroup(name)} }

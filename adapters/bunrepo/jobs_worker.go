package bunrepo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/ports"
)

const (
	// sweepLateMax is how much later than its schedule's pause a run may begin. Behind one
	// that is later others wait already, so it is left out: runs cannot pile up.
	sweepLateMax = 10 * time.Second
	// jobErrorBytesMax is how much of an error stays with the job's row.
	jobErrorBytesMax = 500
)

// errPanic is what becomes of a handler's panic.
var errPanic = errors.New("handler panicked")

// jobWorker works on one kind.
type jobWorker struct {
	river.WorkerDefaults[jobArgs]
	jobs   *Jobs
	kind   ports.JobKind
	plan   jobPlan
	handle ports.JobHandler
}

// Timeout is how long one try may take.
func (w *jobWorker) Timeout(*river.Job[jobArgs]) time.Duration { return w.plan.timeout }

// NextRetry is when a job that failed runs again.
func (w *jobWorker) NextRetry(job *river.Job[jobArgs]) time.Time {
	return time.Now().Add(w.plan.pause(job.Attempt)).UTC()
}

// planPauses is the same for jobs that no worker could read.
type planPauses struct{}

// NextRetry is when a job that failed runs again.
func (planPauses) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(planOf(ports.JobKind(job.Kind)).pause(job.Attempt)).UTC()
}

// Work does one try.
func (w *jobWorker) Work(ctx context.Context, row *river.Job[jobArgs]) error {
	begun := time.Now()
	waited := max(begun.Sub(row.ScheduledAt), 0)
	if row.Args.Every > 0 && waited > row.Args.Every+sweepLateMax {
		w.jobs.metrics.done(ctx, w.kind, outcomeLate, waited, 0)
		return nil
	}
	job := row.Args.job(w.kind, row.Attempt >= w.plan.tries)
	ctx, span := w.span(ctx, row)
	defer span.End()

	err := w.call(ctx, job)
	outcome := outcomeOf(ctx, err, job.LastTry)
	w.jobs.metrics.done(ctx, w.kind, outcome, waited, time.Since(begun))
	if err == nil {
		return nil
	}
	span.SetStatus(codes.Error, string(outcome))
	w.log(ctx, row, outcome, err)
	kept := keptError{err}
	if outcome == outcomeGivenUp || outcome == outcomeExhausted {
		return river.JobCancel(kept) //nolint:wrapcheck // the queue's own word for the end of a job
	}
	return kept
}

// span begins the try's place in the trace of what caused the job; a trace of its own for
// what only time caused.
func (w *jobWorker) span(ctx context.Context, row *river.Job[jobArgs]) (context.Context, trace.Span) {
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("paydesk.job.kind", string(w.kind)), attribute.Int64("paydesk.job.id", row.ID), attribute.Int("paydesk.job.attempt", row.Attempt),
	)}
	if row.Args.Trace == "" {
		options = append(options, trace.WithNewRoot())
	}
	return w.jobs.store.tracer.Start(withTraceparent(ctx, row.Args.Trace), "job "+string(w.kind), options...) //nolint:spancheck // the caller ends it
}

// call runs the handler and makes an error of a panic. What was panicked with may hold
// anything, so only the place is told.
func (w *jobWorker) call(ctx context.Context, job ports.Job) (err error) {
	defer func() {
		if value := recover(); value != nil {
			w.jobs.logger.ErrorContext(ctx, "job panicked", slog.String("kind", string(w.kind)),
				slog.String("type", fmt.Sprintf("%T", value)), slog.String("stack", string(debug.Stack())))
			err = errPanic
		}
	}()
	return w.handle(ctx, job)
}

// log tells of a failed try. What ends a job is more than what a next try, or the next
// run of a schedule, may mend.
func (w *jobWorker) log(ctx context.Context, row *river.Job[jobArgs], outcome jobOutcome, err error) {
	level := slog.LevelWarn
	switch {
	case outcome == outcomeInterrupted:
		level = slog.LevelInfo
	case row.Args.Every == 0 && (outcome == outcomeGivenUp || outcome == outcomeExhausted):
		level = slog.LevelError
	}
	w.jobs.logger.LogAttrs(ctx, level, "job failed", slog.String("kind", string(w.kind)), slog.Int64("job", row.ID),
		slog.Int("attempt", row.Attempt), slog.String("outcome", string(outcome)), slog.String("error", keptError{err}.Error()))
}

// keptError is an error whose text is short enough to stay with a job's row.
type keptError struct{ cause error }

// Error is the beginning of the cause's text, without what PostgreSQL's JSON refuses: a
// job whose error could not be kept would run without end.
func (e keptError) Error() string {
	text := e.cause.Error()
	text = text[:min(len(text), jobErrorBytesMax)]
	return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
}

// Unwrap gives the cause.
func (e keptError) Unwrap() error { return e.cause }

// jobOutcome is how a try ended.
type jobOutcome string

const (
	outcomeDone        jobOutcome = "done"
	outcomeFailed      jobOutcome = "failed"      // runs again
	outcomeGivenUp     jobOutcome = "given_up"    // can never succeed
	outcomeExhausted   jobOutcome = "exhausted"   // the last try failed
	outcomeInterrupted jobOutcome = "interrupted" // the process stops; runs again, and does not count
	outcomeLate        jobOutcome = "late"        // a schedule's run that a later one replaces
)

func outcomeOf(ctx context.Context, err error, lastTry bool) jobOutcome {
	switch {
	case err == nil:
		return outcomeDone
	case errors.Is(err, ports.ErrJobGivenUp):
		return outcomeGivenUp
	case errors.Is(ctx.Err(), context.Canceled): // a try that took too long has DeadlineExceeded
		return outcomeInterrupted
	case lastTry:
		return outcomeExhausted
	}
	return outcomeFailed
}

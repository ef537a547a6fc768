package bunrepo

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// jobWakeEvery is how often the transactions of one process wake the workers of a
	// PostgreSQL queue, at most. PostgreSQL commits transactions that notify one after
	// the other, so a busy process must not notify with each; the workers' polling finds
	// what came in between.
	jobWakeEvery = 2 * time.Millisecond
	// jobSoonMax is the longest delay that workers sit out themselves. Longer ones wait
	// aside, where the queue's scheduler looks every 5 s.
	jobSoonMax = 10 * time.Second
	// jobDelayMax is the longest delay.
	jobDelayMax = 366 * 24 * time.Hour
	// jobsPerStatementMax is how many jobs one statement inserts.
	jobsPerStatementMax = 1000
	// traceparentLength is what a W3C traceparent of version 00 has.
	traceparentLength = 55
)

// jobArgs is what a job's row says about it. Ids and the trace only: rows are read by
// whoever looks at the queue.
type jobArgs struct {
	kind      ports.JobKind
	Inbound   core.InboundID   `json:"inbound,omitempty"`
	Operation core.OperationID `json:"operation,omitempty"`
	Payment   core.PaymentID   `json:"payment,omitempty"`
	Subject   string           `json:"subject,omitempty"`
	Trace     string           `json:"trace,omitempty"`
	// Every is set on runs of a schedule: its pause in nanoseconds.
	Every time.Duration `json:"every,omitempty"`
}

// Kind names the work.
func (a jobArgs) Kind() string { return string(a.kind) }

// job is what the handler gets.
func (a jobArgs) job(kind ports.JobKind, lastTry bool) ports.Job {
	return ports.Job{
		Kind: kind, Inbound: a.Inbound, Operation: a.Operation, Payment: a.Payment,
		Subject: a.Subject, Trace: a.Trace, LastTry: lastTry,
	}
}

// jobClient inserts jobs. The zero value is ready for use.
type jobClient struct {
	once    sync.Once
	client  *river.Client[*sql.Tx]
	err     error
	working atomic.Bool // whether jobs are worked on; used on SQLite
	wakes   wakes       // used on SQLite
}

// jobInserter gives the store's one client that inserts.
func (s *Store) jobInserter() (*river.Client[*sql.Tx], error) {
	s.jobs.once.Do(func() {
		s.jobs.client, s.jobs.err = river.NewClient(s.jobDriver(), &river.Config{
			FetchCooldown: jobWakeEvery, FetchPollInterval: jobWakeEvery,
			Hooks: []rivertype.Hook{&soonAvailable{}}, Logger: slog.New(slog.DiscardHandler), MaxAttempts: jobAttemptsMax,
		})
	})
	return s.jobs.client, s.jobs.err
}

// jobDriver is River's way into the store's database.
func (s *Store) jobDriver() riverdriver.Driver[*sql.Tx] {
	if s.dialect == dialectPostgres {
		return riverdatabasesql.NewWithPgxListener(s.sqlDB, s.pool)
	}
	return sqliteDriver{Driver: riversqlite.New(s.sqlDB), wakes: &s.jobs.wakes}
}

// soonAvailable makes jobs with a short delay available from the start. Workers leave
// them alone until their time has come, and find them then without the scheduler.
type soonAvailable struct{ river.HookDefaults }

// InsertBegin is called for each job before it is inserted.
func (*soonAvailable) InsertBegin(_ context.Context, params *rivertype.JobInsertParams) error {
	if params.State == rivertype.JobStateScheduled && time.Until(*params.ScheduledAt) <= jobSoonMax {
		params.State = rivertype.JobStateAvailable
	}
	return nil
}

// Enqueue commits jobs with the transaction.
func (t *tx) Enqueue(ctx context.Context, jobs ...ports.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	client, err := t.store.jobInserter()
	if err != nil {
		return t.failed(ctx, err, "enqueue %d jobs", len(jobs))
	}
	params, err := jobParams(ctx, jobs)
	if err != nil {
		return t.failed(ctx, err, "enqueue %d jobs", len(jobs))
	}
	if trace.SpanFromContext(ctx).IsRecording() {
		var span trace.Span
		ctx, span = t.store.tracer.Start(ctx, "INSERT river_job", trace.WithSpanKind(trace.SpanKindClient))
		defer span.End()
	}
	for start := 0; start < len(params); start += jobsPerStatementMax {
		part := params[start:min(start+jobsPerStatementMax, len(params))]
		if _, err := client.InsertManyFastTx(ctx, t.tx.Tx, part); err != nil {
			return t.failed(ctx, err, "enqueue %d jobs", len(jobs))
		}
	}
	if t.store.dialect == dialectSQLite {
		t.store.jobs.wakes.wakeFor(jobs)
	}
	return nil
}

// jobParams says how jobs are inserted. Delays count from the machine's time, by which
// the queue works.
func jobParams(ctx context.Context, jobs []ports.Job) ([]river.InsertManyParams, error) {
	parent := traceparent(ctx)
	options := make(map[ports.JobKind]*river.InsertOpts) // shared by jobs without a delay
	params := make([]river.InsertManyParams, len(jobs))
	for i, job := range jobs {
		if err := checkJob(job); err != nil {
			return nil, err
		}
		args := jobArgs{
			kind: job.Kind, Inbound: job.Inbound, Operation: job.Operation, Payment: job.Payment,
			Subject: job.Subject, Trace: job.Trace,
		}
		if args.Trace == "" {
			args.Trace = parent
		}
		shared := options[job.Kind]
		if shared == nil {
			shared = &river.InsertOpts{Queue: planOf(job.Kind).queue}
			options[job.Kind] = shared
		}
		params[i] = river.InsertManyParams{Args: args, InsertOpts: shared}
		if job.Delay > 0 {
			delayed := *shared
			delayed.ScheduledAt = time.Now().Add(job.Delay).UTC()
			params[i].InsertOpts = &delayed
		}
	}
	return params, nil
}

func checkJob(job ports.Job) error {
	switch {
	case job.Delay < 0 || job.Delay > jobDelayMax:
		return fmt.Errorf("job %s has a delay of %s, allowed are 0 to %s", job.Kind, job.Delay, jobDelayMax)
	case job.Trace != "" && len(job.Trace) != traceparentLength:
		return fmt.Errorf("job %s has a trace that is no traceparent", job.Kind)
	}
	return checkTexts(job)
}

// traceparent is the trace of ctx, empty for none.
func traceparent(ctx context.Context) string {
	carrier := make(propagation.MapCarrier, 2)
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// withTraceparent puts a job's work below what caused it.
func withTraceparent(ctx context.Context, parent string) context.Context {
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": parent})
}

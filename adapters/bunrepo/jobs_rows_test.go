package bunrepo_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/ports"
)

// jobWaitMax bounds each wait for a signal.
const jobWaitMax = 40 * time.Second

// jobRows opens a database beside its store, to play what a dead process left.
func jobRows(t *testing.T, url string) *sql.DB {
	t.Helper()
	var db *sql.DB
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		var err error
		db, err = sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
		require.NoError(t, err)
	} else {
		config, err := pgxpool.ParseConfig(url)
		require.NoError(t, err)
		db = stdlib.OpenDB(*config.ConnConfig)
	}
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func eachJobDatabase(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, repotest.SQLiteURL(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		repotest.NeedPostgres(t)
		test(t, repotest.PostgresURL(t))
	})
}

func enqueueJobs(t *testing.T, store ports.Store, jobs ...ports.Job) {
	t.Helper()
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.Enqueue(ctx, jobs...) }))
}

// workUntilEnd works in the background and gives what ends it.
func workUntilEnd(t *testing.T, jobs ports.Jobs, kind ports.JobKind, handler ports.JobHandler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- jobs.Work(ctx, map[ports.JobKind]ports.JobHandler{kind: handler}, nil) }()
	stopped := false
	stop = func() {
		cancel()
		if !stopped {
			stopped = true
			require.NoError(t, jobReceive(t, ended))
		}
	}
	t.Cleanup(stop)
	return stop
}

func jobReceive[T any](t *testing.T, from <-chan T) (value T) {
	t.Helper()
	timer := time.NewTimer(jobWaitMax)
	defer timer.Stop()
	select {
	case value = <-from:
	case <-timer.C:
		require.FailNow(t, "waited in vain")
	}
	return value
}

func TestJobsOfADeadProcessRunAgain(t *testing.T) {
	t.Parallel()
	eachJobDatabase(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		enqueueJobs(t, store, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_1"}, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_2"})
		rows := jobRows(t, url)
		// The second died at every try there is, and its last one never came to an end.
		_, err := rows.ExecContext(t.Context(), `UPDATE river_job SET state = 'running', attempt = CASE id WHEN 1 THEN 1 ELSE 50 END, attempted_at = '2026-01-01 00:00:00'`)
		require.NoError(t, err)

		options := jobOptions(t)
		options.RescueAfter = time.Second
		ran := make(chan ports.Job, 4)
		workUntilEnd(t, bunrepo.NewJobs(store, options), ports.JobClosePayment, func(_ context.Context, job ports.Job) error {
			ran <- job
			return nil
		})
		if !strings.HasPrefix(url, "sqlite:") {
			// PostgreSQL's rescued jobs pause as failed ones do, and a look at those that
			// pause for long comes only every so often.
			require.Equal(t, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_1"}, jobReceive(t, ran))
			_, err := rows.ExecContext(t.Context(), `UPDATE river_job SET scheduled_at = now(), state = 'available' WHERE state = 'retryable'`)
			require.NoError(t, err)
			require.Equal(t, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_2", LastTry: true}, jobReceive(t, ran))
			return
		}
		require.ElementsMatch(t, []ports.Job{
			{Kind: ports.JobClosePayment, Payment: "pay_1"}, {Kind: ports.JobClosePayment, Payment: "pay_2", LastTry: true},
		}, []ports.Job{jobReceive(t, ran), jobReceive(t, ran)})
	})
}

func TestPostgresTakesBackWhatDeadProcessesWorkedOnAndNothingElse(t *testing.T) {
	t.Parallel()
	url := repotest.PostgresURL(t)
	store := repotest.Open(t, url)
	ran, finish := make(chan ports.Job, 8), make(chan struct{})
	handler := func(_ context.Context, job ports.Job) error {
		ran <- job
		if job.Payment == "pay_long" {
			<-finish
		}
		return nil
	}
	workUntilEnd(t, bunrepo.NewJobs(store, jobOptions(t)), ports.JobClosePayment, handler)
	enqueueJobs(t, store, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_long"})
	require.Equal(t, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_long"}, jobReceive(t, ran))

	// The delay keeps workers away from the job until it looks like one that a dead
	// process runs.
	enqueueJobs(t, store, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_dead", Delay: time.Hour})
	_, err := jobRows(t, url).ExecContext(t.Context(), `UPDATE river_job SET state = 'running', attempt = 2, attempted_at = now(),
		attempted_by = ARRAY[(SELECT attempted_by[1] FROM river_job WHERE state = 'running'), 'dead'], scheduled_at = now() WHERE state = 'scheduled'`)
	require.NoError(t, err)
	stop := workUntilEnd(t, bunrepo.NewJobs(repotest.Open(t, url), jobOptions(t)), ports.JobClosePayment, handler)
	require.Equal(t, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_dead"}, jobReceive(t, ran))
	stop()
	close(finish)
	require.Empty(t, ran, "the living process keeps its job")
}

func TestAJobsLastTryIsItsLast(t *testing.T) {
	t.Parallel()
	eachJobDatabase(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		enqueueJobs(t, store, ports.Job{Kind: ports.JobConfirmPayment, Payment: "pay_1"})
		rows := jobRows(t, url)
		_, err := rows.ExecContext(t.Context(), `UPDATE river_job SET attempt = 19`)
		require.NoError(t, err)
		ran := make(chan ports.Job, 4)
		stop := workUntilEnd(t, bunrepo.NewJobs(store, jobOptions(t)), ports.JobConfirmPayment, func(_ context.Context, job ports.Job) error {
			ran <- job
			return errors.New("provider is down")
		})
		require.Equal(t, ports.Job{Kind: ports.JobConfirmPayment, Payment: "pay_1", LastTry: true}, jobReceive(t, ran))
		stop()
		var state string
		require.NoError(t, rows.QueryRowContext(t.Context(), `SELECT state FROM river_job`).Scan(&state))
		require.Equal(t, "cancelled", state)
	})
}

func TestLongDelaysWaitAside(t *testing.T) {
	t.Parallel()
	eachJobDatabase(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		enqueueJobs(t, store, ports.Job{Kind: ports.JobRepairOperation, Delay: time.Hour}, ports.Job{Kind: ports.JobRepairOperation, Delay: time.Second})
		rows := jobRows(t, url)
		var aside, soon int
		require.NoError(t, rows.QueryRowContext(t.Context(),
			`SELECT count(CASE state WHEN 'scheduled' THEN 1 END), count(CASE state WHEN 'available' THEN 1 END) FROM river_job`).Scan(&aside, &soon))
		require.Equal(t, []int{1, 1}, []int{aside, soon})
	})
}

func TestJobsThatCannotBeKeptAreRefused(t *testing.T) {
	t.Parallel()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) {
		store := open(t)
		for name, job := range map[string]ports.Job{
			"delay below zero": {Kind: ports.JobConfirmPayment, Delay: -1},
			"delay of years":   {Kind: ports.JobConfirmPayment, Delay: 3 * 366 * 24 * time.Hour},
			"no trace":         {Kind: ports.JobConfirmPayment, Trace: "abc"},
			"a NUL":            {Kind: ports.JobConfirmPayment, Payment: "pay_\x00"},
		} {
			err := store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.Enqueue(ctx, job) })
			require.Error(t, err, name)
		}
	})
}

func TestSQLiteHasOneWorker(t *testing.T) {
	t.Parallel()
	store := repotest.SQLite(t)
	ran := make(chan struct{}, 1)
	workUntilEnd(t, bunrepo.NewJobs(store, jobOptions(t)), ports.JobConfirmPayment, func(context.Context, ports.Job) error {
		ran <- struct{}{}
		return nil
	})
	enqueueJobs(t, store, ports.Job{Kind: ports.JobConfirmPayment})
	jobReceive(t, ran)
	err := bunrepo.NewJobs(store, jobOptions(t)).Work(t.Context(), map[ports.JobKind]ports.JobHandler{
		ports.JobConfirmPayment: func(context.Context, ports.Job) error { return nil },
	}, nil)
	require.ErrorContains(t, err, "already")
}

func TestJobsAreSeenInTracesAndMetrics(t *testing.T) {
	t.Parallel()
	eachJobDatabase(t, func(t *testing.T, url string) {
		spans, reader := tracetest.NewSpanRecorder(), metric.NewManualReader()
		tracers := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
		options := repotest.Options(url)
		options.Tracer, options.Meter = tracers, metric.NewMeterProvider(metric.WithReader(reader))
		store, closeStore, err := bunrepo.Open(t.Context(), options)
		require.NoError(t, err)
		t.Cleanup(closeStore)

		ran := make(chan ports.Job, 1)
		stop := workUntilEnd(t, bunrepo.NewJobs(store, jobOptions(t)), ports.JobConfirmPayment, func(_ context.Context, job ports.Job) error {
			ran <- job
			return fmt.Errorf("gone: %w", ports.ErrJobGivenUp)
		})
		ctx, span := tracers.Tracer("test").Start(t.Context(), "cause")
		require.NoError(t, store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			return tx.Enqueue(ctx, ports.Job{Kind: ports.JobConfirmPayment, Payment: "pay_1"})
		}))
		span.End()
		job := jobReceive(t, ran)
		stop()
		require.Contains(t, job.Trace, span.SpanContext().TraceID().String())
		require.Contains(t, job.Trace, span.SpanContext().SpanID().String())
		var seen []string
		for _, ended := range spans.Ended() {
			if ended.SpanContext().TraceID() == span.SpanContext().TraceID() {
				seen = append(seen, ended.Name())
			}
			if ended.Name() == "job confirm_payment" {
				require.Equal(t, span.SpanContext().SpanID(), ended.Parent().SpanID())
			}
		}
		require.Contains(t, seen, "job confirm_payment")

		var all metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(context.WithoutCancel(t.Context()), &all))
		text := fmt.Sprintf("%+v", all)
		for _, name := range []string{"paydesk.jobs", "paydesk.job.duration", "paydesk.job.age", "given_up"} {
			require.Contains(t, text, name)
		}
		require.NotContains(t, text, "msg_1")
	})
}

func TestRunsOfAScheduleThatComeTooLateAreLeftOut(t *testing.T) {
	t.Parallel()
	eachJobDatabase(t, func(t *testing.T, url string) {
		store := repotest.Open(t, url)
		enqueueJobs(t, store, ports.Job{Kind: ports.JobExpireCheckouts})
		args := `'{"every":1}'`
		if strings.HasPrefix(url, "sqlite:") {
			args = "jsonb(" + args + ")"
		}
		_, err := jobRows(t, url).ExecContext(t.Context(), `UPDATE river_job SET scheduled_at = '2026-01-01 00:00:00', args = `+args)
		require.NoError(t, err)
		enqueueJobs(t, store, ports.Job{Kind: ports.JobExpireCheckouts, Operation: "op_fresh"})
		ran := make(chan ports.Job, 4)
		stop := workUntilEnd(t, bunrepo.NewJobs(store, jobOptions(t)), ports.JobExpireCheckouts, func(_ context.Context, job ports.Job) error {
			ran <- job
			return nil
		})
		require.Equal(t, "op_fresh", string(jobReceive(t, ran).Operation))
		stop()
		require.Empty(t, ran)
	})
}

// The pauses of a kind are as random as each of them, but their sum is what was promised.
func TestJobsAreTriedForAsLongAsPlanned(t *testing.T) {
	t.Parallel()
	for kind, want := range map[ports.JobKind]time.Duration{
		ports.JobSyncInbound: 19 * time.Hour, ports.JobRepairOperation: 90 * time.Minute, ports.JobClosePayment: 19 * time.Hour,
		ports.JobSyncRefund: 19 * time.Hour, ports.JobSyncSubscription: 19 * time.Hour, ports.JobWatchAuthorizations: 0,
		ports.JobWatchDisputes: 0, ports.JobWatchSubscriptions: 0, ports.JobSweepOperations: 0, ports.JobSweepObjects: 0, ports.JobSweepEvents: 0,
		ports.JobExpireCheckouts: 0, ports.JobPruneIdempotency: 0,
	} {
		require.InDelta(t, want.Hours(), bunrepo.JobPauses(kind).Hours(), 0.2*want.Hours()+0.01, kind)
	}
}

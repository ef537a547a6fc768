package portstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// jobsWaitMax bounds each wait for a signal. It is long since machines that run tests
	// are busy; nothing here takes that long.
	jobsWaitMax = 30 * time.Second
	// jobsManyCount is how many jobs the calm crowd has.
	jobsManyCount = 500
	// jobsDelay is the delay that is waited for.
	jobsDelay = 300 * time.Millisecond
	// jobsScheduleEvery is the pause of the schedule that is waited for.
	jobsScheduleEvery = 200 * time.Millisecond
	// jobsClockStep is how coarse the clocks are whose times are compared.
	jobsClockStep = 2 * time.Millisecond

	jobsTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

// OpenJobs opens an empty store and the worker on its jobs, closed when the test ends.
// How long the worker waits for running jobs once it has to stop should be short.
type OpenJobs func(t *testing.T) (store ports.Store, jobs ports.Jobs)

// RunJobs holds a worker to the promises of [ports.Jobs] and [ports.Tx.Enqueue].
func RunJobs(t *testing.T, open OpenJobs) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, desk *jobsDesk){
		"a committed job runs with what it was given":     jobsCommitted,
		"a job of a rolled back transaction never runs":   jobsRolledBack,
		"a delayed job waits, and runs":                   jobsDelayed,
		"a job that failed runs again":                    jobsFailed,
		"a panic is a failure and harms no other job":     jobsPanic,
		"a given up job ends":                             jobsGivenUp,
		"work that stops in the middle is done again":     jobsInterrupted,
		"stopping waits for what is about to finish":      jobsDrained,
		"schedules run at once and again":                 jobsScheduled,
		"many jobs run once each while nothing goes down": jobsMany,
		"jobs wait for a worker":                          jobsWaitForWorker,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newJobsDesk(t, open))
		})
	}
}

// RunJobsShared holds workers on one database, at the same time, to sharing the work.
func RunJobsShared(t *testing.T, open OpenJobs) {
	t.Helper()
	desk := newJobsDesk(t, open)
	stopFirst := desk.work(t, desk.handlers(), nil)
	stopSecond := desk.work(t, desk.handlers(), nil)
	desk.enqueueMany(t)
	desk.awaitMany(t)
	stopFirst()
	stopSecond()
	desk.requireOnce(t)
}

// jobsDesk is a worker under test and what its handlers saw.
type jobsDesk struct {
	store ports.Store
	jobs  ports.Jobs
	ran   chan ports.Job // one for each call of a handler from handlers
}

func newJobsDesk(t *testing.T, open OpenJobs) *jobsDesk {
	t.Helper()
	desk := &jobsDesk{ran: make(chan ports.Job, 4*jobsManyCount)}
	desk.store, desk.jobs = open(t)
	return desk
}

// handlers succeed at all kinds and note each call.
func (d *jobsDesk) handlers() map[ports.JobKind]ports.JobHandler {
	note := func(_ context.Context, job ports.Job) error {
		d.ran <- job
		return nil
	}
	handlers := make(map[ports.JobKind]ports.JobHandler)
	for _, kind := range []ports.JobKind{
		ports.JobSyncInbound, ports.JobRepairOperation, ports.JobClosePayment, ports.JobConfirmPayment, ports.JobExpireCheckouts, ports.JobSyncRefund,
		ports.JobSyncSubscription, ports.JobWatchAuthorizations, ports.JobWatchDisputes, ports.JobWatchSubscriptions,
		ports.JobSweepOperations, ports.JobSweepObjects, ports.JobSweepEvents, ports.JobPruneIdempotency,
	} {
		handlers[kind] = note
	}
	return handlers
}

// work begins and gives what ends it. Work that ends by itself, or with an error, fails
// the test.
func (d *jobsDesk) work(t *testing.T, handlers map[ports.JobKind]ports.JobHandler, schedules []ports.JobSchedule) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.jobs.Work(ctx, handlers, schedules) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.NoError(t, jobsAwait(t, ended, "the end of work"))
		})
	}
	t.Cleanup(stop)
	return stop
}

func (d *jobsDesk) enqueue(t *testing.T, jobs ...ports.Job) {
	t.Helper()
	require.NoError(t, d.store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.Enqueue(ctx, jobs...) }))
}

// jobsAwait receives one value, within bounds.
func jobsAwait[T any](t *testing.T, from <-chan T, what string) (value T) {
	t.Helper()
	timer := time.NewTimer(jobsWaitMax)
	defer timer.Stop()
	select {
	case value = <-from:
	case <-timer.C:
		require.FailNow(t, "waited in vain for "+what)
	}
	return value
}

func jobsCommitted(t *testing.T, desk *jobsDesk) {
	given := []ports.Job{
		{Kind: ports.JobSyncInbound, Inbound: "evt_1", Trace: jobsTraceparent},
		{Kind: ports.JobRepairOperation, Operation: "op_1"},
		{Kind: ports.JobClosePayment, Payment: "pay_1"},
		{Kind: ports.JobSyncRefund, Subject: "ref_1"},
		{Kind: ports.JobSyncSubscription, Subject: "sub_1"},
		{Kind: ports.JobExpireCheckouts},
		{Kind: ports.JobPruneIdempotency},
		{Kind: ports.JobWatchAuthorizations},
		{Kind: ports.JobWatchDisputes},
		{Kind: ports.JobWatchSubscriptions},
		{Kind: ports.JobSweepOperations},
		{Kind: ports.JobSweepObjects},
		{Kind: ports.JobSweepEvents},
	}
	desk.work(t, desk.handlers(), nil)
	desk.enqueue(t, given...)
	desk.enqueue(t) // none are none
	var got []ports.Job
	for range given {
		job := jobsAwait(t, desk.ran, "a committed job")
		if job.Kind == ports.JobSyncInbound {
			require.False(t, job.LastTry, "more tries follow the first")
		}
		job.LastTry = false
		got = append(got, job)
	}
	require.ElementsMatch(t, given, got)
}

func jobsRolledBack(t *testing.T, desk *jobsDesk) {
	stop := desk.work(t, desk.handlers(), nil)
	errRollback := errors.New("roll back")
	err := desk.store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		if err := tx.Enqueue(ctx, ports.Job{Kind: ports.JobSyncInbound, Inbound: "evt_rolled_back"}); err != nil {
			return err
		}
		return errRollback
	})
	require.ErrorIs(t, err, errRollback)
	for i := range 3 { // by the third, an earlier one would have run
		want := core.InboundID(fmt.Sprintf("evt_%d", i))
		desk.enqueue(t, ports.Job{Kind: ports.JobSyncInbound, Inbound: want})
		require.Equal(t, want, jobsAwait(t, desk.ran, "a committed job").Inbound)
	}
	stop()
	require.Empty(t, desk.ran)
}

func jobsDelayed(t *testing.T, desk *jobsDesk) {
	desk.work(t, desk.handlers(), nil)
	desk.enqueue(t, ports.Job{Kind: ports.JobRepairOperation, Operation: "op_now"})
	jobsAwait(t, desk.ran, "the job without a delay") // the worker is awake
	begun := time.Now()
	desk.enqueue(t, ports.Job{Kind: ports.JobRepairOperation, Operation: "op_later", Delay: jobsDelay})
	later := jobsAwait(t, desk.ran, "the delayed job")
	require.Equal(t, core.OperationID("op_later"), later.Operation)
	require.GreaterOrEqual(t, time.Since(begun), jobsDelay-jobsClockStep)
}

func jobsFailed(t *testing.T, desk *jobsDesk) {
	var mu sync.Mutex
	tries := 0
	handlers := desk.handlers()
	handlers[ports.JobSyncInbound] = func(_ context.Context, job ports.Job) error {
		mu.Lock()
		defer mu.Unlock()
		if tries++; tries <= 2 {
			return errors.New("not yet \x00 \xff") // also texts that databases refuse are just failures
		}
		desk.ran <- job
		return nil
	}
	desk.work(t, handlers, nil)
	desk.enqueue(t, ports.Job{Kind: ports.JobSyncInbound, Inbound: "evt_again", Trace: jobsTraceparent})
	require.Equal(t, ports.Job{Kind: ports.JobSyncInbound, Inbound: "evt_again", Trace: jobsTraceparent}, jobsAwait(t, desk.ran, "the third try"))
}

func jobsPanic(t *testing.T, desk *jobsDesk) {
	var once sync.Once
	handlers := desk.handlers()
	succeed := handlers[ports.JobSyncInbound]
	handlers[ports.JobSyncInbound] = func(ctx context.Context, job ports.Job) error {
		if job.Inbound == "evt_panics" {
			once.Do(func() { panic("on the first try") })
		}
		return succeed(ctx, job)
	}
	desk.work(t, handlers, nil)
	desk.enqueue(t, ports.Job{Kind: ports.JobSyncInbound, Inbound: "evt_panics"}, ports.Job{Kind: ports.JobSyncInbound, Inbound: "evt_calm"})
	require.ElementsMatch(t, []core.InboundID{"evt_calm", "evt_panics"}, []core.InboundID{
		jobsAwait(t, desk.ran, "one job").Inbound, jobsAwait(t, desk.ran, "the other job").Inbound,
	})
}

func jobsGivenUp(t *testing.T, desk *jobsDesk) {
	var mu sync.Mutex
	tries := make(map[core.InboundID]int)
	handlers := desk.handlers()
	handlers[ports.JobSyncInbound] = func(_ context.Context, job ports.Job) error {
		mu.Lock()
		defer mu.Unlock()
		tries[job.Inbound]++
		switch {
		case job.Inbound == "evt_given_up":
			return fmt.Errorf("no such object: %w", ports.ErrJobGivenUp)
		case tries[job.Inbound] <= 2:
			return errors.New("not yet")
		}
		desk.ran <- job
		return nil
	}
	stop := desk.work(t, handlers, nil)
	desk.enqueue(t, ports.Job{Kind: ports.JobSyncInbound, Inbound: "evt_given_up"}, ports.Job{Kind: ports.JobSyncInbound, Inbound: "evt_fails_twice"})
	// When the one that only failed is through, the other would have had its second try.
	jobsAwait(t, desk.ran, "the third try")
	stop()
	require.Equal(t, map[core.InboundID]int{"evt_given_up": 1, "evt_fails_twice": 3}, tries)
}

func jobsInterrupted(t *testing.T, desk *jobsDesk) {
	begun := make(chan ports.Job, 1)
	handlers := desk.handlers()
	handlers[ports.JobClosePayment] = func(ctx context.Context, job ports.Job) error {
		begun <- job
		<-ctx.Done() // longer than the worker waits
		return fmt.Errorf("close payment: %w", ctx.Err())
	}
	stop := desk.work(t, handlers, nil)
	desk.enqueue(t, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_1"})
	jobsAwait(t, begun, "the first try")
	stop()
	require.Empty(t, desk.ran)
	desk.work(t, desk.handlers(), nil)
	require.Equal(t, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_1"}, jobsAwait(t, desk.ran, "the second try"))
}

func jobsDrained(t *testing.T, desk *jobsDesk) {
	begun, finish := make(chan struct{}), make(chan struct{})
	handlers := desk.handlers()
	succeed := handlers[ports.JobClosePayment]
	handlers[ports.JobClosePayment] = func(ctx context.Context, job ports.Job) error {
		close(begun) // panics on a second try
		<-finish
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return succeed(ctx, job)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- desk.jobs.Work(ctx, handlers, nil) }()
	desk.enqueue(t, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_1"})
	jobsAwait(t, begun, "the only try")
	cancel()
	close(finish)
	require.NoError(t, jobsAwait(t, ended, "the end of work"))
	jobsAwait(t, desk.ran, "the running job's success")

	// Its success was kept: a later job runs, and it does not.
	stop := desk.work(t, desk.handlers(), nil)
	desk.enqueue(t, ports.Job{Kind: ports.JobClosePayment, Payment: "pay_2"})
	require.Equal(t, core.PaymentID("pay_2"), jobsAwait(t, desk.ran, "the later job").Payment)
	stop()
	require.Empty(t, desk.ran)
}

func jobsScheduled(t *testing.T, desk *jobsDesk) {
	desk.work(t, desk.handlers(), []ports.JobSchedule{
		{Kind: ports.JobExpireCheckouts, Every: jobsScheduleEvery},
		{Kind: ports.JobPruneIdempotency, Every: 24 * time.Hour},
	})
	runs := make(map[ports.JobKind]int)
	for runs[ports.JobExpireCheckouts] < 3 || runs[ports.JobPruneIdempotency] < 1 {
		runs[jobsAwait(t, desk.ran, "a run of a schedule").Kind]++
	}
	require.Equal(t, 1, runs[ports.JobPruneIdempotency])
}

// enqueueMany commits many jobs: some alone, most in batches.
func (d *jobsDesk) enqueueMany(t *testing.T) {
	t.Helper()
	const single, batch = 20, 96
	var jobs []ports.Job
	for i := range jobsManyCount {
		jobs = append(jobs, ports.Job{Kind: ports.JobSyncInbound, Inbound: core.InboundID(fmt.Sprintf("evt_%d", i))})
		if i < single || len(jobs) == batch || i == jobsManyCount-1 {
			d.enqueue(t, jobs...)
			jobs = nil
		}
	}
}

// awaitMany waits for as many calls as there are jobs.
func (d *jobsDesk) awaitMany(t *testing.T) {
	t.Helper()
	seen := make(map[core.InboundID]bool)
	for range jobsManyCount {
		seen[jobsAwait(t, d.ran, "one of many jobs").Inbound] = true
	}
	require.Len(t, seen, jobsManyCount, "each once")
}

// requireOnce fails where a job ran that was counted before. Work must have ended.
func (d *jobsDesk) requireOnce(t *testing.T) {
	t.Helper()
	require.Empty(t, d.ran, "none twice")
}

func jobsMany(t *testing.T, desk *jobsDesk) {
	stop := desk.work(t, desk.handlers(), nil)
	desk.enqueueMany(t)
	desk.awaitMany(t)
	stop()
	desk.requireOnce(t)
}

func jobsWaitForWorker(t *testing.T, desk *jobsDesk) {
	desk.enqueueMany(t)
	stop := desk.work(t, desk.handlers(), nil)
	desk.awaitMany(t)
	stop()
	desk.requireOnce(t)
	desk.work(t, desk.handlers(), nil)
	desk.enqueue(t, ports.Job{Kind: ports.JobSyncInbound, Inbound: "evt_last"})
	require.Equal(t, core.InboundID("evt_last"), jobsAwait(t, desk.ran, "the last job").Inbound, "the others are done for good")
}

package bunrepo

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/paydesk/paydesk/ports"
)

const (
	// rescueAfterDefault is when a job on PostgreSQL counts as one of a process that died
	// unnoticed. The node that leads looks every 30 s.
	rescueAfterDefault = time.Minute
	// drainMax is how long running jobs may take once work has to stop; then their
	// contexts end. drainGrace is how long they may take to notice.
	drainMax, drainGrace = 20 * time.Second, 5 * time.Second
	// How long rows stay for people to look at. What a job did is in the history of its
	// payment.
	keepCompleted = time.Hour
	keepGivenUp   = 7 * 24 * time.Hour
	// reclaimMax is how long taking back the jobs of a dead process may take.
	reclaimMax = 10 * time.Second
)

// JobsOptions say how jobs are worked on. The zero value is for production.
type JobsOptions struct {
	// Logger gets failed tries and the queue's own warnings; nil for none.
	Logger *slog.Logger
	// RescueAfter is when a job on PostgreSQL counts as one of a process whose death the
	// server did not notice; zero for a minute. Tries are cut to end before. What is left
	// by a process that just died is taken back within seconds, and on SQLite, which has
	// one process, when its successor begins.
	RescueAfter time.Duration
	// Drain is how long running jobs may take once work has to stop; zero for 20 s.
	Drain time.Duration
}

// Jobs implements [ports.Jobs] on the queue in a store's database.
type Jobs struct {
	store   *Store
	logger  *slog.Logger
	rescue  time.Duration
	drain   time.Duration
	metrics jobMetrics
}

var _ ports.Jobs = (*Jobs)(nil)

// NewJobs makes the worker on a store's jobs.
func NewJobs(store *Store, options JobsOptions) *Jobs {
	j := &Jobs{store: store, logger: options.Logger, rescue: options.RescueAfter, drain: options.Drain}
	if j.logger == nil {
		j.logger = slog.New(slog.DiscardHandler)
	}
	if j.rescue <= 0 {
		j.rescue = rescueAfterDefault
	}
	if j.drain <= 0 {
		j.drain = drainMax
	}
	j.metrics = newJobMetrics(store.meter)
	return j
}

var (
	// errStuck means that jobs did not notice the end of their contexts.
	errStuck = errors.New("jobs still run after their contexts ended")
	// errTwice means that the jobs of a SQLite database are worked on already. A second
	// worker would take the first one's running jobs for those of a dead process.
	errTwice = errors.New("jobs are worked on already")
)

// Work hands jobs to their handlers until ctx is done, see [ports.Jobs]. Running jobs
// have a while to finish then, see [JobsOptions]; those that do not are left for the
// next who works.
func (j *Jobs) Work(ctx context.Context, handlers map[ports.JobKind]ports.JobHandler, schedules []ports.JobSchedule) error {
	if ctx.Err() != nil || len(handlers) == 0 {
		return nil
	}
	random := j.store.ids.UUID()
	id := hex.EncodeToString(random[:])
	client, err := j.client(id, handlers, schedules)
	if err != nil {
		return fmt.Errorf("prepare work on jobs: %w", err)
	}
	begin := j.beginLife
	if j.store.dialect == dialectSQLite {
		begin = j.beginAlone
	}
	end, err := begin(ctx, id)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("prepare work on jobs: %w", err)
	}
	defer end()
	if err := client.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("start work on jobs: %w", err)
	}
	select {
	case <-client.Stopped():
		return nil
	case <-ctx.Done():
	}
	timer := time.NewTimer(j.drain + drainGrace)
	defer timer.Stop()
	select {
	case <-client.Stopped():
		return nil
	case <-timer.C:
		return fmt.Errorf("stop work on jobs: %w", errStuck)
	}
}

// client makes a worker with handlers and schedules. A node does without those kinds
// that it does not know: a newer one will take them.
func (j *Jobs) client(id string, handlers map[ports.JobKind]ports.JobHandler, schedules []ports.JobSchedule) (*river.Client[*sql.Tx], error) {
	workers := river.NewWorkers()
	for kind, handler := range handlers {
		if handler == nil || len(kind) < 2 {
			return nil, fmt.Errorf("job kind %q has no handler or too short a name", kind)
		}
		river.AddWorkerArgs(workers, jobArgs{kind: kind}, &jobWorker{jobs: j, kind: kind, plan: j.cut(planOf(kind)), handle: handler})
	}
	periodic := make([]*river.PeriodicJob, 0, len(schedules))
	for _, schedule := range schedules {
		if handlers[schedule.Kind] == nil || schedule.Every <= 0 {
			return nil, fmt.Errorf("schedule of %q has no handler or no pause", schedule.Kind)
		}
		periodic = append(periodic, periodicJob(schedule))
	}
	config := &river.Config{
		ID: id, Workers: workers, Queues: j.store.dialect.queues(), PeriodicJobs: periodic,
		FetchOnlyKnownKinds: true, FetchCooldown: fetchPause, FetchPollInterval: pollJobs,
		JobTimeout: j.cut(jobPlan{timeout: jobTimeoutMax}).timeout, RescueStuckJobsAfter: j.rescue, SoftStopTimeout: j.drain,
		MaxAttempts: jobAttemptsMax, RetryPolicy: planPauses{},
		CompletedJobRetentionPeriod: keepCompleted, CancelledJobRetentionPeriod: keepGivenUp, DiscardedJobRetentionPeriod: keepGivenUp,
		Logger: slog.New(warnings{j.logger.Handler()}),
	}
	if j.store.dialect == dialectSQLite {
		config.ReindexerIndexNames = []string{} // it would keep the only writer from others
	}
	return river.NewClient(j.store.jobDriver(), config)
}

// cut makes a plan's tries end well before they would count as dead.
func (j *Jobs) cut(plan jobPlan) jobPlan {
	plan.timeout = min(plan.timeout, j.rescue*3/4)
	return plan
}

// periodicJob makes the queue insert runs of a schedule: on the node that leads, one
// when it begins to lead and one after each pause.
func periodicJob(schedule ports.JobSchedule) *river.PeriodicJob {
	args := jobArgs{kind: schedule.Kind, Every: schedule.Every}
	options := &river.InsertOpts{Queue: planOf(schedule.Kind).queue}
	return river.NewPeriodicJob(river.PeriodicInterval(schedule.Every),
		func() (river.JobArgs, *river.InsertOpts) { return args, options },
		&river.PeriodicJobOpts{ID: string(schedule.Kind), RunOnStart: true})
}

// beginAlone takes back what a dead process worked on, on SQLite: it has one process, so
// what is running when that process begins to work can only be its forerunner's, and so
// is the lead, which would be free only after a while.
func (j *Jobs) beginAlone(ctx context.Context, _ string) (end func(), err error) {
	if !j.store.jobs.working.CompareAndSwap(false, true) {
		return nil, errTwice
	}
	end = func() { j.store.jobs.working.Store(false) }
	if err := j.reclaim(ctx); err != nil {
		end()
		return nil, fmt.Errorf("take back jobs of a dead process: %w", err)
	}
	return end, nil
}

func (j *Jobs) reclaim(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reclaimMax)
	defer cancel()
	result, err := j.store.sqlDB.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE state = 'running'`)
	if err != nil {
		return err
	}
	if count, err := result.RowsAffected(); err == nil && count > 0 {
		j.logger.WarnContext(ctx, "took back jobs that a dead process left", slog.Int64("jobs", count))
	}
	_, err = j.store.sqlDB.ExecContext(ctx, `DELETE FROM river_leader`)
	return err
}

package bunrepo

import (
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"

	"github.com/paydesk/paydesk/ports"
)

// The queues. Each has its own workers, so that no kind of work waits for another.
const (
	queueInbound = "inbound" // what providers tell
	queueMoney   = "money"   // looking after unclear operations and given up payments
	queueSweep   = "sweep"   // what runs every so often
	queueHistory = "history" // walks through providers' lists, which may take long
	queueLook    = "look"    // what does and asks providers, which may take their time
)

// Workers of one process for each queue. On SQLite all of them share one writer, so that
// more would only wait; but it is the workers that bound how many jobs one look fetches.
const (
	inboundWorkers, inboundWorkersSQLite = 32, 32
	moneyWorkers, moneyWorkersSQLite     = 8, 4
	sweepWorkers, sweepWorkersSQLite     = 2, 1
	historyWorkers                       = 4
	lookWorkers, lookWorkersSQLite       = 3, 3 // one for each kind
)

const (
	// pollJobs is how often workers look without being woken. It bounds how late a delayed
	// or failed job runs, and on PostgreSQL what a wake-up costs that was spared, see
	// [jobWakeEvery]. Looking costs about a thousandth of a core for each time a second.
	pollJobs = 250 * time.Millisecond
	// pollInboundPostgres is the same for what buyers may be waiting for.
	pollInboundPostgres = 50 * time.Millisecond
	// fetchPause lies between two looks that follow each other at once.
	fetchPause = 5 * time.Millisecond
)

// queues is what one process works on at the same time.
func (d dialect) queues() map[string]river.QueueConfig {
	if d == dialectSQLite {
		return map[string]river.QueueConfig{
			queueInbound: {MaxWorkers: inboundWorkersSQLite},
			queueMoney:   {MaxWorkers: moneyWorkersSQLite},
			queueSweep:   {MaxWorkers: sweepWorkersSQLite},
			queueHistory: {MaxWorkers: historyWorkers},
			queueLook:    {MaxWorkers: lookWorkersSQLite},
		}
	}
	return map[string]river.QueueConfig{
		queueInbound: {MaxWorkers: inboundWorkers, FetchPollInterval: pollInboundPostgres},
		queueMoney:   {MaxWorkers: moneyWorkers},
		queueSweep:   {MaxWorkers: sweepWorkers},
		queueHistory: {MaxWorkers: historyWorkers},
		queueLook:    {MaxWorkers: lookWorkers},
	}
}

// jobPlan says where a kind is worked on, for how long and how often.
type jobPlan struct {
	queue   string
	tries   int           // including the first
	timeout time.Duration // of one try
	// The pause after the first failure, which doubles with each next up to the longest.
	pauseFirst, pauseLongest time.Duration
}

// jobPlans has a plan for each kind. Together the pauses make
//   - 19 hours for what providers must be asked about: longer outages are rare, and later
//     events and people find what is left;
//   - an hour and a half for unclear operations: what is open then, the sweep goes on with, from the
//     operations themselves;
//   - none for the sweeps, whose next run is near.
var jobPlans = map[ports.JobKind]jobPlan{
	ports.JobSyncInbound:         {queue: queueInbound, tries: 50, timeout: 30 * time.Second, pauseFirst: 500 * time.Millisecond, pauseLongest: 30 * time.Minute},
	ports.JobRepairOperation:     {queue: queueMoney, tries: 14, timeout: jobTimeoutMax, pauseFirst: time.Second, pauseLongest: 30 * time.Minute},
	ports.JobConfirmPayment:      {queue: queueMoney, tries: 20, timeout: jobTimeoutMax, pauseFirst: time.Second, pauseLongest: 10 * time.Minute},
	ports.JobClosePayment:        {queue: queueMoney, tries: 50, timeout: jobTimeoutMax, pauseFirst: time.Second, pauseLongest: 30 * time.Minute},
	ports.JobSyncRefund:          {queue: queueMoney, tries: 50, timeout: jobTimeoutMax, pauseFirst: time.Second, pauseLongest: 30 * time.Minute},
	ports.JobSyncSubscription:    {queue: queueMoney, tries: 50, timeout: jobTimeoutMax, pauseFirst: time.Second, pauseLongest: 30 * time.Minute},
	ports.JobBackfill:            {queue: queueSweep, tries: 1, timeout: jobTimeoutMax},
	ports.JobBackfillAccount:     {queue: queueHistory, tries: 1, timeout: jobTimeoutMax},
	ports.JobCheckWebhooks:       {queue: queueSweep, tries: 1, timeout: jobTimeoutMax},
	ports.JobCheckWebhook:        {queue: queueHistory, tries: 1, timeout: jobTimeoutMax},
	ports.JobReconcile:           {queue: queueSweep, tries: 1, timeout: jobTimeoutMax},
	ports.JobReconcileAccount:    {queue: queueHistory, tries: 1, timeout: jobTimeoutMax},
	ports.JobExpireCheckouts:     {queue: queueSweep, tries: 1, timeout: jobTimeoutMax},
	ports.JobPruneIdempotency:    {queue: queueSweep, tries: 1, timeout: jobTimeoutMax},
	ports.JobWatchAuthorizations: {queue: queueSweep, tries: 1, timeout: jobTimeoutMax},
	ports.JobWatchDisputes:       {queue: queueSweep, tries: 1, timeout: jobTimeoutMax},
	ports.JobWatchSubscriptions:  {queue: queueSweep, tries: 1, timeout: jobTimeoutMax},
	ports.JobSweepOperations:     {queue: queueLook, tries: 1, timeout: jobTimeoutMax},
	ports.JobSweepObjects:        {queue: queueLook, tries: 1, timeout: jobTimeoutMax},
	ports.JobSweepEvents:         {queue: queueLook, tries: 1, timeout: jobTimeoutMax},
}

const (
	// jobTimeoutMax is the longest that one try of any kind may take. It lies below
	// [rescueAfterDefault], so that no job is taken for dead while it runs.
	jobTimeoutMax = 45 * time.Second
	// jobAttemptsMax is what the queue itself counts to. It lies far above all plans,
	// since it also counts attempts whose process died: a job ends by its plan, after a
	// last try that knows it is the last, and not because of deaths in the middle.
	jobAttemptsMax = 1000
	// pauseSpread is the part of a pause that is left to chance, so that what failed
	// together does not come back together.
	pauseSpread = 0.2
)

// planOf is a kind's plan; one that is careful for kinds without their own.
func planOf(kind ports.JobKind) jobPlan {
	if plan, ok := jobPlans[kind]; ok {
		return plan
	}
	return jobPlan{queue: queueMoney, tries: 50, timeout: jobTimeoutMax, pauseFirst: time.Second, pauseLongest: 30 * time.Minute}
}

// pause is how long a job rests after its given try, counted from 1, failed.
func (p jobPlan) pause(try int) time.Duration {
	const doublingsMax = 30 // keeps the shift from overflowing
	pause := min(p.pauseFirst<<min(max(try-1, 0), doublingsMax), p.pauseLongest)
	spread := int64(float64(pause) * pauseSpread)
	if spread <= 0 {
		return pause
	}
	return pause + time.Duration(rand.Int64N(2*spread)-spread)
}

package ports

import (
	"context"
	"errors"
	"time"

	"github.com/paydesk/paydesk/core"
)

// JobKind names what a job does.
type JobKind string

// The kinds of jobs.
const (
	// JobSyncInbound looks at the object that an inbound event names. Uses Inbound.
	JobSyncInbound JobKind = "sync_inbound"
	// JobRepairOperation settles an operation whose outcome is not known. Uses Operation.
	JobRepairOperation JobKind = "repair_operation"
	// JobClosePayment closes, at the provider, a payment that was given up. Uses Payment.
	JobClosePayment JobKind = "close_payment"
	// JobConfirmPayment asks for the money of a payment that the buyer agreed to, where the
	// buyer's browser did not. Uses Payment.
	JobConfirmPayment JobKind = "confirm_payment"
	// JobExpireCheckouts ends open checkouts whose time is over. Runs every so often.
	JobExpireCheckouts JobKind = "expire_checkouts"
	// JobSyncRefund looks at a refund, and JobSyncSubscription at a subscription, of which no event
	// may come. Uses Subject.
	JobSyncRefund       JobKind = "sync_refund"
	JobSyncSubscription JobKind = "sync_subscription"
	// JobSwapMethod has a subscription paid with the method that was saved for it. Uses Subject, the
	// method's id.
	JobSwapMethod JobKind = "swap_method"
	// JobDropMethod takes away what a buyer saved, or began to, beside the method that completed the
	// same checkout. Uses Subject, the method's id.
	JobDropMethod JobKind = "drop_method"
	// JobWatchAuthorizations tells of authorizations that run out soon. JobWatchDisputes tells of
	// deadlines that are near. JobWatchSubscriptions ends those that we have to end. They run every
	// so often.
	JobWatchAuthorizations JobKind = "watch_authorizations"
	JobWatchDisputes       JobKind = "watch_disputes"
	JobWatchSubscriptions  JobKind = "watch_subscriptions"
	// JobBackfill begins a walk through each account's lists for what no webhook brought. Runs
	// every so often. JobBackfillAccount is the walk at one account. Uses Subject, the account.
	JobBackfill        JobKind = "backfill"
	JobBackfillAccount JobKind = "backfill_account"
	// JobReconcile begins a comparison of each account that is due. Runs every so often.
	// JobReconcileAccount is the comparison of one account. Uses Subject, the account.
	JobReconcile        JobKind = "reconcile"
	JobReconcileAccount JobKind = "reconcile_account"
	// JobSweepOperations asks for the outcomes of operations that no job settled, JobSweepObjects looks
	// at what has not come to its end and nobody looked at for long, JobSweepEvents takes up inbound
	// events whose job was lost. They go by state and age in the tables alone, and run every so often.
	JobSweepOperations JobKind = "sweep_operations"
	JobSweepObjects    JobKind = "sweep_objects"
	JobSweepEvents     JobKind = "sweep_events"
	// JobCheckWebhooks begins a look at each account's registered webhook, and JobCheckWebhook is the
	// look at one. The first runs every so often; the second uses Subject, the account.
	JobCheckWebhooks JobKind = "check_webhooks"
	JobCheckWebhook  JobKind = "check_webhook"
	// JobPruneIdempotency removes answers that are remembered no longer. Runs every so often.
	JobPruneIdempotency JobKind = "prune_idempotency"
)

// Job is work that follows from a change and is committed with it. Only the fields its
// kind uses are set.
type Job struct {
	Kind      JobKind
	Inbound   core.InboundID
	Operation core.OperationID
	Payment   core.PaymentID
	Subject   string // the id of a refund, a subscription or a saved method, or an account's name
	// Delay is how long from now the job waits at least; zero for at once. It is a
	// length and no point in time, since the business clock may run ahead of the wall's.
	Delay time.Duration
	Trace string // W3C traceparent of what caused it; filled in by the store where empty
	// LastTry says that no further try follows a failure of this one; filled in by the
	// worker.
	LastTry bool
}

// JobHandler does one job. It may be called more than once for the same job, also at the
// same time after a crash, so its effects must not depend on that. An error makes the
// job run again after a growing pause, until its kind's attempts are used up; the error
// [ErrJobGivenUp] ends it at once.
type JobHandler func(ctx context.Context, job Job) error

// ErrJobGivenUp ends a job that can never succeed; wrap it.
var ErrJobGivenUp = errors.New("job given up")

// JobSchedule runs a kind every so often, on one node at a time.
type JobSchedule struct {
	Kind  JobKind
	Every time.Duration
}

// Jobs works on what [Tx.Enqueue] committed.
//
// Every committed job runs at least once, also after the death of the process that
// worked on it. A job of a rolled back transaction never runs.
type Jobs interface {
	// Work hands jobs to their handlers until ctx is done, then waits for those that run
	// and returns. Every kind that is enqueued needs a handler.
	Work(ctx context.Context, handlers map[JobKind]JobHandler, schedules []JobSchedule) error
}

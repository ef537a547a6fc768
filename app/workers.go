package app

import (
	"context"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/core/reconcile"
	"github.com/paydesk/paydesk/ports"
)

// How often the sweeps run.
const (
	expireCheckoutsEvery  = 5 * time.Second
	pruneIdempotencyEvery = time.Hour
	// watchEvery is of the sweeps over what was sold. Each reads an index of what is due and little
	// else, and in trial houses, whose clock jumps, people wait for them.
	watchEvery = 10 * time.Second
	// sweepEvery is of the sweeps over what is not settled, which read indexes of what is due, too.
	sweepEvery = 10 * time.Second
	// sweepEventsEvery is of events whose job was lost, which are hardly ever there.
	sweepEventsEvery = time.Minute
)

// jobHandlers says who does what.
func (a *App) jobHandlers() map[ports.JobKind]ports.JobHandler {
	return map[ports.JobKind]ports.JobHandler{
		ports.JobSyncInbound:         a.Inbox.Process,
		ports.JobRepairOperation:     a.Repair.Operation,
		ports.JobClosePayment:        a.Payments.ClosePayment,
		ports.JobConfirmPayment:      a.Payments.ConfirmApproved,
		ports.JobExpireCheckouts:     a.Payments.ExpireDue,
		ports.JobWatchAuthorizations: a.Payments.WatchAuthorizations,
		ports.JobSyncRefund:          a.Refunds.Look,
		ports.JobWatchDisputes:       a.Disputes.Remind,
		ports.JobSweepOperations:     a.Repair.Operations,
		ports.JobSweepObjects:        a.Repair.Objects,
		ports.JobSweepEvents:         a.Repair.Events,
		ports.JobSyncSubscription:    a.Subscriptions.Refresh,
		ports.JobWatchSubscriptions:  a.Subscriptions.Watch,
		ports.JobSwapMethod:          a.Subscriptions.SwapMethod,
		ports.JobDropMethod:          a.Customers.Drop,
		ports.JobBackfill:            a.Reconcile.Begin,
		ports.JobBackfillAccount:     a.Reconcile.Continue,
		ports.JobCheckWebhooks:       a.Health.Begin,
		ports.JobCheckWebhook:        a.Health.Check,
		ports.JobReconcile:           a.Reconcile.BeginDrift,
		ports.JobReconcileAccount:    a.Reconcile.ContinueDrift,
		ports.JobPruneIdempotency:    a.pruneIdempotency,
	}
}

func jobSchedules() []ports.JobSchedule {
	return []ports.JobSchedule{
		{Kind: ports.JobExpireCheckouts, Every: expireCheckoutsEvery},
		{Kind: ports.JobPruneIdempotency, Every: pruneIdempotencyEvery},
		{Kind: ports.JobSweepOperations, Every: sweepEvery},
		{Kind: ports.JobSweepObjects, Every: sweepEvery},
		{Kind: ports.JobSweepEvents, Every: sweepEventsEvery},
		{Kind: ports.JobWatchDisputes, Every: watchEvery},
		{Kind: ports.JobWatchAuthorizations, Every: watchEvery},
		{Kind: ports.JobWatchSubscriptions, Every: watchEvery},
		{Kind: ports.JobBackfill, Every: reconcile.BackfillEvery},
		{Kind: ports.JobCheckWebhooks, Every: health.CheckEvery},
		{Kind: ports.JobReconcile, Every: reconcile.DriftLookEvery},
	}
}

func (a *App) pruneIdempotency(ctx context.Context, _ ports.Job) error {
	if _, err := a.Idempotency.Prune(ctx); err != nil {
		return fmt.Errorf("prune idempotency records: %w", err)
	}
	return nil
}

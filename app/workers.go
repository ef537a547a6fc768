package app

import (
	"context"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/ports"
)

// How often the sweeps run.
const (
	expireCheckoutsEvery  = 5 * time.Second
	pruneIdempotencyEvery = time.Hour
)

// jobHandlers says who does what.
func (a *App) jobHandlers() map[ports.JobKind]ports.JobHandler {
	return map[ports.JobKind]ports.JobHandler{
		ports.JobSyncInbound:      a.Inbox.Process,
		ports.JobRepairOperation:  a.Payments.Repair,
		ports.JobClosePayment:     a.Payments.ClosePayment,
		ports.JobConfirmPayment:   a.Payments.ConfirmApproved,
		ports.JobExpireCheckouts:  a.Payments.ExpireDue,
		ports.JobNotify:           a.Notify.Deliver,
		ports.JobPruneIdempotency: a.pruneIdempotency,
	}
}

func jobSchedules() []ports.JobSchedule {
	return []ports.JobSchedule{
		{Kind: ports.JobExpireCheckouts, Every: expireCheckoutsEvery},
		{Kind: ports.JobPruneIdempotency, Every: pruneIdempotencyEvery},
	}
}

func (a *App) pruneIdempotency(ctx context.Context, _ ports.Job) error {
	if _, err := a.Idempotency.Prune(ctx); err != nil {
		return fmt.Errorf("prune idempotency records: %w", err)
	}
	return nil
}

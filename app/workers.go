package app

import (
	"context"
	"fmt"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/ports"
)

// How often the sweeps run.
const (
	expireCheckoutsEvery     = 5 * time.Second
	pruneIdempotencyEvery    = time.Hour
	watchRefundsEvery        = 30 * time.Minute
	watchDisputesEvery       = 15 * time.Minute
	watchAuthorizationsEvery = 15 * time.Minute
)

// jobHandlers says who does what.
func (a *App) jobHandlers() map[ports.JobKind]ports.JobHandler {
	return map[ports.JobKind]ports.JobHandler{
		ports.JobSyncInbound:         a.Inbox.Process,
		ports.JobRepairOperation:     a.Calls.RepairBy(a.senders(), a.Payments.Repair),
		ports.JobClosePayment:        a.Payments.ClosePayment,
		ports.JobConfirmPayment:      a.Payments.ConfirmApproved,
		ports.JobExpireCheckouts:     a.Payments.ExpireDue,
		ports.JobWatchAuthorizations: a.Payments.WatchAuthorizations,
		ports.JobSyncRefund:          a.Refunds.Look,
		ports.JobWatchDisputes:       a.Disputes.Remind,
		ports.JobWatchRefunds:        a.Refunds.Watch,
		ports.JobNotify:              a.Notify.Deliver,
		ports.JobPruneIdempotency:    a.pruneIdempotency,
	}
}

// senders says who sends, and so repairs, the operations of a kind; the rest are the payments' own.
func (a *App) senders() calls.Senders {
	return calls.Senders{core.OpRefundPayment: a.Refunds, core.OpSubmitEvidence: a.Disputes, core.OpAcceptDispute: a.Disputes}
}

func jobSchedules() []ports.JobSchedule {
	return []ports.JobSchedule{
		{Kind: ports.JobExpireCheckouts, Every: expireCheckoutsEvery},
		{Kind: ports.JobPruneIdempotency, Every: pruneIdempotencyEvery},
		{Kind: ports.JobWatchRefunds, Every: watchRefundsEvery},
		{Kind: ports.JobWatchDisputes, Every: watchDisputesEvery},
		{Kind: ports.JobWatchAuthorizations, Every: watchAuthorizationsEvery},
	}
}

func (a *App) pruneIdempotency(ctx context.Context, _ ports.Job) error {
	if _, err := a.Idempotency.Prune(ctx); err != nil {
		return fmt.Errorf("prune idempotency records: %w", err)
	}
	return nil
}

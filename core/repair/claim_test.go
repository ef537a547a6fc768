package repair_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/repair"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const (
	ada   core.StaffID = "usr_ada"
	grace core.StaffID = "usr_grace"
)

// waitingRefund is a refund without an answer that waits for staff.
func waitingRefund(t *testing.T, h *coretest.House) core.Operation {
	t.Helper()
	p := h.Paid()
	lostBefore(h.Provider)
	_, err := h.Refunds.Create(t.Context(), refunds.Create{Payment: p.ID, RequestKey: "k", Cause: byAPI})
	require.NoError(t, err)
	op := newest(t, h, core.OpRefundPayment)
	h.LoseJobs()
	h.Clock.Advance(25 * time.Hour)
	h.Sweep()
	op = read(t, h, op.ID)
	require.True(t, op.ForStaff())
	return op
}

func say(t *testing.T, h *coretest.House, op core.Operation, outcome core.ClaimedOutcome, object string, by core.StaffID) (core.Operation, error) {
	t.Helper()
	return h.Repair.Confirm(t.Context(), repair.Confirm{Operation: op.ID, Outcome: outcome, Object: object, By: by})
}

func TestARefundThatTwoPeopleFound(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op := waitingRefund(t, h)
	h.Provider.NamelessRefunds()
	made := h.Provider.RefundElsewhere(t, op.Payment, coretest.Price)
	var invalid *core.InvalidError
	_, err := say(t, h, op, core.ClaimedDone, "", ada)
	require.ErrorAs(t, err, &invalid, "which one?")
	_, err = say(t, h, op, core.ClaimedDone, "re_none", ada)
	require.ErrorAs(t, err, &invalid, "there is none")
	require.Zero(t, read(t, h, op.ID).Claim)
	_, err = say(t, h, op, core.ClaimedDone, made, ada)
	require.NoError(t, err)
	_, err = say(t, h, op, core.ClaimedDone, made, ada)
	require.ErrorIs(t, err, core.ErrApprovalOwn)
	op, err = say(t, h, op, core.ClaimedDone, made, grace)
	require.NoError(t, err)
	require.Equal(t, core.OperationSucceeded, op.Status)
	refund, err := h.Store.Refund(t.Context(), core.RefundID(op.Subject))
	require.NoError(t, err)
	require.Equal(t, core.RefundSucceeded, refund.Status)
	require.Equal(t, made, refund.ProviderRefundID)
	all, err := h.Store.PaymentRefunds(t.Context(), op.Payment)
	require.NoError(t, err)
	require.Len(t, all, 1, "it is ours, and no second one")
	_, err = say(t, h, op, core.ClaimedNotDone, "", ada)
	require.ErrorIs(t, err, core.ErrNotForStaff)
}

func TestARefundThatTwoPeopleDidNotFind(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op := waitingRefund(t, h)
	_, err := say(t, h, op, core.ClaimedNotDone, "", ada)
	require.NoError(t, err)
	h.Clock.Advance(core.ApprovalKept)
	again, err := say(t, h, op, core.ClaimedNotDone, "", grace)
	require.NoError(t, err)
	require.False(t, again.Status.Settled(), "what was said a week ago counts no more")
	op, err = say(t, h, op, core.ClaimedNotDone, "", ada)
	require.NoError(t, err)
	require.Equal(t, core.OperationFailed, op.Status)
	refund, err := h.Store.Refund(t.Context(), core.RefundID(op.Subject))
	require.NoError(t, err)
	require.Equal(t, core.RefundFailed, refund.Status, "its amount is free again")
}

// The process dies between the second confirmation and the outcome: the job records it, and nothing is
// sent meanwhile.
func TestWhatIsConfirmedIsRecordedByItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	op := waitingRefund(t, h)
	_, err := say(t, h, op, core.ClaimedNotDone, "", ada)
	require.NoError(t, err)
	require.NoError(t, h.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		held, err := tx.LockOperation(ctx, op.ID)
		if err != nil {
			return err
		}
		next, err := held.Confirm(core.ClaimedNotDone, "", grace, h.Clock.Now())
		if err != nil {
			return err
		}
		_, err = tx.UpdateOperation(ctx, next)
		return err
	}))
	sent := h.Provider.CallsOf("RefundPayment")
	resumed, err := h.Calls.Resume(t.Context(), read(t, h, op.ID), h.Refunds, core.Cause{Kind: core.CauseRepair})
	require.NoError(t, err)
	require.False(t, resumed.Status.Settled())
	h.Clock.Advance(25 * time.Hour)
	h.Sweep()
	require.Equal(t, core.OperationFailed, read(t, h, op.ID).Status)
	require.Equal(t, sent, h.Provider.CallsOf("RefundPayment"))
}

func TestWhatNobodyCanSay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	op := h.Operation(p.ID, core.OpCreatePayment)
	_, err := say(t, h, op, core.ClaimedNotDone, "", ada)
	require.ErrorIs(t, err, core.ErrNotForStaff, "its outcome is known")
	waiting := waitingRefund(t, h)
	h.Provider.FailNext(portstest.NoAnswer())
	_, err = say(t, h, waiting, core.ClaimedDone, "re_1", ada)
	require.Error(t, err, "it cannot be looked at")
	require.Zero(t, read(t, h, waiting.ID).Claim)
	_, err = h.Repair.Confirm(t.Context(), repair.Confirm{Operation: "op_none", Outcome: core.ClaimedDone, By: ada})
	require.ErrorIs(t, err, ports.ErrNotFound)
}

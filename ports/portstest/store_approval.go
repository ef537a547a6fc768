package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// newApproval is one that waits. payment must be stored.
func newApproval(t testing.TB, payment core.PaymentID) core.Approval {
	return core.Approval{
		ID: storeID[core.ApprovalID](), Status: core.ApprovalPending, Payment: payment, Amount: eur(t, 300), Reason: core.RefundDuplicate,
		AskedBy: "usr_a", Environment: core.EnvTest, CreatedAt: minutes(1), ExpiresAt: minutes(60),
	}
}

func approvalRoundTrip(t *testing.T, store ports.Store) {
	payment := storedPayment(t, store)
	refund := write(t, store, ports.Tx.InsertRefund, fullRefund(t, payment))
	full := newApproval(t, payment)
	full.Note, full.RequestKey = oddTexts[0], core.NewRequestKey("usr_a", string(full.ID))
	waiting := write(t, store, ports.Tx.InsertApproval, full)
	full.Version = 1
	require.Equal(t, full, waiting)
	decided, err := waiting.Decided(core.ApprovalApproved, "usr_b", minutes(5))
	require.NoError(t, err)
	decided.Refund = refund.ID
	decided = write(t, store, ports.Tx.UpdateApproval, decided)
	requireFull(t, decided)
	require.EqualValues(t, 2, decided.Version)
	read, err := store.Approval(t.Context(), full.ID)
	require.NoError(t, err)
	require.Equal(t, decided, read)
	read, err = store.ApprovalByRequestKey(t.Context(), full.RequestKey)
	require.NoError(t, err)
	require.Equal(t, decided, read)
	_, err = store.Approval(t.Context(), storeID[core.ApprovalID]())
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.ApprovalByRequestKey(t.Context(), "none")
	require.ErrorIs(t, err, ports.ErrNotFound)

	again := newApproval(t, payment)
	again.RequestKey = full.RequestKey
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertApproval, again), ports.ErrDuplicate)
	for name, spoil := range map[string]func(*core.Approval){
		"unknown status": func(a *core.Approval) { a.Status = "maybe" }, "expired is not stored": func(a *core.Approval) { a.Status = core.ApprovalExpired },
		"nothing to give": func(a *core.Approval) { a.Amount = eur(t, 0) }, "no reason": func(a *core.Approval) { a.Reason = "" },
		"decided by nobody": func(a *core.Approval) { a.Status = core.ApprovalRejected }, "nobody asked": func(a *core.Approval) { a.AskedBy = "" },
		"another environment": func(a *core.Approval) { a.Environment = core.EnvLive },
	} {
		broken := newApproval(t, payment)
		spoil(&broken)
		require.Error(t, tryWrite(t, store, ports.Tx.InsertApproval, broken), name)
	}
}

func approvalVersions(t *testing.T, store ports.Store) {
	payment := storedPayment(t, store)
	versioned[core.Approval]{
		insert: ports.Tx.InsertApproval, update: ports.Tx.UpdateApproval,
		lock: func(ctx context.Context, tx ports.Tx, like core.Approval) (core.Approval, error) {
			return tx.LockApproval(ctx, like.ID)
		},
		read: func(ctx context.Context, store ports.Store, like core.Approval) (core.Approval, error) {
			return store.Approval(ctx, like.ID)
		},
		version: func(a *core.Approval) *int64 { return &a.Version },
		change:  func(a core.Approval) core.Approval { a.ExpiresAt = a.ExpiresAt.Add(time.Second); return a },
		other:   newApproval(t, payment),
	}.hold(t, store, newApproval(t, payment))
}

func approvalLists(t *testing.T, store ports.Store) {
	payments := []core.PaymentID{storedPayment(t, store), storedPayment(t, store)}
	now := minutes(30)
	var all []core.Approval
	for i := range 12 {
		a := newApproval(t, payments[i%2])
		a.CreatedAt = minutes(i * 5 % 4)
		switch i % 3 {
		case 0:
			a.ExpiresAt = now
		case 1:
			a.Status, a.DecidedBy, a.DecidedAt = core.ApprovalRejected, "usr_b", minutes(9)
		}
		all = append(all, write(t, store, ports.Tx.InsertApproval, a))
	}
	place := func(a core.Approval) core.Cursor { return core.Cursor{At: a.CreatedAt, ID: string(a.ID)} }
	for _, filter := range []ports.ApprovalFilter{
		{},
		{Payment: payments[0]},
		{Statuses: []core.ApprovalStatus{core.ApprovalPending}, Now: now},
		{Statuses: []core.ApprovalStatus{core.ApprovalExpired}, Now: now},
		{Statuses: []core.ApprovalStatus{core.ApprovalExpired, core.ApprovalRejected}, Now: now, Payment: payments[1]},
		{Statuses: []core.ApprovalStatus{core.ApprovalApproved}, Now: now},
	} {
		holdList(t, all, place, func(a core.Approval) bool {
			return (filter.Payment == "" || filter.Payment == a.Payment) && anyOf(filter.Statuses, a.StatusAt(filter.Now))
		}, func(request core.PageRequest) (core.Page[core.Approval], error) {
			return store.Approvals(t.Context(), filter, request)
		})
	}
}

package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullDispute has every field, distinct from every other. payment must be stored.
func fullDispute(t testing.TB, payment core.PaymentID) core.Dispute {
	id := storeID[core.DisputeID]()
	return core.Dispute{
		ID: id, Version: 1, Payment: payment, Account: "stripe_eu", Provider: core.ProviderStripe, ProviderDisputeID: "du_" + string(id),
		Status: core.DisputeUnderReview, ForeignStatus: "under_review", Reason: core.DisputeNotReceived, ForeignReason: "not_received",
		Amount: eur(t, 900), Fee: usd(t, 15), Withdrawn: eur(t, 800), Reinstated: usd(t, 700), DueAt: minutes(90), CanSubmit: true,
		CanAccept: true, RemindedDays: 3, Owner: storeID[core.StaffID](), SubmittedAt: minutes(4), AcceptedAt: minutes(5), ClosedAt: minutes(6),
		Anomaly: core.ReasonOverpaid, Environment: core.EnvTest, OpenedAt: minutes(0), CreatedAt: minutes(1), UpdatedAt: minutes(2), SyncedAt: minutes(3),
	}
}

// newDispute is one that waits for evidence, with as few fields as can be.
func newDispute(t testing.TB, payment core.PaymentID) core.Dispute {
	id := storeID[core.DisputeID]()
	return core.Dispute{
		ID: id, Payment: payment, Account: "stripe_eu", Provider: core.ProviderStripe, ProviderDisputeID: "du_" + string(id),
		Status: core.DisputeNeedsResponse, Reason: core.DisputeGeneral, Amount: eur(t, 1), Environment: core.EnvTest,
		CreatedAt: minutes(1), UpdatedAt: minutes(1),
	}
}

func disputeRoundTrip(t *testing.T, store ports.Store) {
	full := fullDispute(t, storedPayment(t, store))
	next := fullDispute(t, storedPayment(t, store))
	next.Account, next.Provider, next.Status, next.ForeignStatus = "square", core.ProviderSquare, core.DisputeLost, "LOST"
	next.Reason, next.ForeignReason, next.Amount = core.DisputeFraudulent, "NO_KNOWLEDGE", usd(t, core.MinorMax)
	next.Fee, next.Withdrawn, next.Reinstated = core.Money{}, usd(t, 0), eur(t, 5)
	next.DueAt, next.CanSubmit, next.CanAccept, next.RemindedDays = minutes(95), false, false, 1
	next.Owner = storeID[core.StaffID]()
	next.SubmittedAt, next.AcceptedAt, next.ClosedAt = minutes(14), minutes(15), minutes(16)
	next.Anomaly, next.OpenedAt = core.Reason(core.ReviewTransition), minutes(7)
	next.UpdatedAt, next.SyncedAt = minutes(8), minutes(9)
	bare := newDispute(t, full.Payment)
	roughly := bare
	roughly.CreatedAt, roughly.UpdatedAt = rough(bare.CreatedAt), rough(bare.UpdatedAt)
	roundTrip[core.Dispute]{
		insert: ports.Tx.InsertDispute, update: ports.Tx.UpdateDispute,
		read: func(ctx context.Context, like core.Dispute) (core.Dispute, error) {
			return store.Dispute(ctx, like.ID)
		},
		version: func(d *core.Dispute) *int64 { return &d.Version },
		keep:    func(d, of core.Dispute) core.Dispute { d.ID, d.CreatedAt = of.ID, of.CreatedAt; return d },
	}.hold(t, store, full, next, bare, roughly)
}

func disputeVersions(t *testing.T, store ports.Store) {
	payment := storedPayment(t, store)
	versioned[core.Dispute]{
		insert: ports.Tx.InsertDispute, update: ports.Tx.UpdateDispute,
		lock: func(ctx context.Context, tx ports.Tx, like core.Dispute) (core.Dispute, error) {
			return tx.LockDispute(ctx, like.ID)
		},
		read: func(ctx context.Context, store ports.Store, like core.Dispute) (core.Dispute, error) {
			return store.Dispute(ctx, like.ID)
		},
		version: func(d *core.Dispute) *int64 { return &d.Version },
		change:  func(d core.Dispute) core.Dispute { d.RemindedDays++; return d },
		other:   fullDispute(t, payment),
	}.hold(t, store, fullDispute(t, payment))
}

func disputeLookups(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment := storedPayment(t, store)
	known := write(t, store, ports.Tx.InsertDispute, fullDispute(t, payment))
	other := write(t, store, ports.Tx.InsertDispute, newDispute(t, payment))
	holdRefs(t, known, known.Ref(), core.ProviderRef{Account: "stripe_eu", Kind: core.ObjectDispute},
		func(ref core.ProviderRef) (core.Dispute, error) { return store.DisputeByRef(ctx, ref) })
	again := fullDispute(t, payment)
	again.ProviderDisputeID = known.ProviderDisputeID
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertDispute, again), ports.ErrDuplicate)
	other.ProviderDisputeID = known.ProviderDisputeID
	require.ErrorIs(t, tryWrite(t, store, ports.Tx.UpdateDispute, other), ports.ErrDuplicate)
	again.Account = "stripe_us"
	require.NoError(t, tryWrite(t, store, ports.Tx.InsertDispute, again), "accounts do not share ids")
}

func disputeInvariants(t *testing.T, store ports.Store) {
	stored := write(t, store, ports.Tx.InsertDispute, fullDispute(t, storedPayment(t, store)))
	holdInvariants(t, store, ports.Tx.InsertDispute, ports.Tx.UpdateDispute, stored,
		func() core.Dispute { return fullDispute(t, stored.Payment) }, map[string]func(*core.Dispute){
			"no status":            func(d *core.Dispute) { d.Status = "" },
			"another status":       func(d *core.Dispute) { d.Status = "forgotten" },
			"no reason":            func(d *core.Dispute) { d.Reason = "" },
			"an amount below zero": func(d *core.Dispute) { d.Amount = eur(t, -1) },
			"no amount":            func(d *core.Dispute) { d.Amount = core.Money{} },
			"a fee below zero":     func(d *core.Dispute) { d.Fee = eur(t, -1) },
			"less taken than none": func(d *core.Dispute) { d.Withdrawn = eur(t, -1) },
			"less given than none": func(d *core.Dispute) { d.Reinstated = eur(t, -1) },
			"no provider id":       func(d *core.Dispute) { d.ProviderDisputeID = "" },
			"another's payment":    func(d *core.Dispute) { d.Payment = storeID[core.PaymentID]() },
		})
	read, err := store.Dispute(t.Context(), stored.ID)
	require.NoError(t, err)
	require.Equal(t, stored, read)
}

func disputeLists(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payments := []core.PaymentID{storedPayment(t, store), storedPayment(t, store)}
	var all []core.Dispute
	owner := storeID[core.StaffID]()
	for i := range 14 {
		d := newDispute(t, payments[i%2])
		d.CreatedAt, d.Status = minutes(i*5%4), core.DisputeStatuses()[i*5%6]
		if i%3 == 0 {
			d.Owner = owner
		}
		all = append(all, write(t, store, ports.Tx.InsertDispute, d))
	}
	place := func(d core.Dispute) core.Cursor { return core.Cursor{At: d.CreatedAt, ID: string(d.ID)} }
	for _, filter := range []ports.DisputeFilter{
		{},
		{Payment: payments[0]},
		{Statuses: []core.DisputeStatus{core.DisputeWon}},
		{Statuses: []core.DisputeStatus{core.DisputeWon, core.DisputeLost, core.DisputeAccepted}},
		{Payment: payments[1], Statuses: []core.DisputeStatus{core.DisputeInquiry, core.DisputeUnderReview}},
		{Payment: storeID[core.PaymentID]()},
		{Owner: owner},
		{Owner: owner, Statuses: []core.DisputeStatus{core.DisputeWon, core.DisputeLost}},
	} {
		holdList(t, all, place, func(d core.Dispute) bool {
			return (filter.Payment == "" || filter.Payment == d.Payment) && (filter.Owner == "" || filter.Owner == d.Owner) && anyOf(filter.Statuses, d.Status)
		}, func(request core.PageRequest) (core.Page[core.Dispute], error) {
			return store.Disputes(ctx, filter, request)
		})
	}
	want := oldestFirst(all, place, func(d core.Dispute) bool { return d.Payment == payments[1] })
	got, err := store.PaymentDisputes(ctx, payments[1])
	require.NoError(t, err)
	require.Equal(t, want, got)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		fresh := newDispute(t, payments[1])
		fresh.CreatedAt = minutes(20)
		fresh, err := tx.InsertDispute(ctx, fresh)
		require.NoError(t, err)
		got, err := tx.PaymentDisputes(ctx, payments[1])
		require.NoError(t, err)
		require.Equal(t, append(want, fresh), got, "a transaction sees what it wrote")
		return nil
	})
}

func disputesDue(t *testing.T, store ports.Store) {
	payment := storedPayment(t, store)
	insert := func(due time.Time, change func(*core.Dispute)) core.DisputeID {
		d := newDispute(t, payment)
		d.DueAt = due
		if change != nil {
			change(&d)
		}
		return write(t, store, ports.Tx.InsertDispute, d).ID
	}
	second := insert(minutes(20), nil)
	soonest := insert(minutes(10), func(d *core.Dispute) { d.RemindedDays = 7 })
	inquiry := insert(minutes(30), func(d *core.Dispute) { d.Status = core.DisputeInquiry })
	insert(minutes(50), nil) // at that very moment
	insert(time.Time{}, nil)
	insert(minutes(10), func(d *core.Dispute) { d.SubmittedAt = minutes(5) })
	insert(minutes(10), func(d *core.Dispute) { d.AcceptedAt = minutes(5) })
	for _, status := range core.DisputeStatuses()[2:] {
		insert(minutes(10), func(d *core.Dispute) { d.Status = status })
	}
	due := func(from time.Time, days int) func(context.Context, time.Time, int) ([]core.DisputeID, error) {
		return func(ctx context.Context, before time.Time, limit int) ([]core.DisputeID, error) {
			return store.DisputesDue(ctx, from, before, days, limit)
		}
	}
	holdSweep(t, []core.DisputeID{soonest, second, inquiry}, minutes(50), minutes(10), due(minutes(1), 3))
	holdSweep(t, []core.DisputeID{second, inquiry}, minutes(50), minutes(10), due(minutes(10), 3)) // over at that very moment
	holdSweep(t, []core.DisputeID{second, inquiry}, minutes(50), minutes(10), due(minutes(1), 7))  // reminded of already
}

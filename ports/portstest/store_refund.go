package portstest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullRefund has every field, distinct from every other. payment must be stored.
func fullRefund(t testing.TB, payment core.PaymentID) core.Refund {
	id := storeID[core.RefundID]()
	return core.Refund{
		ID: id, Version: 1, Payment: payment, Account: "stripe_eu", Provider: core.ProviderStripe, ProviderRefundID: "re_" + string(id),
		Status: core.RefundFailed, ForeignStatus: "failed_late", Amount: eur(t, 300), Reason: core.RefundDuplicate, Origin: core.OriginProvider,
		Failure: &core.Failure{Code: core.FailureRefundFailed, ProviderCode: "lost_or_stolen_card", Message: "No.", Retryable: true},
		Anomaly: core.ReasonOverpaid, RequestKey: core.NewRequestKey("key_r", string(id)), Environment: core.EnvTest,
		Metadata: map[string]string{"ticket": "t-1"}, CreatedAt: minutes(1), UpdatedAt: minutes(2), SyncedAt: minutes(3),
	}
}

// newRefund is a refund before anyone was asked.
func newRefund(t testing.TB, payment core.PaymentID, minor int64) core.Refund {
	return core.Refund{
		ID: storeID[core.RefundID](), Payment: payment, Account: "stripe_eu", Provider: core.ProviderStripe, Status: core.RefundPending,
		Amount: eur(t, minor), Origin: core.OriginHere, Environment: core.EnvTest, CreatedAt: minutes(1), UpdatedAt: minutes(1),
	}
}

func refundRoundTrip(t *testing.T, store ports.Store) {
	full := fullRefund(t, storedPayment(t, store))
	next := fullRefund(t, storedPayment(t, store))
	next.Account, next.Provider, next.Status, next.ForeignStatus = "square", core.ProviderSquare, core.RefundSucceeded, "other"
	next.Amount, next.Reason, next.Origin = eur(t, core.MinorMax), core.RefundFraudulent, core.OriginHere
	next.Failure, next.Anomaly = nil, core.Reason(core.ReviewTransition)
	next.Metadata, next.UpdatedAt, next.SyncedAt = map[string]string{"k": "v"}, minutes(8), minutes(9)
	bare := newRefund(t, full.Payment, 1)
	roughly := bare
	roughly.Metadata = map[string]string{}
	roughly.CreatedAt, roughly.UpdatedAt = rough(bare.CreatedAt), rough(bare.UpdatedAt)
	roundTrip[core.Refund]{
		insert: ports.Tx.InsertRefund, update: ports.Tx.UpdateRefund,
		read: func(ctx context.Context, like core.Refund) (core.Refund, error) {
			return store.Refund(ctx, like.ID)
		},
		version: func(r *core.Refund) *int64 { return &r.Version },
		keep:    func(r, of core.Refund) core.Refund { r.ID, r.CreatedAt = of.ID, of.CreatedAt; return r },
	}.hold(t, store, full, next, bare, roughly)
}

func refundVersions(t *testing.T, store ports.Store) {
	payment := storedPayment(t, store)
	versioned[core.Refund]{
		insert: ports.Tx.InsertRefund, update: ports.Tx.UpdateRefund,
		lock: func(ctx context.Context, tx ports.Tx, like core.Refund) (core.Refund, error) {
			return tx.LockRefund(ctx, like.ID)
		},
		read: func(ctx context.Context, store ports.Store, like core.Refund) (core.Refund, error) {
			return store.Refund(ctx, like.ID)
		},
		version: func(r *core.Refund) *int64 { return &r.Version },
		change:  func(r core.Refund) core.Refund { r.UpdatedAt = r.UpdatedAt.Add(time.Second); return r },
		other:   fullRefund(t, payment),
	}.hold(t, store, fullRefund(t, payment))
}

func refundLookups(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment := storedPayment(t, store)
	known := write(t, store, ports.Tx.InsertRefund, fullRefund(t, payment))
	unknown := write(t, store, ports.Tx.InsertRefund, newRefund(t, payment, 1))
	write(t, store, ports.Tx.InsertRefund, newRefund(t, payment, 1)) // no ids twice are no duplicate

	holdRefs(t, known, known.Ref(), unknown.Ref(), func(ref core.ProviderRef) (core.Refund, error) { return store.RefundByRef(ctx, ref) })
	found, err := store.RefundByRequestKey(ctx, known.RequestKey)
	require.NoError(t, err)
	require.Equal(t, known, found)
	for _, key := range []core.RequestKey{"", "key never used"} {
		_, err = store.RefundByRequestKey(ctx, key)
		require.ErrorIs(t, err, ports.ErrNotFound, "key %q", key)
	}

	for name, same := range map[string]func(*core.Refund){
		"provider id": func(r *core.Refund) { r.ProviderRefundID = known.ProviderRefundID },
		"request key": func(r *core.Refund) { r.RequestKey = known.RequestKey },
	} {
		again := fullRefund(t, payment)
		same(&again)
		require.ErrorIs(t, tryWrite(t, store, ports.Tx.InsertRefund, again), ports.ErrDuplicate, name)
		changed := unknown
		same(&changed)
		require.ErrorIs(t, tryWrite(t, store, ports.Tx.UpdateRefund, changed), ports.ErrDuplicate, name)
	}
	elsewhere := fullRefund(t, payment)
	elsewhere.Account, elsewhere.ProviderRefundID = "stripe_us", known.ProviderRefundID
	require.NoError(t, tryWrite(t, store, ports.Tx.InsertRefund, elsewhere), "accounts do not share ids")
}

func refundInvariants(t *testing.T, store ports.Store) {
	stored := write(t, store, ports.Tx.InsertRefund, fullRefund(t, storedPayment(t, store)))
	holdInvariants(t, store, ports.Tx.InsertRefund, ports.Tx.UpdateRefund, stored,
		func() core.Refund { return fullRefund(t, stored.Payment) }, map[string]func(*core.Refund){
			"no status":         func(r *core.Refund) { r.Status = "" },
			"another status":    func(r *core.Refund) { r.Status = "lost" },
			"no amount":         func(r *core.Refund) { r.Amount = eur(t, 0) },
			"less than nothing": func(r *core.Refund) { r.Amount = eur(t, -1) },
			"no currency":       func(r *core.Refund) { r.Amount = core.Money{} },
			"another reason":    func(r *core.Refund) { r.Reason = "why" },
			"no origin":         func(r *core.Refund) { r.Origin = "" },
			"an unknown place":  func(r *core.Refund) { r.Origin = "bank" },
			"no account":        func(r *core.Refund) { r.Account = "" },
			"another's payment": func(r *core.Refund) { r.Payment = storeID[core.PaymentID]() },
		})
	read, err := store.Refund(t.Context(), stored.ID)
	require.NoError(t, err)
	require.Equal(t, stored, read)
}

func refundLists(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payments := []core.PaymentID{storedPayment(t, store), storedPayment(t, store)}
	var all []core.Refund
	for i := range 14 {
		r := newRefund(t, payments[i%2], 1)
		r.CreatedAt, r.Status = minutes(i*5%4), core.RefundStatuses()[i*3%4]
		all = append(all, write(t, store, ports.Tx.InsertRefund, r))
	}
	place := func(r core.Refund) core.Cursor { return core.Cursor{At: r.CreatedAt, ID: string(r.ID)} }
	for _, filter := range []ports.RefundFilter{
		{},
		{Payment: payments[0]},
		{Statuses: []core.RefundStatus{core.RefundPending}},
		{Statuses: []core.RefundStatus{core.RefundFailed, core.RefundCanceled}},
		{Payment: payments[1], Statuses: []core.RefundStatus{core.RefundSucceeded, core.RefundFailed}},
		{Payment: storeID[core.PaymentID]()},
	} {
		holdList(t, all, place, func(r core.Refund) bool {
			return (filter.Payment == "" || filter.Payment == r.Payment) && anyOf(filter.Statuses, r.Status)
		}, func(request core.PageRequest) (core.Page[core.Refund], error) {
			return store.Refunds(ctx, filter, request)
		})
	}
	want := oldestFirst(all, place, func(r core.Refund) bool { return r.Payment == payments[1] })
	got, err := store.PaymentRefunds(ctx, payments[1])
	require.NoError(t, err)
	require.Equal(t, want, got)
	none, err := store.PaymentRefunds(ctx, storeID[core.PaymentID]())
	require.NoError(t, err)
	require.Empty(t, none)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		fresh := newRefund(t, payments[1], 1)
		fresh.CreatedAt = minutes(20)
		fresh, err := tx.InsertRefund(ctx, fresh)
		require.NoError(t, err)
		got, err := tx.PaymentRefunds(ctx, payments[1])
		require.NoError(t, err)
		require.Equal(t, append(want, fresh), got, "a transaction sees what it wrote")
		return nil
	})
}

// refundsTooMany: what is added up is never cut short in silence.
func refundsTooMany(t *testing.T, store ports.Store) {
	payment := storedPayment(t, store)
	const most = 1000
	insert := func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.InsertRefund(ctx, newRefund(t, payment, 1))
		return err
	}
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		for range most {
			if err := insert(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	refunds, err := store.PaymentRefunds(t.Context(), payment)
	require.NoError(t, err)
	require.Len(t, refunds, most)
	inTx(t, store, insert)
	_, err = store.PaymentRefunds(t.Context(), payment)
	require.Error(t, err)
	err = store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.PaymentRefunds(ctx, payment)
		return err
	})
	require.Error(t, err)
}

// refundsReserve has many refunds at once take what the payment's lock gives them: never more
// than was there.
func refundsReserve(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment := storedPayment(t, store)
	const captured, each = 1000, 150
	var tries sync.WaitGroup
	failed := make([]error, lockers)
	for n := range lockers {
		tries.Go(func() {
			failed[n] = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
				if _, err := tx.LockPayment(ctx, payment); err != nil {
					return err
				}
				refunds, err := tx.PaymentRefunds(ctx, payment)
				if err != nil || (len(refunds)+1)*each > captured {
					return err
				}
				_, err = tx.InsertRefund(ctx, newRefund(t, payment, each))
				return err
			})
		})
	}
	tries.Wait()
	for _, err := range failed {
		require.NoError(t, err)
	}
	refunds, err := store.PaymentRefunds(ctx, payment)
	require.NoError(t, err)
	require.Len(t, refunds, captured/each)
}

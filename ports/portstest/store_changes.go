package portstest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// changeTimeMax is how long a change may take to be told of.
const changeTimeMax = 20 * time.Second

func watchPayments(t *testing.T, store ports.Store, only core.PaymentID) func() ports.Changed {
	t.Helper()
	watch, err := store.WatchPayments(t.Context(), only)
	require.NoError(t, err)
	t.Cleanup(watch.Close)
	return func() ports.Changed {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), changeTimeMax)
		defer cancel()
		changed, err := watch.Next(ctx)
		require.NoError(t, err)
		return changed
	}
}

func changesTold(t *testing.T, store ports.Store) {
	first := storedPayment(t, store)
	checkout := storedCheckout(t, store)
	all, one := watchPayments(t, store, ""), watchPayments(t, store, first)

	gone := errors.New("not committed")
	err := store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		if err := tx.AppendTimeline(ctx, fullEntry(first, minutes(1))); err != nil {
			return err
		}
		return gone
	})
	require.ErrorIs(t, err, gone)
	second := write(t, store, ports.Tx.InsertPayment, newPayment(t, checkout)).ID
	require.Equal(t, ports.Changed{Payments: []core.PaymentID{second}}, all(), "what was rolled back is not told of")

	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		return tx.AppendTimeline(ctx, fullEntry(first, minutes(2)), fullEntry(first, minutes(3)))
	})
	require.Equal(t, ports.Changed{Payments: []core.PaymentID{first}}, all())
	require.Equal(t, ports.Changed{Payments: []core.PaymentID{first}}, one(), "others are none of its business")

	watch, err := store.WatchPayments(t.Context(), "")
	require.NoError(t, err)
	watch.Close()
	watch.Close()
	_, err = watch.Next(t.Context())
	require.Error(t, err, "a closed one")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	still, err := store.WatchPayments(t.Context(), "")
	require.NoError(t, err)
	defer still.Close()
	_, err = still.Next(ended)
	require.ErrorIs(t, err, context.Canceled)
}

func changesOfTheSlow(t *testing.T, store ports.Store) {
	checkout := storedCheckout(t, store)
	slow, quick := watchPayments(t, store, ""), watchPayments(t, store, "")
	var last core.PaymentID
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		for range ports.ChangesPendingMax + 1 {
			payment, err := tx.InsertPayment(ctx, newPayment(t, checkout))
			if err != nil {
				return err
			}
			last = payment.ID
		}
		return nil
	})
	for came := false; !came; { // all have come once the last one has
		changed := quick()
		came = len(changed.Payments) > 0 && changed.Payments[len(changed.Payments)-1] == last || changed.Gap && len(changed.Payments) == 0
	}
	require.True(t, slow().Gap, "it is told that it missed some")
}

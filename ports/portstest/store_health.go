package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// healthChapters are of how webhooks are doing.
func healthChapters() []storeChapter {
	return []storeChapter{
		{"the last event of each type is found", lastInbound},
		{"events that no webhook brought are counted", missedInbound},
		{"deliveries are counted", deliveryCounts},
		{"deliveries are counted by many at once", deliveryRace},
		{"webhook checks keep every field", webhookChecks},
	}
}

func lastInbound(t *testing.T, store ports.Store) {
	older, newer, other, elsewhere := fullInbound(), fullInbound(), fullInbound(), fullInbound()
	older.APIVersion, older.ReceivedAt = "2022-11-15", minutes(1)
	newer.ReceivedAt = minutes(2)
	other.Type, other.ReceivedAt, other.APIVersion = "charge.dispute.created", minutes(4), ""
	elsewhere.Account, elsewhere.Ref.Account, elsewhere.ReceivedAt = "stripe_us", "stripe_us", minutes(9)
	for _, e := range []*core.InboundEvent{&older, &newer, &other, &elsewhere} {
		e.Source = core.InboundWebhook
	}
	accept(t, store, newer, other, older, elsewhere)
	last, err := store.LastInbound(t.Context(), newer.Account, []string{newer.Type, other.Type, "never.came"})
	require.NoError(t, err)
	require.Equal(t, []core.LastEvent{
		{Type: other.Type, ReceivedAt: minutes(4)}, {Type: newer.Type, APIVersion: newer.APIVersion, ReceivedAt: minutes(2)},
	}, last)
	last, err = store.LastInbound(t.Context(), newer.Account, nil)
	require.NoError(t, err)
	require.Empty(t, last)
}

func missedInbound(t *testing.T, store ports.Store) {
	missed := func(at int, account core.AccountName) core.InboundEvent {
		e := fullInbound()
		e.Account, e.Ref.Account, e.Source, e.ReceivedAt = account, account, core.InboundBackfill, minutes(at)
		return e
	}
	told := fullInbound()
	told.Source, told.ReceivedAt = core.InboundWebhook, minutes(8)
	accept(t, store, told, missed(1, told.Account), missed(2, told.Account), missed(5, told.Account), missed(7, "stripe_us"))
	for from, want := range map[int]int64{1: 3, 2: 2, 6: 0} {
		count, last, err := store.MissedInbound(t.Context(), told.Account, minutes(from))
		require.NoError(t, err)
		require.Equal(t, want, count)
		if want > 0 {
			require.Equal(t, minutes(5), last)
		} else {
			require.True(t, last.IsZero())
		}
	}
	last, err := store.LastInbound(t.Context(), told.Account, []string{told.Type})
	require.NoError(t, err)
	require.Equal(t, minutes(8), last[0].ReceivedAt, "what no webhook brought says nothing of webhooks")
}

func count(t testing.TB, store ports.Store, counts ...core.DeliveryCount) {
	t.Helper()
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.AddDeliveryCounts(ctx, counts) })
}

func deliveryCounts(t *testing.T, store ports.Store) {
	hour := storeEpoch.Truncate(time.Hour)
	one := core.DeliveryCount{Account: "stripe", Result: core.DeliveryReceived, Hour: hour, Count: 3}
	forged := core.DeliveryCount{Account: "stripe", Result: core.DeliveryInvalidSignature, Hour: hour, Count: 1 << 40}
	earlier, other := one, one
	earlier.Hour, other.Account = hour.Add(-time.Hour), "square"
	count(t, store)
	count(t, store, one, forged, earlier, other)
	count(t, store, forged, one)
	sums, err := store.DeliveryCounts(t.Context(), hour)
	require.NoError(t, err)
	require.Equal(t, []core.DeliveryCount{
		{Account: "square", Result: core.DeliveryReceived, Count: 3},
		{Account: "stripe", Result: core.DeliveryInvalidSignature, Count: 1 << 41},
		{Account: "stripe", Result: core.DeliveryReceived, Count: 6},
	}, sums)
	sums, err = store.DeliveryCounts(t.Context(), hour.Add(-time.Hour))
	require.NoError(t, err)
	require.EqualValues(t, 9, sums[2].Count, "hours are summed up")
	for _, wrong := range []core.DeliveryCount{{Account: "stripe", Result: "other", Hour: hour, Count: 1}, {Account: "stripe", Result: core.DeliveryReceived, Hour: hour}} {
		require.Error(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
			return tx.AddDeliveryCounts(ctx, []core.DeliveryCount{wrong})
		}))
	}
	for _, want := range []int{1, 0} {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
			removed, err := tx.PruneDeliveryCounts(ctx, hour, 1)
			require.Equal(t, want, removed)
			return err
		})
	}
	sums, err = store.DeliveryCounts(t.Context(), hour.Add(-time.Hour))
	require.NoError(t, err)
	require.EqualValues(t, 6, sums[2].Count)
}

const (
	deliveryCounters = 6
	deliveryRounds   = 10
)

func deliveryRace(t *testing.T, store ports.Store) {
	hour := storeEpoch.Truncate(time.Hour)
	failed := make(chan error, deliveryCounters)
	for n := range deliveryCounters {
		counts := []core.DeliveryCount{
			{Account: "a", Result: core.DeliveryReceived, Hour: hour, Count: 1}, {Account: "b", Result: core.DeliveryReceived, Hour: hour, Count: 1},
		}
		if n%2 == 1 { // the other way round, as deadlocks like it
			counts[0], counts[1] = counts[1], counts[0]
		}
		go func() {
			var err error
			for range deliveryRounds {
				if err = store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.AddDeliveryCounts(ctx, counts) }); err != nil {
					break
				}
			}
			failed <- err
		}()
	}
	for range deliveryCounters {
		require.NoError(t, <-failed)
	}
	sums, err := store.DeliveryCounts(t.Context(), hour)
	require.NoError(t, err)
	for _, sum := range sums {
		require.EqualValues(t, deliveryCounters*deliveryRounds, sum.Count)
	}
}

func webhookChecks(t *testing.T, store ports.Store) {
	full := core.WebhookCheck{
		Account: "stripe", State: core.WebhookRegistered, Missing: []string{"a", "b"}, APIVersions: []string{"2023-10-16"}, Note: "not allowed",
		FirstAt: minutes(1), TriedAt: minutes(3), CheckedAt: minutes(2),
	}
	requireFull(t, full)
	bare := core.WebhookCheck{Account: "paypal", State: core.WebhookUnknown, FirstAt: minutes(4), TriedAt: minutes(4)}
	save := func(checks ...core.WebhookCheck) {
		for _, c := range checks {
			inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.SaveWebhookCheck(ctx, c) })
		}
	}
	roughly := full
	roughly.TriedAt = rough(full.TriedAt)
	save(roughly, bare)
	read, err := store.WebhookChecks(t.Context())
	require.NoError(t, err)
	require.Equal(t, []core.WebhookCheck{bare, full}, read)
	later := core.WebhookCheck{Account: "stripe", State: core.WebhookAbsent, FirstAt: minutes(9), TriedAt: minutes(9), CheckedAt: minutes(9)}
	save(later)
	later.FirstAt = full.FirstAt
	read, err = store.WebhookChecks(t.Context())
	require.NoError(t, err)
	require.Equal(t, []core.WebhookCheck{bare, later}, read, "the first look stays the first")
	later.State = "other"
	require.Error(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.SaveWebhookCheck(ctx, later) }))
}

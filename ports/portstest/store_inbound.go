package portstest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// fullInbound has every field, distinct from every other.
func fullInbound() core.InboundEvent {
	id := storeID[core.InboundID]()
	return core.InboundEvent{
		ID: id, Account: "stripe_eu", ProviderEventID: "evt_of_" + string(id), Type: "payment_intent.succeeded",
		Source: core.InboundBackfill, Status: core.InboundFailed, Ref: core.ProviderRef{Account: "stripe_eu", Kind: core.ObjectPayment, ID: "pi_" + string(id)},
		APIVersion: "2023-10-16", Body: []byte("{\"id\":1}\x00\xff raw as it came"), Note: "note of " + string(id),
		ReceivedAt: minutes(3), ProcessedAt: minutes(4),
	}
}

func accept(t testing.TB, store ports.Store, events ...core.InboundEvent) []core.InboundID {
	t.Helper()
	var stored []core.InboundID
	inTx(t, store, func(ctx context.Context, tx ports.Tx) (err error) {
		stored, err = tx.AcceptInbound(ctx, events)
		return err
	})
	return stored
}

func inboundRoundTrip(t *testing.T, store ports.Store) {
	full := fullInbound()
	requireFull(t, full)
	bare := core.InboundEvent{
		ID: storeID[core.InboundID](), Account: "square", ProviderEventID: "evt_bare", Type: "ping", Source: core.InboundWebhook, Status: core.InboundReceived,
		ReceivedAt: minutes(5),
	}
	roughly := bare
	roughly.ReceivedAt, roughly.Body = rough(bare.ReceivedAt), []byte{}
	require.Equal(t, []core.InboundID{full.ID, bare.ID}, accept(t, store, full, roughly))
	for _, want := range []core.InboundEvent{full, bare} {
		read, err := store.Inbound(t.Context(), want.ID)
		require.NoError(t, err)
		require.Equal(t, want, read)
	}
	_, err := store.Inbound(t.Context(), storeID[core.InboundID]())
	require.ErrorIs(t, err, ports.ErrNotFound)
}

func inboundOnce(t *testing.T, store ports.Store) {
	first, second, third := fullInbound(), fullInbound(), fullInbound()
	repeated := fullInbound()
	repeated.ProviderEventID = first.ProviderEventID
	elsewhere := fullInbound()
	elsewhere.Account, elsewhere.ProviderEventID = "stripe_us", first.ProviderEventID
	elsewhere.Ref.Account = elsewhere.Account

	require.Empty(t, accept(t, store))
	require.Equal(t, []core.InboundID{second.ID, first.ID}, accept(t, store, second, first, repeated), "once inside a batch, in its order")
	require.Equal(t, []core.InboundID{third.ID, elsewhere.ID}, accept(t, store, repeated, third, first, elsewhere, second), "and once in all")
	require.Empty(t, accept(t, store, third, second, first, repeated))
	_, err := store.Inbound(t.Context(), repeated.ID)
	require.ErrorIs(t, err, ports.ErrNotFound)
	kept, err := store.Inbound(t.Context(), first.ID)
	require.NoError(t, err)
	require.Equal(t, first, kept, "what came first stands")
}

const (
	inboundBatches = 8
	inboundEach    = 30
	inboundEvents  = 60 // so that batches overlap
)

func inboundRace(t *testing.T, store ports.Store) {
	ctx := t.Context()
	var batches sync.WaitGroup
	stored := make([][]core.InboundID, inboundBatches)
	failed := make([]error, inboundBatches)
	for n := range inboundBatches {
		events := make([]core.InboundEvent, inboundEach)
		for i := range events {
			events[i] = fullInbound()
			events[i].ProviderEventID = fmt.Sprintf("evt_%d", (n*7+i)%inboundEvents)
		}
		if n%2 == 1 { // the other way round, as deadlocks like it
			slices.Reverse(events)
		}
		batches.Go(func() {
			failed[n] = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) (err error) {
				stored[n], err = tx.AcceptInbound(ctx, events)
				return err
			})
		})
	}
	batches.Wait()
	seen := map[string]int{}
	for n := range inboundBatches {
		require.NoError(t, failed[n])
		for _, id := range stored[n] {
			event, err := store.Inbound(ctx, id)
			require.NoError(t, err, "what was said to be stored is stored")
			seen[event.ProviderEventID]++
		}
	}
	require.Len(t, seen, inboundEvents)
	for name, times := range seen {
		require.Equal(t, 1, times, name)
	}
	page, err := store.InboundEvents(ctx, ports.InboundFilter{}, core.PageRequest{Limit: core.PageItemsMax})
	require.NoError(t, err)
	require.Len(t, page.Items, inboundEvents)
}

func inboundStatus(t *testing.T, store ports.Store) {
	event := fullInbound()
	event.Status, event.Note = core.InboundReceived, ""
	event.ProcessedAt = minutes(0).Add(-1e18) // long ago
	accept(t, store, event)
	steps := []struct {
		status core.InboundStatus
		note   string
		final  bool
	}{
		{core.InboundProcessed, "moved", true},
		{core.InboundReceived, "", false},
		{core.InboundIgnored, "not ours", true},
		{core.InboundReceived, "replayed by staff", false},
		{core.InboundFailed, "given up", true},
	}
	for i, step := range steps {
		at := minutes(10 + i)
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
			return tx.SetInboundStatus(ctx, event.ID, step.status, step.note, rough(at))
		})
		want := event
		want.Status, want.Note, want.ProcessedAt = step.status, step.note, at
		read, err := store.Inbound(t.Context(), event.ID)
		require.NoError(t, err)
		if !step.final {
			want.ProcessedAt = event.ProcessedAt
			want.ProcessedAt = read.ProcessedAt.UTC()
			require.True(t, read.ProcessedAt.IsZero(), "not processed any more")
		}
		require.Equal(t, want, read, "step %d", i)
	}
	err := store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		return tx.SetInboundStatus(ctx, storeID[core.InboundID](), core.InboundFailed, "", minutes(1))
	})
	require.ErrorIs(t, err, ports.ErrNotFound)
}

func inboundPages(t *testing.T, store ports.Store) {
	events := make([]core.InboundEvent, 23)
	for i := range events {
		events[i] = fullInbound()
		events[i].ReceivedAt = minutes(i * 7 % 4)
	}
	accept(t, store, events...)
	slices.SortFunc(events, func(a, b core.InboundEvent) int {
		return -cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), strings.Compare(string(a.ID), string(b.ID)))
	})
	for i := range events {
		events[i].Body = nil
	}
	var met []core.InboundEvent
	request := core.PageRequest{Limit: 4}
	for range events {
		page, err := store.InboundEvents(t.Context(), ports.InboundFilter{}, request)
		require.NoError(t, err)
		require.Equal(t, len(met) > 0, page.HasPrevious)
		met = append(met, page.Items...)
		require.Equal(t, len(met) < len(events), page.HasNext)
		if !page.HasNext {
			break
		}
		last := page.Items[len(page.Items)-1]
		request.After = &core.Cursor{At: last.ReceivedAt, ID: string(last.ID)}
	}
	require.Equal(t, events, met)
	page, err := store.InboundEvents(t.Context(), ports.InboundFilter{}, core.PageRequest{Limit: 3, Last: true, Before: &core.Cursor{At: events[10].ReceivedAt, ID: string(events[10].ID)}})
	require.NoError(t, err)
	require.Equal(t, events[7:10], page.Items)
	require.True(t, page.HasNext)
	require.True(t, page.HasPrevious)
}

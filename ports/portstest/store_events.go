package portstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func fullEvent(kind core.EventType) core.Event {
	id := storeID[core.EventID]()
	return core.Event{
		ID: id, Type: kind, Subject: string(storeID[core.PaymentID]()), OccurredAt: minutes(7),
		Data: fmt.Appendf(nil, `{"id":%q,"text":"it's a \"?\" — 漢字","n":12345678901234567890,"z":1,"a":[1,{}]}`, id),
	}
}

func eventNumbers(t *testing.T, store ports.Store) {
	ctx := t.Context()
	none, err := store.Events(ctx, 0, nil, 10)
	require.NoError(t, err)
	require.Empty(t, none)

	kinds := []core.EventType{core.EventPaymentSucceeded, core.EventCheckoutCompleted, core.EventPaymentFailed}
	given := make([]core.Event, 0, 6)
	for range 2 { // two transactions
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
			for _, kind := range kinds {
				event := fullEvent(kind)
				given = append(given, event)
				event.OccurredAt = rough(event.OccurredAt)
				stored, err := tx.AppendEvent(ctx, event)
				require.NoError(t, err)
				require.Equal(t, given[len(given)-1], stored, "its number comes with the commit")
			}
			return nil
		})
	}
	all, err := store.Events(ctx, 0, nil, 10)
	require.NoError(t, err)
	require.Len(t, all, 6)
	for i, event := range all {
		requireFull(t, event)
		require.Positive(t, event.Sequence)
		if i > 0 {
			require.Greater(t, event.Sequence, all[i-1].Sequence)
		}
		one, err := store.Event(ctx, event.ID)
		require.NoError(t, err)
		require.Equal(t, event, one)
		event.Sequence = 0
		require.Equal(t, given[i], event, "in the order in which they were told")
	}
	_, err = store.Event(ctx, storeID[core.EventID]())
	require.ErrorIs(t, err, ports.ErrNotFound)

	some, err := store.Events(ctx, all[1].Sequence, nil, 2)
	require.NoError(t, err)
	require.Equal(t, all[2:4], some)
	some, err = store.Events(ctx, all[0].Sequence, []core.EventType{core.EventPaymentFailed, core.EventPaymentSucceeded}, 2)
	require.NoError(t, err)
	require.Equal(t, []core.Event{all[2], all[3]}, some)
	some, err = store.Events(ctx, all[5].Sequence, nil, 2)
	require.NoError(t, err)
	require.Empty(t, some)

	again := all[0]
	err = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.AppendEvent(ctx, again)
		return err
	})
	require.ErrorIs(t, err, ports.ErrDuplicate)
}

const (
	eventWriters      = 16
	eventsPerWriter   = 6
	eventsPerTx       = 2
	eventWritesUndone = 3 // every so many transactions one is undone
)

// eventOrder has a reader follow the events while many write: whatever it has not met
// when all is done, it has missed.
func eventOrder(t *testing.T, store ports.Store) {
	ctx := t.Context()
	payment := storedPayment(t, store)
	var writers sync.WaitGroup
	failures := make(chan error, eventWriters*eventsPerWriter)
	for writer := range eventWriters {
		writers.Go(func() {
			for n := range eventsPerWriter {
				undone := (writer+n)%eventWritesUndone == 0
				err := store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
					for range eventsPerTx {
						if _, err := tx.AppendEvent(ctx, fullEvent(core.EventPaymentSucceeded)); err != nil {
							return err
						}
					}
					if undone {
						return errOnPurpose
					}
					return tx.AppendTimeline(ctx, fullEntry(payment, minutes(n)))
				})
				if undone && errors.Is(err, errOnPurpose) {
					err = nil
				}
				failures <- err
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(failures); close(done) }()

	var met []core.Event
	last := int64(0)
	for finished := false; ; {
		events, err := store.Events(ctx, last, nil, 7)
		require.NoError(t, err)
		for _, event := range events {
			require.Greater(t, event.Sequence, last)
			last = event.Sequence
		}
		met = append(met, events...)
		if finished && len(events) == 0 {
			break
		}
		select {
		case <-done:
			finished = true
		default:
		}
	}
	committed := 0
	for err := range failures {
		require.NoError(t, err)
	}
	for writer := range eventWriters {
		for n := range eventsPerWriter {
			if (writer+n)%eventWritesUndone != 0 {
				committed += eventsPerTx
			}
		}
	}
	require.Len(t, met, committed, "a reader that follows misses none")
	ids := map[core.EventID]bool{}
	for _, event := range met {
		ids[event.ID] = true
	}
	require.Len(t, ids, committed)
	again, err := store.Events(ctx, 0, nil, 1000)
	require.NoError(t, err)
	require.True(t, slices.EqualFunc(met, again, func(a, b core.Event) bool { return a.ID == b.ID && a.Sequence == b.Sequence }))
}

package portstest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func runningRecord(caller core.APIKeyID, key string) core.IdempotencyRecord {
	return core.IdempotencyRecord{
		Caller: caller, Key: key, RequestHash: "hash of " + key, LockedAt: minutes(1), CreatedAt: minutes(1),
	}
}

func begin(t testing.TB, store ports.Store, r core.IdempotencyRecord) (standing core.IdempotencyRecord, fresh bool) {
	t.Helper()
	inTx(t, store, func(ctx context.Context, tx ports.Tx) (err error) {
		standing, fresh, err = tx.BeginIdempotent(ctx, r)
		return err
	})
	return standing, fresh
}

func idempotencyLife(t *testing.T, store ports.Store) {
	caller := storeID[core.APIKeyID]()
	try := func(fn func(ctx context.Context, tx ports.Tx) error) error { return store.InTx(t.Context(), fn) }
	r := runningRecord(caller, oddTexts[0])
	roughly := r
	roughly.LockedAt, roughly.CreatedAt = rough(r.LockedAt), rough(r.CreatedAt)
	standing, fresh := begin(t, store, roughly)
	require.True(t, fresh)
	require.Equal(t, r, standing)

	later := r
	later.RequestHash, later.LockedAt, later.CreatedAt = "another", minutes(2), minutes(2)
	standing, fresh = begin(t, store, later)
	require.False(t, fresh)
	require.Equal(t, r, standing, "the first stands")
	other := runningRecord(storeID[core.APIKeyID](), r.Key)
	_, fresh = begin(t, store, other)
	require.True(t, fresh, "callers do not share keys")

	// Taking over.
	taken := r
	taken.LockedAt = minutes(5)
	require.NoError(t, try(func(ctx context.Context, tx ports.Tx) error { return tx.RelockIdempotent(ctx, taken, r.LockedAt) }))
	require.ErrorIs(t, try(func(ctx context.Context, tx ports.Tx) error { return tx.RelockIdempotent(ctx, taken, r.LockedAt) }), ports.ErrConflict)
	standing, fresh = begin(t, store, later)
	require.False(t, fresh)
	require.Equal(t, taken, standing)

	// The answer.
	done := taken
	done.Status, done.Body, done.LockedAt = 201, []byte("{\"a\":\x00\xff}"), time.Time{}
	requireFull(t, done, "LockedAt")
	require.NoError(t, try(func(ctx context.Context, tx ports.Tx) error { return tx.FinishIdempotent(ctx, done) }))
	standing, fresh = begin(t, store, later)
	require.False(t, fresh)
	require.Equal(t, done, standing)
	require.ErrorIs(t, try(func(ctx context.Context, tx ports.Tx) error { return tx.RelockIdempotent(ctx, taken, taken.LockedAt) }), ports.ErrConflict,
		"what is done cannot be taken over")
	missing := runningRecord(caller, "never begun")
	require.Error(t, try(func(ctx context.Context, tx ports.Tx) error { return tx.FinishIdempotent(ctx, missing) }))
	require.ErrorIs(t, try(func(ctx context.Context, tx ports.Tx) error {
		return tx.RelockIdempotent(ctx, missing, missing.LockedAt)
	}), ports.ErrConflict)

	// Forgetting takes what runs and leaves what is done.
	_ = try(func(ctx context.Context, tx ports.Tx) error { return tx.ForgetIdempotent(ctx, caller, r.Key) })
	standing, fresh = begin(t, store, later)
	require.False(t, fresh)
	require.Equal(t, done, standing)
	require.NoError(t, try(func(ctx context.Context, tx ports.Tx) error { return tx.ForgetIdempotent(ctx, other.Caller, other.Key) }))
	_, fresh = begin(t, store, other)
	require.True(t, fresh)
}

const idempotencyCallers = 32

func idempotencyRace(t *testing.T, store ports.Store) {
	ctx := t.Context()
	caller := storeID[core.APIKeyID]()
	var calls sync.WaitGroup
	fresh := make([]bool, idempotencyCallers)
	failed := make([]error, idempotencyCallers)
	standing := make([]core.IdempotencyRecord, idempotencyCallers)
	for n := range idempotencyCallers {
		calls.Go(func() {
			r := runningRecord(caller, "one key")
			r.RequestHash = fmt.Sprint("hash ", n)
			failed[n] = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) (err error) {
				standing[n], fresh[n], err = tx.BeginIdempotent(ctx, r)
				return err
			})
		})
	}
	calls.Wait()
	winners := 0
	for n := range idempotencyCallers {
		require.NoError(t, failed[n])
		require.Equal(t, standing[0], standing[n], "all see the one that stands")
		if fresh[n] {
			winners++
			require.Equal(t, fmt.Sprint("hash ", n), standing[n].RequestHash)
		}
	}
	require.Equal(t, 1, winners)
}

func idempotencyPrune(t *testing.T, store ports.Store) {
	caller := storeID[core.APIKeyID]()
	for n := range 7 {
		r := runningRecord(caller, fmt.Sprint("key ", n))
		r.CreatedAt = minutes(n)
		_, fresh := begin(t, store, r)
		require.True(t, fresh)
	}
	prune := func(before time.Time, limit int) (removed int) {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) (err error) {
			removed, err = tx.PruneIdempotent(ctx, before, limit)
			return err
		})
		return removed
	}
	require.Equal(t, 2, prune(minutes(5), 2), "up to the limit")
	require.Equal(t, 3, prune(minutes(5), 10), "created before, and not at, the time")
	require.Equal(t, 0, prune(minutes(5), 10))
	_, fresh := begin(t, store, runningRecord(caller, "key 0"))
	require.True(t, fresh)
	_, fresh = begin(t, store, runningRecord(caller, "key 5"))
	require.False(t, fresh)
}

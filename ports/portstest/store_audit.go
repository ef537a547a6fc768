package portstest

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func fullAudit() core.AuditEntry {
	id := storeID[core.AuditID]()
	return core.AuditEntry{
		ID: id, Actor: "usr_" + string(id), Action: "key.create", Subject: "key_" + string(id), Detail: oddTexts[0],
		Before: `{"status":"authorized"}`, After: `{"asked":"capture_payment"}`, From: "192.0.2.7",
		TraceID: "0af7651916cd43dd8448eb211c80319c", At: minutes(3),
	}
}

// wholeLog reads the audit log and makes sure that its chain is unbroken.
func wholeLog(t testing.TB, store ports.Store) []core.AuditEntry {
	t.Helper()
	log, err := store.AuditLog(t.Context(), 0, 1000)
	require.NoError(t, err)
	sequence, hash := int64(0), ""
	for _, entry := range log {
		require.NoError(t, entry.Follows(sequence, hash))
		sequence, hash = entry.Sequence, entry.Hash
	}
	head, err := store.AuditHead(t.Context())
	require.NoError(t, err)
	require.Equal(t, core.AuditMark{Sequence: sequence, Hash: hash}, head)
	return log
}

func auditChain(t *testing.T, store ports.Store) {
	require.Empty(t, wholeLog(t, store))
	given := []core.AuditEntry{fullAudit(), fullAudit(), {ID: storeID[core.AuditID](), Actor: "cli", Action: "forbidden", At: minutes(4)}}
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		for _, entry := range given[:2] {
			entry.At = rough(entry.At)
			entry.Sequence, entry.Previous, entry.Hash = 40, "made up", "made up" // the store gives these
			if err := tx.AppendAudit(ctx, entry); err != nil {
				return err
			}
		}
		return nil
	})
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.AppendAudit(ctx, given[2]) })

	log := wholeLog(t, store)
	require.Len(t, log, 3)
	requireFull(t, log[1])
	for i, entry := range log {
		entry.Sequence, entry.Previous, entry.Hash = 0, "", ""
		require.Equal(t, given[i], entry)
	}
	require.Empty(t, log[0].Previous)
	require.EqualValues(t, 1, log[0].Sequence)
	some, err := store.AuditLog(t.Context(), 1, 1)
	require.NoError(t, err)
	require.Equal(t, log[1:2], some)
	some, err = store.AuditLog(t.Context(), 3, 10)
	require.NoError(t, err)
	require.Empty(t, some)
}

const auditWriters = 16

func auditRace(t *testing.T, store ports.Store) {
	ctx := t.Context()
	var writers sync.WaitGroup
	failed := make([]error, auditWriters)
	for n := range auditWriters {
		writers.Go(func() {
			failed[n] = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
				for range 2 {
					if err := tx.AppendAudit(ctx, fullAudit()); err != nil {
						return err
					}
				}
				// Events beside it, since both have places in a row to take.
				if _, err := tx.AppendEvent(ctx, fullEvent(core.EventPaymentFailed)); err != nil {
					return err
				}
				if n%4 == 3 {
					return errOnPurpose
				}
				return nil
			})
		})
	}
	writers.Wait()
	for n, err := range failed {
		if n%4 == 3 {
			require.ErrorIs(t, err, errOnPurpose)
		} else {
			require.NoError(t, err)
		}
	}
	require.Len(t, wholeLog(t, store), 2*auditWriters*3/4)
}

package portstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// batchReads gives several objects at once, and says nothing of those that are not there.
func batchReads(t *testing.T, store ports.Store) {
	ctx := t.Context()
	checkout := storedCheckout(t, store)
	first := write(t, store, ports.Tx.InsertPayment, newPayment(t, checkout))
	second := write(t, store, ports.Tx.InsertPayment, newPayment(t, checkout))
	third := write(t, store, ports.Tx.InsertPayment, newPayment(t, checkout))
	late, early, other := fullOperation(t, first.ID), fullOperation(t, first.ID), fullOperation(t, second.ID)
	early.CreatedAt, other.CreatedAt, late.CreatedAt = minutes(1), minutes(2), minutes(3)
	for _, operation := range []core.Operation{late, early, other} {
		write(t, store, ports.Tx.InsertOperation, operation)
	}

	payments, err := store.PaymentsByID(ctx, []core.PaymentID{second.ID, storeID[core.PaymentID](), first.ID})
	require.NoError(t, err)
	require.ElementsMatch(t, []core.Payment{first, second}, payments)
	operations, err := store.OperationsByID(ctx, []core.OperationID{other.ID, storeID[core.OperationID](), late.ID})
	require.NoError(t, err)
	require.ElementsMatch(t, []core.Operation{late, other}, operations)
	operations, err = store.OperationsOfPayments(ctx, []core.PaymentID{third.ID, second.ID, first.ID, storeID[core.PaymentID]()})
	require.NoError(t, err)
	require.Equal(t, []core.Operation{early, other, late}, operations, "oldest first")

	none, err := store.PaymentsByID(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, none)
	nothing, err := store.OperationsByID(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, nothing)
	nothing, err = store.OperationsOfPayments(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, nothing)
}

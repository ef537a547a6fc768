package graph_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// TestProviderCallsAreListed shows staff what was asked of providers, what nobody knows the outcome of
// first, and what waits for them.
func TestProviderCallsAreListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	payment := h.newPayment(t, h.newCheckout(t), epoch)
	statuses := []core.OperationStatus{core.OperationUnknown, core.OperationSucceeded, core.OperationPending, core.OperationUnknown, core.OperationFailed}
	made := make([]core.Operation, 0, len(statuses))
	for n, status := range statuses {
		op := core.Operation{
			ID: newID[core.OperationID](), Kind: core.OpCapturePayment, Account: payment.Account, Payment: payment.ID, Subject: string(payment.ID),
			Amount: payment.Amount, Asked: []byte(`{"final":true}`), RequestHash: core.HashRequest("x"), Source: "token_of_a_buyer", Status: status,
			Attempts: 3, RequestID: "req_7", CreatedAt: epoch.Add(time.Duration(n) * time.Minute), SentAt: epoch.Add(time.Hour),
		}
		if n == 0 {
			op.LookedAt, op.GivenUpAt, op.GivenUp = epoch.Add(25*time.Hour), epoch.Add(25*time.Hour), core.GivenUpNotFound
		}
		if op.Status.Settled() {
			op.SettledAt, op.Source = epoch.Add(time.Hour), ""
		}
		h.inTx(t, func(ctx context.Context, tx ports.Tx) (err error) {
			op, err = tx.InsertOperation(ctx, op)
			return err
		})
		made = append(made, op)
	}
	ids := func(numbers ...int) (want []any) {
		for _, n := range numbers {
			want = append(want, string(made[n].ID))
		}
		return want
	}
	const list = `query($first: Int, $after: Cursor, $filter: OperationFilter) { operations(first: $first, after: $after, filter: $filter) {
		edges { node { id } } totalCount pageInfo { hasNextPage endCursor } } }`
	idsOf := func(got any) (found []any) {
		edges, ok := got.([]any)
		require.True(t, ok)
		for _, edge := range edges {
			found = append(found, edge.(map[string]any)["node"].(map[string]any)["id"])
		}
		return found
	}
	var all []any
	variables := map[string]any{"first": 2}
	for range 3 {
		page := h.get(t, core.RoleViewer, list, variables)
		require.InDelta(t, len(made), page.at(t, "operations.totalCount"), 0)
		all = append(all, idsOf(page.at(t, "operations.edges"))...)
		variables["after"] = page.at(t, "operations.pageInfo.endCursor")
	}
	require.Equal(t, ids(3, 0, 2, 4, 1), all, "unknown first, then what was perhaps not sent")

	forStaff := h.get(t, core.RoleViewer, list, map[string]any{"filter": map[string]any{"forStaff": true, "account": string(payment.Account), "kind": []string{"CAPTURE_PAYMENT"}}})
	require.Equal(t, ids(0), idsOf(forStaff.at(t, "operations.edges")))
	require.InDelta(t, 1, forStaff.at(t, "operations.totalCount"), 0)
	failed := h.get(t, core.RoleViewer, list, map[string]any{"filter": map[string]any{"status": []string{"FAILED"}, "payment": payment.ID}})
	require.Equal(t, ids(4), idsOf(failed.at(t, "operations.edges")))
	for _, filter := range []map[string]any{{"status": []string{}}, {"kind": []string{}}, {"account": ""}, {"subject": ""}, {"payment": "pay_1"}} {
		require.Equal(t, "BAD_USER_INPUT", h.ask(t, core.RoleViewer, list, map[string]any{"filter": filter}).code(t))
	}

	asSent := h.get(t, core.RoleViewer, `{ operations(filter: {forStaff: true}) { nodes { id kind status account subject amount { minor } attempts asked requestHash
		providerRequestId createdAt sentAt settledAt lookedAt nextLookAt forStaff givenUpAt givenUp payment { id status } } } }`, nil)
	require.Equal(t, map[string]any{
		"id": string(made[0].ID), "kind": "CAPTURE_PAYMENT", "status": "UNKNOWN", "account": string(payment.Account), "subject": string(payment.ID),
		"amount": map[string]any{"minor": float64(payment.Amount.Minor())}, "attempts": 3.0, "asked": `{"final":true}`, "requestHash": made[0].RequestHash,
		"providerRequestId": "req_7", "createdAt": "2026-03-01T12:00:00.000000Z", "sentAt": "2026-03-01T13:00:00.000000Z", "settledAt": nil,
		"lookedAt": "2026-03-02T13:00:00.000000Z", "nextLookAt": "2026-03-03T13:00:00.000000Z", "forStaff": true, "givenUpAt": "2026-03-02T13:00:00.000000Z",
		"givenUp": "NOT_FOUND", "payment": map[string]any{"id": string(payment.ID), "status": "PROCESSING"},
	}, asSent.at(t, "operations.nodes.0"))
}

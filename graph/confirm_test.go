package graph_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// forStaff is a capture whose answer was lost and that waits for staff.
func forStaff(t *testing.T, d *desk) core.Operation {
	t.Helper()
	p := d.world.Authorized()
	d.world.Provider.FailNext(portstest.NoAnswer())
	_, err := d.world.Payments.Capture(t.Context(), payments.Capture{Payment: p.ID, Cause: core.Cause{Kind: core.CauseAPI}})
	require.NoError(t, err)
	op := d.world.Operation(p.ID, core.OpCapturePayment)
	require.Equal(t, core.OperationUnknown, op.Status)
	require.NoError(t, d.world.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		held, err := tx.LockOperation(ctx, op.ID)
		if err != nil {
			return err
		}
		op, err = tx.UpdateOperation(ctx, held.GiveUp(core.GivenUpUnanswered, d.world.Clock.Now()))
		return err
	}))
	return op
}

func TestTwoPeopleConfirmAnOutcome(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		op := forStaff(t, d)
		input := map[string]any{"operationId": op.ID}
		preview := d.done(t, core.RoleFinance, "operationConfirmNotDone", "preview { stateAfter needsApproval warnings }", map[string]any{"operationId": op.ID, "dryRun": true})
		require.Equal(t, "UNKNOWN", preview.at(t, "operationConfirmNotDone.preview.stateAfter"))
		require.Equal(t, true, preview.at(t, "operationConfirmNotDone.preview.needsApproval"))
		first := d.done(t, core.RoleFinance, "operationConfirmNotDone", "operation { status forStaff claim { outcome providerObjectId claimedBy confirmedBy } }", input)
		require.Equal(t, map[string]any{
			"status": "UNKNOWN", "forStaff": true,
			"claim": map[string]any{"outcome": "NOT_DONE", "providerObjectId": nil, "claimedBy": string(d.staff[core.RoleFinance].ID), "confirmedBy": nil},
		}, first.at(t, "operationConfirmNotDone.operation"))
		require.Equal(t, "APPROVAL_OWN", d.refused(t, core.RoleFinance, "operationConfirmNotDone", input))
		require.Equal(t, core.PaymentAuthorized, d.world.Payment(op.Payment).Status)

		preview = d.done(t, core.RoleAdmin, "operationConfirmNotDone", "preview { stateAfter needsApproval }", map[string]any{"operationId": op.ID, "dryRun": true})
		require.Equal(t, map[string]any{"stateAfter": "FAILED", "needsApproval": false}, preview.at(t, "operationConfirmNotDone.preview"))
		second := d.done(t, core.RoleAdmin, "operationConfirmNotDone", "operation { status forStaff claim { confirmedBy } failure { providerCode } }", input)
		require.Equal(t, "FAILED", second.at(t, "operationConfirmNotDone.operation.status"), second.Body)
		require.Equal(t, string(d.staff[core.RoleAdmin].ID), second.at(t, "operationConfirmNotDone.operation.claim.confirmedBy"))
		require.Equal(t, "confirmed_not_done", second.at(t, "operationConfirmNotDone.operation.failure.providerCode"))
		require.Equal(t, "INVALID_STATE", d.refused(t, core.RoleAdmin, "operationConfirmNotDone", input))
		row := d.audit(t)[len(d.audit(t))-1]
		require.Contains(t, row.Before, `"confirmed_by":""`)
		require.Contains(t, row.After, string(d.staff[core.RoleAdmin].ID))
		d.done(t, core.RoleFinance, "paymentCapture", "", map[string]any{"paymentId": op.Payment})
	})
}

func TestWhoContradictsTakesTheClaimOver(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		op := forStaff(t, d)
		input := map[string]any{"operationId": op.ID}
		d.done(t, core.RoleFinance, "operationConfirmDone", "", input)
		got := d.done(t, core.RoleAdmin, "operationConfirmNotDone", "operation { status claim { outcome claimedBy confirmedBy } }", input)
		require.Equal(t, map[string]any{"status": "UNKNOWN", "claim": map[string]any{"outcome": "NOT_DONE", "claimedBy": string(d.staff[core.RoleAdmin].ID), "confirmedBy": nil}},
			got.at(t, "operationConfirmNotDone.operation"))
		require.Equal(t, "APPROVAL_OWN", d.refused(t, core.RoleAdmin, "operationConfirmNotDone", input))
		require.Equal(t, "INVALID_REQUEST", d.refused(t, core.RoleFinance, "operationConfirmDone", map[string]any{"operationId": op.ID, "providerObjectId": "pi_1"}), "it acts on a payment that is known")
		require.Equal(t, "NOT_FOUND", d.refused(t, core.RoleFinance, "operationConfirmDone", map[string]any{"operationId": newID[core.OperationID]()}))
	})
}

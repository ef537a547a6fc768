package graph_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/ports"
)

const refundFields = "refund { id status amount { minor } } approval { id status askedBy note } preview { stateAfter providerCall needsApproval amount { minor } amountLeft { minor } warnings }"

// ask asks for a refund above the limit and gives the approval that waits.
func (d *desk) askFor(t *testing.T, role core.Role, p core.Payment, minor int) string {
	t.Helper()
	asked := d.done(t, role, "refundCreate", refundFields, map[string]any{"paymentId": p.ID, "amountMinor": minor, "reason": "OTHER", "note": "broken cup"})
	require.Nil(t, asked.at(t, "refundCreate.refund"))
	require.Equal(t, "PENDING", asked.at(t, "refundCreate.approval.status"))
	id, _ := asked.at(t, "refundCreate.approval.id").(string)
	return id
}

func (d *desk) refunded(t *testing.T, p core.Payment) []core.Refund {
	t.Helper()
	all, err := d.world.Store.PaymentRefunds(t.Context(), p.ID)
	require.NoError(t, err)
	return all
}

func TestRefundsByStaff(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Paid()
		input := map[string]any{"paymentId": p.ID, "amountMinor": approvalAbove, "reason": "REQUESTED_BY_CUSTOMER", "note": "broken cup", "dryRun": true}
		preview := d.done(t, core.RoleSupport, "refundCreate", refundFields, input)
		require.Equal(t, map[string]any{
			"stateAfter": "PENDING", "providerCall": "REFUND_PAYMENT", "needsApproval": false, "amount": map[string]any{"minor": float64(approvalAbove)},
			"amountLeft": map[string]any{"minor": float64(coretest.Price - approvalAbove)}, "warnings": []any{},
		}, preview.at(t, "refundCreate.preview"))
		require.Empty(t, d.refunded(t, p))

		delete(input, "dryRun")
		input["idempotencyKey"] = "once"
		first := d.done(t, core.RoleSupport, "refundCreate", refundFields, input)
		require.Equal(t, "SUCCEEDED", first.at(t, "refundCreate.refund.status"))
		again := d.done(t, core.RoleSupport, "refundCreate", refundFields, input)
		require.Equal(t, first.at(t, "refundCreate.refund.id"), again.at(t, "refundCreate.refund.id"))
		require.Len(t, d.refunded(t, p), 1)
		var notes []string
		for _, line := range d.world.Timeline(p.ID) {
			notes = append(notes, line.Note)
		}
		require.Contains(t, notes, "broken cup")
		for _, row := range d.audit(t) {
			require.NotContains(t, row.After+row.Before+row.Detail, "broken cup", "what people write stays out of the audit log")
		}
		for code, minor := range map[string]any{"AMOUNT_NOT_AVAILABLE": coretest.Price, "INVALID_REQUEST": 0} {
			require.Equal(t, code, d.refused(t, core.RoleSupport, "refundCreate", map[string]any{"paymentId": p.ID, "amountMinor": minor, "reason": "OTHER"}))
		}
		require.Equal(t, "INVALID_PAYMENT_STATE", d.refused(t, core.RoleSupport, "refundCreate", map[string]any{"paymentId": d.world.Authorized().ID, "reason": "OTHER"}))
		require.Equal(t, "NOT_FOUND", d.refused(t, core.RoleSupport, "refundCreate", map[string]any{"paymentId": newID[core.PaymentID](), "reason": "OTHER"}))
	})
}

func TestARefundAboveTheLimitTakesTwoPeople(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Paid()
		dry := d.done(t, core.RoleFinance, "refundCreate", refundFields, map[string]any{"paymentId": p.ID, "reason": "OTHER", "dryRun": true})
		require.Equal(t, true, dry.at(t, "refundCreate.preview.needsApproval"), "all of it is above the limit")
		require.Nil(t, dry.at(t, "refundCreate.preview.providerCall"))
		id := d.askFor(t, core.RoleFinance, p, approvalAbove+1)
		require.Empty(t, d.refunded(t, p))
		shown := d.done(t, core.RoleSupport, "refundCreate", refundFields, map[string]any{"paymentId": p.ID, "amountMinor": 1, "reason": "OTHER", "dryRun": true})
		require.Len(t, shown.at(t, "refundCreate.preview.warnings"), 1, "what waits is shown")

		require.Equal(t, "FORBIDDEN", d.mutate(t, core.RoleSupport, "approvalApprove", "", map[string]any{"approvalId": id}).code(t))
		require.Equal(t, "APPROVAL_OWN", d.refused(t, core.RoleFinance, "approvalApprove", map[string]any{"approvalId": id}))
		require.Equal(t, "APPROVAL_OWN", d.refused(t, core.RoleFinance, "approvalApprove", map[string]any{"approvalId": id, "dryRun": true}))
		require.Empty(t, d.refunded(t, p))
		approved := d.done(t, core.RoleAdmin, "approvalApprove", "approval { status decidedBy refundId } refund { id status amount { minor } }", map[string]any{"approvalId": id})
		require.Equal(t, "APPROVED", approved.at(t, "approvalApprove.approval.status"))
		require.Equal(t, string(d.staff[core.RoleAdmin].ID), approved.at(t, "approvalApprove.approval.decidedBy"))
		require.Equal(t, "SUCCEEDED", approved.at(t, "approvalApprove.refund.status"))
		require.Equal(t, map[string]any{"minor": float64(approvalAbove + 1)}, approved.at(t, "approvalApprove.refund.amount"))
		for _, name := range []string{"approvalApprove", "approvalReject"} {
			require.Equal(t, "APPROVAL_DECIDED", d.refused(t, core.RoleAdmin, name, map[string]any{"approvalId": id}))
			require.Equal(t, "NOT_FOUND", d.refused(t, core.RoleAdmin, name, map[string]any{"approvalId": newID[core.ApprovalID]()}))
		}
		list := d.get(t, core.RoleViewer, `query($f: ApprovalFilter) { approvals(filter: $f) { nodes { id status } } }`, map[string]any{"f": map[string]any{"status": []string{"APPROVED"}, "payment": p.ID}})
		require.Equal(t, map[string]any{"id": id, "status": "APPROVED"}, list.at(t, "approvals.nodes.0"))
	})
}

func TestWhatIsGoneWhenItIsApproved(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Paid()
		first, second := d.askFor(t, core.RoleSupport, p, 600), d.askFor(t, core.RoleSupport, p, 700)
		d.done(t, core.RoleFinance, "approvalApprove", "", map[string]any{"approvalId": first})
		require.Equal(t, "AMOUNT_NOT_AVAILABLE", d.refused(t, core.RoleFinance, "approvalApprove", map[string]any{"approvalId": second}))
		require.Len(t, d.refunded(t, p), 1)
		rejected := d.done(t, core.RoleFinance, "approvalReject", "approval { status refundId }", map[string]any{"approvalId": second})
		require.Equal(t, map[string]any{"status": "REJECTED", "refundId": nil}, rejected.at(t, "approvalReject.approval"))
	})
}

func TestAnApprovalExpires(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Paid()
		id := d.askFor(t, core.RoleSupport, p, 600)
		d.world.Clock.Advance(core.ApprovalKept)
		require.Equal(t, "APPROVAL_EXPIRED", d.refused(t, core.RoleFinance, "approvalApprove", map[string]any{"approvalId": id}))
		require.Empty(t, d.refunded(t, p))
		list := d.get(t, core.RoleViewer, `{ approvals(filter: {status: [EXPIRED]}) { nodes { status } } }`, nil)
		require.Equal(t, "EXPIRED", list.at(t, "approvals.nodes.0.status"))
	})
}

// Many who approve at once, each with another right to it, make one refund.
func TestTwoWhoApproveAtOnceDoItOnce(t *testing.T) {
	t.Parallel()
	const presses = 12
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Paid()
		id := d.askFor(t, core.RoleSupport, p, 501)
		var all sync.WaitGroup
		codes := make([]any, presses)
		for i := range presses {
			all.Go(func() {
				role := []core.Role{core.RoleFinance, core.RoleAdmin}[i%2]
				got := d.mutate(t, role, "approvalApprove", "", map[string]any{"approvalId": id})
				if refused, _ := got.at(t, "approvalApprove.userErrors").([]any); len(refused) > 0 {
					codes[i] = got.at(t, "approvalApprove.userErrors.0.code")
				}
			})
		}
		all.Wait()
		done := 0
		for _, code := range codes {
			if code == nil {
				done++
				continue
			}
			require.Equal(t, "APPROVAL_DECIDED", code)
		}
		require.Equal(t, 1, done)
		require.Len(t, d.refunded(t, p), 1)
		require.EqualValues(t, 501, d.world.Payment(p.ID).AmountRefunded.Minor())
	})
}

func TestAProcessThatDiesAfterApproving(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		p := d.world.Paid()
		_, approval, err := d.world.Refunds.Ask(t.Context(), refunds.Ask{
			Create: refunds.Create{Payment: p.ID, Reason: core.RefundOther}, By: "usr_a", Limits: core.RefundLimits{Other: new(int64(0))},
		})
		require.NoError(t, err)
		d.world.Store.CrashNext(0, true)
		_, err = d.world.Refunds.Approve(t.Context(), approval.ID, "usr_b", core.Cause{Kind: core.CauseStaff})
		require.Error(t, err)
		d.world.RunAll()
		require.Equal(t, p.AmountCaptured, d.world.Payment(p.ID).AmountRefunded, "the refund is made by itself")
		page, err := d.world.Store.Approvals(t.Context(), ports.ApprovalFilter{Payment: p.ID}, core.PageRequest{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, core.ApprovalApproved, page.Items[0].Status)
	})
}

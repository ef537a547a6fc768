package graph

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/graph/model"
)

const fieldApproval = "approvalId"

func (r *Resolver) createRefund(ctx context.Context, in model.RefundCreateInput) (*model.RefundCreatePayload, error) {
	id, err := parseID[core.PaymentID]("input."+fieldPayment, in.PaymentID)
	if err != nil {
		return nil, err
	}
	asked := refunds.Ask{
		Create: refunds.Create{Payment: id, Amount: in.AmountMinor, Reason: in.Reason, Cause: byStaff(ctx)},
		By:     requestOf(ctx).staff.ID, Limits: r.limits,
	}
	if in.Note != nil {
		asked.Note = *in.Note
	}
	payload := &model.RefundCreatePayload{}
	m := mutation{action: "refund.create", input: in, key: in.IdempotencyKey, dryRun: in.DryRun, subject: fieldPayment}
	show := func(ctx context.Context) error {
		would, err := r.refunds.Preview(ctx, asked)
		payload.Preview = refundPreview(would)
		return err
	}
	done, refused, err := r.mutate(ctx, m, show, func(ctx context.Context, key core.RequestKey) (string, error) {
		asked.RequestKey = key
		refund, approval, err := r.refunds.Ask(ctx, asked)
		if approval.ID != "" {
			return string(approval.ID), err
		}
		return string(refund.ID), err
	})
	payload.UserErrors = refused
	if err != nil || done == "" {
		return payload, err
	}
	if approval, err := core.ParseID[core.ApprovalID](done); err == nil {
		payload.Approval, err = r.approval(ctx, approval)
		return payload, err
	}
	payload.Refund, err = r.refund(ctx, core.RefundID(done))
	return payload, err
}

func refundPreview(would refunds.Preview) *model.Preview {
	preview := &model.Preview{NeedsApproval: would.Waits, Warnings: []string{}}
	if would.Amount.IsPositive() {
		preview.Amount, preview.AmountLeft = &would.Amount, &would.Left
		if !would.Waits {
			preview.ProviderCall, preview.StateAfter = new(core.OpRefundPayment), new(strings.ToUpper(string(core.RefundPending)))
		}
	}
	if would.Disputed {
		preview.Warnings = append(preview.Warnings, "The payment is disputed: the buyer may get the money twice.")
	}
	if would.Waiting > 0 {
		preview.Warnings = append(preview.Warnings, fmt.Sprintf("Other refunds of it that wait for approval: %d. Their amounts are not reserved.", would.Waiting))
	}
	return preview
}

func (r *Resolver) approveRefund(ctx context.Context, in model.ApprovalApproveInput) (*model.ApprovalApprovePayload, error) {
	d := decision{
		mutation: mutation{action: "approval.approve", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.ApprovalID, status: core.ApprovalApproved,
		do: func(ctx context.Context, id core.ApprovalID, by core.StaffID) (core.Approval, error) {
			return r.refunds.Approve(ctx, id, by, byStaff(ctx))
		},
	}
	approval, preview, refused, err := r.decide(ctx, d)
	if err != nil {
		return nil, err
	}
	payload := &model.ApprovalApprovePayload{Approval: approval, Preview: preview, UserErrors: refused}
	if approval != nil && approval.Refund != "" {
		payload.Refund, err = r.refund(ctx, approval.Refund)
	}
	return payload, err
}

func (r *Resolver) rejectRefund(ctx context.Context, in model.ApprovalRejectInput) (*model.ApprovalRejectPayload, error) {
	d := decision{
		mutation: mutation{action: "approval.reject", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.ApprovalID, status: core.ApprovalRejected, do: r.refunds.Reject,
	}
	approval, preview, refused, err := r.decide(ctx, d)
	if err != nil {
		return nil, err
	}
	return &model.ApprovalRejectPayload{Approval: approval, Preview: preview, UserErrors: refused}, nil
}

// decision is a mutation on an approval.
type decision struct {
	mutation

	id     string
	status core.ApprovalStatus
	do     func(ctx context.Context, id core.ApprovalID, by core.StaffID) (core.Approval, error)
}

func (r *Resolver) decide(ctx context.Context, d decision) (approval *model.Approval, preview *model.Preview, refused []*model.UserError, err error) {
	id, err := parseID[core.ApprovalID]("input."+fieldApproval, d.id)
	if err != nil {
		return nil, nil, nil, err
	}
	d.subject = fieldApproval
	by := requestOf(ctx).staff.ID
	show := func(ctx context.Context) error {
		would, left, err := r.refunds.PreviewDecision(ctx, id, d.status, by)
		if err != nil {
			return err
		}
		preview = &model.Preview{StateAfter: new(strings.ToUpper(string(would.Status))), Amount: &would.Amount, AmountLeft: &left, Warnings: []string{}}
		if d.status == core.ApprovalApproved {
			preview.ProviderCall = new(core.OpRefundPayment)
			after, err := left.Sub(would.Amount)
			preview.AmountLeft = &after
			return err
		}
		return nil
	}
	done, refused, err := r.mutate(ctx, d.mutation, show, func(ctx context.Context, _ core.RequestKey) (string, error) {
		decided, err := d.do(ctx, id, by)
		return string(decided.ID), err
	})
	if err != nil || done == "" {
		return nil, preview, refused, err
	}
	approval, err = r.approval(ctx, id)
	return approval, nil, refused, err
}

func (r *Resolver) approval(ctx context.Context, id core.ApprovalID) (*model.Approval, error) {
	a, err := r.store.Approval(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.approvalOf(a), nil
}

// approvalOf is an approval as the schema shows it, with its status as of now.
func (r *Resolver) approvalOf(a core.Approval) *model.Approval {
	a.Status = a.StatusAt(r.payments.Now())
	return &model.Approval{Approval: a}
}

func (r *Resolver) refund(ctx context.Context, id core.RefundID) (*model.Refund, error) {
	refund, err := r.store.Refund(ctx, id)
	if err != nil {
		return nil, err
	}
	return &model.Refund{Refund: refund}, nil
}

func (r *Resolver) approvalPage(ctx context.Context, args pageArgs, in *model.ApprovalFilter) (*model.ApprovalConnection, error) {
	filter, err := approvalFilter(in, r.payments.Now())
	if err != nil {
		return nil, err
	}
	connection := &model.ApprovalConnection{}
	connection.Edges, connection.PageInfo, err = list[core.ApprovalID, core.Approval, model.ApprovalEdge]{
		read: func(ctx context.Context, request core.PageRequest) (core.Page[core.Approval], error) {
			return r.store.Approvals(ctx, filter, request)
		},
		place: byTime(func(a core.Approval) (time.Time, core.ApprovalID) { return a.CreatedAt, a.ID }),
		edge: func(cursor string, a core.Approval) model.ApprovalEdge {
			return model.ApprovalEdge{Cursor: cursor, Node: *r.approvalOf(a)}
		},
	}.page(ctx, args)
	return connection, err
}

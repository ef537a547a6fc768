package graph

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
)

// disputeMutation is a mutation on a dispute: whether it can be done, and how it is.
type disputeMutation struct {
	mutation

	id      string
	call    core.OperationKind // empty for none
	warning string             // empty for none
	check   func(ctx context.Context, id core.DisputeID) (core.Dispute, error)
	do      func(ctx context.Context, id core.DisputeID, key core.RequestKey, cause core.Cause) (core.Dispute, error)
}

// onDispute makes a mutation, or shows what it would do.
func (r *Resolver) onDispute(ctx context.Context, m disputeMutation) (dispute *model.Dispute, preview *model.Preview, refused []*model.UserError, err error) {
	id, err := parseID[core.DisputeID]("input.disputeId", m.id)
	if err != nil {
		return nil, nil, nil, err
	}
	m.subject = "disputeId"
	show := func(ctx context.Context) error {
		d, err := m.check(ctx, id)
		if err == nil {
			preview = nothingElse()
		}
		if err == nil && m.call != "" {
			preview.ProviderCall, preview.Amount, preview.Warnings = &m.call, &d.Amount, []string{m.warning}
		}
		return err
	}
	done, refused, err := r.mutate(ctx, m.mutation, show, func(ctx context.Context, key core.RequestKey) (string, error) {
		d, err := m.do(ctx, id, key, byStaff(ctx))
		return string(d.ID), err
	})
	if err != nil || done == "" {
		return nil, preview, refused, err
	}
	d, err := r.store.Dispute(ctx, id)
	return &model.Dispute{Dispute: d}, nil, refused, err
}

func (r *Resolver) submitEvidence(ctx context.Context, in model.DisputeEvidenceSubmitInput) (*model.DisputeEvidenceSubmitPayload, error) {
	dispute, preview, refused, err := r.onDispute(ctx, disputeMutation{
		mutation: mutation{action: "dispute.evidence_submit", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.DisputeID,
		call: core.OpSubmitEvidence, warning: "Evidence is submitted once and for good.", check: r.disputes.PreviewSubmit, do: r.disputes.Submit,
	})
	if err != nil {
		return nil, err
	}
	return &model.DisputeEvidenceSubmitPayload{Dispute: dispute, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) acceptDispute(ctx context.Context, in model.DisputeAcceptInput) (*model.DisputeAcceptPayload, error) {
	dispute, preview, refused, err := r.onDispute(ctx, disputeMutation{
		mutation: mutation{action: "dispute.accept", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.DisputeID,
		call: core.OpAcceptDispute, warning: "The buyer gets the money, for good.", check: r.disputes.PreviewAccept, do: r.disputes.Accept,
	})
	if err != nil {
		return nil, err
	}
	return &model.DisputeAcceptPayload{Dispute: dispute, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) assignDispute(ctx context.Context, in model.DisputeAssignInput) (*model.DisputeAssignPayload, error) {
	var owner core.StaffID
	if in.OwnerID != nil {
		var err error
		if owner, err = parseID[core.StaffID]("input.ownerId", *in.OwnerID); err != nil {
			return nil, err
		}
	}
	dispute, preview, refused, err := r.onDispute(ctx, disputeMutation{
		mutation: mutation{action: "dispute.assign", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.DisputeID,
		check: func(ctx context.Context, id core.DisputeID) (core.Dispute, error) {
			return r.disputes.PreviewAssign(ctx, id, owner)
		},
		do: func(ctx context.Context, id core.DisputeID, _ core.RequestKey, _ core.Cause) (core.Dispute, error) {
			return r.disputes.Assign(ctx, id, owner)
		},
	})
	if err != nil {
		return nil, err
	}
	return &model.DisputeAssignPayload{Dispute: dispute, Preview: preview, UserErrors: refused}, nil
}

package graph

import (
	"context"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/repair"
	"github.com/paydesk/paydesk/graph/model"
)

const fieldOperation = "operationId"

// confirmation is a mutation by which staff say how an operation ended.
type confirmation struct {
	mutation

	id     string
	said   core.ClaimedOutcome
	object string
}

// confirm makes it, or shows what it would do.
func (r *Resolver) confirm(ctx context.Context, c confirmation) (operation *model.Operation, preview *model.Preview, refused []*model.UserError, err error) {
	id, err := parseID[core.OperationID]("input."+fieldOperation, c.id)
	if err != nil {
		return nil, nil, nil, err
	}
	c.subject = fieldOperation
	say := repair.Confirm{Operation: id, Outcome: c.said, Object: c.object, By: requestOf(ctx).staff.ID}
	show := func(ctx context.Context) error {
		would, err := r.repair.PreviewConfirm(ctx, say)
		if err != nil {
			return err
		}
		status := would.Status
		if would.Confirmed() {
			if status = core.OperationFailed; c.said == core.ClaimedDone {
				status = core.OperationSucceeded
			}
		}
		preview = &model.Preview{StateAfter: new(strings.ToUpper(string(status))), NeedsApproval: !would.Confirmed(), Warnings: []string{}}
		if !would.Amount.IsZero() {
			preview.Amount = &would.Amount
		}
		if said := would.Claim; !would.Confirmed() {
			preview.Warnings = append(preview.Warnings, "A second person must say the same within seven days.")
			if held, err := r.store.Operation(ctx, id); err == nil && held.Claim.Outcome != "" && held.Claim.Outcome != said.Outcome {
				preview.Warnings = append(preview.Warnings, "It takes the place of what was said before: that it was otherwise.")
			}
		}
		return nil
	}
	done, refused, err := r.mutate(ctx, c.mutation, show, func(ctx context.Context, _ core.RequestKey) (string, error) {
		op, err := r.repair.Confirm(ctx, say)
		return string(op.ID), err
	})
	if err != nil || done == "" {
		return nil, preview, refused, err
	}
	op, err := r.store.Operation(ctx, id)
	return operationOf(&op), nil, refused, err
}

func (r *Resolver) confirmDone(ctx context.Context, in model.OperationConfirmDoneInput) (*model.OperationConfirmDonePayload, error) {
	c := confirmation{
		mutation: mutation{action: "operation.confirm_done", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.OperationID, said: core.ClaimedDone,
	}
	if in.ProviderObjectID != nil {
		c.object = *in.ProviderObjectID
	}
	operation, preview, refused, err := r.confirm(ctx, c)
	if err != nil {
		return nil, err
	}
	return &model.OperationConfirmDonePayload{Operation: operation, Preview: preview, UserErrors: refused}, nil
}

func (r *Resolver) confirmNotDone(ctx context.Context, in model.OperationConfirmNotDoneInput) (*model.OperationConfirmNotDonePayload, error) {
	operation, preview, refused, err := r.confirm(ctx, confirmation{
		mutation: mutation{action: "operation.confirm_not_done", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.OperationID, said: core.ClaimedNotDone,
	})
	if err != nil {
		return nil, err
	}
	return &model.OperationConfirmNotDonePayload{Operation: operation, Preview: preview, UserErrors: refused}, nil
}

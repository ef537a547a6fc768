package guard

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Disputer = (*guarded)(nil)

// GetDispute implements [ports.Disputer].
func (g *guarded) GetDispute(ctx context.Context, ref core.ProviderRef) (core.DisputeSnapshot, error) {
	return callAs(ctx, g, "get_dispute", ref.ID, func(ctx context.Context, inner ports.Disputer) (core.DisputeSnapshot, error) {
		return inner.GetDispute(ctx, ref)
	})
}

// PaymentDisputes implements [ports.Disputer].
func (g *guarded) PaymentDisputes(ctx context.Context, payment core.ProviderRef) ([]core.DisputeSnapshot, error) {
	return callAs(ctx, g, "list_disputes", payment.ID, func(ctx context.Context, inner ports.Disputer) ([]core.DisputeSnapshot, error) {
		return inner.PaymentDisputes(ctx, payment)
	})
}

// SubmitEvidence implements [ports.Disputer].
func (g *guarded) SubmitEvidence(ctx context.Context, key core.OperationKey, in ports.SubmitEvidence) (core.DisputeSnapshot, error) {
	return callAs(ctx, g, "submit_evidence", in.Ref.ID, func(ctx context.Context, inner ports.Disputer) (core.DisputeSnapshot, error) {
		return inner.SubmitEvidence(ctx, key, in)
	})
}

// AcceptDispute implements [ports.Disputer].
func (g *guarded) AcceptDispute(ctx context.Context, key core.OperationKey, in ports.AcceptDispute) (core.DisputeSnapshot, error) {
	return callAs(ctx, g, "accept_dispute", in.Ref.ID, func(ctx context.Context, inner ports.Disputer) (core.DisputeSnapshot, error) {
		return inner.AcceptDispute(ctx, key, in)
	})
}

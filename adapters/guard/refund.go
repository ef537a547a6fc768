package guard

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Refunder = (*guarded)(nil)

// RefundPayment implements [ports.Refunder]. An account that claims no refunds gets none.
func (g *guarded) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	return callAs(ctx, g, "refund_payment", in.Ref.ID, func(ctx context.Context, inner ports.Refunder) (core.RefundSnapshot, error) {
		return inner.RefundPayment(ctx, key, in)
	})
}

// GetRefund implements [ports.Refunder].
func (g *guarded) GetRefund(ctx context.Context, ref core.ProviderRef) (core.RefundSnapshot, error) {
	return callAs(ctx, g, "get_refund", ref.ID, func(ctx context.Context, inner ports.Refunder) (core.RefundSnapshot, error) {
		return inner.GetRefund(ctx, ref)
	})
}

// PaymentRefunds implements [ports.Refunder].
func (g *guarded) PaymentRefunds(ctx context.Context, payment core.ProviderRef) ([]core.RefundSnapshot, error) {
	return callAs(ctx, g, "list_refunds", payment.ID, func(ctx context.Context, inner ports.Refunder) ([]core.RefundSnapshot, error) {
		return inner.PaymentRefunds(ctx, payment)
	})
}

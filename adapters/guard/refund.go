package guard

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Refunder = (*guarded)(nil)

var errNoRefunds = errors.New("account cannot refund")

// RefundPayment implements [ports.Refunder]. An account that claims no refunds gets none.
func (g *guarded) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	return call(ctx, g, "refund_payment", in.Ref.ID, func(ctx context.Context) (core.RefundSnapshot, error) {
		refunder, ok := g.inner.(ports.Refunder)
		if !ok {
			return core.RefundSnapshot{}, &core.ProviderError{Class: core.ClassInvalid, Op: string(g.inner.Account()) + " refund " + in.Ref.ID, Err: errNoRefunds}
		}
		return refunder.RefundPayment(ctx, key, in)
	})
}

package guard

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Confirmer = (*guarded)(nil)

var errNoConfirmation = errors.New("account confirms in the buyer's browser")

// ConfirmPayment implements [ports.Confirmer]. An account at which our server asks for
// nothing is asked nothing.
func (g *guarded) ConfirmPayment(ctx context.Context, key core.OperationKey, in ports.ConfirmPayment) (core.PaymentSnapshot, error) {
	return call(ctx, g, "confirm_payment", string(in.Payment), func(ctx context.Context) (core.PaymentSnapshot, error) {
		confirmer, ok := g.inner.(ports.Confirmer)
		if !ok {
			return core.PaymentSnapshot{}, &core.ProviderError{Class: core.ClassInvalid, Op: string(g.inner.Account()) + " confirm " + string(in.Payment), Err: errNoConfirmation}
		}
		return confirmer.ConfirmPayment(ctx, key, in)
	})
}

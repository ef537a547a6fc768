package guard

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Hoster = (*guarded)(nil)

var errNoPage = errors.New("account has no page of its own")

// CreateHosted implements [ports.Hoster]. An account that claims no page gets none.
func (g *guarded) CreateHosted(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	return call(ctx, g, "create_hosted", string(in.Payment), func(ctx context.Context) (ports.PaymentSession, error) {
		hoster, ok := g.inner.(ports.Hoster)
		if !ok {
			return ports.PaymentSession{}, &core.ProviderError{Class: core.ClassInvalid, Op: string(g.inner.Account()) + " create page for " + string(in.Payment), Err: errNoPage}
		}
		return hoster.CreateHosted(ctx, key, in)
	})
}

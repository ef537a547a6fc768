package stripe

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
)

var errPending = errors.New("not there yet")

// GetRefund implements [ports.Refunder].
func (a *Adapter) GetRefund(context.Context, core.ProviderRef) (core.RefundSnapshot, error) {
	return core.RefundSnapshot{}, &core.ProviderError{Class: core.ClassInvalid, Err: errPending}
}

// PaymentRefunds implements [ports.Refunder].
func (a *Adapter) PaymentRefunds(context.Context, core.ProviderRef) ([]core.RefundSnapshot, error) {
	return nil, &core.ProviderError{Class: core.ClassInvalid, Err: errPending}
}

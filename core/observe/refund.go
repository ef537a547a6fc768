package observe

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
)

// SettleRefund implements [ports.Observer].
func (s *Service) SettleRefund(context.Context, core.Operation, *core.RefundSnapshot, *core.ProviderError, core.Cause) (core.Refund, error) {
	return core.Refund{}, errors.New("not there yet")
}

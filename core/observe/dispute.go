package observe

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
)

// SettleDispute implements [ports.Observer].
func (s *Service) SettleDispute(context.Context, core.Operation, *core.DisputeSnapshot, *core.ProviderError, core.Cause) (core.Dispute, error) {
	return core.Dispute{}, errors.New("not there yet")
}

package observe

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
)

// SettleMethod implements [ports.Observer].
func (s *Service) SettleMethod(context.Context, core.Operation, *core.MethodSnapshot, *core.ProviderError, core.Cause) (core.SavedMethod, error) {
	return core.SavedMethod{}, errors.New("not there yet")
}

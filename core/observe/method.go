package observe

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// SettleMethod implements [ports.Observer].
func (s *Service) SettleMethod(context.Context, core.Operation, *core.MethodSnapshot, *core.ProviderError, core.Cause) (core.SavedMethod, error) {
	return core.SavedMethod{}, errors.New("not there yet")
}

func (s *Service) syncMethod(context.Context, core.ProviderRef, core.Cause) (ports.Observation, error) {
	return ports.Observation{}, errors.New("not there yet")
}

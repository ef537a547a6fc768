package observe

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// SettleSubscription implements [ports.Observer].
func (s *Service) SettleSubscription(context.Context, core.Operation, *core.SubscriptionSnapshot, *core.ProviderError, core.Cause) (core.Subscription, error) {
	return core.Subscription{}, errors.New("not there yet")
}

func (s *Service) syncSubscription(context.Context, core.ProviderRef, core.Cause) (ports.Observation, error) {
	return ports.Observation{}, errors.New("not there yet")
}

func (s *Service) syncInvoice(context.Context, core.ProviderRef, core.Cause) (ports.Observation, error) {
	return ports.Observation{}, errors.New("not there yet")
}

package observe

import (
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
)

// SettleSubscription implements [ports.Observer].
func (s *Service) SettleSubscription(context.Context, core.Operation, *core.SubscriptionSnapshot, *core.ProviderError, core.Cause) (core.Subscription, error) {
	return core.Subscription{}, errors.New("not there yet")
}

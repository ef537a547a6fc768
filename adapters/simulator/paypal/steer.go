package paypal

import "github.com/paydesk/paydesk/adapters/simulator/engine"

// SteerSubscription implements [engine.Dialect]. Nobody can have a subscription end with its
// period, and only its buyer agrees to another quantity.
func (s *Server) SteerSubscription(id string, change engine.SubscriptionChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.subscriptions.Get(id)
	switch {
	case !ok:
		return engine.ErrNoSubscription
	case b.funding == nil:
		return engine.ErrNotNow
	case change.Card != "":
		return b.backBy(change.Card)
	}
	switch change.Do {
	case "pause":
		if b.status != statusActive {
			return engine.ErrNotNow
		}
		s.suspend(b, "Suspended by staff.")
	case "resume":
		if b.status != subscriptionSuspended || b.overdue() {
			return engine.ErrNotNow
		}
		s.resume(b, "Activated by staff.")
	case "cancel":
		if b.status != statusActive && b.status != subscriptionSuspended {
			return engine.ErrNotNow
		}
		s.end(b, subscriptionCancelled, "Cancelled by staff.")
	case "retry":
		owed := b.bill.owed
		if owed == 0 || b.status != statusActive && b.status != subscriptionSuspended {
			return engine.ErrNotNow
		}
		if s.pay(b, owed, b.card()) != nil {
			b.bill.owed -= owed
		}
	default:
		return engine.ErrUnsupported
	}
	return nil
}

// backBy has a subscription's means of payment act like a named card from now on.
func (b *subscription) backBy(name string) error {
	number, known := NamedCards[name]
	if !known {
		return engine.ErrUnsupported
	}
	changed := *b.funding
	changed.behavior = testCards[number]
	b.funding = &changed
	return nil
}

// SetWebhook implements [engine.Dialect].
func (s *Server) SetWebhook(settings engine.WebhookSettings) error { return s.hook.Set(settings) }

// AfterRetries implements [engine.Dialect]. A plan's own threshold says what failed payments
// lead to.
func (s *Server) AfterRetries(string) error { return engine.ErrUnsupported }

package stripe

import (
	"slices"
	"strconv"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// RefundElsewhere implements [engine.Dialect].
func (s *Server) RefundElsewhere(payment string, amount int64) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.taken(payment)
	switch {
	case !ok:
		return "", engine.ErrNoPayment
	case c.dispute != nil && !c.dispute.IsChargeRefundable:
		return "", engine.ErrDisputed
	}
	left := c.refundable()
	if amount = fromISO(amount, c.Currency); amount == 0 {
		amount = left
	}
	if amount == 0 || amount > left {
		return "", engine.ErrRefundAmount
	}
	return s.giveBack(c, amount, "", map[string]string{}).ID, nil
}

// EndRefund implements [engine.Dialect].
func (s *Server) EndRefund(id, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.refunds.Get(id)
	if !ok {
		return engine.ErrNoRefund
	}
	c, ok := s.charges.Get(r.Charge)
	if !ok || r.Status == refundFailed || r.Status == succeeded && outcome != refundFailed {
		return engine.ErrRefundFinished
	}
	s.endRefund(c, r, outcome)
	return nil
}

// AfterRetries implements [engine.Dialect].
func (s *Server) AfterRetries(status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.afterRetries = status
	return nil
}

// SetWebhook implements [engine.Dialect].
func (s *Server) SetWebhook(settings engine.WebhookSettings) error { return s.hook.Set(settings) }

// SteerSubscription implements [engine.Dialect].
func (s *Server) SteerSubscription(id string, change engine.SubscriptionChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, ok := s.subscriptions.Get(id)
	if !ok {
		return engine.ErrNoSubscription
	}
	if sub.over() {
		return engine.ErrNotNow
	}
	if change.Card != "" {
		return sub.chargeLike(change.Card)
	}
	switch change.Do {
	case "cancel":
		s.endSubscription(sub, canceled, "cancellation_requested")
		return nil
	case "retry":
		return s.retry(sub)
	}
	if sub.Status == subIncomplete {
		return engine.ErrNotNow
	}
	switch change.Do {
	case "pause":
		return s.steerPause(sub)
	case "resume":
		return s.steerResume(sub)
	case "cancel_at_period_end":
		return s.steerCancellation(sub, true)
	case "undo_cancel":
		return s.steerCancellation(sub, false)
	case "quantity":
		return s.steerQuantity(sub, change.Quantity)
	}
	return engine.ErrUnsupported
}

// chargeLike has the bank behind the subscription's method act as behind a test card.
func (sub *subscription) chargeLike(card string) error {
	by := sub.charged()
	if by == nil {
		return engine.ErrNotNow
	}
	if !by.behaveAs(NamedCards[card]) {
		return engine.ErrUnsupported
	}
	return nil
}

// retry charges the last invoice that is open. The caller holds mu.
func (s *Server) retry(sub *subscription) error {
	for _, inv := range slices.Backward(sub.invoices) {
		if inv.Status == invoiceOpen {
			if s.charge(inv, sub.charged(), true) != nil {
				s.tellUnpaid(inv)
			}
			return nil
		}
	}
	return engine.ErrNotNow
}

func (s *Server) steerPause(sub *subscription) error {
	if sub.PauseCollection != nil || sub.Status == subPaused {
		return engine.ErrNotNow
	}
	sub.PauseCollection = &pauseCollection{Behavior: "void"}
	s.tell("customer.subscription.updated", sub.copied())
	return nil
}

func (s *Server) steerResume(sub *subscription) error {
	switch {
	case sub.Status == subPaused:
		s.resume(sub)
	case sub.PauseCollection == nil:
		return engine.ErrNotNow
	default:
		sub.PauseCollection = nil
		s.tell("customer.subscription.updated", sub.copied())
	}
	return nil
}

func (s *Server) steerCancellation(sub *subscription, ends bool) error {
	if ends == (sub.CancelAt != nil) {
		return engine.ErrNotNow
	}
	in := &request{params: map[string]string{"cancel_at_period_end": strconv.FormatBool(ends)}}
	if s.readCancellation(in, sub) != nil {
		return engine.ErrNotNow
	}
	s.tell("customer.subscription.updated", sub.copied())
	return nil
}

// steerQuantity changes the quantity of the first item. The caller holds mu.
func (s *Server) steerQuantity(sub *subscription, quantity int64) error {
	in := &request{params: map[string]string{"items[0][id]": sub.items[0].ID, "items[0][quantity]": strconv.FormatInt(quantity, 10)}}
	plan, out := s.readChangeOfItems(in, "", sub)
	if out != nil {
		return engine.ErrNotNow
	}
	s.apply(sub, plan, false, "allow_incomplete", true)
	return nil
}

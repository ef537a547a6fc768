package square

import (
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// SteerSubscription implements [engine.Dialect]. Square cancels nothing at once and knows no
// quantities.
func (s *Server) SteerSubscription(id string, change engine.SubscriptionChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	defer s.runDue()
	u, ok := s.subscriptions.Get(id)
	if !ok {
		return engine.ErrNoSubscription
	}
	if change.Card != "" {
		acts, known := testCards[NamedCards[change.Card]]
		held, stored := s.cards.Get(u.CardID)
		if !known || !stored {
			return engine.ErrUnsupported
		}
		held.card.behavior = acts
		return nil
	}
	return s.steer(u, change.Do)
}

// steer does what the shop's staff do in the dashboard. The caller holds mu.
func (s *Server) steer(u *subscription, do string) error {
	now := func(possible bool, then func() *result) error {
		if !possible || then() != nil {
			return engine.ErrNotNow
		}
		return nil
	}
	switch do {
	case "pause":
		return now(u.Status == subActive, func() *result { return s.pauseAt(u, u.next, time.Time{}) })
	case "resume":
		return now(u.Status == subPaused || u.Status == subDeactivated, func() *result { return s.resumeAt(u, dayOf(s.now(), u.zone)) })
	case "cancel_at_period_end":
		return now(u.Status != subCanceled, func() *result { return s.cancelAtEnd(u) })
	case "undo_cancel":
		return now(u.Status != subCanceled && u.planned(actionCancel), func() *result {
			u.drop(actionCancel)
			s.tellSubscription(u)
			return nil
		})
	case "retry":
		return now(len(u.open) > 0, func() *result {
			s.chargeInvoice(u.open[0]) // a decline is an outcome like any other
			return nil
		})
	}
	return engine.ErrUnsupported
}

// SetWebhook implements [engine.Dialect].
func (s *Server) SetWebhook(settings engine.WebhookSettings) error { return s.hook.Set(settings) }

// AfterRetries implements [engine.Dialect]. At Square it always is the same.
func (s *Server) AfterRetries(string) error { return engine.ErrUnsupported }

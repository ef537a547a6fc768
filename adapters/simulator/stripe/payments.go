package stripe

import (
	"net/http"
	"time"
)

// authorizationLife is how long a card's bank holds money.
//
// Source: docs.stripe.com/payments/place-a-hold-on-a-payment-method.
const authorizationLife = 7 * 24 * time.Hour

// newMethod makes the payment method of a card. The caller holds mu.
func (s *Server) newMethod(with *card) *paymentMethod {
	return &paymentMethod{
		ID: s.newID("pm"), Object: "payment_method", Card: with.details(), Created: s.Clock.Now().Unix(), Metadata: map[string]string{}, Type: "card",
	}
}

// pay charges a card. The caller holds mu.
func (s *Server) pay(i *intent, with *card, in *request) result {
	if i.card != with || i.method == nil {
		i.method = s.newMethod(with)
	}
	i.NextAction, i.card = nil, nil
	c := &charge{
		ID: s.newID("ch"), Object: "charge", Amount: i.Amount, Created: s.Clock.Now().Unix(), Currency: i.Currency, Description: i.Description,
		Metadata: i.Metadata, PaymentIntent: i.ID, PaymentMethod: i.method.ID, Status: succeeded, Paid: true,
		PaymentMethodDetails: map[string]any{"type": "card", "card": with.details()},
		Outcome:              map[string]any{"network_status": "approved_by_network", "seller_message": "Payment complete.", "type": "authorized"},
		intent:               i.ID, behavior: with.behavior,
	}
	s.charges.Put(c.ID, c)
	i.charge = c.ID
	if acts := with.behavior; acts.code != "" {
		return s.decline(i, with, apiError{Type: typeCard, Code: acts.code, DeclineCode: acts.declineCode, Message: acts.message}, c)
	}
	i.LastPaymentError = nil
	if i.CaptureMethod == "manual" {
		i.Status, i.AmountCapturable, i.authorized = requiresCapture, i.Amount, s.Clock.Now().Unix()
		s.tell("charge.succeeded", *c)
		s.tell("payment_intent.amount_capturable_updated", i.copied())
		return done(s.shown(i, in))
	}
	c.Captured, c.AmountCaptured = true, i.Amount
	i.Status, i.AmountReceived = succeeded, i.Amount
	s.tell("charge.succeeded", *c)
	s.tell("payment_intent.succeeded", i.copied())
	s.disputeByCard(c)
	return done(s.shown(i, in))
}

// decline leaves the intent to be paid by another card. c is the charge that failed, nil
// where it never came to one. The caller holds mu.
func (s *Server) decline(i *intent, with *card, e apiError, c *charge) result {
	if i.method == nil {
		i.method = s.newMethod(with)
	}
	e.PaymentMethod = i.method
	i.Status, i.method, i.card, i.NextAction = requiresMethod, nil, nil, nil
	if c != nil {
		e.Charge = c.ID
		c.Status, c.Paid, c.FailureCode, c.FailureMessage = "failed", false, &e.Code, &e.Message
		reason := e.DeclineCode
		if reason == "" {
			reason = e.Code
		}
		c.Outcome = map[string]any{"network_status": "declined_by_network", "reason": reason, "type": "issuer_declined"}
	}
	out := failed(http.StatusPaymentRequired, e)
	if body, ok := out.object.(errorBody); ok {
		last := body.Error
		i.LastPaymentError = &last
	}
	if c != nil {
		s.tell("charge.failed", *c)
	}
	s.tell("payment_intent.payment_failed", i.copied())
	return withIntent(out, i)
}

func (s *Server) capture(in *request) result {
	final, out := in.boolean("final_capture", true)
	if out != nil {
		return *out
	}
	if !final {
		return invalid("", "final_capture", "This account cannot capture a PaymentIntent more than once: final_capture must be true.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.find(in.id, "intent", in)
	if out != nil {
		return *out
	}
	amount, said, out := in.integer("amount_to_capture", 1, 1<<53)
	if out != nil {
		return *out
	}
	metadata, out := in.metadata(i.Metadata)
	if out != nil {
		return *out
	}
	c, charged := s.charges.Get(i.charge)
	switch {
	case i.Status != requiresCapture || !charged:
		return unexpected(i, "capture", requiresCapture)
	case !said:
		amount = i.AmountCapturable
	case amount > i.AmountCapturable:
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "amount_too_large", Param: "amount_to_capture", PaymentIntent: i.copied(),
			Message: "The amount to capture is greater than the amount that can be captured.",
		})
	}
	c.Captured, c.AmountCaptured = true, amount
	c.AmountRefunded = c.Amount - amount // what is let go is booked as given back
	i.Status, i.AmountReceived, i.AmountCapturable, i.Metadata = succeeded, amount, 0, metadata
	s.tell("charge.captured", *c)
	s.tell("payment_intent.succeeded", i.copied())
	s.disputeByCard(c)
	return done(s.shown(i, in))
}

func (s *Server) cancel(in *request) result {
	reason, out := in.choice("cancellation_reason", "", "duplicate", "fraudulent", "requested_by_customer", "abandoned")
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.find(in.id, "intent", in)
	if out != nil {
		return *out
	}
	if i.Status == succeeded || i.Status == canceled {
		return unexpected(i, "cancel", requiresMethod+", "+requiresCapture+", requires_confirmation, "+requiresAction+", processing")
	}
	s.end(i, reason, "charge.refunded")
	return done(s.shown(i, in))
}

// end cancels an intent and lets go of what it holds, which the charge's event of the
// given type tells. The caller holds mu.
func (s *Server) end(i *intent, reason, chargeEvent string) {
	now := s.Clock.Now().Unix()
	i.Status, i.CanceledAt, i.AmountCapturable, i.NextAction, i.card = canceled, &now, 0, nil, nil
	if reason != "" {
		i.CancellationReason = &reason
	}
	if c, ok := s.charges.Get(i.charge); ok && c.Status == succeeded {
		c.AmountRefunded, c.Refunded = c.Amount, true
		s.tell(chargeEvent, *c)
	}
	s.tell("payment_intent.canceled", i.copied())
}

// Elapse does what time does: authorizations run out.
func (s *Server) Elapse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	for _, i := range s.intents.All() {
		if i.Status == requiresCapture && now.Sub(time.Unix(i.authorized, 0)) >= authorizationLife {
			s.end(i, "automatic", "charge.expired")
		}
	}
	for _, held := range s.sessions.All() {
		if held.Status == sessionOpen && now.Unix() >= held.ExpiresAt {
			s.endSession(held)
		}
	}
}

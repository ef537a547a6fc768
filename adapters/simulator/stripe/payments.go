package stripe

import (
	"cmp"
	"maps"
	"net/http"
	"time"
)

// authorizationLife is how long a card's bank holds money.
//
// Source: docs.stripe.com/payments/place-a-hold-on-a-payment-method.
const authorizationLife = 7 * 24 * time.Hour

// newMethod makes the payment method of a card. The caller holds mu.
func (s *Server) newMethod(with *card) *paymentMethod {
	made := &paymentMethod{
		ID: s.newID("pm"), Object: "payment_method", Card: with.details(), Created: s.now().Unix(), Metadata: map[string]string{}, Type: "card",
		BillingDetails: map[string]any{"address": nil, "email": nil, "name": nil, "phone": nil}, card: with,
	}
	s.methods.Put(made.ID, made)
	return made
}

// asks reports whether the method's bank wants to see its holder.
func (m *paymentMethod) asks(offSession bool) bool {
	switch m.card.behavior.asks {
	case asksNever:
		return false
	case asksPresent:
		return !offSession
	case asksUnlessSetUp:
		return !m.setUp
	case asksAlways:
	}
	return true
}

// refusal is what the method's bank says to a charge; empty where it pays. saves says that
// the buyer is there, and has the method kept with the payment.
func (m *paymentMethod) refusal(saves bool) apiError {
	acts := m.card.behavior
	if acts.code == "" || acts.later && saves {
		return apiError{}
	}
	return apiError{Type: typeCard, Code: acts.code, DeclineCode: acts.declineCode, Message: acts.message}
}

// needsHolder is what a bank says that wants to see the holder, who is not there.
//
// Source: docs.stripe.com/payments/save-and-reuse, off-session recovery.
func needsHolder() apiError {
	return apiError{
		Type: typeCard, Code: "authentication_required", DeclineCode: "authentication_required",
		Message: "Your card was declined. This transaction requires authentication.",
	}
}

// attempt charges an intent's method, or asks for its holder first. The caller holds mu.
func (s *Server) attempt(i *intent, in *request, offSession bool) result {
	if i.method.asks(offSession) {
		if (offSession || in.params["error_on_requires_action"] == "true") && i.invoice == nil {
			return s.decline(i, needsHolder(), s.newCharge(i))
		}
		return s.ask(i, in)
	}
	return s.pay(i, in, offSession)
}

// ask waits for the bank's word on the holder. The caller holds mu.
func (s *Server) ask(i *intent, in *request) result {
	i.Status, i.LastPaymentError = requiresAction, nil
	i.NextAction = challenge(i.ID)
	s.tell("payment_intent.requires_action", i.copied())
	return done(s.shown(i, in))
}

// challenge is the next action of what the bank has to agree to.
func challenge(id string) map[string]any {
	return map[string]any{"type": "use_stripe_sdk", "use_stripe_sdk": map[string]any{
		"type": "three_d_secure_redirect", "source": id, "stripe_js": "/v3/challenge",
	}}
}

// newCharge makes the charge of an intent's method, good until it is declined. The caller
// holds mu.
func (s *Server) newCharge(i *intent) *charge {
	c := &charge{
		ID: s.newID("ch"), Object: "charge", Amount: i.Amount, Created: s.now().Unix(), Currency: i.Currency, Customer: i.Customer, Description: i.Description,
		Metadata: i.Metadata, PaymentIntent: i.ID, PaymentMethod: i.method.ID, Status: succeeded, Paid: true,
		PaymentMethodDetails: map[string]any{"type": "card", "card": i.method.Card},
		Outcome:              map[string]any{"network_status": "approved_by_network", "seller_message": "Payment complete.", "type": "authorized"},
		intent:               i.ID, behavior: i.method.card.behavior,
	}
	if i.invoice != nil {
		c.Invoice = &i.invoice.ID
	}
	if i.CaptureMethod == "manual" {
		details := maps.Clone(i.method.Card)
		details["capture_before"] = s.now().Add(authorizationLife).Unix()
		c.PaymentMethodDetails["card"] = details
	}
	s.charges.Put(c.ID, c)
	i.charge = c.ID
	return c
}

// pay charges an intent's method. The caller holds mu.
func (s *Server) pay(i *intent, in *request, offSession bool) result {
	i.NextAction = nil
	c := s.newCharge(i)
	saves := i.SetupFutureUsage != nil && i.Customer != nil && i.method.Customer == nil && !offSession
	if refusal := i.method.refusal(saves); refusal.Code != "" {
		return s.decline(i, refusal, c)
	}
	i.LastPaymentError = nil
	if i.CaptureMethod == "manual" {
		i.Status, i.AmountCapturable = requiresCapture, i.Amount
		s.after(authorizationLife, func() {
			if i.Status == requiresCapture {
				s.end(i, "automatic", "charge.expired")
			}
		})
	} else {
		c.Captured, c.AmountCaptured = true, i.Amount
		i.Status, i.AmountReceived = succeeded, i.Amount
	}
	s.tell("charge.succeeded", *c)
	if i.method.Customer == nil && i.Customer != nil && i.SetupFutureUsage != nil {
		i.method.setUp = true
		s.attach(i.method, *i.Customer)
	}
	i.method.spent = i.method.Customer == nil
	if i.Status == requiresCapture {
		s.tell("payment_intent.amount_capturable_updated", i.copied())
		return done(s.shown(i, in))
	}
	s.tell("payment_intent.succeeded", i.copied())
	if i.invoice != nil {
		s.invoicePaid(i.invoice)
	}
	s.disputeByCard(c)
	return done(s.shown(i, in))
}

// decline leaves the intent to be paid by another card. c is the charge that failed, nil
// where it never came to one. The caller holds mu.
func (s *Server) decline(i *intent, e apiError, c *charge) result {
	e.PaymentMethod = i.method.copied()
	i.method.spent = i.method.Customer == nil
	i.Status, i.method, i.NextAction = requiresMethod, nil, nil
	if c != nil {
		e.Charge = c.ID
		c.Status, c.Paid, c.FailureCode, c.FailureMessage = "failed", false, &e.Code, &e.Message
		c.Outcome = map[string]any{"network_status": "declined_by_network", "reason": cmp.Or(e.DeclineCode, e.Code), "type": "issuer_declined"}
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
	if i.invoice != nil {
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, PaymentIntent: i.copied(), Message: "You cannot cancel PaymentIntents created by invoices. Please void the invoice instead.",
		})
	}
	if i.Status == succeeded || i.Status == canceled {
		return unexpected(i, "cancel", requiresMethod+", "+requiresCapture+", "+requiresConfirmation+", "+requiresAction+", processing")
	}
	s.end(i, reason, "charge.refunded")
	return done(s.shown(i, in))
}

// end cancels an intent and lets go of what it holds, which the charge's event of the
// given type tells. The caller holds mu.
func (s *Server) end(i *intent, reason, chargeEvent string) {
	i.Status, i.CanceledAt, i.AmountCapturable, i.NextAction = canceled, new(s.now().Unix()), 0, nil
	if reason != "" {
		i.CancellationReason = &reason
	}
	if c, ok := s.charges.Get(i.charge); ok && c.Status == succeeded {
		c.AmountRefunded, c.Refunded = c.Amount, true
		s.tell(chargeEvent, *c)
	}
	s.tell("payment_intent.canceled", i.copied())
}

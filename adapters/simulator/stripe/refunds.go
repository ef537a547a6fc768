package stripe

import "net/http"

// refund is a Refund.
//
// Source: docs.stripe.com/api/refunds/object.
type refund struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Charge        string            `json:"charge"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	FailureReason string            `json:"failure_reason,omitempty"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        *string           `json:"reason"`
	Status        string            `json:"status"`
}

var refundParams = []string{"payment_intent", "charge", "amount", "reason", "metadata[*]", "expand[*]"}

// refund gives money back.
//
// Source: docs.stripe.com/api/refunds/create.
func (s *Server) refund(in *request) result {
	reason, out := in.choice("reason", "", "duplicate", "fraudulent", "requested_by_customer")
	if out != nil {
		return *out
	}
	amount, said, out := in.integer("amount", 1, 1<<53)
	if out != nil {
		return *out
	}
	metadata, out := in.metadata(nil)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, out := s.refunded(in)
	if out != nil {
		return *out
	}
	left := c.AmountCaptured - max(c.AmountRefunded-(c.Amount-c.AmountCaptured), 0)
	if !said {
		amount = left
	}
	switch {
	case !c.Captured || c.Status != succeeded:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "This PaymentIntent does not have a successful charge to refund."})
	case c.Disputed:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Code: "charge_disputed", Message: "Charge " + c.ID + " has been charged back; cannot issue a refund."})
	case left == 0:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Code: "charge_already_refunded", Message: "Charge " + c.ID + " has already been refunded."})
	case amount > left:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Param: "amount", Message: "Refund amount is greater than unrefunded amount on charge."})
	}
	r := &refund{
		ID: s.newID("re"), Object: "refund", Amount: amount, Charge: c.ID, Created: s.Clock.Now().Unix(), Currency: c.Currency,
		Metadata: metadata, PaymentIntent: c.intent, Status: succeeded,
	}
	if reason != "" {
		r.Reason = &reason
	}
	s.refunds.Put(r.ID, r)
	c.AmountRefunded += amount
	c.Refunded = amount == left
	s.tell("charge.refunded", *c)
	s.tell("refund.created", *r)
	return done(*r)
}

// refunded is the charge to give back of. The caller holds mu.
func (s *Server) refunded(in *request) (*charge, *result) {
	ofIntent, ofCharge := in.params["payment_intent"], in.params["charge"]
	if (ofIntent == "") == (ofCharge == "") {
		out := invalid("parameter_missing", "payment_intent", "One of the following params should be provided for this request: payment_intent or charge.")
		return nil, &out
	}
	id := ofCharge
	if ofIntent != "" {
		i, ok := s.intents.Get(ofIntent)
		if !ok {
			out := notFound("payment_intent", "payment_intent", ofIntent)
			return nil, &out
		}
		id = i.charge
	}
	c, ok := s.charges.Get(id)
	if !ok && ofIntent != "" {
		out := failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "This PaymentIntent does not have a successful charge to refund."})
		return nil, &out
	}
	if !ok {
		out := notFound("charge", "charge", id)
		return nil, &out
	}
	return c, nil
}

func (s *Server) getRefund(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.refunds.Get(in.id); ok {
		return done(*r)
	}
	return notFound("refund", "refund", in.id)
}

func (s *Server) listRefunds(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []*refund
	for _, r := range s.refunds.NewestFirst() {
		charge, byCharge := in.params["charge"]
		intent, byIntent := in.params["payment_intent"]
		if (!byCharge || charge == r.Charge) && (!byIntent || intent == r.PaymentIntent) {
			kept = append(kept, r)
		}
	}
	list, kept, out := page(in, "/v1/refunds", kept, func(r *refund) string { return r.ID }, func(r *refund) int64 { return r.Created })
	if out != nil {
		return *out
	}
	shown := make([]refund, len(kept))
	for n, r := range kept {
		shown[n] = *r
	}
	list.Data = shown
	return done(list)
}

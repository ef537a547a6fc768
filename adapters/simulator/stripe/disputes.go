package stripe

import "github.com/paydesk/paydesk/adapters/simulator/engine"

// paymentReference is where the program under test keeps its payment's id.
const paymentReference = "paydesk_payment"

// disputeByCard opens the dispute that some test cards bring. The caller holds mu.
func (s *Server) disputeByCard(c *charge) {
	if c.behavior.dispute != "" {
		s.openDispute(c, c.behavior.dispute, c.AmountCaptured, c.behavior.inquiry)
	}
}

// openDispute has the buyer's bank take the money back, or only ask. The caller holds mu.
func (s *Server) openDispute(c *charge, reason string, amount int64, inquiry bool) *dispute {
	d := &dispute{
		ID: s.newID("dp"), Object: "dispute", Amount: amount, Charge: c.ID, Created: s.Clock.Now().Unix(), Currency: c.Currency,
		IsChargeRefundable: inquiry, Metadata: map[string]string{}, PaymentIntent: c.intent, Reason: reason, Status: "needs_response",
	}
	if inquiry {
		d.Status = "warning_needs_response"
	}
	c.Disputed = true
	s.disputes.Put(d.ID, d)
	s.tell("charge.dispute.created", *d)
	return d
}

// OpenDispute implements [engine.Dialect].
func (s *Server) OpenDispute(payment, reason string, amount int64, inquiry bool) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.intents.All() {
		c, charged := s.charges.Get(i.charge)
		if payment == "" || i.Metadata[paymentReference] != payment || !charged || !c.Captured {
			continue
		}
		switch {
		case c.Disputed:
			return "", engine.ErrDisputed
		case amount > c.AmountCaptured:
			return "", engine.ErrDisputeAmount
		case amount == 0:
			amount = c.AmountCaptured
		}
		return s.openDispute(c, reason, amount, inquiry).ID, nil
	}
	return "", engine.ErrNoPayment
}

// CloseDispute implements [engine.Dialect].
func (s *Server) CloseDispute(id, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.disputes.Get(id)
	switch {
	case !ok:
		return engine.ErrNoDispute
	case d.Status == "won" || d.Status == "lost" || d.Status == "warning_closed":
		return engine.ErrDisputeFinished
	case d.Status == "warning_needs_response":
		d.Status = "warning_closed" // nothing was taken, so nothing is won or lost
	default:
		d.Status = outcome
	}
	s.tell("charge.dispute.closed", *d)
	return nil
}

func (s *Server) getDispute(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.disputes.Get(in.id); ok {
		return done(*d)
	}
	return notFound("dispute", "dispute", in.id)
}

func (s *Server) listDisputes(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []*dispute
	for _, d := range s.disputes.NewestFirst() {
		if charge, ok := in.params["charge"]; ok && charge != d.Charge {
			continue
		}
		if intent, ok := in.params["payment_intent"]; ok && intent != d.PaymentIntent {
			continue
		}
		kept = append(kept, d)
	}
	list, kept, out := page(in, "/v1/disputes", kept, func(d *dispute) string { return d.ID }, func(d *dispute) int64 { return d.Created })
	if out != nil {
		return *out
	}
	shown := make([]dispute, len(kept))
	for n, d := range kept {
		shown[n] = *d
	}
	list.Data = shown
	return done(list)
}

package stripe

import (
	"maps"
	"net/http"
	"time"
)

// refund is a Refund.
//
// Source: docs.stripe.com/api/refunds/object.
type refund struct {
	ID                        string            `json:"id"`
	Object                    string            `json:"object"`
	Amount                    int64             `json:"amount"`
	BalanceTransaction        *string           `json:"balance_transaction"`
	Charge                    string            `json:"charge"`
	Created                   int64             `json:"created"`
	Currency                  string            `json:"currency"`
	FailureBalanceTransaction string            `json:"failure_balance_transaction,omitempty"`
	FailureReason             string            `json:"failure_reason,omitempty"`
	Metadata                  map[string]string `json:"metadata"`
	PaymentIntent             string            `json:"payment_intent"`
	Reason                    *string           `json:"reason"`
	ReceiptNumber             *string           `json:"receipt_number"`
	Status                    string            `json:"status"`
}

// How the refunds of some test cards go.
//
// Source: docs.stripe.com/testing, refunds.
const (
	refundsPend = "pend" // pending, and succeeded after some days
	refundsFail = "fail" // succeeded, and failed after some days

	refundPendingTime = 5 * 24 * time.Hour
	refundFailTime    = 2 * 24 * time.Hour

	refundPending = "pending"
	refundFailed  = "failed"

	refundsInCharge = 10 // that a charge shows
)

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
	left := c.refundable()
	if !said {
		amount = left
	}
	switch {
	case !c.Captured || c.Status != succeeded:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "This PaymentIntent does not have a successful charge to refund."})
	case c.dispute != nil && !c.dispute.IsChargeRefundable:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Code: "charge_disputed", Message: "Charge " + c.ID + " has been charged back; cannot issue a refund."})
	case left == 0:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Code: "charge_already_refunded", Message: "Charge " + c.ID + " has already been refunded."})
	case amount > left:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Param: "amount", Message: "Refund amount is greater than unrefunded amount on charge."})
	}
	r := s.giveBack(c, amount, reason, metadata)
	return done(s.shownRefund(r, in))
}

// refundable is what is left to give back of what was taken.
func (c *charge) refundable() int64 {
	return c.AmountCaptured - max(c.AmountRefunded-(c.Amount-c.AmountCaptured), 0)
}

// giveBack gives some of a charge back, which was checked. The caller holds mu.
func (s *Server) giveBack(c *charge, amount int64, reason string, metadata map[string]string) *refund {
	r := &refund{
		ID: s.newID("re"), Object: "refund", Amount: amount, BalanceTransaction: new(s.newID("txn")), Charge: c.ID, Created: s.now().Unix(), Currency: c.Currency,
		Metadata: metadata, PaymentIntent: c.intent, Status: succeeded,
	}
	if reason != "" {
		r.Reason = &reason
	}
	switch c.behavior.refunds {
	case refundsPend:
		r.Status = refundPending
		s.after(refundPendingTime, func() {
			if r.Status == refundPending {
				s.endRefund(c, r, succeeded)
			}
		})
	case refundsFail:
		s.after(refundFailTime, func() {
			if r.Status == succeeded {
				s.endRefund(c, r, refundFailed)
			}
		})
	}
	s.refunds.Put(r.ID, r)
	c.refunds = append(c.refunds, r)
	c.AmountRefunded += amount
	c.Refunded = c.refundable() == 0
	s.tell("charge.refunded", *c)
	s.tell("refund.created", *r)
	if d := c.dispute; d != nil && d.open() && c.Refunded {
		s.endDispute(d, disputeWarningClosed) // the buyer has what was asked for
	}
	return r
}

// endRefund tells how a refund went in the end. What failed is the shop's again. The caller
// holds mu.
func (s *Server) endRefund(c *charge, r *refund, status string) {
	r.Status = status
	if status == refundFailed {
		r.FailureReason, r.FailureBalanceTransaction = "expired_or_canceled_card", s.newID("txn")
		c.AmountRefunded -= r.Amount
		c.Refunded = false
	}
	s.tell("refund.updated", *r)
	s.tell("charge.refund.updated", *r)
}

// refunded is the charge to give back of. The caller holds mu.
func (s *Server) refunded(in *request) (*charge, *result) {
	ofIntent, ofCharge := in.params["payment_intent"], in.params["charge"]
	if (ofIntent == "") == (ofCharge == "") {
		return nil, new(invalid("parameter_missing", "payment_intent", "One of the following params should be provided for this request: payment_intent or charge."))
	}
	id := ofCharge
	if ofIntent != "" {
		i, ok := s.intents.Get(ofIntent)
		if !ok {
			return nil, new(notFound("payment_intent", "payment_intent", ofIntent))
		}
		id = i.charge
	}
	c, ok := s.charges.Get(id)
	if !ok && ofIntent != "" {
		return nil, new(failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "This PaymentIntent does not have a successful charge to refund."}))
	}
	if !ok {
		return nil, new(notFound("charge", "charge", id))
	}
	return c, nil
}

// updateRefund changes a refund's metadata, which is all that can be changed of it.
func (s *Server) updateRefund(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.refunds.Get(in.id)
	if !ok {
		return notFound("refund", "refund", in.id)
	}
	metadata, out := in.metadata(r.Metadata)
	if out != nil {
		return *out
	}
	r.Metadata = metadata
	s.tell("refund.updated", *r)
	s.tell("charge.refund.updated", *r)
	return done(s.shownRefund(r, in))
}

func (s *Server) getRefund(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.refunds.Get(in.id); ok {
		return done(s.shownRefund(r, in))
	}
	return notFound("refund", "refund", in.id)
}

// refundShown is a refund with what was expanded.
type refundShown struct {
	refund
	Charge        any `json:"charge"`
	PaymentIntent any `json:"payment_intent"`
}

// shownRefund is a refund as an answer shows it. The caller holds mu.
func (s *Server) shownRefund(r *refund, in *request) refundShown {
	shown := refundShown{refund: *r, Charge: r.Charge, PaymentIntent: r.PaymentIntent}
	shown.Metadata = maps.Clone(r.Metadata)
	if c, ok := s.charges.Get(r.Charge); ok && in.expands("charge") {
		shown.Charge = shownCharge(c, in, "charge.")
	}
	if i, ok := s.intents.Get(r.PaymentIntent); ok && in.expands("payment_intent") {
		shown.PaymentIntent = i.copied()
	}
	return shown
}

// listOfRefunds are a charge's last refunds, as it shows them.
func listOfRefunds(c *charge) *listOf {
	shown := []refund{}
	for n := len(c.refunds) - 1; n >= max(len(c.refunds)-refundsInCharge, 0); n-- {
		shown = append(shown, *c.refunds[n])
	}
	return &listOf{Object: "list", Data: shown, HasMore: len(c.refunds) > refundsInCharge, URL: "/v1/charges/" + c.ID + "/refunds"}
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
	shown := make([]refundShown, len(kept))
	for n, r := range kept {
		shown[n] = s.shownRefund(r, in)
	}
	list.Data = shown
	return done(list)
}

package paypal

import (
	"cmp"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// How long refunds take that take their time: those that arrive in the end, and those that do
// not.
const (
	refundPendingLife = 5 * 24 * time.Hour
	refundFailingLife = 2 * 24 * time.Hour
)

// What becomes of refunds of payments that were made with a test card.
const (
	refundPends = "pends"
	refundFails = "fails"
)

var refundShape = object(map[string]shape{
	"amount": amount, "custom_id": text(1, customCharsMax), "invoice_id": text(0, customCharsMax), "note_to_payer": text(0, 255),
})

func (s *Server) getRefund(in *request) result {
	if r, ok := s.refunds.Get(in.id); ok {
		return done(s.shownRefund(r, true))
	}
	return notFound()
}

// refusal is why a part of a capture cannot be given back, or all that is left of it; empty
// where it can.
func (c *capture) refusal(units int64, now time.Time) string {
	left := c.amount - c.refunded
	switch {
	case c.status == statusPending:
		return "PENDING_CAPTURE"
	case c.status == statusDeclined:
		return "REFUND_NOT_ALLOWED"
	case left == 0:
		return "CAPTURE_FULLY_REFUNDED"
	case now.Sub(c.created) > refundLife:
		return "REFUND_TIME_LIMIT_EXCEEDED"
	case c.dispute != nil && c.dispute.stage == stageChargeback && c.dispute.outcome != outcomeWon:
		return "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK"
	case c.dispute != nil && c.dispute.outcome == "" && units < left:
		return "TRANSACTION_DISPUTED"
	case units > left:
		return "REFUND_AMOUNT_EXCEEDED"
	}
	return ""
}

// refundCapture gives money back.
//
// Source: developer.paypal.com/docs/api/payments/v2, captures_refund.
func (s *Server) refundCapture(in *request) result {
	var wire struct {
		Amount    *money `json:"amount"`
		InvoiceID string `json:"invoice_id"`
		CustomID  string `json:"custom_id"`
		Note      string `json:"note_to_payer"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	c, ok := s.captures.Get(in.id)
	if !ok {
		return notFound()
	}
	units := c.amount - c.refunded
	if wire.Amount != nil {
		var bad *result
		if units, bad = wire.Amount.units("/amount", false); bad != nil {
			return *bad
		}
		if wire.Amount.Currency != c.order.currency {
			return unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
		}
	}
	r := &refund{amount: units, invoiceID: wire.InvoiceID, customID: wire.CustomID, note: wire.Note}
	if issue := s.refundRefusal(c, r); issue != "" {
		return unprocessable(issue, map[string]string{"DUPLICATE_INVOICE_ID": "/invoice_id"}[issue])
	}
	s.giveBack(c, r)
	return created("refund " + r.id)
}

// refundRefusal is why a refund cannot be made; empty where it can. The caller holds mu.
func (s *Server) refundRefusal(c *capture, r *refund) string {
	if issue := c.refusal(r.amount, s.now()); issue != "" || r.invoiceID == "" {
		return issue
	}
	for _, other := range s.refunds.All() {
		if other.invoiceID == r.invoiceID {
			return "DUPLICATE_INVOICE_ID"
		}
	}
	return ""
}

// giveBack makes a refund that can be made. It counts as given back from its beginning, until
// it should fail. The caller holds mu.
func (s *Server) giveBack(c *capture, r *refund) {
	now := s.now()
	r.id, r.capture, r.status, r.created, r.updated = s.newID(), c, statusCompleted, now, now
	c.refunded += r.amount
	c.restate(now)
	acts := c.funding.behavior
	life := map[string]time.Duration{refundPends: refundPendingLife, refundFails: refundFailingLife}[acts.refund]
	if acts.pending {
		life = pendingLife
	}
	if life > 0 {
		r.status, r.reason = statusPending, "ECHECK"
		s.schedule(now.Add(life), func() { s.endRefund(r, acts.refund != refundFails) })
	}
	c.unit.refunds = append(c.unit.refunds, r)
	s.refunds.Put(r.id, r)
	s.tellRefund(r)
}

// restate has a capture's status say how much of it was given back.
func (c *capture) restate(now time.Time) {
	c.updated, c.order.updated = now, now
	switch c.refunded {
	case 0:
		c.status = statusCompleted
	case c.amount:
		c.status = statusRefunded
	default:
		c.status = statusPartlyRefunded
	}
}

// endRefund ends a refund that is pending. One that failed was never given back. The caller
// holds mu.
func (s *Server) endRefund(r *refund, good bool) {
	if r.status != statusPending {
		return
	}
	now := s.now()
	r.status, r.reason, r.updated = statusCompleted, "", now
	if !good {
		r.status = statusFailed
		r.capture.refunded -= r.amount
		r.capture.restate(now)
	}
	s.tellRefund(r)
}

// tellRefund tells how a refund stands. The caller holds mu.
func (s *Server) tellRefund(r *refund) {
	kind := map[string]string{statusPending: "PAYMENT.REFUND.PENDING", statusFailed: "PAYMENT.REFUND.FAILED"}[r.status]
	if kind == "" && r.capture.order.subscription != nil {
		s.tell("PAYMENT.SALE.REFUNDED", r.id, s.shownSaleRefund(r))
		return
	}
	s.tell(cmp.Or(kind, "PAYMENT.CAPTURE.REFUNDED"), r.id, s.shownRefund(r, true))
}

// paidBy gives what took money for a payment, known by its custom_id, or by the id of the
// transaction itself; oldest first. The caller holds mu.
func (s *Server) paidBy(payment string) []*capture {
	var taken []*capture
	for _, c := range s.captures.All() {
		if payment != "" && (c.unit.customID == payment || c.id == payment) && c.took() {
			taken = append(taken, c)
		}
	}
	return taken
}

// RefundElsewhere implements [engine.Dialect]. What a payment took in several parts is given
// back in as many refunds; the id is the first one's.
func (s *Server) RefundElsewhere(payment string, amount int64) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.paidBy(payment)
	if len(taken) == 0 {
		return "", engine.ErrNoPayment
	}
	left, all := fromISO(amount, taken[0].order.currency), int64(0)
	for _, c := range taken {
		all += c.amount - c.refunded
	}
	if amount == 0 {
		left = all
	}
	if left > all || left == 0 {
		return "", engine.ErrRefundAmount
	}
	for _, c := range taken {
		units := min(left, c.amount-c.refunded)
		if units == 0 {
			continue
		}
		if c.refusal(units, s.now()) != "" {
			return id, engine.ErrDisputed
		}
		r := &refund{amount: units}
		s.giveBack(c, r)
		id, left = cmp.Or(id, r.id), left-units
	}
	return id, nil
}

// EndRefund implements [engine.Dialect]. A refund that arrived cannot fail any more.
func (s *Server) EndRefund(id, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.refunds.Get(id)
	switch {
	case !ok:
		return engine.ErrNoRefund
	case r.status != statusPending:
		return engine.ErrRefundFinished
	}
	s.endRefund(r, outcome == "succeeded")
	return nil
}

package square

import (
	"net/http"
	"slices"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	refundsMost = 20                   // of one payment
	refundAge   = 365 * 24 * time.Hour // after which a payment cannot be given back
	// refundLateTime and refundFailTime are how long refunds of some test cards take.
	refundLateTime = 5 * 24 * time.Hour
	refundFailTime = 2 * 24 * time.Hour
)

// refunding is how refunds to a card go.
type refunding uint8

const (
	refundsSoon refunding = iota // they arrive as soon as anybody looks
	refundsLate                  // they arrive after days
	refundsFail                  // they fail after days
)

var refundBody = fields{
	"idempotency_key": needed(upTo(keyCharsMax)), "payment_id": needed(upTo(idCharsMax)), "amount_money": needed(moneyShape),
	"reason": {kind: text, most: 192}, "payment_version_token": {kind: text}, "location_id": upTo(50), "customer_id": upTo(191),
	"app_fee_money": {kind: unsupported}, "destination_id": {kind: unsupported}, "unlinked": {kind: unsupported}, "team_member_id": {kind: unsupported},
	"cash_details": {kind: unsupported}, "external_details": {kind: unsupported},
}

// createRefund gives money back. A refund is pending at first, and completed once somebody
// looks at it or its payment by its id, or time is moved: a program that takes the first
// answer for the last is found out, and none has to wait.
//
// Source: POST /v2/refunds.
func (s *Server) createRefund(in *request) result {
	var given struct {
		PaymentID    string `json:"payment_id"`
		AmountMoney  money  `json:"amount_money"`
		Reason       string `json:"reason"`
		VersionToken string `json:"payment_version_token"`
	}
	in.into(&given)
	if bad := checkMoney("amount_money", given.AmountMoney); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, bad := s.find(given.PaymentID, "payment_id")
	if bad == nil {
		bad = p.current(given.VersionToken, "payment_version_token")
	}
	if bad == nil {
		bad = s.refundable(p, given.AmountMoney)
	}
	if bad != nil {
		return *bad
	}
	return done("refund", shown(s.newRefund(p, given.AmountMoney, given.Reason)))
}

// newRefund sends money back. Payments with some test cards have refunds that take days, or
// that the bank refuses after days. The caller holds mu.
func (s *Server) newRefund(p *payment, amount money, reason string) *refund {
	now := s.now()
	r := &refund{
		ID: p.ID + "_" + s.newID("R"), Status: pending, AmountMoney: amount, PaymentID: p.ID, OrderID: p.OrderID, Reason: reason,
		LocationID: s.LocationID, DestinationType: p.SourceType, CreatedAt: stamp(now), UpdatedAt: stamp(now), created: now, updated: now,
		slow: p.behavior.refund != refundsSoon,
	}
	s.refunds.Put(r.ID, r)
	p.RefundIDs = append(p.RefundIDs, r.ID)
	p.pending = append(p.pending, r)
	p.reserved += r.AmountMoney.Amount
	s.tell("refund.created", "refund", r.ID, "refund", r)
	s.tellPayment(p, "payment.updated")
	switch p.behavior.refund {
	case refundsSoon:
		s.soon(func() { s.settleRefunds(p) })
	case refundsLate:
		s.later(now.Add(refundLateTime), func() { s.endRefund(r, completed) })
	case refundsFail:
		s.later(now.Add(refundFailTime), func() { s.endRefund(r, lost) })
	}
	return r
}

// refundable answers for a payment of which that much cannot be given back, or nil. The
// caller holds mu.
func (s *Server) refundable(p *payment, amount money) *result {
	no := func(code, detail string) *result { return new(notAllowed(refundTrouble, code, detail)) }
	switch {
	case p.Status == approved || p.Status == pending:
		return no("REFUND_ERROR_PAYMENT_NEEDS_COMPLETION", "The payment must be completed before it can be refunded.")
	case p.Status != completed:
		return no("PAYMENT_NOT_REFUNDABLE", "The payment took no money.")
	case p.disputed():
		return no("PAYMENT_NOT_REFUNDABLE_DUE_TO_DISPUTE", "The payment is disputed.")
	case s.now().Sub(p.created) > refundAge:
		return no("PAYMENT_NOT_REFUNDABLE", "The payment is more than a year old.")
	case len(p.RefundIDs) >= refundsMost:
		return no("PAYMENT_NOT_REFUNDABLE", "The payment has 20 refunds already.")
	case amount.Currency != p.TotalMoney.Currency:
		return new(failed(http.StatusBadRequest, invalidField("CURRENCY_MISMATCH", "amount_money.currency", "The currency is not the payment's.")))
	case amount.Amount > p.TotalMoney.Amount-p.reserved:
		return no("REFUND_AMOUNT_INVALID", "The requested refund amount exceeds the amount available to refund.")
	}
	return nil
}

// settleRefunds has what is on its way back arrive, but for what takes days. The caller holds mu.
func (s *Server) settleRefunds(p *payment) {
	for _, r := range slices.Clone(p.pending) {
		if !r.slow {
			s.endRefund(r, completed)
		}
	}
}

// endRefund ends a refund that is pending: "COMPLETED" or "FAILED". What failed can be given
// back anew. The caller holds mu.
func (s *Server) endRefund(r *refund, status string) {
	p, ok := s.payments.Get(r.PaymentID)
	if !ok || r.Status != pending {
		return
	}
	p.pending = slices.DeleteFunc(p.pending, func(one *refund) bool { return one == r })
	r.Status, r.updated = status, s.now()
	r.UpdatedAt = stamp(r.updated)
	if status == completed {
		if p.RefundedMoney == nil {
			p.RefundedMoney = &money{Currency: p.TotalMoney.Currency}
		}
		p.RefundedMoney.Amount += r.AmountMoney.Amount
	} else {
		p.reserved -= r.AmountMoney.Amount
	}
	s.tell("refund.updated", "refund", r.ID, "refund", r)
	s.tellPayment(p, "payment.updated")
	if bill, ok := s.orders.Get(p.OrderID); ok && bill.invoice != nil && status == completed {
		s.refundedInvoice(bill.invoice, p)
	}
}

// RefundElsewhere implements [engine.Dialect].
func (s *Server) RefundElsewhere(reference string, amount int64) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	p := s.named(reference)
	if p == nil {
		return "", engine.ErrNoPayment
	}
	left := p.TotalMoney.Amount - p.reserved
	if amount == 0 {
		amount = left
	}
	if amount <= 0 || amount > left {
		return "", engine.ErrRefundAmount
	}
	asked := money{Amount: amount, Currency: p.TotalMoney.Currency}
	switch {
	case p.disputed():
		return "", engine.ErrDisputed
	case s.refundable(p, asked) != nil: // it is too old, or has too many refunds
		return "", engine.ErrUnsupported
	}
	return s.newRefund(p, asked, "").ID, nil
}

// EndRefund implements [engine.Dialect]. Square's refunds do not fail once they are completed.
func (s *Server) EndRefund(id, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	r, ok := s.refunds.Get(id)
	switch {
	case !ok:
		return engine.ErrNoRefund
	case r.Status != pending:
		return engine.ErrRefundFinished
	case outcome == "succeeded":
		s.endRefund(r, completed)
	default:
		s.endRefund(r, lost)
	}
	return nil
}

// named is the payment that took money and is known by its own reference, that of the order it
// paid, or Square's id, which is all that a subscription's payments have; nil for none. The
// caller holds mu.
func (s *Server) named(reference string) *payment {
	if reference == "" {
		return nil
	}
	for _, p := range s.payments.NewestFirst() {
		s.age(p)
		bill, ordered := s.orders.Get(p.OrderID)
		if p.Status == completed && (p.ReferenceID == reference || p.ID == reference || ordered && bill.ReferenceID == reference) {
			return p
		}
	}
	return nil
}

func (s *Server) getRefund(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.refunds.Get(in.id)
	if !ok {
		return notFound("refund", in.id, "")
	}
	if p, ok := s.payments.Get(r.PaymentID); ok {
		s.settleRefunds(p)
	}
	return done("refund", shown(r))
}

var listRefundsQuery = slices.Concat(windowQuery, []string{"location_id", "status", "source_type"})

// listRefunds lists refunds by time.
//
// Source: GET /v2/refunds.
func (s *Server) listRefunds(in *request) result {
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(s.refunds.All(), func(r *refund) bool {
		status, byStatus := in.query["status"]
		source, bySource := in.query["source_type"]
		return byStatus && status != r.Status || bySource && source != r.DestinationType
	})
	return cut(s, w, "refunds", all, func(r *refund) place { return place{r.created, r.updated, r.ID} })
}

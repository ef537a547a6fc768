package square

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	refundsMost = 20                   // of one payment
	refundAge   = 365 * 24 * time.Hour // after which a payment cannot be given back
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
	now := s.now()
	r := &refund{
		ID: p.ID + "_" + s.newID("R"), Status: pending, AmountMoney: given.AmountMoney, PaymentID: p.ID, OrderID: p.OrderID, Reason: given.Reason,
		LocationID: s.LocationID, DestinationType: p.SourceType, CreatedAt: stamp(now), UpdatedAt: stamp(now), created: now, updated: now,
	}
	s.refunds.Put(r.ID, r)
	p.RefundIDs = append(p.RefundIDs, r.ID)
	p.pending = append(p.pending, r)
	p.reserved += r.AmountMoney.Amount
	s.tell("refund.created", "refund", r.ID, "refund", r)
	s.tellPayment(p, "payment.updated")
	return done("refund", shown(r))
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
	case p.dispute != nil && p.dispute.State != "WON" && !strings.HasPrefix(p.dispute.State, "INQUIRY_"):
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

// settleRefunds has what is on its way back arrive. The caller holds mu.
func (s *Server) settleRefunds(p *payment) {
	if len(p.pending) == 0 {
		return
	}
	if p.RefundedMoney == nil {
		p.RefundedMoney = &money{Currency: p.TotalMoney.Currency}
	}
	for _, r := range p.pending {
		r.Status, r.updated = completed, s.now()
		r.UpdatedAt = stamp(r.updated)
		p.RefundedMoney.Amount += r.AmountMoney.Amount
		s.tell("refund.updated", "refund", r.ID, "refund", r)
	}
	p.pending = nil
	s.tellPayment(p, "payment.updated")
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

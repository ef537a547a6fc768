package stripe

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// paymentReference is where the program under test keeps its payment's id.
const paymentReference = "paydesk_payment"

// The statuses of a dispute. Those of an inquiry begin with warning_.
//
// Source: docs.stripe.com/api/disputes/object.
const (
	disputeNeedsResponse  = "needs_response"
	disputeUnderReview    = "under_review"
	disputeWon            = "won"
	disputeLost           = "lost"
	disputeWarning        = "warning_needs_response"
	disputeWarningReview  = "warning_under_review"
	disputeWarningClosed  = "warning_closed"
	disputeEvidenceTime   = 9 * 24 * time.Hour
	disputeInquiryTimeMax = 120 * 24 * time.Hour // after which the bank may ask no more
	disputeFee            = 1500                 // in minor units of the dispute's currency
)

// dispute is a Dispute.
//
// Source: docs.stripe.com/api/disputes/object.
type dispute struct {
	ID                   string               `json:"id"`
	Object               string               `json:"object"`
	Amount               int64                `json:"amount"`
	BalanceTransactions  []balanceTransaction `json:"balance_transactions"`
	Charge               string               `json:"charge"`
	Created              int64                `json:"created"`
	Currency             string               `json:"currency"`
	Evidence             map[string]*string   `json:"evidence"`
	EvidenceDetails      evidenceDetails      `json:"evidence_details"`
	IsChargeRefundable   bool                 `json:"is_charge_refundable"`
	Livemode             bool                 `json:"livemode"`
	Metadata             map[string]string    `json:"metadata"`
	NetworkReasonCode    *string              `json:"network_reason_code"`
	PaymentIntent        string               `json:"payment_intent"`
	PaymentMethodDetails map[string]any       `json:"payment_method_details"`
	Reason               string               `json:"reason"`
	Status               string               `json:"status"`
}

// evidenceDetails say how things stand with the evidence.
type evidenceDetails struct {
	DueBy           *int64 `json:"due_by"` // nil once no more is taken
	HasEvidence     bool   `json:"has_evidence"`
	PastDue         bool   `json:"past_due"`
	SubmissionCount int64  `json:"submission_count"`
}

// balanceTransaction is a movement of the account's money, as a dispute shows it.
//
// Source: docs.stripe.com/api/balance_transactions/object.
type balanceTransaction struct {
	ID                string           `json:"id"`
	Object            string           `json:"object"`
	Amount            int64            `json:"amount"`
	AvailableOn       int64            `json:"available_on"`
	Created           int64            `json:"created"`
	Currency          string           `json:"currency"`
	Description       string           `json:"description"`
	Fee               int64            `json:"fee"`
	FeeDetails        []map[string]any `json:"fee_details"`
	Net               int64            `json:"net"`
	ReportingCategory string           `json:"reporting_category"`
	Source            string           `json:"source"`
	Status            string           `json:"status"`
	Type              string           `json:"type"`
}

// copied is the dispute as it stands now, which later changes leave alone.
func (d *dispute) copied() *dispute {
	c := *d
	c.Evidence, c.Metadata = maps.Clone(d.Evidence), maps.Clone(d.Metadata)
	return &c
}

func (d *dispute) inquiry() bool { return strings.HasPrefix(d.Status, "warning_") }

// open reports whether an inquiry is open.
func (d *dispute) open() bool { return d.Status == disputeWarning || d.Status == disputeWarningReview }

func (d *dispute) finished() bool {
	return d.Status == disputeWon || d.Status == disputeLost || d.Status == disputeWarningClosed
}

// answerable reports whether evidence is taken.
func (d *dispute) answerable() bool {
	return d.Status == disputeNeedsResponse || d.Status == disputeWarning
}

// disputeByCard opens the dispute that some test cards bring. The caller holds mu.
func (s *Server) disputeByCard(c *charge) {
	if c.behavior.dispute != "" {
		s.openDispute(c, c.behavior.dispute, c.AmountCaptured, c.behavior.inquiry)
	}
}

// openDispute has the buyer's bank take the money back, or only ask. The caller holds mu.
func (s *Server) openDispute(c *charge, reason string, amount int64, inquiry bool) *dispute {
	d := &dispute{
		ID: s.newID("dp"), Object: "dispute", Amount: amount, BalanceTransactions: []balanceTransaction{}, Charge: c.ID, Created: s.now().Unix(), Currency: c.Currency,
		Evidence: noEvidence(), IsChargeRefundable: inquiry, Metadata: map[string]string{}, PaymentIntent: c.intent, Reason: reason, Status: disputeNeedsResponse,
		PaymentMethodDetails: map[string]any{"type": "card"},
	}
	if with, ok := c.PaymentMethodDetails["card"].(map[string]any); ok {
		d.PaymentMethodDetails["card"] = map[string]any{"brand": with["brand"], "network_reason_code": nil}
	}
	c.Disputed, c.dispute = true, d
	s.disputes.Put(d.ID, d)
	s.expectEvidence(d)
	if inquiry {
		d.Status = disputeWarning
		s.tell("charge.dispute.created", d.copied())
		s.after(disputeInquiryTimeMax, func() {
			if d.Status == disputeWarningReview {
				s.endDispute(d, disputeWarningClosed)
			}
		})
		return d
	}
	s.move(d, -d.Amount, disputeFee, "Chargeback withdrawal for "+c.ID, "dispute")
	s.tell("charge.dispute.created", d.copied())
	s.tell("charge.dispute.funds_withdrawn", d.copied())
	return d
}

// expectEvidence gives the shop its time to answer. The caller holds mu.
func (s *Server) expectEvidence(d *dispute) {
	due := s.now().Add(disputeEvidenceTime).Unix()
	d.EvidenceDetails.DueBy = &due
	s.later(due, func() {
		if !d.answerable() || d.EvidenceDetails.DueBy == nil || *d.EvidenceDetails.DueBy != due {
			return
		}
		d.EvidenceDetails.PastDue = true
		if d.inquiry() { // whoever does not answer the bank is charged back, and has no say any more
			s.withdraw(d)
		}
		s.endDispute(d, disputeLost)
	})
}

// withdraw makes a chargeback of an inquiry. The caller holds mu.
func (s *Server) withdraw(d *dispute) {
	d.Status, d.IsChargeRefundable = disputeNeedsResponse, false
	s.move(d, -d.Amount, disputeFee, "Chargeback withdrawal for "+d.Charge, "dispute")
	s.tell("charge.dispute.updated", d.copied())
	s.tell("charge.dispute.funds_withdrawn", d.copied())
}

// move books a dispute's money.
func (s *Server) move(d *dispute, amount, fee int64, description, category string) {
	made := balanceTransaction{
		ID: s.newID("txn"), Object: "balance_transaction", Amount: amount, AvailableOn: s.now().Unix(), Created: s.now().Unix(), Currency: d.Currency,
		Description: description, Fee: fee, FeeDetails: []map[string]any{}, Net: amount - fee, ReportingCategory: category, Source: d.ID,
		Status: "available", Type: "adjustment",
	}
	if fee != 0 {
		made.FeeDetails = append(made.FeeDetails, map[string]any{"amount": fee, "application": nil, "currency": d.Currency, "description": "Dispute fee", "type": "stripe_fee"})
	}
	d.BalanceTransactions = append(append([]balanceTransaction{}, d.BalanceTransactions...), made)
}

// endDispute ends a dispute. What is won comes back, without the fee. The caller holds mu.
func (s *Server) endDispute(d *dispute, status string) {
	d.Status, d.EvidenceDetails.DueBy = status, nil
	if status == disputeWon {
		s.move(d, d.Amount, 0, "Chargeback reversal for "+d.Charge, "dispute_reversal")
	}
	s.tell("charge.dispute.closed", d.copied())
	if status == disputeWon {
		s.tell("charge.dispute.funds_reinstated", d.copied())
	}
}

// OpenDispute implements [engine.Dialect].
func (s *Server) OpenDispute(payment, reason string, amount int64, inquiry bool) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.taken(payment)
	switch {
	case !ok:
		return "", engine.ErrNoPayment
	case c.Disputed:
		return "", engine.ErrDisputed
	}
	amount = fromISO(amount, c.Currency)
	switch {
	case amount > c.AmountCaptured:
		return "", engine.ErrDisputeAmount
	case amount == 0:
		amount = c.AmountCaptured
	}
	return s.openDispute(c, reason, amount, inquiry).ID, nil
}

// taken is the charge that took money of a payment: one that the program under test knows by
// its own id, or a PaymentIntent. The caller holds mu.
func (s *Server) taken(payment string) (*charge, bool) {
	for _, i := range s.intents.All() {
		c, charged := s.charges.Get(i.charge)
		if payment != "" && charged && c.Captured && (i.Metadata[paymentReference] == payment || i.ID == payment) {
			return c, true
		}
	}
	return nil, false
}

// CloseDispute implements [engine.Dialect].
func (s *Server) CloseDispute(id, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.disputes.Get(id)
	switch {
	case !ok:
		return engine.ErrNoDispute
	case d.finished():
		return engine.ErrDisputeFinished
	case outcome == "escalated" && !d.inquiry():
		return engine.ErrNotInquiry
	case outcome == "escalated":
		s.expectEvidence(d)
		s.withdraw(d)
	case d.inquiry():
		s.endDispute(d, disputeWarningClosed) // nothing was taken, so nothing is won or lost
	default:
		s.endDispute(d, outcome)
	}
	return nil
}

// closeDispute accepts a dispute. An inquiry is only closed: nothing was taken for it.
//
// Source: docs.stripe.com/api/disputes/close.
func (s *Server) closeDispute(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.disputes.Get(in.id)
	switch {
	case !ok:
		return notFound("dispute", "dispute", in.id)
	case d.finished():
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "This dispute is already closed"})
	case !d.answerable():
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "This dispute cannot be closed because it has a status of " + d.Status + "."})
	case d.inquiry():
		s.endDispute(d, disputeWarningClosed)
	default:
		s.endDispute(d, disputeLost)
	}
	return done(s.shownDispute(d, in))
}

// disputeShown is a dispute with what was expanded.
type disputeShown struct {
	*dispute
	Charge        any `json:"charge"`
	PaymentIntent any `json:"payment_intent"`
}

// shownDispute is a dispute as an answer shows it. The caller holds mu.
func (s *Server) shownDispute(d *dispute, in *request) disputeShown {
	shown := disputeShown{dispute: d.copied(), Charge: d.Charge, PaymentIntent: d.PaymentIntent}
	if c, ok := s.charges.Get(d.Charge); ok && in.expands("charge") {
		shown.Charge = shownCharge(c, in, "charge.")
	}
	if i, ok := s.intents.Get(d.PaymentIntent); ok && in.expands("payment_intent") {
		shown.PaymentIntent = i.copied()
	}
	return shown
}

func (s *Server) getDispute(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.disputes.Get(in.id); ok {
		return done(s.shownDispute(d, in))
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
	shown := make([]disputeShown, len(kept))
	for n, d := range kept {
		shown[n] = s.shownDispute(d, in)
	}
	list.Data = shown
	return done(list)
}

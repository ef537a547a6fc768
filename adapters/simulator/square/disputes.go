package square

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// disputeTime is how long a seller has to answer.
const disputeTime = 14 * 24 * time.Hour

// The states of a dispute. An inquiry takes no money, so that it is neither won nor lost.
//
// Source: developer.squareup.com/reference/square/enums/DisputeState.
const (
	inquiryOpen       = "INQUIRY_EVIDENCE_REQUIRED"
	inquiryProcessing = "INQUIRY_PROCESSING"
	inquiryClosed     = "INQUIRY_CLOSED"
	disputeOpen       = "EVIDENCE_REQUIRED"
	disputeProcessing = "PROCESSING"
	disputeWon        = "WON"
	disputeLost       = "LOST"
	disputeAccepted   = "ACCEPTED"
)

// disputeStates are what a list can be asked for.
var disputeStates = []string{
	inquiryOpen, inquiryProcessing, inquiryClosed, disputeOpen, disputeProcessing, disputeWon, disputeLost, disputeAccepted,
}

// disputedAmounts are amounts whose payments are disputed, by themselves, for a reason.
//
// Source: developer.squareup.com/docs/disputes-api/sandbox-testing.
var disputedAmounts = map[int64]string{
	8801: "AMOUNT_DIFFERS", 8802: "CANCELLED", 8803: "DUPLICATE", 8804: "NO_KNOWLEDGE", 8805: "NOT_AS_DESCRIBED",
	8806: "NOT_RECEIVED", 8807: "PAID_BY_OTHER_MEANS", 8808: "CUSTOMER_REQUESTS_CREDIT", 8809: "EMV_LIABILITY_SHIFT",
}

// reasons are Square's for those that other providers have.
var reasons = map[string]string{
	"fraudulent": "NO_KNOWLEDGE", "unrecognized": "NO_KNOWLEDGE", "product_not_received": "NOT_RECEIVED", "product_unacceptable": "NOT_AS_DESCRIBED",
	"duplicate": "DUPLICATE", "credit_not_processed": "CUSTOMER_REQUESTS_CREDIT", "subscription_canceled": "CANCELLED",
}

// disputeByItself opens the dispute that some test cards and amounts bring. The caller holds mu.
func (s *Server) disputeByItself(p *payment) {
	reason := p.behavior.dispute
	if other, ok := disputedAmounts[p.AmountMoney.Amount]; ok && reason == "" {
		reason = other
	}
	if reason != "" && p.dispute == nil {
		s.openDispute(p, reason, p.TotalMoney.Amount, p.behavior.inquiry)
	}
}

// disputed reports whether a payment's money was taken back, or may be yet.
func (p *payment) disputed() bool {
	return p.dispute != nil && p.dispute.State != disputeWon && !p.dispute.inquires()
}

// inquires reports whether a dispute only is an inquiry.
func (d *dispute) inquires() bool { return strings.HasPrefix(d.State, "INQUIRY_") }

// open reports whether a dispute waits for the seller's answer.
func (d *dispute) open() bool { return d.State == inquiryOpen || d.State == disputeOpen }

// openDispute has the buyer's bank take the money back, or only ask. The caller holds mu.
func (s *Server) openDispute(p *payment, reason string, amount int64, inquiry bool) *dispute {
	now := s.now()
	d := &dispute{
		ID: s.newID("DIS"), AmountMoney: money{Amount: amount, Currency: p.TotalMoney.Currency}, Reason: reason, State: disputeOpen,
		DisputedPayment: map[string]string{"payment_id": p.ID}, LocationID: s.LocationID,
		CreatedAt: stamp(now), UpdatedAt: stamp(now), ReportedAt: stamp(now), Version: 1, created: now,
	}
	d.DisputeID = d.ID
	if inquiry {
		d.State = inquiryOpen
	}
	if p.CardDetails != nil {
		d.CardBrand = p.CardDetails.Card.Brand
	}
	p.dispute = d
	s.disputes.Put(d.ID, d)
	s.giveTime(d)
	s.tell("dispute.created", "dispute", d.ID, "dispute", d)
	return d
}

// giveTime lets the seller answer until a deadline. A dispute that nobody answered is lost, and
// an inquiry is closed. The caller holds mu.
func (s *Server) giveTime(d *dispute) {
	asked, until := d.State, s.now().Add(disputeTime)
	d.DueAt = stamp(until)
	s.later(until, func() {
		switch {
		case d.State != asked:
		case asked == inquiryOpen:
			s.moveDispute(d, inquiryClosed)
		default:
			s.moveDispute(d, disputeLost)
		}
	})
}

// moveDispute gives a dispute its next state. The caller holds mu.
func (s *Server) moveDispute(d *dispute, state string) {
	d.State = state
	s.touchDispute(d, "dispute.state.updated")
}

// touchDispute gives a dispute its next version and tells of it. The caller holds mu.
func (s *Server) touchDispute(d *dispute, kind string) {
	d.UpdatedAt = stamp(s.now())
	d.Version++
	s.tell(kind, "dispute", d.ID, "dispute", d)
}

// OpenDispute implements [engine.Dialect].
func (s *Server) OpenDispute(reference, reason string, amount int64, inquiry bool) (id string, err error) {
	if known, ok := reasons[reason]; ok {
		reason = known
	}
	if !slices.Contains([]string{
		"AMOUNT_DIFFERS", "CANCELLED", "DUPLICATE", "NO_KNOWLEDGE", "NOT_AS_DESCRIBED", "NOT_RECEIVED", "PAID_BY_OTHER_MEANS",
		"CUSTOMER_REQUESTS_CREDIT", "EMV_LIABILITY_SHIFT",
	}, reason) {
		reason = "NO_KNOWLEDGE"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	p := s.named(reference)
	switch {
	case p == nil:
		return "", engine.ErrNoPayment
	case p.dispute != nil:
		return "", engine.ErrDisputed
	case amount > p.TotalMoney.Amount:
		return "", engine.ErrDisputeAmount
	case amount == 0:
		amount = p.TotalMoney.Amount
	}
	return s.openDispute(p, reason, amount, inquiry).ID, nil
}

// CloseDispute implements [engine.Dialect].
func (s *Server) CloseDispute(id, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	d, ok := s.disputes.Get(id)
	switch {
	case !ok:
		return engine.ErrNoDispute
	case !d.open() && d.State != inquiryProcessing && d.State != disputeProcessing:
		return engine.ErrDisputeFinished
	case outcome == "escalated" && !d.inquires():
		return engine.ErrNotInquiry
	case outcome == "escalated":
		d.State = disputeOpen
		s.giveTime(d)
		s.moveDispute(d, disputeOpen)
	case d.inquires():
		s.moveDispute(d, inquiryClosed)
	default:
		s.moveDispute(d, strings.ToUpper(outcome))
	}
	return nil
}

func (s *Server) getDispute(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.disputes.Get(in.id); ok {
		return done("dispute", shown(d))
	}
	return notFound("dispute", in.id, "")
}

// acceptDispute leaves the money with the buyer.
//
// Source: POST /v2/disputes/{id}/accept. That an inquiry cannot be accepted is a guess: nothing
// was taken yet.
func (s *Server) acceptDispute(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.disputes.Get(in.id)
	switch {
	case !ok:
		return notFound("dispute", in.id, "")
	case d.State != disputeOpen:
		return notAllowed(invalidRequest, "BAD_REQUEST", "The dispute cannot be accepted: its state is "+d.State+".")
	}
	s.moveDispute(d, disputeAccepted)
	return done("dispute", shown(d))
}

// listDisputes lists disputes, newest first.
//
// Source: GET /v2/disputes.
func (s *Server) listDisputes(in *request) result {
	var states []string
	if said := in.query["states"]; said != "" {
		states = strings.Split(said, ",")
	}
	for _, state := range states {
		if !slices.Contains(disputeStates, state) {
			return invalid("INVALID_ENUM_VALUE", "states", "`"+clip(state)+"` is not a valid enum value for `states`.")
		}
	}
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(s.disputes.All(), func(d *dispute) bool { return len(states) > 0 && !slices.Contains(states, d.State) })
	return cut(s, w, "disputes", all, func(d *dispute) place { return place{d.created, d.created, d.ID} })
}

// answerable is the dispute that a call about its evidence is for. The caller holds mu.
func (s *Server) answerable(in *request) (*dispute, *result) {
	d, ok := s.disputes.Get(in.id)
	switch {
	case !ok:
		return nil, new(notFound("dispute", in.id, ""))
	case !d.open():
		return nil, new(notAllowed(invalidRequest, "BAD_REQUEST", "The dispute takes no evidence any more: its state is "+d.State+"."))
	}
	return d, nil
}

// submitEvidence sends to the bank what was gathered. Nothing can be added or removed any more.
//
// Source: POST /v2/disputes/{id}/submit-evidence.
func (s *Server) submitEvidence(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, bad := s.answerable(in)
	switch {
	case bad != nil:
		return *bad
	case len(d.EvidenceIDs) == 0:
		return failed(http.StatusBadRequest, apiError{Category: invalidRequest, Code: "BAD_REQUEST", Detail: "The dispute has no evidence to submit."})
	case d.State == inquiryOpen:
		s.moveDispute(d, inquiryProcessing)
	default:
		s.moveDispute(d, disputeProcessing)
	}
	return done("dispute", shown(d))
}

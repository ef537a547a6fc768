package square

import (
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// disputeTime is how long a seller has to answer.
const disputeTime = 14 * 24 * time.Hour

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

// openDispute has the buyer's bank take the money back, or only ask. The caller holds mu.
func (s *Server) openDispute(p *payment, reason string, amount int64, inquiry bool) *dispute {
	now := s.now()
	d := &dispute{
		ID: s.newID("DIS"), AmountMoney: money{Amount: amount, Currency: p.TotalMoney.Currency}, Reason: reason, State: "EVIDENCE_REQUIRED",
		DueAt: stamp(now.Add(disputeTime)), DisputedPayment: map[string]string{"payment_id": p.ID}, LocationID: s.LocationID,
		CreatedAt: stamp(now), UpdatedAt: stamp(now), ReportedAt: stamp(now), Version: 1, created: now,
	}
	d.DisputeID = d.ID
	if inquiry {
		d.State = "INQUIRY_EVIDENCE_REQUIRED"
	}
	if p.CardDetails != nil {
		d.CardBrand = p.CardDetails.Card.Brand
	}
	p.dispute = d
	s.disputes.Put(d.ID, d)
	s.tell("dispute.created", "dispute", d.ID, "dispute", d)
	return d
}

// OpenDispute implements [engine.Dialect]. A payment is known by its own reference, or that of
// the order it paid.
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
	for _, p := range s.payments.All() {
		s.age(p)
		bill, ordered := s.orders.Get(p.OrderID)
		named := p.ReferenceID == reference || ordered && bill.ReferenceID == reference
		if reference == "" || !named || p.Status != completed {
			continue
		}
		switch {
		case p.dispute != nil:
			return "", engine.ErrDisputed
		case amount > p.TotalMoney.Amount:
			return "", engine.ErrDisputeAmount
		case amount == 0:
			amount = p.TotalMoney.Amount
		}
		return s.openDispute(p, reason, amount, false).ID, nil
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
	case d.State == "INQUIRY_EVIDENCE_REQUIRED":
		d.State = "INQUIRY_CLOSED" // nothing was taken, so nothing is won or lost
	case d.State != "EVIDENCE_REQUIRED":
		return engine.ErrDisputeFinished
	default:
		d.State = strings.ToUpper(outcome)
	}
	d.UpdatedAt = stamp(s.now())
	d.Version++
	s.tell("dispute.state.updated", "dispute", d.ID, "dispute", d)
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

// disputeStates are what a list can be asked for.
//
// Source: developer.squareup.com/reference/square/enums/DisputeState.
var disputeStates = []string{
	"INQUIRY_EVIDENCE_REQUIRED", "INQUIRY_PROCESSING", "INQUIRY_CLOSED", "EVIDENCE_REQUIRED", "PROCESSING", "WON", "LOST", "ACCEPTED",
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

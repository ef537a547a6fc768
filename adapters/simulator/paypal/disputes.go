package paypal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// How disputes stand and end.
//
// Source: PayPal's API description of disputes v1.
const (
	stageInquiry     = "INQUIRY"
	stageChargeback  = "CHARGEBACK"
	waitingForSeller = "WAITING_FOR_SELLER_RESPONSE"
	waitingForBuyer  = "WAITING_FOR_BUYER_RESPONSE"
	underReview      = "UNDER_REVIEW"
	resolved         = "RESOLVED"
	outcomeWon       = "RESOLVED_SELLER_FAVOUR"
	outcomeLost      = "RESOLVED_BUYER_FAVOUR"

	disputePageMost = 50
)

// disputeReasons are PayPal's words for the reasons that all accounts know.
//
//nolint:gosec // credit_not_processed is no credential
var disputeReasons = map[string]string{
	"fraudulent": "UNAUTHORISED", "product_not_received": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "duplicate": "DUPLICATE_TRANSACTION",
	"product_unacceptable": "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED", "credit_not_processed": "CREDIT_NOT_PROCESSED",
	"subscription_canceled": "CANCELED_RECURRING_BILLING", "general": "OTHER",
}

var disputeQuery = []string{
	"start_time", "disputed_transaction_id", "dispute_state", "page_size", "next_page_token", "update_time_after", "update_time_before",
}

// disputeTable is the calls of disputes by method and path. The last two are the sandbox's.
func (s *Server) disputeTable() map[string]call {
	const one = "/v1/customer/disputes/{id}"
	return map[string]call{
		"GET /v1/customer/disputes":                {do: s.listDisputes, query: disputeQuery},
		"GET " + one:                               {do: s.getDispute},
		"POST " + one + "/provide-evidence":        {do: s.provideEvidence, body: &evidenceShape, parts: true},
		"POST " + one + "/provide-supporting-info": {do: s.provideInfo, body: &infoShape, parts: true, plain: true},
		"POST " + one + "/accept-claim":            {do: s.acceptClaim, body: &acceptShape, parts: true, plain: true},
		"POST " + one + "/escalate":                {do: s.escalate, body: &escalateShape},
		"POST " + one + "/adjudicate":              {do: s.adjudicate, body: &adjudicateShape},
		"POST " + one + "/require-evidence":        {do: s.requireEvidence, body: &requireShape},
	}
}

// disputeByCard opens the dispute that some test cards bring. The caller holds mu.
func (s *Server) disputeByCard(c *capture) {
	if acts := c.funding.behavior; acts.dispute != "" && c.status == statusCompleted {
		stage := stageChargeback
		if acts.inquiry {
			stage = stageInquiry
		}
		s.openDispute([]*capture{c}, acts.dispute, stage, c.amount)
	}
}

// openDispute makes a dispute over captures of one order. The caller holds mu.
func (s *Server) openDispute(over []*capture, reason, stage string, amount int64) *dispute {
	now := s.now()
	s.counter++
	d := &dispute{
		id: fmt.Sprintf("PP-D-%d%06d", s.Clock.Wall().UnixMicro(), s.counter), reason: reason, stage: stage,
		currency: over[0].order.currency, amount: amount, captures: over, created: now, updated: now,
	}
	for _, c := range over {
		c.dispute = d
	}
	s.disputes.Put(d.id, d)
	s.askSeller(d)
	s.tell("CUSTOMER.DISPUTE.CREATED", d.id, s.shownDispute(d, true))
	return d
}

// askSeller has a dispute wait for the shop's answer, and be lost where none comes in time.
// The caller holds mu.
func (s *Server) askSeller(d *dispute) {
	d.status, d.updated = waitingForSeller, s.now()
	by := d.updated.Add(sellerTime)
	d.respondBy = by
	s.schedule(by, func() {
		if d.status == waitingForSeller && d.respondBy.Equal(by) {
			s.resolve(d, outcomeLost)
		}
	})
}

// move changes how a dispute stands, and tells of it. The caller holds mu.
func (s *Server) move(d *dispute, status string) {
	d.status, d.updated = status, s.now()
	s.tell("CUSTOMER.DISPUTE.UPDATED", d.id, s.shownDispute(d, true))
}

// resolve ends a dispute. The caller holds mu.
func (s *Server) resolve(d *dispute, outcome string) {
	d.status, d.outcome, d.updated = resolved, outcome, s.now()
	s.tell("CUSTOMER.DISPUTE.RESOLVED", d.id, s.shownDispute(d, true))
}

// claim makes of an inquiry a case that PayPal decides, and asks the shop anew. The caller
// holds mu.
func (s *Server) claim(d *dispute) {
	d.stage = stageChargeback
	s.askSeller(d)
	s.tell("CUSTOMER.DISPUTE.UPDATED", d.id, s.shownDispute(d, true))
}

// state says whom a dispute waits for.
func (d *dispute) state() string {
	switch {
	case d.status == resolved:
		return resolved
	case d.status == underReview:
		return "UNDER_PAYPAL_REVIEW"
	case d.status == waitingForBuyer:
		return "REQUIRED_OTHER_PARTY_ACTION"
	case d.stage == stageInquiry:
		return "OPEN_INQUIRIES"
	}
	return "REQUIRED_ACTION"
}

// OpenDispute implements [engine.Dialect]. Payments are known by their custom_id, or by the
// id of the transaction.
func (s *Server) OpenDispute(payment, reason string, amount int64, inquiry bool) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	over, total := s.paidBy(payment), int64(0)
	for _, c := range over {
		if c.dispute != nil {
			return "", engine.ErrDisputed
		}
		total += c.amount
	}
	if len(over) == 0 {
		return "", engine.ErrNoPayment
	}
	units := fromISO(amount, over[0].order.currency)
	switch {
	case units > total:
		return "", engine.ErrDisputeAmount
	case units == 0:
		units = total
	}
	word, known := disputeReasons[reason]
	switch {
	case known:
	case reason != "" && reason == strings.ToUpper(reason):
		word = reason
	default:
		word = "OTHER"
	}
	stage := stageChargeback
	if inquiry {
		stage = stageInquiry
	}
	return s.openDispute(over, word, stage, units).id, nil
}

// CloseDispute implements [engine.Dialect].
func (s *Server) CloseDispute(id, outcome string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.disputes.Get(id)
	switch {
	case !ok:
		return engine.ErrNoDispute
	case d.outcome != "":
		return engine.ErrDisputeFinished
	}
	switch {
	case outcome == "won":
		s.resolve(d, outcomeWon)
	case outcome == "lost":
		s.resolve(d, outcomeLost)
	case d.stage != stageInquiry:
		return engine.ErrNotInquiry
	default:
		s.claim(d)
	}
	return nil
}

func (s *Server) getDispute(in *request) result {
	if d, ok := s.disputes.Get(in.id); ok {
		return done(s.shownDispute(d, true))
	}
	return notFound()
}

// listDisputes lists disputes, newest first, of half a year at most. A question about more is
// refused, as is one for what changed until a time that is to come.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1, disputes_list.
func (s *Server) listDisputes(in *request) result {
	times := map[string]time.Time{}
	for _, name := range []string{"start_time", "update_time_after", "update_time_before"} {
		at, bad := in.time(name)
		if bad != nil {
			return *bad
		}
		if in.query.Has(name) && (s.now().Sub(at) > disputeListLife || name == "update_time_before" && at.After(s.now())) {
			return invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: name, Location: "query"})
		}
		times[name] = at
	}
	transaction := in.query.Get("disputed_transaction_id")
	if transaction != "" && in.query.Has("start_time") {
		return invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "disputed_transaction_id", Location: "query"})
	}
	size, bad := in.number("page_size", disputePageMost, 10)
	if bad != nil {
		return *bad
	}
	kept := slices.DeleteFunc(s.disputes.NewestFirst(), func(d *dispute) bool {
		ofTransaction := slices.ContainsFunc(d.captures, func(c *capture) bool { return c.id == transaction })
		state := in.query.Get("dispute_state")
		before := times["update_time_before"]
		return transaction != "" && !ofTransaction || state != "" && !slices.Contains(strings.Split(state, ","), d.state()) ||
			d.created.Before(times["start_time"]) || s.now().Sub(d.created) > disputeListLife ||
			d.updated.Before(times["update_time_after"]) || !before.IsZero() && d.updated.After(before)
	})
	kept, links, bad := page(s, in, "/v1/customer/disputes", kept, size, func(d *dispute) string { return d.id })
	if bad != nil {
		return *bad
	}
	items := []disputeWire{}
	for _, d := range kept {
		items = append(items, s.shownDispute(d, false))
	}
	return done(map[string]any{"items": items, "links": links})
}

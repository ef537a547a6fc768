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
	stageInquiry    = "INQUIRY"
	stageChargeback = "CHARGEBACK"
	outcomeWon      = "RESOLVED_SELLER_FAVOUR"
	outcomeLost     = "RESOLVED_BUYER_FAVOUR"

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
	now := s.Clock.Now()
	s.counter++
	d := &dispute{
		id: fmt.Sprintf("PP-D-%d%06d", s.Clock.Wall().UnixMicro(), s.counter), reason: reason, stage: stage,
		status: "WAITING_FOR_SELLER_RESPONSE", state: "REQUIRED_ACTION", currency: over[0].order.currency, amount: amount, captures: over,
		created: now, updated: now,
	}
	for _, c := range over {
		c.dispute = d
	}
	s.disputes.Put(d.id, d)
	s.tell("CUSTOMER.DISPUTE.CREATED", d.id, s.shownDispute(d, true))
	return d
}

// OpenDispute implements [engine.Dialect]. Payments are known by their custom_id.
func (s *Server) OpenDispute(payment, reason string, amount int64, inquiry bool) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var over []*capture
	total := int64(0)
	for _, c := range s.captures.All() {
		if payment == "" || c.unit.customID != payment || !c.took() {
			continue
		}
		if c.dispute != nil {
			return "", engine.ErrDisputed
		}
		over, total = append(over, c), total+c.amount
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
	return s.openDispute(over, word, stageChargeback, units).id, nil
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
	d.status, d.state, d.outcome, d.updated = "RESOLVED", "RESOLVED", outcomeWon, s.Clock.Now()
	if outcome == "lost" {
		d.outcome = outcomeLost
	}
	s.tell("CUSTOMER.DISPUTE.RESOLVED", d.id, s.shownDispute(d, true))
	return nil
}

func (s *Server) getDispute(in *request) result {
	if d, ok := s.disputes.Get(in.id); ok {
		return done(s.shownDispute(d, true))
	}
	return notFound()
}

// listDisputes lists disputes, newest first, of half a year at most.
//
// Source: developer.paypal.com/docs/api/customer-disputes/v1, disputes_list.
func (s *Server) listDisputes(in *request) result {
	times := map[string]time.Time{}
	for _, name := range []string{"start_time", "update_time_after", "update_time_before"} {
		at, bad := in.time(name)
		if bad != nil {
			return *bad
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
		return transaction != "" && !ofTransaction || state != "" && !slices.Contains(strings.Split(state, ","), d.state) ||
			d.created.Before(times["start_time"]) || s.Clock.Now().Sub(d.created) > disputeListLife ||
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

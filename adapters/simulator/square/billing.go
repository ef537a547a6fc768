package square

import (
	"slices"
	"time"
)

// retryAfter are the times after a bill at which a card is charged again that could not be
// charged. After the last one the subscription is deactivated. Square publishes no such times.
var retryAfter = []time.Duration{3 * 24 * time.Hour, 6 * 24 * time.Hour, 9 * 24 * time.Hour}

// wake does what fell due with a subscription: its start, planned changes, and the bill of a
// period. The caller holds mu.
func (s *Server) wake(u *subscription) {
	now := s.now()
	for len(u.actions) > 0 && !u.actions[0].at.After(now) {
		one := u.actions[0]
		u.actions = u.actions[1:]
		s.act(u, one)
	}
	if u.Status == subPending && !u.next.After(now) {
		u.begin(now)
		s.tellSubscription(u)
	}
	if u.Status == subActive && !u.next.IsZero() && !u.next.After(now) {
		s.billPeriod(u)
	}
}

// act makes a planned change. The caller holds mu.
func (s *Server) act(u *subscription, one *action) {
	now := s.now()
	switch {
	case u.Status == subCanceled:
		return
	case one.Type == actionCancel:
		s.end(u)
		return
	case one.Type == actionPause && u.Status == subActive:
		u.Status = subPaused
		u.note("PAUSE_SUBSCRIPTION", now, nil)
	case one.Type == actionResume && (u.Status == subPaused || u.Status == subDeactivated):
		u.Status = subActive
		u.bill(dayOf(now, u.zone))
		u.note("RESUME_SUBSCRIPTION", now, nil)
	case one.Type == actionSwap:
		plan, ok := s.catalog.Get(one.NewVariation)
		if !ok {
			return
		}
		u.follow(plan, dayOf(now, u.zone))
		u.note("PLAN_CHANGE", now, nil)
	default:
		return
	}
	s.tellSubscription(u)
}

// end ends a subscription. The caller holds mu.
func (s *Server) end(u *subscription) {
	now := s.now()
	if u.CanceledDate == "" {
		u.CanceledDate = date(now.In(u.zone))
	}
	u.Status, u.next, u.actions = subCanceled, time.Time{}, nil
	u.note("STOP_SUBSCRIPTION", now, nil)
	s.tellSubscription(u)
}

// deactivate stops the billing of a subscription that cannot be billed. The caller holds mu.
func (s *Server) deactivate(u *subscription, info map[string]string) {
	if u.Status != subActive && u.Status != subPaused {
		return
	}
	u.Status = subDeactivated
	u.note("DEACTIVATE_SUBSCRIPTION", s.now(), info)
	s.tellSubscription(u)
}

// billPeriod bills the period that begins, and has the next one follow. The period's price is
// the phase's, or the subscription's own where the phase is not free. The caller holds mu.
func (s *Server) billPeriod(u *subscription) {
	if _, bad := s.customerOf(u.CustomerID, ""); bad != nil {
		s.deactivate(u, map[string]string{"code": "CUSTOMER_DELETED", "detail": "The customer profile was deleted."})
		return
	}
	if u.phase == len(u.phases) { // somebody took back that it ends
		s.end(u)
		return
	}
	now := s.now()
	of := u.phases[u.phase]
	price := *of.Pricing.PriceMoney
	if price.Amount > 0 && u.PriceOverrideMoney != nil {
		price = *u.PriceOverrideMoney
	}
	u.billed++
	u.sinceAnchor++
	until := cadences[of.Cadence].after(u.anchor, u.sinceAnchor)
	u.ChargedThroughDate, u.next = date(until.AddDate(0, 0, -1)), until
	if u.billed == of.Periods {
		u.phase, u.billed = u.phase+1, 0
		u.bill(until)
	}
	var made *invoice
	if price.Amount > 0 {
		made = s.newInvoice(u, price, now)
	}
	s.tellSubscription(u)
	if u.phase < len(u.phases) {
		s.later(u.next, func() { s.wake(u) })
	} else if !u.planned(actionCancel) { // all phases were billed
		u.CanceledDate = u.ChargedThroughDate
		s.plan(u, action{Type: actionCancel, EffectiveDate: u.CanceledDate, at: u.next})
	}
	if made != nil {
		s.chargeAgain(made, 0)
	}
}

// chargeAgain charges the card for an invoice, and once more later where that does not work, for
// as long as the subscription is billed. tries is how often it was charged by itself before. The
// caller holds mu.
func (s *Server) chargeAgain(of *invoice, tries int) {
	u := of.subscription
	if of.Status != invoiceUnpaid || u.Status == subDeactivated || s.chargeInvoice(of) {
		return
	}
	if tries == len(retryAfter) {
		s.deactivate(u, map[string]string{"detail": "An invoice of the subscription could not be charged."})
		return
	}
	s.later(of.created.Add(retryAfter[tries]), func() { s.chargeAgain(of, tries+1) })
}

// chargeInvoice charges the subscription's card for an invoice, and reports whether it is paid.
// The caller holds mu.
func (s *Server) chargeInvoice(of *invoice) bool {
	u := of.subscription
	bill, ok := s.orders.Get(of.OrderID)
	if !ok || !s.payableOrder(bill) {
		return of.Status == invoicePaid
	}
	held, ok := s.cards.Get(u.CardID)
	if ok && held.Enabled {
		delay, _ := parseDelay("") // the default one
		p := s.newPayment(newPayment{AmountMoney: bill.TotalMoney, CustomerID: u.CustomerID, Note: of.Title}, delay, "")
		p.entry, p.Application = entryOnFile, map[string]any{"square_product": "INVOICES", "application_id": s.ApplicationID}
		s.pay(p, bill, held.card, held.card.behavior.stored(false))
	}
	if of.Status != invoicePaid {
		s.tellInvoice(of, "invoice.scheduled_charge_failed")
		return false
	}
	return true
}

// paidInvoice books the payment of an invoice, whoever made it. The caller holds mu.
func (s *Server) paidInvoice(of *invoice, p *payment) {
	of.Status, of.NextPayment, of.payment = invoicePaid, nil, p
	of.PaymentRequests[0].Completed = p.TotalMoney
	u := of.subscription
	u.open = slices.DeleteFunc(u.open, func(one *invoice) bool { return one == of })
	s.tellInvoice(of, "invoice.payment_made")
}

package stripe

import (
	"net/http"
	"slices"
)

var (
	invoicesParams = slices.Concat(listParams, []string{"customer", "subscription", "status", "collection_method"})
	payParams      = []string{"payment_method", "off_session", "paid_out_of_band", "expand[*]"}
	upcomingParams = []string{
		"customer", "subscription", "subscription_items[*][id]", "subscription_items[*][price]", "subscription_items[*][quantity]", "subscription_items[*][deleted]",
		"subscription_items[*][price_data][currency]", "subscription_items[*][price_data][product]", "subscription_items[*][price_data][unit_amount]",
		"subscription_items[*][price_data][recurring][interval]", "subscription_items[*][price_data][recurring][interval_count]",
		"subscription_proration_behavior", "subscription_proration_date", "subscription_billing_cycle_anchor", "subscription_cancel_at_period_end", "expand[*]",
	}
)

func (s *Server) getInvoice(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if inv, ok := s.invoices.Get(in.id); ok {
		return done(s.shownInvoice(inv, in, ""))
	}
	return notFound("invoice", "invoice", in.id)
}

// listInvoices lists invoices, newest first.
//
// Source: docs.stripe.com/api/invoices/list.
func (s *Server) listInvoices(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, out := in.choice("status", "", invoiceDraft, invoiceOpen, invoicePaid, invoiceUncollectible, invoiceVoid)
	if out != nil {
		return *out
	}
	var all []*invoice
	if id := in.params["subscription"]; id == "" {
		all = s.invoices.NewestFirst()
	} else if sub, ok := s.subscriptions.Get(id); ok {
		all = slices.Clone(sub.invoices)
		slices.Reverse(all)
	}
	customer, method := in.params["customer"], in.params["collection_method"]
	all = slices.DeleteFunc(all, func(inv *invoice) bool {
		return status != "" && inv.Status != status || customer != "" && inv.Customer != customer || method != "" && inv.CollectionMethod != method
	})
	list, kept, out := page(in, "/v1/invoices", all, func(inv *invoice) string { return inv.ID }, func(inv *invoice) int64 { return inv.Created })
	if out != nil {
		return *out
	}
	list.Data = copies(kept, func(inv *invoice) *invoice { return s.shownInvoice(inv, in, "") })
	return done(list)
}

// payInvoice charges an invoice now.
//
// Source: docs.stripe.com/api/invoices/pay.
func (s *Server) payInvoice(in *request) result {
	offSession, out := in.boolean("off_session", true)
	if out != nil {
		return *out
	}
	elsewhere, out := in.boolean("paid_out_of_band", false)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	inv, ok := s.invoices.Get(in.id)
	switch {
	case !ok:
		return notFound("invoice", "invoice", in.id)
	case inv.Status == invoicePaid:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "Invoice is already paid"})
	case inv.Status == invoiceVoid:
		return unfit(inv, "paid")
	}
	with := inv.sub.charged()
	if id := in.params["payment_method"]; id != "" {
		if with, out = s.savedMethod(id, "payment_method", &inv.Customer); out != nil {
			return *out
		}
	}
	if inv.Status == invoiceDraft {
		s.finalize(inv)
	}
	if inv.Status != invoicePaid {
		if out := s.payNow(inv, with, elsewhere, offSession); out != nil {
			return *out
		}
	}
	return done(s.shownInvoice(inv, in, ""))
}

// payNow charges an invoice, or books it as paid elsewhere. What was planned for it stays
// planned where it fails. The caller holds mu.
func (s *Server) payNow(inv *invoice, with *paymentMethod, elsewhere, offSession bool) *result {
	if elsewhere {
		if inv.intent.Status != succeeded && inv.intent.Status != canceled {
			s.end(inv.intent, "void_invoice", "charge.refunded")
		}
		inv.PaidOutOfBand = true
		s.invoicePaid(inv)
		return nil
	}
	out := s.charge(inv, with, offSession)
	if out != nil {
		s.tellUnpaid(inv)
	}
	return out
}

// endInvoice makes the call that ends an invoice by a verb: the statuses are those that allow
// it.
func (s *Server) endInvoice(verb string, do func(*invoice), statuses ...string) func(*request) result {
	return func(in *request) result {
		s.mu.Lock()
		defer s.mu.Unlock()
		inv, ok := s.invoices.Get(in.id)
		switch {
		case !ok:
			return notFound("invoice", "invoice", in.id)
		case !slices.Contains(statuses, inv.Status):
			return unfit(inv, verb)
		}
		do(inv)
		return done(s.shownInvoice(inv, in, ""))
	}
}

// upcomingInvoice foresees the next invoice of a subscription, or what a change would charge.
//
// Source: docs.stripe.com/api/invoices/upcoming.
func (s *Server) upcomingInvoice(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, out := s.upcomingOf(in)
	if out != nil {
		return *out
	}
	plan, out := s.readChangeOfItems(in, "subscription_", sub)
	if out != nil {
		return *out
	}
	ends, out := in.boolean("subscription_cancel_at_period_end", sub.CancelAtPeriodEnd)
	if out != nil {
		return *out
	}
	pending := copies(slices.Concat(sub.pending, plan.lines), func(each *line) *line { return new(*each) })
	then := *sub
	then.items = plan.items
	switch {
	case plan.now && !plan.reanchors:
		inv := s.foresee(&then, "upcoming", pending)
		return done(s.shownInvoice(inv, in, ""))
	case plan.reanchors:
		anchor := s.now()
		then.CurrentPeriodStart, then.CurrentPeriodEnd = anchor.Unix(), then.rhythm().next(anchor, 1).Unix()
	case sub.over() || ends && len(pending) == 0:
		return failed(http.StatusNotFound, apiError{
			Type: typeInvalidRequest, Code: "invoice_upcoming_none", Message: "No upcoming invoices for customer: '" + sub.owner.ID + "'",
		})
	default:
		s.foreseePeriod(&then)
	}
	if !ends || plan.reanchors {
		pending = append(pending, fullLines(&then, then.items, then.CurrentPeriodStart, then.CurrentPeriodEnd)...)
	}
	inv := s.foresee(&then, "upcoming", pending)
	inv.PeriodStart, inv.PeriodEnd = sub.CurrentPeriodStart, sub.CurrentPeriodEnd
	if inv.Created = then.CurrentPeriodStart; !plan.reanchors {
		inv.NextPaymentAttempt = new(inv.Created + int64(invoiceDraftTime.Seconds()))
	}
	return done(s.shownInvoice(inv, in, ""))
}

// foreseePeriod moves a copy of a subscription on.
func (s *Server) foreseePeriod(then *subscription) {
	then.cycle++
	then.CurrentPeriodStart, then.CurrentPeriodEnd = then.CurrentPeriodEnd, then.rhythm().next(then.anchor, then.cycle).Unix()
}

// upcomingOf is the subscription that an upcoming invoice is asked for. The caller holds mu.
func (s *Server) upcomingOf(in *request) (*subscription, *result) {
	customer, id := in.params["customer"], in.params["subscription"]
	if customer == "" && id == "" {
		return nil, new(missingParam("customer"))
	}
	if id == "" {
		held, out := s.customerBy(customer, "customer")
		if out != nil {
			return nil, out
		}
		for _, sub := range held.subscriptions {
			if !sub.over() {
				return sub, nil
			}
		}
		return nil, new(failed(http.StatusNotFound, apiError{
			Type: typeInvalidRequest, Code: "invoice_upcoming_none", Message: "No upcoming invoices for customer: '" + customer + "'",
		}))
	}
	sub, ok := s.subscriptions.Get(id)
	if !ok || customer != "" && sub.owner.ID != customer {
		return nil, new(notFound("subscription", "subscription", clip(id)))
	}
	return sub, nil
}

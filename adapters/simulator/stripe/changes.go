package stripe

import (
	"net/http"
	"strconv"
	"time"
)

var (
	subscriptionUpdateParams = []string{
		"items[*][id]", "items[*][price]", "items[*][quantity]", "items[*][deleted]", "items[*][price_data][currency]", "items[*][price_data][product]",
		"items[*][price_data][unit_amount]", "items[*][price_data][recurring][interval]", "items[*][price_data][recurring][interval_count]",
		"proration_behavior", "proration_date", "payment_behavior", "billing_cycle_anchor", "cancel_at", "cancel_at_period_end",
		"cancellation_details[comment]", "cancellation_details[feedback]", "default_payment_method", "description", "metadata[*]", "off_session",
		"pause_collection", "pause_collection[behavior]", "pause_collection[resumes_at]", "payment_settings[save_default_payment_method]",
		"payment_settings[payment_method_types][*]", "trial_end", "trial_settings[end_behavior][missing_payment_method]", "expand[*]",
	}
	subscriptionCancelParams = []string{"invoice_now", "prorate", "cancellation_details[comment]", "cancellation_details[feedback]", "expand[*]"}
	subscriptionResumeParams = []string{"billing_cycle_anchor", "proration_behavior", "expand[*]"}
)

// change is what becomes of a subscription's items, and what follows.
type change struct {
	items     []*item
	lines     []*line // prorations
	reanchors bool    // a new period begins now
	now       bool    // it is charged at once
}

// readChangeOfItems reads what becomes of a subscription's items: items and the rest are
// under names with a prefix. The caller holds mu.
func (s *Server) readChangeOfItems(in *request, prefix string, sub *subscription) (change, *result) {
	var c change
	var out *result
	if c.items, out = s.readItems(in, prefix+"items", sub); out != nil {
		return c, out
	}
	behavior, out := in.choice(prefix+"proration_behavior", "create_prorations", "none", "always_invoice")
	if out != nil {
		return c, out
	}
	anchor, out := in.choice(prefix+"billing_cycle_anchor", "unchanged", "now")
	if out != nil {
		return c, out
	}
	now := s.now().Unix()
	at, said, out := in.integer(prefix+"proration_date", sub.CurrentPeriodStart, sub.CurrentPeriodEnd)
	switch {
	case out != nil:
		return c, out
	case !said:
		at = min(now, sub.CurrentPeriodEnd)
	}
	if sub.Status == subTrialing || sub.Status == subPaused || sub.Status == subIncomplete || sub.over() {
		return c, nil // nothing was charged that could be given back
	}
	free := amountOf(sub.items) == 0 && amountOf(c.items) > 0
	c.reanchors = anchor == "now" || free || !c.items[0].Price.Recurring.same(sub.rhythm())
	if behavior != "none" {
		c.lines = prorations(sub, c.items, at, c.reanchors)
	}
	c.now = c.reanchors || behavior == "always_invoice" && len(c.lines) > 0
	return c, nil
}

func amountOf(items []*item) int64 {
	total := int64(0)
	for _, each := range items {
		total += each.Price.UnitAmount * each.Quantity
	}
	return total
}

// updateSubscription changes a subscription.
//
// Source: docs.stripe.com/api/subscriptions/update.
func (s *Server) updateSubscription(in *request) result {
	behavior, out := in.choice("payment_behavior", "allow_incomplete", "default_incomplete", "error_if_incomplete")
	if out != nil {
		return *out
	}
	offSession, out := in.boolean("off_session", false)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, ok := s.subscriptions.Get(in.id)
	if !ok {
		return notFound("subscription", "id", in.id)
	}
	if out := in.checkChangeable(sub); out != nil {
		return *out
	}
	changed := *sub
	if out := s.readSettings(in, &changed); out != nil {
		return *out
	}
	if out := s.readPause(in, &changed); out != nil {
		return *out
	}
	ends, out := s.readNewTrial(in, &changed)
	if out != nil {
		return *out
	}
	plan, out := s.readChangeOfItems(in, "", sub)
	if out != nil {
		return *out
	}
	if plan.now && behavior == "error_if_incomplete" && s.amountNow(sub, plan) > 0 {
		if out := s.checkCharge(&changed, behavior, offSession); out != nil {
			return *out
		}
	}
	planned, held := sub.planned, sub.TrialEnd
	*sub = changed
	sub.planned = planned
	if !same64(held, sub.TrialEnd) && !ends {
		s.planRenewal(sub)
		s.planTrialNotice(sub)
	}
	s.planCancellation(sub)
	s.planUnpause(sub)
	s.apply(sub, plan, ends, behavior, offSession)
	return done(s.shownSubscription(sub, in))
}

func same64(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

// amountNow is what a change would charge at once. The caller holds mu.
func (s *Server) amountNow(sub *subscription, plan change) int64 {
	total := sum(sub.pending) + sum(plan.lines) + sub.owner.Balance
	if plan.reanchors {
		total += amountOf(plan.items)
	}
	return total
}

// checkChangeable refuses what cannot be changed any more, or not yet.
func (in *request) checkChangeable(sub *subscription) *result {
	for name := range in.params {
		always := fits("metadata[*]", name) || fits("cancellation_details[*]", name) || fits("expand[*]", name)
		switch {
		case sub.over() && !always:
			return new(failed(http.StatusBadRequest, apiError{
				Type: typeInvalidRequest, Param: name, Message: "A canceled subscription can only update its cancellation_details and metadata.",
			}))
		case sub.Status == subIncomplete && !always && name != "default_payment_method" && name != "description" && !fits("payment_settings[*]", name):
			return new(failed(http.StatusBadRequest, apiError{
				Type: typeInvalidRequest, Param: name, Message: "An incomplete subscription can only update its metadata, description, payment settings and default payment method.",
			}))
		}
	}
	return nil
}

// readPause reads whether invoices are collected.
//
// Source: docs.stripe.com/billing/subscriptions/pause-payment.
func (s *Server) readPause(in *request, sub *subscription) *result {
	text, clears := in.params["pause_collection"]
	behavior := in.params["pause_collection[behavior]"]
	at, said, out := in.integer("pause_collection[resumes_at]", s.now().Unix()+1, 1<<40)
	switch {
	case out != nil:
		return out
	case clears && (text != "" || behavior != ""):
		return new(invalid("", "pause_collection", "Invalid object"))
	case clears:
		sub.PauseCollection = nil
	case behavior == "" && said && sub.PauseCollection == nil:
		return new(missingParam("pause_collection[behavior]"))
	case behavior != "" || said:
		was := sub.PauseCollection
		sub.PauseCollection = &pauseCollection{}
		if behavior == "" {
			behavior = was.Behavior
		}
		if sub.PauseCollection.Behavior = behavior; behavior != "void" && behavior != "keep_as_draft" && behavior != "mark_uncollectible" {
			return new(invalid("", "pause_collection[behavior]", "Invalid pause_collection[behavior]: must be one of keep_as_draft, mark_uncollectible, void."))
		}
		if said {
			sub.PauseCollection.ResumesAt = &at
		}
	}
	return nil
}

// planUnpause plans the end of a pause. The caller holds mu.
func (s *Server) planUnpause(sub *subscription) {
	pause := sub.PauseCollection
	if pause == nil || pause.ResumesAt == nil {
		return
	}
	s.later(*pause.ResumesAt, func() {
		if sub.PauseCollection == pause && !sub.over() {
			sub.PauseCollection = nil
			s.tell("customer.subscription.updated", sub.copied())
		}
	})
}

// readNewTrial reads when a running trial ends; it reports whether that is now. The caller
// holds mu.
func (s *Server) readNewTrial(in *request, sub *subscription) (now bool, out *result) {
	text, said := in.params["trial_end"]
	if !said || text == "now" && sub.Status != subTrialing {
		return false, nil
	}
	if sub.Status != subTrialing {
		return false, new(invalid("", "trial_end", "Invalid trial_end: this account can change it only of a subscription that is trialing."))
	}
	if text == "now" {
		return true, nil
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil || at <= s.now().Unix() || at > s.now().AddDate(0, 0, trialDaysMax).Unix() {
		return false, new(invalid("", "trial_end", "Invalid timestamp: trial_end must be 'now', or in the future and within two years."))
	}
	sub.TrialEnd, sub.CurrentPeriodEnd, sub.BillingCycleAnchor = &at, at, at
	sub.anchor, sub.cycle = time.Unix(at, 0).UTC(), 0
	return false, nil
}

// apply does what a change brings. The caller holds mu.
func (s *Server) apply(sub *subscription, plan change, endsTrial bool, behavior string, offSession bool) {
	sub.items, sub.pending = plan.items, append(sub.pending, plan.lines...)
	s.keepItems(sub)
	if endsTrial {
		sub.Status, sub.TrialEnd = subActive, new(s.now().Unix())
		s.dropSetup(sub)
	}
	restarts := plan.reanchors || endsTrial
	if restarts {
		s.reanchor(sub)
	}
	s.tell("customer.subscription.updated", sub.copied())
	if !plan.now && !endsTrial {
		return
	}
	var lines []*line
	if restarts {
		lines = s.takePending(sub)
	} else {
		lines, sub.pending = sub.pending, nil
	}
	inv := s.draft(sub, reasonUpdate, lines)
	s.finalize(inv)
	switch {
	case inv.Status != invoiceOpen:
	case behavior != "default_incomplete":
		s.collect(inv, offSession)
	case sub.Status == subActive:
		sub.Status = subPastDue
		s.tell("customer.subscription.updated", sub.copied())
	}
}

// reanchor begins a period now. The caller holds mu.
func (s *Server) reanchor(sub *subscription) {
	sub.anchor, sub.cycle = s.now().Truncate(time.Second), 1
	sub.BillingCycleAnchor, sub.CurrentPeriodStart = sub.anchor.Unix(), sub.anchor.Unix()
	sub.CurrentPeriodEnd = sub.rhythm().next(sub.anchor, 1).Unix()
	if sub.CancelAtPeriodEnd {
		sub.CancelAt = new(sub.CurrentPeriodEnd)
	}
	s.planRenewal(sub)
}

// cancelSubscription ends a subscription at once.
//
// Source: docs.stripe.com/api/subscriptions/cancel.
func (s *Server) cancelSubscription(in *request) result {
	bills, out := in.boolean("invoice_now", false)
	if out != nil {
		return *out
	}
	prorates, out := in.boolean("prorate", false)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, ok := s.subscriptions.Get(in.id)
	if !ok || sub.over() { // what has ended is not found by this call
		return notFound("subscription", "id", in.id)
	}
	if out := in.texts(
		textField{"cancellation_details[comment]", metadataValueCharsMax, &sub.CancellationDetails.Comment},
		textField{"cancellation_details[feedback]", nameCharsMax, &sub.CancellationDetails.Feedback},
	); out != nil {
		return *out
	}
	if prorates && (sub.Status == subActive || sub.Status == subPastDue) {
		sub.pending = append(sub.pending, prorations(sub, nil, min(s.now().Unix(), sub.CurrentPeriodEnd), true)...)
	}
	s.endSubscription(sub, canceled, "cancellation_requested")
	if bills && len(sub.pending) > 0 {
		inv := s.draft(sub, reasonUpdate, sub.pending)
		sub.pending, inv.AutoAdvance = nil, false
		s.finalize(inv)
		if inv.Status == invoiceOpen && s.charge(inv, sub.charged(), true) != nil {
			s.tellUnpaid(inv)
		}
	}
	return done(s.shownSubscription(sub, in))
}

// resumeSubscription goes on with a subscription that was paused at the end of its trial. It
// is active once its first invoice is paid.
//
// Source: docs.stripe.com/api/subscriptions/resume.
func (s *Server) resumeSubscription(in *request) result {
	if _, out := in.choice("billing_cycle_anchor", "now", "unchanged"); out != nil {
		return *out
	}
	if _, out := in.choice("proration_behavior", "create_prorations", "none", "always_invoice"); out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, ok := s.subscriptions.Get(in.id)
	switch {
	case !ok:
		return notFound("subscription", "id", in.id)
	case sub.Status != subPaused:
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Message: "You can only resume a subscription that is paused. This subscription has a status of " + sub.Status + ".",
		})
	}
	s.resume(sub)
	return done(s.shownSubscription(sub, in))
}

// resume begins the first period of a paused subscription. The caller holds mu.
func (s *Server) resume(sub *subscription) {
	s.reanchor(sub)
	inv := s.draft(sub, reasonUpdate, s.takePending(sub))
	inv.AutoAdvance = false
	s.finalize(inv)
	if inv.Status == invoiceOpen && s.charge(inv, sub.charged(), true) != nil {
		s.tellUnpaid(inv)
	}
}

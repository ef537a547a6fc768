package stripe

import (
	"slices"
	"time"
)

// begin takes a new subscription in, and plans what time brings it. The caller holds mu.
func (s *Server) begin(sub *subscription) {
	sub.ID = s.newID("sub")
	s.keepItems(sub)
	s.subscriptions.Put(sub.ID, sub)
	sub.owner.subscriptions = append(sub.owner.subscriptions, sub)
	if sub.Status == subTrialing && sub.charged() == nil {
		sub.setup = &setup{
			Object: "setup_intent", Customer: &sub.owner.ID, Metadata: map[string]string{}, PaymentMethodTypes: []string{"card"}, Status: requiresMethod,
			Usage: "off_session", sub: sub,
		}
		s.keepSetup(sub.setup)
	}
	s.tell("customer.subscription.created", sub.copied())
	s.planRenewal(sub)
	s.planTrialNotice(sub)
	s.planCancellation(sub)
}

// keepItems makes items a subscription's own, with prices that were described with them. The
// caller holds mu.
func (s *Server) keepItems(sub *subscription) {
	for _, each := range sub.items {
		each.Subscription = sub.ID
		s.keepPrice(each.Price)
	}
}

// firstInvoice charges what begins, or waits for the buyer to pay it. The caller holds mu.
func (s *Server) firstInvoice(sub *subscription, behavior string, offSession bool) {
	if sub.Status == subTrialing {
		s.finalize(s.draft(sub, reasonCreate, trialLines(sub)))
		return
	}
	inv := s.draft(sub, reasonCreate, fullLines(sub, sub.items, sub.CurrentPeriodStart, sub.CurrentPeriodEnd))
	inv.AutoAdvance = false // no one tries again but the buyer
	s.finalize(inv)
	if inv.Status == invoicePaid {
		return
	}
	s.after(firstPaymentTime, func() {
		if sub.Status == subIncomplete {
			s.endSubscription(sub, subExpired, "")
		}
	})
	by := sub.charged()
	if behavior == "default_incomplete" {
		if by != nil {
			inv.intent.method, inv.intent.Status = by, requiresConfirmation
		}
		return
	}
	if s.charge(inv, by, offSession) != nil {
		s.tellUnpaid(inv)
	}
}

// planRenewal plans what comes at the end of the period. The last plan holds. The caller
// holds mu.
func (s *Server) planRenewal(sub *subscription) {
	sub.planned++
	plan := sub.planned
	s.later(sub.CurrentPeriodEnd, func() {
		if sub.planned == plan && !sub.over() && sub.Status != subIncomplete && sub.Status != subPaused {
			s.renew(sub)
		}
	})
}

func (s *Server) planTrialNotice(sub *subscription) {
	if sub.TrialEnd == nil {
		return
	}
	end := *sub.TrialEnd
	s.later(max(end-int64(trialNoticeTime/time.Second), s.now().Unix()), func() {
		if sub.Status == subTrialing && *sub.TrialEnd == end {
			s.tell("customer.subscription.trial_will_end", sub.copied())
		}
	})
}

// planCancellation plans the end of a subscription at a time that was set. At the end of a
// period the renewal sees to it. The caller holds mu.
func (s *Server) planCancellation(sub *subscription) {
	if sub.CancelAt == nil || sub.CancelAtPeriodEnd {
		return
	}
	at := *sub.CancelAt
	s.later(at, func() {
		if !sub.over() && sub.CancelAt != nil && *sub.CancelAt == at && !sub.CancelAtPeriodEnd {
			s.endSubscription(sub, canceled, "cancellation_requested")
		}
	})
}

// renew begins a subscription's next period, with an invoice of it. The caller holds mu.
func (s *Server) renew(sub *subscription) {
	if sub.CancelAtPeriodEnd || sub.CancelAt != nil && *sub.CancelAt <= sub.CurrentPeriodEnd {
		s.endSubscription(sub, canceled, "cancellation_requested")
		return
	}
	if sub.Status == subTrialing {
		if sub.charged() == nil && s.endTrialUnpaid(sub) {
			return
		}
		sub.Status = subActive
		s.dropSetup(sub)
	}
	s.nextPeriod(sub)
	inv := s.draft(sub, reasonCycle, s.takePending(sub))
	s.tell("customer.subscription.updated", sub.copied())
	s.planRenewal(sub)
	switch pause := sub.PauseCollection; {
	case sub.Status == subUnpaid, pause != nil && pause.Behavior == "keep_as_draft":
		inv.AutoAdvance = false
	case pause != nil:
		s.finalize(inv)
		if inv.Status != invoiceOpen {
			return
		}
		if pause.Behavior == "void" {
			s.voidInvoice(inv)
		} else {
			s.writeOff(inv)
		}
	default:
		s.planCollection(inv, invoiceDraftTime)
	}
}

// nextPeriod moves a subscription on. The caller holds mu.
func (s *Server) nextPeriod(sub *subscription) {
	sub.cycle++
	sub.CurrentPeriodStart, sub.CurrentPeriodEnd = sub.CurrentPeriodEnd, sub.rhythm().next(sub.anchor, sub.cycle).Unix()
	if sub.CancelAtPeriodEnd {
		sub.CancelAt = new(sub.CurrentPeriodEnd)
	}
}

// takePending are the lines of an invoice for the current period, with those that waited for
// one.
func (s *Server) takePending(sub *subscription) []*line {
	lines := slices.Concat(sub.pending, fullLines(sub, sub.items, sub.CurrentPeriodStart, sub.CurrentPeriodEnd))
	sub.pending = nil
	return lines
}

// endTrialUnpaid does what was asked for a trial that ends without a method to charge. It
// reports whether there is no next period. The caller holds mu.
func (s *Server) endTrialUnpaid(sub *subscription) bool {
	switch sub.TrialSettings.EndBehavior.MissingPaymentMethod {
	case "cancel":
		s.endSubscription(sub, canceled, "cancellation_requested")
	case "pause":
		sub.Status = subPaused
		s.tell("customer.subscription.paused", sub.copied())
		s.tell("customer.subscription.updated", sub.copied())
	default:
		return false
	}
	return true
}

// dropSetup gives up waiting for a method. The caller holds mu.
func (s *Server) dropSetup(sub *subscription) {
	if waits := sub.setup; waits != nil && waits.Status != succeeded && waits.Status != canceled {
		waits.Status, waits.NextAction = canceled, nil
		s.tell("setup_intent.canceled", waits.copied())
	}
	sub.setup = nil
}

// setUpSubscription takes the method that a subscription waited for. The caller holds mu.
func (s *Server) setUpSubscription(sub *subscription, by *setup) {
	if sub.over() || sub.setup != by {
		return
	}
	sub.setup = nil
	if sub.PaymentSettings.SaveDefaultPaymentMethod == "on_subscription" {
		sub.method = by.method
	}
	s.tell("customer.subscription.updated", sub.copied())
}

// giveUp does what is set for subscriptions whose payment failed for the last time. The
// caller holds mu.
func (s *Server) giveUp(sub *subscription) {
	if sub.over() {
		return
	}
	if s.afterRetries == subUnpaid {
		sub.Status = subUnpaid
		s.tell("customer.subscription.updated", sub.copied())
		return
	}
	s.endSubscription(sub, canceled, "payment_failed")
}

// endSubscription ends a subscription now. What it still owes is not collected any more. The
// caller holds mu.
func (s *Server) endSubscription(sub *subscription, status, reason string) {
	now := s.now().Unix()
	if sub.Status == subIncomplete {
		status = subExpired
	}
	sub.Status, sub.EndedAt, sub.PauseCollection = status, &now, nil
	if sub.CanceledAt == nil {
		sub.CanceledAt = &now
	}
	if reason != "" {
		sub.CancellationDetails.Reason = &reason
	}
	s.dropSetup(sub)
	for _, inv := range sub.invoices {
		inv.AutoAdvance, inv.NextPaymentAttempt = false, nil
		if status == subExpired && inv.Status == invoiceOpen {
			s.voidInvoice(inv)
		}
	}
	if status == subExpired {
		s.tell("customer.subscription.updated", sub.copied())
		return
	}
	s.tell("customer.subscription.deleted", sub.copied())
}

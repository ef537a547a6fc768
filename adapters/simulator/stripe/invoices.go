package stripe

import (
	"fmt"
	"maps"
	"net/http"
	"time"
)

// The statuses of an invoice.
//
// Source: docs.stripe.com/invoicing/overview.
const (
	invoiceDraft         = "draft"
	invoiceOpen          = "open"
	invoicePaid          = "paid"
	invoiceUncollectible = "uncollectible"
	invoiceVoid          = "void"

	reasonCreate = "subscription_create"
	reasonCycle  = "subscription_cycle"
	reasonUpdate = "subscription_update"

	// invoiceDraftTime is how long the invoice of a renewal stays open to changes.
	invoiceDraftTime = time.Hour
)

// retryPauses are what comes between a failed payment and the next try, of invoices that are
// charged by themselves.
//
// Source: docs.stripe.com/billing/revenue-recovery, a schedule of one's own.
var retryPauses = []time.Duration{3 * 24 * time.Hour, 5 * 24 * time.Hour, 7 * 24 * time.Hour}

// invoice is an Invoice of a subscription.
//
// Source: docs.stripe.com/api/invoices/object.
type invoice struct {
	ID                   string            `json:"id,omitempty"` // none for one that is only foreseen
	Object               string            `json:"object"`
	AmountDue            int64             `json:"amount_due"`
	AmountPaid           int64             `json:"amount_paid"`
	AmountRemaining      int64             `json:"amount_remaining"`
	AttemptCount         int64             `json:"attempt_count"`
	Attempted            bool              `json:"attempted"`
	AutoAdvance          bool              `json:"auto_advance"`
	BillingReason        string            `json:"billing_reason"`
	Charge               any               `json:"charge"` // null, id or object
	CollectionMethod     string            `json:"collection_method"`
	Created              int64             `json:"created"`
	Currency             string            `json:"currency"`
	Customer             string            `json:"customer"`
	CustomerEmail        *string           `json:"customer_email"`
	CustomerName         *string           `json:"customer_name"`
	DefaultPaymentMethod *string           `json:"default_payment_method"`
	Description          *string           `json:"description"`
	DueDate              *int64            `json:"due_date"`
	EffectiveAt          *int64            `json:"effective_at"`
	EndingBalance        *int64            `json:"ending_balance"`
	HostedInvoiceURL     *string           `json:"hosted_invoice_url"`
	Lines                listOf            `json:"lines"`
	Livemode             bool              `json:"livemode"`
	Metadata             map[string]string `json:"metadata"`
	NextPaymentAttempt   *int64            `json:"next_payment_attempt"`
	Number               *string           `json:"number"`
	Paid                 bool              `json:"paid"`
	PaidOutOfBand        bool              `json:"paid_out_of_band"`
	PaymentIntent        any               `json:"payment_intent"` // null, id or object
	PeriodEnd            int64             `json:"period_end"`
	PeriodStart          int64             `json:"period_start"`
	StartingBalance      int64             `json:"starting_balance"`
	Status               string            `json:"status"`
	StatusTransitions    transitions       `json:"status_transitions"`
	Subscription         any               `json:"subscription"` // id or object
	SubscriptionDetails  struct {
		Metadata map[string]string `json:"metadata"`
	} `json:"subscription_details"`
	Subtotal  int64  `json:"subtotal"`
	Tax       *int64 `json:"tax"`
	TestClock *int64 `json:"test_clock"`
	Total     int64  `json:"total"`

	sub     *subscription
	lines   []*line
	intent  *intent // that pays it; nil for none
	retries int     // that were planned
}

type transitions struct {
	FinalizedAt           *int64 `json:"finalized_at"`
	MarkedUncollectibleAt *int64 `json:"marked_uncollectible_at"`
	PaidAt                *int64 `json:"paid_at"`
	VoidedAt              *int64 `json:"voided_at"`
}

// copied is the invoice as it stands now, which later changes leave alone.
func (inv *invoice) copied() *invoice {
	c := *inv
	c.Metadata, c.Subscription = maps.Clone(inv.Metadata), inv.sub.ID
	if inv.intent != nil {
		c.PaymentIntent = inv.intent.ID
		if inv.intent.charge != "" {
			c.Charge = inv.intent.charge
		}
	}
	return &c
}

var ofInvoice = []string{
	"payment_intent", "payment_intent.latest_charge", "payment_intent.payment_method", "payment_intent.latest_charge.refunds", "charge", "charge.refunds", "subscription",
}

// shownInvoice is an invoice as an answer shows it at a place. The caller holds mu.
func (s *Server) shownInvoice(inv *invoice, in *request, place string) *invoice {
	c := inv.copied()
	if inv.intent != nil && in.reaches(place+"payment_intent") {
		c.PaymentIntent = s.shownUnder(inv.intent, in, place+"payment_intent.")
	}
	if inv.intent != nil && in.reaches(place+"charge") {
		if of, ok := s.charges.Get(inv.intent.charge); ok {
			c.Charge = shownCharge(of, in, place+"charge.")
		}
	}
	if in.reaches(place + "subscription") {
		c.Subscription = inv.sub.copied()
	}
	return c
}

// foresee is an invoice as it would be made now. Nothing is kept of it.
func (s *Server) foresee(sub *subscription, reason string, lines []*line) *invoice {
	inv := &invoice{
		Object: "invoice", BillingReason: reason, CollectionMethod: sub.CollectionMethod, Created: s.now().Unix(), Currency: sub.Currency,
		Customer: sub.owner.ID, CustomerEmail: sub.owner.Email, CustomerName: sub.owner.Name, Metadata: map[string]string{},
		PeriodStart: sub.CurrentPeriodStart, PeriodEnd: sub.CurrentPeriodEnd, Status: invoiceDraft, Subtotal: sum(lines), Total: sum(lines),
		sub: sub, lines: lines, StartingBalance: sub.owner.Balance,
	}
	inv.SubscriptionDetails.Metadata = maps.Clone(sub.Metadata)
	inv.AmountDue, _ = inv.balanced()
	inv.AmountRemaining = inv.AmountDue
	inv.Lines = listOf{Object: "list", Data: lines, URL: "/v1/invoices/upcoming/lines"}
	return inv
}

// balanced is what is due of an invoice, and the customer's balance after it. What is too
// little to be charged, and what is below zero, goes to the balance.
//
// Source: docs.stripe.com/invoicing/customer/balance.
func (inv *invoice) balanced() (due, balance int64) {
	balance = inv.StartingBalance
	if due = inv.Total + balance; inv.Total <= 0 {
		return 0, balance + inv.Total
	}
	if due < leastOf(inv.Currency) {
		return 0, due
	}
	return due, 0
}

// draft makes an invoice that can be changed yet. The caller holds mu.
func (s *Server) draft(sub *subscription, reason string, lines []*line) *invoice {
	inv := s.foresee(sub, reason, lines)
	inv.ID, inv.AutoAdvance = s.newID("in"), true
	for _, each := range lines {
		if each.ID = s.newID("il"); each.Type == "invoiceitem" {
			each.InvoiceItem = s.newID("ii")
		}
	}
	inv.Lines.URL = "/v1/invoices/" + inv.ID + "/lines"
	s.invoices.Put(inv.ID, inv)
	sub.invoices = append(sub.invoices, inv)
	s.tell("invoice.created", inv.copied())
	return inv
}

// finalize closes an invoice: it is to be paid, or is paid where nothing is due. The caller
// holds mu.
func (s *Server) finalize(inv *invoice) {
	now, owner := s.now().Unix(), inv.sub.owner
	inv.StartingBalance = owner.Balance
	inv.AmountDue, owner.Balance = inv.balanced()
	inv.AmountRemaining, inv.EndingBalance, inv.Number = inv.AmountDue, new(owner.Balance), new(owner.number())
	inv.Status, inv.StatusTransitions.FinalizedAt, inv.EffectiveAt, inv.NextPaymentAttempt = invoiceOpen, &now, &now, nil
	if inv.AmountDue > 0 {
		i := &intent{
			Object: "payment_intent", Amount: inv.AmountDue, AmountDetails: map[string]any{"tip": map[string]any{}}, CaptureMethod: "automatic",
			ConfirmationMethod: "automatic", Currency: inv.Currency, Customer: &owner.ID, Description: new("Subscription update"), Invoice: inv.ID,
			Metadata: map[string]string{}, PaymentMethodTypes: []string{"card"}, SetupFutureUsage: new("off_session"), Status: requiresMethod, invoice: inv,
		}
		if inv.BillingReason == reasonCreate {
			i.Description = new("Subscription creation")
		}
		s.keep(i)
		inv.intent = i
	}
	s.tell("invoice.finalized", inv.copied())
	if inv.AmountDue == 0 {
		s.invoicePaid(inv)
	}
}

// charge tries an open invoice, or one that is finished as a draft, with a method, nil for
// none. The error says why that did not work; it is nil where the invoice is paid. The caller
// holds mu.
func (s *Server) charge(inv *invoice, with *paymentMethod, offSession bool) *result {
	inv.Attempted = true
	inv.AttemptCount++
	if with == nil {
		return new(failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "invoice_no_payment_method", Message: "There is no `default_payment_method` set on this Customer or Invoice. Please set a default payment method, or give one to pay with.",
		}))
	}
	inv.intent.method = with
	out := s.attempt(inv.intent, &request{}, offSession)
	switch {
	case inv.Status == invoicePaid:
		return nil
	case inv.intent.Status == requiresAction:
		return new(failed(http.StatusPaymentRequired, apiError{
			Type: typeCard, Code: "invoice_payment_intent_requires_action", PaymentIntent: inv.intent.copied(),
			Message: "This payment requires additional user action before it can be completed successfully. Payment can be completed using the PaymentIntent associated with the invoice.",
		}))
	}
	return &out
}

// tellUnpaid tells that an invoice could not be charged. The caller holds mu.
func (s *Server) tellUnpaid(inv *invoice) {
	if inv.intent.Status == requiresAction {
		s.tell("invoice.payment_action_required", inv.copied())
	}
	s.tell("invoice.payment_failed", inv.copied())
}

// collect charges an open invoice without the buyer, and plans the next try where that fails.
// The caller holds mu.
func (s *Server) collect(inv *invoice, offSession bool) {
	inv.NextPaymentAttempt = nil
	if s.charge(inv, inv.sub.charged(), offSession) == nil {
		return
	}
	last := inv.retries >= len(retryPauses)
	if !last {
		s.planCollection(inv, retryPauses[inv.retries])
		inv.retries++
	}
	s.tellUnpaid(inv)
	if sub := inv.sub; sub.Status == subActive {
		sub.Status = subPastDue
		s.tell("customer.subscription.updated", sub.copied())
	}
	if last {
		s.giveUp(inv.sub)
	}
}

// planCollection has an invoice charged after a while, a draft once it is finalized. The
// caller holds mu.
func (s *Server) planCollection(inv *invoice, while time.Duration) {
	at := s.now().Add(while).Unix()
	inv.NextPaymentAttempt = &at
	s.later(at, func() {
		if inv.NextPaymentAttempt == nil || *inv.NextPaymentAttempt != at {
			return // it was paid, or is not wanted any more
		}
		if inv.Status == invoiceDraft {
			s.finalize(inv)
		}
		if inv.Status == invoiceOpen {
			s.collect(inv, true)
		}
	})
}

// invoicePaid books an invoice as paid, and goes on with its subscription. The caller holds
// mu.
func (s *Server) invoicePaid(inv *invoice) {
	inv.Status, inv.Paid, inv.AmountPaid, inv.AmountRemaining = invoicePaid, true, inv.AmountDue, 0
	inv.StatusTransitions.PaidAt, inv.NextPaymentAttempt, inv.AutoAdvance, inv.Attempted = new(s.now().Unix()), nil, false, true
	s.tell("invoice.paid", inv.copied())
	s.tell("invoice.payment_succeeded", inv.copied())
	sub := inv.sub
	if by := inv.intent; by != nil && by.method != nil && by.method.Customer != nil && sub.PaymentSettings.SaveDefaultPaymentMethod == "on_subscription" {
		sub.method = by.method
	}
	switch {
	case sub.Status == subIncomplete:
		sub.Status = subActive
	case sub.Status == subPaused && inv == sub.latest():
		sub.Status = subActive
		s.tell("customer.subscription.resumed", sub.copied())
	case (sub.Status == subPastDue || sub.Status == subUnpaid) && inv == sub.latest():
		sub.Status = subActive
	default:
		return
	}
	s.tell("customer.subscription.updated", sub.copied())
}

// voidInvoice lets an invoice go, with the payment that was to be made. The caller holds mu.
func (s *Server) voidInvoice(inv *invoice) {
	inv.Status, inv.AutoAdvance, inv.NextPaymentAttempt, inv.StatusTransitions.VoidedAt = invoiceVoid, false, nil, new(s.now().Unix())
	if inv.intent != nil && inv.intent.Status != canceled {
		s.end(inv.intent, "void_invoice", "charge.refunded")
	}
	s.tell("invoice.voided", inv.copied())
}

// writeOff marks an invoice as one that will not be paid. The caller holds mu.
func (s *Server) writeOff(inv *invoice) {
	inv.Status, inv.AutoAdvance, inv.NextPaymentAttempt, inv.StatusTransitions.MarkedUncollectibleAt = invoiceUncollectible, false, nil, new(s.now().Unix())
	s.tell("invoice.marked_uncollectible", inv.copied())
}

// unfit is the error of a call that the invoice's status does not allow.
func unfit(inv *invoice, verb string) result {
	return failed(http.StatusBadRequest, apiError{
		Type: typeInvalidRequest, Message: fmt.Sprintf("This invoice cannot be %s because it has a status of %s.", verb, inv.Status),
	})
}

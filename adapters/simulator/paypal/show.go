package paypal

import (
	"slices"
	"strings"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// kinds are the types of objects that are held, in the order of a full list. Events are left
// out of that: they only repeat the others.
var kinds = []string{
	"order", "authorization", "capture", "sale", "refund", "dispute", "setup_token", "payment_token", "product", "plan", "subscription",
}

// Kinds implements [engine.Dialect].
func (s *Server) Kinds() []string { return append(slices.Clone(kinds), "event") }

// Objects implements [engine.Dialect]. Orders that nobody approved in time are gone.
func (s *Server) Objects(kind string) ([]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind == "" {
		var all []any
		for _, each := range kinds {
			objects, _ := s.held(each)
			all = append(all, objects...)
		}
		return all, true
	}
	return s.held(kind)
}

// held gives the objects of a type. The caller holds mu.
func (s *Server) held(kind string) ([]any, bool) {
	switch kind {
	case "order":
		return shownAll(&s.orders, func(o *order) bool { return !s.gone(o) }, func(o *order) any { return s.shownOrder(o, true) })
	case "authorization":
		return shownAll(&s.authorizations, nil, func(a *authorization) any { return s.shownAuthorization(a, true, true) })
	case "capture":
		return shownAll(&s.captures, func(c *capture) bool { return c.order.subscription == nil }, func(c *capture) any { return s.shownCapture(c, true, true) })
	case "sale":
		return shownAll(&s.captures, func(c *capture) bool { return c.order.subscription != nil }, func(c *capture) any { return s.shownSale(c) })
	case "refund":
		return shownAll(&s.refunds, nil, func(r *refund) any { return s.shownRefund(r, true) })
	case "dispute":
		return shownAll(&s.disputes, nil, func(d *dispute) any { return s.shownDispute(d, true) })
	case "setup_token":
		return shownAll(&s.setupTokens, nil, func(t *setupToken) any { return s.shownSetupToken(t) })
	case "payment_token":
		return shownAll(&s.paymentTokens, func(t *paymentToken) bool { return !t.deleted }, func(t *paymentToken) any { return s.shownPaymentToken(t) })
	case "product":
		return shownAll(&s.products, nil, func(p *product) any { return s.shownProduct(p) })
	case "plan":
		return shownAll(&s.plans, nil, func(p *plan) any { return s.shownPlan(p) })
	case "subscription":
		return shownAll(&s.subscriptions, nil, func(b *subscription) any { return s.shownSubscription(b, true, false) })
	case "event":
		return shownAll(&s.events, nil, func(e *event) any { return rawText(e.text) })
	}
	return nil, false
}

// shownAll shows what there is in a store, of all that keep lets through; nil for everything.
func shownAll[T any](held *engine.Store[T], keep func(T) bool, show func(T) any) ([]any, bool) {
	objects := []any{}
	for _, one := range held.All() {
		if keep == nil || keep(one) {
			objects = append(objects, show(one))
		}
	}
	return objects, true
}

// rawText is JSON that is written already.
type rawText []byte

// MarshalJSON gives the text as it is.
func (t rawText) MarshalJSON() ([]byte, error) { return t, nil }

// api is the address of a part of the API. It names this simulator, as every link does.
func (s *Server) api(path string) string { return s.base() + s.prefix + path }

func (s *Server) get(rel, path string) link { return link{s.api(path), rel, "GET"} }

func (s *Server) post(rel, path string) link { return link{s.api(path), rel, "POST"} }

// shownOrder is an order as an answer shows it: all of it, or next to nothing.
func (s *Server) shownOrder(o *order, full bool) orderWire {
	shown := orderWire{ID: o.id, Status: o.status, PaymentSource: s.shownSource(o), Links: s.orderLinks(o)}
	if !full {
		return shown
	}
	shown.Intent, shown.CreateTime, shown.UpdateTime = o.intent, timeText(o.created), timeText(o.updated)
	if o.funding != nil && o.source == sourcePayPal {
		shown.Payer = &payer{Name: fullName{"Test", "Buyer"}, Email: payerMail, PayerID: payerID, Address: map[string]string{"country_code": "US"}}
	}
	for _, u := range o.units {
		one := unitWire{
			ReferenceID: u.referenceID, Amount: amountWithBreakdown{moneyOf(u.amount, o.currency), u.breakdown}, Payee: payee{merchantMail, merchantID},
			Description: u.description, CustomID: u.customID, InvoiceID: u.invoiceID, SoftDescriptor: u.descriptor, Items: u.items,
		}
		payments := paymentsWire{}
		for _, a := range u.authorizations {
			payments.Authorizations = append(payments.Authorizations, s.shownAuthorization(a, true, false))
		}
		for _, c := range u.captures {
			payments.Captures = append(payments.Captures, s.shownCapture(c, true, false))
		}
		for _, r := range u.refunds {
			payments.Refunds = append(payments.Refunds, s.shownRefund(r, true))
		}
		if len(u.authorizations)+len(u.captures)+len(u.refunds) > 0 {
			one.Payments = &payments
		}
		shown.PurchaseUnits = append(shown.PurchaseUnits, one)
	}
	return shown
}

// shownSource is what the order is paid with, as far as anybody may know.
func (s *Server) shownSource(o *order) map[string]any {
	if o.source == "" {
		return nil
	}
	about := map[string]any{}
	with := o.funding
	if with == nil {
		with = o.asking
	}
	switch {
	case with == nil:
	case o.source == sourceCard:
		about = map[string]any{"last_digits": with.Last4, "brand": with.Brand, "type": "CREDIT", "expiry": with.Expiry}
		if with.Holder != "" {
			about["name"] = with.Holder
		}
		if with.shift != "" {
			about["authentication_result"] = map[string]any{
				"liability_shift": with.shift,
				"three_d_secure":  map[string]any{"enrollment_status": "Y", "authentication_status": with.answer},
			}
		}
	case o.funding != nil:
		about = map[string]any{
			"email_address": payerMail, "account_id": payerID, "account_status": "VERIFIED",
			"name": fullName{"Test", "Buyer"}, "address": map[string]string{"country_code": "US"},
		}
	}
	if t := o.saved; t != nil {
		about["attributes"] = map[string]any{"vault": map[string]any{"id": t.id, "status": statusVaulted, "customer": t.customer.shown(), "links": s.tokenLinks(t)}}
	}
	return map[string]any{o.source: about}
}

// orderLinks are what can be done with an order next.
func (s *Server) orderLinks(o *order) []link {
	at := "/v2/checkout/orders/" + o.id
	links := []link{s.get("self", at)}
	approve := s.approvalPage(o)
	act := s.post("capture", at+"/capture")
	if o.intent == intentAuthorize {
		act = s.post("authorize", at+"/authorize")
	}
	switch o.status {
	case statusCreated:
		links = append(links, link{approve, "approve", "GET"}, link{s.api(at), "update", "PATCH"}, act)
	case statusActionRequired:
		links = append(links, link{approve, "payer-action", "GET"})
	case statusApproved:
		links = append(links, link{s.api(at), "update", "PATCH"}, act)
	}
	return links
}

// approvalPage is where the buyer agrees.
func (s *Server) approvalPage(o *order) string { return s.api("/checkoutnow?token=" + o.id) }

// reasonOf is the detail of a status; nil for none.
func reasonOf(reason string) *statusDetails {
	if reason == "" {
		return nil
	}
	return &statusDetails{reason}
}

var protected = map[string]any{"status": "ELIGIBLE", "dispute_categories": []string{"ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"}}

// responseOf is what the processor said, where somebody is to know: cards always, and a
// wallet's card that was refused.
func responseOf(o *order, with *card) *processorResponse {
	if with == nil || o.source != sourceCard && with.refusal() == "" {
		return nil
	}
	return with.response()
}

// shownAuthorization is an authorization as an answer shows it; alone is by itself rather
// than inside of its order.
func (s *Server) shownAuthorization(a *authorization, full, alone bool) authorizationWire {
	at := "/v2/payments/authorizations/" + a.id
	shown := authorizationWire{ID: a.id, Status: a.status, StatusDetails: reasonOf(a.reason), Links: []link{
		s.get("self", at), s.post("capture", at+"/capture"), s.post("void", at+"/void"), s.post("reauthorize", at+"/reauthorize"), s.get("up", "/v2/checkout/orders/"+a.order.id),
	}}
	if !full {
		return shown
	}
	shown.Amount = new(moneyOf(a.amount, a.order.currency))
	shown.InvoiceID, shown.CustomID, shown.SellerProtection = a.unit.invoiceID, a.unit.customID, protected
	shown.ProcessorResponse = responseOf(a.order, a.funding)
	shown.ExpirationTime = timeText(a.expires)
	shown.CreateTime, shown.UpdateTime = timeText(a.created), timeText(a.updated)
	if alone {
		shown.SupplementaryData = &relatedIDs{map[string]string{"order_id": a.order.id}}
		shown.Payee = &payee{merchantMail, merchantID}
	}
	return shown
}

// shownCapture is a capture as an answer shows it; alone is by itself rather than inside of
// its order.
func (s *Server) shownCapture(c *capture, full, alone bool) captureWire {
	at := "/v2/payments/captures/" + c.id
	up := s.get("up", "/v2/checkout/orders/"+c.order.id)
	related := map[string]string{"order_id": c.order.id}
	if c.authorization != nil {
		up = s.get("up", "/v2/payments/authorizations/"+c.authorization.id)
		related["authorization_id"] = c.authorization.id
	}
	shown := captureWire{ID: c.id, Status: c.status, StatusDetails: reasonOf(c.reason), Links: []link{s.get("self", at), s.post("refund", at+"/refund")}}
	if c.order.subscription == nil {
		shown.Links = append(shown.Links, up)
	}
	if !full {
		return shown
	}
	currency := c.order.currency
	shown.Amount = new(moneyOf(c.amount, currency))
	shown.FinalCapture, shown.InvoiceID, shown.CustomID, shown.SellerProtection = new(c.final), c.invoiceID, c.unit.customID, protected
	if c.took() {
		shown.Breakdown = map[string]money{
			"gross_amount": moneyOf(c.amount, currency), "paypal_fee": moneyOf(fee(c.amount), currency), "net_amount": moneyOf(c.amount-fee(c.amount), currency),
		}
	}
	shown.ProcessorResponse = responseOf(c.order, c.funding)
	shown.CreateTime, shown.UpdateTime = timeText(c.created), timeText(c.updated)
	if alone {
		shown.Payee = &payee{merchantMail, merchantID}
		if c.order.subscription == nil {
			shown.SupplementaryData = &relatedIDs{related}
		}
	}
	return shown
}

// took reports whether the capture moved money.
func (c *capture) took() bool { return c.status != statusPending && c.status != statusDeclined }

// fee is what PayPal keeps of an amount, in the same units: 2.9 % and 30.
func fee(amount int64) int64 { return min(amount, amount*29/1000+30) }

// shownRefund is a refund as an answer shows it.
func (s *Server) shownRefund(r *refund, full bool) refundWire {
	shown := refundWire{ID: r.id, Status: r.status, StatusDetails: reasonOf(r.reason), Links: []link{
		s.get("self", "/v2/payments/refunds/"+r.id), s.get("up", "/v2/payments/captures/"+r.capture.id),
	}}
	if !full {
		return shown
	}
	currency := r.capture.order.currency
	shown.Amount = new(moneyOf(r.amount, currency))
	shown.InvoiceID, shown.CustomID, shown.NoteToPayer = r.invoiceID, r.customID, r.note
	shown.Breakdown = map[string]money{
		"gross_amount": moneyOf(r.amount, currency), "paypal_fee": moneyOf(0, currency), "net_amount": moneyOf(r.amount, currency),
		"total_refunded_amount": moneyOf(r.capture.refunded, currency),
	}
	shown.Payer = &payee{merchantMail, merchantID}
	shown.CreateTime, shown.UpdateTime = timeText(r.created), timeText(r.updated)
	return shown
}

// shownDispute is a dispute as an answer shows it: all of it, or as a list does.
func (s *Server) shownDispute(d *dispute, full bool) disputeWire {
	at := "/v1/customer/disputes/" + d.id
	shown := disputeWire{
		ID: d.id, CreateTime: d.created.Format(eventTimeFormat), UpdateTime: d.updated.Format(eventTimeFormat), Reason: d.reason, Status: d.status, State: d.state(),
		Amount: moneyOf(d.amount, d.currency), Stage: d.stage, Channel: "INTERNAL", Links: []link{s.get("self", at)},
	}
	if !full {
		return shown
	}
	for _, c := range d.captures {
		shown.DisputedTransactions = append(shown.DisputedTransactions, disputedWire{
			SellerTransactionID: c.id, CreateTime: c.created.Format(eventTimeFormat), TransactionStatus: statusCompleted,
			GrossAmount: moneyOf(c.amount, d.currency), InvoiceNumber: c.invoiceID, Custom: c.unit.customID,
		})
	}
	shown.Evidences = d.evidence
	if d.status == waitingForSeller {
		shown.ResponseDue = d.respondBy.Format(eventTimeFormat)
		shown.Options = map[string]any{"accept_claim": map[string]any{"accept_claim_types": []string{"REFUND"}}}
	}
	for _, action := range d.allowed() {
		shown.Links = append(shown.Links, s.post(strings.ReplaceAll(action, "-", "_"), at+"/"+action))
	}
	if d.outcome == "" {
		return shown
	}
	shown.Outcome = &disputeOutcome{Code: d.outcome}
	if d.outcome == outcomeLost {
		shown.Outcome.AmountRefunded = new(moneyOf(d.amount, d.currency))
	}
	return shown
}

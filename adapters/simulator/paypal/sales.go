package paypal

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// Payments of subscriptions are sales, which show in the form of payments v1. As captures, by
// the same ids, they show too.
//
// Source: developer.paypal.com/docs/api/payments/v1, sale.

var saleRefundShape = object(map[string]shape{
	"amount":         object(map[string]shape{"total": text(1, 32), "currency": text(3, 3)}, "total", "currency"),
	"invoice_number": text(1, customCharsMax), "description": text(0, 255), "reason": text(0, 30),
})

// totalWire is an amount in the form of payments v1.
type totalWire struct {
	Total    string `json:"total"`
	Currency string `json:"currency"`
}

func totalOf(units int64, currency string) totalWire {
	return totalWire{moneyOf(units, currency).Value, currency}
}

type saleWire struct {
	ID         string            `json:"id"`
	State      string            `json:"state"`
	Amount     totalWire         `json:"amount"`
	Mode       string            `json:"payment_mode"`
	Protection string            `json:"protection_eligibility"`
	Fee        map[string]string `json:"transaction_fee,omitempty"`
	Agreement  string            `json:"billing_agreement_id"`
	Custom     string            `json:"custom,omitempty"`
	CreateTime string            `json:"create_time"`
	UpdateTime string            `json:"update_time"`
	Links      []link            `json:"links"`
}

type saleRefundWire struct {
	ID         string    `json:"id"`
	State      string    `json:"state"`
	Amount     totalWire `json:"amount"`
	SaleID     string    `json:"sale_id"`
	Agreement  string    `json:"billing_agreement_id"`
	Invoice    string    `json:"invoice_number,omitempty"`
	Custom     string    `json:"custom,omitempty"`
	CreateTime string    `json:"create_time"`
	UpdateTime string    `json:"update_time"`
	Links      []link    `json:"links"`
}

// transactionWire is a sale as its subscription lists it.
type transactionWire struct {
	ID         string           `json:"id"`
	Status     string           `json:"status"`
	PayerEmail string           `json:"payer_email"`
	PayerName  fullName         `json:"payer_name"`
	Amounts    map[string]money `json:"amount_with_breakdown"`
	Time       string           `json:"time"`
}

// findSale gives a payment of a subscription. The caller holds mu.
func (s *Server) findSale(id string) (*capture, bool) {
	c, ok := s.captures.Get(id)
	return c, ok && c.order.subscription != nil
}

func (s *Server) getSale(in *request) result {
	if c, ok := s.findSale(in.id); ok {
		return done(s.shownSale(c))
	}
	return notFound()
}

// refundSale gives a payment of a subscription back, as a refund of a capture would. What
// PayPal says in this form of its API to what it refuses is not certain.
//
// Source: developer.paypal.com/docs/api/payments/v1, sale_refund.
func (s *Server) refundSale(in *request) result {
	var wire struct {
		Amount  *totalWire `json:"amount"`
		Invoice string     `json:"invoice_number"`
		Note    string     `json:"description"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	c, ok := s.findSale(in.id)
	if !ok {
		return notFound()
	}
	units := c.amount - c.refunded
	if wire.Amount != nil {
		var bad *result
		if units, bad = (money{wire.Amount.Currency, wire.Amount.Total}).units("/amount", false); bad != nil {
			return *bad
		}
		if wire.Amount.Currency != c.order.currency {
			return unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency")
		}
	}
	r := &refund{amount: units, invoiceID: wire.Invoice, note: wire.Note}
	if issue := s.refundRefusal(c, r); issue != "" {
		return unprocessable(issue, "")
	}
	s.giveBack(c, r)
	return created("sale_refund " + r.id)
}

func (s *Server) getSaleRefund(in *request) result {
	if r, ok := s.refunds.Get(in.id); ok && r.capture.order.subscription != nil {
		return done(s.shownSaleRefund(r))
	}
	return notFound()
}

// saleStates are the states of sales by the statuses of captures.
var saleStates = map[string]string{
	statusPending: "pending", statusDeclined: "denied", statusCompleted: "completed", statusRefunded: "refunded", statusPartlyRefunded: "partially_refunded",
}

func (s *Server) shownSale(c *capture) saleWire {
	at := "/v1/payments/sale/" + c.id
	shown := saleWire{
		ID: c.id, State: saleStates[c.status], Amount: totalOf(c.amount, c.order.currency), Mode: "INSTANT_TRANSFER", Protection: "ELIGIBLE",
		Agreement: c.order.subscription.id, Custom: c.unit.customID, CreateTime: timeText(c.created), UpdateTime: timeText(c.updated),
		Links: []link{s.get("self", at), s.post("refund", at+"/refund")},
	}
	if c.took() {
		taken := moneyOf(fee(c.amount), c.order.currency)
		shown.Fee = map[string]string{"value": taken.Value, "currency": taken.Currency}
	}
	return shown
}

func (s *Server) shownSaleRefund(r *refund) saleRefundWire {
	return saleRefundWire{
		ID: r.id, State: strings.ToLower(r.status), Amount: totalOf(r.amount, r.capture.order.currency), SaleID: r.capture.id,
		Agreement: r.capture.order.subscription.id, Invoice: r.invoiceID, Custom: r.customID, CreateTime: timeText(r.created), UpdateTime: timeText(r.updated),
		Links: []link{s.get("self", "/v1/payments/refund/"+r.id), s.get("sale", "/v1/payments/sale/"+r.capture.id)},
	}
}

// listSales lists the payments of a subscription between two times, both of which are needed.
// Those that failed are none.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1, subscriptions_transactions.
func (s *Server) listSales(in *request) result {
	var window [2]time.Time
	for i, name := range transactionQuery {
		at, bad := in.time(name)
		switch {
		case bad != nil:
			return *bad
		case at.IsZero():
			return invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: name, Location: "query"})
		}
		window[i] = at
	}
	b, ok := s.subscriptions.Get(in.id)
	if !ok {
		return notFound()
	}
	shown := []transactionWire{}
	for _, c := range b.sales {
		if !c.created.Before(window[0]) && !c.created.After(window[1]) {
			shown = append(shown, s.shownTransaction(c))
		}
	}
	return done(map[string]any{
		"transactions": shown, "total_items": len(shown), "total_pages": 1,
		"links": []link{{s.api("/v1/billing/subscriptions/"+b.id+"/transactions") + asked(in.query), "self", "GET"}},
	})
}

func (s *Server) shownTransaction(c *capture) transactionWire {
	shown := s.shownDeclined(c.order.subscription, c.amount)
	shown.ID, shown.Status, shown.Time = c.id, c.status, timeText(c.created)
	if c.took() {
		shown.Amounts["fee_amount"] = moneyOf(fee(c.amount), c.order.currency)
		shown.Amounts["net_amount"] = moneyOf(c.amount-fee(c.amount), c.order.currency)
	}
	return shown
}

// shownDeclined is a payment that the bank refused just now.
func (s *Server) shownDeclined(b *subscription, units int64) transactionWire {
	return transactionWire{
		ID: s.newID(), Status: statusDeclined, PayerEmail: payerMail, PayerName: fullName{"Test", "Buyer"}, Time: timeText(s.now()),
		Amounts: map[string]money{"gross_amount": moneyOf(units, b.terms.currency)},
	}
}

type executionWire struct {
	Tenure    string `json:"tenure_type"`
	Sequence  int    `json:"sequence"`
	Completed int    `json:"cycles_completed"`
	Remaining int    `json:"cycles_remaining"`
	Version   int    `json:"current_pricing_scheme_version"`
	Total     int    `json:"total_cycles"`
}

type attemptWire struct {
	Amount money  `json:"amount"`
	Time   string `json:"time"`
	Reason string `json:"reason_code,omitempty"`
	Retry  string `json:"next_payment_retry_time,omitempty"`
}

type billingWire struct {
	Outstanding money           `json:"outstanding_balance"`
	Executions  []executionWire `json:"cycle_executions"`
	LastPayment *attemptWire    `json:"last_payment,omitempty"`
	Next        string          `json:"next_billing_time,omitempty"`
	LastFailed  *attemptWire    `json:"last_failed_payment,omitempty"`
	Failed      int             `json:"failed_payments_count"`
}

type subscriberWire struct {
	Email   string   `json:"email_address,omitempty"`
	PayerID string   `json:"payer_id,omitempty"`
	Name    fullName `json:"name"`
}

type subscriptionWire struct {
	Status         string          `json:"status"`
	StatusNote     string          `json:"status_change_note,omitempty"`
	StatusTime     string          `json:"status_update_time,omitempty"`
	ID             string          `json:"id"`
	PlanID         string          `json:"plan_id,omitempty"`
	StartTime      string          `json:"start_time,omitempty"`
	Quantity       string          `json:"quantity,omitempty"`
	CustomID       string          `json:"custom_id,omitempty"`
	Subscriber     *subscriberWire `json:"subscriber,omitempty"`
	Billing        *billingWire    `json:"billing_info,omitempty"`
	CreateTime     string          `json:"create_time,omitempty"`
	UpdateTime     string          `json:"update_time,omitempty"`
	PlanOverridden bool            `json:"plan_overridden"`
	Plan           *planWire       `json:"plan,omitempty"`
	Links          []link          `json:"links"`
}

// shownSubscription is a subscription as an answer shows it: all of it, or next to nothing.
func (s *Server) shownSubscription(b *subscription, full, withPlan bool) subscriptionWire {
	shown := subscriptionWire{ID: b.id, Status: b.status, CreateTime: timeText(b.created), PlanOverridden: b.overridden, Links: s.subscriptionLinks(b)}
	if !full {
		return shown
	}
	shown.StatusNote, shown.StatusTime, shown.UpdateTime = b.note, timeText(b.changed), timeText(b.updated)
	shown.PlanID, shown.StartTime, shown.Quantity, shown.CustomID = b.plan.id, timeText(b.start), strconv.FormatInt(b.quantity, 10), b.customID
	shown.Subscriber = &subscriberWire{Email: b.email, Name: fullName{"Test", "Buyer"}}
	if b.payer != nil {
		shown.Subscriber.Name = *b.payer
	}
	if b.funding != nil {
		shown.Subscriber.Email, shown.Subscriber.PayerID = cmp.Or(b.email, payerMail), payerID
		shown.Billing = b.shownBilling()
	}
	if withPlan || b.overridden {
		shown.Plan = &planWire{
			ProductID: b.plan.product, Name: b.plan.name, Description: b.plan.description, QuantitySupported: b.plan.terms.manyPermitted,
			termsWire: b.terms.shown(b.plan.created, b.plan.updated),
		}
	}
	return shown
}

func (b *subscription) shownBilling() *billingWire {
	l, currency := &b.bill, b.terms.currency
	shown := &billingWire{Outstanding: trimmed(l.owed, currency), Failed: l.failed}
	for i, one := range b.terms.cycles {
		left := 0
		if one.total > 0 {
			left = one.total - l.executed[i]
		}
		shown.Executions = append(shown.Executions, executionWire{one.tenure, one.sequence, l.executed[i], left, 1, one.total})
	}
	if b.status == statusActive && b.running() >= 0 && !l.next.IsZero() {
		shown.Next = timeText(l.next)
	}
	if paid := l.lastPaid; paid != nil {
		shown.LastPayment = &attemptWire{Amount: trimmed(paid.amount, currency), Time: timeText(paid.at)}
	}
	if failed := l.lastFailed; failed != nil {
		shown.LastFailed = &attemptWire{Amount: trimmed(failed.amount, currency), Time: timeText(failed.at), Reason: failed.reason}
		if !l.retry.IsZero() {
			shown.LastFailed.Retry = timeText(l.retry)
		}
	}
	return shown
}

// trimmed writes an amount as subscriptions do: without zeros that say nothing, but with one
// place after the point at least, "19.5" and "0.0".
func trimmed(units int64, currency string) money {
	made := moneyOf(units, currency)
	if strings.HasSuffix(made.Value, "0") && strings.Contains(made.Value, ".") {
		made.Value = made.Value[:len(made.Value)-1]
	}
	return made
}

// subscriptionLinks are what can be done with a subscription next.
func (s *Server) subscriptionLinks(b *subscription) []link {
	at := "/v1/billing/subscriptions/" + b.id
	links := []link{s.get("self", at)}
	switch b.status {
	case subscriptionPending:
		links = append(links, s.get("approve", subscriptionPage+"?ba_token="+b.token), link{s.api(at), "edit", "PATCH"})
	case subscriptionApproved:
		links = append(links, s.post("activate", at+"/activate"))
	case statusActive:
		links = append(links, link{s.api(at), "edit", "PATCH"}, s.post("suspend", at+"/suspend"), s.post("cancel", at+"/cancel"), s.post("capture", at+"/capture"))
	case subscriptionSuspended:
		links = append(links, link{s.api(at), "edit", "PATCH"}, s.post("activate", at+"/activate"), s.post("cancel", at+"/cancel"), s.post("capture", at+"/capture"))
	}
	return links
}

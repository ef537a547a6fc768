package square

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// The statuses of an invoice, as far as subscriptions have them.
//
// Source: developer.squareup.com/reference/square/enums/InvoiceStatus.
const (
	invoiceUnpaid       = "UNPAID"
	invoicePaid         = "PAID"
	invoiceCanceled     = "CANCELED"
	invoicePartRefunded = "PARTIALLY_REFUNDED"
	invoiceRefunded     = "REFUNDED"
)

var searchInvoicesBody = fields{
	"cursor": {kind: text}, "limit": {kind: whole},
	"query": needed(shape{kind: object, of: fields{
		"filter": needed(shape{kind: object, of: fields{
			"location_ids": needed(shape{kind: list, least: 1, most: 1, each: &shape{kind: text, least: 1}}),
			"customer_ids": {kind: list, most: 1, each: &shape{kind: text, least: 1}},
		}}),
		"sort": {kind: object, of: fields{
			"field": needed(shape{kind: text, words: []string{"INVOICE_SORT_DATE"}}), "order": {kind: text, words: []string{"ASC", "DESC"}},
		}},
	}}),
}

var cancelInvoiceBody = fields{"version": needed(shape{kind: whole})}

// invoice is an Invoice of a subscription.
//
// Source: developer.squareup.com/reference/square/objects/Invoice.
type invoice struct {
	ID              string            `json:"id"`
	Version         int64             `json:"version"`
	LocationID      string            `json:"location_id"`
	OrderID         string            `json:"order_id"`
	Recipient       map[string]string `json:"primary_recipient"`
	PaymentRequests []paymentRequest  `json:"payment_requests"`
	DeliveryMethod  string            `json:"delivery_method"`
	InvoiceNumber   string            `json:"invoice_number"`
	Title           string            `json:"title"`
	NextPayment     *money            `json:"next_payment_amount_money,omitempty"`
	Status          string            `json:"status"`
	Timezone        string            `json:"timezone"`
	CreatedAt       string            `json:"created_at"`
	UpdatedAt       string            `json:"updated_at"`
	Methods         map[string]bool   `json:"accepted_payment_methods"`
	SubscriptionID  string            `json:"subscription_id"`

	created      time.Time
	subscription *subscription
	payment      *payment // nil where nobody paid
}

// paymentRequest is an InvoicePaymentRequest.
type paymentRequest struct {
	UID       string `json:"uid"`
	Kind      string `json:"request_type"`
	DueDate   string `json:"due_date"`
	Tipping   bool   `json:"tipping_enabled"`
	Automatic string `json:"automatic_payment_source"`
	CardID    string `json:"card_id"`
	Computed  money  `json:"computed_amount_money"`
	Completed money  `json:"total_completed_amount_money"`
}

// invoiceMethods are what an invoice can be paid with. It never changes.
var invoiceMethods = map[string]bool{"card": true, "square_gift_card": false, "bank_account": false, "buy_now_pay_later": false}

// newInvoice bills an amount. The caller holds mu.
func (s *Server) newInvoice(u *subscription, price money, now time.Time) *invoice {
	title := "Subscription"
	if plan, ok := s.catalog.Get(u.PlanVariationID); ok {
		title = plan.Variation.Name
	}
	bill := s.newOrder(order{
		LocationID: s.LocationID, CustomerID: u.CustomerID, TotalMoney: price,
		LineItems: []lineItem{{UID: newUUID(), Name: title, Quantity: "1", BasePriceMoney: &price, TotalMoney: &price}},
	})
	id := "inv:" + s.newID("INV")
	made := &invoice{
		ID: id, LocationID: s.LocationID, OrderID: bill.ID, Recipient: map[string]string{"customer_id": u.CustomerID}, DeliveryMethod: "EMAIL",
		InvoiceNumber: fmt.Sprintf("%06d", s.counter), Title: title, NextPayment: &price, Status: "DRAFT", Timezone: u.Timezone,
		CreatedAt: stamp(now), UpdatedAt: stamp(now), Methods: invoiceMethods,
		SubscriptionID: u.ID, created: now, subscription: u,
		PaymentRequests: []paymentRequest{{
			UID: newUUID(), Kind: "BALANCE", DueDate: date(now.In(u.zone)), Automatic: "CARD_ON_FILE", CardID: u.CardID, Computed: price, Completed: money{Currency: price.Currency},
		}},
	}
	bill.invoice = made
	s.invoices.Put(made.ID, made)
	u.InvoiceIDs = slices.Insert(u.InvoiceIDs, 0, made.ID)
	u.open = append(u.open, made)
	s.tell("invoice.created", "invoice", made.ID, "invoice", made)
	made.Status = invoiceUnpaid
	s.tellInvoice(made, "invoice.published")
	return made
}

// tellInvoice gives an invoice its next version and tells of it. The caller holds mu.
func (s *Server) tellInvoice(of *invoice, kind string) {
	of.Version++
	of.UpdatedAt = stamp(s.now())
	s.tell(kind, "invoice", of.ID, "invoice", of)
}

// refundedInvoice books that an invoice's payment was given back, in part or all of it. The
// caller holds mu.
func (s *Server) refundedInvoice(of *invoice, p *payment) {
	if of.payment != p {
		return
	}
	of.Status = invoicePartRefunded
	if p.RefundedMoney.Amount == p.TotalMoney.Amount {
		of.Status = invoiceRefunded
	}
	s.tellInvoice(of, "invoice.refunded")
}

func (s *Server) getInvoice(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of, ok := s.invoices.Get(in.id); ok {
		return done("invoice", shown(of))
	}
	return notFound("invoice", in.id, "")
}

// cancelInvoice has nobody owe an invoice any more.
//
// Source: POST /v2/invoices/{id}/cancel.
func (s *Server) cancelInvoice(in *request) result {
	var given struct {
		Version int64 `json:"version"`
	}
	in.into(&given)
	s.mu.Lock()
	defer s.mu.Unlock()
	of, ok := s.invoices.Get(in.id)
	switch {
	case !ok:
		return notFound("invoice", in.id, "")
	case given.Version != of.Version:
		return failed(http.StatusConflict, invalidField("VERSION_MISMATCH", "version", "The version is not the invoice's present one."))
	case of.Status != invoiceUnpaid:
		return notAllowed(invalidRequest, "BAD_REQUEST", "The invoice cannot be canceled: its status is "+of.Status+".")
	}
	bill, ok := s.orders.Get(of.OrderID)
	if ok && !s.payableOrder(bill) {
		return notAllowed(invalidRequest, "BAD_REQUEST", "The invoice is being paid.")
	}
	of.Status, of.NextPayment = invoiceCanceled, nil
	of.subscription.open = slices.DeleteFunc(of.subscription.open, func(one *invoice) bool { return one == of })
	s.tellInvoice(of, "invoice.canceled")
	if ok {
		s.changeOrder(bill, orderCanceled)
	}
	return done("invoice", shown(of))
}

// searchInvoices finds invoices, newest first where nothing else is said.
//
// Source: POST /v2/invoices/search.
func (s *Server) searchInvoices(in *request) result {
	var given struct {
		Query struct {
			Filter struct {
				LocationIDs []string `json:"location_ids"`
				CustomerIDs []string `json:"customer_ids"`
			} `json:"filter"`
		} `json:"query"`
	}
	in.into(&given)
	w, bad := readSearch(in, searchPageMost)
	if bad != nil {
		return *bad
	}
	filter := given.Query.Filter
	if filter.LocationIDs[0] != s.LocationID {
		return invalid("INVALID_LOCATION", "query.filter.location_ids", "The location is not one of the seller's.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cutInvoices(w, filter.CustomerIDs)
}

// listInvoices lists the invoices of a location, newest first.
//
// Source: GET /v2/invoices.
func (s *Server) listInvoices(in *request) result {
	if _, ok := in.query["location_id"]; !ok {
		return invalid("MISSING_REQUIRED_PARAMETER", "location_id", "Missing required parameter.")
	}
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cutInvoices(w, nil)
}

// cutInvoices cuts a page out of the invoices, of some customers or, for none, of all. The
// caller holds mu.
func (s *Server) cutInvoices(w window, customers []string) result {
	all := slices.DeleteFunc(s.invoices.All(), func(of *invoice) bool {
		return len(customers) > 0 && !slices.Contains(customers, of.subscription.CustomerID)
	})
	return cut(s, w, "invoices", all, func(of *invoice) place { return place{of.created, of.created, of.ID} })
}

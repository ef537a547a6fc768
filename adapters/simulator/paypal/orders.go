package paypal

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Limits of an order.
//
// Source: PayPal's API description of orders v2, schemas order_request and
// purchase_unit_request.
const (
	unitsMax           = 10
	itemsMax           = 500
	referenceCharsMax  = 256
	customCharsMax     = 127
	descriptorCharsMax = 22
	urlCharsMax        = 2048
	itemQuantityMax    = 1_000_000_000 // that a sum of items stays a number
)

// emptyShape is the body of a call that takes none.
var emptyShape = object(nil)

// orderShape is what an order is made of.
var orderShape = object(map[string]shape{
	"intent":              word(intentCapture, intentAuthorize),
	"purchase_units":      list(unitShape, unitsMax),
	"payer":               anything,
	"application_context": anything,
	"payment_source":      sourceShape,
}, "intent", "purchase_units")

var unitShape = object(map[string]shape{
	"reference_id": text(1, referenceCharsMax), "description": text(1, customCharsMax), "custom_id": text(1, customCharsMax),
	"invoice_id": text(1, customCharsMax), "soft_descriptor": text(1, descriptorCharsMax), "payee": anything, "shipping": anything,
	"amount": object(map[string]shape{
		"currency_code": text(3, 3), "value": text(0, 32),
		"breakdown": object(map[string]shape{
			"item_total": amount, "shipping": amount, "handling": amount, "tax_total": amount, "insurance": amount,
			"shipping_discount": amount, "discount": amount,
		}),
	}, "currency_code", "value"),
	"items": list(object(map[string]shape{
		"name": text(1, customCharsMax), "quantity": text(1, 10), "unit_amount": amount, "tax": amount,
		"description": text(0, 2048), "sku": text(1, customCharsMax), "category": word("DIGITAL_GOODS", "PHYSICAL_GOODS", "DONATION"),
		"url": text(1, urlCharsMax), "image_url": text(1, urlCharsMax),
	}, "name", "quantity", "unit_amount"), itemsMax),
}, "amount")

// completeShape is of capturing and of authorizing an order. Libraries send what they have.
var completeShape = object(map[string]shape{"payment_source": emptyShape, "application_context": anything})

type orderRequest struct {
	Intent        string        `json:"intent"`
	PurchaseUnits []unitRequest `json:"purchase_units"`
	PaymentSource *struct {
		PayPal *sourceRequest `json:"paypal"`
		Card   *sourceRequest `json:"card"`
	} `json:"payment_source"`
	ApplicationContext *experience `json:"application_context"`
}

type unitRequest struct {
	ReferenceID    string `json:"reference_id"`
	Description    string `json:"description"`
	CustomID       string `json:"custom_id"`
	InvoiceID      string `json:"invoice_id"`
	SoftDescriptor string `json:"soft_descriptor"`
	Amount         struct {
		money
		Breakdown json.RawMessage `json:"breakdown"`
	} `json:"amount"`
	Items json.RawMessage `json:"items"`
}

// createOrder makes what a buyer can agree to.
//
// Source: developer.paypal.com/docs/api/orders/v2, orders_create.
func (s *Server) createOrder(in *request) result {
	var wire orderRequest
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	now := s.now()
	o := &order{intent: wire.Intent, status: statusCreated, created: now, updated: now}
	if bad := s.readSource(o, wire, in.keyed); bad != nil {
		return *bad
	}
	references := map[string]bool{}
	for i, one := range wire.PurchaseUnits {
		field := "/purchase_units/" + strconv.Itoa(i)
		u, bad := o.readUnit(one, field)
		switch {
		case bad != nil:
			return *bad
		case u.referenceID == "" && len(wire.PurchaseUnits) > 1:
			return invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: field + "/reference_id", Location: "body"})
		case references[u.referenceID]:
			return unprocessable("DUPLICATE_REFERENCE_ID", field+"/reference_id")
		case s.invoiced(u.invoiceID, nil):
			return unprocessable("DUPLICATE_INVOICE_ID", field+"/invoice_id")
		case u.referenceID == "":
			u.referenceID = "default"
		}
		references[u.referenceID] = true
		o.units = append(o.units, u)
	}
	if o.charged != nil {
		return s.charge(o)
	}
	o.id = s.newID()
	s.orders.Put(o.id, o)
	return created("order " + o.id)
}

// readUnit reads one purchase unit.
func (o *order) readUnit(wire unitRequest, field string) (*unit, *result) {
	total, bad := wire.Amount.units(field+"/amount", false)
	if bad != nil {
		return nil, bad
	}
	if o.currency != "" && wire.Amount.Currency != o.currency {
		return nil, new(unprocessable("MULTI_CURRENCY_ORDER", field+"/amount/currency_code"))
	}
	o.currency = wire.Amount.Currency
	u := &unit{
		referenceID: wire.ReferenceID, description: wire.Description, customID: wire.CustomID, invoiceID: wire.InvoiceID,
		descriptor: wire.SoftDescriptor, amount: total, breakdown: wire.Amount.Breakdown, items: wire.Items,
	}
	return u, u.checkSums(o.currency, field)
}

// breakdownSigns are how the parts of an amount add up.
var breakdownSigns = map[string]int64{
	"item_total": 1, "shipping": 1, "handling": 1, "tax_total": 1, "insurance": 1, "shipping_discount": -1, "discount": -1,
}

// checkSums has an amount be the sum of its parts, and these the sum of the items.
func (u *unit) checkSums(currency, field string) *result {
	var parts map[string]money
	var items []struct {
		Quantity   string `json:"quantity"`
		UnitAmount money  `json:"unit_amount"`
	}
	for text, into := range map[*json.RawMessage]any{&u.breakdown: &parts, &u.items: &items} {
		if len(*text) > 0 && json.Unmarshal(*text, into) != nil {
			return new(invalid(detail{Issue: "MALFORMED_REQUEST_JSON", Field: field, Location: "body"}))
		}
	}
	sum, itemTotal, itemsSum := int64(0), int64(0), int64(0)
	for name, part := range parts {
		at := field + "/amount/breakdown/" + name
		units, bad := part.units(at, true)
		if bad != nil {
			return bad
		}
		if part.Currency != currency {
			return new(unprocessable("MULTI_CURRENCY_ORDER", at+"/currency_code"))
		}
		sum += breakdownSigns[name] * units
		if name == "item_total" {
			itemTotal = units
		}
	}
	for i, item := range items {
		at := field + "/items/" + strconv.Itoa(i)
		each, bad := item.UnitAmount.units(at+"/unit_amount", true)
		if bad != nil {
			return bad
		}
		quantity, err := strconv.ParseInt(item.Quantity, 10, 64)
		if err != nil || quantity < 1 || each > 0 && quantity > itemQuantityMax/each {
			return new(invalid(detail{Issue: "INVALID_PARAMETER_SYNTAX", Field: at + "/quantity", Location: "body"}))
		}
		itemsSum += each * quantity
	}
	_, said := parts["item_total"]
	switch {
	case len(items) > 0 && !said:
		return new(unprocessable("ITEM_TOTAL_REQUIRED", field+"/amount/breakdown/item_total"))
	case len(items) > 0 && itemsSum != itemTotal:
		return new(unprocessable("ITEM_TOTAL_MISMATCH", field+"/amount/breakdown/item_total"))
	case len(parts) > 0 && sum != u.amount:
		return new(unprocessable("AMOUNT_MISMATCH", field+"/amount/value"))
	}
	return nil
}

// invoiced reports whether an invoice was paid, or is held money for, by anything but what is
// of one purchase unit. The caller holds mu.
func (s *Server) invoiced(invoice string, but *unit) bool {
	if invoice == "" {
		return false
	}
	for _, c := range s.captures.All() {
		if c.invoiceID == invoice && c.unit != but && c.status != statusDeclined {
			return true
		}
	}
	for _, a := range s.authorizations.All() {
		if a.unit.invoiceID == invoice && a.unit != but && a.status != statusDenied && a.status != statusVoided {
			return true
		}
	}
	return false
}

// gone reports whether an order was not approved while that could be done. The caller holds mu.
func (s *Server) gone(o *order) bool {
	open := o.status == statusCreated || o.status == statusActionRequired
	return open && s.now().Sub(o.created) >= orderLife
}

// findOrder gives an order that is there yet. The caller holds mu.
func (s *Server) findOrder(id string) (*order, bool) {
	o, ok := s.orders.Get(id)
	return o, ok && !s.gone(o)
}

func (s *Server) getOrder(in *request) result {
	o, ok := s.findOrder(in.id)
	if !ok {
		return notFound()
	}
	return done(s.shownOrder(o, true))
}

// ready gives an order that can be captured or authorized now; already is what is said of one
// that was. The caller holds mu.
func (s *Server) ready(id, intent, already string) (*order, *result) {
	o, ok := s.findOrder(id)
	switch {
	case !ok:
		return nil, new(notFound())
	case o.intent != intent:
		return nil, new(unprocessable("ACTION_DOES_NOT_MATCH_INTENT", ""))
	case o.status == statusCompleted:
		return nil, new(unprocessable(already, ""))
	case o.asking != nil && o.askingBy == sourceCard:
		return nil, new(unprocessable("PAYER_ACTION_REQUIRED", "", link{s.approvalPage(o), "payer-action", http.MethodGet}))
	case o.status != statusApproved || o.funding == nil:
		return nil, new(unprocessable("ORDER_NOT_APPROVED", ""))
	}
	for _, u := range o.units {
		if s.invoiced(u.invoiceID, u) {
			return nil, new(unprocessable("DUPLICATE_INVOICE_ID", ""))
		}
	}
	// A wallet's bank that says no without a reason leaves the order to be agreed to once
	// more, with other means. That the order then waits for its buyer again is not certain.
	if o.source == sourcePayPal && o.funding.refusal() == genericDecline {
		o.status, o.funding, o.told, o.updated = o.unapproved(), nil, false, s.now()
		return nil, new(unprocessable("INSTRUMENT_DECLINED", "", link{s.approvalPage(o), "redirect", http.MethodGet}))
	}
	return o, nil
}

// unapproved is the status of an order that waits for its buyer.
func (o *order) unapproved() string {
	if o.hasSource {
		return statusActionRequired
	}
	return statusCreated
}

// captureOrder takes the money that the buyer agreed to. An order that was completed is no
// money yet: the bank may have refused.
//
// Source: developer.paypal.com/docs/api/orders/v2, orders_capture.
func (s *Server) captureOrder(in *request) result {
	o, bad := s.ready(in.id, intentCapture, "ORDER_ALREADY_CAPTURED")
	if bad != nil {
		return *bad
	}
	s.captureAll(o)
	return created("order " + o.id)
}

// captureAll takes the money of an order that can be captured. The caller holds mu.
func (s *Server) captureAll(o *order) {
	o.status, o.updated = statusCompleted, s.now()
	var taken []*capture
	for _, u := range o.units {
		taken = append(taken, s.take(&capture{order: o, unit: u, amount: u.amount, final: true, invoiceID: u.invoiceID}))
	}
	s.saveFor(o)
	for _, c := range taken {
		s.tellCapture(c)
	}
	s.tell("CHECKOUT.ORDER.COMPLETED", o.id, s.shownOrder(o, true))
	for _, c := range taken {
		s.disputeByCard(c)
	}
}

// authorizeOrder holds the money that the buyer agreed to.
//
// Source: developer.paypal.com/docs/api/orders/v2, orders_authorize.
func (s *Server) authorizeOrder(in *request) result {
	o, bad := s.ready(in.id, intentAuthorize, "ORDER_ALREADY_AUTHORIZED")
	if bad != nil {
		return *bad
	}
	s.authorizeAll(o)
	return created("order " + o.id)
}

// authorizeAll holds the money of an order that can be authorized. The caller holds mu.
func (s *Server) authorizeAll(o *order) {
	o.status, o.updated = statusCompleted, s.now()
	for _, u := range o.units {
		a := s.hold(&authorization{order: o, unit: u, amount: u.amount, expires: s.now().Add(authorizationLife)})
		if a.status != statusDenied {
			s.tell("PAYMENT.AUTHORIZATION.CREATED", a.id, s.shownAuthorization(a, true, true))
		}
	}
	s.saveFor(o)
	s.tell("CHECKOUT.ORDER.COMPLETED", o.id, s.shownOrder(o, true))
}

package square

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	lineItemsMax   = 500
	urlCharsMax    = 2048
	quantityMost   = 1_000_000
	linkKeyCharMax = 192
)

var methodsShape = shape{kind: object, of: fields{
	"apple_pay": {kind: boolean}, "google_pay": {kind: boolean}, "cash_app_pay": {kind: boolean}, "afterpay_clearpay": {kind: boolean},
}}

var linkBody = fields{
	"idempotency_key": upTo(linkKeyCharMax), "description": {kind: text, most: 4096}, "payment_note": {kind: text, most: noteCharsMax},
	"quick_pay": {kind: object, of: fields{"name": needed(upTo(255)), "price_money": needed(moneyShape), "location_id": needed(upTo(50))}},
	"order": {kind: object, of: fields{
		"location_id": needed(upTo(50)), "reference_id": {kind: text, most: 40}, "customer_id": upTo(191), "metadata": {kind: object},
		"line_items": needed(shape{kind: list, least: 1, most: lineItemsMax, each: &shape{kind: object, of: fields{
			"uid": {kind: text, most: 60}, "name": upTo(512), "quantity": needed(upTo(12)), "note": {kind: text, most: 2000}, "base_price_money": needed(moneyShape),
			"catalog_object_id": {kind: unsupported}, "applied_taxes": {kind: unsupported}, "applied_discounts": {kind: unsupported}, "modifiers": {kind: unsupported},
		}}}),
		"taxes": {kind: unsupported}, "discounts": {kind: unsupported}, "service_charges": {kind: unsupported}, "fulfillments": {kind: unsupported},
	}},
	"checkout_options": {kind: object, of: fields{
		"redirect_url": upTo(urlCharsMax), "merchant_support_email": {kind: text, most: 256}, "ask_for_shipping_address": {kind: boolean},
		"allow_tipping": {kind: boolean}, "enable_coupon": {kind: boolean}, "enable_loyalty": {kind: boolean}, "accepted_payment_methods": methodsShape,
		"subscription_plan_id": {kind: unsupported}, "custom_fields": {kind: unsupported}, "app_fee_money": {kind: unsupported}, "shipping_fee": {kind: unsupported},
	}},
	"pre_populated_data": {kind: object, of: fields{
		"buyer_email": {kind: text, most: 256}, "buyer_phone_number": {kind: text, most: 14}, "buyer_address": addressShape,
	}},
}

// newLink is what a payment link is made of.
type newLink struct {
	Description string `json:"description"`
	PaymentNote string `json:"payment_note"`
	QuickPay    *struct {
		Name       string `json:"name"`
		PriceMoney money  `json:"price_money"`
		LocationID string `json:"location_id"`
	} `json:"quick_pay"`
	Order *struct {
		LocationID  string            `json:"location_id"`
		ReferenceID string            `json:"reference_id"`
		CustomerID  string            `json:"customer_id"`
		Metadata    map[string]string `json:"metadata"`
		LineItems   []lineItem        `json:"line_items"`
	} `json:"order"`
	CheckoutOptions json.RawMessage `json:"checkout_options"`
	PrePopulated    json.RawMessage `json:"pre_populated_data"`
}

// createLink makes a page at which an order can be paid.
//
// Source: POST /v2/online-checkout/payment-links.
func (s *Server) createLink(in *request) result {
	var given newLink
	in.into(&given)
	bill, bad := s.billOf(given)
	if bad != nil {
		return *bad
	}
	made := &link{
		Version: 1, Description: given.Description, CheckoutOptions: given.CheckoutOptions, PrePopulated: given.PrePopulated, PaymentNote: given.PaymentNote,
	}
	if made.redirect, bad = readLinkOptions(given); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made.ID, made.OrderID, made.CreatedAt = s.newID("LNK"), s.newOrder(bill).ID, stamp(s.now())
	made.URL = in.base + s.prefix + "/u/" + made.ID
	made.LongURL = made.URL + "?src=sheet"
	s.links.Put(made.ID, made)
	orders := []any{}
	if held, ok := s.orders.Get(made.OrderID); ok {
		orders = append(orders, shown(held))
	}
	return result{status: http.StatusOK, object: map[string]any{"payment_link": shown(made), "related_resources": map[string]any{"orders": orders}}}
}

// billOf reads the order that a link is for.
func (s *Server) billOf(given newLink) (order, *result) {
	made, at := order{LocationID: s.LocationID}, "order.line_items[%d]"
	var location, field string
	switch {
	case given.QuickPay == nil && given.Order == nil:
		return made, new(invalid("MISSING_REQUIRED_PARAMETER", "quick_pay", "Either quick_pay or order is needed."))
	case given.QuickPay != nil && given.Order != nil:
		return made, new(invalid("CONFLICTING_PARAMETERS", "quick_pay", "Only one of quick_pay and order can be set."))
	case given.QuickPay != nil:
		location, field, at = given.QuickPay.LocationID, "quick_pay.location_id", "quick_pay"
		made.LineItems = []lineItem{{Name: given.QuickPay.Name, Quantity: "1", BasePriceMoney: &given.QuickPay.PriceMoney}}
	default:
		location, field = given.Order.LocationID, "order.location_id"
		made.LineItems, made.ReferenceID = given.Order.LineItems, given.Order.ReferenceID
		made.CustomerID, made.Metadata = given.Order.CustomerID, given.Order.Metadata
	}
	if location != s.LocationID {
		return made, new(invalid("INVALID_LOCATION", field, "The location is not one of the seller's."))
	}
	for n := range made.LineItems {
		name := at
		if given.Order != nil {
			name = fmt.Sprintf(at, n)
		}
		if bad := made.add(&made.LineItems[n], name); bad != nil {
			return made, bad
		}
	}
	return made, checkMoney("order.total_money", made.TotalMoney)
}

// add counts a line item in; at is its name.
func (o *order) add(item *lineItem, at string) *result {
	quantity, err := strconv.ParseInt(item.Quantity, 10, 64)
	price := *item.BasePriceMoney
	switch {
	case err != nil || quantity < 1 || quantity > quantityMost:
		return new(invalid("INVALID_VALUE", at+".quantity", "The quantity must be a whole number."))
	case price.Amount < 0 || price.Amount > amountMost:
		return new(invalid("INVALID_VALUE", at+".base_price_money.amount", "The price cannot be charged."))
	case o.TotalMoney.Currency != "" && price.Currency != o.TotalMoney.Currency:
		return new(invalid("CURRENCY_MISMATCH", at+".base_price_money.currency", "All line items must be of one currency."))
	case item.Name == "":
		return new(invalid("MISSING_REQUIRED_PARAMETER", at+".name", "Missing required parameter."))
	}
	item.TotalMoney = &money{Amount: price.Amount * quantity, Currency: price.Currency}
	o.TotalMoney.Currency = price.Currency
	o.TotalMoney.Amount += item.TotalMoney.Amount
	if o.TotalMoney.Amount > amountMost {
		return new(invalid("VALUE_TOO_HIGH", at+".base_price_money.amount", "The order's total is too high."))
	}
	return nil
}

// readLinkOptions gives where the buyer goes on to.
func readLinkOptions(given newLink) (string, *result) {
	var options struct {
		RedirectURL string `json:"redirect_url"`
	}
	var buyer struct {
		Email string `json:"buyer_email"`
	}
	for _, part := range []struct {
		text json.RawMessage
		into any
	}{{given.CheckoutOptions, &options}, {given.PrePopulated, &buyer}} {
		if len(part.text) > 0 {
			_ = json.Unmarshal(part.text, part.into) // its shape was checked
		}
	}
	if options.RedirectURL != "" {
		if at, err := url.Parse(options.RedirectURL); err != nil || at.Scheme != "https" && at.Scheme != "http" || at.Host == "" {
			return "", new(invalid("INVALID_VALUE", "checkout_options.redirect_url", "The redirect URL must be an http or https address."))
		}
	}
	if buyer.Email != "" && !strings.Contains(buyer.Email, "@") {
		return "", new(invalid("INVALID_EMAIL_ADDRESS", "pre_populated_data.buyer_email", "The email address is not valid."))
	}
	return options.RedirectURL, nil
}

// held gives a link that was not deleted. The caller holds mu.
func (s *Server) held(id string) (*link, bool) {
	l, ok := s.links.Get(id)
	return l, ok && !l.deleted
}

func (s *Server) getLink(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.held(in.id); ok {
		return done("payment_link", shown(l))
	}
	return notFound("payment link", in.id, "")
}

// deleteLink closes the page, and the order where nobody has paid it or is about to.
//
// Source: DELETE /v2/online-checkout/payment-links/{id}.
func (s *Server) deleteLink(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.held(in.id)
	if !ok {
		return notFound("payment link", in.id, "")
	}
	l.deleted, l.asking = true, nil
	answer := map[string]any{"id": l.ID}
	if bill, ok := s.orders.Get(l.OrderID); ok && s.payableOrder(bill) {
		s.changeOrder(bill, orderCanceled)
		answer["cancelled_order_id"] = bill.ID
	}
	return result{status: http.StatusOK, object: answer}
}

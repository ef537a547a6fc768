package stripe

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// line is a line of an invoice. It never changes once it is made.
//
// Source: docs.stripe.com/api/invoices/line_item.
type line struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	Amount             int64             `json:"amount"`
	AmountExcludingTax int64             `json:"amount_excluding_tax"`
	Currency           string            `json:"currency"`
	Description        string            `json:"description"`
	Discountable       bool              `json:"discountable"`
	InvoiceItem        string            `json:"invoice_item,omitempty"`
	Livemode           bool              `json:"livemode"`
	Metadata           map[string]string `json:"metadata"`
	Period             period            `json:"period"`
	Price              *price            `json:"price"`
	Proration          bool              `json:"proration"`
	Quantity           int64             `json:"quantity"`
	Subscription       string            `json:"subscription"`
	SubscriptionItem   string            `json:"subscription_item"`
	Type               string            `json:"type"`
}

type period struct {
	End   int64 `json:"end"`
	Start int64 `json:"start"`
}

// noMetadata is what lines have: it is shared, for there are many.
var noMetadata = map[string]string{}

func sum(lines []*line) int64 {
	total := int64(0)
	for _, each := range lines {
		total += each.Amount
	}
	return total
}

// fullLines charge items for a whole period.
func fullLines(sub *subscription, items []*item, start, end int64) []*line {
	lines := make([]*line, len(items))
	for n, each := range items {
		lines[n] = lineOf(sub, each, each.Price.UnitAmount*each.Quantity, period{Start: start, End: end})
		lines[n].Description, lines[n].Type, lines[n].Discountable = fmt.Sprintf("%d × %s", each.Quantity, each.Price.name), "subscription", true
	}
	return lines
}

// trialLines say that nothing is charged for a trial.
func trialLines(sub *subscription) []*line {
	lines := fullLines(sub, sub.items, sub.CurrentPeriodStart, sub.CurrentPeriodEnd)
	for n, each := range sub.items {
		lines[n].Amount, lines[n].AmountExcludingTax, lines[n].Description = 0, 0, "Trial period for "+each.Price.name
	}
	return lines
}

func lineOf(sub *subscription, of *item, amount int64, during period) *line {
	return &line{
		Object: "line_item", Amount: amount, AmountExcludingTax: amount, Currency: sub.Currency, Metadata: noMetadata, Period: during, Price: of.Price.copied(),
		Quantity: of.Quantity, Subscription: sub.ID, SubscriptionItem: of.ID, Type: "invoiceitem",
	}
}

// prorations give back what is left of the period for items that change or go, and, unless a
// new period begins, charge it for those that they become. Halves of a minor unit round away
// from zero.
//
// Source: docs.stripe.com/billing/subscriptions/prorations.
func prorations(sub *subscription, items []*item, at int64, reanchored bool) []*line {
	whole, left := sub.CurrentPeriodEnd-sub.CurrentPeriodStart, sub.CurrentPeriodEnd-at
	var lines []*line
	add := func(of *item, sign int64, words string) {
		amount := sign * ((2*of.Price.UnitAmount*of.Quantity*left + whole) / (2 * whole))
		made := lineOf(sub, of, amount, period{Start: at, End: sub.CurrentPeriodEnd})
		made.Proration, made.Description = true, fmt.Sprintf("%s on %d × %s", words, of.Quantity, of.Price.name)
		lines = append(lines, made)
	}
	same := func(as *item, among []*item) bool {
		return slices.ContainsFunc(among, func(each *item) bool {
			return each.ID == as.ID && each.Price.ID == as.Price.ID && each.Quantity == as.Quantity
		})
	}
	for _, old := range sub.items {
		if reanchored || !same(old, items) {
			add(old, -1, "Unused time")
		}
	}
	for _, each := range items {
		if !reanchored && !same(each, sub.items) {
			add(each, 1, "Remaining time")
		}
	}
	return lines
}

// readItems reads items over those that a subscription has: with an id they change, without
// they are added. The caller holds mu.
func (s *Server) readItems(in *request, prefix string, sub *subscription) ([]*item, *result) {
	items := make([]*item, 0, len(sub.items)+1)
	for _, each := range sub.items {
		items = append(items, new(*each))
	}
	given := make(map[int]bool)
	for name := range in.params {
		if rest, ok := strings.CutPrefix(name, prefix+"["); ok {
			place, _, _ := strings.Cut(rest, "]")
			n, err := strconv.Atoi(place)
			if err != nil || n < 0 || n >= itemsMax {
				return nil, new(invalid("", prefix, "Invalid array: "+prefix+" has at most "+strconv.Itoa(itemsMax)+" items, numbered from 0."))
			}
			given[n] = true
		}
	}
	for n := range itemsMax {
		if !given[n] {
			continue
		}
		var out *result
		if items, out = s.readItem(in, fmt.Sprintf("%s[%d]", prefix, n), sub, items); out != nil {
			return nil, out
		}
	}
	for n, each := range items {
		switch {
		case each.Price.UnitAmount*each.Quantity > amountMost:
			return nil, new(invalid("amount_too_large", prefix, fmt.Sprintf("Amount must be no more than %d.", int64(amountMost))))
		case !each.Price.Recurring.same(items[0].Price.Recurring):
			return nil, new(invalid("", prefix, "All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`."))
		case each.Price.Currency != items[0].Price.Currency || sub.Currency != "" && each.Price.Currency != sub.Currency:
			return nil, new(invalid("", prefix, "All prices on a subscription must be of its currency."))
		case slices.ContainsFunc(items[:n], func(other *item) bool { return other.Price.ID == each.Price.ID }):
			return nil, new(invalid("", prefix, "Cannot add multiple subscription items with the same plan: "+each.Price.ID))
		}
	}
	return items, nil
}

// readItem reads one item. The caller holds mu.
func (s *Server) readItem(in *request, at string, sub *subscription, items []*item) ([]*item, *result) {
	id := in.params[at+"[id]"]
	of := &item{Object: "subscription_item", Created: s.now().Unix(), Metadata: map[string]string{}, Quantity: 1, Subscription: sub.ID, TaxRates: []string{}}
	n := slices.IndexFunc(items, func(each *item) bool { return each.ID == id })
	if id != "" && n < 0 {
		return nil, new(failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "resource_missing", Param: at + "[id]", Message: "Invalid subscription_item id: " + clip(id),
		}))
	}
	if id != "" {
		of = items[n]
	}
	gone, out := in.boolean(at+"[deleted]", false)
	switch {
	case out != nil:
		return nil, out
	case gone && (id == "" || len(items) == 1):
		return nil, new(invalid("", at+"[deleted]", "A subscription must have at least one active plan. All plans on the subscription cannot be deleted."))
	case gone:
		return slices.Delete(items, n, n+1), nil
	}
	with, out := s.readItemPrice(in, at)
	switch {
	case out != nil:
		return nil, out
	case with != nil:
		of.Price = with
	case id == "":
		return nil, new(missingParam(at + "[price]"))
	}
	quantity, said, out := in.integer(at+"[quantity]", 0, quantityMax)
	if out != nil {
		return nil, out
	}
	if said {
		of.Quantity = quantity
	}
	if id == "" {
		of.ID = s.newID("si")
		items = append(items, of)
	}
	return items, nil
}

// readItemPrice reads the price of an item; nil where none is said. The caller holds mu.
func (s *Server) readItemPrice(in *request, at string) (*price, *result) {
	described := &request{params: make(map[string]string)}
	for name, value := range in.params {
		if rest, ok := strings.CutPrefix(name, at+"[price_data]["); ok {
			key, after, _ := strings.Cut(rest, "]")
			described.params[key+after] = value
		}
	}
	id := in.params[at+"[price]"]
	if len(described.params) > 0 {
		if id != "" {
			return nil, new(invalid("", at+"[price]", "You may only specify one of these parameters: price, price_data."))
		}
		if described.params["recurring[interval]"] == "" {
			return nil, new(missingParam(at + "[price_data][recurring][interval]"))
		}
		return s.newPrice(described)
	}
	if id == "" {
		return nil, nil //nolint:nilnil // no price is said
	}
	found, ok := s.prices.Get(id)
	switch {
	case !ok:
		return nil, new(failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "resource_missing", Param: at + "[price]", Message: "No such price: '" + clip(id) + "'",
		}))
	case !found.Active:
		return nil, new(invalid("", at+"[price]", "The price specified is inactive. This field only accepts active prices."))
	case found.Recurring == nil:
		return nil, new(invalid("", at+"[price]", "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."))
	}
	return found, nil
}

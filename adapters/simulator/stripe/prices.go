package stripe

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// price is a Price.
//
// Source: docs.stripe.com/api/prices/object.
type price struct {
	ID                string            `json:"id"`
	Object            string            `json:"object"`
	Active            bool              `json:"active"`
	BillingScheme     string            `json:"billing_scheme"`
	Created           int64             `json:"created"`
	Currency          string            `json:"currency"`
	CustomUnitAmount  any               `json:"custom_unit_amount"`
	Livemode          bool              `json:"livemode"`
	LookupKey         *string           `json:"lookup_key"`
	Metadata          map[string]string `json:"metadata"`
	Nickname          *string           `json:"nickname"`
	Product           string            `json:"product"`
	Recurring         *recurring        `json:"recurring"` // nil for a price of one time
	TaxBehavior       string            `json:"tax_behavior"`
	TiersMode         *string           `json:"tiers_mode"`
	TransformQuantity any               `json:"transform_quantity"`
	Type              string            `json:"type"`
	UnitAmount        int64             `json:"unit_amount"`
	UnitAmountDecimal string            `json:"unit_amount_decimal"`

	name string // of the product, for lines
}

// recurring is how often a price is charged.
type recurring struct {
	AggregateUsage  *string `json:"aggregate_usage"`
	Interval        string  `json:"interval"` // day, week, month or year
	IntervalCount   int64   `json:"interval_count"`
	TrialPeriodDays *int64  `json:"trial_period_days"`
	UsageType       string  `json:"usage_type"`
}

// intervalsMost is how many of an interval a price can have: three years.
//
// Source: docs.stripe.com/api/prices/create.
var intervalsMost = map[string]int64{"day": 1095, "week": 156, "month": 36, "year": 3}

// next is when the n-th period after an anchor begins. A month that lacks the anchor's day
// has its last one.
//
// Source: docs.stripe.com/billing/subscriptions/billing-cycle.
func (r *recurring) next(anchor time.Time, n int64) time.Time {
	count := int(n * r.IntervalCount)
	switch r.Interval {
	case "day":
		return anchor.AddDate(0, 0, count)
	case "week":
		return anchor.AddDate(0, 0, 7*count)
	case "year":
		count *= 12
	}
	first := time.Date(anchor.Year(), anchor.Month(), 1, anchor.Hour(), anchor.Minute(), anchor.Second(), 0, time.UTC).AddDate(0, count, 0)
	days := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(anchor.Day(), days)-1)
}

func (r *recurring) same(as *recurring) bool {
	return r.Interval == as.Interval && r.IntervalCount == as.IntervalCount
}

func (p *price) copied() *price {
	c := *p
	c.Metadata = maps.Clone(p.Metadata)
	return &c
}

var (
	priceParams = []string{
		"currency", "unit_amount", "product", "product_data[name]", "product_data[id]", "product_data[active]", "product_data[metadata][*]",
		"product_data[statement_descriptor]", "product_data[unit_label]", "recurring[interval]", "recurring[interval_count]", "recurring[usage_type]",
		"active", "billing_scheme", "lookup_key", "metadata[*]", "nickname", "tax_behavior", "transfer_lookup_key", "expand[*]",
	}
	priceUpdateParams = []string{"active", "metadata[*]", "nickname", "lookup_key", "expand[*]"}
)

// createPrice makes a price, and its product where that is described with it.
//
// Source: docs.stripe.com/api/prices/create.
func (s *Server) createPrice(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, out := s.newPrice(in)
	if out != nil {
		return *out
	}
	s.keepPrice(made)
	return done(made.copied())
}

// newPrice reads a price, which is not kept yet. The caller holds mu.
func (s *Server) newPrice(in *request) (*price, *result) {
	made := &price{Object: "price", BillingScheme: "per_unit", Created: s.now().Unix(), Type: "one_time"}
	if out := in.readPrice(made); out != nil {
		return nil, out
	}
	of, out := s.pricedProduct(in)
	if out != nil {
		return nil, out
	}
	made.ID, made.Product, made.name = s.newID("price"), of.ID, of.Name
	return made, nil
}

// keepPrice takes a new price in; one that is held already is left alone. The caller holds
// mu.
func (s *Server) keepPrice(p *price) {
	if _, held := s.prices.Get(p.ID); held {
		return
	}
	if of, ok := s.products.Get(p.Product); ok {
		of.prices++
	}
	s.prices.Put(p.ID, p)
	s.tell("price.created", p.copied())
}

func (in *request) readPrice(p *price) *result {
	if in.params["currency"] == "" {
		return new(missingParam("currency"))
	}
	p.Currency = in.params["currency"]
	if out := checkCurrency(p.Currency); out != nil {
		return out
	}
	amount, said, out := in.integer("unit_amount", 0, amountMost)
	switch {
	case out != nil:
		return out
	case !said:
		return new(missingParam("unit_amount"))
	}
	p.UnitAmount, p.UnitAmountDecimal = amount, strconv.FormatInt(amount, 10)
	if _, out = in.choice("billing_scheme", "per_unit"); out != nil {
		return out
	}
	if p.TaxBehavior, out = in.choice("tax_behavior", "unspecified", "inclusive", "exclusive"); out != nil {
		return out
	}
	if p.Recurring, out = in.readRecurring(); out != nil {
		return out
	}
	if p.Recurring != nil {
		p.Type = "recurring"
	}
	p.Active = true
	return in.readPriceChange(p)
}

// readRecurring reads how often a price is charged; nil for once.
func (in *request) readRecurring() (*recurring, *result) {
	interval := in.params["recurring[interval]"]
	if interval == "" {
		if in.params["recurring[interval_count]"] != "" {
			return nil, new(missingParam("recurring[interval]"))
		}
		return nil, nil //nolint:nilnil // it is charged once
	}
	if _, out := in.choice("recurring[interval]", "day", "week", "month", "year"); out != nil {
		return nil, out
	}
	if _, out := in.choice("recurring[usage_type]", "licensed"); out != nil {
		return nil, out
	}
	count, said, out := in.integer("recurring[interval_count]", 1, intervalsMost[interval])
	if out != nil {
		return nil, out
	}
	if !said {
		count = 1
	}
	return &recurring{Interval: interval, IntervalCount: count, UsageType: "licensed"}, nil
}

// readPriceChange reads what can be changed of a price; never its amount.
func (in *request) readPriceChange(p *price) *result {
	var out *result
	if p.Active, out = in.boolean("active", p.Active); out != nil {
		return out
	}
	if out := in.texts(textField{"nickname", nameCharsMax, &p.Nickname}, textField{"lookup_key", referenceMax, &p.LookupKey}); out != nil {
		return out
	}
	p.Metadata, out = in.metadata(p.Metadata)
	return out
}

// pricedProduct gives the product that a new price is of, or makes it. The caller holds mu.
func (s *Server) pricedProduct(in *request) (*product, *result) {
	described := &request{params: make(map[string]string)}
	for name, value := range in.params {
		if rest, ok := strings.CutPrefix(name, "product_data["); ok {
			key, after, _ := strings.Cut(rest, "]")
			described.params[key+after] = value
		}
	}
	id := in.params["product"]
	switch {
	case id == "" && len(described.params) == 0:
		return nil, new(missingParam("product"))
	case id != "" && len(described.params) > 0:
		return nil, new(invalid("", "product_data", "You may only specify one of these parameters: product, product_data."))
	case id != "":
		return s.productBy(id, "product")
	case described.params["name"] == "":
		return nil, new(missingParam("product_data[name]"))
	}
	return s.newProduct(described)
}

func (s *Server) updatePrice(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.prices.Get(in.id)
	if !ok {
		return notFound("price", "price", in.id)
	}
	changed := *held
	if out := in.readPriceChange(&changed); out != nil {
		return *out
	}
	*held = changed
	s.tell("price.updated", held.copied())
	return done(held.copied())
}

func (s *Server) getPrice(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.prices.Get(in.id); ok {
		return done(held.copied())
	}
	return notFound("price", "price", in.id)
}

// asksForKey reports whether a price is among those that are asked for by their lookup keys;
// all are where nobody asks so.
func (in *request) asksForKey(p *price) bool {
	asks := false
	for name, key := range in.params {
		if !fits("lookup_keys[*]", name) {
			continue
		}
		if asks = true; p.LookupKey != nil && *p.LookupKey == key {
			return true
		}
	}
	return !asks
}

func (s *Server) listPrices(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(s.prices.NewestFirst(), func(p *price) bool {
		for name, has := range map[string]string{"active": strconv.FormatBool(p.Active), "product": p.Product, "currency": p.Currency, "type": p.Type} {
			if wanted, said := in.params[name]; said && wanted != has {
				return true
			}
		}
		return !in.asksForKey(p)
	})
	list, kept, out := page(in, "/v1/prices", all, func(p *price) string { return p.ID }, func(p *price) int64 { return p.Created })
	if out != nil {
		return *out
	}
	list.Data = copies(kept, (*price).copied)
	return done(list)
}

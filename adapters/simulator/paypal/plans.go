package paypal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of products and plans.
//
// Source: PayPal's API descriptions of products v1 and subscriptions v1.
const (
	billingNameCharsMax = 127
	descriptionCharsMax = 256
	cyclesMax           = 12
	trialsMax           = 2
	totalCyclesMax      = 999
	thresholdMax        = 999
	planPageMost        = 20
	planPageDefault     = 10
	planPagesMost       = 100_000
	// percentDigitsMost is of a tax's percentage after its point.
	percentDigitsMost = 2
)

const (
	statusActive   = "ACTIVE"
	statusInactive = "INACTIVE"
	tenureTrial    = "TRIAL"
	tenureRegular  = "REGULAR"
)

// intervalsMost is how many units one billing cycle can be long.
var intervalsMost = map[string]int{"DAY": 365, "WEEK": 52, "MONTH": 12, "YEAR": 1}

var pricingShape = object(map[string]shape{"fixed_price": amount}, "fixed_price")

var taxesShape = object(map[string]shape{"percentage": text(1, 10), "inclusive": flag}, "percentage")

var preferencesShape = object(map[string]shape{
	"auto_bill_outstanding": flag, "setup_fee": amount, "setup_fee_failure_action": word("CONTINUE", "CANCEL"), "payment_failure_threshold": number(0, thresholdMax),
})

var planShape = object(map[string]shape{
	"product_id": text(6, 50), "name": text(1, billingNameCharsMax), "description": text(1, billingNameCharsMax),
	"status": word(statusCreated, statusActive, statusInactive), "quantity_supported": flag, "payment_preferences": preferencesShape, "taxes": taxesShape,
	"billing_cycles": list(object(map[string]shape{
		"frequency": object(map[string]shape{
			"interval_unit": word("DAY", "WEEK", "MONTH", "YEAR"), "interval_count": number(1, 365),
		}, "interval_unit"),
		"tenure_type": word(tenureRegular, tenureTrial), "sequence": number(1, 99), "total_cycles": number(0, totalCyclesMax), "pricing_scheme": pricingShape,
	}, "frequency", "tenure_type", "sequence"), cyclesMax),
}, "product_id", "name", "billing_cycles")

var planQuery = []string{"product_id", "plan_ids", "page_size", "page", "total_required"}

// cycle is a row of billing periods of the same length and price.
type cycle struct {
	unit            string // DAY, WEEK, MONTH or YEAR
	count           int
	tenure          string
	sequence, total int // a total of 0 for endless ones
	price           int64
}

// terms are what a subscription costs and when.
type terms struct {
	currency      string
	cycles        []cycle // in the order of their sequence
	autoBill      bool    // what is owed is taken along with the next payment
	setupFee      int64
	feeFailure    string
	threshold     int    // of failed payments, that suspend it; 0 for none
	percentage    string // of taxes; empty for none
	taxInclusive  bool
	basisPoints   int64
	manyPermitted bool // quantity_supported
}

// plan is what can be subscribed to.
type plan struct {
	id, product, name, description, status string
	terms                                  terms
	created, updated                       time.Time
}

type frequencyWire struct {
	Unit  string `json:"interval_unit"`
	Count int    `json:"interval_count"`
}

type pricingWire struct {
	Version    int    `json:"version,omitempty"`
	FixedPrice money  `json:"fixed_price"`
	CreateTime string `json:"create_time,omitempty"`
	UpdateTime string `json:"update_time,omitempty"`
}

type cycleWire struct {
	Pricing   *pricingWire   `json:"pricing_scheme,omitempty"`
	Frequency *frequencyWire `json:"frequency,omitempty"`
	Tenure    string         `json:"tenure_type,omitempty"`
	Sequence  int            `json:"sequence"`
	Total     *int           `json:"total_cycles,omitempty"`
}

type preferencesWire struct {
	ServiceType string `json:"service_type,omitempty"`
	AutoBill    *bool  `json:"auto_bill_outstanding,omitempty"`
	SetupFee    *money `json:"setup_fee,omitempty"`
	FeeFailure  string `json:"setup_fee_failure_action,omitempty"`
	Threshold   *int   `json:"payment_failure_threshold,omitempty"`
}

type taxesWire struct {
	Percentage string `json:"percentage,omitempty"`
	Inclusive  *bool  `json:"inclusive,omitempty"`
}

// termsWire are a plan's terms, and what a subscription has instead of some of them.
type termsWire struct {
	Cycles      []cycleWire     `json:"billing_cycles,omitempty"`
	Preferences preferencesWire `json:"payment_preferences"`
	Taxes       *taxesWire      `json:"taxes,omitempty"`
}

type planWire struct {
	ID                string `json:"id,omitempty"`
	ProductID         string `json:"product_id,omitempty"`
	Name              string `json:"name,omitempty"`
	Status            string `json:"status,omitempty"`
	Description       string `json:"description,omitempty"`
	UsageType         string `json:"usage_type,omitempty"`
	QuantitySupported bool   `json:"quantity_supported"`
	termsWire

	CreateTime string `json:"create_time,omitempty"`
	UpdateTime string `json:"update_time,omitempty"`
	Links      []link `json:"links,omitempty"`
}

// createPlan makes something that can be subscribed to.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1, plans_create.
func (s *Server) createPlan(in *request) result {
	var wire planWire
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	if _, ok := s.products.Get(wire.ProductID); !ok {
		return missing("/product_id")
	}
	now := s.now()
	p := &plan{product: wire.ProductID, name: wire.Name, description: wire.Description, status: cmp.Or(wire.Status, statusActive), created: now, updated: now}
	p.terms = terms{autoBill: true, feeFailure: "CANCEL", taxInclusive: true, manyPermitted: wire.QuantitySupported}
	slices.SortStableFunc(wire.Cycles, func(a, b cycleWire) int { return a.Sequence - b.Sequence })
	for i, one := range wire.Cycles {
		if bad := p.terms.add(one, i); bad != nil {
			return *bad
		}
	}
	if bad := p.terms.check(); bad != nil {
		return *bad
	}
	if bad := p.terms.prefer(wire.termsWire); bad != nil {
		return *bad
	}
	p.id = "P-" + s.newID()
	s.plans.Put(p.id, p)
	s.tell("BILLING.PLAN.CREATED", p.id, s.shownPlan(p))
	return created("plan " + p.id)
}

// add takes a billing cycle in.
func (t *terms) add(wire cycleWire, at int) *result {
	field := "/billing_cycles/" + strconv.Itoa(at)
	one := cycle{unit: wire.Frequency.Unit, count: max(wire.Frequency.Count, 1), tenure: wire.Tenure, sequence: wire.Sequence, total: 1}
	if wire.Total != nil {
		one.total = *wire.Total
	}
	trial := one.tenure == tenureTrial
	switch {
	case one.count > intervalsMost[one.unit]:
		return new(invalid(detail{Issue: "INVALID_INTEGER_MAX_VALUE", Field: field + "/frequency/interval_count", Location: "body"}))
	case one.sequence != at+1:
		return new(unprocessable("INVALID_BILLING_CYCLE_SEQUENCE", field+"/sequence"))
	case trial && one.total == 0:
		return new(unprocessable("INVALID_TRIAL_TENURE", field+"/total_cycles"))
	case wire.Pricing == nil && !trial:
		return new(invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: field + "/pricing_scheme", Location: "body"}))
	}
	if wire.Pricing != nil {
		var bad *result
		if one.price, bad = t.priced(wire.Pricing.FixedPrice, field+"/pricing_scheme/fixed_price", trial); bad != nil {
			return bad
		}
	}
	t.cycles = append(t.cycles, one)
	return nil
}

// priced reads an amount, which must be in the currency of the others.
func (t *terms) priced(price money, field string, free bool) (int64, *result) {
	units, bad := price.units(field, free)
	switch {
	case bad != nil:
		return 0, bad
	case t.currency != "" && price.Currency != t.currency:
		return 0, new(unprocessable("CURRENCY_MISMATCH", field+"/currency_code"))
	}
	t.currency = price.Currency
	return units, nil
}

// check has trials come first, at most two of them, and one regular cycle after them.
func (t *terms) check() *result {
	trials := 0
	for _, one := range t.cycles {
		if one.tenure == tenureTrial {
			trials++
		}
	}
	switch last := t.cycles[len(t.cycles)-1]; {
	case trials > trialsMax:
		return new(unprocessable("TRIAL_BILLING_CYCLES_LIMIT_EXCEEDED", "/billing_cycles"))
	case len(t.cycles)-trials != 1 || last.tenure != tenureRegular:
		return new(unprocessable("INVALID_BILLING_CYCLE_SEQUENCE", "/billing_cycles"))
	}
	return nil
}

// prefer reads how payments are made.
func (t *terms) prefer(wire termsWire) *result {
	given := wire.Preferences
	if given.AutoBill != nil {
		t.autoBill = *given.AutoBill
	}
	if given.Threshold != nil {
		t.threshold = *given.Threshold
	}
	t.feeFailure = cmp.Or(given.FeeFailure, t.feeFailure)
	if given.SetupFee != nil {
		var bad *result
		if t.setupFee, bad = t.priced(*given.SetupFee, "/payment_preferences/setup_fee", true); bad != nil {
			return bad
		}
	}
	if wire.Taxes == nil {
		return nil
	}
	if wire.Taxes.Inclusive != nil {
		t.taxInclusive = *wire.Taxes.Inclusive
	}
	if wire.Taxes.Percentage == "" {
		return nil
	}
	t.percentage = wire.Taxes.Percentage
	whole, rest, _ := strings.Cut(t.percentage, ".")
	points, err := strconv.ParseUint(whole+(rest + "00")[:percentDigitsMost], 10, 32)
	if err != nil || len(rest) > percentDigitsMost || points > 100_00 {
		return new(invalid(detail{Issue: "INVALID_PARAMETER_SYNTAX", Field: "/taxes/percentage", Location: "body"}))
	}
	t.basisPoints = int64(points)
	return nil
}

// taxed is a price with the taxes that come on top of it.
func (t *terms) taxed(price int64) int64 {
	if t.taxInclusive {
		return price
	}
	return price + (price*t.basisPoints+50_00)/100_00
}

func (s *Server) getPlan(in *request) result {
	if p, ok := s.plans.Get(in.id); ok {
		return done(s.shownPlan(p))
	}
	return notFound()
}

func (s *Server) listPlans(in *request) result {
	kept := slices.DeleteFunc(s.plans.NewestFirst(), func(p *plan) bool {
		of, ids := in.query.Get("product_id"), in.query.Get("plan_ids")
		return of != "" && p.product != of || ids != "" && !slices.Contains(strings.Split(ids, ","), p.id)
	})
	return listed(s, in, "/v1/billing/plans", "plans", kept, s.shownPlan)
}

// setPlan makes a call that changes a plan's status.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1, plans_activate, plans_deactivate.
func (s *Server) setPlan(status, event string, from ...string) func(*request) result {
	return func(in *request) result {
		p, ok := s.plans.Get(in.id)
		switch {
		case !ok:
			return notFound()
		case !slices.Contains(from, p.status):
			return unprocessable("PLAN_STATUS_INVALID", "")
		}
		p.status, p.updated = status, s.now()
		s.tell(event, p.id, s.shownPlan(p))
		return nothing()
	}
}

// shown are the terms as they are on the wire.
func (t *terms) shown(since, until time.Time) termsWire {
	shown := termsWire{Preferences: preferencesWire{
		ServiceType: "PREPAID", AutoBill: new(t.autoBill), SetupFee: new(moneyOf(t.setupFee, t.currency)), FeeFailure: t.feeFailure, Threshold: new(t.threshold),
	}}
	for _, one := range t.cycles {
		shown.Cycles = append(shown.Cycles, cycleWire{
			Pricing:   &pricingWire{Version: 1, FixedPrice: moneyOf(one.price, t.currency), CreateTime: timeText(since), UpdateTime: timeText(until)},
			Frequency: &frequencyWire{one.unit, one.count}, Tenure: one.tenure, Sequence: one.sequence, Total: new(one.total),
		})
	}
	if t.percentage != "" {
		shown.Taxes = &taxesWire{t.percentage, new(t.taxInclusive)}
	}
	return shown
}

func (s *Server) shownPlan(p *plan) planWire {
	at := "/v1/billing/plans/" + p.id
	turn := "deactivate"
	if p.status != statusActive {
		turn = "activate"
	}
	return planWire{
		ID: p.id, ProductID: p.product, Name: p.name, Status: p.status, Description: p.description, UsageType: "LICENSED",
		QuantitySupported: p.terms.manyPermitted, termsWire: p.terms.shown(p.created, p.updated), CreateTime: timeText(p.created), UpdateTime: timeText(p.updated),
		Links: []link{s.get("self", at), {s.api(at), "edit", "PATCH"}, s.post(turn, at+"/"+turn)},
	}
}

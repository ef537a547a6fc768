package square

import (
	"cmp"
	"context"
	"net/http"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	catalogPath      = "/v2/catalog/object"
	planKind         = "SUBSCRIPTION_PLAN"
	variationKind    = "SUBSCRIPTION_PLAN_VARIATION"
	newObjectID      = "#new" // any that begins so stands for an object that is to be made
	pricingStatic    = "STATIC"
	planNameCharsMax = 512
	// trialDaysMax is our own: how far ahead a subscription can start is not published.
	trialDaysMax = 365
)

// cadences are Square's names of the periods that it bills.
//
// Source: developer.squareup.com/reference/square/enums/SubscriptionCadence.
var cadences = map[core.Interval]map[int]string{
	core.IntervalDay:   {1: "DAILY", 30: "THIRTY_DAYS", 60: "SIXTY_DAYS", 90: "NINETY_DAYS"},
	core.IntervalWeek:  {1: "WEEKLY", 2: "EVERY_TWO_WEEKS"},
	core.IntervalMonth: {1: "MONTHLY", 2: "EVERY_TWO_MONTHS", 3: "QUARTERLY", 4: "EVERY_FOUR_MONTHS", 6: "EVERY_SIX_MONTHS"},
	core.IntervalYear:  {1: "ANNUAL", 2: "EVERY_TWO_YEARS"},
}

// CatalogObject is an object of the catalog, of the two types that subscriptions need, as Square
// shows it and as it is asked for, as far as it is used.
//
// Source: developer.squareup.com/reference/square/objects/CatalogObject.
type CatalogObject struct {
	Type      string                     `json:"type"`
	ID        string                     `json:"id"`
	Plan      *SubscriptionPlan          `json:"subscription_plan_data,omitempty"`
	Variation *SubscriptionPlanVariation `json:"subscription_plan_variation_data,omitempty"`
}

// SubscriptionPlan is what plan variations belong to.
type SubscriptionPlan struct {
	Name string `json:"name"`
}

// SubscriptionPlanVariation is what is billed, and how often.
type SubscriptionPlanVariation struct {
	Name   string              `json:"name"`
	PlanID string              `json:"subscription_plan_id"`
	Phases []SubscriptionPhase `json:"phases"`
}

// SubscriptionPhase is a price for some periods, the last one's for all others.
type SubscriptionPhase struct {
	Cadence string              `json:"cadence"`
	Ordinal int                 `json:"ordinal"`
	Pricing SubscriptionPricing `json:"pricing"`
}

// SubscriptionPricing is a phase's price.
type SubscriptionPricing struct {
	Type       string `json:"type"`
	PriceMoney *Money `json:"price_money,omitempty"`
}

// UpsertCatalogObjectRequest is the body of POST /v2/catalog/object.
type UpsertCatalogObjectRequest struct {
	IdempotencyKey string        `json:"idempotency_key"`
	Object         CatalogObject `json:"object"`
}

// subscriptionAbilities says what of subscriptions can be done at Square: everything waits for
// the end of the period.
func subscriptionAbilities() *ports.SubscriptionAbilities {
	can := &ports.SubscriptionAbilities{
		Periods: map[core.Interval][]int{}, TrialDaysMax: trialDaysMax, QuantityMax: 1, Pause: true, CancelLater: true, KeepCanceled: true, SwapMethod: true,
	}
	for interval, counts := range cadences {
		for count := range core.IntervalCountMax + 1 {
			if counts[count] != "" {
				can.Periods[interval] = append(can.Periods[interval], count)
			}
		}
	}
	return can
}

// CreatePrice implements [ports.Subscriber]: a plan of one variation, whose id is the price's. A
// trial is no phase of it: a subscription with one starts later.
//
// Source: POST /v2/catalog/object, once for each of the two.
func (a *Adapter) CreatePrice(ctx context.Context, key core.OperationKey, price core.Price) (string, error) {
	op := a.op("create price for", string(price.ID))
	if err := checkKey(op, key); err != nil {
		return "", err
	}
	amount, err := toForeign(op, price.Amount)
	if err != nil {
		return "", err
	}
	cadence := ""
	if price.Recurring != nil {
		cadence = cadences[price.Recurring.Interval][price.Recurring.Count]
	}
	if cadence == "" {
		return "", outbound.Invalid(op, errPeriod)
	}
	name := shortened(cmp.Or(price.Name, string(price.ID)), planNameCharsMax)
	plan, err := a.api.object(ctx, op, http.MethodPost, catalogPath, UpsertCatalogObjectRequest{
		IdempotencyKey: derived(key, "-a"), Object: CatalogObject{Type: planKind, ID: newObjectID, Plan: &SubscriptionPlan{Name: name}},
	}, "", func(out answer) string { return out.CatalogObject.of(planKind) })
	if err != nil {
		return "", err
	}
	made, err := a.api.object(ctx, op, http.MethodPost, catalogPath, UpsertCatalogObjectRequest{
		IdempotencyKey: derived(key, "-b"), Object: CatalogObject{Type: variationKind, ID: newObjectID, Variation: &SubscriptionPlanVariation{
			Name: name, PlanID: plan.CatalogObject.ID,
			Phases: []SubscriptionPhase{{Cadence: cadence, Pricing: SubscriptionPricing{Type: pricingStatic, PriceMoney: &amount}}},
		}},
	}, "", func(out answer) string { return out.CatalogObject.of(variationKind) })
	if err != nil {
		return "", err
	}
	if asked, err := made.CatalogObject.price(); err != nil || asked != price.Amount {
		return "", made.call.Unusable(errOther)
	}
	return made.CatalogObject.ID, nil
}

// of is the object's id where it is of a type, and empty otherwise.
func (c *CatalogObject) of(kind string) string {
	if c == nil || c.Type != kind {
		return ""
	}
	return c.ID
}

// price is what a variation asks for in each period once its first ones are over; the zero Money
// where that is no price of its own.
func (c *CatalogObject) price() (core.Money, error) {
	if c.Variation == nil || len(c.Variation.Phases) == 0 {
		return core.Money{}, errNoObject
	}
	last := c.Variation.Phases[len(c.Variation.Phases)-1].Pricing
	if last.Type != pricingStatic {
		return core.Money{}, nil
	}
	return fromForeign(last.PriceMoney)
}

// priceOf is what a plan variation asks for.
//
// Source: GET /v2/catalog/object/{id}.
func (a *Adapter) priceOf(ctx context.Context, op, variation string) (core.Money, error) {
	shown, err := a.api.object(ctx, op, http.MethodGet, catalogPath+"/"+variation, nil, variation, func(out answer) string { return out.Object.of(variationKind) })
	if err != nil {
		return core.Money{}, err
	}
	price, err := shown.Object.price()
	if err != nil {
		return core.Money{}, shown.call.Unusable(err)
	}
	return price, nil
}

package square

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	typePlan         = "SUBSCRIPTION_PLAN"
	typeVariation    = "SUBSCRIPTION_PLAN_VARIATION"
	catalogKeyChars  = 128
	catalogNameChars = 512
	// phasesMost is this simulator's own bound of one variation's phases.
	phasesMost  = 12
	periodsMost = 1000
)

var catalogBody = fields{
	"idempotency_key": needed(upTo(catalogKeyChars)),
	"object": needed(shape{kind: object, of: fields{
		"type": needed(shape{kind: text, words: []string{typePlan, typeVariation}}), "id": needed(upTo(idCharsMax)), "version": {kind: whole},
		"present_at_all_locations": {kind: boolean}, "present_at_location_ids": {kind: unsupported}, "absent_at_location_ids": {kind: unsupported},
		"subscription_plan_data": {kind: object, of: fields{
			"name": needed(upTo(catalogNameChars)), "all_items": {kind: boolean}, "eligible_item_ids": {kind: unsupported},
			"eligible_category_ids": {kind: unsupported}, "phases": {kind: unsupported}, "subscription_plan_variations": {kind: unsupported},
		}},
		"subscription_plan_variation_data": {kind: object, of: fields{
			"name": needed(upTo(catalogNameChars)), "subscription_plan_id": needed(upTo(idCharsMax)),
			"monthly_billing_anchor_date": {kind: unsupported}, "can_prorate": {kind: unsupported}, "successor_plan_variation_id": {kind: unsupported},
			"phases": needed(shape{kind: list, least: 1, most: phasesMost, each: &shape{kind: object, of: fields{
				"uid": {kind: text}, "cadence": needed(shape{kind: text, words: slices.Sorted(maps.Keys(cadences))}), "periods": {kind: whole}, "ordinal": {kind: whole},
				"recurring_price_money": {kind: unsupported}, // of before there were variations
				"pricing": needed(shape{kind: object, of: fields{
					"type": needed(shape{kind: text, words: []string{"STATIC", "RELATIVE"}}), "price_money": moneyShape, "discount_ids": {kind: unsupported},
				}}),
			}}}),
		}},
	}}),
}

// catalogObject is a CatalogObject of the two types that subscriptions need.
//
// Source: developer.squareup.com/reference/square/objects/CatalogObject.
type catalogObject struct {
	Type      string         `json:"type"`
	ID        string         `json:"id"`
	CreatedAt string         `json:"created_at"`
	UpdatedAt string         `json:"updated_at"`
	Version   int64          `json:"version"`
	IsDeleted bool           `json:"is_deleted"`
	Present   bool           `json:"present_at_all_locations"`
	Plan      *planData      `json:"subscription_plan_data,omitempty"`
	Variation *variationData `json:"subscription_plan_variation_data,omitempty"`

	created time.Time
}

type planData struct {
	Name       string           `json:"name"`
	AllItems   bool             `json:"all_items"`
	Variations []*catalogObject `json:"subscription_plan_variations,omitempty"`
}

type variationData struct {
	Name   string  `json:"name"`
	Phases []phase `json:"phases"`
	PlanID string  `json:"subscription_plan_id"`
}

// phase is what is billed, how often, and for how many periods.
type phase struct {
	UID     string  `json:"uid"`
	Cadence string  `json:"cadence"`
	Periods int     `json:"periods,omitempty"` // 0 for without end
	Ordinal int     `json:"ordinal"`
	Pricing pricing `json:"pricing"`
}

type pricing struct {
	Type       string `json:"type"`
	PriceMoney *money `json:"price_money,omitempty"`
}

// writeCatalog makes an object of the catalog, one whose id begins with #, or changes the name
// of one.
//
// Source: POST /v2/catalog/object.
func (s *Server) writeCatalog(in *request) result {
	var given struct {
		Object struct {
			catalogObject

			Version *int64 `json:"version"`
			Present *bool  `json:"present_at_all_locations"`
		} `json:"object"`
	}
	in.into(&given)
	made := given.Object.catalogObject
	if bad := made.check(); bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(made.ID, "#") {
		return s.rename(&made, given.Object.Version)
	}
	if made.Variation != nil {
		if _, bad := s.planOf(made.Variation.PlanID); bad != nil {
			return *bad
		}
	}
	client := made.ID
	made.created, made.Present = s.now(), given.Object.Present == nil || *given.Object.Present
	made.ID, made.Version = s.newID("CAT"), made.created.UnixMilli()
	made.CreatedAt, made.UpdatedAt = stamp(made.created), stamp(made.created)
	s.catalog.Put(made.ID, &made)
	if made.Variation != nil {
		plan, _ := s.catalog.Get(made.Variation.PlanID)
		plan.Plan.Variations = append(plan.Plan.Variations, &made)
	}
	s.tellCatalog()
	return result{status: http.StatusOK, object: map[string]any{
		"catalog_object": shown(&made), "id_mappings": []any{map[string]string{"client_object_id": client, "object_id": made.ID}},
	}}
}

// check refuses an object that cannot be billed by.
func (c *catalogObject) check() *result {
	switch {
	case c.Type == typePlan && (c.Plan == nil || c.Variation != nil):
		return new(invalid("MISSING_REQUIRED_PARAMETER", "object.subscription_plan_data", "A plan has the data of a plan and no other."))
	case c.Type == typePlan:
		return nil
	case c.Variation == nil || c.Plan != nil:
		return new(invalid("MISSING_REQUIRED_PARAMETER", "object.subscription_plan_variation_data", "A plan variation has the data of a variation and no other."))
	}
	for n := range c.Variation.Phases {
		one, at := &c.Variation.Phases[n], fmt.Sprintf("object.subscription_plan_variation_data.phases[%d].", n)
		last := n == len(c.Variation.Phases)-1
		switch {
		case one.Pricing.Type != "STATIC":
			return new(invalid("SANDBOX_NOT_SUPPORTED", at+"pricing.type", "Only STATIC pricing is supported here."))
		case one.Pricing.PriceMoney == nil:
			return new(invalid("MISSING_REQUIRED_PARAMETER", at+"pricing.price_money", "STATIC pricing needs a price."))
		case one.Ordinal != n:
			return new(invalid("INVALID_VALUE", at+"ordinal", "The ordinals must count up from 0."))
		case one.Periods < 0 || one.Periods > periodsMost || one.Periods == 0 && !last:
			return new(invalid("INVALID_VALUE", at+"periods", "All phases but the last one end after some periods."))
		case one.Pricing.PriceMoney.Currency != c.Variation.Phases[0].Pricing.PriceMoney.Currency:
			return new(invalid("CURRENCY_MISMATCH", at+"pricing.price_money.currency", "All phases must be of one currency."))
		}
		// A phase that ends can be free: a trial.
		if one.Pricing.PriceMoney.Amount != 0 || one.Periods == 0 {
			if bad := checkMoney(at+"pricing.price_money", *one.Pricing.PriceMoney); bad != nil {
				return bad
			}
		} else if !slices.Contains(taken, one.Pricing.PriceMoney.Currency) {
			return new(invalid("CURRENCY_MISMATCH", at+"pricing.price_money.currency", "The currency provided is not one that this location takes."))
		}
		if one.UID == "" {
			one.UID = newUUID()
		}
	}
	return nil
}

// rename changes the name of an object. Phases cannot be changed. The caller holds mu.
func (s *Server) rename(given *catalogObject, version *int64) result {
	held, ok := s.catalog.Get(given.ID)
	switch {
	case !ok || held.IsDeleted || held.Type != given.Type:
		return notFound("catalog object", given.ID, "object.id")
	case version == nil:
		return invalid("MISSING_REQUIRED_PARAMETER", "object.version", "An object is changed by its present version.")
	case *version != held.Version:
		return failed(http.StatusConflict, invalidField("VERSION_MISMATCH", "object.version", "The version is not the object's present one."))
	case held.Plan != nil:
		held.Plan.Name, held.Plan.AllItems = given.Plan.Name, given.Plan.AllItems
	case !held.Variation.billsLike(given.Variation):
		return notAllowed(invalidRequest, "BAD_REQUEST", "The phases of a plan variation cannot be changed. Make a new variation.")
	default:
		held.Variation.Name = given.Variation.Name
	}
	now := s.now()
	held.Version, held.UpdatedAt = max(held.Version+1, now.UnixMilli()), stamp(now)
	s.tellCatalog()
	return done("catalog_object", shown(held))
}

// billsLike reports whether two variations are of the same plan and phases.
func (v *variationData) billsLike(other *variationData) bool {
	return v.PlanID == other.PlanID && slices.EqualFunc(v.Phases, other.Phases, func(a, b phase) bool {
		return a.Cadence == b.Cadence && a.Periods == b.Periods && *a.Pricing.PriceMoney == *b.Pricing.PriceMoney
	})
}

// planOf is a plan that was not deleted. The caller holds mu.
func (s *Server) planOf(id string) (*catalogObject, *result) {
	if held, ok := s.catalog.Get(id); ok && !held.IsDeleted && held.Plan != nil {
		return held, nil
	}
	return nil, new(notFound("subscription plan", id, "object.subscription_plan_variation_data.subscription_plan_id"))
}

// variationOf is a plan variation that can be subscribed to. The caller holds mu.
func (s *Server) variationOf(id, field string) (*catalogObject, *result) {
	if held, ok := s.catalog.Get(id); ok && !held.IsDeleted && held.Variation != nil {
		return held, nil
	}
	return nil, new(notFound("subscription plan variation", id, field))
}

func (s *Server) tellCatalog() {
	s.tell("catalog.version.updated", "catalog", "", "catalog_version", map[string]string{"updated_at": stamp(s.now())})
}

func (s *Server) getCatalog(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.catalog.Get(in.id); ok && !held.IsDeleted {
		return done("object", shown(held))
	}
	return notFound("catalog object", in.id, "")
}

// deleteCatalog takes an object away, a plan with its variations. Those who are subscribed stay.
//
// Source: DELETE /v2/catalog/object/{id}.
func (s *Server) deleteCatalog(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.catalog.Get(in.id)
	if !ok || held.IsDeleted {
		return notFound("catalog object", in.id, "")
	}
	gone := []*catalogObject{held}
	if held.Plan != nil {
		gone = append(gone, held.Plan.Variations...)
	}
	var ids []string
	for _, one := range gone {
		if !one.IsDeleted {
			one.IsDeleted = true
			ids = append(ids, one.ID)
		}
	}
	s.tellCatalog()
	return result{status: http.StatusOK, object: map[string]any{"deleted_object_ids": ids, "deleted_at": stamp(s.now())}}
}

// listCatalog lists objects, of all types or of some.
//
// Source: GET /v2/catalog/list.
func (s *Server) listCatalog(in *request) result {
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	w.ascending = true
	types := []string{typePlan, typeVariation}
	if said := in.query["types"]; said != "" {
		types = strings.Split(said, ",")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(s.catalog.All(), func(one *catalogObject) bool { return one.IsDeleted || !slices.Contains(types, one.Type) })
	return cut(s, w, "objects", all, func(one *catalogObject) place { return place{one.created, one.created, one.ID} })
}

// catalogOf are the objects of a type, those that were deleted, too. The caller holds mu.
func (s *Server) catalogOf(kind string) []*catalogObject {
	return slices.DeleteFunc(s.catalog.All(), func(one *catalogObject) bool { return one.Type != kind })
}

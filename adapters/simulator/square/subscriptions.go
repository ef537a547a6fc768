package square

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// The statuses of a subscription.
//
// Source: developer.squareup.com/reference/square/enums/SubscriptionStatus.
const (
	subPending     = "PENDING"
	subActive      = "ACTIVE"
	subPaused      = "PAUSED"
	subDeactivated = "DEACTIVATED"
	subCanceled    = "CANCELED"
)

const (
	searchPageMost = 200
	// localZone is the location's.
	localZone = "Europe/Dublin"
)

var createSubscriptionBody = fields{
	"idempotency_key": {kind: text}, "location_id": needed(upTo(50)), "plan_variation_id": needed(upTo(idCharsMax)),
	"customer_id": needed(upTo(customerIDCharsMax)), "card_id": upTo(idCharsMax), "start_date": upTo(10), "price_override_money": moneyShape,
	"timezone": upTo(64), "source": {kind: object, of: fields{"name": {kind: text, most: 255}}}, "canceled_date": {kind: unsupported},
	"tax_percentage": {kind: unsupported}, "monthly_billing_anchor_date": {kind: unsupported}, "phases": {kind: unsupported},
}

var updateSubscriptionBody = fields{
	"subscription": needed(shape{kind: object, of: fields{
		"version": {kind: whole}, "canceled_date": {kind: text}, "price_override_money": moneyShape, "card_id": upTo(idCharsMax),
		"start_date": {kind: unsupported}, "tax_percentage": {kind: unsupported}, "monthly_billing_anchor_date": {kind: unsupported},
		"source": {kind: unsupported}, "phases": {kind: unsupported}, "timezone": {kind: unsupported},
	}}),
}

var idsShape = shape{kind: list, each: &shape{kind: text, least: 1}}

var searchSubscriptionsBody = fields{
	"cursor": {kind: text}, "limit": {kind: whole}, "include": {kind: list, each: &shape{kind: text, words: []string{"actions"}}},
	"query": {kind: object, of: fields{"filter": {kind: object, of: fields{"customer_ids": idsShape, "location_ids": idsShape, "source_names": idsShape}}}},
}

// subscription is a Subscription.
//
// Source: developer.squareup.com/reference/square/objects/Subscription.
type subscription struct {
	ID                 string            `json:"id"`
	LocationID         string            `json:"location_id"`
	PlanVariationID    string            `json:"plan_variation_id"`
	CustomerID         string            `json:"customer_id"`
	StartDate          string            `json:"start_date"`
	CanceledDate       string            `json:"canceled_date,omitempty"`
	ChargedThroughDate string            `json:"charged_through_date,omitempty"`
	Status             string            `json:"status"`
	InvoiceIDs         []string          `json:"invoice_ids,omitempty"` // newest first
	PriceOverrideMoney *money            `json:"price_override_money,omitempty"`
	Version            int64             `json:"version"`
	CreatedAt          string            `json:"created_at"`
	CardID             string            `json:"card_id"`
	Timezone           string            `json:"timezone"`
	Source             map[string]string `json:"source"`
	Actions            []*action         `json:"actions,omitempty"` // where they are asked for
	Phases             []subPhase        `json:"phases"`

	created time.Time
	zone    *time.Location
	actions []*action // that are to happen
	events  []subEvent
	open    []*invoice // that were not paid, oldest first

	// What is billed next: a period of a phase, which begins at a day; the zero one where
	// nothing is billed any more. Periods are counted from the anchor, so that those that begin
	// on the 31st do so again after a shorter month.
	phases        []phase
	phase, billed int // which phase, and how many of its periods were billed
	anchor        time.Time
	sinceAnchor   int
	next          time.Time
}

type subPhase struct {
	UID          string `json:"uid"`
	Ordinal      int    `json:"ordinal"`
	PlanPhaseUID string `json:"plan_phase_uid"`
}

// subEvent is a SubscriptionEvent.
//
// Source: developer.squareup.com/reference/square/objects/SubscriptionEvent.
type subEvent struct {
	ID              string            `json:"id"`
	Kind            string            `json:"subscription_event_type"`
	EffectiveDate   string            `json:"effective_date"`
	PlanVariationID string            `json:"plan_variation_id"`
	Info            map[string]string `json:"info,omitempty"`

	at time.Time
}

// createSubscription has a customer billed by a plan, from today on or a later day. The first
// bill comes after the answer, at once where that day is today.
//
// Source: POST /v2/subscriptions.
func (s *Server) createSubscription(in *request) result {
	var made subscription
	in.into(&made)
	zone, bad := s.checkSubscription(&made)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	starts := dayOf(now, zone)
	if made.StartDate != "" {
		said, bad := readDay("start_date", made.StartDate, zone)
		switch {
		case bad != nil:
			return *bad
		case said.Before(starts):
			return invalid("INVALID_VALUE", "start_date", "The date must not be in the past.")
		}
		starts = said
	}
	plan, bad := s.variationOf(made.PlanVariationID, "plan_variation_id")
	if bad == nil {
		_, bad = s.customerOf(made.CustomerID, "customer_id")
	}
	if bad == nil {
		bad = s.usable(made.CardID, made.CustomerID, "card_id")
	}
	if bad == nil && made.PriceOverrideMoney != nil && made.PriceOverrideMoney.Currency != plan.Variation.Phases[0].Pricing.PriceMoney.Currency {
		bad = new(invalid("CURRENCY_MISMATCH", "price_override_money.currency", "The currency is not the plan variation's."))
	}
	if bad != nil {
		return *bad
	}
	made.ID, made.Status, made.Version, made.created, made.zone = s.newID("SUB"), subPending, 1, now, zone
	made.CreatedAt, made.StartDate, made.Timezone = stamp(now), date(starts), zone.String()
	if made.Source["name"] == "" {
		made.Source = map[string]string{"name": "Simulated application"}
	}
	made.follow(plan, starts)
	if !starts.After(now) {
		made.begin(now)
	}
	s.subscriptions.Put(made.ID, &made)
	s.tell("subscription.created", "subscription", made.ID, "subscription", &made)
	s.later(starts, func() { s.wake(&made) })
	return done("subscription", shown(&made))
}

// checkSubscription refuses what can be told to be wrong from the fields alone, and gives the
// time zone.
func (s *Server) checkSubscription(made *subscription) (*time.Location, *result) {
	if made.Timezone == "" {
		made.Timezone = localZone
	}
	zone, err := time.LoadLocation(made.Timezone)
	switch {
	case err != nil || made.Timezone == "Local":
		return nil, new(invalid("INVALID_TIMEZONE", "timezone", "The time zone is not one of the IANA's."))
	case made.LocationID != s.LocationID:
		return nil, new(invalid("INVALID_LOCATION", "location_id", "The location is not one of the seller's."))
	case made.CardID == "":
		return nil, new(invalid("SANDBOX_NOT_SUPPORTED", "card_id", "Subscriptions that are billed by email are not supported here."))
	case made.PriceOverrideMoney != nil:
		return zone, checkMoney("price_override_money", *made.PriceOverrideMoney)
	}
	return zone, nil
}

// usable refuses a card that is not the customer's, or was disabled. The caller holds mu.
func (s *Server) usable(card, customer, field string) *result {
	if held, ok := s.cards.Get(card); ok && held.Enabled && held.CustomerID == customer {
		return nil
	}
	return new(notFound("card", card, field))
}

// follow has a subscription billed by a plan variation from a day on.
func (u *subscription) follow(plan *catalogObject, from time.Time) {
	u.PlanVariationID, u.phases = plan.ID, plan.Variation.Phases
	u.Phases = make([]subPhase, len(u.phases))
	for n, one := range u.phases {
		u.Phases[n] = subPhase{UID: newUUID(), Ordinal: n, PlanPhaseUID: one.UID}
	}
	u.phase, u.billed = 0, 0
	u.bill(from)
}

// bill has the next period begin on a day, from which further ones are counted.
func (u *subscription) bill(from time.Time) { u.anchor, u.sinceAnchor, u.next = from, 0, from }

// begin is the start of a subscription.
func (u *subscription) begin(now time.Time) {
	u.Status = subActive
	u.note("START_SUBSCRIPTION", now, nil)
}

// note remembers that something happened.
func (u *subscription) note(kind string, now time.Time, info map[string]string) {
	u.events = append(u.events, subEvent{
		ID: newUUID(), Kind: kind, EffectiveDate: date(now.In(u.zone)), PlanVariationID: u.PlanVariationID, Info: info, at: now,
	})
}

// tellSubscription gives a subscription its next version and tells of it. The caller holds mu.
func (s *Server) tellSubscription(u *subscription) {
	u.Version++
	s.tell("subscription.updated", "subscription", u.ID, "subscription", u)
}

// withActions is a subscription with what is to happen to it.
func (u *subscription) withActions() json.RawMessage {
	whole := *u
	whole.Actions = u.actions
	return shown(&whole)
}

// withPlans answers with a subscription, and what is to happen to it.
func withPlans(u *subscription) result {
	answer := map[string]any{"subscription": shown(u)}
	if len(u.actions) > 0 {
		answer["actions"] = written(u.actions)
	}
	return result{status: http.StatusOK, object: answer}
}

// getSubscription shows a subscription.
//
// Source: GET /v2/subscriptions/{id}.
func (s *Server) getSubscription(in *request) result {
	include, ok := in.query["include"]
	if ok && include != "actions" {
		return invalid("INVALID_ENUM_VALUE", "include", "`"+clip(include)+"` is not a valid enum value for `include`.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, known := s.subscriptions.Get(in.id)
	switch {
	case !known:
		return notFound("subscription", in.id, "")
	case ok:
		return done("subscription", u.withActions())
	}
	return done("subscription", shown(u))
}

// searchSubscriptions finds subscriptions, oldest first.
//
// Source: POST /v2/subscriptions/search.
func (s *Server) searchSubscriptions(in *request) result {
	var given struct {
		Include []string `json:"include"`
		Query   struct {
			Filter struct {
				CustomerIDs []string `json:"customer_ids"`
				LocationIDs []string `json:"location_ids"`
				SourceNames []string `json:"source_names"`
			} `json:"filter"`
		} `json:"query"`
	}
	in.into(&given)
	w, bad := readSearch(in, searchPageMost)
	if bad != nil {
		return *bad
	}
	w.ascending = true
	among := func(wanted []string, one string) bool { return len(wanted) == 0 || slices.Contains(wanted, one) }
	s.mu.Lock()
	defer s.mu.Unlock()
	filter := given.Query.Filter
	all := slices.DeleteFunc(s.subscriptions.All(), func(u *subscription) bool {
		return !among(filter.CustomerIDs, u.CustomerID) || !among(filter.LocationIDs, u.LocationID) || !among(filter.SourceNames, u.Source["name"])
	})
	if len(given.Include) > 0 {
		for n, u := range all {
			all[n] = new(*u)
			all[n].Actions = u.actions
		}
	}
	return cut(s, w, "subscriptions", all, func(u *subscription) place { return place{u.created, u.created, u.ID} })
}

// updateSubscription changes the price or the card, from the next period on, or takes a
// cancellation back. A null clears a field.
//
// Source: PUT /v2/subscriptions/{id}.
func (s *Server) updateSubscription(in *request) result {
	var given struct {
		Subscription struct {
			Version            *int64 `json:"version"`
			CanceledDate       string `json:"canceled_date"`
			PriceOverrideMoney *money `json:"price_override_money"`
			CardID             string `json:"card_id"`
		} `json:"subscription"`
	}
	var raw struct {
		Subscription map[string]json.RawMessage `json:"subscription"`
	}
	in.into(&given)
	in.into(&raw)
	wanted, nulls := given.Subscription, nullsOf(raw.Subscription)
	if wanted.PriceOverrideMoney != nil {
		if bad := checkMoney("subscription.price_override_money", *wanted.PriceOverrideMoney); bad != nil {
			return *bad
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.subscriptions.Get(in.id)
	switch {
	case !ok:
		return notFound("subscription", in.id, "")
	case wanted.Version != nil && *wanted.Version != u.Version:
		return failed(http.StatusConflict, invalidField("VERSION_MISMATCH", "subscription.version", "The version is not the subscription's present one."))
	case u.Status == subCanceled:
		return notAllowed(invalidRequest, "BAD_REQUEST", "The subscription has ended.")
	case wanted.CanceledDate != "":
		return invalid("INVALID_VALUE", "subscription.canceled_date", "The date can only be cleared.")
	case slices.Contains(nulls, "card_id"):
		return invalid("SANDBOX_NOT_SUPPORTED", "subscription.card_id", "Subscriptions that are billed by email are not supported here.")
	case wanted.PriceOverrideMoney != nil && wanted.PriceOverrideMoney.Currency != u.phases[0].Pricing.PriceMoney.Currency:
		return invalid("CURRENCY_MISMATCH", "subscription.price_override_money.currency", "The currency is not the plan variation's.")
	case wanted.CardID != "":
		if bad := s.usable(wanted.CardID, u.CustomerID, "subscription.card_id"); bad != nil {
			return *bad
		}
		u.CardID = wanted.CardID
	}
	if wanted.PriceOverrideMoney != nil || slices.Contains(nulls, "price_override_money") {
		u.PriceOverrideMoney = wanted.PriceOverrideMoney
	}
	if slices.Contains(nulls, "canceled_date") {
		u.drop(actionCancel)
	}
	s.tellSubscription(u)
	return done("subscription", shown(u))
}

// listSubscriptionEvents lists what happened to a subscription, oldest first.
//
// Source: GET /v2/subscriptions/{id}/events.
func (s *Server) listSubscriptionEvents(in *request) result {
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	w.ascending = true
	w.filters += in.id
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.subscriptions.Get(in.id)
	if !ok {
		return notFound("subscription", in.id, "")
	}
	return cut(s, w, "subscription_events", slices.Clone(u.events), func(e subEvent) place { return place{e.at, e.at, e.ID} })
}

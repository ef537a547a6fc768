package square

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	subscriptionsPath = "/v2/subscriptions"
	// billingZone is where the days of our subscriptions begin and end. Square has none but whole
	// days, of the location's zone where nothing else is said.
	billingZone = "UTC"
)

// Subscription is a subscription as Square shows it, as far as it is used. Its days are written
// as 2026-01-31, of its own zone.
//
// Source: developer.squareup.com/reference/square/objects/Subscription.
type Subscription struct {
	ID                 string               `json:"id"`
	Status             string               `json:"status"`
	PlanVariationID    string               `json:"plan_variation_id"`
	CustomerID         string               `json:"customer_id"`
	CardID             string               `json:"card_id"`
	StartDate          string               `json:"start_date"`
	CanceledDate       string               `json:"canceled_date"`        // its last day; empty for no end
	ChargedThroughDate string               `json:"charged_through_date"` // the last day that was asked for
	InvoiceIDs         []string             `json:"invoice_ids"`          // newest first
	PriceOverrideMoney *Money               `json:"price_override_money"`
	Timezone           string               `json:"timezone"`
	CreatedAt          string               `json:"created_at"`
	Actions            []SubscriptionAction `json:"actions"`
}

// SubscriptionAction is a change that is to happen to a subscription.
//
// Source: developer.squareup.com/reference/square/objects/SubscriptionAction.
type SubscriptionAction struct {
	ID                 string `json:"id"`
	Type               string `json:"type"`
	EffectiveDate      string `json:"effective_date"`
	NewPlanVariationID string `json:"new_plan_variation_id"`
}

// CreateSubscriptionRequest is the body of POST /v2/subscriptions.
type CreateSubscriptionRequest struct {
	IdempotencyKey  string `json:"idempotency_key"`
	LocationID      string `json:"location_id"`
	CustomerID      string `json:"customer_id"`
	PlanVariationID string `json:"plan_variation_id"`
	CardID          string `json:"card_id"`
	StartDate       string `json:"start_date,omitempty"` // empty for today
	Timezone        string `json:"timezone"`
}

func subscriptionID(out answer) string {
	if out.Subscription == nil {
		return ""
	}
	return out.Subscription.ID
}

// subscription fetches a subscription with what is to happen to it.
//
// Source: GET /v2/subscriptions/{id}.
func (c *client) subscription(ctx context.Context, op, id string) (answer, error) {
	out, err := c.do(ctx, op, http.MethodGet, subscriptionsPath+"/"+id, url.Values{"include": {"actions"}}, nil)
	if err == nil && subscriptionID(out) != id {
		return answer{}, out.call.Unusable(errNoObject)
	}
	return out, err
}

// CreateSubscription implements [ports.Subscriber]. The card of the one-time token is kept for
// the customer first. It carries our subscription's id, for which Square has no place with the
// subscription itself. The first bill, where it is not for a later day, comes after the answer: a
// look follows, which may show it already.
//
// Source: POST /v2/cards and /v2/subscriptions.
func (a *Adapter) CreateSubscription(ctx context.Context, key core.OperationKey, in ports.CreateSubscription) (ports.SubscriptionSession, error) {
	op := a.op("subscribe", string(in.Subscription))
	if err := checkKey(op, key); err != nil {
		return ports.SubscriptionSession{}, err
	}
	if err := checkPlan(op, in.ProviderPrice, in.Quantity); err != nil {
		return ports.SubscriptionSession{}, err
	}
	card, err := a.saveCard(ctx, op, derived(key, "-a"), in.Source, in.ProviderCustomer, string(in.Subscription))
	if err != nil {
		return ports.SubscriptionSession{}, err
	}
	wanted := CreateSubscriptionRequest{
		IdempotencyKey: derived(key, "-b"), LocationID: a.location, CustomerID: in.ProviderCustomer, PlanVariationID: in.ProviderPrice,
		CardID: card.Card.ID, Timezone: billingZone,
	}
	if in.Price.Recurring != nil && in.Price.Recurring.TrialDays > 0 {
		wanted.StartDate = in.StartAt.UTC().AddDate(0, 0, in.Price.Recurring.TrialDays).Format(time.DateOnly)
	}
	made, err := a.api.object(ctx, op, http.MethodPost, subscriptionsPath, wanted, "", subscriptionID)
	if isRefused(err) {
		// Nobody agreed to leave the card for anything else. Should it stay: only we can charge it.
		_ = a.disable(ctx, op, card.Card.ID)
	}
	if err != nil {
		return ports.SubscriptionSession{}, err
	}
	if made.Subscription.PlanVariationID != in.ProviderPrice || made.Subscription.CustomerID != in.ProviderCustomer {
		return ports.SubscriptionSession{}, made.call.Unusable(errOther)
	}
	seen, err := a.lookAtSubscription(ctx, op, a.ref(core.ObjectSubscription, made.Subscription.ID))
	if err != nil {
		return ports.SubscriptionSession{}, afterwards(err)
	}
	return ports.SubscriptionSession{Snapshot: seen}, nil
}

// checkPlan refuses what Square cannot bill.
func checkPlan(op, variation string, quantity int64) error {
	if safeID(variation) == "" {
		return outbound.Invalid(op, errNotOurRef)
	}
	if quantity != 1 {
		return outbound.Invalid(op, errQuantity)
	}
	return nil
}

// OpenSubscription implements [ports.Subscriber]: the buyer has nothing to go on with.
func (a *Adapter) OpenSubscription(ctx context.Context, ref core.ProviderRef) (ports.SubscriptionSession, error) {
	seen, err := a.lookAtSubscription(ctx, a.op("open subscription", safeID(ref.ID)), ref)
	return ports.SubscriptionSession{Snapshot: seen}, err
}

// GetSubscription implements [ports.Subscriber].
//
// Source: GET /v2/subscriptions/{id}, and of its plan variation, its card and its invoices.
func (a *Adapter) GetSubscription(ctx context.Context, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return a.lookAtSubscription(ctx, a.op("get subscription", safeID(ref.ID)), ref)
}

func (a *Adapter) lookAtSubscription(ctx context.Context, op string, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	if err := a.checkRef(op, ref, core.ObjectSubscription); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	shown, err := a.api.subscription(ctx, op, ref.ID)
	if err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	return a.subscriptionSeen(ctx, op, shown)
}

// subscriptionSeen is what an answer shows of a subscription, with what it refers to: how it
// stands is told by its newest invoice as well.
func (a *Adapter) subscriptionSeen(ctx context.Context, op string, shown answer) (core.SubscriptionSnapshot, error) {
	s := *shown.Subscription
	if safeID(s.PlanVariationID) == "" {
		return core.SubscriptionSnapshot{}, shown.call.Unusable(errNoObject)
	}
	price, err := a.priceOf(ctx, op, s.PlanVariationID)
	if err != nil && !isMissing(err) {
		return core.SubscriptionSnapshot{}, within(err)
	}
	var card *Card // one that is billed by mail has none
	if safeID(s.CardID) != "" {
		held, err := a.card(ctx, op, s.CardID)
		if err != nil && !isMissing(err) {
			return core.SubscriptionSnapshot{}, within(err)
		}
		card = held.Card
	}
	invoices, err := a.invoicesOf(ctx, op, shown)
	if err != nil {
		return core.SubscriptionSnapshot{}, within(err)
	}
	seen, err := a.translateSubscription(s, price, card, invoices)
	if err != nil {
		return core.SubscriptionSnapshot{}, shown.call.Unusable(err)
	}
	return seen, nil
}

// translateSubscription puts a subscription into our words. What it costs, what pays it and what
// was asked for stand elsewhere: price is the zero Money and card nil where nobody knows.
func (a *Adapter) translateSubscription(s Subscription, price core.Money, card *Card, invoices []core.InvoiceSnapshot) (core.SubscriptionSnapshot, error) {
	seen := core.SubscriptionSnapshot{
		Ref: a.ref(core.ObjectSubscription, s.ID), Status: s.status(), ForeignStatus: outbound.SafeCode(s.Status),
		Price: safeID(s.PlanVariationID), Quantity: 1, Amount: price, Environment: a.env, Invoices: invoices,
	}
	var err error
	if seen.CreatedAt, err = fromTime(s.CreatedAt); err != nil || seen.ForeignStatus == "" {
		return core.SubscriptionSnapshot{}, errNotReadable
	}
	if s.PriceOverrideMoney != nil {
		if seen.Amount, err = fromForeign(s.PriceOverrideMoney); err != nil {
			return core.SubscriptionSnapshot{}, err
		}
	}
	if card != nil {
		seen.Method = &core.PaymentMethod{Type: methodCard}
		card.tell(seen.Method)
		if id, err := core.ParseID[core.SubscriptionID](card.ReferenceID); err == nil {
			seen.Subscription = id
		}
	}
	s.tellPeriod(&seen)
	seen.CancelAtPeriodEnd = s.CanceledDate != "" && !s.ended()
	if n := s.planned(actionSwap); n >= 0 {
		seen.PendingPrice, seen.PendingQuantity, seen.PendingAt = safeID(s.Actions[n].NewPlanVariationID), 1, s.day(s.Actions[n].EffectiveDate, 0)
	}
	if len(invoices) > 0 && invoices[0].Failure != nil {
		seen.FailedAttempts, seen.Failure = invoices[0].Attempts, invoices[0].Failure
		if seen.Status == core.SubscriptionActive {
			seen.Status = core.SubscriptionPastDue
		}
	}
	return seen, nil
}

// tellPeriod tells the period that was asked for last, or the trial before the first.
func (s *Subscription) tellPeriod(into *core.SubscriptionSnapshot) {
	if s.onTrialAtFirst() {
		into.TrialEnd = s.day(s.StartDate, 0)
	}
	if s.Status == subscriptionPending {
		if !into.TrialEnd.IsZero() {
			into.CurrentPeriodStart, into.CurrentPeriodEnd = into.CreatedAt, into.TrialEnd
		}
		return
	}
	if into.CurrentPeriodEnd = s.chargedUntil(); into.CurrentPeriodEnd.IsZero() {
		return
	}
	into.CurrentPeriodStart = s.day(s.StartDate, 0)
	for _, one := range into.Invoices {
		if !one.PeriodStart.IsZero() && one.PeriodStart.Before(into.CurrentPeriodEnd) {
			into.CurrentPeriodStart = one.PeriodStart
			return
		}
	}
}

// onTrialAtFirst reports whether a subscription starts, or did, on a later day than it was made:
// that is how trials are given.
func (s *Subscription) onTrialAtFirst() bool {
	made, err := fromTime(s.CreatedAt)
	starts := s.day(s.StartDate, 0)
	return err == nil && !starts.IsZero() && starts.After(made)
}

// chargedUntil is when the time ends that was asked for; zero where nothing was yet.
func (s *Subscription) chargedUntil() time.Time { return s.day(s.ChargedThroughDate, 1) }

// day is the begin of a day of the subscription's own zone, and so many days later.
func (s *Subscription) day(text string, later int) time.Time { return day(text, s.Timezone, later) }

// day is the begin of a day in a zone, or of one so many days later; zero where it is none. In
// a zone that is not known here days are those of UTC.
func day(text, zone string, later int) time.Time {
	where, err := time.LoadLocation(zone)
	if err != nil {
		where = time.UTC
	}
	at, err := time.ParseInLocation(time.DateOnly, text, where)
	if err != nil {
		return time.Time{}
	}
	return at.AddDate(0, 0, later).UTC()
}

// The statuses of a subscription.
//
// Source: developer.squareup.com/reference/square/enums/SubscriptionStatus.
const (
	subscriptionPending     = "PENDING"
	subscriptionActive      = "ACTIVE"
	subscriptionPaused      = "PAUSED"
	subscriptionDeactivated = "DEACTIVATED"
	subscriptionCanceled    = "CANCELED"
	subscriptionCompleted   = "COMPLETED"
)

// status is ours for a subscription's. Whether an active one owes something is not said by it.
// One that is not known here is none at all.
func (s *Subscription) status() core.SubscriptionStatus {
	switch s.Status {
	case subscriptionPending:
		if s.onTrialAtFirst() {
			return core.SubscriptionTrialing
		}
		return core.SubscriptionIncomplete
	case subscriptionActive:
		return core.SubscriptionActive
	case subscriptionPaused:
		return core.SubscriptionPaused
	case subscriptionDeactivated:
		return core.SubscriptionUnpaid
	case subscriptionCanceled, subscriptionCompleted:
		return core.SubscriptionCanceled
	}
	return ""
}

// ended reports whether it asks for nothing any more, for good.
func (s *Subscription) ended() bool {
	return s.Status == subscriptionCanceled || s.Status == subscriptionCompleted
}

// The types of what can be to happen to a subscription.
//
// Source: developer.squareup.com/reference/square/enums/SubscriptionActionType.
const (
	actionCancel = "CANCEL"
	actionPause  = "PAUSE"
	actionResume = "RESUME"
	actionSwap   = "SWAP_PLAN"
)

// planned is where the first of what is to happen stands that is of a type; -1 for none.
func (s *Subscription) planned(kind string) int {
	return slices.IndexFunc(s.Actions, func(one SubscriptionAction) bool { return one.Type == kind })
}

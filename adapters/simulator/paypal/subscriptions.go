package paypal

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The statuses of subscriptions.
//
// Source: PayPal's API description of subscriptions v1.
const (
	subscriptionPending   = "APPROVAL_PENDING"
	subscriptionApproved  = "APPROVED"
	subscriptionSuspended = "SUSPENDED"
	subscriptionCancelled = "CANCELLED"
	subscriptionExpired   = "EXPIRED"
)

const (
	quantityMost  = 1_000_000
	noteMost      = 128 // characters of a reason
	subscribeNow  = "SUBSCRIBE_NOW"
	captureOfOwed = "OUTSTANDING_BALANCE"
)

var subscriptionContextShape = object(map[string]shape{
	"brand_name": text(1, billingNameCharsMax), "locale": text(2, 10), "return_url": text(10, 4000), "cancel_url": text(10, 4000),
	"shipping_preference": word("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"), "user_action": word("CONTINUE", subscribeNow),
	"payment_method": object(map[string]shape{
		"payee_preferred": word("UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED"), "payer_selected": word("PAYPAL"),
	}),
})

// overrideShape is what a subscription can have otherwise than its plan.
var overrideShape = object(map[string]shape{
	"billing_cycles": list(object(map[string]shape{
		"sequence": number(1, 99), "total_cycles": number(0, totalCyclesMax), "pricing_scheme": pricingShape,
	}, "sequence"), cyclesMax),
	"payment_preferences": preferencesShape, "taxes": object(map[string]shape{"percentage": text(1, 10), "inclusive": flag}),
})

var subscriptionShape = object(map[string]shape{
	"plan_id": text(3, 50), "start_time": text(20, 64), "quantity": text(1, 32), "custom_id": text(1, customCharsMax), "plan": overrideShape,
	"subscriber": object(map[string]shape{
		"email_address": text(3, 254), "name": object(map[string]shape{"given_name": text(0, 140), "surname": text(0, 140)}), "shipping_address": anything,
	}),
	"application_context": subscriptionContextShape, "auto_renewal": flag, "shipping_amount": amount,
}, "plan_id")

var reasonShape = object(map[string]shape{"reason": text(1, noteMost)}, "reason")

var maybeReasonShape = object(map[string]shape{"reason": text(1, noteMost)})

var collectShape = object(map[string]shape{"note": text(1, noteMost), "capture_type": word(captureOfOwed), "amount": amount}, "note", "capture_type", "amount")

var transactionQuery = []string{"start_time", "end_time"}

// subscription is a buyer's standing consent to pay.
type subscription struct {
	question
	id, token  string // the token is of the approval
	plan       *plan
	terms      terms // the plan's, or what overrides them
	overridden bool
	quantity   int64
	status     string
	note       string // of the last change of the status
	customID   string
	email      string
	payer      *fullName
	context    *experience
	action     string    // user_action
	starts     time.Time // when it was asked to begin; zero for at once
	funding    *card     // nil until the buyer agreed
	change     *revision // that the buyer has not agreed to yet; nil for none
	sales      []*capture

	start, created, updated, changed time.Time

	bill billing
}

type subscriptionRequest struct {
	PlanID     string     `json:"plan_id"`
	StartTime  string     `json:"start_time"`
	Quantity   string     `json:"quantity"`
	CustomID   string     `json:"custom_id"`
	Plan       *termsWire `json:"plan"`
	Subscriber struct {
		Email string    `json:"email_address"`
		Name  *fullName `json:"name"`
	} `json:"subscriber"`
	Context *struct {
		experience
		Action string `json:"user_action"`
	} `json:"application_context"`
}

// billingTable is the calls of products, plans, subscriptions and sales by method and path.
func (s *Server) billingTable() map[string]call {
	const subscriptions, sales = "/v1/billing/subscriptions", "/v1/payments/sale"
	return map[string]call{
		"POST /v1/catalogs/products":                  {do: s.createProduct, body: &productShape, keys: s.billingKeys},
		"GET /v1/catalogs/products":                   {do: s.listProducts, query: pageQuery},
		"GET /v1/catalogs/products/{id}":              {do: s.getProduct},
		"POST /v1/billing/plans":                      {do: s.createPlan, body: &planShape, keys: s.billingKeys},
		"GET /v1/billing/plans":                       {do: s.listPlans, query: planQuery},
		"GET /v1/billing/plans/{id}":                  {do: s.getPlan},
		"POST /v1/billing/plans/{id}/activate":        {do: s.setPlan(statusActive, "BILLING.PLAN.ACTIVATED", statusCreated, statusInactive), body: &emptyShape},
		"POST /v1/billing/plans/{id}/deactivate":      {do: s.setPlan(statusInactive, "BILLING.PLAN.DEACTIVATED", statusActive), body: &emptyShape},
		"POST " + subscriptions:                       {do: s.createSubscription, body: &subscriptionShape, keys: s.billingKeys},
		"GET " + subscriptions + "/{id}":              {do: s.getSubscription, query: []string{"fields"}},
		"POST " + subscriptions + "/{id}/revise":      {do: s.revise, body: &reviseShape},
		"POST " + subscriptions + "/{id}/suspend":     {do: s.suspendSubscription, body: &reasonShape},
		"POST " + subscriptions + "/{id}/cancel":      {do: s.cancelSubscription, body: &reasonShape},
		"POST " + subscriptions + "/{id}/activate":    {do: s.activateSubscription, body: &maybeReasonShape},
		"POST " + subscriptions + "/{id}/capture":     {do: s.collect, body: &collectShape, keys: s.billingKeys},
		"GET " + subscriptions + "/{id}/transactions": {do: s.listSales, query: transactionQuery},
		"GET " + sales + "/{id}":                      {do: s.getSale},
		"POST " + sales + "/{id}/refund":              {do: s.refundSale, body: &saleRefundShape, keys: s.paymentKeys},
		"GET /v1/payments/refund/{id}":                {do: s.getSaleRefund},
	}
}

// createSubscription makes what a buyer can agree to pay again and again.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1, subscriptions_create.
func (s *Server) createSubscription(in *request) result {
	var wire subscriptionRequest
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	p, ok := s.plans.Get(wire.PlanID)
	switch {
	case !ok:
		return missing("/plan_id")
	case p.status != statusActive:
		return unprocessable("PLAN_STATUS_INVALID", "/plan_id")
	}
	now := s.now()
	b := &subscription{
		plan: p, status: subscriptionPending, customID: wire.CustomID, email: wire.Subscriber.Email, payer: wire.Subscriber.Name, action: subscribeNow,
		created: now, updated: now, changed: now,
	}
	if wire.Context != nil {
		b.context, b.action = &wire.Context.experience, cmp.Or(wire.Context.Action, subscribeNow)
	}
	if bad := b.context.check("/application_context/"); bad != nil {
		return *bad
	}
	var bad *result
	if b.terms, b.quantity, bad = p.terms.with(wire.Plan, wire.Quantity); bad != nil {
		return *bad
	}
	b.overridden = wire.Plan != nil
	if wire.StartTime != "" {
		at, err := time.Parse(time.RFC3339, wire.StartTime)
		if err != nil || !at.After(now) {
			return invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "/start_time", Location: "body"})
		}
		b.starts = at.UTC()
	}
	b.start, b.bill.executed = now, make([]int, len(b.terms.cycles))
	if !b.starts.IsZero() {
		b.start = b.starts
	}
	b.id, b.token = "I-"+s.newID(), "BA-"+s.newID()
	s.subscriptions.Put(b.id, b)
	s.approvals.Put(b.token, b)
	s.tell("BILLING.SUBSCRIPTION.CREATED", b.id, s.shownSubscription(b, true, false))
	return created("subscription " + b.id)
}

// with are the terms for one subscription: with what overrides them, and how many are
// subscribed to.
func (t *terms) with(override *termsWire, quantity string) (terms, int64, *result) {
	made := *t
	made.cycles = slices.Clone(t.cycles)
	many, err := strconv.ParseInt(cmp.Or(quantity, "1"), 10, 64)
	switch {
	case err != nil || many < 1 || many > quantityMost:
		return made, 0, new(invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "/quantity", Location: "body"}))
	case quantity != "" && !t.manyPermitted:
		return made, 0, new(unprocessable("QUANTITY_NOT_SUPPORTED", "/quantity"))
	case override == nil:
		return made, many, nil
	}
	for i, one := range override.Cycles {
		field := "/plan/billing_cycles/" + strconv.Itoa(i)
		at := slices.IndexFunc(made.cycles, func(c cycle) bool { return c.sequence == one.Sequence })
		if at < 0 {
			return made, 0, new(unprocessable("INVALID_BILLING_CYCLE_SEQUENCE", field+"/sequence"))
		}
		if one.Total != nil {
			made.cycles[at].total = *one.Total
		}
		if one.Pricing != nil {
			price, bad := made.priced(one.Pricing.FixedPrice, field+"/pricing_scheme/fixed_price", made.cycles[at].tenure == tenureTrial)
			if bad != nil {
				return made, 0, bad
			}
			made.cycles[at].price = price
		}
	}
	return made, many, made.prefer(*override)
}

func (s *Server) getSubscription(in *request) result {
	b, ok := s.subscriptions.Get(in.id)
	if !ok {
		return notFound()
	}
	return done(s.shownSubscription(b, true, in.query.Get("fields") == "plan"))
}

// subscriptionIn gives a subscription that a call is about, in one of the statuses that allow
// it. The caller holds mu.
func (s *Server) subscriptionIn(id string, statuses ...string) (*subscription, *result) {
	b, ok := s.subscriptions.Get(id)
	switch {
	case !ok:
		return nil, new(notFound())
	case !slices.Contains(statuses, b.status):
		return nil, new(unprocessable("SUBSCRIPTION_STATUS_INVALID", ""))
	}
	return b, nil
}

// reason reads why a status is changed.
func (in *request) reason() (string, *result) {
	var wire struct {
		Reason string `json:"reason"`
	}
	bad := in.decode(&wire)
	return wire.Reason, bad
}

func (s *Server) suspendSubscription(in *request) result {
	note, bad := in.reason()
	if bad != nil {
		return *bad
	}
	b, bad := s.subscriptionIn(in.id, statusActive)
	if bad != nil {
		return *bad
	}
	s.suspend(b, note)
	return nothing()
}

// cancelSubscription ends a subscription at once; there is no other way.
func (s *Server) cancelSubscription(in *request) result {
	note, bad := in.reason()
	if bad != nil {
		return *bad
	}
	b, bad := s.subscriptionIn(in.id, statusActive, subscriptionSuspended)
	if bad != nil {
		return *bad
	}
	s.end(b, subscriptionCancelled, note)
	return nothing()
}

// activateSubscription begins a subscription that its buyer agreed to, or goes on with one that
// is suspended. What failed payments suspended stays so until what is owed is collected.
func (s *Server) activateSubscription(in *request) result {
	note, bad := in.reason()
	if bad != nil {
		return *bad
	}
	b, bad := s.subscriptionIn(in.id, subscriptionApproved, subscriptionSuspended)
	switch {
	case bad != nil:
		return *bad
	case b.status == subscriptionApproved:
		s.begin(b)
	case b.overdue():
		return unprocessable("SUBSCRIPTION_CANNOT_BE_ACTIVATED", "")
	default:
		s.resume(b, note)
	}
	return nothing()
}

// nothing is the answer of what worked and has nothing to show.
func nothing() result { return result{status: http.StatusNoContent} }

// ---- the buyer's consent

func (b *subscription) name() string { return b.id }

func (b *subscription) offer() offer {
	return b.offered(b.terms, b.quantity, b.token, "Agree and subscribe", b.context)
}

func (b *subscription) offered(t terms, quantity int64, token, verb string, context *experience) offer {
	regular := t.cycles[len(t.cycles)-1]
	price := moneyOf(t.taxed(regular.price*quantity), t.currency)
	pairs := []string{"subscription_id", b.id, "ba_token", token, "token", token}
	return offer{status: b.status, amount: &price, verb: verb, source: sourcePayPal, context: context, back: pairs, cancelBack: pairs}
}

func (b *subscription) asks(*Server) {}

// accept implements [consent]. What is due at once has to be paid by what the buyer chose.
func (b *subscription) accept(s *Server, with *card, by string) *cardProblem {
	if problem := b.suits(with, by); problem != nil {
		return problem
	}
	b.funding, b.updated, b.changed = with, s.now(), s.now()
	if b.action == subscribeNow {
		s.begin(b)
	} else {
		b.status = subscriptionApproved
	}
	return nil
}

// suits is what is wrong with a card for a subscription; nil for nothing.
func (b *subscription) suits(with *card, by string) *cardProblem {
	switch {
	case by != sourcePayPal:
		return &cardProblem{"INVALID_SOURCE", "Subscriptions are paid from a PayPal account."}
	case with.refusal() != "" && b.dueAtOnce() > 0:
		return &cardProblem{"INSTRUMENT_DECLINED", "Your bank refused the card. Choose another one."}
	}
	return nil
}

// mismatch implements [consent]: the script is to be loaded for subscriptions.
func (b *subscription) mismatch(form url.Values) (code, message string) {
	if form.Has("intent") && form.Get("intent") != "subscription" {
		return "INTENT_MISMATCH", "The script was loaded for something else than subscriptions: it needs vault=true&intent=subscription."
	}
	return "", ""
}

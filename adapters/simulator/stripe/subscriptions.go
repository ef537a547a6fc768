package stripe

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// The statuses of a subscription, beside canceled.
//
// Source: docs.stripe.com/billing/subscriptions/overview.
const (
	subIncomplete = "incomplete"
	subExpired    = "incomplete_expired"
	subTrialing   = "trialing"
	subActive     = "active"
	subPastDue    = "past_due"
	subUnpaid     = "unpaid"
	subPaused     = "paused"
)

// How long things take.
//
// Source: docs.stripe.com/billing/subscriptions/overview, docs.stripe.com/billing/subscriptions/trials.
const (
	firstPaymentTime = 23 * time.Hour     // for the first invoice
	trialNoticeTime  = 3 * 24 * time.Hour // before a trial ends
	trialDaysMax     = 730
	quantityMax      = 999_999
	itemsMax         = 20
)

// subscription is a Subscription.
//
// Source: docs.stripe.com/api/subscriptions/object.
type subscription struct {
	ID                   string              `json:"id"`
	Object               string              `json:"object"`
	BillingCycleAnchor   int64               `json:"billing_cycle_anchor"`
	CancelAt             *int64              `json:"cancel_at"`
	CancelAtPeriodEnd    bool                `json:"cancel_at_period_end"`
	CanceledAt           *int64              `json:"canceled_at"`
	CancellationDetails  cancellationDetails `json:"cancellation_details"`
	CollectionMethod     string              `json:"collection_method"`
	Created              int64               `json:"created"`
	Currency             string              `json:"currency"`
	CurrentPeriodEnd     int64               `json:"current_period_end"`
	CurrentPeriodStart   int64               `json:"current_period_start"`
	Customer             any                 `json:"customer"` // id or object
	DaysUntilDue         *int64              `json:"days_until_due"`
	DefaultPaymentMethod any                 `json:"default_payment_method"` // null, id or object
	DefaultSource        *string             `json:"default_source"`
	Description          *string             `json:"description"`
	Discount             *string             `json:"discount"`
	EndedAt              *int64              `json:"ended_at"`
	Items                listOf              `json:"items"`
	LatestInvoice        any                 `json:"latest_invoice"` // null, id or object
	Livemode             bool                `json:"livemode"`
	Metadata             map[string]string   `json:"metadata"`
	PauseCollection      *pauseCollection    `json:"pause_collection"`
	PaymentSettings      paymentSettings     `json:"payment_settings"`
	PendingSetupIntent   any                 `json:"pending_setup_intent"` // null, id or object
	PendingUpdate        any                 `json:"pending_update"`
	Schedule             *string             `json:"schedule"`
	StartDate            int64               `json:"start_date"`
	Status               string              `json:"status"`
	TestClock            *string             `json:"test_clock"`
	TrialEnd             *int64              `json:"trial_end"`
	TrialSettings        trialSettings       `json:"trial_settings"`
	TrialStart           *int64              `json:"trial_start"`

	owner    *customer
	method   *paymentMethod // that is charged; nil for the customer's default
	items    []*item
	pending  []*line    // that go onto the next invoice
	invoices []*invoice // oldest first
	setup    *setup     // that is waited for; nil for none
	anchor   time.Time  // that periods are counted from
	cycle    int64      // number of the period that follows the current one, from the anchor
	planned  int64      // counts the plans for the end of the period: the last one holds
}

// item is a SubscriptionItem.
type item struct {
	ID           string            `json:"id"`
	Object       string            `json:"object"`
	Created      int64             `json:"created"`
	Metadata     map[string]string `json:"metadata"`
	Price        *price            `json:"price"`
	Quantity     int64             `json:"quantity"`
	Subscription string            `json:"subscription"`
	TaxRates     []string          `json:"tax_rates"`
}

type cancellationDetails struct {
	Comment  *string `json:"comment"`
	Feedback *string `json:"feedback"`
	Reason   *string `json:"reason"`
}

type pauseCollection struct {
	Behavior  string `json:"behavior"`
	ResumesAt *int64 `json:"resumes_at"`
}

type paymentSettings struct {
	PaymentMethodOptions     any      `json:"payment_method_options"`
	PaymentMethodTypes       []string `json:"payment_method_types"`
	SaveDefaultPaymentMethod string   `json:"save_default_payment_method"`
}

type trialSettings struct {
	EndBehavior struct {
		MissingPaymentMethod string `json:"missing_payment_method"`
	} `json:"end_behavior"`
}

// over reports whether a subscription has ended for good.
func (sub *subscription) over() bool { return sub.Status == canceled || sub.Status == subExpired }

// latest is the last invoice; nil for none.
func (sub *subscription) latest() *invoice {
	if len(sub.invoices) == 0 {
		return nil
	}
	return sub.invoices[len(sub.invoices)-1]
}

// rhythm is how often the subscription renews.
func (sub *subscription) rhythm() *recurring { return sub.items[0].Price.Recurring }

// copied is the subscription as it stands now, which later changes leave alone.
func (sub *subscription) copied() *subscription {
	c := *sub
	c.Metadata, c.Customer = maps.Clone(sub.Metadata), sub.owner.ID
	if sub.method != nil {
		c.DefaultPaymentMethod = sub.method.ID
	}
	if sub.setup != nil {
		c.PendingSetupIntent = sub.setup.ID
	}
	if last := sub.latest(); last != nil {
		c.LatestInvoice = last.ID
	}
	shown := make([]item, len(sub.items))
	for n, each := range sub.items {
		shown[n] = *each
		shown[n].Price, shown[n].Metadata = each.Price.copied(), maps.Clone(each.Metadata)
	}
	c.Items = listOf{Object: "list", Data: shown, URL: "/v1/subscription_items?subscription=" + sub.ID}
	return &c
}

var ofSubscription = []string{
	"customer", "default_payment_method", "latest_invoice", "latest_invoice.payment_intent", "latest_invoice.payment_intent.latest_charge",
	"latest_invoice.payment_intent.payment_method", "latest_invoice.charge", "pending_setup_intent", "pending_setup_intent.payment_method",
}

// shownSubscription is a subscription as an answer shows it. The caller holds mu.
func (s *Server) shownSubscription(sub *subscription, in *request) *subscription {
	c := sub.copied()
	if in.reaches("customer") {
		c.Customer = sub.owner.copied()
	}
	if sub.method != nil && in.reaches("default_payment_method") {
		c.DefaultPaymentMethod = sub.method.copied()
	}
	if sub.setup != nil && in.reaches("pending_setup_intent") {
		c.PendingSetupIntent = shownSetup(sub.setup, in, "pending_setup_intent.")
	}
	if last := sub.latest(); last != nil && in.reaches("latest_invoice") {
		c.LatestInvoice = s.shownInvoice(last, in, "latest_invoice.")
	}
	return c
}

var subscriptionParams = []string{
	"customer", "items[*][price]", "items[*][price_data][currency]", "items[*][price_data][product]", "items[*][price_data][unit_amount]",
	"items[*][price_data][recurring][interval]", "items[*][price_data][recurring][interval_count]", "items[*][quantity]", "items[*][metadata][*]",
	"payment_behavior", "default_payment_method", "trial_period_days", "trial_end", "trial_settings[end_behavior][missing_payment_method]",
	"cancel_at_period_end", "cancel_at", "metadata[*]", "description", "collection_method", "currency", "off_session", "proration_behavior",
	"payment_settings[save_default_payment_method]", "payment_settings[payment_method_types][*]", "expand[*]",
}

// createSubscription starts a subscription.
//
// Source: docs.stripe.com/api/subscriptions/create.
func (s *Server) createSubscription(in *request) result {
	behavior, out := in.choice("payment_behavior", "allow_incomplete", "default_incomplete", "error_if_incomplete")
	if out != nil {
		return *out
	}
	offSession, out := in.boolean("off_session", false)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, out := s.readSubscription(in)
	if out != nil {
		return *out
	}
	due := int64(0)
	if sub.TrialEnd == nil {
		due = sum(fullLines(sub, sub.items, sub.CurrentPeriodStart, sub.CurrentPeriodEnd))
	}
	if due > 0 && behavior != "default_incomplete" {
		if out := s.checkCharge(sub, behavior, offSession); out != nil {
			return *out
		}
	}
	s.begin(sub)
	s.firstInvoice(sub, behavior, offSession)
	return done(s.shownSubscription(sub, in))
}

// checkCharge refuses what could not be charged, where nothing is to be made then. The caller
// holds mu.
func (s *Server) checkCharge(sub *subscription, behavior string, offSession bool) *result {
	by := sub.charged()
	if by == nil {
		return new(failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "resource_missing",
			Message: "This customer has no attached payment source or default payment method. Please consider adding a default payment method.",
		}))
	}
	if behavior != "error_if_incomplete" {
		return nil
	}
	refusal := by.refusal(false)
	if by.asks(offSession) {
		refusal = apiError{
			Type: typeCard, Code: "subscription_payment_intent_requires_action",
			Message: "Payment for this subscription requires additional user action before it can be completed successfully.",
		}
	}
	if refusal.Code == "" {
		return nil
	}
	refusal.PaymentMethod = by.copied()
	return new(failed(http.StatusPaymentRequired, refusal))
}

// charged is the method that a subscription's invoices are charged to; nil for none.
func (sub *subscription) charged() *paymentMethod {
	if sub.method != nil {
		return sub.method
	}
	if by := sub.owner.InvoiceSettings.DefaultPaymentMethod; by != nil {
		return sub.owner.method(*by)
	}
	return nil
}

func (s *Server) getSubscription(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub, ok := s.subscriptions.Get(in.id); ok {
		return done(s.shownSubscription(sub, in))
	}
	return notFound("subscription", "id", in.id)
}

// listSubscriptions lists subscriptions; those that ended only where their status is asked
// for.
//
// Source: docs.stripe.com/api/subscriptions/list.
func (s *Server) listSubscriptions(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, out := in.choice("status", "", "all", "ended", subActive, canceled, subIncomplete, subExpired, subPastDue, subPaused, subTrialing, subUnpaid)
	if out != nil {
		return *out
	}
	var all []*subscription
	if id := in.params["customer"]; id == "" {
		all = s.subscriptions.NewestFirst()
	} else if held, ok := s.customers.Get(id); ok {
		all = slices.Clone(held.subscriptions)
		slices.Reverse(all)
	}
	all = slices.DeleteFunc(all, func(sub *subscription) bool {
		if wanted := in.params["price"]; wanted != "" && !slices.ContainsFunc(sub.items, func(each *item) bool { return each.Price.ID == wanted }) {
			return true
		}
		switch status {
		case "":
			return sub.Status == canceled
		case "all":
			return false
		case "ended":
			return !sub.over()
		}
		return sub.Status != status
	})
	list, kept, out := page(in, "/v1/subscriptions", all, func(sub *subscription) string { return sub.ID }, func(sub *subscription) int64 { return sub.Created })
	if out != nil {
		return *out
	}
	list.Data = copies(kept, func(sub *subscription) *subscription { return s.shownSubscription(sub, in) })
	return done(list)
}

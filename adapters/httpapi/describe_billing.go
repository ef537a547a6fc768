package httpapi

import (
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
)

// billingNotes, billingNullable and billingEnums are [notes], [nullable] and [enums] of customers,
// prices and subscriptions.
var billingNotes = map[place]string{
	{"Checkout", "subscription"}:             "Of the mode subscription: the newest attempt, or the one that completed the checkout",
	{"Checkout", "payment_method"}:           "Of the mode setup: the method that is saved",
	{"LineItem", "price"}:                    "The price's id; null where name and amount were given",
	{"Payment", "subscription"}:              "That asked for it; null elsewhere",
	{"Payment", "invoice"}:                   "Of the subscription; null elsewhere",
	{"SavedMethod", "status"}:                "Can be charged where `active`",
	{"SavedMethod", "consent"}:               "What the buyer agreed to; without it nothing can be charged",
	{"Consent", "text"}:                      "The sentence that the buyer saw",
	{"Consent", "checkout"}:                  "Where they saw it",
	{"Price", "amount"}:                      "Of one piece, in minor units",
	{"Price", "recurring"}:                   "Null for a price that is paid once",
	{"Recurring", "interval_count"}:          "Of intervals in one period",
	{"Recurring", "trial_days"}:              "Without payment, at the begin",
	{"Subscription", "status"}:               "Serve on `trialing` and `active`; on `past_due` the provider tries again",
	{"Subscription", "price"}:                "Null where the provider's dashboard chose one that is none of yours",
	{"Subscription", "amount"}:               "Of one period, for the whole quantity, in minor units",
	{"Subscription", "pending_change"}:       "The price and quantity to come; null where none are",
	{"Subscription", "failure"}:              "Why the last attempt to take money failed; null where it did not",
	{"Subscription", "next_attempt"}:         "When the provider tries again; null where it does not",
	{"Subscription", "canceled_at"}:          "When its end was asked for",
	{"Subscription", "ended_at"}:             "Null while it runs",
	{"Invoice", "payment"}:                   "The newest that pays it; null before the first",
	{"Invoice", "amount_due"}:                "Asked for, in minor units",
	{"Invoice", "attempts"}:                  "To take its money so far",
	{"Subscription", "cancel_at_period_end"}: "Whether it ends when the paid period does",
}

func billingNullable() []place {
	places := []place{
		{"SavedMethod", "consent"}, {"Price", "recurring"}, {"PendingChange", "at"}, {"ChangePreview", "next_at"}, {"ChangePreview", "effective_at"},
		{"Invoice", "period_start"}, {"Invoice", "period_end"}, {"Invoice", "next_attempt"},
	}
	for _, schema := range []string{"Subscription", "ChangedSubscription"} {
		for _, field := range []string{
			"current_period_start", "current_period_end", "trial_end", "pending_change", "payment_method", "failure", "next_attempt", "canceled_at", "ended_at",
		} {
			places = append(places, place{schema, field})
		}
	}
	return places
}

func billingEnums() map[place][]any {
	environments := texts(core.EnvTest, core.EnvLive)
	statuses := texts(core.SubscriptionStatuses()...)
	return map[place][]any{
		{"KnownCustomer", "environment"}:       environments,
		{"SavedMethod", "status"}:              texts(core.MethodStatuses()...),
		{"Price", "environment"}:               environments,
		{"Recurring", "interval"}:              texts(core.IntervalDay, core.IntervalWeek, core.IntervalMonth, core.IntervalYear),
		{"Subscription", "status"}:             statuses,
		{"Subscription", "environment"}:        environments,
		{"ChangedSubscription", "status"}:      statuses,
		{"ChangedSubscription", "environment"}: environments,
		{"Invoice", "status"}:                  texts(core.InvoiceStatuses()...),
	}
}

// What the examples of billing are about.
const (
	exampleCustomer     core.CustomerID     = "cus_01kaqv1vd0e5tsm1vyj9c0a7xn"
	exampleMethod       core.MethodID       = "pm_01kaqv1vd0e5tsm1vyj9c0a7xp"
	examplePrice        core.PriceID        = "prc_01kaqv1vd0e5tsm1vyj9c0a7xq"
	exampleSubscription core.SubscriptionID = "sub_01kaqv1vd0e5tsm1vyj9c0a7xr"
	exampleInvoice      core.InvoiceID      = "inv_01kaqv1vd0e5tsm1vyj9c0a7xs"
)

// billingExamples are [examples] of the same.
func billingExamples() map[string]any {
	start := time.Date(2026, time.November, 23, 10, 11, 12, 345678000, time.UTC)
	created, end := view.Time{Time: start}, view.Time{Time: start.AddDate(0, 1, 0)}
	email, name, kind, brand, last4, month, year := "ada@example.com", "Ada Lovelace", "card", "visa", "4242", 12, 2030
	checkout, price, payment, provider := exampleCheckout, examplePrice, examplePayment, "sub_1PExample"
	subscription := view.Subscription{
		ID: exampleSubscription, Checkout: &checkout, Reference: "tea-club", Customer: exampleCustomer, Account: "stripe", Provider: core.ProviderStripe,
		ProviderSubscriptionID: &provider, Status: core.SubscriptionActive, Price: &price, Quantity: 1, Amount: exampleAmount, Currency: "EUR",
		CurrentPeriodStart: &created, CurrentPeriodEnd: &end, PaymentMethod: &view.PaymentMethod{Type: kind, Brand: &brand, Last4: &last4, ExpMonth: &month, ExpYear: &year},
		Environment: core.EnvTest, CreatedAt: created, UpdatedAt: created, Metadata: map[string]string{},
	}
	return map[string]any{
		"KnownCustomer": view.KnownCustomer{ID: exampleCustomer, Email: &email, Name: &name, Environment: core.EnvTest, CreatedAt: created, UpdatedAt: created, Metadata: map[string]string{}},
		"SavedMethod": view.SavedMethod{
			ID: exampleMethod, Customer: exampleCustomer, Account: "stripe", Provider: core.ProviderStripe, Status: core.MethodActive, Type: &kind, Brand: &brand,
			Last4: &last4, ExpMonth: &month, ExpYear: &year, Consent: &view.Consent{At: created, Text: "I allow the shop to save …", Checkout: &checkout}, CreatedAt: created,
		},
		"Price": view.Price{
			ID: examplePrice, Name: "Tea club", Amount: exampleAmount, Currency: "EUR", Recurring: &view.Recurring{Interval: core.IntervalMonth, IntervalCount: 1, TrialDays: 14},
			Environment: core.EnvTest, CreatedAt: created,
		},
		"Subscription": subscription,
		"Invoice": view.Invoice{
			ID: exampleInvoice, Subscription: exampleSubscription, Payment: &payment, ProviderInvoiceID: "in_1PExample", Status: core.InvoicePaid,
			AmountDue: exampleAmount, AmountPaid: exampleAmount, Currency: "EUR", PeriodStart: &created, PeriodEnd: &end, Attempts: 1, IssuedAt: created,
		},
		"NewPriceCallBody":    map[string]any{"name": "Tea club", "amount": exampleAmount, "currency": "EUR", "recurring": map[string]any{"interval": "month", "trial_days": 14}},
		"NewCustomerCallBody": map[string]any{"email": email, "name": name},
		"NewPaymentBody": map[string]any{
			"customer": exampleCustomer, "payment_method": exampleMethod, "amount": exampleAmount, "currency": "EUR", "reference": "order-2",
		},
		"SubscriptionChange": map[string]any{"price": examplePrice, "quantity": 2, "proration": "create"},
	}
}

package httpapi

import (
	"maps"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
)

// billingNotes say what fields of customers, prices and subscriptions mean that do not say it by
// their names.
var billingNotes = map[place]string{
	{"Checkout", "subscription"}:                 "Of the mode subscription: the newest attempt, or the one that completed the checkout",
	{"Checkout", "payment_method"}:               "Of the mode setup: the method that is saved",
	{"LineItem", "price"}:                        "The price's id; null where name and amount were given",
	{"Payment", "subscription"}:                  "That asked for it; null elsewhere",
	{"Payment", "invoice"}:                       "Of the subscription; null elsewhere",
	{"SavedMethod", "status"}:                    "Can be charged where `active`",
	{"SavedMethod", "consent"}:                   "What the buyer agreed to; nothing can be charged without it",
	{"Consent", "text"}:                          "The sentence that the buyer saw",
	{"Consent", "checkout"}:                      "Where they saw it",
	{"Price", "amount"}:                          "Of one piece, in minor units",
	{"Price", "recurring"}:                       "Null for a price that is paid once",
	{"Recurring", "interval_count"}:              "Of intervals in one period",
	{"Recurring", "trial_days"}:                  "Without payment, at the begin",
	{"PendingChange", "price"}:                   "Null where the provider's dashboard chose one that is none of yours",
	{"ChangePreview", "next_at"}:                 "Null where the provider does not say",
	{"ChangePreview", "effective_at"}:            "From when on the change holds; null where the provider does not say",
	{"Invoice", "payment"}:                       "The newest that pays it; null before the first",
	{"Invoice", "amount_due"}:                    "Asked for, in minor units",
	{"Invoice", "attempts"}:                      "To take its money so far",
	{"Invoice", "next_attempt"}:                  "When the provider tries again; null where it does not",
	{"Invoice", "provider_invoice_id"}:           "The provider's own id",
	{"Subscription", "status"}:                   "Serve on `trialing` and `active`; on `past_due` the provider tries again",
	{"Subscription", "price"}:                    "Null where the provider's dashboard chose one that is none of yours",
	{"Subscription", "amount"}:                   "Of one period, for the whole quantity, in minor units",
	{"Subscription", "pending_change"}:           "The price and quantity to come; null where none are",
	{"Subscription", "failure"}:                  "Why the last attempt to take money failed; null where it did not",
	{"Subscription", "next_attempt"}:             "When the provider tries again; null where it does not",
	{"Subscription", "canceled_at"}:              "When its end was asked for",
	{"Subscription", "ended_at"}:                 "Null while it runs",
	{"Subscription", "cancel_at_period_end"}:     "Whether it ends when the paid period does",
	{"Subscription", "provider_subscription_id"}: "The provider's own id; null until it made its object",
}

// billingNullable are the fields of them that the library takes for always there.
var billingNullable = []place{
	{"SavedMethod", "consent"},
	{"Price", "recurring"},
	{"PendingChange", "at"},
	{"ChangePreview", "next_at"},
	{"ChangePreview", "effective_at"},
	{"Invoice", "period_start"},
	{"Invoice", "period_end"},
	{"Invoice", "next_attempt"},
	{"Subscription", "current_period_start"},
	{"Subscription", "current_period_end"},
	{"Subscription", "trial_end"},
	{"Subscription", "pending_change"},
	{"Subscription", "payment_method"},
	{"Subscription", "failure"},
	{"Subscription", "next_attempt"},
	{"Subscription", "canceled_at"},
	{"Subscription", "ended_at"},
}

// billingEnums are the values that fields of them can have. New ones may come.
func billingEnums() map[place][]any {
	environments := texts(core.EnvTest, core.EnvLive)
	return map[place][]any{
		{"KnownCustomer", "environment"}: environments,
		{"SavedMethod", "status"}:        texts(core.MethodStatuses()...),
		{"Price", "environment"}:         environments,
		{"Recurring", "interval"}:        texts(core.IntervalDay, core.IntervalWeek, core.IntervalMonth, core.IntervalYear),
		{"Subscription", "status"}:       texts(core.SubscriptionStatuses()...),
		{"Subscription", "environment"}:  environments,
		{"Invoice", "status"}:            texts(core.InvoiceStatuses()...),
	}
}

// describeChanged gives the fields that a changed subscription shares with any other their
// description.
func describeChanged(schemas map[string]*huma.Schema) {
	of, from := schemas["ChangedSubscription"], schemas["Subscription"]
	if of == nil || from == nil {
		return
	}
	maps.Copy(of.Properties, from.Properties)
}

// What the examples of billing are about.
const (
	exampleCustomer     core.CustomerID     = "cus_01kaqv1vd0e5tsm1vyj9c0a7xn"
	exampleMethod       core.MethodID       = "pm_01kaqv1vd0e5tsm1vyj9c0a7xp"
	examplePrice        core.PriceID        = "prc_01kaqv1vd0e5tsm1vyj9c0a7xq"
	exampleSubscription core.SubscriptionID = "sub_01kaqv1vd0e5tsm1vyj9c0a7xr"
	exampleInvoice      core.InvoiceID      = "inv_01kaqv1vd0e5tsm1vyj9c0a7xs"
)

// billingExamples are such objects as the API shows them, by the names of their schemas, and the
// requests that lead to them.
func billingExamples(url core.PublicURL) map[string]any {
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
		"Subscription":        subscription,
		"ChangedSubscription": changedSubscription{Subscription: subscription},
		"ChangePreview":       changePreview{DueNow: 640, NextAmount: 2 * exampleAmount, Currency: "EUR", NextAt: &end, EffectiveAt: &created},
		"MethodLink":          methodLink{URL: url.CheckoutPage(checkout), Checkout: &checkout},
		"Invoice": view.Invoice{
			ID: exampleInvoice, Subscription: exampleSubscription, Payment: &payment, ProviderInvoiceID: "in_1PExample", Status: core.InvoicePaid,
			AmountDue: exampleAmount, AmountPaid: exampleAmount, Currency: "EUR", PeriodStart: &created, PeriodEnd: &end, Attempts: 1, IssuedAt: created,
		},
		"NewPriceBody":         map[string]any{"name": "Tea club", "amount": exampleAmount, "currency": "EUR", "recurring": map[string]any{"interval": "month", "trial_days": 14}},
		"NewKnownCustomerBody": map[string]any{"email": email, "name": name},
		"NewPaymentBody": map[string]any{
			"customer": exampleCustomer, "payment_method": exampleMethod, "amount": exampleAmount, "currency": "EUR", "reference": "order-2",
		},
		"SubscriptionChange": map[string]any{"price": examplePrice, "quantity": 2, "proration": "create"},
	}
}

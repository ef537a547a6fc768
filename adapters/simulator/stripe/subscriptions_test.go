package stripe_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/stripe"
)

func TestPrices(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	product := h.do(t, "/products", "name", "Gold", "metadata[a]", "b").text("id")
	price := h.do(t, "/prices", "product", product, "currency", "eur", "unit_amount", "1000", "recurring[interval]", "month", "recurring[interval_count]", "3", "metadata[paydesk_price]", "price_1", "lookup_key", "gold")
	require.Equal(t, "recurring", price.text("type"))
	require.Equal(t, "3", price.text("recurring.interval_count"))
	h.post(t, "/prices/"+price.text("id"), "unit_amount", "5").refuses(t, http.StatusBadRequest, "parameter_unknown", "unit_amount")
	require.Equal(t, []string{price.text("id")}, h.get(t, "/prices", "lookup_keys[]", "gold").texts(t, "id"))
	require.Empty(t, h.get(t, "/prices", "lookup_keys[]", "silver").texts(t, "id"))
	h.post(t, "/prices", "product", product, "currency", "eur").refuses(t, http.StatusBadRequest, "parameter_missing", "unit_amount")
	h.post(t, "/prices", "product", "prod_nothing", "currency", "eur", "unit_amount", "5").refuses(t, http.StatusBadRequest, "resource_missing", "product")
	h.post(t, "/prices", "product", product, "currency", "eur", "unit_amount", "5", "recurring[interval]", "year", "recurring[interval_count]", "4").refuses(t, http.StatusBadRequest, "parameter_invalid_integer", "recurring[interval_count]")
	require.Equal(t, http.StatusBadRequest, h.remove(t, "/products/"+product).Status, "it has a price")

	customer := h.customer(t)
	once := h.do(t, "/prices", "product_data[name]", "Pen", "currency", "eur", "unit_amount", "100").text("id")
	h.post(t, "/subscriptions", "customer", customer, "items[0][price]", once).refuses(t, http.StatusBadRequest, "<nil>", "items[0][price]")
	h.do(t, "/prices/"+price.text("id"), "active", "false")
	h.post(t, "/subscriptions", "customer", customer, "items[0][price]", price.text("id")).refuses(t, http.StatusBadRequest, "<nil>", "items[0][price]")
	h.do(t, "/products/"+product, "active", "false")
	require.NotContains(t, h.get(t, "/products", "active", "true").texts(t, "id"), product)
}

// TestAFirstPaymentByTheBuyer is the way of a page: the buyer pays the first invoice, and the
// card is kept for the next ones.
func TestAFirstPaymentByTheBuyer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	customer, price := h.customer(t), h.price(t, "1000")
	made := h.do(t, "/subscriptions", "customer", customer, "items[0][price]", price, "items[0][quantity]", "2", "payment_behavior", "default_incomplete",
		"payment_settings[save_default_payment_method]", "on_subscription", "metadata[paydesk_subscription]", "sub_1", "expand[]", "latest_invoice.payment_intent")
	require.Equal(t, "incomplete", made.text("status"))
	require.Equal(t, "open", made.text("latest_invoice.status"))
	require.Equal(t, "2000", made.text("latest_invoice.payment_intent.amount"))
	require.Equal(t, "requires_payment_method", made.text("latest_invoice.payment_intent.status"))
	require.Equal(t, "subscription_create", made.text("latest_invoice.billing_reason"))
	h.post(t, "/subscriptions/"+made.text("id"), "cancel_at_period_end", "true").refuses(t, http.StatusBadRequest, "<nil>", "cancel_at_period_end")
	pi := h.get(t, "/payment_intents/"+made.text("latest_invoice.payment_intent.id"))
	h.post(t, "/payment_intents/"+pi.text("id")+"/cancel").refuses(t, http.StatusBadRequest, "<nil>", "<nil>")

	require.Equal(t, http.StatusPaymentRequired, h.confirm(t, pi, "4000000000000002").Status)
	require.Len(t, h.told(t, "invoice.payment_failed"), 1)
	require.Equal(t, "succeeded", h.confirm(t, pi, "4000000000003220").text("status"))
	sub := h.subscription(t, made.text("id"))
	require.Equal(t, "active", sub.text("status"))
	require.Equal(t, "paid", sub.text("latest_invoice.status"))
	require.Equal(t, customer, h.get(t, "/payment_methods/"+sub.text("default_payment_method")).text("customer"))
	require.Equal(t, at("2026-10-01 00:00"), sub.text("current_period_end"))

	h.advance(30 * day)
	sub = h.subscription(t, made.text("id"))
	require.Equal(t, at("2026-10-01 00:00"), sub.text("current_period_start"))
	require.Equal(t, "draft", sub.text("latest_invoice.status"), "an hour is left to change it")
	h.advance(time.Hour)
	sub = h.subscription(t, made.text("id"))
	require.Equal(t, "paid", sub.text("latest_invoice.status"))
	require.Equal(t, "subscription_cycle", sub.text("latest_invoice.billing_reason"))
	require.Equal(t, at("2026-10-01 01:00"), sub.text("latest_invoice.status_transitions.paid_at"))
	require.Equal(t, "succeeded", sub.text("latest_invoice.payment_intent.status"))
	require.Equal(t, []string{"2000", "2000"}, h.get(t, "/invoices", "subscription", made.text("id")).texts(t, "amount_paid"))
	require.Len(t, h.told(t, "invoice.paid"), 2)
	require.Len(t, h.told(t, "customer.subscription.created"), 1)
}

func TestAFirstPaymentThatNeverComes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.do(t, "/subscriptions", "customer", h.customer(t), "items[0][price]", h.price(t, "1000"), "payment_behavior", "default_incomplete")
	h.advance(23*time.Hour - time.Second)
	require.Equal(t, "incomplete", h.subscription(t, made.text("id")).text("status"))
	h.advance(time.Second)
	sub := h.subscription(t, made.text("id"))
	require.Equal(t, "incomplete_expired", sub.text("status"))
	require.Equal(t, "void", sub.text("latest_invoice.status"))
	require.Equal(t, "canceled", sub.text("latest_invoice.payment_intent.status"))
	h.advance(365 * day)
	require.Len(t, h.get(t, "/invoices", "subscription", made.text("id")).texts(t, "id"), 1)
}

func TestAFirstPaymentWithoutTheBuyer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	price, customer := h.price(t, "1000"), h.customer(t)
	method := h.saved(t, customer, stripe.NamedCards["declined_later"])
	base := []string{"customer", customer, "items[0][price]", price}
	with := func(more ...string) answer {
		return h.post(t, "/subscriptions", append(append([]string{}, base...), more...)...)
	}
	with().refuses(t, http.StatusBadRequest, "resource_missing", "<nil>")
	with("default_payment_method", "pm_nothing").refuses(t, http.StatusBadRequest, "resource_missing", "default_payment_method")
	with("default_payment_method", method, "payment_behavior", "error_if_incomplete").refuses(t, http.StatusPaymentRequired, "card_declined", "<nil>")
	require.Empty(t, h.get(t, "/subscriptions", "customer", customer, "status", "all").texts(t, "id"))
	incomplete := with("default_payment_method", method)
	require.Equal(t, "incomplete", incomplete.text("status"), incomplete.Text)
	require.Equal(t, "active", h.subscribed(t, price, "4242424242424242").text("status"))
	with("items[0][quantity]", "1000000").refuses(t, http.StatusBadRequest, "parameter_invalid_integer", "items[0][quantity]")
	with("items[1][price]", price).refuses(t, http.StatusBadRequest, "<nil>", "items")
	with("colour", "red").refuses(t, http.StatusBadRequest, "parameter_unknown", "colour")
	with("items[0][colour]", "red").refuses(t, http.StatusBadRequest, "parameter_unknown", "items[0][colour]")
}

func TestTrials(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	price := h.price(t, "1000")
	trial := func(more ...string) answer {
		return h.do(t, "/subscriptions", append([]string{
			"customer", h.customer(t), "items[0][price]", price, "trial_period_days", "14", "payment_behavior", "default_incomplete",
			"payment_settings[save_default_payment_method]", "on_subscription", "expand[]", "pending_setup_intent", "expand[]", "latest_invoice",
		}, more...)...)
	}
	kept := trial()
	require.Equal(t, "trialing", kept.text("status"))
	require.Equal(t, at("2026-09-15 00:00"), kept.text("trial_end"))
	require.Equal(t, "paid", kept.text("latest_invoice.status"))
	require.Equal(t, "0", kept.text("latest_invoice.amount_due"))
	setup := h.get(t, "/setup_intents/"+kept.text("pending_setup_intent.id"))
	require.Equal(t, "succeeded", h.confirm(t, setup, "4000000000003220").text("status"))
	require.Equal(t, "<nil>", h.subscription(t, kept.text("id")).text("pending_setup_intent"))
	require.Equal(t, h.get(t, "/setup_intents/"+setup.text("id")).text("payment_method"), h.subscription(t, kept.text("id")).text("default_payment_method"))
	canceled := trial("trial_settings[end_behavior][missing_payment_method]", "cancel")
	paused := trial("trial_settings[end_behavior][missing_payment_method]", "pause")
	unpaid := trial()

	h.advance(11 * day)
	require.Len(t, h.told(t, "customer.subscription.trial_will_end"), 4)
	h.advance(3*day + time.Hour)
	sub := h.subscription(t, kept.text("id"))
	require.Equal(t, "active", sub.text("status"))
	require.Equal(t, "1000", sub.text("latest_invoice.amount_paid"))
	require.Equal(t, at("2026-10-15 00:00"), sub.text("current_period_end"))
	require.Equal(t, "canceled", h.subscription(t, canceled.text("id")).text("status"))
	require.Equal(t, "canceled", h.get(t, "/setup_intents/"+canceled.text("pending_setup_intent.id")).text("status"))
	require.Equal(t, "past_due", h.subscription(t, unpaid.text("id")).text("status"))

	require.Equal(t, "paused", h.subscription(t, paused.text("id")).text("status"))
	require.Len(t, h.told(t, "customer.subscription.paused"), 1)
	h.post(t, "/subscriptions/"+kept.text("id")+"/resume").refuses(t, http.StatusBadRequest, "<nil>", "<nil>")
	require.Equal(t, "paused", h.do(t, "/subscriptions/"+paused.text("id")+"/resume").text("status"), "there is no card yet")
	customer := h.subscription(t, paused.text("id")).text("customer")
	h.do(t, "/customers/"+customer, "invoice_settings[default_payment_method]", h.saved(t, customer, "4242424242424242"))
	require.Equal(t, "active", h.do(t, "/subscriptions/"+paused.text("id")+"/resume").text("status"))
	require.Len(t, h.told(t, "customer.subscription.resumed"), 1)

	short := h.subscribed(t, price, "4242424242424242", "trial_period_days", "14").text("id")
	h.post(t, "/subscriptions/"+short, "trial_end", "1").refuses(t, http.StatusBadRequest, "<nil>", "trial_end")
	require.Equal(t, "active", h.do(t, "/subscriptions/"+short, "trial_end", "now").text("status"))
	require.Equal(t, "1000", h.subscription(t, short).text("latest_invoice.amount_paid"))
}

func TestPaymentsAreTriedAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		after, status string
		drafts        int
	}{
		"as it is set at first": {"", "canceled", 0},
		"canceled":              {"canceled", "canceled", 0},
		"unpaid":                {"unpaid", "unpaid", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if test.after != "" {
				require.NoError(t, h.sim.AfterRetries(test.after))
			}
			id := h.subscribed(t, h.price(t, "1000"), "4242424242424242").text("id")
			require.NoError(t, h.sim.SteerSubscription(id, engine.SubscriptionChange{Card: "insufficient_funds"}))
			h.advance(30*day + time.Hour)
			for n, pause := range []int{3, 5, 7} {
				sub := h.subscription(t, id)
				require.Equal(t, "past_due", sub.text("status"))
				require.Equal(t, fmt.Sprint(n+1), sub.text("latest_invoice.attempt_count"))
				require.Equal(t, "insufficient_funds", sub.text("latest_invoice.payment_intent.last_payment_error.decline_code"))
				require.Equal(t, fmt.Sprint(h.clock.Now().AddDate(0, 0, pause).Unix()), sub.text("latest_invoice.next_payment_attempt"))
				h.advance(time.Duration(pause) * day)
			}
			sub := h.subscription(t, id)
			require.Equal(t, test.status, sub.text("status"))
			require.Equal(t, "open", sub.text("latest_invoice.status"))
			require.Equal(t, "4", sub.text("latest_invoice.attempt_count"))
			require.Equal(t, "<nil>", sub.text("latest_invoice.next_payment_attempt"))
			require.Len(t, h.told(t, "invoice.payment_failed"), 4)
			h.advance(17 * day)
			require.Len(t, h.get(t, "/invoices", "subscription", id, "status", "draft").texts(t, "id"), test.drafts)
			if test.status == "canceled" {
				require.Equal(t, "payment_failed", sub.text("cancellation_details.reason"))
				require.Len(t, h.told(t, "customer.subscription.deleted"), 1)
			}
		})
	}
}

func TestAnInvoiceIsPaidAtLast(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.subscribed(t, h.price(t, "1000"), "4242424242424242").text("id")
	require.NoError(t, h.sim.SteerSubscription(id, engine.SubscriptionChange{Card: "3ds_off_session"}))
	h.advance(30*day + time.Hour)
	sub := h.subscription(t, id)
	require.Equal(t, "past_due", sub.text("status"))
	require.Equal(t, "requires_action", sub.text("latest_invoice.payment_intent.status"))
	require.Len(t, h.told(t, "invoice.payment_action_required"), 1)
	invoice := "/invoices/" + sub.text("latest_invoice.id")
	h.post(t, invoice+"/pay").refuses(t, http.StatusPaymentRequired, "invoice_payment_intent_requires_action", "<nil>")
	pi := h.get(t, "/payment_intents/"+sub.text("latest_invoice.payment_intent.id"))
	h.browser(t, "/3ds2/authenticate", "source", pi.text("id"), "client_secret", pi.text("client_secret"), "outcome", "complete")
	sub = h.subscription(t, id)
	require.Equal(t, "active", sub.text("status"))
	require.Equal(t, "paid", sub.text("latest_invoice.status"))
	h.post(t, invoice+"/pay").refuses(t, http.StatusBadRequest, "<nil>", "<nil>")
	h.post(t, invoice+"/void").refuses(t, http.StatusBadRequest, "<nil>", "<nil>")

	require.NoError(t, h.sim.SteerSubscription(id, engine.SubscriptionChange{Card: "declined"}))
	h.advance(31 * day)
	require.Equal(t, "past_due", h.subscription(t, id).text("status"))
	invoice = "/invoices/" + h.subscription(t, id).text("latest_invoice.id")
	h.post(t, invoice+"/pay").refuses(t, http.StatusPaymentRequired, "card_declined", "<nil>")
	require.NoError(t, h.sim.SteerSubscription(id, engine.SubscriptionChange{Card: "success"}))
	require.NoError(t, h.sim.SteerSubscription(id, engine.SubscriptionChange{Do: "retry"}))
	require.Equal(t, "active", h.subscription(t, id).text("status"))
	require.ErrorIs(t, h.sim.SteerSubscription(id, engine.SubscriptionChange{Do: "retry"}), engine.ErrNotNow)
	h.advance(60 * day)
	require.Equal(t, "active", h.subscription(t, id).text("status"), "what was planned for a paid invoice is forgotten")
	paid := h.get(t, "/invoices/"+h.subscription(t, id).text("latest_invoice.id"), "expand[]", "charge")
	require.Equal(t, paid.text("id"), paid.text("charge.invoice"))
	require.Equal(t, id, h.get(t, "/payment_intents/"+paid.text("payment_intent"), "expand[]", "invoice").text("invoice.subscription"))
}

// A jump of a year stamps everything with the time at which it fell due, in that order.
func TestAYearAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.now.Store(1_769_817_600) // 2026-01-31
	monthly := h.subscribed(t, h.price(t, "1000"), "4242424242424242").text("id")
	weekly := h.subscribed(t, h.price(t, "100", "recurring[interval]", "week"), "4242424242424242").text("id")
	h.advance(365 * day)
	created := h.get(t, "/invoices", "subscription", monthly, "limit", "100").texts(t, "created")
	require.Equal(t, []string{
		at("2027-01-31 00:00"), at("2026-12-31 00:00"), at("2026-11-30 00:00"), at("2026-10-31 00:00"), at("2026-09-30 00:00"), at("2026-08-31 00:00"), at("2026-07-31 00:00"),
		at("2026-06-30 00:00"), at("2026-05-31 00:00"), at("2026-04-30 00:00"), at("2026-03-31 00:00"), at("2026-02-28 00:00"), at("2026-01-31 00:00"),
	}, created)
	require.Len(t, h.get(t, "/invoices", "subscription", weekly, "limit", "100").texts(t, "id"), 53)
	bills := 0
	last := int64(0)
	events, _ := h.sim.Objects("event") // most of which are listed no more
	for _, event := range events {
		text, err := json.Marshal(event)
		require.NoError(t, err)
		var told struct {
			Created int64  `json:"created"`
			Type    string `json:"type"`
		}
		require.NoError(t, json.Unmarshal(text, &told))
		if told.Type == "invoice.created" {
			bills++
			require.GreaterOrEqual(t, told.Created, last, "both are told of in one order")
			last = told.Created
		}
	}
	require.Equal(t, 66, bills)
}

func TestManySubscriptionsForAYear(t *testing.T) {
	t.Parallel()
	const many = 500
	h := newQuietHouse(t)
	price, customer := h.price(t, "1000"), h.customer(t)
	method := h.saved(t, customer, "4242424242424242")
	for range many {
		h.do(t, "/subscriptions", "customer", customer, "items[0][price]", price, "default_payment_method", method)
		h.now.Add(60)
	}
	h.advance(366 * day)
	invoices, _ := h.sim.Objects("invoice")
	require.Len(t, invoices, many*13)
}

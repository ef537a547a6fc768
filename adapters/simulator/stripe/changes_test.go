package stripe_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// September has 30 days: after ten of them two thirds of the period are left.
func TestAPlanChanges(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		behavior     string
		now, renewal string // what is charged at once, and at the end of the period
		invoices     int
	}{
		"with the next invoice": {"create_prorations", "0", "4000", 2},
		"at once":               {"always_invoice", "1000", "3000", 3},
		"for nothing":           {"none", "0", "3000", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			gold, platinum := h.price(t, "1500"), h.price(t, "3000")
			sub := h.subscribed(t, gold, "4242424242424242")
			item := sub.text("items.data.0.id")
			h.advance(10 * day)

			preview := h.get(t, "/invoices/upcoming", "subscription", sub.text("id"), "subscription_items[0][id]", item, "subscription_items[0][price]", platinum, "subscription_proration_behavior", test.behavior)
			require.Equal(t, http.StatusOK, preview.Status, preview.Text)
			foreseen := test.renewal
			if test.behavior == "always_invoice" {
				foreseen = test.now
			}
			require.Equal(t, foreseen, preview.text("amount_due"), preview.Text)
			require.Equal(t, gold, h.subscription(t, sub.text("id")).text("items.data.0.price.id"), "nothing has changed yet")

			changed := h.do(t, "/subscriptions/"+sub.text("id"), "items[0][id]", item, "items[0][price]", platinum, "proration_behavior", test.behavior)
			require.Equal(t, platinum, changed.text("items.data.0.price.id"))
			require.Equal(t, item, changed.text("items.data.0.id"))
			require.Equal(t, "<nil>", changed.text("items.data.1"))
			require.Equal(t, at("2026-10-01 00:00"), changed.text("current_period_end"))
			if test.now != "0" {
				latest := h.subscription(t, sub.text("id"))
				require.Equal(t, test.now, latest.text("latest_invoice.amount_paid"))
				require.Equal(t, "subscription_update", latest.text("latest_invoice.billing_reason"))
				require.Equal(t, "-1000", latest.text("latest_invoice.lines.data.0.amount"))
				require.Equal(t, "2000", latest.text("latest_invoice.lines.data.1.amount"))
			}
			h.advance(20*day + time.Hour)
			require.Equal(t, test.renewal, h.subscription(t, sub.text("id")).text("latest_invoice.amount_paid"))
			require.Len(t, h.get(t, "/invoices", "subscription", sub.text("id")).texts(t, "id"), test.invoices)
		})
	}
}

func TestWhatIsGivenBackIsACredit(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	sub := h.subscribed(t, h.price(t, "3000"), "4242424242424242")
	h.advance(10 * day)
	h.do(t, "/subscriptions/"+sub.text("id"), "items[0][id]", sub.text("items.data.0.id"), "items[0][price]", h.price(t, "1500"), "proration_behavior", "always_invoice")
	shown := h.subscription(t, sub.text("id"))
	require.Equal(t, "-1000", shown.text("latest_invoice.total"))
	require.Equal(t, "0", shown.text("latest_invoice.amount_due"))
	require.Equal(t, "paid", shown.text("latest_invoice.status"))
	require.Equal(t, "-1000", h.get(t, "/customers/"+shown.text("customer")).text("balance"))
	h.advance(20*day + time.Hour)
	shown = h.subscription(t, sub.text("id"))
	require.Equal(t, "1500", shown.text("latest_invoice.total"))
	require.Equal(t, "500", shown.text("latest_invoice.amount_paid"))
	require.Equal(t, "0", h.get(t, "/customers/"+shown.text("customer")).text("balance"))
}

func TestAnotherInterval(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	sub := h.subscribed(t, h.price(t, "3000"), "4242424242424242")
	yearly := h.price(t, "30000", "recurring[interval]", "year")
	h.advance(10 * day)
	preview := h.get(t, "/invoices/upcoming", "subscription", sub.text("id"), "subscription_items[0][id]", sub.text("items.data.0.id"), "subscription_items[0][price]", yearly)
	require.Equal(t, "28000", preview.text("amount_due"), preview.Text)
	h.do(t, "/subscriptions/"+sub.text("id"), "items[0][id]", sub.text("items.data.0.id"), "items[0][price]", yearly)
	shown := h.subscription(t, sub.text("id"))
	require.Equal(t, "28000", shown.text("latest_invoice.amount_paid"))
	require.Equal(t, at("2027-09-11 00:00"), shown.text("current_period_end"))
	h.advance(100 * day)
	require.Len(t, h.get(t, "/invoices", "subscription", sub.text("id")).texts(t, "id"), 2, "the month's end means nothing any more")
}

func TestAChangeThatCannotBePaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	gold, platinum := h.price(t, "1500"), h.price(t, "3000")
	sub := h.subscribed(t, gold, "4242424242424242")
	id, item := "/subscriptions/"+sub.text("id"), sub.text("items.data.0.id")
	require.NoError(t, h.sim.SteerSubscription(sub.text("id"), engine.SubscriptionChange{Card: "declined"}))
	h.advance(10 * day)
	change := []string{"items[0][id]", item, "items[0][price]", platinum, "proration_behavior", "always_invoice"}
	h.post(t, id, append(change, "payment_behavior", "error_if_incomplete")...).refuses(t, http.StatusPaymentRequired, "card_declined", "<nil>")
	require.Equal(t, gold, h.subscription(t, sub.text("id")).text("items.data.0.price.id"))
	require.Equal(t, "past_due", h.do(t, id, change...).text("status"))
	h.post(t, id, "items[0][id]", "si_nothing", "items[0][price]", gold).refuses(t, http.StatusBadRequest, "resource_missing", "items[0][id]")
	h.post(t, id, "items[0][id]", item, "items[0][deleted]", "true").refuses(t, http.StatusBadRequest, "<nil>", "items[0][deleted]")
	h.post(t, id, "payment_behavior", "pending_if_incomplete").refuses(t, http.StatusBadRequest, "<nil>", "payment_behavior")
	added := h.do(t, id, "items[0][price]", gold)
	require.Equal(t, gold, added.text("items.data.1.price.id"), "without an id, an item is added")
}

func TestCancellations(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	price := h.price(t, "1000")
	ends := h.subscribed(t, price, "4242424242424242").text("id")
	shown := h.do(t, "/subscriptions/"+ends, "cancel_at_period_end", "true", "cancellation_details[comment]", "too dear")
	require.Equal(t, at("2026-10-01 00:00"), shown.text("cancel_at"))
	require.Equal(t, http.StatusNotFound, h.get(t, "/invoices/upcoming", "subscription", ends).Status)
	require.Equal(t, "<nil>", h.do(t, "/subscriptions/"+ends, "cancel_at_period_end", "false").text("cancel_at"))
	h.advance(31 * day)
	require.Equal(t, "active", h.subscription(t, ends).text("status"))
	h.do(t, "/subscriptions/"+ends, "cancel_at_period_end", "true")
	h.advance(31 * day)
	shown = h.subscription(t, ends)
	require.Equal(t, "canceled", shown.text("status"))
	require.Equal(t, at("2026-11-01 00:00"), shown.text("ended_at"))
	h.post(t, "/subscriptions/"+ends, "cancel_at_period_end", "false").refuses(t, http.StatusBadRequest, "<nil>", "cancel_at_period_end")
	h.do(t, "/subscriptions/"+ends, "metadata[a]", "b")
	require.Equal(t, http.StatusNotFound, h.remove(t, "/subscriptions/"+ends).Status)
	require.Len(t, h.get(t, "/invoices", "subscription", ends).texts(t, "id"), 2)

	now := h.subscribed(t, price, "4242424242424242").text("id")
	gone := h.remove(t, "/subscriptions/"+now, "prorate", "true", "invoice_now", "true", "cancellation_details[feedback]", "too_expensive")
	require.Equal(t, "canceled", gone.text("status"), gone.Text)
	require.Equal(t, "cancellation_requested", gone.text("cancellation_details.reason"))
	require.Equal(t, "-1000", h.subscription(t, now).text("latest_invoice.total"))
	dated := h.subscribed(t, price, "4242424242424242").text("id")
	h.do(t, "/subscriptions/"+dated, "cancel_at", at("2026-11-10 12:00"))
	h.advance(20 * day)
	require.Equal(t, at("2026-11-10 12:00"), h.subscription(t, dated).text("ended_at"))
	require.Empty(t, h.get(t, "/subscriptions", "price", price).texts(t, "id"))
	require.Len(t, h.get(t, "/subscriptions", "price", price, "status", "all").texts(t, "id"), 3)
}

func TestCollectionIsPaused(t *testing.T) {
	t.Parallel()
	for behavior, status := range map[string]string{"void": "void", "keep_as_draft": "draft", "mark_uncollectible": "uncollectible"} {
		t.Run(behavior, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			id := h.subscribed(t, h.price(t, "1000"), "4242424242424242").text("id")
			paused := h.do(t, "/subscriptions/"+id, "pause_collection[behavior]", behavior)
			require.Equal(t, "active", paused.text("status"))
			require.Equal(t, behavior, paused.text("pause_collection.behavior"))
			h.advance(31 * day)
			require.Equal(t, status, h.subscription(t, id).text("latest_invoice.status"))
			require.Equal(t, "<nil>", h.do(t, "/subscriptions/"+id, "pause_collection", "").text("pause_collection"))
			h.advance(31 * day)
			require.Equal(t, "paid", h.subscription(t, id).text("latest_invoice.status"))
			h.do(t, "/subscriptions/"+id, "pause_collection[behavior]", behavior, "pause_collection[resumes_at]", at("2026-11-20 00:00"))
			h.advance(20 * day)
			require.Equal(t, "<nil>", h.subscription(t, id).text("pause_collection"))
			h.post(t, "/subscriptions/"+id, "pause_collection[behavior]", "sleep").refuses(t, http.StatusBadRequest, "<nil>", "pause_collection[behavior]")
			h.post(t, "/subscriptions/"+id, "pause_collection", "yes").refuses(t, http.StatusBadRequest, "<nil>", "pause_collection")
		})
	}
}

func TestStaffSteerSubscriptions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.subscribed(t, h.price(t, "1000"), "4242424242424242").text("id")
	steer := func(change engine.SubscriptionChange) error { return h.sim.SteerSubscription(id, change) }
	require.ErrorIs(t, h.sim.SteerSubscription("sub_nothing", engine.SubscriptionChange{Do: "cancel"}), engine.ErrNoSubscription)
	require.ErrorIs(t, steer(engine.SubscriptionChange{Card: "gold"}), engine.ErrUnsupported)
	steps := []struct {
		do          string
		path, value string
		again       error
	}{
		{"pause", "pause_collection.behavior", "void", engine.ErrNotNow},
		{"resume", "pause_collection", "<nil>", engine.ErrNotNow},
		{"cancel_at_period_end", "cancel_at_period_end", "true", engine.ErrNotNow},
		{"undo_cancel", "cancel_at_period_end", "false", engine.ErrNotNow},
		{"quantity", "items.data.0.quantity", "3", nil},
	}
	for _, step := range steps {
		change := engine.SubscriptionChange{Do: step.do}
		if step.do == "quantity" {
			change.Quantity = 3
		}
		before := len(h.told(t, "customer.subscription.updated"))
		require.NoError(t, steer(change), step.do)
		require.Equal(t, step.value, h.subscription(t, id).text(step.path), step.do)
		require.Len(t, h.told(t, "customer.subscription.updated"), before+1, step.do)
		require.ErrorIs(t, steer(change), step.again, step.do)
	}
	h.advance(31 * day)
	require.Equal(t, "3000", h.subscription(t, id).text("latest_invoice.lines.data.2.amount"))
	require.Equal(t, "5000", h.subscription(t, id).text("latest_invoice.total"), "the quantity was raised on the first day")
	require.NoError(t, steer(engine.SubscriptionChange{Do: "cancel"}))
	require.Equal(t, "canceled", h.subscription(t, id).text("status"))
	require.ErrorIs(t, steer(engine.SubscriptionChange{Do: "cancel"}), engine.ErrNotNow)
}

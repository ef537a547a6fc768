package e2e_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// newKey is an Idempotency-Key, or a reference, that nobody used before.
func newKey() string { return "e2e-" + rand.Text() }

// waitFor looks until something is so, or [waitMax] is over.
func waitFor(so func() bool) bool {
	look := time.NewTicker(waitMax / 300)
	defer look.Stop()
	end := time.After(waitMax)
	for !so() {
		select {
		case <-look.C:
		case <-end:
			return false
		}
	}
	return true
}

// TestSavedMethodsAndSubscriptions goes through what is charged again, at each provider over each
// database.
func TestSavedMethodsAndSubscriptions(t *testing.T) {
	t.Parallel()
	for name, env := range databases() {
		for account := range accounts {
			t.Run(name+"/"+account, func(t *testing.T) {
				t.Parallel()
				h := seller{client: newClient(apptest.Start(t, env(t)...)), account: account}
				h.chargesSavedMethod(t)
				h.asksBuyerBack(t)
				h.lifeOfSubscription(t)
				h.trialOfSubscription(t)
				h.subscriptionGivenUp(t)
				h.subscriptionSteeredElsewhere(t)
			})
		}
	}
}

// saved has a customer save a method by a card and gives both ids.
func (h seller) saved(t testing.TB, card string) (customer, method string) {
	t.Helper()
	customer = h.ok(t, http.MethodPost, "/v1/customers", map[string]any{"email": "ada@shop.example", "name": "Ada Buyer"}).text("id")
	checkout := h.ok(t, http.MethodPost, "/v1/checkouts", map[string]any{
		"reference": newKey(), "currency": "EUR", "mode": "setup", "customer": map[string]any{"id": customer}, "success_url": "https://shop.example/thanks",
	})
	done := h.control(t, http.MethodPost, "pay", map[string]any{"checkout": checkout.text("id"), "account": h.account, "card": card})
	require.Equal(t, http.StatusOK, done.Status, done.Raw)
	method = done.text("payment_method")
	h.becomes(t, "/v1/checkouts/"+checkout.text("id"), "complete")
	list := h.ok(t, http.MethodGet, "/v1/customers/"+customer+"/payment_methods", nil)
	data, _ := list.Body["data"].([]any)
	require.Len(t, data, 1, list.Raw)
	one, _ := data[0].(map[string]any)
	require.Equal(t, method, one["id"])
	require.Equal(t, "active", one["status"])
	require.NotNil(t, one["consent"], "%v", one)
	return customer, method
}

func (h seller) charge(customer, method string) map[string]any {
	return map[string]any{"customer": customer, "payment_method": method, "amount": 1900, "currency": "EUR", "reference": newKey()}
}

func (h seller) chargesSavedMethod(t *testing.T) {
	t.Helper()
	customer, method := h.saved(t, "success")
	charged := h.ok(t, http.MethodPost, "/v1/payments", h.charge(customer, method))
	paid := h.payment(t, charged.text("id"), "succeeded")
	require.Equal(t, true, paid.Body["off_session"], paid.Raw)
	require.Equal(t, method, paid.text("payment_method", "id"))
	require.EqualValues(t, 1900, paid.Body["amount_captured"])

	removed := h.api(t, http.MethodDelete, "/v1/customers/"+customer+"/payment_methods/"+method, nil, "")
	require.Less(t, removed.Status, 300, removed.Raw)
	h.refused(t, http.MethodPost, "/v1/payments", h.charge(customer, method), "payment_method_not_usable")
	stranger := h.ok(t, http.MethodPost, "/v1/customers", map[string]any{"email": "eve@shop.example"}).text("id")
	other, otherMethod := h.saved(t, "declined_later")
	h.refused(t, http.MethodPost, "/v1/payments", h.charge(stranger, otherMethod), "invalid_request")
	declined := h.api(t, http.MethodPost, "/v1/payments", h.charge(other, otherMethod), newKey())
	require.Equal(t, http.StatusPaymentRequired, declined.Status, declined.Raw)
}

// asksBuyerBack charges a method whose bank wants the buyer to be there.
func (h seller) asksBuyerBack(t *testing.T) {
	t.Helper()
	customer, method := h.saved(t, "3ds_off_session")
	asked := h.api(t, http.MethodPost, "/v1/payments", h.charge(customer, method), newKey())
	require.Equal(t, http.StatusPaymentRequired, asked.Status, asked.Raw)
	require.Equal(t, "authentication_required", asked.text("failure", "code"), asked.Raw)
	checkout := asked.text("checkout")
	require.NotEmpty(t, checkout, "a checkout that the buyer can finish: %s", asked.Raw)
	paid := h.payAt(t, checkout, h.account, "success").text("payment")
	require.EqualValues(t, 1900, h.payment(t, paid, "succeeded").Body["amount_captured"])
}

func (h seller) price(t testing.TB, amount int64, trialDays int) string {
	t.Helper()
	recurring := map[string]any{"interval": "month", "interval_count": 1}
	if trialDays > 0 {
		recurring["trial_days"] = trialDays
	}
	return h.ok(t, http.MethodPost, "/v1/prices", map[string]any{"name": "Tea club", "amount": amount, "currency": "EUR", "recurring": recurring}).text("id")
}

// subscribed gives a running subscription.
func (h seller) subscribed(t testing.TB, price, status string) answer {
	t.Helper()
	checkout := h.ok(t, http.MethodPost, "/v1/checkouts", map[string]any{
		"reference": newKey(), "currency": "EUR", "mode": "subscription", "success_url": "https://shop.example/thanks",
		"customer": map[string]any{"email": "ada@shop.example", "name": "Ada Buyer"}, "line_items": []map[string]any{{"price": price, "quantity": 1}},
	}).text("id")
	done := h.control(t, http.MethodPost, "pay", map[string]any{"checkout": checkout, "account": h.account, "card": "success"})
	require.Equal(t, http.StatusOK, done.Status, done.Raw)
	s := h.becomes(t, "/v1/subscriptions/"+done.text("subscription"), status)
	closed := h.becomes(t, "/v1/checkouts/"+checkout, "complete")
	require.Equal(t, s.text("id"), closed.text("subscription"))
	return s
}

func (h seller) steer(t testing.TB, s answer, change map[string]any) {
	t.Helper()
	a := h.control(t, http.MethodPost, "subscriptions/"+s.text("provider_subscription_id"), change)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
}

// invoices waits for a number of paid invoices and gives all.
func (h seller) invoices(t testing.TB, s answer, paid int) []map[string]any {
	t.Helper()
	var all []map[string]any
	ok := waitFor(func() bool {
		all = nil
		count := 0
		data, _ := h.api(t, http.MethodGet, "/v1/subscriptions/"+s.text("id")+"/invoices?limit=100", nil, "").Body["data"].([]any)
		for _, item := range data {
			one, _ := item.(map[string]any)
			all = append(all, one)
			if one["status"] == "paid" && one["amount_paid"] != 0.0 {
				count++
			}
		}
		return count == paid
	})
	require.True(t, ok, "there never were %d paid invoices: %v", paid, all)
	return all
}

// elapse moves the clock some hours behind a moment.
func (h seller) elapse(t testing.TB, until string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, until)
	require.NoError(t, err)
	now, err := time.Parse(time.RFC3339Nano, h.advance(t, time.Second).text("now"))
	require.NoError(t, err)
	h.advance(t, at.Add(3*time.Hour).Sub(now))
}

func (h seller) lifeOfSubscription(t *testing.T) {
	t.Helper()
	s := h.subscribed(t, h.price(t, 900, 0), "active")
	path := "/v1/subscriptions/" + s.text("id")
	require.EqualValues(t, 900, s.Body["amount"], s.Raw)
	first := h.invoices(t, s, 1)[0]
	require.Contains(t, h.client.events(t, s.text("id")), "subscription.created")
	payment := h.payment(t, fmt.Sprint(first["payment"]), "succeeded")
	require.Equal(t, s.text("id"), payment.text("subscription"), payment.Raw)
	require.EqualValues(t, 900, payment.Body["amount_captured"])

	h.elapse(t, s.text("current_period_end"))
	h.invoices(t, s, 2)
	renewed := h.comes(t, path, func(a answer) bool { return a.text("current_period_end") != s.text("current_period_end") })

	h.steer(t, s, map[string]any{"card": "declined"})
	h.elapse(t, renewed.text("current_period_end"))
	late := h.becomes(t, path, "past_due")
	require.Contains(t, h.client.events(t, s.text("id")), "subscription.past_due")
	require.NotNil(t, late.Body["failure"], late.Raw)
	h.steer(t, s, map[string]any{"card": "success"})
	h.steer(t, s, map[string]any{"do": "retry"})
	h.becomes(t, path, "active")
	h.invoices(t, s, 3)

	h.refused(t, http.MethodPost, path+"/change", map[string]any{"price": h.otherCurrency(t), "proration": "none"}, "currency_mismatch")
	dearer := h.price(t, 1500, 0)
	preview := h.ok(t, http.MethodPost, path+"/change/preview", map[string]any{"price": dearer, "proration": "none"})
	require.EqualValues(t, 1500, preview.Body["next_amount"], preview.Raw)
	changed := h.ok(t, http.MethodPost, path+"/change", map[string]any{"price": dearer, "proration": "none"})
	if changed.text("action_url") != "" {
		return // the buyer has to agree; see the provider's table
	}

	canceled := h.ok(t, http.MethodPost, path+"/cancel", map[string]any{"at_period_end": true})
	require.Equal(t, true, canceled.Body["cancel_at_period_end"], canceled.Raw)
	kept := h.ok(t, http.MethodPost, path+"/resume", map[string]any{})
	require.Equal(t, false, kept.Body["cancel_at_period_end"], kept.Raw)
	h.ok(t, http.MethodPost, path+"/cancel", map[string]any{"at_period_end": true})
	now := h.ok(t, http.MethodGet, path, nil)
	h.elapse(t, now.text("current_period_end"))
	h.becomes(t, path, "canceled")
	h.refused(t, http.MethodPost, path+"/cancel", map[string]any{"at_period_end": true}, "subscription_ended")
}

func (h seller) otherCurrency(t testing.TB) string {
	t.Helper()
	return h.ok(t, http.MethodPost, "/v1/prices", map[string]any{
		"name": "Tea club", "amount": 900, "currency": "USD", "recurring": map[string]any{"interval": "month", "interval_count": 1},
	}).text("id")
}

func (h seller) trialOfSubscription(t *testing.T) {
	t.Helper()
	s := h.subscribed(t, h.price(t, 900, 14), "trialing")
	require.NotEmpty(t, s.text("trial_end"), s.Raw)
	h.elapse(t, s.text("trial_end"))
	h.becomes(t, "/v1/subscriptions/"+s.text("id"), "active")
	h.invoices(t, s, 1)
}

// subscriptionGivenUp has the provider try in vain until its own rule ends it.
func (h seller) subscriptionGivenUp(t *testing.T) {
	t.Helper()
	s := h.subscribed(t, h.price(t, 900, 0), "active")
	h.steer(t, s, map[string]any{"card": "declined"})
	h.elapse(t, s.text("current_period_end"))
	h.becomes(t, "/v1/subscriptions/"+s.text("id"), "past_due")
	h.advance(t, 40*24*time.Hour)
	h.comes(t, "/v1/subscriptions/"+s.text("id"), func(a answer) bool { return a.text("status") == "canceled" || a.text("status") == "unpaid" })
}

// subscriptionSteeredElsewhere follows what staff do in the provider's dashboard.
func (h seller) subscriptionSteeredElsewhere(t *testing.T) {
	t.Helper()
	s := h.subscribed(t, h.price(t, 900, 0), "active")
	do := "cancel"
	if h.account == "square" {
		do = "cancel_at_period_end" // it knows no other
	}
	h.steer(t, s, map[string]any{"do": do})
	if do == "cancel" {
		h.becomes(t, "/v1/subscriptions/"+s.text("id"), "canceled")
		return
	}
	h.comes(t, "/v1/subscriptions/"+s.text("id"), func(a answer) bool { return a.Body["cancel_at_period_end"] == true })
}

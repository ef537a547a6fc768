package paypal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/paypal"
)

// cycle is a billing cycle of a plan, of months.
func cycle(tenure string, sequence, total int, price string) string {
	return fmt.Sprintf(`{"frequency":{"interval_unit":"MONTH","interval_count":1},"tenure_type":%q,"sequence":%d,"total_cycles":%d,`+
		`"pricing_scheme":{"fixed_price":{"currency_code":"EUR","value":%q}}}`, tenure, sequence, total, price)
}

func planOf(product, more string, cycles ...string) string {
	return `{"product_id":"` + product + `","name":"Shirts & more","billing_cycles":[` + strings.Join(cycles, ",") + `]` + more + `}`
}

func (s *store) product(t *testing.T) string {
	t.Helper()
	a := s.post(t, "/v1/catalogs/products", `{"name":"Shirts","type":"PHYSICAL"}`)
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a.text("id")
}

// planned makes a plan, and gives its id.
func (s *store) planned(t *testing.T, more string, cycles ...string) string {
	t.Helper()
	a := s.post(t, "/v1/billing/plans", planOf(s.product(t), more, cycles...))
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	require.Equal(t, "ACTIVE", a.text("status"))
	return a.text("id")
}

// monthly is a plan of 10.00 EUR a month.
func (s *store) monthly(t *testing.T) string {
	t.Helper()
	return s.planned(t, "", cycle("REGULAR", 1, 0, "10.00"))
}

// subscribing makes a subscription that nobody agreed to yet.
func (s *store) subscribing(t *testing.T, plan, more string) reply {
	t.Helper()
	a := s.post(t, "/v1/billing/subscriptions", `{"plan_id":"`+plan+`","custom_id":"sub_1"`+more+`}`)
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	require.Equal(t, "APPROVAL_PENDING", a.text("status"))
	return a
}

// subscribed makes a subscription that is paid by a card in the buyer's wallet; its path.
func (s *store) subscribed(t *testing.T, plan, number, more string) string {
	t.Helper()
	a := s.subscribing(t, plan, more)
	agreed := s.pages(t, a.link("approve"), card(number))
	require.Less(t, agreed.Status, http.StatusBadRequest)
	at := "/v1/billing/subscriptions/" + a.text("id")
	require.Equal(t, "ACTIVE", s.get(t, at).text("status"), agreed.Text)
	return at
}

func (s *store) sales(t *testing.T, at string) []any {
	t.Helper()
	a := s.get(t, at+"/transactions?start_time=2020-01-01T00:00:00Z&end_time=2099-01-01T00:00:00Z")
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	list, _ := a.at("transactions").([]any)
	return list
}

func TestASubscription(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	a := s.subscribing(t, s.monthly(t), `,"subscriber":{"email_address":"ann@example.com"},"application_context":{"return_url":"https://shop.example/back","cancel_url":"https://shop.example/no"}`)
	at := "/v1/billing/subscriptions/" + a.text("id")
	require.Nil(t, a.at("billing_info"))
	page := s.do(t, http.MethodGet, a.link("approve"), "")
	require.Contains(t, page.Text, "10.00 EUR")
	require.Contains(t, page.Text, "Agree and subscribe")
	unprocessable(t, s.post(t, at+"/cancel", `{"reason":"x"}`), "SUBSCRIPTION_STATUS_INVALID")
	refused := s.pages(t, a.link("approve"), card("4000000000009995"))
	require.Contains(t, refused.Text, "Choose another one")
	agreed := s.pages(t, a.link("approve"), card(success))
	require.Equal(t, http.StatusSeeOther, agreed.Status)
	back, err := url.Parse(agreed.Header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, a.text("id"), back.Query().Get("subscription_id"))
	require.Contains(t, a.link("approve"), back.Query().Get("ba_token"))
	require.Equal(t, http.StatusNotFound, s.do(t, http.MethodGet, a.link("approve"), "").Status)

	shown := s.get(t, at)
	require.Equal(t, "sub_1", shown.text("custom_id"))
	require.Equal(t, "1", shown.text("billing_info.cycle_executions.0.cycles_completed"), "it counts from its beginning")
	require.Equal(t, "2026-04-01T12:00:00Z", shown.text("billing_info.next_billing_time"))
	require.Equal(t, "10.0", shown.text("billing_info.last_payment.amount.value"), "that is how they write")
	require.Equal(t, "0.0", shown.text("billing_info.outstanding_balance.value"))
	require.Nil(t, shown.at("plan"))
	require.Equal(t, "10.00", s.get(t, at+"?fields=plan").text("plan.billing_cycles.0.pricing_scheme.fixed_price.value"))

	s.pass(t, 61*day)
	require.Len(t, s.sales(t, at), 3)
	told := s.told(t, "PAYMENT.SALE.COMPLETED")
	require.Len(t, told, 3)
	require.Equal(t, a.text("id"), told[2].What["billing_agreement_id"])
	require.Equal(t, "sub_1", told[2].What["custom"])
	require.Equal(t, []string{"CATALOG.PRODUCT.CREATED", "BILLING.PLAN.CREATED", "BILLING.SUBSCRIPTION.CREATED"}, s.heldTypes(t)[:3])
	var times []string
	for _, one := range s.sales(t, at) {
		sale, _ := one.(map[string]any)
		times = append(times, fmt.Sprint(sale["time"]))
	}
	require.Equal(t, []string{"2026-03-01T12:00:00Z", "2026-04-01T12:00:00Z", "2026-05-01T12:00:00Z"}, times)

	require.Equal(t, http.StatusNoContent, s.post(t, at+"/cancel", `{"reason":"Enough."}`).Status)
	s.pass(t, 100*day)
	require.Len(t, s.sales(t, at), 3)
	shown = s.get(t, at)
	require.Equal(t, "CANCELLED", shown.text("status"))
	require.Equal(t, "Enough.", shown.text("status_change_note"))
	require.Nil(t, shown.at("billing_info.next_billing_time"))
	unprocessable(t, s.post(t, at+"/cancel", `{"reason":"x"}`), "SUBSCRIPTION_STATUS_INVALID")
	require.Len(t, s.told(t, "BILLING.SUBSCRIPTION.CANCELLED"), 1)
	require.Len(t, s.told(t, "BILLING.SUBSCRIPTION.ACTIVATED"), 1)
}

// heldTypes are the types of all events in the order that they happened in.
func (s *store) heldTypes(t *testing.T) []string {
	t.Helper()
	objects, ok := s.paypal.Objects("event")
	require.True(t, ok)
	var types []string
	for _, one := range objects {
		text, err := one.(interface{ MarshalJSON() ([]byte, error) }).MarshalJSON()
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(text), `"event_type":"`)
		kind, _, _ := strings.Cut(rest, `"`)
		types = append(types, kind)
	}
	return types
}

func TestRefundsOfSales(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	at := s.subscribed(t, s.monthly(t), success, "")
	id := fmt.Sprint(s.sales(t, at)[0].(map[string]any)["id"])
	sale := "/v1/payments/sale/" + id
	require.Equal(t, "completed", s.get(t, sale).text("state"))
	require.Equal(t, "10.00", s.get(t, sale).text("amount.total"))
	a := s.post(t, sale+"/refund", `{"amount":{"total":"4.00","currency":"EUR"},"invoice_number":"re_1"}`)
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	require.Equal(t, "completed", a.text("state"))
	require.Equal(t, id, a.text("sale_id"))
	require.Equal(t, "partially_refunded", s.get(t, sale).text("state"))
	require.Equal(t, a.text("id"), s.get(t, "/v1/payments/refund/"+a.text("id")).text("id"))
	unprocessable(t, s.post(t, sale+"/refund", `{"amount":{"total":"6.01","currency":"EUR"}}`), "REFUND_AMOUNT_EXCEEDED")
	require.Equal(t, "6.00", s.post(t, "/v2/payments/captures/"+id+"/refund", `{"custom_id":"re_2"}`).text("amount.value"), "as a capture it goes too")
	require.Equal(t, "REFUNDED", s.get(t, "/v2/payments/captures/"+id).text("status"))
	require.Len(t, s.told(t, "PAYMENT.SALE.REFUNDED"), 2)
	require.Equal(t, http.StatusNotFound, s.get(t, "/v1/payments/sale/"+s.captured(t, success, "paypal").text(captures+".id")).Status)

	s.pass(t, 31*day)
	later := fmt.Sprint(s.sales(t, at)[1].(map[string]any)["id"])
	dispute, err := s.paypal.OpenDispute(later, "subscription_canceled", 0, false)
	require.NoError(t, err)
	require.Equal(t, later, s.get(t, "/v1/customer/disputes/"+dispute).text("disputed_transactions.0.seller_transaction_id"))
	report := s.get(t, "/v1/reporting/transactions?start_date=2026-03-01T00:00:00Z&end_date=2026-03-02T00:00:00Z&fields=all&transaction_type=T0002")
	require.Equal(t, strings.TrimPrefix(at, "/v1/billing/subscriptions/"), report.text("transaction_details.0.transaction_info.paypal_reference_id"))
}

func TestTrialsAndTheEnd(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	plan := s.planned(t, "", cycle("TRIAL", 1, 1, "0"), cycle("TRIAL", 2, 1, "5.00"), cycle("REGULAR", 3, 2, "10.00"))
	at := s.subscribed(t, plan, "4000000000009995", "")
	require.Empty(t, s.sales(t, at), "nothing is due yet, so the card is not asked")
	shown := s.get(t, at)
	require.Equal(t, "1", shown.text("billing_info.cycle_executions.0.cycles_completed"))
	require.Equal(t, "0", shown.text("billing_info.cycle_executions.2.cycles_completed"))
	require.NoError(t, s.paypal.SteerSubscription(shown.text("id"), engine.SubscriptionChange{Card: "success"}))
	s.pass(t, 93*day)
	shown = s.get(t, at)
	require.Equal(t, "ACTIVE", shown.text("status"), "the last month was paid for")
	require.Nil(t, shown.at("billing_info.next_billing_time"))
	require.Len(t, s.sales(t, at), 3)
	s.pass(t, 30*day)
	shown = s.get(t, at)
	require.Equal(t, "EXPIRED", shown.text("status"))
	require.Equal(t, "2026-07-01T12:00:00Z", shown.text("status_update_time"))
	require.Len(t, s.told(t, "BILLING.SUBSCRIPTION.EXPIRED"), 1)
}

func TestSubscriptionsThatBeginLater(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	plan := s.planned(t, `,"payment_preferences":{"setup_fee":{"currency_code":"EUR","value":"3.00"}},"taxes":{"percentage":"10","inclusive":false}`, cycle("REGULAR", 1, 0, "10.00"))
	at := s.subscribed(t, plan, success, `,"start_time":"2026-03-31T12:00:00Z"`)
	require.Len(t, s.sales(t, at), 1, "the fee is due at once")
	require.Equal(t, "2026-03-31T12:00:00Z", s.get(t, at).text("billing_info.next_billing_time"))
	s.pass(t, 30*day)
	require.Equal(t, "11.0", s.get(t, at).text("billing_info.last_payment.amount.value"))
	require.Equal(t, "2026-04-30T12:00:00Z", s.get(t, at).text("billing_info.next_billing_time"), "a short month")
	s.pass(t, 30*day)
	require.Equal(t, "2026-05-31T12:00:00Z", s.get(t, at).text("billing_info.next_billing_time"), "and a long one")

	slow := s.subscribing(t, s.monthly(t), `,"application_context":{"user_action":"CONTINUE","return_url":"https://shop.example/back","cancel_url":"https://shop.example/no"}`)
	s.pages(t, slow.link("approve"), card(success))
	at = "/v1/billing/subscriptions/" + slow.text("id")
	require.Equal(t, "APPROVED", s.get(t, at).text("status"))
	require.Equal(t, http.StatusNoContent, s.post(t, at+"/activate", "").Status)
	require.Len(t, s.sales(t, at), 1)
}

func TestFailedPayments(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	plan := s.planned(t, `,"payment_preferences":{"payment_failure_threshold":3}`, cycle("REGULAR", 1, 0, "10.00"))
	at := s.subscribed(t, plan, paypal.NamedCards["declined_later"], "")
	require.Len(t, s.sales(t, at), 1, "its holder was there")
	s.pass(t, 31*day)
	shown := s.get(t, at)
	require.Equal(t, "1", shown.text("billing_info.failed_payments_count"))
	require.Equal(t, "10.0", shown.text("billing_info.outstanding_balance.value"))
	require.Equal(t, "2026-04-06T12:00:00Z", shown.text("billing_info.last_failed_payment.next_payment_retry_time"))
	s.pass(t, 5*day)
	require.Equal(t, "2", s.get(t, at).text("billing_info.failed_payments_count"))
	s.pass(t, 5*day)
	shown = s.get(t, at)
	require.Equal(t, "SUSPENDED", shown.text("status"))
	require.Equal(t, "2026-04-11T12:00:00Z", shown.text("status_update_time"))
	require.Len(t, s.told(t, "BILLING.SUBSCRIPTION.PAYMENT.FAILED"), 3)
	require.Len(t, s.told(t, "BILLING.SUBSCRIPTION.SUSPENDED"), 1)
	unprocessable(t, s.post(t, at+"/activate", `{}`), "SUBSCRIPTION_CANNOT_BE_ACTIVATED")

	collect := func(value string) reply {
		return s.post(t, at+"/capture", `{"note":"Please.","capture_type":"OUTSTANDING_BALANCE","amount":{"currency_code":"EUR","value":"`+value+`"}}`)
	}
	require.Equal(t, "DECLINED", collect("10.00").text("status"))
	require.NoError(t, s.paypal.SteerSubscription(shown.text("id"), engine.SubscriptionChange{Card: "success"}))
	unprocessable(t, collect("10.01"), "AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE")
	require.Equal(t, "COMPLETED", collect("10.00").text("status"))
	unprocessable(t, collect("10.00"), "ZERO_OUTSTANDING_BALANCE")
	require.Equal(t, "0", s.get(t, at).text("billing_info.failed_payments_count"))
	s.pass(t, 60*day)
	require.Len(t, s.sales(t, at), 2, "a suspended one is not billed")
	require.Equal(t, http.StatusNoContent, s.post(t, at+"/activate", `{"reason":"Paid."}`).Status)
	require.Equal(t, "2026-07-01T12:00:00Z", s.get(t, at).text("billing_info.next_billing_time"))
	s.pass(t, 30*day)
	require.Len(t, s.sales(t, at), 3)
}

func TestFailedPaymentsWithoutAThreshold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		more, owed string
		sales      int
	}{
		{"", "0.0", 2},
		{`,"payment_preferences":{"auto_bill_outstanding":false}`, "10.0", 2},
	} {
		s := newStore(t)
		at := s.subscribed(t, s.planned(t, test.more, cycle("REGULAR", 1, 0, "10.00")), paypal.NamedCards["declined_later"], "")
		s.pass(t, 31*day+20*day)
		shown := s.get(t, at)
		require.Equal(t, "ACTIVE", shown.text("status"))
		require.Equal(t, "3", shown.text("billing_info.failed_payments_count"), "once, and twice again")
		require.NoError(t, s.paypal.SteerSubscription(shown.text("id"), engine.SubscriptionChange{Card: "success"}))
		s.pass(t, 10*day)
		require.Len(t, s.sales(t, at), test.sales)
		require.Equal(t, test.owed, s.get(t, at).text("billing_info.outstanding_balance.value"))
	}
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	product := s.product(t)
	plan := func(more, price string) string {
		return s.post(t, "/v1/billing/plans", planOf(product, more, cycle("REGULAR", 1, 0, price))).text("id")
	}
	small, large := plan("", "10.00"), plan(`,"quantity_supported":true`, "20.00")
	at := s.subscribed(t, small, success, "")
	revise := func(body string) reply { return s.post(t, at+"/revise", body) }
	unprocessable(t, revise(`{"plan_id":"`+s.monthly(t)+`"}`), "PLAN_PRODUCT_NOT_COMPATIBLE")
	unprocessable(t, revise(`{"quantity":"2"}`), "QUANTITY_NOT_SUPPORTED")
	a := revise(`{"plan_id":"` + large + `","quantity":"3","application_context":{"return_url":"https://shop.example/back","cancel_url":"https://shop.example/no"}}`)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	require.Equal(t, large, a.text("plan_id"))
	require.Equal(t, small, s.get(t, at).text("plan_id"), "the buyer has not agreed")
	page := s.do(t, http.MethodGet, a.link("approve"), "")
	require.Contains(t, page.Text, "60.00 EUR")
	require.Equal(t, http.StatusSeeOther, s.pages(t, a.link("approve"), card(success)).Status)
	require.Equal(t, http.StatusNotFound, s.pages(t, a.link("approve"), card(success)).Status)
	shown := s.get(t, at)
	require.Equal(t, large, shown.text("plan_id"))
	require.Equal(t, "3", shown.text("quantity"))
	require.Len(t, s.sales(t, at), 1)
	s.pass(t, 31*day)
	require.Equal(t, "60.0", s.get(t, at).text("billing_info.last_payment.amount.value"))
	require.Len(t, s.told(t, "BILLING.SUBSCRIPTION.UPDATED"), 1)

	overridden := s.subscribed(t, small, success, `,"plan":{"billing_cycles":[{"sequence":1,"pricing_scheme":{"fixed_price":{"currency_code":"EUR","value":"7.50"}}}]}`)
	shown = s.get(t, overridden)
	require.Equal(t, "7.5", shown.text("billing_info.last_payment.amount.value"))
	require.Equal(t, "true", shown.text("plan_overridden"))
	require.Equal(t, http.StatusNoContent, s.post(t, "/v1/billing/plans/"+small+"/deactivate", "").Status)
	unprocessable(t, s.post(t, "/v1/billing/subscriptions", `{"plan_id":"`+small+`"}`), "PLAN_STATUS_INVALID")
	unprocessable(t, s.post(t, "/v1/billing/plans/"+small+"/deactivate", ""), "PLAN_STATUS_INVALID")
	require.Equal(t, http.StatusNoContent, s.post(t, "/v1/billing/plans/"+small+"/activate", "").Status)
}

func TestSteerSubscriptions(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	steer := func(id, do string) error { return s.paypal.SteerSubscription(id, engine.SubscriptionChange{Do: do}) }
	require.ErrorIs(t, steer("I-0", "pause"), engine.ErrNoSubscription)
	require.ErrorIs(t, s.paypal.AfterRetries("unpaid"), engine.ErrUnsupported)
	plan := s.monthly(t)
	require.ErrorIs(t, steer(s.subscribing(t, plan, "").text("id"), "cancel"), engine.ErrNotNow)
	at := s.subscribed(t, plan, success, "")
	id := s.get(t, at).text("id")
	for _, do := range []string{"cancel_at_period_end", "undo_cancel", "quantity"} {
		require.ErrorIs(t, steer(id, do), engine.ErrUnsupported)
	}
	require.ErrorIs(t, s.paypal.SteerSubscription(id, engine.SubscriptionChange{Card: "gold"}), engine.ErrUnsupported)
	require.ErrorIs(t, steer(id, "resume"), engine.ErrNotNow)
	require.ErrorIs(t, steer(id, "retry"), engine.ErrNotNow)
	require.NoError(t, steer(id, "pause"))
	require.ErrorIs(t, steer(id, "pause"), engine.ErrNotNow)
	s.pass(t, 40*day)
	require.Len(t, s.sales(t, at), 1)
	require.NoError(t, steer(id, "resume"))
	for _, name := range []string{"3ds_off_session", "declined", "insufficient_funds"} {
		require.NoError(t, s.paypal.SteerSubscription(id, engine.SubscriptionChange{Card: name}))
		s.pass(t, 30*day)
		require.Len(t, s.sales(t, at), 1, name)
	}
	require.NoError(t, s.paypal.SteerSubscription(id, engine.SubscriptionChange{Card: "success"}))
	require.NoError(t, steer(id, "retry"))
	require.Len(t, s.sales(t, at), 2)
	require.NoError(t, steer(id, "cancel"))
	require.ErrorIs(t, steer(id, "cancel"), engine.ErrNotNow)
}

func TestPlansThatAreNone(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	product := s.product(t)
	regular := cycle("REGULAR", 1, 0, "10.00")
	bad := func(body string) reply { return s.post(t, "/v1/billing/plans", body) }
	refused(t, bad(planOf("PROD-NONE", "", regular)), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
	refused(t, bad(planOf(product, `,"color":"red"`, regular)), 400, "INVALID_REQUEST", "INVALID_PARAMETER")
	refused(t, bad(planOf(product, "")), 400, "INVALID_REQUEST", "INVALID_ARRAY_MIN_ITEMS")
	refused(t, bad(planOf(product, "", strings.Replace(regular, `"interval_count":1`, `"interval_count":13`, 1))), 400, "INVALID_REQUEST", "INVALID_INTEGER_MAX_VALUE")
	refused(t, bad(planOf(product, `,"payment_preferences":{"payment_failure_threshold":1000}`, regular)), 400, "INVALID_REQUEST", "INVALID_INTEGER_MAX_VALUE")
	refused(t, bad(planOf(product, `,"taxes":{"percentage":"lots"}`, regular)), 400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX")
	unprocessable(t, bad(planOf(product, "", cycle("REGULAR", 1, 0, "0.00"))), "CANNOT_BE_ZERO_OR_NEGATIVE")
	unprocessable(t, bad(planOf(product, "", cycle("REGULAR", 2, 0, "1.00"))), "INVALID_BILLING_CYCLE_SEQUENCE")
	unprocessable(t, bad(planOf(product, "", cycle("TRIAL", 1, 0, "1.00"), cycle("REGULAR", 2, 0, "1.00"))), "INVALID_TRIAL_TENURE")
	unprocessable(t, bad(planOf(product, "", cycle("TRIAL", 1, 1, "1.00"))), "INVALID_BILLING_CYCLE_SEQUENCE")
	unprocessable(t, bad(planOf(product, "", cycle("TRIAL", 1, 1, "1"), cycle("TRIAL", 2, 1, "1"), cycle("TRIAL", 3, 1, "1"), cycle("REGULAR", 4, 0, "1"))), "TRIAL_BILLING_CYCLES_LIMIT_EXCEEDED")
	unprocessable(t, bad(planOf(product, "", cycle("TRIAL", 1, 1, "1"), strings.Replace(cycle("REGULAR", 2, 0, "1"), "EUR", "USD", 1))), "CURRENCY_MISMATCH")
	require.Empty(t, s.told(t, "BILLING.PLAN.CREATED"))

	plan := s.monthly(t)
	for _, more := range []string{`,"start_time":"2026-03-01T11:59:59Z"`, `,"quantity":"0"`, `,"quantity":"x"`} {
		refused(t, s.post(t, "/v1/billing/subscriptions", `{"plan_id":"`+plan+`"`+more+`}`), 400, "INVALID_REQUEST", "INVALID_PARAMETER_VALUE")
	}
	refused(t, s.post(t, "/v1/billing/subscriptions", `{"plan_id":"P-0"}`), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
	unprocessable(t, s.post(t, "/v1/billing/subscriptions", `{"plan_id":"`+plan+`","quantity":"2"}`), "QUANTITY_NOT_SUPPORTED")
	refused(t, s.post(t, s.subscribed(t, plan, success, "")+"/suspend", `{}`), 400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")
	require.Equal(t, plan, s.get(t, "/v1/billing/plans?page_size=1").text("plans.0.id"))
	require.Equal(t, "2", s.get(t, "/v1/catalogs/products?total_required=true").text("total_items"))
}

func TestBillingKeys(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	plan := s.monthly(t)
	body := `{"plan_id":"` + plan + `"}`
	first := s.post(t, "/v1/billing/subscriptions", body, "PayPal-Request-Id", "once")
	again := s.post(t, "/v1/billing/subscriptions", body, "PayPal-Request-Id", "once")
	require.Equal(t, http.StatusOK, again.Status)
	require.Equal(t, first.text("id"), again.text("id"))
	s.pass(t, 72*time.Hour+time.Second)
	require.NotEqual(t, first.text("id"), s.post(t, "/v1/billing/subscriptions", body, "PayPal-Request-Id", "once").text("id"))
}

// A year of many subscriptions passes in one step of the clock.
func TestManySubscriptions(t *testing.T) {
	t.Parallel()
	const many = 500
	s := newStore(t, func(o *paypal.Options) { o.WebhookURL = "" })
	body := `{"plan_id":"` + s.monthly(t) + `"}`
	for range many {
		a := s.post(t, "/v1/billing/subscriptions", body)
		s.pages(t, a.link("approve"), card(success))
	}
	s.pass(t, 365*day)
	sales, ok := s.paypal.Objects("sale")
	require.True(t, ok)
	require.Len(t, sales, 13*many)
}

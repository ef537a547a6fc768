package square_test

import (
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/square"
)

// subscriber is a customer with a card and a plan.
type subscriber struct {
	*house

	customer, card, plan string
}

func newSubscriber(t *testing.T, phases ...any) *subscriber {
	t.Helper()
	h := newHouse(t) // it is 2026-09-21T14:13:20Z
	if len(phases) == 0 {
		phases = []any{phase(0, "MONTHLY", 0, 900)}
	}
	s := &subscriber{house: h, customer: h.customer(t, "1"), plan: h.variation(t, "Gold", phases...)}
	s.card = h.stored(t, s.customer, "success")
	return s
}

func (s *subscriber) body(changes object) object {
	body := object{
		"idempotency_key": "sub", "location_id": locationID, "customer_id": s.customer, "card_id": s.card, "plan_variation_id": s.plan, "timezone": "UTC",
	}
	maps.Copy(body, changes)
	maps.DeleteFunc(body, func(_ string, value any) bool { return value == nil })
	return body
}

func (s *subscriber) subscribe(t *testing.T, changes object) string {
	t.Helper()
	a := s.call(t, http.MethodPost, "/v2/subscriptions", s.body(changes))
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a.text("subscription.id")
}

func (s *subscriber) shows(t *testing.T, id string) answer {
	t.Helper()
	a := s.call(t, http.MethodGet, "/v2/subscriptions/"+id+"?include=actions", nil)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

// bills are a subscription's invoices, newest first.
func (s *subscriber) bills(t *testing.T, id string) []answer {
	t.Helper()
	ids, _ := s.shows(t, id).at("subscription.invoice_ids").([]any)
	var all []answer
	for _, one := range ids {
		all = append(all, s.call(t, http.MethodGet, fmt.Sprint("/v2/invoices/", one), nil))
	}
	return all
}

// moves makes a change to a subscription.
func (s *subscriber) moves(t *testing.T, id, verb string, body any) answer {
	t.Helper()
	return s.call(t, http.MethodPost, "/v2/subscriptions/"+id+"/"+verb, body)
}

// to moves the clock to a time.
func (s *subscriber) to(t *testing.T, when string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, when)
	require.NoError(t, err)
	require.True(t, at.After(s.clock.Now()))
	s.advance(at.Sub(s.clock.Now()))
}

func TestASubscriptionIsBilled(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	made := s.call(t, http.MethodPost, "/v2/subscriptions", s.body(nil))
	id := made.text("subscription.id")
	require.Equal(t, "ACTIVE", made.text("subscription.status"), made.Text)
	require.Equal(t, "2026-09-21", made.text("subscription.start_date"))
	require.Equal(t, "<nil>", made.text("subscription.invoice_ids"), "the bill comes after the answer")
	require.Equal(t, made.Text, s.call(t, http.MethodPost, "/v2/subscriptions", s.body(nil)).Text)
	require.Equal(t, "2026-10-20", s.shows(t, id).text("subscription.charged_through_date"), "the last day that is paid for")

	first := s.bills(t, id)[0]
	require.Equal(t, "PAID", first.text("invoice.status"), first.Text)
	require.Equal(t, id, first.text("invoice.subscription_id"))
	require.Equal(t, "900", first.text("invoice.payment_requests.0.total_completed_amount_money.amount"))
	order := s.call(t, http.MethodGet, "/v2/orders/"+first.text("invoice.order_id"), nil)
	require.Equal(t, "COMPLETED", order.text("order.state"))
	paid := s.house.show(t, order.text("order.tenders.0.payment_id"))
	require.Equal(t, "COMPLETED", paid.text("payment.status"))
	require.Equal(t, s.customer, paid.text("payment.customer_id"))
	require.Equal(t, "ON_FILE", paid.text("payment.card_details.entry_method"))
	for kind, want := range map[string]int{
		"subscription.created": 1, "subscription.updated": 1, "invoice.created": 1, "invoice.published": 1, "invoice.payment_made": 1, "invoice.scheduled_charge_failed": 0,
	} {
		require.Len(t, s.deliveries(t, kind), want, kind)
	}

	require.Equal(t, "PENDING", s.refund(t, "r1", paid.text("payment.id"), 400).text("refund.status"))
	s.advance(time.Second)
	require.Equal(t, "PARTIALLY_REFUNDED", s.bills(t, id)[0].text("invoice.status"))
	_, err := s.sim.RefundElsewhere(paid.text("payment.id"), 0)
	require.NoError(t, err)
	s.advance(time.Second)
	require.Equal(t, "REFUNDED", s.bills(t, id)[0].text("invoice.status"))
	require.Len(t, s.deliveries(t, "invoice.refunded"), 2)
}

func TestAYearGoesBy(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	id := s.subscribe(t, object{"start_date": "2026-10-31", "timezone": nil})
	require.Equal(t, "PENDING", s.shows(t, id).text("subscription.status"))
	s.advance(366 * day)
	bills := s.bills(t, id)
	var days []string
	for _, bill := range bills {
		days = append([]string{bill.text("invoice.payment_requests.0.due_date")}, days...)
		require.Equal(t, "PAID", bill.text("invoice.status"))
	}
	require.Equal(t, []string{
		"2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31", "2027-06-30", "2027-07-31", "2027-08-31",
	}, days, "the 31st stays the 31st")
	require.Equal(t, "2026-10-31T00:00:00.000Z", bills[10].text("invoice.created_at"), "midnight in Dublin in winter")
	require.Equal(t, "2027-08-30T23:00:00.000Z", bills[0].text("invoice.created_at"), "and in summer")
	require.Equal(t, "2027-09-29", s.shows(t, id).text("subscription.charged_through_date"))
	before := ""
	for _, e := range s.objects(t, "event") {
		require.GreaterOrEqual(t, e.text("created_at"), before, "all happened in the order of time")
		before = e.text("created_at")
	}
	listed := s.call(t, http.MethodPost, "/v2/invoices/search", object{"query": object{"filter": object{"location_ids": []any{locationID}, "customer_ids": []any{s.customer}}}, "limit": 8})
	require.Len(t, listed.at("invoices"), 8)
	require.Equal(t, bills[0].text("invoice.id"), listed.text("invoices.0.id"))
	rest := s.call(t, http.MethodPost, "/v2/invoices/search", object{
		"query": object{"filter": object{"location_ids": []any{locationID}, "customer_ids": []any{s.customer}}}, "limit": 8, "cursor": listed.text("cursor"),
	})
	require.Len(t, rest.at("invoices"), 3)
	require.Len(t, s.call(t, http.MethodGet, "/v2/invoices?location_id="+locationID, nil).at("invoices"), 11)
	require.JSONEq(t, `{}`, s.call(t, http.MethodPost, "/v2/invoices/search", object{"query": object{"filter": object{"location_ids": []any{locationID}, "customer_ids": []any{"CUS0"}}}}).Text)
}

// The wall clock brings bills, too, without anybody's moving the clock.
func TestTimeGoesBy(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t, phase(0, "DAILY", 0, 100))
	id := s.subscribe(t, nil)
	s.now.Add(int64((3 * day).Seconds()))
	require.Len(t, s.bills(t, id), 4)
}

func TestPhases(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t, phase(0, "WEEKLY", 2, 0), phase(1, "MONTHLY", 2, 500))
	id := s.subscribe(t, object{"price_override_money": euros(700)})
	require.Empty(t, s.bills(t, id), "it is a trial")
	require.Equal(t, "2026-09-27", s.shows(t, id).text("subscription.charged_through_date"))
	s.to(t, "2026-10-05T00:00:00Z")
	bills := s.bills(t, id)
	require.Len(t, bills, 1)
	require.Equal(t, "700", bills[0].text("invoice.payment_requests.0.computed_amount_money.amount"), "the price is the subscription's own")
	s.to(t, "2026-11-05T00:00:00Z")
	require.Len(t, s.bills(t, id), 2)
	require.Equal(t, "ACTIVE", s.shows(t, id).text("subscription.status"))
	require.Equal(t, "2026-12-04", s.shows(t, id).text("subscription.canceled_date"), "it ends with its last phase")
	s.advance(100 * day)
	require.Equal(t, "CANCELED", s.shows(t, id).text("subscription.status"))
	require.Len(t, s.bills(t, id), 2)
}

func TestACardThatFails(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	id := s.subscribe(t, nil)
	require.NoError(t, s.sim.SteerSubscription(id, engine.SubscriptionChange{Card: "insufficient_funds"}))
	s.to(t, "2026-10-21T00:00:00Z")
	unpaid := s.bills(t, id)[0]
	require.Equal(t, "UNPAID", unpaid.text("invoice.status"))
	require.Equal(t, "ACTIVE", s.shows(t, id).text("subscription.status"))
	failures := func() int { return len(s.deliveries(t, "invoice.scheduled_charge_failed")) }
	require.Equal(t, 1, failures())
	for n, when := range []string{"2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z"} {
		s.to(t, when)
		require.Equal(t, n+2, failures(), when)
		require.Equal(t, "ACTIVE", s.shows(t, id).text("subscription.status"))
	}
	var declined []answer
	for _, one := range s.objects(t, "payment") {
		if one.text("status") == "FAILED" {
			declined = append(declined, one)
		}
	}
	require.Len(t, declined, 3)
	require.Equal(t, "INSUFFICIENT_FUNDS", declined[0].text("card_details.errors.0.code"))
	s.to(t, "2026-10-30T00:00:00Z")
	require.Equal(t, 4, failures())
	require.Equal(t, "DEACTIVATED", s.shows(t, id).text("subscription.status"))
	events := s.call(t, http.MethodGet, "/v2/subscriptions/"+id+"/events", nil)
	require.Equal(t, "START_SUBSCRIPTION", events.text("subscription_events.0.subscription_event_type"), events.Text)
	require.Equal(t, "DEACTIVATE_SUBSCRIPTION", events.text("subscription_events.1.subscription_event_type"))
	require.Equal(t, "2026-10-30", events.text("subscription_events.1.effective_date"))
	s.advance(100 * day)
	require.Len(t, s.bills(t, id), 2, "nothing is billed any more")
	require.Equal(t, 4, failures())

	require.NoError(t, s.sim.SteerSubscription(id, engine.SubscriptionChange{Card: "success"}))
	require.NoError(t, s.sim.SteerSubscription(id, engine.SubscriptionChange{Do: "retry"}))
	require.Equal(t, "PAID", s.call(t, http.MethodGet, "/v2/invoices/"+unpaid.text("invoice.id"), nil).text("invoice.status"))
	require.ErrorIs(t, s.sim.SteerSubscription(id, engine.SubscriptionChange{Do: "retry"}), engine.ErrNotNow)
	require.Equal(t, "RESUME", s.moves(t, id, "resume", object{}).text("actions.0.type"))
	require.Equal(t, "ACTIVE", s.shows(t, id).text("subscription.status"))
	require.Equal(t, "PAID", s.bills(t, id)[0].text("invoice.status"))
	require.Len(t, s.bills(t, id), 3)
}

func TestAFailedBillIsPaidLater(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	s.card = s.stored(t, s.customer, "3ds_off_session")
	byCard := s.subscribe(t, nil)
	require.Equal(t, "UNPAID", s.bills(t, byCard)[0].text("invoice.status"), "the buyer is not there")
	other := s.stored(t, s.customer, "3ds")
	changed := s.call(t, http.MethodPut, "/v2/subscriptions/"+byCard, object{"subscription": object{"card_id": other}})
	require.Equal(t, other, changed.text("subscription.card_id"), changed.Text)
	s.advance(3 * day)
	require.Equal(t, "PAID", s.bills(t, byCard)[0].text("invoice.status"), "the next try is with the new card")

	s.card = s.stored(t, s.customer, "declined_later")
	byHand := s.subscribe(t, object{"idempotency_key": "2"})
	bill := s.bills(t, byHand)[0]
	paid := s.pay(t, "hand", object{"order_id": bill.text("invoice.order_id"), "amount_money": euros(900)})
	require.Equal(t, "PAID", s.bills(t, byHand)[0].text("invoice.status"))
	require.Equal(t, bill.text("invoice.order_id"), paid.text("payment.order_id"))
	s.advance(20 * day)
	require.Equal(t, "ACTIVE", s.shows(t, byHand).text("subscription.status"))

	third := s.subscribe(t, object{"idempotency_key": "3"})
	bill = s.bills(t, third)[0]
	cancel := func(version any) answer {
		return s.call(t, http.MethodPost, "/v2/invoices/"+bill.text("invoice.id")+"/cancel", object{"version": version})
	}
	require.Equal(t, "VERSION_MISMATCH", cancel(99).code())
	require.Equal(t, "CANCELED", cancel(bill.at("invoice.version")).text("invoice.status"))
	s.advance(20 * day)
	require.Equal(t, "ACTIVE", s.shows(t, third).text("subscription.status"), "nobody owes anything")
}

func TestSubscriptionsAreChecked(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	bob := s.house.customer(t, "bob")
	gone := s.stored(t, s.customer, "3ds")
	s.call(t, http.MethodPost, "/v2/cards/"+gone+"/disable", nil)
	for name, test := range map[string]struct {
		changes     object
		code, field string
	}{
		"location": {object{"location_id": "L2"}, "INVALID_LOCATION", "location_id"}, "no location": {object{"location_id": nil}, "MISSING_REQUIRED_PARAMETER", "location_id"},
		"plan": {object{"plan_variation_id": "CAT0"}, "NOT_FOUND", "plan_variation_id"}, "customer": {object{"customer_id": "CUS0"}, "NOT_FOUND", "customer_id"},
		"card": {object{"card_id": "ccof:0"}, "NOT_FOUND", "card_id"}, "another's": {object{"customer_id": bob}, "NOT_FOUND", "card_id"},
		"disabled": {object{"card_id": gone}, "NOT_FOUND", "card_id"}, "by email": {object{"card_id": nil}, "SANDBOX_NOT_SUPPORTED", "card_id"},
		"past": {object{"start_date": "2026-09-20"}, "INVALID_VALUE", "start_date"}, "no date": {object{"start_date": "21.9.2026"}, "INVALID_VALUE", "start_date"},
		"zone":     {object{"timezone": "Europe/Atlantis"}, "INVALID_TIMEZONE", "timezone"},
		"currency": {object{"price_override_money": object{"amount": 1, "currency": "USD"}}, "CURRENCY_MISMATCH", "price_override_money.currency"},
		"price":    {object{"price_override_money": euros(0)}, "VALUE_TOO_LOW", "price_override_money.amount"},
		"unknown":  {object{"quantity": 2}, "UNKNOWN_BODY_PARAMETER", "quantity"},
	} {
		test.changes["idempotency_key"] = name
		a := s.call(t, http.MethodPost, "/v2/subscriptions", s.body(test.changes))
		require.Equal(t, test.code, a.code(), name)
		require.Equal(t, test.field, a.text("errors.0.field"), name)
	}
	id := s.subscribe(t, object{"source": object{"name": "Shop"}})
	other := s.subscribe(t, object{"idempotency_key": "2"})
	put := func(of object) answer {
		return s.call(t, http.MethodPut, "/v2/subscriptions/"+id, object{"subscription": of})
	}
	require.Equal(t, "VERSION_MISMATCH", put(object{"version": 99}).code())
	require.Equal(t, "INVALID_VALUE", put(object{"canceled_date": "2027-01-01"}).code(), "it can only be cleared")
	require.Equal(t, "NOT_FOUND", put(object{"card_id": gone}).code())
	require.Equal(t, "CURRENCY_MISMATCH", put(object{"price_override_money": object{"amount": 1, "currency": "USD"}}).code())
	require.Equal(t, "NOT_FOUND", s.call(t, http.MethodGet, "/v2/subscriptions/SUB0", nil).code())
	require.Equal(t, "INVALID_ENUM_VALUE", s.call(t, http.MethodGet, "/v2/subscriptions/"+id+"?include=all", nil).code())

	search := func(filter object) answer {
		return s.call(t, http.MethodPost, "/v2/subscriptions/search", object{"query": object{"filter": filter}, "include": []any{"actions"}})
	}
	s.moves(t, id, "cancel", nil)
	found := search(object{"customer_ids": []any{s.customer}, "location_ids": []any{locationID}})
	require.Equal(t, id, found.text("subscriptions.0.id"), found.Text)
	require.Equal(t, "CANCEL", found.text("subscriptions.0.actions.0.type"))
	require.Equal(t, other, found.text("subscriptions.1.id"))
	require.Len(t, search(object{"source_names": []any{"Shop"}}).at("subscriptions"), 1)
	require.JSONEq(t, `{}`, search(object{"customer_ids": []any{bob}}).Text)
}

// What falls due is found without looking at all that does not.
func TestManySubscriptions(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	quiet := square.New(square.Options{
		Account: "square", AccessToken: accessToken, ApplicationID: applicationID, LocationID: locationID, Clock: s.clock, Faults: s.faults, Requests: s.requests,
		Webhooks: s.webhooks,
	})
	s.house.serve(t, quiet)
	s.customer, s.plan = s.house.customer(t, "1"), s.variation(t, "Gold", phase(0, "MONTHLY", 0, 900))
	s.card = s.stored(t, s.customer, "success")
	const many = 500
	for n := range many {
		s.subscribe(t, object{"idempotency_key": fmt.Sprint(n)})
	}
	s.advance(365 * day)
	made, _ := quiet.Objects("invoice")
	require.Len(t, made, 13*many)
}

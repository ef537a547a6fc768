package square_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

func TestCancellation(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	id := s.subscribe(t, nil)
	a := s.moves(t, id, "cancel", nil)
	require.Equal(t, "ACTIVE", a.text("subscription.status"), a.Text)
	require.Equal(t, "2026-10-20", a.text("subscription.canceled_date"))
	require.Equal(t, "CANCEL", a.text("actions.0.type"))
	require.Equal(t, "BAD_REQUEST", s.moves(t, id, "cancel", nil).code(), "it is canceled already")
	require.Equal(t, "BAD_REQUEST", s.moves(t, id, "pause", object{}).code())

	back := s.call(t, http.MethodPut, "/v2/subscriptions/"+id, object{"subscription": object{"canceled_date": nil}})
	require.Equal(t, "<nil>", back.text("subscription.canceled_date"), back.Text)
	require.Equal(t, "<nil>", s.shows(t, id).text("subscription.actions"))
	action := s.moves(t, id, "cancel", nil).text("actions.0.id")
	require.Equal(t, "<nil>", s.call(t, http.MethodDelete, "/v2/subscriptions/"+id+"/actions/"+action, nil).text("subscription.canceled_date"))
	require.Equal(t, "NOT_FOUND", s.call(t, http.MethodDelete, "/v2/subscriptions/"+id+"/actions/"+action, nil).code())
	s.to(t, "2026-10-22T00:00:00Z")
	require.Len(t, s.bills(t, id), 2)

	require.Equal(t, "2026-11-20", s.moves(t, id, "cancel", nil).text("subscription.canceled_date"))
	s.to(t, "2026-11-20T23:59:00Z")
	require.Equal(t, "ACTIVE", s.shows(t, id).text("subscription.status"))
	s.to(t, "2026-11-21T00:00:00Z")
	require.Equal(t, "CANCELED", s.shows(t, id).text("subscription.status"))
	s.advance(100 * day)
	require.Len(t, s.bills(t, id), 2)
	for _, verb := range []string{"cancel", "pause", "resume"} {
		require.Equal(t, "BAD_REQUEST", s.moves(t, id, verb, object{}).code(), verb)
	}
	require.Equal(t, "BAD_REQUEST", s.call(t, http.MethodPut, "/v2/subscriptions/"+id, object{"subscription": object{}}).code())

	later := s.subscribe(t, object{"idempotency_key": "later", "start_date": "2027-06-01"})
	require.Equal(t, "2027-06-01", s.moves(t, later, "cancel", nil).text("subscription.canceled_date"))
	s.to(t, "2027-06-02T00:00:00Z")
	require.Equal(t, "CANCELED", s.shows(t, later).text("subscription.status"))
	require.Empty(t, s.bills(t, later))
}

func TestPauses(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	id := s.subscribe(t, nil)
	a := s.moves(t, id, "pause", object{"pause_cycle_duration": 2, "pause_reason": "a holiday"})
	require.Equal(t, "2026-10-21", a.text("actions.0.effective_date"), a.Text)
	require.Equal(t, "2026-12-21", a.text("actions.1.effective_date"))
	require.Equal(t, "BAD_REQUEST", s.moves(t, id, "pause", object{}).code())
	s.to(t, "2026-10-21T00:00:00Z")
	require.Equal(t, "PAUSED", s.shows(t, id).text("subscription.status"))
	require.Len(t, s.bills(t, id), 1)
	s.to(t, "2026-12-21T00:00:00Z")
	require.Equal(t, "ACTIVE", s.shows(t, id).text("subscription.status"))
	require.Len(t, s.bills(t, id), 2)
	require.Equal(t, "2027-01-20", s.shows(t, id).text("subscription.charged_through_date"))

	require.Equal(t, "2027-02-21", s.moves(t, id, "pause", object{"pause_effective_date": "2027-02-01"}).text("actions.0.effective_date"), "with the next period")
	s.to(t, "2027-03-05T12:00:00Z")
	require.Equal(t, "PAUSED", s.shows(t, id).text("subscription.status"))
	require.Equal(t, "2027-03-21", s.moves(t, id, "resume", object{"resume_change_timing": "END_OF_BILLING_CYCLE"}).text("actions.0.effective_date"))
	require.Equal(t, "2027-03-05", s.moves(t, id, "resume", object{}).text("actions.0.effective_date"), "at once after all")
	require.Equal(t, "ACTIVE", s.shows(t, id).text("subscription.status"))
	require.Equal(t, "2027-04-04", s.shows(t, id).text("subscription.charged_through_date"))

	for name, test := range map[string]struct {
		body object
		code string
	}{
		"both": {object{"pause_cycle_duration": 1, "resume_effective_date": "2027-09-01"}, "CONFLICTING_PARAMETERS"}, "none": {object{"pause_cycle_duration": 0}, "INVALID_VALUE"},
		"soon": {object{"resume_effective_date": "2027-04-10"}, "INVALID_VALUE"}, "no date": {object{"pause_effective_date": "tomorrow"}, "INVALID_VALUE"},
		"timing": {object{"resume_change_timing": "IMMEDIATE"}, "MISSING_REQUIRED_PARAMETER"}, "unknown": {object{"reason": "x"}, "UNKNOWN_BODY_PARAMETER"},
		"long": {object{"pause_reason": strings.Repeat("x", 256)}, "VALUE_TOO_LONG"}, "word": {object{"resume_change_timing": "SOON"}, "INVALID_ENUM_VALUE"},
	} {
		require.Equal(t, test.code, s.moves(t, id, "pause", test.body).code(), name)
	}
	require.Equal(t, "BAD_REQUEST", s.moves(t, id, "resume", object{}).code(), "it is active")
}

func TestPlansAreSwapped(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	weekly := s.variation(t, "Weekly", phase(0, "WEEKLY", 0, 300))
	id := s.subscribe(t, nil)
	a := s.moves(t, id, "swap-plan", object{"new_plan_variation_id": weekly})
	require.Equal(t, "2026-10-21", a.text("actions.0.effective_date"), a.Text)
	require.Equal(t, weekly, a.text("actions.0.new_plan_variation_id"))
	require.Equal(t, s.plan, a.text("subscription.plan_variation_id"), "not yet")
	require.Equal(t, "BAD_REQUEST", s.moves(t, id, "swap-plan", object{"new_plan_variation_id": weekly}).code())
	priced := s.call(t, http.MethodPut, "/v2/subscriptions/"+id, object{"subscription": object{"price_override_money": euros(350)}})
	require.Equal(t, "350", priced.text("subscription.price_override_money.amount"))
	s.to(t, "2026-10-28T00:00:00Z")
	require.Equal(t, weekly, s.shows(t, id).text("subscription.plan_variation_id"))
	bills := s.bills(t, id)
	require.Len(t, bills, 3)
	require.Equal(t, "350", bills[0].text("invoice.payment_requests.0.computed_amount_money.amount"))
	s.call(t, http.MethodPut, "/v2/subscriptions/"+id, object{"subscription": object{"price_override_money": nil}})
	s.to(t, "2026-11-04T00:00:00Z")
	require.Equal(t, "300", s.bills(t, id)[0].text("invoice.payment_requests.0.computed_amount_money.amount"))
	for code, body := range map[string]object{"NOT_FOUND": {"new_plan_variation_id": "CAT0"}, "BAD_REQUEST": {"new_plan_variation_id": weekly}, "MISSING_REQUIRED_PARAMETER": {}} {
		require.Equal(t, code, s.moves(t, id, "swap-plan", body).code())
	}
}

func TestSubscriptionsAreSteered(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t)
	id := s.subscribe(t, nil)
	do := func(what string) error {
		return s.sim.SteerSubscription(id, engine.SubscriptionChange{Do: what, Quantity: 2})
	}
	require.ErrorIs(t, s.sim.SteerSubscription("SUB0", engine.SubscriptionChange{Do: "pause"}), engine.ErrNoSubscription)
	require.ErrorIs(t, s.sim.SteerSubscription(id, engine.SubscriptionChange{Card: "gold"}), engine.ErrUnsupported)
	require.ErrorIs(t, s.sim.AfterRetries("unpaid"), engine.ErrUnsupported)
	for what, want := range map[string]error{
		"cancel": engine.ErrUnsupported, "quantity": engine.ErrUnsupported, "resume": engine.ErrNotNow, "undo_cancel": engine.ErrNotNow, "retry": engine.ErrNotNow,
	} {
		require.ErrorIs(t, do(what), want, what)
	}
	require.NoError(t, do("cancel_at_period_end"))
	require.ErrorIs(t, do("cancel_at_period_end"), engine.ErrNotNow)
	require.ErrorIs(t, do("pause"), engine.ErrNotNow)
	require.Equal(t, "2026-10-20", s.shows(t, id).text("subscription.canceled_date"))
	require.NoError(t, do("undo_cancel"))
	require.NoError(t, do("pause"))
	s.to(t, "2026-10-21T00:00:00Z")
	require.Equal(t, "PAUSED", s.shows(t, id).text("subscription.status"))
	require.NoError(t, do("resume"))
	require.Equal(t, "ACTIVE", s.shows(t, id).text("subscription.status"))
	require.Len(t, s.bills(t, id), 2)
	s.call(t, http.MethodDelete, "/v2/customers/"+s.customer, nil)
	s.to(t, "2026-11-21T00:00:00Z")
	require.Equal(t, "DEACTIVATED", s.shows(t, id).text("subscription.status"))
	events := s.call(t, http.MethodGet, "/v2/subscriptions/"+id+"/events", nil)
	require.Equal(t, "CUSTOMER_DELETED", events.text("subscription_events.3.info.code"), events.Text)
}

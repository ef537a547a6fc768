package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

// missingSubscription is the path of none.
const missingSubscription = "/v1/subscriptions/sub_" + someID

func TestBadSubscriptionCallsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s, path := h.subscribed(t)
	once := h.made(t, "/v1/prices", "once", `{"name":"Mug","amount":1,"currency":"EUR"}`)
	const get, post, missing = http.MethodGet, http.MethodPost, missingSubscription
	calls := []badCall{
		{get, "/v1/subscriptions/pay_" + someID, ``, 400, "invalid_id", "path.id"},
		{get, "/v1/subscriptions/" + string(s.Price), ``, 400, "invalid_id", "path.id"},
		{get, "/v1/subscriptions/%00", ``, 400, "invalid_id", "path.id"},
		{get, missing, ``, 404, "not_found", ""},
		{get, missing + "/invoices", ``, 404, "not_found", ""},
		{get, "/v1/subscriptions/x/invoices", ``, 400, "invalid_id", "path.id"},
		{get, path + "/invoices?limit=101", ``, 422, "invalid_request", "query.limit"},
		{get, path + "/invoices?cursor=here", ``, 422, "invalid_request", "query.cursor"},
		{get, path + "/invoices?status=paid", ``, 422, "invalid_request", "query.status"},
		{get, path + "/pause", ``, 405, "method_not_allowed", ""},
		{post, path, ``, 405, "method_not_allowed", ""},
		{post, "/v1/subscriptions", `{}`, 405, "method_not_allowed", ""},
		{get, "/v1/subscriptions?customer=" + string(s.ID), ``, 422, "invalid_request", "query.customer"},
		{get, "/v1/subscriptions?status=gone", ``, 422, "invalid_request", "query.status"},
		{get, "/v1/subscriptions?status=active,gone", ``, 422, "invalid_request", "query.status"},
		{get, "/v1/subscriptions?status=active&status=paused", ``, 422, "invalid_request", "query.status"},
		{get, "/v1/subscriptions?reference=tea", ``, 422, "invalid_request", "query.reference"},
		{post, path + "/pause", `{"until":"` + secretText + `"}`, 422, "invalid_request", "body.until"},
		{post, path + "/resume", `[]`, 422, "invalid_request", "body"},
		{post, path + "/method_link", `{"url":"` + secretText + `"}`, 422, "invalid_request", "body.url"},
		{post, path + "/cancel", `{"at_period_end":"yes"}`, 422, "invalid_request", "body.at_period_end"},
		{post, path + "/cancel", `{"at_period_end":1}`, 422, "invalid_request", "body.at_period_end"},
		{post, path + "/cancel", `{"now":true}`, 422, "invalid_request", "body.now"},
		{post, path + "/change", ``, 400, "invalid_request", "body"},
		{post, path + "/resume", ``, 409, "invalid_subscription_state", ""},
	}
	for _, verb := range []string{"/pause", "/resume", "/cancel", "/method_link"} {
		calls = append(calls, badCall{post, missing + verb, ``, 404, "not_found", ""}, badCall{post, "/v1/subscriptions/x" + verb, ``, 400, "invalid_id", "path.id"})
	}
	calls = append(calls, badChanges(s, once)...)
	calls = append(calls, badPlans(t, s, once, plan(string(h.Customer().ID), string(s.Price)))...)
	h.refuseAll(t, calls)
	for _, keyless := range []string{"/change", "/method_link"} {
		refused(t, h.post(t, path+keyless, "", `{}`), http.StatusBadRequest, "idempotency_key_required")
	}
	require.Equal(t, core.SubscriptionActive, h.Subscription(s.ID).Status)
	require.Zero(t, h.Provider.CallsOf("ChangeSubscription")+h.Provider.CallsOf("PauseSubscription")+h.Provider.CallsOf("CancelSubscription"))
}

// badChanges are changes of a subscription, and previews of them, that are refused. once is a price
// that is paid once.
func badChanges(s core.Subscription, once string) (calls []badCall) {
	path := "/v1/subscriptions/" + string(s.ID)
	for _, verb := range []string{"/change", "/change/preview"} {
		calls = append(calls, badCall{http.MethodPost, missingSubscription + verb, `{"quantity":2}`, 404, "not_found", ""}, badCall{http.MethodPost, "/v1/subscriptions/x" + verb, `{}`, 400, "invalid_id", "path.id"})
		for _, bad := range []struct{ body, at string }{
			{`{"quantity":0}`, "body.quantity"},
			{`{"quantity":-1}`, "body.quantity"},
			{`{"quantity":10001}`, "body.quantity"},
			{`{"quantity":9223372036854775808}`, "body.quantity"},
			{`{"quantity":"2"}`, "body.quantity"},
			{`{"quantity":1.5}`, "body.quantity"},
			{`{"price":"` + secretText + `"}`, "body.price"},
			{`{"price":"a\u0000"}`, "body.price"},
			{`{"price":7}`, "body.price"},
			{`{"price":"` + string(s.ID) + `"}`, "body.price"},
			{`{"price":"prc_` + someID + `"}`, "body.price"},
			{`{"price":"` + once + `"}`, "body.price"},
			{`{"quantity":2,"proration":"always"}`, "body.proration"},
			{`{"quantity":2,"currency":"USD"}`, "body.currency"},
		} {
			calls = append(calls, badCall{http.MethodPost, path + verb, bad.body, 422, "invalid_request", bad.at})
		}
	}
	return calls
}

// badPlans are checkouts at which nobody can subscribe, each made of a good one.
func badPlans(t *testing.T, s core.Subscription, once, checkout string) (calls []badCall) {
	t.Helper()
	for _, bad := range []struct{ old, with, at string }{
		{string(s.Price), once, "body.line_items[0].price"},
		{string(s.Price), "prc_" + someID, "body.line_items[0].price"},
		{string(s.Price), string(s.ID), "body.line_items[0].price"},
		{`"price":"` + string(s.Price) + `"`, `"name":"Tea","amount":1`, "body.line_items[0].price"},
		{`"quantity":1`, `"quantity":1,"amount":1`, "body.line_items[0].price"},
		{`"quantity":1`, `"quantity":0`, "body.line_items[0].quantity"},
		{`"quantity":1`, `"quantity":10001`, "body.line_items[0].quantity"},
		{`EUR`, `USD`, "body.line_items[0].price"},
		{`[{`, `[{"price":"` + string(s.Price) + `","quantity":1},{`, "body.line_items"},
		{`"currency"`, `"capture":"manual","currency"`, "body.capture"},
	} {
		body := strings.Replace(checkout, bad.old, bad.with, 1)
		require.NotEqual(t, checkout, body, bad.with)
		calls = append(calls, badCall{http.MethodPost, "/v1/checkouts", body, 422, "invalid_request", bad.at})
	}
	return calls
}

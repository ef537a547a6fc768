package simulator_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLifeOfAPayment makes the calls as stripe-go encodes them.
func TestLifeOfAPayment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.post(t, "/payment_intents", url.Values{
		"amount": {"2500"}, "automatic_payment_methods[enabled]": {"true"}, "capture_method": {"manual"}, "currency": {"eur"},
		"description": {"order-1"}, "expand[0]": {"latest_charge"}, "metadata[paydesk_checkout]": {"chk_1"},
		"metadata[paydesk_payment]": {"pay_1"}, "metadata[reference]": {"order-1"},
	}, "Idempotency-Key", "key-1")
	require.Equal(t, http.StatusOK, made.Status, made.Text)
	require.Equal(t, "payment_intent", made.text("object"))
	require.Equal(t, "requires_payment_method", made.text("status"))
	require.Equal(t, "false", made.text("livemode"))
	require.Equal(t, "pay_1", made.text("metadata.paydesk_payment"))
	require.Equal(t, "<nil>", made.text("latest_charge"))
	require.Regexp(t, `^pi_[a-z0-9]+_secret_[A-Za-z0-9]+$`, made.text("client_secret"))
	require.Regexp(t, `^req_`, made.Header.Get("Request-Id"))

	id := made.text("id")
	held := h.confirm(t, made, "4242424242424242")
	require.Equal(t, "requires_capture", held.text("status"), held.Text)
	require.Equal(t, "2500", held.text("amount_capturable"))
	require.NotContains(t, held.Text, "pay_1", "the buyer does not see metadata")

	taken := h.post(t, "/payment_intents/"+id+"/capture", url.Values{"amount_to_capture": {"1000"}, "expand[0]": {"latest_charge"}}, "Idempotency-Key", "key-2")
	require.Equal(t, "succeeded", taken.text("status"), taken.Text)
	require.Equal(t, "1000", taken.text("amount_received"))
	require.Equal(t, "0", taken.text("amount_capturable"))
	require.Equal(t, "2500", taken.text("latest_charge.amount"))
	require.Equal(t, "1000", taken.text("latest_charge.amount_captured"))
	require.Equal(t, "1500", taken.text("latest_charge.amount_refunded"), "what was let go is booked as given back")
	require.Equal(t, "visa", taken.text("latest_charge.payment_method_details.card.brand"))

	charge := h.get(t, "/charges/"+taken.text("latest_charge.id"), url.Values{"expand[]": {"payment_intent"}})
	require.Equal(t, id, charge.text("payment_intent.id"))
	for _, verb := range []string{"capture", "cancel", "confirm"} {
		refused := h.post(t, "/payment_intents/"+id+"/"+verb, url.Values{})
		require.Equal(t, http.StatusBadRequest, refused.Status)
		require.Equal(t, "payment_intent_unexpected_state", refused.text("error.code"), verb)
		require.Equal(t, "succeeded", refused.text("error.payment_intent.status"))
	}
	h.settle(t)
	require.ElementsMatch(t, []string{
		"payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated", "charge.captured", "payment_intent.succeeded",
	}, h.paydesk.types())
}

func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.authorized(t)
	a := h.post(t, "/payment_intents/"+held.text("id")+"/cancel", url.Values{"cancellation_reason": {"requested_by_customer"}, "expand[0]": {"latest_charge"}})
	require.Equal(t, "canceled", a.text("status"), a.Text)
	require.Equal(t, "requested_by_customer", a.text("cancellation_reason"))
	require.Equal(t, "0", a.text("amount_capturable"))
	require.Equal(t, "true", a.text("latest_charge.refunded"))
	require.Equal(t, "payment_intent_unexpected_state", h.post(t, "/payment_intents/"+held.text("id")+"/cancel", url.Values{}).text("error.code"))

	made := h.create(t)
	a = h.post(t, "/payment_intents/"+made.text("id")+"/cancel", url.Values{})
	require.Equal(t, "canceled", a.text("status"))
	require.Equal(t, "payment_intent_unexpected_state", h.confirm(t, made, "4242424242424242").text("error.code"))
}

func TestParametersAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	tests := map[string]struct {
		set         url.Values
		code, param string
	}{
		"unknown":               {url.Values{"colour": {"red"}}, "parameter_unknown", "colour"},
		"unknown inside":        {url.Values{"automatic_payment_methods[on]": {"true"}}, "parameter_unknown", "automatic_payment_methods[on]"},
		"no amount":             {url.Values{"amount": nil}, "parameter_missing", "amount"},
		"no currency":           {url.Values{"currency": nil}, "parameter_missing", "currency"},
		"amount is a word":      {url.Values{"amount": {"ten"}}, "parameter_invalid_integer", "amount"},
		"amount is a fraction":  {url.Values{"amount": {"10.5"}}, "parameter_invalid_integer", "amount"},
		"amount is negative":    {url.Values{"amount": {"-5"}}, "parameter_invalid_integer", "amount"},
		"amount is too small":   {url.Values{"amount": {"49"}}, "amount_too_small", "amount"},
		"amount is too large":   {url.Values{"amount": {"100000000"}}, "amount_too_large", "amount"},
		"unknown currency":      {url.Values{"currency": {"eux"}}, "<nil>", "currency"},
		"currency in capitals":  {url.Values{"currency": {"EUR"}}, "<nil>", "currency"},
		"third decimal":         {url.Values{"currency": {"kwd"}, "amount": {"5124"}}, "<nil>", "amount"},
		"part of a krona":       {url.Values{"currency": {"isk"}, "amount": {"550"}}, "invalid_charge_amount_no_decimal_compatible", "amount"},
		"capture method":        {url.Values{"capture_method": {"later"}}, "<nil>", "capture_method"},
		"not a boolean":         {url.Values{"automatic_payment_methods[enabled]": {"yes"}}, "parameter_invalid_boolean", "automatic_payment_methods[enabled]"},
		"both kinds of methods": {url.Values{"payment_method_types[]": {"card"}}, "<nil>", "payment_method_types"},
		"return too early":      {url.Values{"return_url": {"https://shop.example"}}, "parameter_unknown", "return_url"},
		"no such expansion":     {url.Values{"expand[]": {"charges"}}, "<nil>", "expand"},
		"long metadata":         {url.Values{"metadata[a]": {strings.Repeat("x", 501)}}, "<nil>", "metadata"},
		"long statement":        {url.Values{"statement_descriptor": {strings.Repeat("x", 23)}}, "<nil>", "statement_descriptor"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := url.Values{"amount": {"2500"}, "currency": {"eur"}, "automatic_payment_methods[enabled]": {"true"}}
			maps.Copy(form, test.set)
			a := h.post(t, "/payment_intents", form)
			require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
			require.Equal(t, "invalid_request_error", a.text("error.type"))
			require.Equal(t, test.code, a.text("error.code"))
			require.Equal(t, test.param, a.text("error.param"))
			require.NotEmpty(t, a.text("error.message"))
		})
	}
}

func TestCaptureIsChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.authorized(t).text("id")
	for code, form := range map[string]url.Values{
		"amount_too_large":          {"amount_to_capture": {"2501"}},
		"parameter_invalid_integer": {"amount_to_capture": {"0"}},
		"parameter_unknown":         {"amount": {"5"}},
		"<nil>":                     {"final_capture": {"false"}},
	} {
		a := h.post(t, "/payment_intents/"+id+"/capture", form)
		require.Equal(t, http.StatusBadRequest, a.Status)
		require.Equal(t, code, a.text("error.code"), a.Text)
	}
	require.Equal(t, "requires_capture", h.show(t, id).text("status"))
	missing := h.post(t, "/payment_intents/pi_nothing/capture", url.Values{})
	require.Equal(t, http.StatusNotFound, missing.Status)
	require.Equal(t, "resource_missing", missing.text("error.code"))
}

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.create(t)
	path := "/stripe/v1/payment_intents/" + made.text("id")
	get := func(path string, header map[string]string) answer {
		a, err := h.try(t.Context(), http.MethodGet, path, "", header)
		require.NoError(t, err)
		return a
	}
	none := get(path, nil)
	require.Equal(t, http.StatusUnauthorized, none.Status)
	require.Equal(t, "invalid_request_error", none.text("error.type"))
	wrong := get(path, map[string]string{"Authorization": "Bearer sk_test_somebody_elses"})
	require.Equal(t, http.StatusUnauthorized, wrong.Status)
	require.NotContains(t, wrong.Text, "sk_test_somebody_elses")
	basic := get(path, map[string]string{"Authorization": "Basic c2tfdGVzdF93aXRuZXNzOg=="})
	require.Equal(t, http.StatusOK, basic.Status, basic.Text)

	secret := url.Values{"client_secret": {made.text("client_secret")}}
	public := h.browser(t, http.MethodGet, "/payment_intents/"+made.text("id"), secret)
	require.Equal(t, http.StatusOK, public.Status)
	require.Equal(t, "*", public.Header.Get("Access-Control-Allow-Origin"))
	require.NotContains(t, public.Text, "pay_1")
	require.Equal(t, "parameter_missing", h.browser(t, http.MethodGet, "/payment_intents/"+made.text("id"), url.Values{}).text("error.code"))
	other := h.create(t)
	require.Equal(t, http.StatusNotFound, h.browser(t, http.MethodGet, "/payment_intents/"+other.text("id"), secret).Status, "another payment's secret")
	for _, call := range []string{"/payment_intents/" + made.text("id") + "/cancel", "/payment_intents/" + made.text("id") + "/capture", "/payment_intents"} {
		require.Equal(t, http.StatusForbidden, h.browser(t, http.MethodPost, call, secret).Status, call)
	}
	require.Equal(t, "requires_payment_method", h.show(t, made.text("id")).text("status"))

	for _, path := range []string{"/account", "/balance", "/webhook_endpoints"} {
		require.Equal(t, http.StatusOK, h.get(t, path, nil).Status, path)
		require.Equal(t, http.StatusUnauthorized, get("/stripe/v1"+path, nil).Status, path)
	}
	require.Equal(t, http.StatusNotFound, h.get(t, "/coupons", nil).Status)
}

func TestRequestsOfAnotherForm(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	json := h.post(t, "/payment_intents", url.Values{"amount": {"2500"}, "currency": {"eur"}}, "Content-Type", "application/json")
	require.Equal(t, http.StatusBadRequest, json.Status)
	version := h.post(t, "/payment_intents", url.Values{"amount": {"2500"}, "currency": {"eur"}}, "Stripe-Version", "2020-08-27")
	require.Equal(t, http.StatusBadRequest, version.Status)
	long := h.post(t, "/payment_intents", url.Values{"description": {strings.Repeat("x", 2<<20)}})
	require.Equal(t, http.StatusBadRequest, long.Status)
}

func TestLists(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var ids []string // newest first
	for range 5 {
		ids = slices.Insert(ids, 0, h.create(t).text("id"))
		h.now.Add(10)
	}
	start := h.now.Load() - 50
	seconds := func(after int64) string { return fmt.Sprint(start + after) }
	list := func(query url.Values) (found []string, more string) {
		a := h.get(t, "/payment_intents", query)
		require.Equal(t, http.StatusOK, a.Status, a.Text)
		require.Equal(t, "list", a.text("object"))
		require.Equal(t, "/v1/payment_intents", a.text("url"))
		for _, object := range a.list(t) {
			found = append(found, object.text("id"))
		}
		return found, a.text("has_more")
	}
	tests := map[string]struct {
		query url.Values
		want  []string
		more  string
	}{
		"all":           {nil, ids, "false"},
		"first page":    {url.Values{"limit": {"2"}}, ids[:2], "true"},
		"next page":     {url.Values{"limit": {"2"}, "starting_after": {ids[1]}}, ids[2:4], "true"},
		"last page":     {url.Values{"limit": {"2"}, "starting_after": {ids[3]}}, ids[4:], "false"},
		"backwards":     {url.Values{"limit": {"2"}, "ending_before": {ids[4]}}, ids[2:4], "true"},
		"window":        {url.Values{"created[gte]": {seconds(10)}, "created[lt]": {seconds(30)}}, ids[2:4], "false"},
		"window, page":  {url.Values{"created[gte]": {seconds(10)}, "created[lt]": {seconds(40)}, "limit": {"2"}, "starting_after": {ids[1]}}, ids[2:4], "false"},
		"other bounds":  {url.Values{"created[gt]": {seconds(10)}, "created[lte]": {seconds(30)}}, ids[1:3], "false"},
		"nothing there": {url.Values{"created[gte]": {seconds(1000)}}, nil, "false"},
	}
	for name, test := range tests {
		found, more := list(test.query)
		require.Equal(t, test.want, found, name)
		require.Equal(t, test.more, more, name)
	}
	for param, query := range map[string]url.Values{
		"limit": {"limit": {"101"}}, "created[gte]": {"created[gte]": {"yesterday"}}, "starting_after": {"starting_after": {"pi_nothing"}},
		"invoice": {"invoice": {"cus_1"}}, "ending_before": {"starting_after": {ids[0]}, "ending_before": {ids[1]}},
	} {
		require.Equal(t, param, h.get(t, "/payment_intents", query).text("error.param"))
	}

	h.confirm(t, h.create(t), "4242424242424242")
	expanded := h.get(t, "/payment_intents", url.Values{"limit": {"1"}, "expand[0]": {"data.latest_charge"}}).list(t)
	require.Equal(t, "charge", expanded[0].text("latest_charge.object"))
}

func TestEventsAreListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.create(t)
	h.confirm(t, made, "4242424242424242")
	events := h.get(t, "/events", nil).list(t)
	require.Len(t, events, 3)
	require.Equal(t, "payment_intent.succeeded", events[0].text("type"))
	require.Equal(t, "2023-10-16", events[0].text("api_version"))
	require.Equal(t, made.text("id"), events[0].text("data.object.id"))
	require.Equal(t, "succeeded", events[0].text("data.object.status"))
	created := h.get(t, "/events", url.Values{"types[]": {"payment_intent.created"}}).list(t)
	require.Len(t, created, 1)
	require.Equal(t, "requires_payment_method", created[0].text("data.object.status"), "it shows what was, not what is")
	one := h.get(t, "/events/"+created[0].text("id"), nil)
	require.Equal(t, "event", one.text("object"))
	require.Equal(t, http.StatusNotFound, h.get(t, "/events/evt_nothing", nil).Status)
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	form := url.Values{"amount": {"2500"}, "currency": {"eur"}}
	first := h.post(t, "/payment_intents", form, "Idempotency-Key", "k")
	require.Empty(t, first.Header.Get("Idempotent-Replayed"))
	again := h.post(t, "/payment_intents", form, "Idempotency-Key", "k")
	require.Equal(t, first.Text, again.Text)
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	other := h.post(t, "/payment_intents", url.Values{"amount": {"2501"}, "currency": {"eur"}}, "Idempotency-Key", "k")
	require.Equal(t, http.StatusBadRequest, other.Status)
	require.Equal(t, "idempotency_error", other.text("error.type"))
	require.Equal(t, "idempotency_error", h.post(t, "/payment_intents/"+first.text("id")+"/cancel", url.Values{}, "Idempotency-Key", "k").text("error.type"), "another call")
	require.Equal(t, "idempotency_error", h.post(t, "/payment_intents", form, "Idempotency-Key", strings.Repeat("k", 256)).text("error.type"))
	require.Len(t, h.get(t, "/payment_intents", nil).list(t), 1)

	// What was refused before it began leaves its key free.
	require.Equal(t, http.StatusBadRequest, h.post(t, "/payment_intents", url.Values{"amount": {"2500"}}, "Idempotency-Key", "free").Status)
	require.Equal(t, http.StatusOK, h.post(t, "/payment_intents", form, "Idempotency-Key", "free").Status)

	// What was refused for the state is refused again, though the state allows it now.
	id := h.create(t, "capture_method", "manual").text("id")
	capture := func() answer {
		return h.post(t, "/payment_intents/"+id+"/capture", url.Values{}, "Idempotency-Key", "early")
	}
	require.Equal(t, "payment_intent_unexpected_state", capture().text("error.code"))
	h.confirm(t, h.show(t, id), "4242424242424242")
	require.Equal(t, "payment_intent_unexpected_state", capture().text("error.code"))
	require.Equal(t, "succeeded", h.post(t, "/payment_intents/"+id+"/capture", url.Values{}, "Idempotency-Key", "later").text("status"))

	// A day later the key means nothing.
	h.sim.Advance(25 * 60 * 60 * 1e9)
	require.NotEqual(t, first.text("id"), h.post(t, "/payment_intents", form, "Idempotency-Key", "k").text("id"))
}

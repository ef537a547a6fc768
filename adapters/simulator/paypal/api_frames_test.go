package paypal_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/paypal"
)

// ask calls what the frames of the browser's script call.
func (s *store) ask(t *testing.T, method, path string, form url.Values, more ...string) reply {
	t.Helper()
	if !form.Has("key") {
		form.Set("key", clientID)
	}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	if method == http.MethodGet {
		return s.do(t, method, "/sdk/api/orders/"+path+"?"+form.Encode(), "")
	}
	return s.do(t, method, "/sdk/api/orders/"+path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

func TestFramesPayOrders(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.create(t, "CAPTURE", "")
	terms := []string{"currency", "EUR", "intent", "capture"}
	shown := s.ask(t, http.MethodGet, order, url.Values{}, terms...)
	require.Equal(t, http.StatusOK, shown.Status)
	require.Equal(t, "25.00", shown.text("amount.value"))
	require.Equal(t, order, shown.text("id"))
	for _, wrong := range []struct {
		path, code string
		status     int
		form       url.Values
		more       []string
	}{
		{order, "INVALID_CLIENT", 401, url.Values{"key": {"other"}}, terms},
		{"none", "INVALID_RESOURCE_ID", 422, url.Values{}, terms},
		{order, "CURRENCY_MISMATCH", 422, url.Values{}, []string{"currency", "USD"}},
		{order, "INTENT_MISMATCH", 422, url.Values{}, []string{"intent", "authorize"}},
		{order + "/confirm", "INVALID_NUMBER", 422, card("4012"), terms},
		{order + "/confirm", "INVALID_EXPIRY", 422, card(success, "exp_year", "NaN"), terms},
		{order + "/confirm", "INVALID_CVV", 422, card(success, "cvc", ""), terms},
		{order + "/authenticate", "INVALID_PARAMETER_VALUE", 422, url.Values{"outcome": {"maybe"}}, terms},
		{order + "/authenticate", "NO_QUESTION", 422, url.Values{"outcome": {"complete"}}, terms},
	} {
		method := http.MethodPost
		if wrong.path == order || wrong.path == "none" {
			method = http.MethodGet
		}
		a := s.ask(t, method, wrong.path, wrong.form, wrong.more...)
		require.Equal(t, wrong.status, a.Status, a.Text)
		require.Equal(t, wrong.code, a.text("error.code"), a.Text)
		require.NotEmpty(t, a.text("error.message"))
	}
	require.Equal(t, "CREATED", s.get(t, "/v2/checkout/orders/"+order).text("status"))

	asked := s.ask(t, http.MethodPost, order+"/confirm", card(paypal.NamedCards["3ds"], "funding", "card"), terms...)
	require.Equal(t, "true", asked.text("asks"))
	answered := s.ask(t, http.MethodPost, order+"/authenticate", url.Values{"outcome": {"complete"}}, terms...)
	require.Equal(t, "APPROVED", answered.text("status"))
	require.Equal(t, "POSSIBLE", answered.text("liability"))
	require.Nil(t, answered.at("payer"))

	again := s.ask(t, http.MethodPost, order+"/confirm", card(success), terms...)
	require.Equal(t, "PAYERSZ234567", again.text("payer"), "a buyer may change his mind")
	require.NoError(t, s.faults.Add(engine.Fault{Match: "/sdk/api/", Fault: engine.FaultError500}))
	require.Equal(t, http.StatusInternalServerError, s.ask(t, http.MethodGet, order, url.Values{}).Status)
	s.post(t, "/v2/checkout/orders/"+order+"/capture", "")
	require.Equal(t, http.StatusUnprocessableEntity, s.ask(t, http.MethodPost, order+"/confirm", card(success)).Status)
}

func TestACardConfirmsAnOrder(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	source := func(number, expiry, code, more string) string {
		return `{"payment_source":{"card":{"number":"` + number + `","expiry":"` + expiry + `","security_code":"` + code + `"` + more + `}}}`
	}
	order := s.create(t, "CAPTURE", "")
	at := "/v2/checkout/orders/" + order
	confirm := func(body string) reply { return s.post(t, at+"/confirm-payment-source", body) }
	for _, wrong := range []struct{ body, issue, field string }{
		{source("4012888888881882", "2040-12", "123", ""), "VALIDATION_ERROR", "/payment_source/card/number"},
		{source(success, "2020-12", "123", ""), "VALIDATION_ERROR", "/payment_source/card/expiry"},
		{source(success, "2040-12", "abc", ""), "VALIDATION_ERROR", "/payment_source/card/security_code"},
	} {
		a := confirm(wrong.body)
		unprocessable(t, a, wrong.issue)
		require.Equal(t, wrong.field, a.text("details.0.field"))
		require.NotContains(t, a.Text, "40128888")
	}
	refused(t, confirm(source(success, "12/2040", "123", "")), 400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX")
	refused(t, confirm("{}"), 400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")
	refused(t, s.post(t, "/v2/checkout/orders/X/confirm-payment-source", source(success, "2040-12", "123", "")), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")

	require.Equal(t, "PAYER_ACTION_REQUIRED", confirm(source("4868719460707704", "2040-12", "123", "")).text("status"))
	a := confirm(source(success, "2040-12", "123", `,"name":"CCREJECT-IF"`))
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	require.Equal(t, "APPROVED", a.text("status"))
	require.Equal(t, "5120", s.post(t, at+"/capture", "").text(captures+".processor_response.response_code"))
	unprocessable(t, confirm(source(success, "2040-12", "123", "")), "ORDER_ALREADY_CAPTURED")
}

func TestTheScriptIsForTheAccountAlone(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	good := s.do(t, http.MethodGet, "/sdk/js?client-id="+clientID+"&currency=EUR&intent=authorize&components=buttons,card-fields", "")
	require.Equal(t, http.StatusOK, good.Status)
	require.Contains(t, good.Text, "CardFields")
	require.Equal(t, http.StatusBadRequest, s.do(t, http.MethodGet, "/sdk/js?client-id=other", "").Status)
	require.Equal(t, http.StatusOK, s.do(t, http.MethodGet, "/sdk/button?key="+clientID, "").Status)
	require.Equal(t, http.StatusUnauthorized, s.do(t, http.MethodGet, "/sdk/button?key=other", "").Status)
}

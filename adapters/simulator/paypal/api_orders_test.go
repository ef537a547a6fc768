package paypal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestToken(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	token := func(id, secret, body string) reply {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, nil)
		require.NoError(t, err)
		r.SetBasicAuth(id, secret)
		return s.do(t, http.MethodPost, "/v1/oauth2/token", body, "Authorization", r.Header.Get("Authorization"), "Content-Type", "application/x-www-form-urlencoded")
	}
	for _, test := range []struct {
		id, secret, body string
		status           int
		code             string
	}{
		{clientID, "other", "grant_type=client_credentials", 401, "invalid_client"},
		{"other", clientSecret, "grant_type=client_credentials", 401, "invalid_client"},
		{clientID, clientSecret, "", 400, "unsupported_grant_type"},
		{clientID, clientSecret, "grant_type=password", 400, "unsupported_grant_type"},
	} {
		a := token(test.id, test.secret, test.body)
		require.Equal(t, test.status, a.Status, a.Text)
		require.Equal(t, test.code, a.text("error"))
		require.NotEmpty(t, a.text("error_description"))
		require.NotEmpty(t, a.Header.Get("Paypal-Debug-Id"))
	}

	a := s.do(t, http.MethodGet, "/v2/checkout/orders/X", "")
	require.Equal(t, http.StatusUnauthorized, a.Status)
	require.Equal(t, "AUTHENTICATION_FAILURE", a.text("name"))
	a = s.do(t, http.MethodGet, "/v2/checkout/orders/X", "", "Authorization", "Bearer nothing")
	require.Equal(t, http.StatusUnauthorized, a.Status)
	require.Equal(t, "invalid_token", a.text("error"))

	order := s.create(t, "CAPTURE", "")
	s.paypal.Reset()
	refused(t, s.get(t, "/v2/checkout/orders/"+order), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
	s.clock.Advance(9*time.Hour - time.Second)
	require.Equal(t, http.StatusNotFound, s.get(t, "/v2/checkout/orders/X").Status, "a token outlives a reset")
	s.clock.Advance(time.Second)
	a = s.get(t, "/v2/checkout/orders/X")
	require.Equal(t, http.StatusUnauthorized, a.Status)
	require.Equal(t, "invalid_token", a.text("error"))
	s.token = s.newToken(t)
	require.Equal(t, http.StatusNotFound, s.get(t, "/v2/checkout/orders/X").Status)
}

const oneDollar = `"amount":{"currency_code":"USD","value":"1"}`

// unit is an order of one unit of ten dollars, with more said of it.
func unit(more string) string {
	return `{"intent":"CAPTURE","purchase_units":[{"amount":{"currency_code":"USD","value":"10.00"}` + more + `}]}`
}

func amount(currency, value string) string {
	return `{"intent":"CAPTURE","purchase_units":[{"amount":{"currency_code":"` + currency + `","value":"` + value + `"}}]}`
}

// units is an order of two units.
func units(first, second string) string {
	return `{"intent":"CAPTURE","purchase_units":[{` + first + `},{` + second + `}]}`
}

// summed is an order of two shirts of five dollars each.
func summed(value, breakdown string) string {
	if breakdown != "" {
		breakdown = `,"breakdown":{` + breakdown + `}`
	}
	return `{"intent":"CAPTURE","purchase_units":[{"amount":{"currency_code":"USD","value":"` + value + `"` + breakdown + `},` +
		`"items":[{"name":"Shirt","quantity":"2","unit_amount":{"currency_code":"USD","value":"5.00"}}]}]}`
}

func part(name, value string) string {
	return `"` + name + `":{"currency_code":"USD","value":"` + value + `"}`
}

func long(n int) string { return strings.Repeat("x", n) }

func TestOrdersAreChecked(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	tests := map[string]struct {
		body   string
		status int
		issue  string
		field  string // empty for any
	}{
		"not JSON":             {`{"intent":`, 400, "MALFORMED_REQUEST_JSON", "/"},
		"two objects":          {amount("USD", "1") + "{}", 400, "MALFORMED_REQUEST_JSON", "/"},
		"a list":               {`[]`, 400, "MALFORMED_REQUEST_JSON", ""},
		"nothing":              {``, 400, "MISSING_REQUIRED_PARAMETER", "/intent"},
		"other intent":         {`{"intent":"SALE","purchase_units":[{"amount":{"currency_code":"USD","value":"1"}}]}`, 400, "INVALID_PARAMETER_VALUE", "/intent"},
		"intent of a number":   {`{"intent":1,"purchase_units":[{"amount":{"currency_code":"USD","value":"1"}}]}`, 400, "MALFORMED_REQUEST_JSON", "/intent"},
		"no unit":              {`{"intent":"CAPTURE","purchase_units":[]}`, 400, "INVALID_ARRAY_MIN_ITEMS", "/purchase_units"},
		"too many units":       {`{"intent":"CAPTURE","purchase_units":[{}` + strings.Repeat(",{}", 10) + `]}`, 400, "INVALID_ARRAY_MAX_ITEMS", "/purchase_units"},
		"no amount":            {`{"intent":"CAPTURE","purchase_units":[{}]}`, 400, "MISSING_REQUIRED_PARAMETER", "/purchase_units/0/amount"},
		"null amount":          {`{"intent":"CAPTURE","purchase_units":[{"amount":null}]}`, 400, "MISSING_REQUIRED_PARAMETER", "/purchase_units/0/amount"},
		"value of a number":    {`{"intent":"CAPTURE","purchase_units":[{"amount":{"currency_code":"USD","value":10}}]}`, 400, "MALFORMED_REQUEST_JSON", "/purchase_units/0/amount/value"},
		"unknown field":        {unit(`,"metadata":{}`), 400, "INVALID_PARAMETER", "/purchase_units/0/metadata"},
		"a card's number":      {unit(`}],"payment_source":{"card":{"number":"4012888888881881"}},"x":[{`), 400, "INVALID_PARAMETER", "/payment_source/card/number"},
		"long custom_id":       {unit(`,"custom_id":"` + long(128) + `"`), 400, "INVALID_STRING_LENGTH", "/purchase_units/0/custom_id"},
		"long description":     {unit(`,"description":"` + long(128) + `"`), 400, "INVALID_STRING_LENGTH", "/purchase_units/0/description"},
		"long descriptor":      {unit(`,"soft_descriptor":"` + long(23) + `"`), 400, "INVALID_STRING_LENGTH", "/purchase_units/0/soft_descriptor"},
		"long value":           {amount("USD", long(33)), 400, "INVALID_STRING_LENGTH", "/purchase_units/0/amount/value"},
		"small letters":        {amount("usd", "10.00"), 422, "INVALID_CURRENCY_CODE", "/purchase_units/0/amount/currency_code"},
		"unknown currency":     {amount("KWD", "10.00"), 422, "INVALID_CURRENCY_CODE", "/purchase_units/0/amount/currency_code"},
		"no digits":            {amount("USD", "ten"), 400, "INVALID_PARAMETER_SYNTAX", "/purchase_units/0/amount/value"},
		"nothing after point":  {amount("USD", "10."), 400, "INVALID_PARAMETER_SYNTAX", "/purchase_units/0/amount/value"},
		"empty value":          {amount("USD", ""), 400, "INVALID_PARAMETER_SYNTAX", "/purchase_units/0/amount/value"},
		"three decimals":       {amount("USD", "10.001"), 422, "DECIMAL_PRECISION", "/purchase_units/0/amount/value"},
		"yen with decimals":    {amount("JPY", "10.00"), 422, "DECIMALS_NOT_SUPPORTED", "/purchase_units/0/amount/value"},
		"forint with decimals": {amount("HUF", "10.50"), 422, "DECIMALS_NOT_SUPPORTED", "/purchase_units/0/amount/value"},
		"taiwan with decimals": {amount("TWD", "10.0"), 422, "DECIMALS_NOT_SUPPORTED", "/purchase_units/0/amount/value"},
		"zero":                 {amount("USD", "0.00"), 422, "CANNOT_BE_ZERO_OR_NEGATIVE", "/purchase_units/0/amount/value"},
		"negative":             {amount("USD", "-1.00"), 422, "CANNOT_BE_ZERO_OR_NEGATIVE", "/purchase_units/0/amount/value"},
		"more than money":      {amount("USD", "9999999999999"), 400, "INVALID_PARAMETER_VALUE", "/purchase_units/0/amount/value"},
		"two units unnamed":    {units(oneDollar, oneDollar), 400, "MISSING_REQUIRED_PARAMETER", "/purchase_units/0/reference_id"},
		"two units alike":      {units(`"reference_id":"a",`+oneDollar, `"reference_id":"a",`+oneDollar), 422, "DUPLICATE_REFERENCE_ID", "/purchase_units/1/reference_id"},
		"two currencies":       {units(`"reference_id":"a",`+oneDollar, `"reference_id":"b","amount":{"currency_code":"EUR","value":"1"}`), 422, "MULTI_CURRENCY_ORDER", "/purchase_units/1/amount/currency_code"},
		"items without total":  {summed("10.00", ""), 422, "ITEM_TOTAL_REQUIRED", "/purchase_units/0/amount/breakdown/item_total"},
		"items of other total": {summed("11.00", part("item_total", "11.00")), 422, "ITEM_TOTAL_MISMATCH", "/purchase_units/0/amount/breakdown/item_total"},
		"parts of other sum":   {summed("10.00", part("item_total", "10.00")+","+part("shipping", "1.00")), 422, "AMOUNT_MISMATCH", "/purchase_units/0/amount/value"},
		"no address":           {ordered("CAPTURE", `{"paypal":{"experience_context":{"return_url":"back"}}}`), 400, "INVALID_PARAMETER_SYNTAX", "/payment_source/paypal/experience_context/return_url"},
		"unknown action":       {ordered("CAPTURE", `{"paypal":{"experience_context":{"user_action":"PAY"}}}`), 400, "INVALID_PARAMETER_VALUE", "/payment_source/paypal/experience_context/user_action"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.post(t, "/v2/checkout/orders", test.body)
			refused(t, a, test.status, map[int]string{400: "INVALID_REQUEST", 422: "UNPROCESSABLE_ENTITY"}[test.status], test.issue)
			if test.field != "" {
				require.Equal(t, test.field, a.text("details.0.field"), a.Text)
			}
			require.NotContains(t, a.Text, "4012888888881881")
		})
	}
}

func TestOrdersThatAreGood(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for name, body := range map[string]string{
		"whole":              amount("USD", "10"),
		"one decimal":        amount("EUR", "10.5"),
		"yen":                amount("JPY", "10"),
		"longest":            unit(`,"custom_id":"` + long(127) + `","description":"` + long(127) + `","reference_id":"` + long(256) + `"`),
		"characters":         unit(`,"custom_id":"` + strings.Repeat("ü", 127) + `"`),
		"nulls":              `{"intent":"CAPTURE","payer":null,"application_context":null,"payment_source":null,"purchase_units":[{"amount":{"currency_code":"USD","value":"1","breakdown":null}}]}`,
		"items":              summed("11.00", part("item_total", "10.00")+","+part("tax_total", "2.00")+","+part("discount", "1.00")),
		"two units":          units(`"reference_id":"a",`+oneDollar, `"reference_id":"b",`+oneDollar),
		"where to come back": ordered("CAPTURE", walletSource),
	} {
		a := s.post(t, "/v2/checkout/orders", body)
		require.Equal(t, http.StatusCreated, a.Status, "%s: %s", name, a.Text)
	}
}

func TestCallsAreChecked(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	body := ordered("CAPTURE", walletSource)
	refused(t, s.do(t, http.MethodPost, "/v2/checkout/orders", body, s.api()...), 400, "INVALID_REQUEST", "PAYPAL_REQUEST_ID_REQUIRED")
	require.Equal(t, http.StatusCreated, s.do(t, http.MethodPost, "/v2/checkout/orders", ordered("CAPTURE", ""), s.api()...).Status)
	refused(t, s.post(t, "/v2/checkout/orders", body, "PayPal-Request-Id", strings.Repeat("k", 109)), 400, "INVALID_REQUEST", "INVALID_STRING_LENGTH")
	require.Equal(t, http.StatusCreated, s.post(t, "/v2/checkout/orders", body, "PayPal-Request-Id", strings.Repeat("k", 108)).Status)
	a := s.post(t, "/v2/checkout/orders", body, "Content-Type", "text/plain")
	require.Equal(t, http.StatusUnsupportedMediaType, a.Status)
	require.Equal(t, "UNSUPPORTED_MEDIA_TYPE", a.text("name"))
	refused(t, s.get(t, "/v2/checkout/orders/X?expand=all"), 400, "INVALID_REQUEST", "INVALID_PARAMETER")
	for _, path := range []string{
		"/v2/checkout/orders/X", "/v2/payments/authorizations/X", "/v2/payments/captures/X", "/v2/payments/refunds/X", "/v1/customer/disputes/X",
		"/v1/notifications/webhooks-events/X",
	} {
		refused(t, s.get(t, path), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
	}
	for _, path := range []string{"/v2/checkout/orders/X/capture", "/v2/checkout/orders/X/authorize", "/v2/payments/authorizations/X/capture", "/v2/payments/authorizations/X/void", "/v2/payments/captures/X/refund"} {
		refused(t, s.post(t, path, ""), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
		refused(t, s.post(t, path, `{"unknown":1}`), 400, "INVALID_REQUEST", "INVALID_PARAMETER")
	}
	a = s.get(t, "/v2/payments/refund/X")
	require.Equal(t, http.StatusNotFound, a.Status, "the path is refunds")
	require.Equal(t, "RESOURCE_NOT_FOUND", a.text("name"))
}

func TestOrdersOfBothKinds(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	short := s.do(t, http.MethodPost, "/v2/checkout/orders", ordered("CAPTURE", ""), s.api()...)
	require.Equal(t, http.StatusCreated, short.Status)
	require.Equal(t, "CREATED", short.text("status"))
	require.Nil(t, short.at("purchase_units"))
	require.Nil(t, short.at("create_time"))
	require.Equal(t, []string{"self", "approve", "update", "capture"}, short.rels())
	require.Equal(t, s.url+"/paypal/v2/checkout/orders/"+short.text("id"), short.link("self"))
	require.Equal(t, s.url+"/paypal/checkoutnow?token="+short.text("id"), short.link("approve"))

	long := s.post(t, "/v2/checkout/orders", ordered("AUTHORIZE", walletSource))
	require.Equal(t, "PAYER_ACTION_REQUIRED", long.text("status"))
	require.Equal(t, []string{"self", "payer-action"}, long.rels())
	require.Equal(t, "25.00", long.text("purchase_units.0.amount.value"))
	require.Equal(t, "pay_1", long.text("purchase_units.0.custom_id"))
	require.Equal(t, "default", long.text("purchase_units.0.reference_id"))
	require.Equal(t, "2026-03-01T12:00:00Z", long.text("create_time"))
	require.Contains(t, long.Text, "Two & a half <shirts>", "PayPal hides no characters")

	for _, id := range []string{short.text("id"), long.text("id")} {
		shown := s.get(t, "/v2/checkout/orders/"+id)
		require.Equal(t, "pay_1", shown.text("purchase_units.0.custom_id"), "a look shows all")
	}
	objects, ok := s.paypal.Objects("order")
	require.True(t, ok)
	require.Len(t, objects, 2)
	s.clock.Advance(3*time.Hour - time.Second)
	require.Equal(t, http.StatusOK, s.get(t, "/v2/checkout/orders/"+short.text("id")).Status)
	s.clock.Advance(time.Second)
	for _, id := range []string{short.text("id"), long.text("id")} {
		refused(t, s.get(t, "/v2/checkout/orders/"+id), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
		require.Equal(t, http.StatusNotFound, s.visit(t, id, card(success)).Status)
	}
	objects, _ = s.paypal.Objects("order")
	require.Empty(t, objects)
}

func TestLinksNameWhereTheSimulatorIs(t *testing.T) {
	t.Parallel()
	s := newStore(t, withBase)
	a := s.post(t, "/v2/checkout/orders", ordered("CAPTURE", ""))
	require.Equal(t, "https://paypal.example/sim/paypal/checkoutnow?token="+a.text("id"), a.link("approve"))
}

func TestWhatAnOrderAllows(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.create(t, "CAPTURE", walletSource)
	at := "/v2/checkout/orders/" + order
	unprocessable(t, s.post(t, at+"/capture", ""), "ORDER_NOT_APPROVED")
	unprocessable(t, s.post(t, at+"/authorize", ""), "ACTION_DOES_NOT_MATCH_INTENT")
	s.agree(t, order, success, "paypal")
	shown := s.get(t, at)
	require.Equal(t, []string{"self", "update", "capture"}, shown.rels())
	require.Equal(t, "buyer@personal.example.com", shown.text("payer.email_address"))
	s.clock.Advance(4 * time.Hour)
	require.Equal(t, http.StatusOK, s.get(t, at).Status, "an approved order stays")

	paid := s.do(t, http.MethodPost, at+"/capture", "", s.api()...)
	require.Equal(t, http.StatusCreated, paid.Status, paid.Text)
	require.Equal(t, "COMPLETED", paid.text("status"))
	require.Nil(t, paid.at("purchase_units"), "nobody preferred to see it")
	unprocessable(t, s.post(t, at+"/capture", ""), "ORDER_ALREADY_CAPTURED")
	require.Equal(t, http.StatusNotFound, s.visit(t, order, card(success)).Status)

	shown = s.get(t, at)
	require.Equal(t, "COMPLETED", shown.text(captures+".status"))
	require.Equal(t, "pay_1", shown.text(captures+".custom_id"))
	require.Equal(t, "25.00", shown.text(captures+".amount.value"))
	require.Nil(t, shown.at(captures+".supplementary_data"))
	capture := s.get(t, "/v2/payments/captures/"+shown.text(captures+".id"))
	require.Equal(t, order, capture.text("supplementary_data.related_ids.order_id"))
	require.Equal(t, "1.02", capture.text("seller_receivable_breakdown.paypal_fee.value"))
	require.Equal(t, "23.98", capture.text("seller_receivable_breakdown.net_amount.value"))
	require.Equal(t, s.url+"/paypal"+at, capture.link("up"))

	held := s.create(t, "AUTHORIZE", "")
	unprocessable(t, s.post(t, "/v2/checkout/orders/"+held+"/capture", ""), "ACTION_DOES_NOT_MATCH_INTENT")
	s.agree(t, held, success, "paypal")
	require.Equal(t, http.StatusCreated, s.post(t, "/v2/checkout/orders/"+held+"/authorize", `{"payment_source":null}`).Status)
	unprocessable(t, s.post(t, "/v2/checkout/orders/"+held+"/authorize", ""), "ORDER_ALREADY_AUTHORIZED")

	require.ElementsMatch(t, []string{
		"CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "CHECKOUT.ORDER.COMPLETED",
		"CHECKOUT.ORDER.APPROVED", "PAYMENT.AUTHORIZATION.CREATED", "CHECKOUT.ORDER.COMPLETED",
	}, s.toldTypes(t))
}

func TestInvoicesArePaidOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	body := `{"intent":"CAPTURE","purchase_units":[{"invoice_id":"R-1","amount":{"currency_code":"USD","value":"10.00"}}]}`
	first, second := s.post(t, "/v2/checkout/orders", body).text("id"), s.post(t, "/v2/checkout/orders", body).text("id")
	for _, order := range []string{first, second} {
		s.agree(t, order, success, "paypal")
	}
	require.Equal(t, http.StatusCreated, s.post(t, "/v2/checkout/orders/"+first+"/capture", "").Status)
	unprocessable(t, s.post(t, "/v2/checkout/orders/"+second+"/capture", ""), "DUPLICATE_INVOICE_ID")
	unprocessable(t, s.post(t, "/v2/checkout/orders", body), "DUPLICATE_INVOICE_ID")
}

func TestUnitsArePaidEachByItself(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.post(t, "/v2/checkout/orders", `{"intent":"CAPTURE","purchase_units":[{"reference_id":"a","amount":{"currency_code":"JPY","value":"100"}},{"reference_id":"b","amount":{"currency_code":"JPY","value":"250"}}]}`).text("id")
	s.agree(t, order, success, "card")
	a := s.post(t, "/v2/checkout/orders/"+order+"/capture", "")
	require.Equal(t, "100", a.text("purchase_units.0.payments.captures.0.amount.value"))
	require.Equal(t, "250", a.text("purchase_units.1.payments.captures.0.amount.value"))
	require.Len(t, s.told(t, "PAYMENT.CAPTURE.COMPLETED"), 2)
}

package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// secretText stands in fields that are refused: neither answers nor the log repeat it.
const secretText = "hunter2"

// badBodies are bodies of POST /v1/checkouts that are refused, made of a good one by
// putting another text in place of one of its parts.
var badBodies = []struct {
	name, old, with string
	status          int
	code, location  string // of the first error; empty for none
}{
	{"negative amount", `1250`, `-1`, 422, "invalid_request", "body.line_items[0].amount"},
	{"zero amount", `1250`, `0`, 422, "invalid_request", "body.line_items[0].amount"},
	{"absent amount", `"amount":1250,`, ``, 422, "invalid_request", "body.line_items[0].amount"},
	{"null amount", `1250`, `null`, 422, "invalid_request", "body.line_items[0].amount"},
	{"fraction", `1250`, `12.50`, 422, "invalid_request", "body.line_items[0].amount"},
	{"whole fraction", `1250`, `1250.0`, 422, "invalid_request", "body.line_items[0].amount"},
	{"exponent", `1250`, `1e3`, 422, "invalid_request", "body.line_items[0].amount"},
	{"amount as text", `1250`, `"1250"`, 422, "invalid_request", "body.line_items[0].amount"},
	{"amount beyond 64 bits", `1250`, `9223372036854775808`, 422, "invalid_request", "body.line_items[0].amount"},
	{"amount beyond ours", `1250`, fmt.Sprint(core.MinorMax + 1), 422, "invalid_request", "body.line_items[0].amount"},
	{"sum overflows", `"amount":1250,"quantity":2`, `"amount":999999999999,"quantity":10000`, 422, "invalid_request", "body.line_items"},
	{"zero quantity", `"quantity":2`, `"quantity":0`, 422, "invalid_request", "body.line_items[0].quantity"},
	{"much quantity", `"quantity":2`, `"quantity":10001`, 422, "invalid_request", "body.line_items[0].quantity"},
	{"no rows", `{"name":"Tea","amount":1250,"quantity":2}`, ``, 422, "invalid_request", "body.line_items"},
	{"unknown price", `"name":"Tea","amount":1250`, `"price":"prc_1"`, 422, "invalid_request", "body.line_items[0].price"},
	{"unknown currency", `EUR`, `XXQ`, 422, "invalid_request", "body.currency"},
	{"currency in lower case", `EUR`, `eur`, 422, "invalid_request", "body.currency"},
	{"currency as number", `"EUR"`, `978`, 422, "invalid_request", "body.currency"},
	{"currency absent", `"currency":"EUR",`, ``, 422, "invalid_request", "body.currency"},
	{"unknown field", `"currency"`, `"amount_total":1,"currency"`, 422, "invalid_request", "body.amount_total"},
	{"unknown field deeper", `"quantity":2`, `"quantity":2,"tax":1`, 422, "invalid_request", "body.line_items[0].tax"},
	{"field in another case", `"reference"`, `"Reference"`, 422, "invalid_request", "body.reference"},
	{"field in two cases", `"currency"`, `"Reference":"order-2","currency"`, 422, "invalid_request", "body.Reference"},
	{"field twice", `"currency"`, `"reference":"order-2","currency"`, 400, "invalid_json", ""},
	{"field twice, escaped", `"currency"`, `"\u0072eference":"order-2","currency"`, 400, "invalid_json", ""},
	{"field twice, deeper", `"quantity":2`, `"quantity":2,"quantity":3`, 400, "invalid_json", ""},
	{"reference empty", `order-1`, ``, 422, "invalid_request", "body.reference"},
	{"reference too long", `order-1`, strings.Repeat("r", 201), 422, "invalid_request", "body.reference"},
	{"reference with NUL", `order-1`, `order\u0000`, 422, "invalid_request", "body.reference"},
	{"reference not UTF-8", `order-1`, "order\xff", 400, "invalid_json", ""},
	{"unknown mode", `"currency"`, `"mode":"` + secretText + `","currency"`, 422, "invalid_request", "body.mode"},
	{"rows where nothing is paid", `"currency"`, `"mode":"setup","currency"`, 422, "invalid_request", "body.line_items"},
	{"no price to subscribe to", `"currency"`, `"mode":"subscription","currency"`, 422, "invalid_request", "body.line_items[0].price"},
	{"unknown capture", `"currency"`, `"capture":"later","currency"`, 422, "invalid_request", "body.capture"},
	{"unknown provider", `"currency"`, `"providers":["` + secretText + `"],"currency"`, 422, "invalid_request", "body.providers[0]"},
	{"providers as null", `"currency"`, `"providers":[null],"currency"`, 422, "invalid_request", "body.providers[0]"},
	{"expires too soon", `"currency"`, `"expires_in":1,"currency"`, 422, "invalid_request", "body.expires_in"},
	{"bad email", `"currency"`, `"customer":{"email":"` + secretText + `"},"currency"`, 422, "invalid_request", "body.customer.email"},
	{"unknown customer", `"currency"`, `"customer":{"id":"cus_01h455vb4pex5vsknk084sn02q"},"currency"`, 422, "invalid_request", "body.customer.id"},
	{"script as URL", `https://shop.example/thanks`, `javascript:alert(1)`, 422, "invalid_request", "body.success_url"},
	{"URL with password", `https://shop`, `https://u:` + secretText + `@shop`, 422, "invalid_request", "body.success_url"},
	{"metadata is a list", `"currency"`, `"metadata":[],"currency"`, 422, "invalid_request", "body.metadata"},
	{"metadata holds a number", `"currency"`, `"metadata":{"a":1},"currency"`, 422, "invalid_request", "body.metadata.a"},
	{"metadata nests", `"currency"`, `"metadata":{"a":{"b":"c"}},"currency"`, 422, "invalid_request", "body.metadata.a"},
	{"metadata key too long", `"currency"`, `"metadata":{"` + strings.Repeat("k", 41) + `":""},"currency"`, 422, "invalid_request", "body.metadata"},
	{"broken", `"currency"`, `"currency`, 400, "invalid_json", ""},
	{"cut off", `"success_url":"https://shop.example/thanks"}`, ``, 400, "invalid_json", ""},
	{"more after the end", `thanks"}`, `thanks"} {}`, 400, "invalid_json", ""},
	{"comment", `{"reference"`, `{/**/"reference"`, 400, "invalid_json", ""},
	{"not a number", `1250`, `NaN`, 400, "invalid_json", ""},
	{"deep", `"order-1"`, strings.Repeat("[", 40) + strings.Repeat("]", 40), 400, "invalid_json", ""},
	{"a list", order, `[]`, 422, "invalid_request", "body"},
	{"null", order, `null`, 422, "invalid_request", "body"},
	{"a text", order, `"` + secretText + `"`, 422, "invalid_request", "body"},
	{"nothing", order, ``, 400, "invalid_request", "body"},
	{"spaces", order, `  `, 400, "invalid_json", ""},
	{"too long", order, `{"reference":"` + strings.Repeat("r", 64<<10) + `"}`, 413, "body_too_large", ""},
}

func TestBadBodiesAreRefusedAndLeaveNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, bad := range badBodies {
		body := strings.Replace(order, bad.old, bad.with, 1)
		require.NotEqual(t, order, body, bad.name)
		answer := h.post(t, "/v1/checkouts", "one-key-for-all", body)
		require.NotContains(t, answer.Body.String(), "json:", bad.name)
		require.NotContains(t, answer.Body.String(), secretText, bad.name)
		p := refused(t, answer, bad.status, bad.code)
		require.Equal(t, bad.location == "", len(p.Errors) == 0, "%s: %+v", bad.name, p)
		if bad.location != "" {
			require.Equal(t, bad.location, p.Errors[0].Location, bad.name)
			require.NotEmpty(t, p.Errors[0].Message, bad.name)
		}
	}
	// The key was not used up, and the refused calls left nothing to answer with.
	mended := h.post(t, "/v1/checkouts", "one-key-for-all", order)
	require.Equal(t, http.StatusCreated, mended.Code)
	require.Empty(t, mended.Header().Get("Idempotent-Replayed"))
	require.Empty(t, h.log.lines(secretText))
	require.Empty(t, h.log.lines("order-1"))
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
	require.Empty(t, h.Events(""))
}

func TestAllWrongFieldsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	p := refused(t, newHouse(t).post(t, "/v1/checkouts", "k", `{"currency":5,"line_items":[{"quantity":"x"}],"bogus":true}`), 422, "invalid_request")
	var locations []string
	for _, e := range p.Errors {
		locations = append(locations, e.Location)
	}
	require.ElementsMatch(t, []string{"body.currency", "body.line_items[0].quantity", "body.bogus", "body.reference", "body.success_url"}, locations)
}

func TestBadAddressesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const good = "01h455vb4pex5vsknk084sn02q"
	for _, bad := range []struct {
		method, path string
		status       int
		code, at     string
	}{
		{"GET", "/v1/checkouts/pay_" + good, 400, "invalid_id", "path.id"},
		{"GET", "/v1/checkouts/chk_short", 400, "invalid_id", "path.id"},
		{"GET", "/v1/checkouts/chk_8" + good[1:], 400, "invalid_id", "path.id"},
		{"GET", "/v1/checkouts/chk_" + strings.ToUpper(good), 400, "invalid_id", "path.id"},
		{"POST", "/v1/checkouts/pay_" + good + "/expire", 400, "invalid_id", "path.id"},
		{"GET", "/v1/payments/chk_" + good, 400, "invalid_id", "path.id"},
		{"POST", "/v1/payments/chk_" + good + "/capture", 400, "invalid_id", "path.id"},
		{"POST", "/v1/payments/%00/cancel", 400, "invalid_id", "path.id"},
		{"DELETE", "/v1/webhook_endpoints/pay_" + good, 400, "invalid_id", "path.id"},
		{"GET", "/v1/checkouts/chk_" + good, 404, "not_found", ""},
		{"POST", "/v1/checkouts/chk_" + good + "/expire", 404, "not_found", ""},
		{"GET", "/v1/payments/pay_" + good, 404, "not_found", ""},
		{"POST", "/v1/payments/pay_" + good + "/capture", 404, "not_found", ""},
		{"POST", "/v1/payments/pay_" + good + "/cancel", 404, "not_found", ""},
		{"DELETE", "/v1/webhook_endpoints/whk_" + good, 404, "not_found", ""},
		{"GET", "/v1/events?after=msg_" + good, 404, "not_found", ""},
		{"GET", "/v1", 404, "not_found", ""},
		{"GET", "/v1/payments/", 404, "not_found", ""},
		{"GET", "/v1//payments", 404, "not_found", ""},
		{"GET", "/v1/./payments", 404, "not_found", ""},
		{"GET", "/v1/x/../payments", 404, "not_found", ""},
		{"GET", "/v1/refunds/ref_" + good, 404, "not_found", ""},
		{"GET", "/nothing", 404, "not_found", ""},
		{"GET", "//docs", 404, "not_found", ""},
		{"PUT", "/v1/payments", 405, "method_not_allowed", ""},
		{"OPTIONS", "/v1/payments", 405, "method_not_allowed", ""},
		{"DELETE", "/v1/payments/pay_" + good, 405, "method_not_allowed", ""},
		{"HEAD", "/v1/payments/pay_" + good + "/capture", 405, "method_not_allowed", ""},
		{"POST", "/docs", 405, "method_not_allowed", ""},
		{"POST", "/openapi.json", 405, "method_not_allowed", ""},
		{"GET", "/v1/payments?limit=0", 422, "invalid_request", "query.limit"},
		{"GET", "/v1/payments?limit=101", 422, "invalid_request", "query.limit"},
		{"GET", "/v1/payments?limit=many", 422, "invalid_request", "query.limit"},
		{"GET", "/v1/payments?limit=1&limit=2", 422, "invalid_request", "query.limit"},
		{"GET", "/v1/payments?state=failed", 422, "invalid_request", "query.state"},
		{"GET", "/v1/payments?status=paid", 422, "invalid_request", "query.status"},
		{"GET", "/v1/payments?status=failed&status=succeeded", 422, "invalid_request", "query.status"},
		{"GET", "/v1/payments?created_after=yesterday", 422, "invalid_request", "query.created_after"},
		{"GET", "/v1/payments?customer=pay_" + good, 422, "invalid_request", "query.customer"},
		{"GET", "/v1/payments?cursor=here", 422, "invalid_request", "query.cursor"},
		{"GET", "/v1/payments?reference=" + strings.Repeat("r", 201), 422, "invalid_request", "query.reference"},
		{"GET", "/v1/payments?reference=%zz", 422, "invalid_request", "query"},
		{"GET", "/v1/payments?reference=a;b", 422, "invalid_request", "query"},
		{"GET", "/v1/payments?reference=%00", 422, "invalid_request", ""},
		{"GET", "/v1/payments?reference=%ff", 422, "invalid_request", ""},
		{"GET", "/v1/events?types=payment.lost", 422, "invalid_request", "query.types"},
		{"GET", "/v1/events?after=soon", 422, "invalid_request", "query.after"},
		{"GET", "/v1/events?after=-1", 422, "invalid_request", "query.after"},
		{"GET", "/v1/events?cursor=9223372036854775808", 422, "invalid_request", "query.cursor"},
	} {
		answer := h.do(t.Context(), request{method: bad.method, path: bad.path, key: "k"})
		p := refused(t, answer, bad.status, bad.code)
		if bad.at != "" {
			require.Len(t, p.Errors, 1, bad.path)
			require.Equal(t, bad.at, p.Errors[0].Location, bad.path)
		}
		if bad.status == http.StatusMethodNotAllowed {
			require.NotEmpty(t, answer.Header().Get("Allow"), bad.path)
		}
	}
	require.Empty(t, h.log.lines(good))
	require.Empty(t, h.log.lines(`"level":"ERROR"`))
}

func TestWhoHasNoGoodKeyLearnsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	revoked, lost, err := h.keys.CreateAPIKey(t.Context(), "old", "test")
	require.NoError(t, err)
	require.NoError(t, h.keys.RevokeAPIKey(t.Context(), revoked.ID, "test"))
	for name, values := range map[string][]string{
		"missing": {}, "empty": {""}, "no key": {"Bearer"}, "no scheme": {secret}, "basic": {"Basic " + secret},
		"unknown": {"Bearer pd_test_another-key"}, "of live": {"Bearer pd_live_0123456789abcdef01234567"},
		"foreign": {"Bearer sk_test_x"}, "longer": {"Bearer " + secret + "x"}, "revoked": {"Bearer " + lost},
		"another case": {"Bearer " + strings.ToUpper(secret)},
	} {
		for _, r := range []request{
			{method: "GET", path: "/v1/payments"},
			{method: "POST", path: "/v1/checkouts", body: "{", key: "k"},
			{method: "GET", path: "/v1/nothing"},
			{method: "PUT", path: "/v1/payments"},
		} {
			r.header = http.Header{"Authorization": values}
			answer := h.do(t.Context(), r)
			refused(t, answer, http.StatusUnauthorized, "unauthorized")
			require.Contains(t, answer.Header().Get("WWW-Authenticate"), "Bearer", name)
		}
	}
	for _, good := range []string{"Bearer " + secret, "bearer " + secret, "Bearer  " + secret} {
		answer := h.do(t.Context(), request{method: "GET", path: "/v1/payments", header: http.Header{"Authorization": {good}}})
		require.Equal(t, http.StatusOK, answer.Code)
	}
	require.Empty(t, h.log.lines(secret))
	require.Empty(t, h.log.lines(lost))
}

func TestHeadersAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/merge-patch+json", "multipart/form-data", ";"} {
		answer := h.do(t.Context(), request{method: "POST", path: "/v1/checkouts", key: "k", body: order, header: http.Header{"Content-Type": {kind}}})
		refused(t, answer, http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	for _, keys := range [][]string{{}, {""}, {"a b"}, {"tab\t"}, {"é"}, {strings.Repeat("k", 256)}, {"a", "b"}} {
		for _, path := range []string{"/v1/checkouts", "/v1/payments", "/v1/payments/pay_01h455vb4pex5vsknk084sn02q/capture", "/v1/webhook_endpoints"} {
			answer := h.do(t.Context(), request{method: "POST", path: path, body: order, header: http.Header{"Idempotency-Key": keys}})
			refused(t, answer, http.StatusBadRequest, "idempotency_key_required")
		}
	}
	for _, key := range []string{"k", strings.Repeat("k", 255), `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~`} {
		answer := h.do(t.Context(), request{
			method: "POST", path: "/v1/checkouts", body: order, key: key,
			header: http.Header{"Content-Type": {"Application/JSON; charset=utf-8"}, "Accept": {"text/html"}},
		})
		require.Equal(t, http.StatusCreated, answer.Code, answer.Body)
	}
}

// cardTexts are ways to write a card number.
var cardTexts = []string{
	"4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "4242 - 4242 4242--4242", "378282246310005",
	"card 5555 5555 5555 4444 12/34",
}

func TestCardNumbersGoNowhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const id = "01h455vb4pex5vsknk084sn02q"
	body := func(part string) string { return strings.Replace(order, `"reference":"order-1"`, part, 1) }
	var requests []request
	for i, card := range cardTexts {
		escaped := fmt.Sprintf(`\u%04x%s`, card[0], card[1:])
		inPath := strings.ReplaceAll(card, " ", "%20")
		inQuery := strings.ReplaceAll(card, " ", "+")
		for _, part := range []string{
			`"reference":"` + card + `"`, `"reference":"` + escaped + `"`, `"reference":"o","metadata":{"a":"` + card + `"}`,
			`"reference":"o","metadata":{"` + card + `":"a"}`, `"reference":"o","metadata":{"a":{"b":[["` + card + `"]]}}`,
			`"reference":"o","customer":{"name":"` + card + `"}`, `"reference":"o","cancel_url":"https://shop.example/` + card + `"`,
			`"reference":"o","` + card + `":1`, `"reference":"o","unknown":{"deep":["` + card + `"]}`, `"reference":"` + card + `" broken`,
			`"reference":"o","reference":"` + card + `"`,
		} {
			requests = append(requests, request{method: "POST", path: "/v1/checkouts", body: body(part), key: fmt.Sprint("k", i)})
		}
		requests = append(requests,
			request{method: "POST", path: "/v1/checkouts", body: order, key: card},
			request{method: "GET", path: "/v1/checkouts/" + inPath}, request{method: "GET", path: "/v1/payments/" + inPath},
			request{method: "DELETE", path: "/v1/webhook_endpoints/" + inPath}, request{method: "PUT", path: "/v1/" + inPath},
			request{method: "POST", path: "/v1/payments/" + inPath + "/capture", key: "k"},
			request{method: "GET", path: "/v1/payments?reference=" + inQuery}, request{method: "GET", path: "/v1/payments?reference=" + inPath},
			request{method: "GET", path: "/v1/payments?" + inPath + "=1"}, request{method: "GET", path: "/v1/events?after=" + inQuery},
			request{method: "POST", path: "/v1/payments/pay_" + id + "/capture", key: "k", body: `{"amount":"` + card + `"}`},
			request{method: "POST", path: "/v1/payments", key: "k", body: `{"reference":"` + card + `"}`},
			request{method: "POST", path: "/v1/webhook_endpoints", key: "k", body: `{"url":"https://shop.example/` + card + `"}`},
		)
	}
	requests = append(requests,
		request{method: "POST", path: "/v1/checkouts", body: strings.Replace(order, "1250", "4242424242424242", 1), key: "k"},
		request{method: "POST", path: "/v1/payments/pay_" + id + "/capture", key: "k", body: `{"amount":4242424242424242}`},
	)
	for _, r := range requests {
		answer := h.do(t.Context(), r)
		text := answer.Body.String()
		refused(t, answer, http.StatusUnprocessableEntity, "card_number_refused")
		for _, number := range []string{"4242", "5555", "3782"} {
			require.NotContains(t, text, number)
		}
	}
	for _, r := range []request{ // no key, or no call at all: refused before anybody looks
		{method: "GET", path: "/v1/checkouts/4242424242424242", header: http.Header{"Authorization": {}}},
		{method: "GET", path: "/4242424242424242"},
		{method: "GET", path: "/v1//4242424242424242"},
	} {
		require.GreaterOrEqual(t, h.do(t.Context(), r).Code, http.StatusBadRequest)
	}
	for _, number := range []string{"4242", "5555", "3782"} {
		require.Empty(t, h.log.lines(number))
	}
	page, err := h.Store.Payments(t.Context(), ports.PaymentFilter{}, core.PageRequest{Limit: 1})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	require.Zero(t, h.Provider.Effects(t))
	require.Equal(t, http.StatusCreated, h.post(t, "/v1/checkouts", "k", order).Code, "no key is used up")
}

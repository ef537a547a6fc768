package square_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLifeOfAPayment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.pay(t, "1", object{"autocomplete": false})
	id := held.text("payment.id")
	require.Equal(t, "APPROVED", held.text("payment.status"))
	require.Equal(t, "2500", held.text("payment.approved_money.amount"))
	require.Equal(t, "AUTHORIZED", held.text("payment.card_details.status"))
	require.Equal(t, "VISA", held.text("payment.card_details.card.card_brand"))
	require.Equal(t, "1111", held.text("payment.card_details.card.last_4"))
	require.Equal(t, "P7D", held.text("payment.delay_duration"))
	require.Equal(t, "EDIT_AMOUNT_DOWN", held.text("payment.capabilities.0"))
	require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, held.text("payment.created_at"))
	require.NotContains(t, held.Text, "4111111111111111")

	lowered := h.call(t, http.MethodPut, "/v2/payments/"+id, object{"idempotency_key": "2", "payment": object{
		"amount_money": euros(1000), "version_token": held.text("payment.version_token"),
	}})
	require.Equal(t, http.StatusOK, lowered.Status, lowered.Text)
	require.Equal(t, "1000", lowered.text("payment.total_money.amount"))
	require.Equal(t, "2500", lowered.text("payment.approved_money.amount"), "what the buyer agreed to stays")
	require.NotEqual(t, held.text("payment.version_token"), lowered.text("payment.version_token"))

	taken := h.call(t, http.MethodPost, "/v2/payments/"+id+"/complete", object{})
	require.Equal(t, "COMPLETED", taken.text("payment.status"), taken.Text)
	require.Equal(t, "CAPTURED", taken.text("payment.card_details.status"))
	require.Equal(t, "<nil>", taken.text("payment.capabilities"))
	order := h.call(t, http.MethodGet, "/v2/orders/"+taken.text("payment.order_id"), nil)
	require.Equal(t, "COMPLETED", order.text("order.state"), order.Text)
	require.Equal(t, id, order.text("order.tenders.0.payment_id"))

	for _, verb := range []string{"complete", "cancel"} {
		again := h.call(t, http.MethodPost, "/v2/payments/"+id+"/"+verb, object{})
		require.Equal(t, http.StatusBadRequest, again.Status)
		require.Equal(t, "DELAYED_TRANSACTION_CAPTURED", again.code())
	}
	var types []string
	for _, one := range h.deliveries(t, "") {
		types = append(types, one.text("type"))
	}
	require.ElementsMatch(t, []string{"order.created", "payment.created", "payment.updated", "payment.updated", "order.updated"}, types)
}

func TestAutocompleteIsTheDefault(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	require.Equal(t, "COMPLETED", h.pay(t, "1", object{"autocomplete": nil, "location_id": nil}).text("payment.status"))
}

func TestVersionsOfAPayment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.pay(t, "1", object{"autocomplete": false})
	id, first := held.text("payment.id"), held.text("payment.version_token")
	change := func(key string, payment object) answer {
		return h.call(t, http.MethodPut, "/v2/payments/"+id, object{"idempotency_key": key, "payment": payment})
	}
	require.Equal(t, http.StatusOK, change("2", object{"amount_money": euros(2000)}).Status)
	for name, a := range map[string]answer{
		"update":   change("3", object{"amount_money": euros(1000), "version_token": first}),
		"complete": h.call(t, http.MethodPost, "/v2/payments/"+id+"/complete", object{"version_token": first}),
	} {
		require.Equal(t, "VERSION_MISMATCH", a.code(), name)
	}
	require.Equal(t, "BAD_REQUEST", change("4", object{"amount_money": euros(2001)}).code(), "amounts go down alone")
	require.Equal(t, "CURRENCY_MISMATCH", change("5", object{"amount_money": object{"amount": 10, "currency": "USD"}}).code())
	require.Equal(t, "NO_FIELDS_SET", change("6", object{}).code())
	require.Equal(t, "2000", h.show(t, id).text("payment.amount_money.amount"))

	yen := h.pay(t, "7", object{"autocomplete": false, "amount_money": object{"amount": 500, "currency": "JPY"}})
	require.Equal(t, "<nil>", yen.text("payment.capabilities"))
	a := h.call(t, http.MethodPut, "/v2/payments/"+yen.text("payment.id"), object{
		"idempotency_key": "8", "payment": object{"amount_money": object{"amount": 400, "currency": "JPY"}},
	})
	require.Equal(t, "BAD_REQUEST", a.code(), "sellers in Japan take all or nothing")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.pay(t, "1", object{"autocomplete": false})
	id := held.text("payment.id")
	a := h.call(t, http.MethodPost, "/v2/payments/"+id+"/cancel", nil)
	require.Equal(t, "CANCELED", a.text("payment.status"), a.Text)
	require.Equal(t, "VOIDED", a.text("payment.card_details.status"))
	require.Equal(t, "DELAYED_TRANSACTION_CANCELED", h.call(t, http.MethodPost, "/v2/payments/"+id+"/cancel", nil).code())
	require.Equal(t, "DELAYED_TRANSACTION_CANCELED", h.call(t, http.MethodPost, "/v2/payments/"+id+"/complete", nil).code())
	require.Equal(t, "UNKNOWN_BODY_PARAMETER", h.call(t, http.MethodPost, "/v2/payments/"+id+"/cancel", object{"reason": "x"}).code())
	missing := h.call(t, http.MethodPost, "/v2/payments/nothing/cancel", nil)
	require.Equal(t, http.StatusNotFound, missing.Status)
	require.Equal(t, "NOT_FOUND", missing.code())
}

func TestCancelByKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	cancel := func(key string) answer {
		return h.call(t, http.MethodPost, "/v2/payments/cancel", object{"idempotency_key": key})
	}
	nothing := cancel("never used")
	require.Equal(t, http.StatusOK, nothing.Status)
	require.JSONEq(t, `{}`, nothing.Text)

	held := h.pay(t, "1", object{"autocomplete": false})
	require.Equal(t, http.StatusOK, cancel("1").Status)
	require.Equal(t, "CANCELED", h.show(t, held.text("payment.id")).text("payment.status"))
	require.Equal(t, http.StatusOK, cancel("1").Status, "again, with no effect")

	taken := h.pay(t, "2", nil)
	require.Equal(t, "DELAYED_TRANSACTION_CAPTURED", cancel("2").code())
	require.Equal(t, "COMPLETED", h.show(t, taken.text("payment.id")).text("payment.status"))
	require.Equal(t, "MISSING_REQUIRED_PARAMETER", h.call(t, http.MethodPost, "/v2/payments/cancel", object{}).code())
}

func TestFieldsAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	tests := map[string]struct {
		set         object
		code, field string
	}{
		"unknown":              {object{"colour": "red"}, "UNKNOWN_BODY_PARAMETER", "colour"},
		"unknown inside":       {object{"amount_money": object{"amount": 1, "currency": "EUR", "value": "1"}}, "UNKNOWN_BODY_PARAMETER", "amount_money.value"},
		"not simulated":        {object{"tip_money": euros(1)}, "SANDBOX_NOT_SUPPORTED", "tip_money"},
		"no source":            {object{"source_id": nil}, "MISSING_REQUIRED_PARAMETER", "source_id"},
		"an empty source":      {object{"source_id": ""}, "VALUE_EMPTY", "source_id"},
		"no key":               {object{"idempotency_key": nil}, "MISSING_REQUIRED_PARAMETER", "idempotency_key"},
		"a long key":           {object{"idempotency_key": strings.Repeat("k", 46)}, "VALUE_TOO_LONG", "idempotency_key"},
		"no money":             {object{"amount_money": nil}, "MISSING_REQUIRED_PARAMETER", "amount_money"},
		"no amount":            {object{"amount_money": object{"currency": "EUR"}}, "MISSING_REQUIRED_PARAMETER", "amount_money.amount"},
		"amount is a fraction": {object{"amount_money": euros(10.5)}, "EXPECTED_INTEGER", "amount_money.amount"},
		"amount is a text":     {object{"amount_money": euros("10")}, "EXPECTED_INTEGER", "amount_money.amount"},
		"amount is too long":   {object{"amount_money": euros(1e30)}, "EXPECTED_INTEGER", "amount_money.amount"},
		"amount is nothing":    {object{"amount_money": euros(0)}, "VALUE_TOO_LOW", "amount_money.amount"},
		"amount is negative":   {object{"amount_money": euros(-5)}, "VALUE_TOO_LOW", "amount_money.amount"},
		"amount is too high":   {object{"amount_money": euros(10_000_000_000)}, "VALUE_TOO_HIGH", "amount_money.amount"},
		"money is a number":    {object{"amount_money": 5}, "EXPECTED_OBJECT", "amount_money"},
		"currency is small":    {object{"amount_money": object{"amount": 1, "currency": "eur"}}, "INVALID_ENUM_VALUE", "amount_money.currency"},
		"another currency":     {object{"amount_money": object{"amount": 1, "currency": "CHF"}}, "CURRENCY_MISMATCH", "amount_money.currency"},
		"another location":     {object{"location_id": "L2"}, "INVALID_LOCATION", "location_id"},
		"not a boolean":        {object{"autocomplete": "true"}, "EXPECTED_BOOLEAN", "autocomplete"},
		"not a text":           {object{"note": 5}, "EXPECTED_STRING", "note"},
		"a long reference":     {object{"reference_id": strings.Repeat("r", 41)}, "VALUE_TOO_LONG", "reference_id"},
		"a long note":          {object{"note": strings.Repeat("n", 501)}, "VALUE_TOO_LONG", "note"},
		"a long statement":     {object{"statement_description_identifier": strings.Repeat("s", 21)}, "VALUE_TOO_LONG", "statement_description_identifier"},
		"delay":                {object{"delay_duration": "a week"}, "INVALID_VALUE", "delay_duration"},
		"a short delay":        {object{"delay_duration": "PT59S"}, "INVALID_VALUE", "delay_duration"},
		"a long delay":         {object{"delay_duration": "P8D"}, "INVALID_VALUE", "delay_duration"},
		"delay action":         {object{"delay_action": "VOID"}, "INVALID_ENUM_VALUE", "delay_action"},
		"an address":           {object{"buyer_email_address": "nobody"}, "INVALID_EMAIL_ADDRESS", "buyer_email_address"},
		"who began":            {object{"customer_details": object{"customer_initiated": "yes"}}, "EXPECTED_BOOLEAN", "customer_details.customer_initiated"},
		"no such order":        {object{"order_id": "ORD1"}, "NOT_FOUND", "order_id"},
		"another source":       {object{"source_id": "tok_visa"}, "INVALID_VALUE", "source_id"},
		"unknown token":        {object{"source_id": "cnon:unknown"}, "NOT_FOUND", "source_id"},
		"nobody's card":        {object{"source_id": "ccof:customer-card-id-ok"}, "MISSING_REQUIRED_PARAMETER", "customer_id"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := h.call(t, http.MethodPost, "/v2/payments", newPayment(name, test.set))
			want := http.StatusBadRequest
			if test.code == "NOT_FOUND" {
				want = http.StatusNotFound
			}
			require.Equal(t, want, a.Status, a.Text)
			require.Equal(t, "INVALID_REQUEST_ERROR", a.text("errors.0.category"))
			require.Equal(t, test.code, a.code())
			require.Equal(t, test.field, a.text("errors.0.field"))
			require.NotEmpty(t, a.text("errors.0.detail"))
			require.Equal(t, "<nil>", a.text("payment"))
		})
	}
	several := h.call(t, http.MethodPost, "/v2/payments", object{"a": 1, "b": 2})
	require.Len(t, several.at("errors"), 5, "each error is told")
}

func TestRequestsOfAnotherForm(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	good := `{"source_id":"cnon:card-nonce-ok","idempotency_key":"k","amount_money":{"amount":1,"currency":"EUR"}}`
	tests := map[string]struct {
		body, name, value string
		status            int
		code              string
	}{
		"no token":       {good, "Authorization", "", 401, "UNAUTHORIZED"},
		"another token":  {good, "Authorization", "Bearer EAAA_other", 401, "UNAUTHORIZED"},
		"basic":          {good, "Authorization", "Basic " + accessToken, 401, "UNAUTHORIZED"},
		"version":        {good, "Square-Version", "v2", 400, "INVALID_SQUARE_VERSION_FORMAT"},
		"older version":  {good, "Square-Version", "2020-01-22", 400, "API_VERSION_INCOMPATIBLE"},
		"a form":         {good, "Content-Type", "application/x-www-form-urlencoded", 400, "INVALID_CONTENT_TYPE"},
		"no JSON":        {"amount=1", "Accept", "*/*", 400, "EXPECTED_JSON_BODY"},
		"a list":         {"[]", "Accept", "*/*", 400, "EXPECTED_JSON_BODY"},
		"null":           {"null", "Accept", "*/*", 400, "EXPECTED_JSON_BODY"},
		"two objects":    {good + good, "Accept", "*/*", 400, "EXPECTED_JSON_BODY"},
		"nothing":        {"", "Accept", "*/*", 400, "EXPECTED_JSON_BODY"},
		"a long body":    {`{"note":"` + strings.Repeat("x", 2<<20) + `"}`, "Accept", "*/*", 413, "REQUEST_ENTITY_TOO_LARGE"},
		"without a pin":  {good, "Square-Version", "", 200, "<nil>"},
		"a charset, too": {strings.Replace(good, `"k"`, `"k2"`, 1), "Content-Type", "application/json; charset=utf-8", 200, "<nil>"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := ours()
			header[test.name] = test.value
			a, err := h.try(t.Context(), http.MethodPost, "/square/v2/payments", test.body, header)
			require.NoError(t, err)
			require.Equal(t, test.status, a.Status, a.Text)
			require.Equal(t, test.code, a.code())
			require.Equal(t, "2025-08-20", a.Header.Get("Square-Version"))
			require.NotContains(t, a.Text, "EAAA")
		})
	}
	require.Equal(t, "NOT_FOUND", h.call(t, http.MethodGet, "/v2/customers", nil).code())
	require.Equal(t, "UNKNOWN_QUERY_PARAMETER", h.call(t, http.MethodGet, "/v2/payments?since=1", nil).code())
}

func TestDeclines(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for source, code := range map[string]string{
		"cnon:card-nonce-declined":                    "GENERIC_DECLINE",
		"cnon:card-nonce-rejected-cvv":                "CVV_FAILURE",
		"cnon:card-nonce-rejected-postalcode":         "ADDRESS_VERIFICATION_FAILURE",
		"cnon:card-nonce-rejected-expiration":         "INVALID_EXPIRATION",
		"cnon:gift-card-nonce-insufficient-funds":     "INSUFFICIENT_FUNDS",
		"ccof:customer-card-id-declined":              "GENERIC_DECLINE",
		"ccof:customer-card-id-rejected-postalcode":   "ADDRESS_VERIFICATION_FAILURE",
		"ccof:customer-card-id-rejected-expiration":   "INVALID_EXPIRATION",
		"ccof:customer-card-id-requires-verification": "CARD_DECLINED_VERIFICATION_REQUIRED",
	} {
		body := newPayment(source, object{"source_id": source, "customer_id": "CUS1", "reference_id": nil})
		a := h.call(t, http.MethodPost, "/v2/payments", body)
		require.Equal(t, http.StatusBadRequest, a.Status, a.Text)
		require.Equal(t, "PAYMENT_METHOD_ERROR", a.text("errors.0.category"))
		require.Equal(t, code, a.code(), source)
		require.Equal(t, "FAILED", a.text("payment.status"), "the payment stands beside its errors")
		require.Equal(t, code, a.text("payment.card_details.errors.0.code"))
		require.Equal(t, "FAILED", h.show(t, a.text("payment.id")).text("payment.status"))
		require.Equal(t, "DELAYED_TRANSACTION_FAILED", h.call(t, http.MethodPost, "/v2/payments/"+a.text("payment.id")+"/complete", object{}).code())
		require.Equal(t, a.Text, h.call(t, http.MethodPost, "/v2/payments", body).Text, "it is kept under its key")
	}
	for _, source := range []string{"cnon:card-nonce-ok", "cnon:gift-card-nonce-ok", "ccof:customer-card-id-ok"} {
		require.Equal(t, "COMPLETED", h.pay(t, source, object{"source_id": source, "customer_id": "CUS1"}).text("payment.status"))
	}
	verified := h.pay(t, "v", object{"source_id": "ccof:customer-card-id-requires-verification", "customer_id": "CUS1", "verification_token": "verf:1"})
	require.Equal(t, "COMPLETED", verified.text("payment.status"))
	used := h.call(t, http.MethodPost, "/v2/payments", newPayment("u", object{"source_id": "cnon:card-nonce-already-used"}))
	require.Equal(t, "CARD_TOKEN_USED", used.code())
	require.Equal(t, "<nil>", used.text("payment"))
}

func TestKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.pay(t, "k", nil)
	require.Equal(t, first.Text, h.pay(t, "k", nil).Text)
	reordered, err := h.try(t.Context(), http.MethodPost, "/square/v2/payments",
		`{ "autocomplete":true, "reference_id":"pay_k","location_id":"LWITNESS", "idempotency_key":"k", "source_id":"cnon:card-nonce-ok", "amount_money":{"currency":"EUR","amount":2500} }`, ours())
	require.NoError(t, err)
	require.Equal(t, first.Text, reordered.Text, "the same fields in another order are the same")
	other := h.call(t, http.MethodPost, "/v2/payments", newPayment("k", object{"amount_money": euros(2501)}))
	require.Equal(t, http.StatusBadRequest, other.Status)
	require.Equal(t, "IDEMPOTENCY_KEY_REUSED", other.code())
	refund := h.call(t, http.MethodPost, "/v2/refunds", object{"idempotency_key": "k", "payment_id": first.text("payment.id"), "amount_money": euros(1)})
	require.Equal(t, "IDEMPOTENCY_KEY_REUSED", refund.code(), "another call")

	// What was refused before it began leaves its key free; what was refused for the state does not.
	require.Equal(t, "VALUE_TOO_LOW", h.call(t, http.MethodPost, "/v2/payments", newPayment("free", object{"amount_money": euros(0)})).code())
	h.pay(t, "free", nil)
	held := h.pay(t, "held", object{"autocomplete": false}).text("payment.id")
	ask := func() answer {
		return h.call(t, http.MethodPost, "/v2/refunds", object{"idempotency_key": "r", "payment_id": held, "amount_money": euros(1)})
	}
	require.Equal(t, "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION", ask().code())
	require.Equal(t, http.StatusOK, h.call(t, http.MethodPost, "/v2/payments/"+held+"/complete", object{}).Status)
	require.Equal(t, "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION", ask().code())

	var replayed int
	for _, request := range h.requests.List() {
		if request.IdempotencyKey == "k" && request.Replayed {
			replayed++
		}
	}
	require.Equal(t, 2, replayed)
	h.advance(24*time.Hour + time.Second)
	require.NotEqual(t, first.text("payment.id"), h.pay(t, "k", nil).text("payment.id"), "its time is over")
}

func TestAuthorizationsRunOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	week := h.pay(t, "1", object{"autocomplete": false}).text("payment.id")
	hour := h.pay(t, "2", object{"autocomplete": false, "delay_duration": "PT1H30M", "delay_action": "COMPLETE"}).text("payment.id")
	h.advance(2 * time.Hour)
	require.Equal(t, "COMPLETED", h.show(t, hour).text("payment.status"))
	require.Equal(t, "APPROVED", h.show(t, week).text("payment.status"))
	h.advance(7*24*time.Hour - 2*time.Hour)
	a := h.show(t, week)
	require.Equal(t, "CANCELED", a.text("payment.status"))
	require.GreaterOrEqual(t, a.text("payment.updated_at"), a.text("payment.delayed_until"))
	require.Equal(t, "DELAYED_TRANSACTION_EXPIRED", h.call(t, http.MethodPost, "/v2/payments/"+week+"/complete", object{}).code())

	// The real time does it, too, without anybody moving the clock.
	minute := h.pay(t, "3", object{"autocomplete": false, "delay_duration": "PT1M"}).text("payment.id")
	h.now.Add(60)
	require.Equal(t, "CANCELED", h.show(t, minute).text("payment.status"))
}

func TestBankPaymentsArePendingFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	good := h.pay(t, "1", object{"source_id": "bnon:bank-nonce-ok"})
	require.Equal(t, "PENDING", good.text("payment.status"))
	require.Equal(t, "BANK_ACCOUNT", good.text("payment.source_type"))
	bad := h.pay(t, "2", object{"source_id": "bnon:bank-nonce-declined"}).text("payment.id")
	require.Equal(t, "BAD_REQUEST", h.call(t, http.MethodPost, "/v2/payments/"+bad+"/cancel", nil).code())
	h.advance(24 * time.Hour)
	require.Equal(t, "COMPLETED", h.show(t, good.text("payment.id")).text("payment.status"))
	require.Equal(t, "FAILED", h.show(t, bad).text("payment.status"))
}

func TestLists(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	start := h.clock.Now()
	var ids []string // newest first
	for n := range 5 {
		ids = slices.Insert(ids, 0, h.pay(t, fmt.Sprint(n), object{"autocomplete": false, "amount_money": euros(1000 + n)}).text("payment.id"))
		h.now.Add(10)
	}
	h.call(t, http.MethodPost, "/v2/payments/"+ids[4]+"/complete", object{}) // the oldest one is the last changed
	at := func(seconds int) string { return start.Add(time.Duration(seconds) * time.Second).Format(time.RFC3339) }
	list := func(query string) (found []string, cursor string) {
		a := h.call(t, http.MethodGet, "/v2/payments?"+query, nil)
		require.Equal(t, http.StatusOK, a.Status, a.Text)
		all, _ := a.at("payments").([]any)
		for n := range all {
			found = append(found, a.text(fmt.Sprintf("payments.%d.id", n)))
		}
		cursor, _ = a.at("cursor").(string)
		return found, cursor
	}
	for query, want := range map[string][]string{
		"":                           ids,
		"location_id=" + locationID:  ids,
		"total=1002":                 ids[2:3],
		"last_4=1111&card_brand=JCB": nil,
		"begin_time=" + at(10) + "&end_time=" + at(30):                            ids[2:4],
		"updated_at_begin_time=" + at(45):                                         ids[4:],
		"sort_field=UPDATED_AT":                                                   {ids[4], ids[0], ids[1], ids[2], ids[3]},
		"begin_time=" + at(1000):                                                  nil,
		"sort_order=ASC&updated_at_end_time=" + at(20) + "&sort_field=UPDATED_AT": {ids[3]},
	} {
		found, cursor := list(query)
		require.Equal(t, want, found, query)
		require.Empty(t, cursor)
	}
	for _, query := range []string{"sort_order=ASC", "sort_field=UPDATED_AT", "end_time=" + at(40)} {
		whole, _ := list(query)
		pages, cursor := list(query + "&limit=2")
		require.Len(t, pages, 2)
		for cursor != "" {
			var more []string
			more, cursor = list(query + "&limit=2&cursor=" + cursor)
			pages = append(pages, more...)
		}
		require.Equal(t, whole, pages, query)
	}
	_, cursor := list("limit=2")
	for query, code := range map[string]string{
		"limit=2&sort_order=ASC&cursor=" + cursor: "INVALID_CURSOR", "cursor=abc": "INVALID_CURSOR", "cursor=" + cursor[1:]: "INVALID_CURSOR",
		"limit=101": "VALUE_TOO_HIGH", "limit=0": "VALUE_TOO_LOW", "limit=ten": "EXPECTED_INTEGER", "begin_time=yesterday": "INVALID_TIME",
		"begin_time=" + at(10) + "&end_time=" + at(9): "INVALID_TIME_RANGE", "sort_order=UP": "INVALID_ENUM_VALUE", "location_id=L2": "INVALID_LOCATION",
	} {
		a := h.call(t, http.MethodGet, "/v2/payments?"+query, nil)
		require.Equal(t, http.StatusBadRequest, a.Status, query)
		require.Equal(t, code, a.code(), query)
	}
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.pay(t, "1", nil).text("payment.id")
	refund := func(key string, changes object) answer {
		body := object{"idempotency_key": key, "payment_id": id, "amount_money": euros(1000), "reason": "as agreed"}
		maps.Copy(body, changes)
		return h.call(t, http.MethodPost, "/v2/refunds", body)
	}
	made := refund("2", nil)
	require.Equal(t, "PENDING", made.text("refund.status"), made.Text)
	require.Equal(t, id, made.text("refund.payment_id"))
	listed := h.call(t, http.MethodGet, "/v2/refunds?status=PENDING", nil)
	require.Equal(t, made.text("refund.id"), listed.text("refunds.0.id"), listed.Text)
	require.Equal(t, "REFUND_AMOUNT_INVALID", refund("3", object{"amount_money": euros(1501)}).code(), "what is pending is reserved")
	require.Equal(t, "COMPLETED", h.call(t, http.MethodGet, "/v2/refunds/"+made.text("refund.id"), nil).text("refund.status"), "a look later")
	require.Equal(t, made.Text, refund("2", nil).Text, "the first answer again")
	p := h.show(t, id)
	require.Equal(t, "1000", p.text("payment.refunded_money.amount"))
	require.Equal(t, made.text("refund.id"), p.text("payment.refund_ids.0"))

	rest := refund("4", object{"amount_money": euros(1500)})
	require.Equal(t, http.StatusOK, rest.Status, rest.Text)
	h.advance(time.Minute)
	require.Equal(t, "2500", h.show(t, id).text("payment.refunded_money.amount"))
	require.Equal(t, "REFUND_AMOUNT_INVALID", refund("5", object{"amount_money": euros(1)}).code())
	require.Len(t, h.deliveries(t, "refund.created"), 2)
	require.Len(t, h.deliveries(t, "refund.updated"), 2)

	for name, test := range map[string]struct {
		changes object
		code    string
	}{
		"no amount":    {object{"amount_money": nil}, "MISSING_REQUIRED_PARAMETER"},
		"no payment":   {object{"payment_id": nil}, "MISSING_REQUIRED_PARAMETER"},
		"unknown":      {object{"payment_id": "PAY0"}, "NOT_FOUND"},
		"nothing":      {object{"amount_money": euros(0)}, "VALUE_TOO_LOW"},
		"currency":     {object{"amount_money": object{"amount": 1, "currency": "USD"}}, "CURRENCY_MISMATCH"},
		"old version":  {object{"payment_version_token": "x"}, "VERSION_MISMATCH"},
		"long reason":  {object{"reason": strings.Repeat("x", 193)}, "VALUE_TOO_LONG"},
		"long key":     {object{"idempotency_key": strings.Repeat("x", 46)}, "VALUE_TOO_LONG"},
		"not the rest": {object{"app_fee_money": euros(1)}, "SANDBOX_NOT_SUPPORTED"},
	} {
		require.Equal(t, test.code, refund(name, test.changes).code(), name)
	}
	h.advance(366 * 24 * time.Hour)
	require.Equal(t, "PAYMENT_NOT_REFUNDABLE", refund("late", nil).code())
}

func TestTwentyRefundsAtMost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.pay(t, "1", nil).text("payment.id")
	for n := range 21 {
		a := h.call(t, http.MethodPost, "/v2/refunds", object{"idempotency_key": fmt.Sprint("r", n), "payment_id": id, "amount_money": euros(1)})
		require.Equal(t, n < 20, a.Status == http.StatusOK, a.Text)
	}
}

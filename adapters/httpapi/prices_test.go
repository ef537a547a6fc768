package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

// monthly is the body of a recurring price.
const monthly = `{"name":"Tea club","amount":1000,"currency":"EUR","recurring":{"interval":"month","interval_count":1,"trial_days":14}}`

type priceAnswer struct {
	ID, Name, Currency string
	Amount             int64
	Recurring          *struct {
		Interval  string
		Count     int `json:"interval_count"`
		TrialDays int `json:"trial_days"`
	}
}

func TestPrices(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plan := h.made(t, "/v1/prices", "k-1", monthly)
	shown := read[priceAnswer](t, h.get(t, "/v1/prices/"+plan), http.StatusOK)
	require.Equal(t, "Tea club", shown.Name)
	require.EqualValues(t, 1000, shown.Amount)
	require.Equal(t, "month", shown.Recurring.Interval)
	require.Equal(t, 14, shown.Recurring.TrialDays)
	mug := h.made(t, "/v1/prices", "k-2", `{"name":"Mug","amount":1,"currency":"JPY"}`)
	require.Nil(t, read[priceAnswer](t, h.get(t, "/v1/prices/"+mug), http.StatusOK).Recurring)
	yearly := h.made(t, "/v1/prices", "k-3", `{"name":"Tea club","amount":999999999999,"currency":"EUR","recurring":{"interval":"year"}}`)
	require.Equal(t, 1, read[priceAnswer](t, h.get(t, "/v1/prices/"+yearly), http.StatusOK).Recurring.Count)
	refused(t, h.post(t, "/v1/prices", "k-1", strings.Replace(monthly, "1000", "1001", 1)), http.StatusUnprocessableEntity, "idempotency_key_reused")

	want := []string{plan, mug, yearly}
	for n := range 4 {
		if n%2 == 0 {
			h.Clock.Advance(time.Second)
		}
		want = append(want, h.made(t, "/v1/prices", fmt.Sprint("more-", n), monthly))
	}
	slices.Reverse(want)
	for limit := 1; limit <= len(want)+1; limit++ {
		require.Equal(t, want, h.listed(t, "/v1/prices", limit), limit)
	}
	require.Zero(t, h.Provider.Effects(t), "a provider is asked once somebody buys")
}

// A price that is paid once is sold as any row is.
func TestAPriceOnACheckout(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mug := h.made(t, "/v1/prices", "k-1", `{"name":"Mug","amount":700,"currency":"EUR"}`)
	body := strings.Replace(order, `"name":"Tea","amount":1250`, `"price":"`+mug+`"`, 1)
	answer := h.post(t, "/v1/checkouts", "k-2", body)
	checkout := read[struct {
		Amount int64
		Items  []struct {
			Price, Name string
			Amount      int64
		} `json:"line_items"`
	}](t, answer, http.StatusCreated)
	require.EqualValues(t, 1400, checkout.Amount)
	require.Equal(t, mug, checkout.Items[0].Price)
	require.Equal(t, "Mug", checkout.Items[0].Name)
	require.EqualValues(t, 700, checkout.Items[0].Amount)
}

func TestBadPricesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var calls []badCall
	for _, bad := range []struct{ old, with, at string }{
		{`"Tea club"`, `""`, "body.name"},
		{`"name":"Tea club",`, ``, "body.name"},
		{`"Tea club"`, `null`, "body.name"},
		{`"Tea club"`, `7`, "body.name"},
		{`Tea club`, secretText + `\u0000`, "body.name"},
		{`Tea club`, strings.Repeat("n", 251), "body.name"},
		{`1000`, `0`, "body.amount"},
		{`1000`, `-1`, "body.amount"},
		{`1000`, `9.99`, "body.amount"},
		{`1000`, `"1000"`, "body.amount"},
		{`1000`, `null`, "body.amount"},
		{`1000`, fmt.Sprint(core.MinorMax + 1), "body.amount"},
		{`1000`, `9223372036854775808`, "body.amount"},
		{`"amount":1000,`, ``, "body.amount"},
		{`EUR`, `eur`, "body.currency"},
		{`EUR`, `XXQ`, "body.currency"},
		{`"currency":"EUR",`, ``, "body.currency"},
		{`"month"`, `"` + secretText + `"`, "body.recurring.interval"},
		{`"month"`, `""`, "body.recurring.interval"},
		{`"interval":"month",`, ``, "body.recurring.interval"},
		{`"interval_count":1`, `"interval_count":0`, "body.recurring.interval_count"},
		{`"interval_count":1`, `"interval_count":366`, "body.recurring.interval_count"},
		{`"interval_count":1`, `"interval_count":"1"`, "body.recurring.interval_count"},
		{`"trial_days":14`, `"trial_days":-1`, "body.recurring.trial_days"},
		{`"trial_days":14`, `"trial_days":731`, "body.recurring.trial_days"},
		{`"trial_days":14`, `"trial_days":14,"until":1`, "body.recurring.until"},
		{`{"interval":"month","interval_count":1,"trial_days":14}`, `"month"`, "body.recurring"},
		{`"currency"`, `"id":"` + secretText + `","currency"`, "body.id"},
	} {
		body := strings.Replace(monthly, bad.old, bad.with, 1)
		require.NotEqual(t, monthly, body, bad.with)
		calls = append(calls, badCall{http.MethodPost, "/v1/prices", body, 422, "invalid_request", bad.at})
	}
	plan := string(h.Plan(1000, 0).ID)
	priced := func(more, price string) string {
		return strings.Replace(order, `"line_items":[{"name":"Tea","amount":1250`, more+`"line_items":[{"price":"`+price+`"`, 1)
	}
	calls = append(calls,
		badCall{http.MethodGet, "/v1/prices/prc_" + someID, ``, 404, "not_found", ""},
		badCall{http.MethodGet, "/v1/prices/pay_" + someID, ``, 400, "invalid_id", "path.id"},
		badCall{http.MethodGet, "/v1/prices?cursor=here", ``, 422, "invalid_request", "query.cursor"},
		badCall{http.MethodGet, "/v1/prices?limit=0", ``, 422, "invalid_request", "query.limit"},
		badCall{http.MethodGet, "/v1/prices?name=x", ``, 422, "invalid_request", "query.name"},
		badCall{http.MethodDelete, "/v1/prices/" + plan, ``, 405, "method_not_allowed", ""},
		badCall{http.MethodPost, "/v1/checkouts", priced(``, plan), 422, "invalid_request", "body.line_items[0].price"},
		badCall{http.MethodPost, "/v1/checkouts", priced(``, "prc_"+someID), 422, "invalid_request", "body.line_items[0].price"},
		badCall{http.MethodPost, "/v1/checkouts", priced(``, "pay_"+someID), 422, "invalid_request", "body.line_items[0].price"},
	)
	h.refuseAll(t, calls)
	refused(t, h.post(t, "/v1/prices", "", monthly), http.StatusBadRequest, "idempotency_key_required")
	require.Equal(t, []string{plan}, h.listed(t, "/v1/prices", 20))
}

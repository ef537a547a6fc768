package square_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/square"
)

func TestATokenIsUsedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.tokenize(t, "3782 822463 10005", object{"exp_month": 7, "exp_year": "31", "cvv": "1234"})
	require.Equal(t, http.StatusOK, made.Status)
	require.Equal(t, "OK", made.text("status"), made.Text)
	require.Regexp(t, `^cnon:[A-Z0-9]+$`, made.text("token"))
	require.Equal(t, "AMERICAN_EXPRESS", made.text("details.card.brand"))
	require.NotContains(t, made.Text, "378282246310005")
	paid := h.pay(t, "1", object{"source_id": made.text("token")})
	require.Equal(t, "0005", paid.text("payment.card_details.card.last_4"))
	require.Equal(t, "7", paid.text("payment.card_details.card.exp_month"))
	require.Equal(t, "2031", paid.text("payment.card_details.card.exp_year"))
	require.Equal(t, "CARD_TOKEN_USED", h.call(t, http.MethodPost, "/v2/payments", newPayment("2", object{"source_id": made.text("token")})).code())

	declined := h.token(t, "4000000000000002", nil)
	require.Equal(t, "GENERIC_DECLINE", h.call(t, http.MethodPost, "/v2/payments", newPayment("3", object{"source_id": declined})).code())
	require.Equal(t, "CARD_TOKEN_USED", h.call(t, http.MethodPost, "/v2/payments", newPayment("4", object{"source_id": declined})).code(), "a decline uses it up")

	old := h.token(t, "4111111111111111", nil)
	h.advance(24*time.Hour + time.Second)
	require.Equal(t, "CARD_TOKEN_EXPIRED", h.call(t, http.MethodPost, "/v2/payments", newPayment("5", object{"source_id": old})).code())
}

func TestATokenIsOfAnAmount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	bound := h.token(t, "4111111111111111", object{"amount": "25.00", "currency": "EUR", "intent": "CHARGE"})
	for key, amount := range map[string]object{"1": euros(2501), "2": {"amount": 2500, "currency": "USD"}} {
		a := h.call(t, http.MethodPost, "/v2/payments", newPayment(key, object{"source_id": bound, "amount_money": amount}))
		require.Equal(t, "PAYMENT_AMOUNT_MISMATCH", a.code(), a.Text)
	}
	h.pay(t, "3", object{"source_id": bound})
	yen := h.token(t, "4111111111111111", object{"amount": "2500", "currency": "JPY"})
	h.pay(t, "4", object{"source_id": yen, "amount_money": object{"amount": 2500, "currency": "JPY"}})
	for name, changes := range map[string]object{
		"decimals of yen": {"amount": "25.00", "currency": "JPY"}, "three decimals": {"amount": "2.500", "currency": "EUR"},
		"no currency": {"amount": "25.00"}, "no amount": {"currency": "EUR"}, "minus": {"amount": "-1", "currency": "EUR"},
		"a word": {"amount": "ten", "currency": "EUR"}, "a point": {"amount": "10.", "currency": "EUR"}, "another currency": {"amount": "1", "currency": "CHF"},
	} {
		a := h.tokenize(t, "4111111111111111", changes)
		require.Equal(t, "ERROR", a.text("status"), name)
		require.Equal(t, "amount", a.text("errors.0.field"), name)
	}
}

func TestCardsAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, test := range map[string]struct {
		number string
		set    object
		field  string
	}{
		"wrong last digit": {"4111111111111112", nil, "cardNumber"},
		"short":            {"4111", nil, "cardNumber"},
		"no digits":        {"4111x11111111111", nil, "cardNumber"},
		"no test card":     {"4929000000006", nil, "cardNumber"},
		"month":            {"4111111111111111", object{"exp_month": "13"}, "expirationDate"},
		"year":             {"4111111111111111", object{"exp_year": "2020"}, "expirationDate"},
		"far year":         {"4111111111111111", object{"exp_year": 2190}, "expirationDate"},
		"cvv":              {"4111111111111111", object{"cvv": "12"}, "cvv"},
		"postal code":      {"4111111111111111", object{"postal_code": "1234567890123"}, "postalCode"},
	} {
		a := h.tokenize(t, test.number, test.set)
		require.Equal(t, http.StatusOK, a.Status, name)
		require.Equal(t, "ERROR", a.text("status"), name)
		require.Equal(t, "VALIDATION_ERROR", a.text("errors.0.type"), name)
		require.Equal(t, test.field, a.text("errors.0.field"), name)
		require.Equal(t, "<nil>", a.text("token"), name)
	}
	for name, test := range map[string]struct {
		set    object
		status int
	}{
		"another application": {object{"application_id": "sandbox-sq0idb-x"}, 401},
		"another location":    {object{"location_id": "L2"}, 401},
		"no application":      {object{"application_id": nil}, 400},
		"no security code":    {object{"cvv": nil}, 400},
		"unknown field":       {object{"pin": "1"}, 400},
		"intent":              {object{"intent": "GIVE"}, 400},
		"amount is a number":  {object{"amount": 25, "currency": "EUR"}, 400},
		"number is a number":  {object{"number": 4111111111111111}, 400},
	} {
		a := h.tokenize(t, "4111111111111111", test.set)
		require.Equal(t, test.status, a.Status, name)
		require.Equal(t, "ERROR", a.text("status"), name)
		require.Equal(t, "USAGE_ERROR", a.text("errors.0.type"), name)
	}
	a, err := h.try(t.Context(), http.MethodPost, "/square/v1/tokens", "{}", map[string]string{"Content-Type": "text/plain"})
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, a.Status, "another origin could send that without asking")
	require.Empty(t, a.Header.Get("Access-Control-Allow-Origin"))
}

func TestCardsAct(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, test := range map[string]struct {
		number string
		set    object
		code   string // <nil> for a payment that works
	}{
		"Visa": {"4111 1111 1111 1111", nil, "<nil>"}, "Mastercard": {"5105105105105100", nil, "<nil>"}, "Amex": {"3400 000000 00009", nil, "<nil>"},
		"no challenge": {"4800000000000004", nil, "<nil>"}, "4242": {"4242-4242-4242-4242", nil, "<nil>"},
		"declined": {"4000000000000002", nil, "GENERIC_DECLINE"}, "funds": {"4000000000009995", nil, "INSUFFICIENT_FUNDS"},
		"expired": {"4000000000000069", nil, "CARD_EXPIRED"}, "code": {"4000000000000127", nil, "CVV_FAILURE"},
		"processing": {"4000000000000119", nil, "CARD_DECLINED"}, "stolen": {"4000000000009979", nil, "CARD_DECLINED_CALL_ISSUER"},
		"wrong code": {"4111111111111111", object{"cvv": "911"}, "CVV_FAILURE"}, "wrong postal code": {"4111111111111111", object{"postal_code": "99999"}, "ADDRESS_VERIFICATION_FAILURE"},
		"wrong date": {"4111111111111111", object{"exp_month": 1, "exp_year": 2040}, "INVALID_EXPIRATION"}, "good postal code": {"4111111111111111", object{"postal_code": "94103"}, "<nil>"},
	} {
		a := h.call(t, http.MethodPost, "/v2/payments", newPayment(name, object{"source_id": h.token(t, test.number, test.set)}))
		require.Equal(t, test.code, a.code(), name)
		require.Equal(t, test.code == "<nil>", a.text("payment.status") == "COMPLETED", name)
	}
	wrong := h.call(t, http.MethodPost, "/v2/payments", newPayment("c", object{"source_id": h.token(t, "4111111111111111", object{"cvv": "911"})}))
	require.Equal(t, "CVV_REJECTED", wrong.text("payment.card_details.cvv_status"))
	for amount, level := range map[int]string{2500: "NORMAL", 2222: "MODERATE", 3333: "HIGH"} {
		a := h.pay(t, level, object{"amount_money": euros(amount)})
		require.Equal(t, level, a.text("payment.risk_evaluation.risk_level"))
	}
}

func TestTheBankAsks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, number := range []string{"4310000000201019", "4000000000003220"} {
		asked := h.tokenize(t, number, object{"amount": "25.00", "currency": "EUR"})
		require.Equal(t, "VERIFY", asked.text("status"), asked.Text)
		require.Equal(t, "<nil>", asked.text("token"))
		answered := func(outcome string) answer {
			return h.call(t, http.MethodPost, "/v1/tokens/"+asked.text("verification"), object{"outcome": outcome})
		}
		require.Equal(t, http.StatusBadRequest, answered("later").Status)
		done := answered("complete")
		require.Equal(t, "OK", done.text("status"), done.Text)
		require.Equal(t, http.StatusNotFound, answered("complete").Status, "it asks once")
		require.Equal(t, "PAYMENT_AMOUNT_MISMATCH", h.call(t, http.MethodPost, "/v2/payments", newPayment(number+"x", object{"source_id": done.text("token"), "amount_money": euros(1)})).code())
		h.pay(t, number, object{"source_id": done.text("token")})
	}
	asked := h.tokenize(t, "4310000000201019", nil)
	failed := h.call(t, http.MethodPost, "/v1/tokens/"+asked.text("verification"), object{"outcome": "fail"})
	require.Equal(t, http.StatusOK, failed.Status)
	require.Equal(t, "ERROR", failed.text("status"))
	require.Equal(t, "VERIFICATION_ERROR", failed.text("errors.0.type"))
	require.Equal(t, "ERROR", h.tokenize(t, "4811110000000008", nil).text("status"), "not known to the bank, without a question")
	require.Equal(t, http.StatusNotFound, h.call(t, http.MethodPost, "/v1/tokens/verf_nothing", object{"outcome": "complete"}).Status)

	old := h.tokenize(t, "4310000000201019", nil)
	h.advance(25 * time.Hour)
	require.Equal(t, http.StatusNotFound, h.call(t, http.MethodPost, "/v1/tokens/"+old.text("verification"), object{"outcome": "complete"}).Status)
}

func TestNamedCards(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, []string{
		"success", "declined", "insufficient_funds", "3ds", "disputed", "inquiry", "refund_pending", "refund_fails", "declined_later", "3ds_off_session",
	}, slices.Collect(maps.Keys(square.NamedCards)))
	h := newHouse(t)
	for name, number := range square.NamedCards {
		a := h.tokenize(t, number, nil)
		require.Contains(t, []string{"OK", "VERIFY"}, a.text("status"), name)
		require.Equal(t, strings.HasPrefix(name, "3ds"), a.text("status") == "VERIFY")
		require.Empty(t, strings.Trim(number, "0123456789"))
	}
}

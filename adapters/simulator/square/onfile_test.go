package square_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/square"
)

// customer makes a customer and gives their id.
func (h *house) customer(t *testing.T, reference string) string {
	t.Helper()
	a := h.call(t, http.MethodPost, "/v2/customers", object{"idempotency_key": "cus" + reference, "given_name": "Ada", "reference_id": reference})
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a.text("customer.id")
}

// store stores a card for a customer.
func (h *house) store(t *testing.T, key, customer, source string, changes object) answer {
	t.Helper()
	of := object{"customer_id": customer, "reference_id": "pm_" + key}
	maps.Copy(of, changes)
	return h.call(t, http.MethodPost, "/v2/cards", object{"idempotency_key": key, "source_id": source, "card": of})
}

// stored stores the card of a name and gives its id.
func (h *house) stored(t *testing.T, customer, card string) string {
	t.Helper()
	a := h.store(t, customer+card, customer, h.toStore(t, square.NamedCards[card], "STORE"), nil)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a.text("card.id")
}

// toStore types a card in, passes 3-D Secure, and gives the token.
func (h *house) toStore(t *testing.T, number, intent string) string {
	t.Helper()
	a := h.tokenize(t, number, object{"intent": intent})
	if a.text("status") == "VERIFY" {
		a = h.call(t, http.MethodPost, "/v1/tokens/"+a.text("verification"), object{"outcome": "complete"})
	}
	require.Equal(t, "OK", a.text("status"), a.Text)
	return a.text("token")
}

// charge charges a card on file.
func (h *house) charge(t *testing.T, key, customer, card string, there bool) answer {
	t.Helper()
	return h.call(t, http.MethodPost, "/v2/payments", newPayment(key, object{
		"source_id": card, "customer_id": customer, "customer_details": object{"customer_initiated": there},
	}))
}

func TestCustomers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.call(t, http.MethodPost, "/v2/customers", object{
		"idempotency_key": "1", "given_name": "Ada", "family_name": "L", "email_address": "ada@example.test", "reference_id": "cus_1", "address": object{"country": "IE"},
	})
	id := made.text("customer.id")
	require.Equal(t, "cus_1", made.text("customer.reference_id"), made.Text)
	require.Equal(t, made.Text, h.call(t, http.MethodGet, "/v2/customers/"+id, nil).Text)
	changed := h.call(t, http.MethodPut, "/v2/customers/"+id, object{"email_address": "a@example.test", "family_name": nil, "version": 0})
	require.Equal(t, "a@example.test", changed.text("customer.email_address"), changed.Text)
	require.Equal(t, "<nil>", changed.text("customer.family_name"))
	require.Equal(t, "Ada", changed.text("customer.given_name"))
	require.Equal(t, "CONFLICT", h.call(t, http.MethodPut, "/v2/customers/"+id, object{"note": "x", "version": 0}).code(), "it has another version by now")
	h.customer(t, "cus_2")
	found := h.call(t, http.MethodPost, "/v2/customers/search", object{"query": object{"filter": object{"reference_id": object{"exact": "cus_1"}}}})
	require.Len(t, found.at("customers"), 1, found.Text)
	require.Equal(t, id, found.text("customers.0.id"))
	for code, body := range map[string]object{
		"MISSING_REQUIRED_PARAMETER": {"note": "x", "reference_id": "cus_3"}, "INVALID_EMAIL_ADDRESS": {"email_address": "ada"},
		"UNKNOWN_BODY_PARAMETER": {"given_name": "A", "age": 3}, "VALUE_TOO_LONG": {"given_name": "A", "reference_id": strings.Repeat("x", 101)},
	} {
		require.Equal(t, code, h.call(t, http.MethodPost, "/v2/customers", body).code())
	}

	card := h.stored(t, id, "success")
	require.Equal(t, http.StatusOK, h.call(t, http.MethodDelete, "/v2/customers/"+id, nil).Status)
	require.Equal(t, "NOT_FOUND", h.call(t, http.MethodGet, "/v2/customers/"+id, nil).code())
	require.Equal(t, "NOT_FOUND", h.charge(t, "p", id, card, true).code())
	require.Len(t, h.objects(t, "customer"), 1)
	for kind, want := range map[string]int{"customer.created": 2, "customer.updated": 1, "customer.deleted": 1, "card.created": 1, "card.disabled": 1} {
		require.Len(t, h.deliveries(t, kind), want, kind)
	}
}

func TestCardsOnFile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, bob := h.customer(t, "1"), h.customer(t, "2")
	token := h.toStore(t, "4111111111111111", "STORE")
	made := h.store(t, "k", ada, token, object{"cardholder_name": "Ada L"})
	card := made.text("card.id")
	require.Regexp(t, `^ccof:`, card, made.Text)
	require.Equal(t, "1111", made.text("card.last_4"))
	require.Equal(t, "pm_k", made.text("card.reference_id"))
	require.Equal(t, made.Text, h.store(t, "k", ada, token, object{"cardholder_name": "Ada L"}).Text, "the first answer again")
	require.Equal(t, "CARD_TOKEN_USED", h.store(t, "k2", ada, token, nil).code())

	paid := h.charge(t, "p1", ada, card, false)
	require.Equal(t, "COMPLETED", paid.text("payment.status"), paid.Text)
	require.Equal(t, "ON_FILE", paid.text("payment.card_details.entry_method"))
	require.Equal(t, ada, paid.text("payment.customer_id"))
	require.Equal(t, "NOT_FOUND", h.charge(t, "p2", bob, card, false).code(), "another's card")
	missing := h.call(t, http.MethodPost, "/v2/payments", newPayment("p3", object{"source_id": card}))
	require.Equal(t, "customer_id", missing.text("errors.0.field"))
	unknown := h.call(t, http.MethodPost, "/v2/payments", newPayment("p4", object{"source_id": h.token(t, "4111111111111111", nil), "customer_id": "CUS0"}))
	require.Equal(t, "customer_id", unknown.text("errors.0.field"))

	require.Equal(t, card, h.call(t, http.MethodGet, "/v2/cards?customer_id="+ada, nil).text("cards.0.id"))
	require.JSONEq(t, `{}`, h.call(t, http.MethodGet, "/v2/cards?customer_id="+bob, nil).Text)
	require.Equal(t, card, h.call(t, http.MethodGet, "/v2/cards?reference_id=pm_k", nil).text("cards.0.id"))
	require.Equal(t, "false", h.call(t, http.MethodPost, "/v2/cards/"+card+"/disable", nil).text("card.enabled"))
	require.Equal(t, "NOT_FOUND", h.charge(t, "p5", ada, card, true).code())
	require.JSONEq(t, `{}`, h.call(t, http.MethodGet, "/v2/cards?customer_id="+ada, nil).Text)
	require.Equal(t, card, h.call(t, http.MethodGet, "/v2/cards?include_disabled=true", nil).text("cards.0.id"))
	require.Equal(t, "false", h.call(t, http.MethodGet, "/v2/cards/"+card, nil).text("card.enabled"))
	require.Equal(t, "EXPECTED_BOOLEAN", h.call(t, http.MethodGet, "/v2/cards?include_disabled=x", nil).code())

	for n := range 26 {
		require.Equal(t, http.StatusOK, h.store(t, fmt.Sprint("many", n), bob, "cnon:card-nonce-ok", nil).Status)
	}
	page := h.call(t, http.MethodGet, "/v2/cards?customer_id="+bob, nil)
	require.Len(t, page.at("cards"), 25)
	require.Len(t, h.call(t, http.MethodGet, "/v2/cards?customer_id="+bob+"&cursor="+page.text("cursor"), nil).at("cards"), 1)
}

func TestWhatIsStored(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.customer(t, "1")
	pay := func(key, intent string) string {
		return h.pay(t, key, object{"source_id": h.toStore(t, "4111111111111111", intent), "customer_id": ada}).text("payment.id")
	}
	both := pay("1", "CHARGE_AND_STORE")
	require.Equal(t, "1111", h.store(t, "c1", ada, both, nil).text("card.last_4"))
	require.Equal(t, "SOURCE_USED", h.store(t, "c2", ada, both, nil).code())
	require.Equal(t, "CARD_DECLINED_VERIFICATION_REQUIRED", h.store(t, "c3", ada, pay("2", "CHARGE"), nil).code(), "the buyer was not asked")
	require.Equal(t, "CARD_DECLINED_VERIFICATION_REQUIRED", h.store(t, "c4", ada, h.toStore(t, "4111111111111111", "CHARGE"), nil).code())
	onlyStore := h.call(t, http.MethodPost, "/v2/payments", newPayment("3", object{"source_id": h.toStore(t, "4111111111111111", "STORE")}))
	require.Equal(t, "CARD_DECLINED_VERIFICATION_REQUIRED", onlyStore.code())
	require.Equal(t, "1111", h.store(t, "c5", ada, h.toStore(t, "4111111111111111", "CHARGE_AND_STORE"), nil).text("card.last_4"))

	old := pay("4", "CHARGE_AND_STORE")
	h.advance(25 * time.Hour)
	require.Equal(t, "SOURCE_EXPIRED", h.store(t, "c6", ada, old, nil).code())
	typed := h.token(t, "4111111111111111", object{"intent": "STORE", "postal_code": "D02"})
	require.Equal(t, "ADDRESS_VERIFICATION_FAILURE", h.store(t, "c7", ada, typed, object{"billing_address": object{"postal_code": "D03"}}).code())
	for name, test := range map[string]struct{ customer, source, code string }{
		"customer": {"CUS0", "cnon:card-nonce-ok", "NOT_FOUND"}, "source": {ada, "PAY0", "NOT_FOUND"}, "token": {ada, "cnon:0", "NOT_FOUND"},
		"declined": {ada, "cnon:card-nonce-declined", "GENERIC_DECLINE"}, "code": {ada, "cnon:card-nonce-rejected-cvv", "CVV_FAILURE"},
		"used": {ada, "cnon:card-nonce-already-used", "CARD_TOKEN_USED"}, "gift": {ada, "cnon:gift-card-nonce-ok", "BAD_REQUEST"}, "a stored one": {ada, "ccof:customer-card-id-ok", "NOT_FOUND"},
	} {
		require.Equal(t, test.code, h.store(t, "x"+name, test.customer, test.source, nil).code(), name)
	}
	unknown := h.call(t, http.MethodPost, "/v2/cards", object{"idempotency_key": "u", "source_id": "cnon:card-nonce-ok", "card": object{"customer_id": ada, "number": "4"}})
	require.Equal(t, "UNKNOWN_BODY_PARAMETER", unknown.code())
	require.Equal(t, "MISSING_REQUIRED_PARAMETER", h.call(t, http.MethodPost, "/v2/cards", object{"source_id": "x", "card": object{"customer_id": ada}}).code())
}

func TestCardsThatDeclineLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.customer(t, "1")
	for card, code := range map[string]string{
		"success": "<nil>", "3ds": "<nil>", "declined_later": "GENERIC_DECLINE", "3ds_off_session": "CARD_DECLINED_VERIFICATION_REQUIRED", "insufficient_funds": "INSUFFICIENT_FUNDS",
	} {
		id := h.stored(t, ada, card)
		a := h.charge(t, card, ada, id, false)
		require.Equal(t, code, a.code(), card)
		if code != "<nil>" {
			require.Equal(t, "FAILED", a.text("payment.status"), card)
		}
		if card == "3ds_off_session" || card == "declined_later" {
			require.Equal(t, "COMPLETED", h.charge(t, card+"2", ada, id, true).text("payment.status"), card)
		}
	}
	require.Equal(t, "COMPLETED", h.show(t, h.payWith(t, "p", "declined_later")).text("payment.status"), "the buyer is there")
}

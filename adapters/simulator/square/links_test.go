package square_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const linksPath = "/v2/online-checkout/payment-links"

// newLink is the body of a payment link for an order, with changes; a nil takes a field away.
func newLink(changes object) object {
	body := object{
		"order": object{"location_id": locationID, "reference_id": "pay_1", "line_items": []any{
			object{"name": "Tea", "quantity": "2", "base_price_money": euros(1000)}, object{"name": "Cup", "quantity": "1", "base_price_money": euros(500)},
		}},
		"checkout_options": object{"redirect_url": "https://shop.example/back?x=1"}, "payment_note": "order 1",
	}
	maps.Copy(body, changes)
	maps.DeleteFunc(body, func(_ string, value any) bool { return value == nil })
	return body
}

// link makes a payment link.
func (h *house) link(t *testing.T, changes object) answer {
	t.Helper()
	a := h.call(t, http.MethodPost, linksPath, newLink(changes))
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

func (h *house) orderOf(t *testing.T, link answer) answer {
	t.Helper()
	a := h.call(t, http.MethodGet, "/v2/orders/"+link.text("payment_link.order_id"), nil)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

// visit is a buyer at a link's page; a nil form only looks.
func (h *house) visit(t *testing.T, link answer, form url.Values) answer {
	t.Helper()
	address, ok := strings.CutPrefix(link.text("payment_link.url"), h.url)
	require.True(t, ok, link.Text)
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	a, err := h.try(t.Context(), method, address, form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	require.NoError(t, err)
	return a
}

// post is a buyer who sends a form at a link's page.
func (h *house) post(t *testing.T, link answer, form url.Values) answer {
	t.Helper()
	return h.visit(t, link, form)
}

func typedCard(number string) url.Values {
	return url.Values{"number": {number}, "exp_month": {"12"}, "exp_year": {"2031"}, "cvc": {"123"}}
}

func TestLinkOfAnOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.link(t, object{"idempotency_key": strings.Repeat("k", 192)})
	id := made.text("payment_link.id")
	require.Equal(t, made.text("payment_link.order_id"), made.text("related_resources.orders.0.id"))
	require.Equal(t, "OPEN", made.text("related_resources.orders.0.state"))
	require.Equal(t, "1", made.text("payment_link.version"))
	require.Equal(t, "https://shop.example/back?x=1", made.text("payment_link.checkout_options.redirect_url"))
	order := h.orderOf(t, made)
	require.Equal(t, "2500", order.text("order.total_money.amount"))
	require.Equal(t, "2500", order.text("order.net_amount_due_money.amount"))
	require.Equal(t, "2000", order.text("order.line_items.0.total_money.amount"))
	require.Equal(t, "pay_1", order.text("order.reference_id"))
	require.Equal(t, "<nil>", order.text("order.tenders"))
	require.Equal(t, id, h.call(t, http.MethodGet, linksPath+"/"+id, nil).text("payment_link.id"))

	again := h.link(t, object{"idempotency_key": strings.Repeat("k", 192)})
	require.Equal(t, made.Text, again.Text)
	unkeyed := h.link(t, nil).text("payment_link.id")
	require.NotEqual(t, unkeyed, h.link(t, nil).text("payment_link.id"), "without a key each is another")

	page := h.visit(t, made, nil)
	require.Equal(t, http.StatusOK, page.Status)
	require.Contains(t, page.Text, "25.00 EUR")
	require.NotContains(t, page.Header.Get("Content-Security-Policy"), "unsafe")

	paid := h.post(t, made, typedCard("4111 1111 1111 1111"))
	require.Equal(t, http.StatusSeeOther, paid.Status, paid.Text)
	require.Equal(t, "https://shop.example/back?x=1", paid.Header.Get("Location"), "the sandbox adds nothing")
	order = h.orderOf(t, made)
	require.Equal(t, "COMPLETED", order.text("order.state"))
	require.Equal(t, "0", order.text("order.net_amount_due_money.amount"))
	require.Equal(t, "2500", order.text("order.tenders.0.amount_money.amount"))
	require.Equal(t, "CARD", order.text("order.tenders.0.type"))
	payment := h.show(t, order.text("order.tenders.0.payment_id"))
	require.Equal(t, "COMPLETED", payment.text("payment.status"))
	require.Equal(t, made.text("payment_link.order_id"), payment.text("payment.order_id"))
	require.Equal(t, "<nil>", payment.text("payment.reference_id"), "it is known by its order")
	require.Equal(t, "order 1", payment.text("payment.note"))

	gone := h.visit(t, made, nil)
	require.Equal(t, http.StatusNotFound, gone.Status)
	require.Contains(t, gone.Text, "closed")
	require.Equal(t, http.StatusNotFound, h.post(t, made, typedCard("4111111111111111")).Status, "it is paid once")
	require.Len(t, h.objects(t, "payment"), 1)
	var told []string
	for _, one := range h.deliveries(t, "order.updated") {
		told = append(told, one.text("data.object.order_updated.state"), one.text("data.object.order_updated.order_id"), one.text("data.id"))
	}
	require.Equal(t, []string{"COMPLETED", made.text("payment_link.order_id"), made.text("payment_link.order_id")}, told)
}

func TestQuickPay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.link(t, object{
		"order": nil, "checkout_options": nil,
		"quick_pay": object{"name": "Tea", "price_money": object{"amount": 500, "currency": "JPY"}, "location_id": locationID},
	})
	require.Equal(t, "Tea", h.orderOf(t, made).text("order.line_items.0.name"))
	require.Contains(t, h.visit(t, made, nil).Text, "500 JPY", "yen have no parts")
	paid := h.post(t, made, typedCard("5105105105105100"))
	require.Equal(t, http.StatusOK, paid.Status, "the buyer is sent nowhere")
	require.Contains(t, paid.Text, `id="paid"`)
	require.Equal(t, "COMPLETED", h.orderOf(t, made).text("order.state"))
}

func TestLinksAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	item := func(changes object) object {
		line := object{"name": "Tea", "quantity": "1", "base_price_money": euros(1000)}
		maps.Copy(line, changes)
		maps.DeleteFunc(line, func(_ string, value any) bool { return value == nil })
		return object{"order": object{"location_id": locationID, "line_items": []any{line}}}
	}
	quick := object{"name": "Tea", "price_money": euros(1000), "location_id": locationID}
	for name, test := range map[string]struct {
		changes     object
		code, field string
	}{
		"neither":          {object{"order": nil}, "MISSING_REQUIRED_PARAMETER", "quick_pay"},
		"both":             {object{"quick_pay": quick}, "CONFLICTING_PARAMETERS", "quick_pay"},
		"a long key":       {object{"idempotency_key": strings.Repeat("k", 193)}, "VALUE_TOO_LONG", "idempotency_key"},
		"unknown":          {object{"colour": "red"}, "UNKNOWN_BODY_PARAMETER", "colour"},
		"another location": {object{"order": object{"location_id": "L2", "line_items": []any{object{"name": "x", "quantity": "1", "base_price_money": euros(1)}}}}, "INVALID_LOCATION", "order.location_id"},
		"no items":         {object{"order": object{"location_id": locationID, "line_items": []any{}}}, "ARRAY_EMPTY", "order.line_items"},
		"no item":          {object{"order": object{"location_id": locationID, "line_items": []any{nil}}}, "EXPECTED_OBJECT", "order.line_items[0]"},
		"no name":          {item(object{"name": nil}), "MISSING_REQUIRED_PARAMETER", "order.line_items[0].name"},
		"a long name":      {item(object{"name": strings.Repeat("n", 513)}), "VALUE_TOO_LONG", "order.line_items[0].name"},
		"a quantity":       {item(object{"quantity": 1}), "EXPECTED_STRING", "order.line_items[0].quantity"},
		"half of one":      {item(object{"quantity": "0.5"}), "INVALID_VALUE", "order.line_items[0].quantity"},
		"a price":          {item(object{"base_price_money": euros(-1)}), "INVALID_VALUE", "order.line_items[0].base_price_money.amount"},
		"a part of a cent": {item(object{"base_price_money": euros(10.5)}), "EXPECTED_INTEGER", "order.line_items[0].base_price_money.amount"},
		"for nothing":      {item(object{"base_price_money": euros(0)}), "VALUE_TOO_LOW", "order.total_money.amount"},
		"too much":         {item(object{"base_price_money": euros(9_999_999_999), "quantity": "2"}), "VALUE_TOO_HIGH", "order.line_items[0].base_price_money.amount"},
		"an address":       {object{"checkout_options": object{"redirect_url": "javascript:alert(1)"}}, "INVALID_VALUE", "checkout_options.redirect_url"},
		"a note":           {object{"payment_note": strings.Repeat("n", 501)}, "VALUE_TOO_LONG", "payment_note"},
		"the buyer":        {object{"pre_populated_data": object{"buyer_email": "nobody"}}, "INVALID_EMAIL_ADDRESS", "pre_populated_data.buyer_email"},
		"metadata":         {object{"order": object{"location_id": locationID, "metadata": object{"a": 1}, "line_items": []any{object{"name": "x", "quantity": "1", "base_price_money": euros(1)}}}}, "EXPECTED_STRING", "order.metadata.a"},
	} {
		a := h.call(t, http.MethodPost, linksPath, newLink(test.changes))
		require.Equal(t, http.StatusBadRequest, a.Status, name)
		require.Equal(t, test.code, a.code(), a.Text)
		require.Equal(t, test.field, a.text("errors.0.field"), name)
	}
	mixed := newLink(object{"order": object{"location_id": locationID, "line_items": []any{
		object{"name": "x", "quantity": "1", "base_price_money": euros(1)},
		object{"name": "y", "quantity": "1", "base_price_money": object{"amount": 1, "currency": "USD"}},
	}}})
	require.Equal(t, "CURRENCY_MISMATCH", h.call(t, http.MethodPost, linksPath, mixed).code())
	require.Empty(t, h.objects(t, ""))
}

func TestDeclinedAtAPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.link(t, nil)
	for number, told := range map[string]string{
		"4000000000000002": "declined", "4000000000009995": "declined", "4111111111111112": "not valid", "4242424242424241": "not valid", "4929000000006": "test cards",
		"4811110000000008": "could not verify",
	} {
		a := h.post(t, made, typedCard(number))
		require.Equal(t, http.StatusOK, a.Status)
		require.Contains(t, a.Text, `id="error"`)
		require.Contains(t, a.Text, told, number)
		require.NotContains(t, a.Text, number)
	}
	order := h.orderOf(t, made)
	require.Equal(t, "OPEN", order.text("order.state"), "the buyer may try again")
	require.Equal(t, "<nil>", order.text("order.tenders"))
	for _, one := range h.objects(t, "payment") {
		require.Equal(t, "FAILED", one.text("status"))
	}
	require.Len(t, h.objects(t, "payment"), 2)
	require.Equal(t, http.StatusSeeOther, h.post(t, made, typedCard("4111111111111111")).Status)
}

func TestTheBankAsksAtAPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.link(t, nil)
	require.Equal(t, http.StatusNotFound, h.post(t, made, url.Values{"outcome": {"complete"}}).Status, "nothing was asked")
	for range 2 {
		asks := h.post(t, made, typedCard("4310000000201019"))
		require.Equal(t, http.StatusOK, asks.Status)
		require.Contains(t, asks.Text, "complete-authentication")
		require.Contains(t, h.visit(t, made, nil).Text, "complete-authentication", "it still does")
		failed := h.post(t, made, url.Values{"outcome": {"fail"}})
		require.Contains(t, failed.Text, "could not verify")
		require.Contains(t, failed.Text, "card-number")
	}
	require.Empty(t, h.objects(t, "payment"))
	h.post(t, made, typedCard("4310000000201019"))
	require.Equal(t, http.StatusSeeOther, h.post(t, made, url.Values{"outcome": {"complete"}}).Status)
	require.Equal(t, "COMPLETED", h.orderOf(t, made).text("order.state"))

	declined := h.link(t, nil)
	h.post(t, declined, typedCard("4000008400001629"))
	require.Contains(t, h.post(t, declined, url.Values{"outcome": {"complete"}}).Text, "declined")
}

func TestDeleteALink(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.link(t, nil)
	id := made.text("payment_link.id")
	h.post(t, made, typedCard("4310000000201019"))
	deleted := h.call(t, http.MethodDelete, linksPath+"/"+id, nil)
	require.Equal(t, id, deleted.text("id"), deleted.Text)
	require.Equal(t, made.text("payment_link.order_id"), deleted.text("cancelled_order_id"))
	require.Equal(t, "CANCELED", h.orderOf(t, made).text("order.state"))
	for _, form := range []url.Values{nil, typedCard("4111111111111111"), {"outcome": {"complete"}}} {
		require.Equal(t, http.StatusNotFound, h.visit(t, made, form).Status)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		require.Equal(t, http.StatusNotFound, h.call(t, method, linksPath+"/"+id, nil).Status, method)
	}

	paid := h.link(t, nil)
	h.post(t, paid, typedCard("4111111111111111"))
	deleted = h.call(t, http.MethodDelete, linksPath+"/"+paid.text("payment_link.id"), nil)
	require.Equal(t, http.StatusOK, deleted.Status)
	require.Equal(t, "<nil>", deleted.text("cancelled_order_id"))
	require.Equal(t, "COMPLETED", h.orderOf(t, paid).text("order.state"), "what is paid stays paid")
}

// A payment can name the order of a link, whose page is closed then.
func TestPaymentOfAnOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.link(t, nil)
	order := made.text("payment_link.order_id")
	wrong := h.call(t, http.MethodPost, "/v2/payments", newPayment("1", object{"order_id": order, "amount_money": euros(2400)}))
	require.Equal(t, "PAYMENT_AMOUNT_MISMATCH", wrong.code())
	declined := h.call(t, http.MethodPost, "/v2/payments", newPayment("2", object{"order_id": order, "source_id": "cnon:card-nonce-declined"}))
	require.Equal(t, "GENERIC_DECLINE", declined.code())
	require.Equal(t, "OPEN", h.orderOf(t, made).text("order.state"))
	paid := h.pay(t, "3", object{"order_id": order})
	require.Equal(t, order, paid.text("payment.order_id"))
	require.Equal(t, http.StatusNotFound, h.post(t, made, typedCard("4111111111111111")).Status)
	again := h.call(t, http.MethodPost, "/v2/payments", newPayment("4", object{"order_id": order}))
	require.Equal(t, "BAD_REQUEST", again.code())
}

// Money that is held for an order keeps others from paying it a second time.
func TestAnOrderIsPaidOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	made := h.link(t, nil)
	order := made.text("payment_link.order_id")
	held := h.pay(t, "1", object{"order_id": order, "autocomplete": false}).text("payment.id")
	second := h.call(t, http.MethodPost, "/v2/payments", newPayment("2", object{"order_id": order}))
	require.Equal(t, http.StatusBadRequest, second.Status, second.Text)
	require.Equal(t, http.StatusNotFound, h.post(t, made, typedCard("4111111111111111")).Status)
	require.Equal(t, "CANCELED", h.call(t, http.MethodPost, "/v2/payments/"+held+"/cancel", nil).text("payment.status"))
	require.Equal(t, http.StatusSeeOther, h.post(t, made, typedCard("4111111111111111")).Status, "it was let go of")
	require.Len(t, h.orderOf(t, made).at("order.tenders"), 1)

	// Not even after its link was deleted is money taken that was let go of by then.
	other := h.link(t, nil)
	held = h.pay(t, "3", object{"order_id": other.text("payment_link.order_id"), "autocomplete": false, "delay_duration": "PT1M"}).text("payment.id")
	require.Equal(t, "<nil>", h.call(t, http.MethodDelete, linksPath+"/"+other.text("payment_link.id"), nil).text("cancelled_order_id"), "an order that money is held for is not canceled")
	h.advance(time.Hour)
	require.Equal(t, "CANCELED", h.show(t, held).text("payment.status"))
}

// A part that is taken is what the order comes to.
func TestOrderOfAPartThatIsTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	held := h.pay(t, "1", object{"autocomplete": false})
	id := held.text("payment.id")
	h.call(t, http.MethodPut, "/v2/payments/"+id, object{"idempotency_key": "2", "payment": object{"amount_money": euros(1000)}})
	h.call(t, http.MethodPost, "/v2/payments/"+id+"/complete", nil)
	order := h.call(t, http.MethodGet, "/v2/orders/"+held.text("payment.order_id"), nil)
	require.Equal(t, "1000", order.text("order.tenders.0.amount_money.amount"))
	require.Equal(t, "COMPLETED", order.text("order.state"))
}

// Several orders are shown at once; those that there are not are left out.
func TestOrdersByTheDozen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first, second := h.pay(t, "1", nil).text("payment.order_id"), h.pay(t, "2", nil).text("payment.order_id")
	ask := func(location string, ids ...any) answer {
		return h.call(t, http.MethodPost, "/v2/orders/batch-retrieve", object{"location_id": location, "order_ids": ids})
	}
	found := ask(locationID, second, "ORD0", first)
	require.Len(t, found.at("orders"), 2, found.Text)
	require.Equal(t, second, found.text("orders.0.id"))
	require.Equal(t, h.call(t, http.MethodGet, "/v2/orders/"+first, nil).at("order"), found.at("orders.1"))
	require.JSONEq(t, `{}`, ask(locationID, "ORD0").Text)
	require.Equal(t, "MISSING_REQUIRED_PARAMETER", ask(locationID).code())
	require.Equal(t, "INVALID_LOCATION", ask("L2", first).code())
}

package stripe_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/stripe"
)

func TestCustomers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.customer(t)
	h.do(t, "/customers/"+id, "name", "Ann", "metadata[a]", "b", "email", "")
	shown := h.get(t, "/customers/"+id)
	require.Equal(t, "Ann", shown.text("name"))
	require.Equal(t, "cus_1", shown.text("metadata.paydesk_customer"))
	require.Equal(t, "<nil>", shown.text("email"))
	h.post(t, "/customers", "email", "nobody").refuses(t, http.StatusBadRequest, "email_invalid", "email")
	h.post(t, "/customers", "colour", "red").refuses(t, http.StatusBadRequest, "parameter_unknown", "colour")
	h.post(t, "/customers/"+id, "invoice_settings[default_payment_method]", "pm_other").refuses(t, http.StatusBadRequest, "<nil>", "invoice_settings[default_payment_method]")

	method := h.saved(t, id, "4242424242424242")
	price := h.price(t, "1000")
	sub := h.do(t, "/subscriptions", "customer", id, "items[0][price]", price, "default_payment_method", method)
	require.Equal(t, "true", h.remove(t, "/customers/"+id).text("deleted"))
	require.Equal(t, "true", h.get(t, "/customers/"+id).text("deleted"))
	require.Equal(t, "canceled", h.subscription(t, sub.text("id")).text("status"))
	require.Equal(t, "<nil>", h.get(t, "/payment_methods/"+method).text("customer"))
	h.post(t, "/customers/"+id, "name", "Ann").refuses(t, http.StatusNotFound, "resource_missing", "id")
	h.post(t, "/setup_intents", "customer", id).refuses(t, http.StatusBadRequest, "resource_missing", "customer")
}

func TestSetupIntents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.customer(t)
	made := h.do(t, "/setup_intents", "customer", id, "usage", "off_session", "automatic_payment_methods[enabled]", "true", "metadata[paydesk_method]", "pm_1")
	require.Equal(t, "requires_payment_method", made.text("status"))
	secret := made.text("client_secret")
	path := "/setup_intents/" + made.text("id")
	h.browser(t, path+"/confirm", append(card("4242424242424242"), "client_secret", "seti_1_secret_2")...).refuses(t, http.StatusNotFound, "resource_missing", "intent")
	h.browser(t, path+"/confirm", append(card("4242424242424242"), "client_secret", secret)...).refuses(t, http.StatusBadRequest, "<nil>", "return_url")
	h.browser(t, path+"/cancel", "client_secret", secret).refuses(t, http.StatusForbidden, "secret_key_required", "<nil>")

	declined := h.confirm(t, made, "4000000000000002")
	require.Equal(t, http.StatusPaymentRequired, declined.Status)
	require.Equal(t, "requires_payment_method", declined.text("error.setup_intent.status"))
	require.Equal(t, "card_declined", h.get(t, path).text("last_setup_error.code"))

	asked := h.browser(t, path+"/confirm", append(card("4000000000003220"), "client_secret", secret, "return_url", "https://shop.example")...)
	require.Equal(t, "requires_action", asked.text("status"))
	require.NotContains(t, asked.Text, "pm_1", "the buyer does not see metadata")
	refused := h.browser(t, "/3ds2/authenticate", "source", made.text("id"), "client_secret", secret, "outcome", "fail")
	require.Equal(t, "setup_intent_authentication_failure", refused.text("last_setup_error.code"))
	require.Equal(t, "succeeded", h.confirm(t, made, "4000000000003220").text("status"))
	shown := h.get(t, path, "expand[]", "payment_method")
	require.Equal(t, id, shown.text("payment_method.customer"))
	require.Equal(t, "3220", shown.text("payment_method.card.last4"))
	h.post(t, path+"/cancel").refuses(t, http.StatusBadRequest, "setup_intent_unexpected_state", "<nil>")
	require.Len(t, h.told(t, "setup_intent.succeeded"), 1)
	require.Len(t, h.told(t, "setup_intent.setup_failed"), 2)
	require.Len(t, h.told(t, "payment_method.attached"), 1)

	other := h.do(t, "/setup_intents", "customer", id)
	require.Equal(t, "canceled", h.do(t, "/setup_intents/"+other.text("id")+"/cancel", "cancellation_reason", "abandoned").text("status"))
	require.Equal(t, []string{other.text("id"), made.text("id")}, h.get(t, "/setup_intents", "customer", id).texts(t, "id"))
}

func TestSavedCardsAreCharged(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  int
		code    string
		decline string
	}{
		"success":         {http.StatusOK, "<nil>", "<nil>"},
		"3ds":             {http.StatusOK, "<nil>", "<nil>"},
		"declined_later":  {http.StatusPaymentRequired, "card_declined", "generic_decline"},
		"3ds_off_session": {http.StatusPaymentRequired, "authentication_required", "authentication_required"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			id := h.customer(t)
			method := h.saved(t, id, stripe.NamedCards[name])
			a := h.off(t, id, method)
			require.Equal(t, test.status, a.Status, a.Text)
			require.Equal(t, test.code, a.text("error.code"))
			require.Equal(t, test.decline, a.text("error.decline_code"))
			status := a.text("status")
			if test.status != http.StatusOK {
				status = h.get(t, "/payment_intents/"+a.text("error.payment_intent.id")).text("status")
				require.Equal(t, "requires_payment_method", status)
				require.Equal(t, "card_error", a.text("error.type"))
				require.Len(t, h.told(t, "payment_intent.payment_failed"), 1)
				return
			}
			require.Equal(t, "succeeded", status)
			require.Equal(t, []string{a.text("id")}, h.get(t, "/payment_intents", "customer", id).texts(t, "id"))
		})
	}
}

func TestACardIsSavedWithAPayment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.customer(t)
	for n, name := range []string{"success", "3ds", "declined_later"} {
		paid := h.paid(t, stripe.NamedCards[name], "customer", id, "setup_future_usage", "off_session")
		method := h.get(t, "/payment_intents/"+paid.text("id"), "expand[]", "payment_method")
		require.Equal(t, id, method.text("payment_method.customer"), name)
		list := h.get(t, "/payment_methods", "customer", id, "type", "card").texts(t, "id")
		require.Len(t, list, n+1)
		require.Equal(t, method.text("payment_method.id"), list[0])
	}
	once := h.paid(t, "4242424242424242").text("payment_method")
	h.off(t, id, once).refuses(t, http.StatusBadRequest, "<nil>", "payment_method")
}

func TestPaymentMethods(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id, other := h.customer(t), h.customer(t)
	method := h.do(t, "/payment_methods/pm_card_visa/attach", "customer", id).text("id")
	h.post(t, "/payment_methods/"+method+"/attach", "customer", other).refuses(t, http.StatusBadRequest, "<nil>", "<nil>")
	h.post(t, "/payment_methods/pm_card_visa_chargeDeclined/attach", "customer", id).refuses(t, http.StatusPaymentRequired, "card_declined", "<nil>")
	h.off(t, other, method).refuses(t, http.StatusBadRequest, "<nil>", "payment_method")
	h.post(t, "/payment_intents", "amount", "2500", "currency", "eur", "payment_method", method).refuses(t, http.StatusBadRequest, "<nil>", "payment_method")
	h.do(t, "/payment_methods/"+method, "metadata[paydesk_method]", "pm_1", "card[exp_year]", "2045")
	require.Equal(t, "2045", h.get(t, "/payment_methods/"+method).text("card.exp_year"))
	require.Equal(t, []string{"pm_1"}, h.get(t, "/customers/"+id+"/payment_methods").texts(t, "metadata.paydesk_method"))

	h.do(t, "/payment_methods/"+method+"/detach")
	require.Empty(t, h.get(t, "/payment_methods", "customer", id).texts(t, "id"))
	h.post(t, "/payment_methods/"+method+"/detach").refuses(t, http.StatusBadRequest, "<nil>", "<nil>")
	h.post(t, "/payment_methods/"+method+"/attach", "customer", id).refuses(t, http.StatusBadRequest, "<nil>", "payment_method")
	h.off(t, id, method).refuses(t, http.StatusBadRequest, "<nil>", "payment_method")
	require.Len(t, h.told(t, "payment_method.detached"), 1)
}

func TestConfirmationAtOnceIsChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.customer(t)
	method := h.saved(t, id, "4242424242424242")
	base := []string{"amount", "2500", "currency", "eur", "customer", id}
	with := func(more ...string) answer {
		return h.post(t, "/payment_intents", append(append([]string{}, base...), more...)...)
	}
	with("confirm", "true", "payment_method", method).refuses(t, http.StatusBadRequest, "<nil>", "return_url")
	with("off_session", "true").refuses(t, http.StatusBadRequest, "parameter_unknown", "off_session")
	with("confirm", "true", "payment_method_types[]", "card").refuses(t, http.StatusBadRequest, "parameter_missing", "payment_method")
	with("payment_method", "pm_nothing").refuses(t, http.StatusBadRequest, "resource_missing", "payment_method")
	asks := with("confirm", "true", "payment_method", h.saved(t, id, "4000002760003184"), "payment_method_types[]", "card", "error_on_requires_action", "true")
	asks.refuses(t, http.StatusPaymentRequired, "authentication_required", "<nil>")
	require.Equal(t, "requires_payment_method", asks.text("error.payment_intent.status"))
	waits := with("payment_method", method)
	require.Equal(t, "requires_confirmation", waits.text("status"), waits.Text)
	paid := h.do(t, "/payment_intents/"+waits.text("id")+"/confirm", "return_url", "https://shop.example")
	require.Equal(t, "succeeded", paid.text("status"))
	h.do(t, "/payment_intents/"+waits.text("id"), "metadata[a]", "b")
	h.post(t, "/payment_intents/"+waits.text("id"), "amount", "100").refuses(t, http.StatusBadRequest, "payment_intent_unexpected_state", "<nil>")
}

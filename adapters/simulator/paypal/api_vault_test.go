package paypal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/paypal"
)

const walletSetup = `{"paypal":{"usage_type":"MERCHANT","experience_context":{"return_url":"https://shop.example/back?a=1","cancel_url":"https://shop.example/no"}}}`

// setup makes a setup token of the customer cus_1, and gives its id.
func (s *store) setup(t *testing.T, source string) string {
	t.Helper()
	a := s.post(t, "/v3/vault/setup-tokens", `{"customer":{"merchant_customer_id":"cus_1"},"payment_source":`+source+`}`)
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a.text("id")
}

// pages posts a form to one of PayPal's own pages.
func (s *store) pages(t *testing.T, address string, form url.Values) reply {
	t.Helper()
	return s.do(t, http.MethodPost, address, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

func exchange(token string) string {
	return `{"payment_source":{"token":{"id":"` + token + `","type":"SETUP_TOKEN"}}}`
}

// saved has a buyer save a card, or his wallet with that card in it.
func (s *store) saved(t *testing.T, number, source string) reply {
	t.Helper()
	body := map[string]string{"paypal": walletSetup, "card": `{"card":{}}`}[source]
	token := s.setup(t, body)
	at := s.get(t, "/v3/vault/setup-tokens/"+token).link("approve")
	agreed := s.pages(t, at, card(number))
	if number == paypal.NamedCards["3ds"] || number == paypal.NamedCards["3ds_off_session"] {
		require.Contains(t, agreed.Text, "complete-authentication")
		agreed = s.pages(t, at, url.Values{"outcome": {"complete"}})
	}
	require.Less(t, agreed.Status, http.StatusBadRequest)
	a := s.post(t, "/v3/vault/payment-tokens", exchange(token))
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a
}

// chargeSaved pays with what is saved.
func (s *store) chargeSaved(t *testing.T, intent, source, id string) reply {
	t.Helper()
	more := `,"stored_credential":{"payment_initiator":"MERCHANT","payment_type":"UNSCHEDULED","usage":"SUBSEQUENT"}`
	if source == "paypal" {
		more = ""
	}
	return s.post(t, "/v2/checkout/orders", ordered(intent, `{"`+source+`":{"vault_id":"`+id+`"`+more+`}}`))
}

func TestSaveAWallet(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	a := s.post(t, "/v3/vault/setup-tokens", `{"payment_source":`+walletSetup+`}`)
	require.Equal(t, "PAYER_ACTION_REQUIRED", a.text("status"))
	customer, token := a.text("customer.id"), a.text("id")
	require.NotEmpty(t, customer)
	unprocessable(t, s.post(t, "/v3/vault/payment-tokens", exchange(token)), "INVALID_SETUP_TOKEN_STATUS")
	page := s.do(t, http.MethodGet, a.link("approve"), "")
	require.Contains(t, page.Text, "Nothing is paid now.")
	require.Contains(t, page.Text, "Agree and save")
	agreed := s.pages(t, a.link("approve"), card(success))
	require.Equal(t, http.StatusSeeOther, agreed.Status)
	require.Equal(t, "https://shop.example/back?a=1&approval_session_id="+token+"&approval_token_id="+token, agreed.Header.Get("Location"))
	require.Equal(t, "APPROVED", s.get(t, "/v3/vault/setup-tokens/"+token).text("status"))
	made := s.post(t, "/v3/vault/payment-tokens", exchange(token))
	require.Equal(t, "PAYERSZ234567", made.text("payment_source.paypal.account_id"))
	require.Equal(t, customer, made.text("customer.id"))
	unprocessable(t, s.post(t, "/v3/vault/payment-tokens", exchange(token)), "INVALID_SETUP_TOKEN_STATUS")
	require.Equal(t, http.StatusNotFound, s.pages(t, a.link("approve"), card(success)).Status)

	for _, intent := range []string{"CAPTURE", "AUTHORIZE"} {
		paid := s.chargeSaved(t, intent, "paypal", made.text("id"))
		require.Equal(t, http.StatusCreated, paid.Status, paid.Text)
		require.Equal(t, "COMPLETED", paid.text("status"), "in one step")
		if intent == "CAPTURE" {
			require.Equal(t, "COMPLETED", paid.text(captures+".status"))
		} else {
			require.Equal(t, "CREATED", paid.text(authorizations+".status"))
		}
	}
	require.Empty(t, s.told(t, "CHECKOUT.ORDER.APPROVED"))

	at := "/v3/vault/payment-tokens/" + made.text("id")
	require.Equal(t, made.text("id"), s.get(t, "/v3/vault/payment-tokens?customer_id="+customer).text("payment_tokens.0.id"))
	for range 2 {
		require.Equal(t, http.StatusNoContent, s.do(t, http.MethodDelete, at, "", s.api()...).Status)
	}
	require.Equal(t, http.StatusNotFound, s.get(t, at).Status)
	require.Nil(t, s.get(t, "/v3/vault/payment-tokens?customer_id="+customer).at("payment_tokens.0"))
	refused(t, s.chargeSaved(t, "CAPTURE", "paypal", made.text("id")), 403, "NOT_AUTHORIZED", "PERMISSION_DENIED")
	require.Equal(t, made.text("id"), s.told(t, "VAULT.PAYMENT-TOKEN.CREATED")[0].What["id"])
	require.Len(t, s.told(t, "VAULT.PAYMENT-TOKEN.DELETED"), 1)
}

func TestSaveACard(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	token := s.setup(t, `{"card":{"verification_method":"SCA_WHEN_REQUIRED"}}`)
	for number, code := range map[string]string{"4000000000000002": "INSTRUMENT_DECLINED", "4012": "INVALID_NUMBER"} {
		a := s.ask(t, http.MethodPost, token+"/confirm", card(number), "funding", "card")
		require.Equal(t, code, a.text("error.code"), a.Text)
	}
	require.Equal(t, "INVALID_SOURCE", s.ask(t, http.MethodPost, s.setup(t, walletSetup)+"/confirm", card(success), "funding", "card").text("error.code"))
	asked := s.ask(t, http.MethodPost, token+"/confirm", card(paypal.NamedCards["3ds"]), "funding", "card")
	require.Equal(t, "true", asked.text("asks"))
	require.Equal(t, "AUTHENTICATION_FAILED", s.ask(t, http.MethodPost, token+"/authenticate", url.Values{"outcome": {"fail"}}).text("error.code"))
	s.ask(t, http.MethodPost, token+"/confirm", card(paypal.NamedCards["3ds"]), "funding", "card")
	require.Equal(t, "APPROVED", s.ask(t, http.MethodPost, token+"/authenticate", url.Values{"outcome": {"complete"}}).text("status"))
	made := s.post(t, "/v3/vault/payment-tokens", exchange(token))
	require.Equal(t, "7704", made.text("payment_source.card.last_digits"))
	require.Equal(t, "2040-12", made.text("payment_source.card.expiry"))
	require.Equal(t, "cus_1", made.text("customer.merchant_customer_id"))
	require.Equal(t, "COMPLETED", s.chargeSaved(t, "CAPTURE", "card", made.text("id")).text(captures+".status"), "it asked once")
	refused(t, s.chargeSaved(t, "CAPTURE", "paypal", made.text("id")), 403, "NOT_AUTHORIZED", "PERMISSION_DENIED")

	late := s.setup(t, `{"card":{}}`)
	s.pass(t, 3*day)
	require.Equal(t, http.StatusNotFound, s.get(t, "/v3/vault/setup-tokens/"+late).Status)
	refused(t, s.post(t, "/v3/vault/payment-tokens", exchange(late)), 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
}

func TestTheVaultIsStrict(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, path := range []string{"/v3/vault/setup-tokens", "/v3/vault/payment-tokens"} {
		body := map[string]string{"/v3/vault/setup-tokens": `{"payment_source":{"card":{}}}`, "/v3/vault/payment-tokens": exchange("T")}[path]
		a := s.do(t, http.MethodPost, path, body, s.api()...)
		refused(t, a, 400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")
		require.Equal(t, "PayPal-Request-Id", a.text("details.0.field"))
	}
	for body, issue := range map[string]string{
		`{}`:                    "MISSING_REQUIRED_PARAMETER",
		`{"payment_source":{}}`: "INVALID_PARAMETER_VALUE",
		`{"payment_source":{"card":{"number":"4012888888881881"}}}`:                  "INVALID_PARAMETER",
		`{"payment_source":{"paypal":{}}}`:                                           "MISSING_REQUIRED_PARAMETER",
		`{"payment_source":{"paypal":{"usage_type":"MERCHANT"}}}`:                    "MISSING_REQUIRED_PARAMETER",
		`{"customer":{"id":"12345678901234567890123"},"payment_source":{"card":{}}}`: "INVALID_STRING_LENGTH",
	} {
		refused(t, s.post(t, "/v3/vault/setup-tokens", body), 400, "INVALID_REQUEST", issue)
	}
	refused(t, s.get(t, "/v3/vault/payment-tokens"), 400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")
	require.Equal(t, http.StatusNotFound, s.do(t, http.MethodGet, "/v3/vault/other", "", s.api()...).Status)
}

func TestSavedPagesOfACustomer(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	customer := ""
	for range 7 {
		customer = s.saved(t, success, "card").text("customer.id")
	}
	first := s.get(t, "/v3/vault/payment-tokens?total_required=true&customer_id="+customer)
	require.Equal(t, "7", first.text("total_items"), "one customer, whose shop calls him so")
	require.Len(t, first.at("payment_tokens"), 5)
	require.Len(t, s.get(t, first.link("next")).at("payment_tokens"), 2)
}

func TestSaveWhilePaying(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"paypal", "card"} {
		s := newStore(t)
		usage := map[string]string{"paypal": `,"usage_type":"MERCHANT"`}[source]
		body := `{"` + source + `":{"attributes":{"customer":{"merchant_customer_id":"cus_1"},"vault":{"store_in_vault":"ON_SUCCESS"` + usage + `}}}}`
		order := s.create(t, "CAPTURE", body)
		s.agree(t, order, success, source)
		paid := s.post(t, "/v2/checkout/orders/"+order+"/capture", "")
		vault := "payment_source." + source + ".attributes.vault."
		require.Equal(t, "VAULTED", paid.text(vault+"status"))
		id := paid.text(vault + "id")
		require.Equal(t, id, s.get(t, "/v2/checkout/orders/"+order).text(vault+"id"))
		require.Equal(t, id, s.get(t, "/v3/vault/payment-tokens?customer_id="+paid.text(vault+"customer.id")).text("payment_tokens.0.id"))
		require.Equal(t, "COMPLETED", s.chargeSaved(t, "CAPTURE", source, id).text(captures+".status"))
		require.Equal(t, id, fmt.Sprint(s.told(t, "VAULT.PAYMENT-TOKEN.CREATED")[0].What["id"]))

		order = s.create(t, "CAPTURE", body)
		s.agree(t, order, paypal.NamedCards["insufficient_funds"], source)
		require.Nil(t, s.post(t, "/v2/checkout/orders/"+order+"/capture", "").at("payment_source."+source+".attributes"), "nothing was paid")
	}
}

func TestSavedCardsThatFailLater(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	wallet := s.saved(t, paypal.NamedCards["declined_later"], "paypal").text("id")
	unprocessable(t, s.chargeSaved(t, "CAPTURE", "paypal", wallet), "INSTRUMENT_DECLINED")
	saved := s.saved(t, paypal.NamedCards["declined_later"], "card").text("id")
	declined := s.chargeSaved(t, "CAPTURE", "card", saved)
	require.Equal(t, "COMPLETED", declined.text("status"))
	require.Equal(t, "DECLINED", declined.text(captures+".status"))
	require.Equal(t, "DENIED", s.chargeSaved(t, "AUTHORIZE", "card", saved).text(authorizations+".status"))
	require.Equal(t, "COMPLETED", s.captured(t, paypal.NamedCards["declined_later"], "card").text(captures+".status"), "its holder is there")

	for _, source := range []string{"paypal", "card"} {
		asking := s.saved(t, paypal.NamedCards["3ds_off_session"], source).text("id")
		asked := s.chargeSaved(t, "CAPTURE", source, asking)
		require.Equal(t, http.StatusCreated, asked.Status)
		require.Equal(t, "PAYER_ACTION_REQUIRED", asked.text("status"))
		require.Nil(t, asked.at(captures))
		done := s.pages(t, asked.link("payer-action"), url.Values{"outcome": {"complete"}})
		require.Less(t, done.Status, http.StatusBadRequest)
		require.Equal(t, "COMPLETED", s.post(t, "/v2/checkout/orders/"+asked.text("id")+"/capture", "").text(captures+".status"))
	}
}

package paypal_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/paypal"
)

func withBase(o *paypal.Options) { o.BaseURL = "https://paypal.example/sim/" }

func TestCards(t *testing.T) {
	t.Parallel()
	tests := []struct{ number, holder, code string }{
		{success, "", ""},
		{"4005519200000004", "", ""},
		{"2223000048400011", "", ""},
		{"371449635398431", "Jane Doe", ""},
		{"4868719196829038", "", ""},
		{"4868719158130060", "", "7710"},
		{"4242 4242 4242 4242", "", ""},
		{"4000000000000002", "", "5100"},
		{"4000000000009995", "", "5120"},
		{"4000000000000069", "", "5400"},
		{"4000000000000127", "", "00N7"},
		{"4000000000000119", "", "9100"},
		{"4000000000009979", "", "9520"},
		{"4100000000000019", "", "9500"},
		{success, "CCREJECT-REFUSED", "0500"},
		{success, "CCREJECT-IF", "5120"},
		{success, "ccreject-ec", "5400"},
		{success, "CCREJECT-SF", "9500"},
		{success, "CCREJECT-LS", "9520"},
		{success, "CCREJECT-IRC", "5180"},
		{success, "CCREJECT-IA", "1330"},
		{success, "CCREJECT-BANK_ERROR", "5100"},
		{success, "CCREJECT-CVV_F", "00N7"},
	}
	for _, test := range tests {
		for _, funding := range []string{"card", "paypal"} {
			t.Run(funding+" "+test.number+" "+test.holder, func(t *testing.T) {
				t.Parallel()
				s := newStore(t)
				a := s.captured(t, test.number, funding, "name", test.holder)
				require.NotContains(t, a.Text, strings.ReplaceAll(test.number, " ", ""))
				if funding == "paypal" && test.code == "5100" {
					unprocessable(t, a, "INSTRUMENT_DECLINED")
					require.NotEmpty(t, a.link("redirect"))
					return
				}
				require.Equal(t, http.StatusCreated, a.Status, a.Text)
				require.Equal(t, "COMPLETED", a.text("status"), "whatever became of the money")
				kind, status := "PAYMENT.CAPTURE.COMPLETED", "COMPLETED"
				if test.code != "" {
					kind, status = map[string]string{"card": "PAYMENT.CAPTURE.DECLINED", "paypal": "PAYMENT.CAPTURE.DENIED"}[funding], "DECLINED"
					require.Equal(t, test.code, a.text(captures+".processor_response.response_code"))
					require.Nil(t, a.at(captures+".seller_receivable_breakdown"))
				} else if funding == "card" {
					require.Equal(t, "0000", a.text(captures+".processor_response.response_code"))
				}
				require.Equal(t, status, a.text(captures+".status"))
				require.Len(t, s.told(t, kind), 1)
				if funding == "card" {
					digits := strings.ReplaceAll(test.number, " ", "")
					require.Equal(t, digits[len(digits)-4:], a.text("payment_source.card.last_digits"))
					require.Nil(t, a.at("payer"))
				} else {
					require.Equal(t, "PAYERSZ234567", a.text("payment_source.paypal.account_id"))
				}
			})
		}
	}
}

func TestCardsThatReachNoBank(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.create(t, "CAPTURE", "")
	for name, form := range map[string]url.Values{
		"a wrong digit":   card("4012888888881882"),
		"too short":       card("4012"),
		"a real card":     card("4111111111111111"),
		"past month":      card(success, "exp_month", "2", "exp_year", "2026"),
		"no month":        card(success, "exp_month", "13"),
		"far year":        card(success, "exp_year", "2099"),
		"short code":      card(success, "cvc", "12"),
		"letters":         card(success, "cvc", "abc"),
		"an endless name": card(success, "name", strings.Repeat("x", 301)),
	} {
		a := s.visit(t, order, form)
		require.Equal(t, http.StatusOK, a.Status, name)
		require.Contains(t, a.Text, `id="error"`, name)
		require.Contains(t, a.Text, "25.00 EUR")
		require.Equal(t, "CREATED", s.get(t, "/v2/checkout/orders/"+order).text("status"), name)
	}
	s.agree(t, order, success, "paypal")
	require.Empty(t, s.told(t, "PAYMENT.CAPTURE.COMPLETED"))
}

// A wallet whose bank says no is not the end of an order: the buyer agrees by other means.
func TestAnotherInstrument(t *testing.T) {
	t.Parallel()
	for source, open := range map[string]string{walletSource: "PAYER_ACTION_REQUIRED", "": "CREATED"} {
		s := newStore(t)
		order := s.create(t, "CAPTURE", source)
		at := "/v2/checkout/orders/" + order
		s.agree(t, order, "4000000000000002", "paypal")
		unprocessable(t, s.post(t, at+"/capture", ""), "INSTRUMENT_DECLINED")
		require.Equal(t, open, s.get(t, at).text("status"))
		unprocessable(t, s.post(t, at+"/capture", ""), "ORDER_NOT_APPROVED")
		s.agree(t, order, success, "paypal")
		require.Equal(t, "COMPLETED", s.post(t, at+"/capture", "").text(captures+".status"))
		require.Len(t, s.told(t, "CHECKOUT.ORDER.APPROVED"), 2)
	}
}

func TestThreeDSecureInTheWallet(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.create(t, "CAPTURE", walletSource)
	at := "/v2/checkout/orders/" + order
	asked := s.visit(t, order, card(paypal.NamedCards["3ds"]))
	require.Contains(t, asked.Text, "complete-authentication")
	require.Equal(t, "PAYER_ACTION_REQUIRED", s.get(t, at).text("status"))
	failed := s.visit(t, order, url.Values{"outcome": {"fail"}})
	require.Equal(t, http.StatusOK, failed.Status)
	require.Contains(t, failed.Text, "could not confirm that it was you")
	unprocessable(t, s.post(t, at+"/capture", ""), "ORDER_NOT_APPROVED")

	s.visit(t, order, card("4000000000003220"))
	done := s.visit(t, order, url.Values{"outcome": {"complete"}})
	require.Equal(t, http.StatusSeeOther, done.Status)
	require.Equal(t, "https://shop.example/back?PayerID=PAYERSZ234567&a=1&token="+order, done.Header.Get("Location"))
	require.Equal(t, "COMPLETED", s.post(t, at+"/capture", "").text(captures+".status"))
}

func TestThreeDSecureInCardFields(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ number, source, outcome, shift, reply, code string }{
		"passed":          {"4868719460707704", "", "complete", "POSSIBLE", "Y", "0000"},
		"failed":          {"4868719460707704", "", "fail", "NO", "N", "7710"},
		"then declined":   {"4000008400001629", "", "complete", "POSSIBLE", "Y", "5100"},
		"asked of anyone": {success, `{"card":{"attributes":{"verification":{"method":"SCA_ALWAYS"}}}}`, "complete", "POSSIBLE", "Y", "0000"},
		"frictionless":    {"4868719196829038", "", "", "POSSIBLE", "Y", "0000"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			order := s.create(t, "CAPTURE", test.source)
			at := "/v2/checkout/orders/" + order
			s.visit(t, order, card(test.number, "funding", "card"))
			if test.outcome != "" {
				shown := s.get(t, at)
				require.Equal(t, "PAYER_ACTION_REQUIRED", shown.text("status"))
				a := s.post(t, at+"/capture", "")
				unprocessable(t, a, "PAYER_ACTION_REQUIRED")
				require.Equal(t, shown.link("payer-action"), a.link("payer-action"))
				s.visit(t, order, url.Values{"outcome": {test.outcome}})
			}
			shown := s.get(t, at)
			require.Equal(t, "APPROVED", shown.text("status"))
			require.Equal(t, test.shift, shown.text("payment_source.card.authentication_result.liability_shift"))
			require.Equal(t, test.reply, shown.text("payment_source.card.authentication_result.three_d_secure.authentication_status"))
			require.Equal(t, test.code, s.post(t, at+"/capture", "").text(captures+".processor_response.response_code"))
		})
	}
}

func TestThePageWhereBuyersAgree(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.create(t, "CAPTURE", walletSource)
	page := s.do(t, http.MethodGet, "/checkoutnow?token="+order, "")
	require.Equal(t, http.StatusOK, page.Status)
	require.Contains(t, page.Text, "25.00 EUR")
	require.Contains(t, page.Text, "https://shop.example/no?token="+order)
	require.NotContains(t, page.Header.Get("Content-Security-Policy"), "unsafe")
	require.Equal(t, http.StatusNotFound, s.do(t, http.MethodGet, "/checkoutnow?token=none", "").Status)

	embedded := s.create(t, "CAPTURE", "")
	agreed := s.visit(t, embedded, card(success))
	require.Equal(t, http.StatusOK, agreed.Status)
	require.Contains(t, agreed.Text, `data-order="`+embedded+`"`)
	require.NotContains(t, agreed.Header.Get("Content-Security-Policy"), "unsafe")
	require.Equal(t, http.StatusOK, s.do(t, http.MethodGet, "/sdk/assets/agreed.js", "").Status)
	require.Equal(t, "APPROVED", s.get(t, "/v2/checkout/orders/"+embedded).text("status"))
}

func TestCaptureWhatIsHeld(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	id := s.held(t)
	at := "/v2/payments/authorizations/" + id
	capture := func(body string) reply { return s.post(t, at+"/capture", body) }
	amount := func(value, more string) string {
		return `{"amount":{"currency_code":"EUR","value":"` + value + `"}` + more + `}`
	}
	shown := s.get(t, at)
	require.Equal(t, "2026-03-30T12:00:00Z", shown.text("expiration_time"))
	order := shown.text("supplementary_data.related_ids.order_id")
	require.NotEmpty(t, order)
	unprocessable(t, capture(`{"amount":{"currency_code":"USD","value":"1.00"}}`), "AUTH_CAPTURE_CURRENCY_MISMATCH")
	unprocessable(t, capture(amount("25.01", "")), "MAX_CAPTURE_AMOUNT_EXCEEDED")
	unprocessable(t, capture(amount("0", "")), "CANNOT_BE_ZERO_OR_NEGATIVE")
	unprocessable(t, capture(amount("1.001", "")), "DECIMAL_PRECISION")

	short := s.do(t, http.MethodPost, at+"/capture", amount("10.00", ""), s.api()...)
	require.Equal(t, http.StatusCreated, short.Status)
	require.Equal(t, "COMPLETED", short.text("status"))
	require.Nil(t, short.at("amount"), "nobody preferred to see it")
	require.Equal(t, "PARTIALLY_CAPTURED", s.get(t, at).text("status"))
	unprocessable(t, capture(""), "MAX_CAPTURE_AMOUNT_EXCEEDED") // without an amount it is all that was held
	last := capture(amount("5.5", `,"final_capture":true`))
	require.Equal(t, "5.50", last.text("amount.value"))
	require.Equal(t, "true", last.text("final_capture"))
	require.Equal(t, id, last.text("supplementary_data.related_ids.authorization_id"))
	require.Equal(t, order, last.text("supplementary_data.related_ids.order_id"))
	require.Equal(t, s.url+"/paypal"+at, last.link("up"))
	require.Equal(t, "CAPTURED", s.get(t, at).text("status"))
	unprocessable(t, capture(amount("1.00", "")), "AUTHORIZATION_ALREADY_CAPTURED")
	unprocessable(t, s.post(t, at+"/void", ""), "PREVIOUSLY_CAPTURED")
	all := s.get(t, "/v2/checkout/orders/"+order)
	require.Equal(t, "CAPTURED", all.text(authorizations+".status"))
	require.Equal(t, "5.50", all.text("purchase_units.0.payments.captures.1.amount.value"))
	require.Len(t, s.told(t, "PAYMENT.CAPTURE.COMPLETED"), 2)

	whole := s.held(t)
	require.Equal(t, "25.00", s.post(t, "/v2/payments/authorizations/"+whole+"/capture", "").text("amount.value"))
	part := s.held(t)
	s.post(t, "/v2/payments/authorizations/"+part+"/capture", amount("1.00", ""))
	require.Equal(t, "VOIDED", s.post(t, "/v2/payments/authorizations/"+part+"/void", "{}").text("status"), "the rest is let go")
	unprocessable(t, s.post(t, "/v2/payments/authorizations/"+part+"/capture", amount("1.00", "")), "AUTHORIZATION_VOIDED")
}

func TestAHoldIsCapturedSoOftenOnly(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	at := "/v2/payments/authorizations/" + s.held(t) + "/capture"
	cent := `{"amount":{"currency_code":"EUR","value":"0.01"}}`
	for range 99 {
		require.Equal(t, http.StatusCreated, s.post(t, at, cent).Status)
	}
	unprocessable(t, s.post(t, at, cent), "MAX_CAPTURE_COUNT_EXCEEDED")
}

func TestAuthorizationsThatAreNone(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	hold := func(number, funding string) reply {
		order := s.create(t, "AUTHORIZE", "")
		s.agree(t, order, number, funding)
		return s.post(t, "/v2/checkout/orders/"+order+"/authorize", "")
	}
	unprocessable(t, hold("4000000000000002", "paypal"), "INSTRUMENT_DECLINED")
	for number, code := range map[string]string{"4000000000000002": "5100", "4000000000009995": "5120"} {
		a := hold(number, "card")
		require.Equal(t, http.StatusCreated, a.Status)
		require.Equal(t, "COMPLETED", a.text("status"))
		require.Equal(t, "DENIED", a.text(authorizations+".status"))
		require.Equal(t, code, a.text(authorizations+".processor_response.response_code"))
		at := "/v2/payments/authorizations/" + a.text(authorizations+".id")
		unprocessable(t, s.post(t, at+"/capture", ""), "AUTHORIZATION_DENIED")
		unprocessable(t, s.post(t, at+"/void", ""), "CANNOT_BE_VOIDED")
	}
	require.Empty(t, s.told(t, "PAYMENT.AUTHORIZATION.CREATED"))

	waits := hold(paypal.NamedCards["echeck"], "paypal")
	at := "/v2/payments/authorizations/" + waits.text(authorizations+".id")
	require.Equal(t, "PENDING", waits.text(authorizations+".status"))
	require.Equal(t, "PENDING_REVIEW", waits.text(authorizations+".status_details.reason"))
	unprocessable(t, s.post(t, at+"/capture", ""), "TRANSACTION_REFUSED")
	s.advance(time.Hour)
	require.Equal(t, "CREATED", s.get(t, at).text("status"))
	require.Equal(t, "COMPLETED", s.post(t, at+"/capture", "").text("status"))
}

func TestAuthorizationsRunOut(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	untouched, part := s.held(t), s.held(t)
	amount := `{"amount":{"currency_code":"EUR","value":"10.00"}}`
	s.post(t, "/v2/payments/authorizations/"+part+"/capture", amount)
	s.advance(29*24*time.Hour - time.Second)
	s.token = s.newToken(t)
	require.Equal(t, "CREATED", s.get(t, "/v2/payments/authorizations/"+untouched).text("status"))
	s.advance(time.Second)
	for _, id := range []string{untouched, part} {
		require.Equal(t, "VOIDED", s.get(t, "/v2/payments/authorizations/"+id).text("status"))
		unprocessable(t, s.post(t, "/v2/payments/authorizations/"+id+"/capture", amount), "AUTHORIZATION_EXPIRED")
		unprocessable(t, s.post(t, "/v2/payments/authorizations/"+id+"/void", ""), "PREVIOUSLY_VOIDED")
	}
	s.paypal.Elapse()
	require.Len(t, s.told(t, "PAYMENT.AUTHORIZATION.VOIDED"), 2)
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	paid := s.captured(t, success, "paypal")
	capture := paid.text(captures + ".id")
	at := "/v2/payments/captures/" + capture
	refund := func(body string) reply { return s.post(t, at+"/refund", body) }
	amount := func(value, more string) string {
		return `{"amount":{"currency_code":"EUR","value":"` + value + `"}` + more + `}`
	}
	unprocessable(t, refund(`{"amount":{"currency_code":"USD","value":"1.00"}}`), "REFUND_CAPTURE_CURRENCY_MISMATCH")
	unprocessable(t, refund(amount("25.01", "")), "REFUND_AMOUNT_EXCEEDED")
	refused(t, refund(amount("1.00", `,"reason":"x"`)), 400, "INVALID_REQUEST", "INVALID_PARAMETER")
	part := refund(amount("10.00", `,"custom_id":"re_1","invoice_id":"R-1","note_to_payer":"Sorry"`))
	require.Equal(t, http.StatusCreated, part.Status, part.Text)
	shown := s.get(t, "/v2/payments/refunds/"+part.text("id"))
	require.Equal(t, "re_1", shown.text("custom_id"))
	require.Equal(t, "COMPLETED", shown.text("status"))
	require.Equal(t, "10.00", shown.text("amount.value"))
	require.Equal(t, s.url+"/paypal"+at, shown.link("up"))
	require.Equal(t, "PARTIALLY_REFUNDED", s.get(t, at).text("status"))
	unprocessable(t, refund(amount("1.00", `,"invoice_id":"R-1"`)), "DUPLICATE_INVOICE_ID")
	unprocessable(t, refund(amount("15.01", "")), "REFUND_AMOUNT_EXCEEDED")

	rest := s.do(t, http.MethodPost, at+"/refund", "", s.api()...)
	require.Equal(t, http.StatusCreated, rest.Status)
	require.Nil(t, rest.at("amount"), "nobody preferred to see it")
	require.Equal(t, "15.00", s.get(t, "/v2/payments/refunds/"+rest.text("id")).text("amount.value"))
	require.Equal(t, "REFUNDED", s.get(t, at).text("status"))
	unprocessable(t, refund(""), "CAPTURE_FULLY_REFUNDED")
	require.Equal(t, "10.00", s.get(t, "/v2/checkout/orders/"+paid.text("id")).text(refunds+".amount.value"))
	told := s.told(t, "PAYMENT.CAPTURE.REFUNDED")
	require.Len(t, told, 2)

	declined := s.captured(t, "4000000000009995", "card").text(captures + ".id")
	unprocessable(t, s.post(t, "/v2/payments/captures/"+declined+"/refund", ""), "REFUND_NOT_ALLOWED")
	old := s.captured(t, success, "card").text(captures + ".id")
	s.advance(181 * 24 * time.Hour)
	s.token = s.newToken(t)
	unprocessable(t, s.post(t, "/v2/payments/captures/"+old+"/refund", ""), "REFUND_TIME_LIMIT_EXCEEDED")
}

func TestMoneyThatTakesItsTime(t *testing.T) {
	t.Parallel()
	for source, reason := range map[string]string{
		"": "ECHECK", `{"paypal":{"experience_context":{"payment_method_preference":"IMMEDIATE_PAYMENT_REQUIRED"}}}`: "PENDING_REVIEW",
	} {
		s := newStore(t)
		order := s.create(t, "CAPTURE", source)
		s.agree(t, order, paypal.NamedCards["echeck"], "paypal")
		a := s.post(t, "/v2/checkout/orders/"+order+"/capture", "")
		require.Equal(t, "PENDING", a.text(captures+".status"))
		require.Equal(t, reason, a.text(captures+".status_details.reason"))
		at := "/v2/payments/captures/" + a.text(captures+".id")
		unprocessable(t, s.post(t, at+"/refund", ""), "PENDING_CAPTURE")
		s.paypal.Elapse()
		require.Equal(t, "PENDING", s.get(t, at).text("status"), "no time has gone by")
		s.advance(time.Hour)
		require.Equal(t, "COMPLETED", s.get(t, at).text("status"))

		back := s.post(t, at+"/refund", "")
		require.Equal(t, "PENDING", back.text("status"))
		s.advance(time.Hour)
		require.Equal(t, "COMPLETED", s.get(t, "/v2/payments/refunds/"+back.text("id")).text("status"))
		require.ElementsMatch(t, []string{
			"CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.PENDING", "CHECKOUT.ORDER.COMPLETED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.REFUND.PENDING",
			"PAYMENT.CAPTURE.REFUNDED",
		}, s.toldTypes(t))
	}
}

func TestDisputes(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	_, err := s.paypal.OpenDispute("pay_1", "fraudulent", 0, false)
	require.ErrorIs(t, err, engine.ErrNoPayment)
	paid := s.captured(t, success, "paypal")
	capture := paid.text(captures + ".id")
	_, err = s.paypal.OpenDispute("", "fraudulent", 0, false)
	require.ErrorIs(t, err, engine.ErrNoPayment)
	_, err = s.paypal.OpenDispute("pay_1", "fraudulent", 2501, false)
	require.ErrorIs(t, err, engine.ErrDisputeAmount)
	id, err := s.paypal.OpenDispute("pay_1", "product_not_received", 1000, false)
	require.NoError(t, err)
	_, err = s.paypal.OpenDispute("pay_1", "fraudulent", 0, false)
	require.ErrorIs(t, err, engine.ErrDisputed)

	shown := s.get(t, "/v1/customer/disputes/"+id)
	require.Equal(t, "WAITING_FOR_SELLER_RESPONSE", shown.text("status"))
	require.Equal(t, "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", shown.text("reason"))
	require.Equal(t, "CHARGEBACK", shown.text("dispute_life_cycle_stage"))
	require.Equal(t, "10.00", shown.text("dispute_amount.value"))
	require.Equal(t, capture, shown.text("disputed_transactions.0.seller_transaction_id"))
	require.NotEmpty(t, shown.text("seller_response_due_date"))
	unprocessable(t, s.post(t, "/v2/payments/captures/"+capture+"/refund", ""), "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")
	list := s.get(t, "/v1/customer/disputes?disputed_transaction_id="+capture)
	require.Equal(t, id, list.text("items.0.dispute_id"))
	require.Nil(t, list.at("items.0.disputed_transactions"), "a list tells less")
	require.Nil(t, s.get(t, "/v1/customer/disputes?dispute_state=RESOLVED").at("items.0"))
	refused(t, s.get(t, "/v1/customer/disputes?page_size=51"), 400, "INVALID_REQUEST", "INVALID_PARAMETER_VALUE")
	refused(t, s.get(t, "/v1/customer/disputes?start_time=2026-03-01"), 400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX")

	require.ErrorIs(t, s.paypal.CloseDispute("PP-D-0", "won"), engine.ErrNoDispute)
	require.NoError(t, s.paypal.CloseDispute(id, "won"))
	require.ErrorIs(t, s.paypal.CloseDispute(id, "lost"), engine.ErrDisputeFinished)
	shown = s.get(t, "/v1/customer/disputes/"+id)
	require.Equal(t, "RESOLVED", shown.text("status"))
	require.Equal(t, "RESOLVED_SELLER_FAVOUR", shown.text("dispute_outcome.outcome_code"))
	require.Equal(t, http.StatusCreated, s.post(t, "/v2/payments/captures/"+capture+"/refund", "").Status)
	require.Len(t, s.told(t, "CUSTOMER.DISPUTE.CREATED"), 1)
	require.Equal(t, id, s.told(t, "CUSTOMER.DISPUTE.RESOLVED")[0].What["dispute_id"])
}

func TestDisputedCards(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	a := s.captured(t, paypal.NamedCards["disputed"], "card")
	told := s.told(t, "CUSTOMER.DISPUTE.CREATED")
	require.Len(t, told, 1)
	require.NoError(t, s.paypal.CloseDispute(fmt.Sprint(told[0].What["dispute_id"]), "lost"))
	unprocessable(t, s.post(t, "/v2/payments/captures/"+a.text(captures+".id")+"/refund", ""), "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")

	asked := s.captured(t, "4000000000001976", "paypal").text(captures + ".id")
	require.Equal(t, "INQUIRY", s.get(t, "/v1/customer/disputes").text("items.0.dispute_life_cycle_stage"), "newest first")
	at := "/v2/payments/captures/" + asked + "/refund"
	unprocessable(t, s.post(t, at, `{"amount":{"currency_code":"EUR","value":"1.00"}}`), "TRANSACTION_DISPUTED")
	require.Equal(t, http.StatusCreated, s.post(t, at, "").Status)

	order := s.create(t, "AUTHORIZE", "")
	s.agree(t, order, "4000000000002685", "card")
	held := s.post(t, "/v2/checkout/orders/"+order+"/authorize", "").text(authorizations + ".id")
	require.Len(t, s.told(t, "CUSTOMER.DISPUTE.CREATED"), 2, "nothing was taken yet")
	s.post(t, "/v2/payments/authorizations/"+held+"/capture", "")
	require.Len(t, s.told(t, "CUSTOMER.DISPUTE.CREATED"), 3)
}

// Forints have two decimals by ISO 4217 and none at PayPal.
func TestDisputeInForints(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	order := s.post(t, "/v2/checkout/orders", `{"intent":"CAPTURE","purchase_units":[{"custom_id":"pay_9","amount":{"currency_code":"HUF","value":"500"}}]}`).text("id")
	s.agree(t, order, success, "paypal")
	s.post(t, "/v2/checkout/orders/"+order+"/capture", "")
	_, err := s.paypal.OpenDispute("pay_9", "other words", 50_100, false)
	require.ErrorIs(t, err, engine.ErrDisputeAmount)
	id, err := s.paypal.OpenDispute("pay_9", "other words", 20_000, false)
	require.NoError(t, err)
	shown := s.get(t, "/v1/customer/disputes/"+id)
	require.Equal(t, "200", shown.text("dispute_amount.value"))
	require.Equal(t, "OTHER", shown.text("reason"))
}

// A card's number is in no answer, object, event or list of requests.
func TestCardNumbersAreNowhere(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var seen strings.Builder
	numbers := []string{success, "4000000000009995", "4868719196829038", paypal.NamedCards["echeck"]}
	for _, number := range numbers {
		seen.WriteString(s.captured(t, number, "card").Text)
		seen.WriteString(s.captured(t, number, "paypal").Text)
	}
	for _, kind := range append(s.paypal.Kinds(), "") {
		objects, ok := s.paypal.Objects(kind)
		require.True(t, ok, kind)
		text, err := json.Marshal(objects)
		require.NoError(t, err)
		seen.Write(text)
	}
	_, ok := s.paypal.Objects("customer")
	require.False(t, ok)
	for _, got := range s.told(t, "") {
		seen.Write(got.body)
	}
	requests, err := json.Marshal(s.requests.List())
	require.NoError(t, err)
	seen.Write(requests)
	for _, number := range numbers {
		require.NotContains(t, seen.String(), number)
	}
}

package paypal

import "strings"

// confirmShape is a card as a shop may send it that is certified to handle numbers. Shops in
// front of card fields never do; tests without a browser are their buyers by this.
var confirmShape = object(map[string]shape{
	"payment_source": object(map[string]shape{
		sourceCard: object(map[string]shape{
			"number": text(numberDigitsLeast, numberDigitsMost), "expiry": text(7, 7), "security_code": text(3, 4), "name": text(1, holderCharsMost),
			"attributes": object(map[string]shape{
				"verification": object(map[string]shape{"method": word("SCA_WHEN_REQUIRED", "SCA_ALWAYS")}),
			}),
		}, "number", "expiry", "security_code"),
	}, sourceCard),
}, "payment_source")

// cardFields are where the parts of a card are that newCard finds wrong.
var cardFields = map[string]string{"INVALID_NUMBER": "number", "INVALID_EXPIRY": "expiry", "INVALID_CVV": "security_code", "INVALID_NAME": "name"}

// confirmSource has a card pay an order, as card fields do: the order is approved then, or
// waits for the bank's question. Request ids mean nothing to this call.
//
// Source: developer.paypal.com/docs/api/orders/v2, orders_confirm. Which issue PayPal gives
// to which mistake in a card is not certain.
func (s *Server) confirmSource(in *request) result {
	var wire struct {
		PaymentSource struct {
			Card struct {
				Number       string `json:"number"`
				Expiry       string `json:"expiry"` // "2030-12"
				SecurityCode string `json:"security_code"`
				Name         string `json:"name"`
				Attributes   struct {
					Verification struct {
						Method string `json:"method"`
					} `json:"verification"`
				} `json:"attributes"`
			} `json:"card"`
		} `json:"payment_source"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	o, ok := s.findOrder(in.id)
	switch {
	case !ok:
		return notFound()
	case o.status == statusCompleted && o.intent == intentAuthorize:
		return unprocessable("ORDER_ALREADY_AUTHORIZED", "")
	case o.status == statusCompleted:
		return unprocessable("ORDER_ALREADY_CAPTURED", "")
	}
	const field = "/payment_source/card/"
	given := wire.PaymentSource.Card
	year, month, dash := strings.Cut(given.Expiry, "-")
	if !dash || len(year) != 4 || strings.Trim(year+month, "0123456789") != "" {
		return invalid(detail{Issue: "INVALID_PARAMETER_SYNTAX", Field: field + "expiry", Location: "body"})
	}
	made, problem := s.newCard(typed{number: given.Number, month: month, year: year, cvc: given.SecurityCode, holder: given.Name})
	if problem != nil {
		return unprocessable("VALIDATION_ERROR", field+cardFields[problem.code])
	}
	o.always = o.always || given.Attributes.Verification.Method == "SCA_ALWAYS"
	s.agree(o, made, sourceCard)
	out := done(nil)
	out.ref = "order " + o.id
	return out
}

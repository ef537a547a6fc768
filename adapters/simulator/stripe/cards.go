package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	numberDigitsLeast = 12
	numberDigitsMost  = 19
	expiryYearsMost   = 50 // that a card can be good for
)

// card is what may be remembered of a card: never its number.
type card struct {
	Brand    string
	Last4    string
	ExpMonth int
	ExpYear  int
	// Fingerprint tells the same number again within one life of the simulator.
	Fingerprint string
	behavior    behavior
}

// behavior is how a test card acts.
type behavior struct {
	code         string // of the decline; empty for a card that works
	declineCode  string
	message      string
	authenticate bool   // asks for 3-D Secure first
	dispute      string // reason of the dispute that follows; empty for none
	inquiry      bool   // whether that is an inquiry, which takes no money back
}

const declined = "Your card was declined."

// NamedCards are the cards that go by a name at every account.
var NamedCards = map[string]string{
	"success":            "4242424242424242",
	"declined":           "4000000000000002",
	"insufficient_funds": "4000000000009995",
	"3ds":                "4000000000003220",
	"disputed":           "4000000000000259",
}

// testCards act as Stripe documents.
//
// Source: docs.stripe.com/testing.
var testCards = map[string]behavior{
	"4242424242424242": {}, "4000056655665556": {}, "5555555555554444": {}, "2223003122003222": {}, "5200828282828210": {},
	"378282246310005": {}, "371449635398431": {}, "6011111111111117": {}, "3056930009020004": {}, "36227206271667": {},
	"3566002020360505": {}, "6200000000000005": {},
	"4000000000000002": {code: "card_declined", declineCode: "generic_decline", message: declined},
	"4000000000009995": {code: "card_declined", declineCode: "insufficient_funds", message: "Your card has insufficient funds."},
	"4000000000009987": {code: "card_declined", declineCode: "lost_card", message: declined},
	"4000000000009979": {code: "card_declined", declineCode: "stolen_card", message: declined},
	"4100000000000019": {code: "card_declined", declineCode: "fraudulent", message: declined},
	"4000000000000069": {code: "expired_card", message: "Your card has expired."},
	"4000000000000127": {code: "incorrect_cvc", message: "Your card's security code is incorrect."},
	"4000000000000119": {code: "processing_error", message: "An error occurred while processing your card. Try again in a little bit."},
	"4000000000003220": {authenticate: true},
	"4000002760003184": {authenticate: true},
	"4000002500003155": {authenticate: true},
	"4000008400001629": {authenticate: true, code: "card_declined", declineCode: "generic_decline", message: declined},
	"4000000000000259": {dispute: "fraudulent"},
	"4000000000002685": {dispute: "product_not_received"},
	"4000000000001976": {dispute: "fraudulent", inquiry: true},
	"4000000000000341": {code: "card_declined", declineCode: "generic_decline", message: declined},
}

// testMethods are the test payment methods by their ids.
var testMethods = map[string]string{
	"pm_card_visa": "4242424242424242", "pm_card_mastercard": "5555555555554444", "pm_card_amex": "378282246310005",
	"pm_card_visa_chargeDeclined":                  "4000000000000002",
	"pm_card_chargeDeclined":                       "4000000000000002",
	"pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
	"pm_card_chargeDeclinedExpiredCard":            "4000000000000069",
	"pm_card_chargeDeclinedProcessingError":        "4000000000000119",
	"pm_card_chargeDeclinedIncorrectCvc":           "4000000000000127",
	"pm_card_chargeDeclinedFraudulent":             "4100000000000019",
	"pm_card_authenticationRequired":               "4000002760003184",
	"pm_card_threeDSecure2Required":                "4000000000003220",
	"pm_card_chargeCustomerFail":                   "4000000000000341",
	"pm_card_createDispute":                        "4000000000000259",
	"pm_card_createDisputeProductNotReceived":      "4000000000002685",
	"pm_card_createDisputeInquiry":                 "4000000000001976",
}

// cardOf reads a card from a confirmation's parameters: a test payment method, or what was
// typed in. It is nil where neither is given.
func (s *Server) cardOf(in *request) (*card, *result) {
	method, kind := in.params["payment_method"], in.params["payment_method_data[type]"]
	var out result
	switch {
	case method != "" && kind != "":
		out = invalid("", "payment_method_data", "You may only specify one of these parameters: payment_method, payment_method_data.")
	case method != "":
		if number, ok := testMethods[method]; ok {
			return s.newCard(number, "12", strconv.Itoa(s.Clock.Wall().Year()+1), "123")
		}
		out = failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "resource_missing", Param: "payment_method",
			Message: "No such PaymentMethod: '" + method[:min(len(method), parameterNameCharsMost)] + "'",
		})
	case kind == "card":
		of := func(name string) string { return in.params["payment_method_data[card]["+name+"]"] }
		for _, name := range []string{"number", "exp_month", "exp_year"} {
			if of(name) == "" {
				out = missingParam("payment_method_data[card][" + name + "]")
				return nil, &out
			}
		}
		return s.newCard(of("number"), of("exp_month"), of("exp_year"), of("cvc"))
	case kind != "":
		out = invalid("", "payment_method_data[type]", "Invalid payment_method_data[type]: must be card.")
	default:
		return nil, nil //nolint:nilnil // no card was given
	}
	return nil, &out
}

// newCard checks a card's data as far as it can be told without the bank. An error's
// status is 402: the buyer has to mend it.
func (s *Server) newCard(number, month, year, cvc string) (*card, *result) {
	number = strings.NewReplacer(" ", "", "-", "").Replace(number)
	if len(number) < numberDigitsLeast || len(number) > numberDigitsMost || strings.Trim(number, "0123456789") != "" || !engine.PassesLuhn(number) {
		return nil, cardRefused("incorrect_number", "", "number", "Your card number is incorrect.")
	}
	acts, known := testCards[number]
	if !known {
		return nil, cardRefused("card_declined", "test_mode_live_card", "", "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.")
	}
	m, err := strconv.Atoi(month)
	if err != nil || m < 1 || m > 12 {
		return nil, cardRefused("invalid_expiry_month", "", "exp_month", "Your card's expiration month is invalid.")
	}
	y, err := strconv.Atoi(year)
	if y >= 0 && y < 100 {
		y += 2000
	}
	now := s.Clock.Wall() // cards run out in the world's time, whatever the simulator's clock says
	if err != nil || y < now.Year() || y == now.Year() && m < int(now.Month()) || y > now.Year()+expiryYearsMost {
		return nil, cardRefused("invalid_expiry_year", "", "exp_year", "Your card's expiration year is invalid.")
	}
	if cvc != "" && (len(cvc) < 3 || len(cvc) > 4 || strings.Trim(cvc, "0123456789") != "") {
		return nil, cardRefused("invalid_cvc", "", "cvc", "Your card's security code is invalid.")
	}
	sum := hmac.New(sha256.New, s.secret)
	_, _ = io.WriteString(sum, number)
	return &card{
		Brand: brand(number), Last4: number[len(number)-4:], ExpMonth: m, ExpYear: y,
		Fingerprint: hex.EncodeToString(sum.Sum(nil))[:16], behavior: acts,
	}, nil
}

// cardRefused is the error of a card that reaches no bank.
func cardRefused(code, declineCode, param, message string) *result {
	out := failed(http.StatusPaymentRequired, apiError{Type: typeCard, Code: code, DeclineCode: declineCode, Param: param, Message: message})
	return &out
}

func brand(number string) string {
	switch {
	case strings.HasPrefix(number, "4"):
		return "visa"
	case strings.HasPrefix(number, "34"), strings.HasPrefix(number, "37"):
		return "amex"
	case strings.HasPrefix(number, "5"), strings.HasPrefix(number, "2"):
		return "mastercard"
	case strings.HasPrefix(number, "60"):
		return "discover"
	case strings.HasPrefix(number, "30"), strings.HasPrefix(number, "36"):
		return "diners"
	case strings.HasPrefix(number, "35"):
		return "jcb"
	}
	return "unionpay"
}

// details is a card as charges and errors show it.
func (c *card) details() map[string]any {
	return map[string]any{
		"brand": c.Brand, "country": "US", "exp_month": c.ExpMonth, "exp_year": c.ExpYear,
		"fingerprint": c.Fingerprint, "funding": "credit", "last4": c.Last4, "network": c.Brand,
	}
}

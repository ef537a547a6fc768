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
	code        string // of the decline; empty for a card that works
	declineCode string
	message     string
	later       bool   // declines no payment that saves it, and lets itself be saved
	asks        asking // for 3-D Secure
	dispute     string // reason of the dispute that follows; empty for none
	inquiry     bool   // whether that is an inquiry, which takes no money back
	refunds     string // how refunds go: refundsPend, refundsFail, or empty for at once
}

// asking is when a card's bank wants to see its holder.
type asking uint8

const (
	asksNever       asking = iota
	asksPresent            // whenever the holder is there
	asksUnlessSetUp        // unless it was set up for use without the holder
	asksAlways             // also where the holder is not there, and then in vain
)

const declined = "Your card was declined."

// NamedCards are the cards that go by a name at every account.
var NamedCards = map[string]string{
	"success":            "4242424242424242",
	"declined":           "4000000000000002",
	"insufficient_funds": "4000000000009995",
	"3ds":                "4000000000003220",
	"disputed":           "4000000000000259",
	"inquiry":            "4000000000001976",
	"refund_pending":     "4000000000007726",
	"refund_fails":       "4000000000005126",
	"declined_later":     "4000000000000341",
	"3ds_off_session":    "4000002760003184",
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
	"4000000000003220": {asks: asksPresent},
	"4000002760003184": {asks: asksAlways},
	"4000002500003155": {asks: asksUnlessSetUp},
	"4000008400001629": {asks: asksPresent, code: "card_declined", declineCode: "generic_decline", message: declined},
	"4000000000000259": {dispute: "fraudulent"},
	"4000000000002685": {dispute: "product_not_received"},
	"4000000000001976": {dispute: "fraudulent", inquiry: true},
	"4000000000000341": {code: "card_declined", declineCode: "generic_decline", message: declined, later: true},
	"4000000000007726": {refunds: refundsPend},
	"4000000000005126": {refunds: refundsFail},
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
	"pm_card_authenticationRequiredOnSetup":        "4000002500003155",
	"pm_card_pendingRefund":                        "4000000000007726",
	"pm_card_refundFail":                           "4000000000005126",
}

// methodOf reads what is paid with: a saved or a test payment method, or a card that was
// typed in. It is nil where neither is given. The caller holds mu.
func (s *Server) methodOf(in *request, customer *string) (*paymentMethod, *result) {
	id, kind := in.params["payment_method"], in.params["payment_method_data[type]"]
	switch {
	case id != "" && kind != "":
		return nil, new(invalid("", "payment_method_data", "You may only specify one of these parameters: payment_method, payment_method_data."))
	case id != "":
		return s.savedMethod(id, "payment_method", customer)
	case kind == "card":
		return s.typedMethod(in, "payment_method_data")
	case kind != "":
		return nil, new(invalid("", "payment_method_data[type]", "Invalid payment_method_data[type]: must be card."))
	}
	return nil, nil //nolint:nilnil // no method was given
}

// typedMethod makes a payment method of a card as it was typed in. The caller holds mu.
func (s *Server) typedMethod(in *request, prefix string) (*paymentMethod, *result) {
	under := func(name string) string {
		if prefix == "" {
			return name
		}
		head, rest, _ := strings.Cut(name, "[")
		return prefix + "[" + head + "][" + rest
	}
	of := func(name string) string { return in.params[under("card["+name+"]")] }
	for _, name := range []string{"number", "exp_month", "exp_year"} {
		if of(name) == "" {
			return nil, new(missingParam(under("card[" + name + "]")))
		}
	}
	with, bad := s.newCard(of("number"), of("exp_month"), of("exp_year"), of("cvc"))
	if bad != nil {
		return nil, bad
	}
	made := s.newMethod(with)
	for name := range made.BillingDetails {
		if text := in.params[under("billing_details["+name+"]")]; text != "" && name != "address" {
			made.BillingDetails[name] = text
		}
	}
	return made, nil
}

// savedMethod gives a payment method that can be used by a customer, nil for nobody: one of
// theirs, a new one, or that of a test id. The caller holds mu.
func (s *Server) savedMethod(id, param string, customer *string) (*paymentMethod, *result) {
	if number, ok := testMethods[id]; ok {
		with, bad := s.newCard(number, "12", s.nextYear(), "123")
		if bad != nil {
			return nil, bad
		}
		return s.newMethod(with), nil
	}
	found, ok := s.methods.Get(id)
	var message string
	switch {
	case !ok:
		return nil, new(failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "resource_missing", Param: param, Message: "No such PaymentMethod: '" + id[:min(len(id), parameterNameCharsMost)] + "'",
		}))
	case found.Customer == nil && found.spent:
		message = "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first."
	case found.Customer != nil && customer == nil:
		message = "The PaymentMethod " + id + " belongs to the Customer " + *found.Customer + ". Please include the Customer in the `customer` parameter."
	case found.Customer != nil && *found.Customer != *customer:
		message = "The PaymentMethod " + id + " does not belong to the Customer " + *customer + "."
	default:
		return found, nil
	}
	return nil, new(failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Param: param, Message: message}))
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

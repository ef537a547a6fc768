package paypal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	numberDigitsLeast = 12
	numberDigitsMost  = 19
	expiryYearsMost   = 50 // that a card can be good for
	holderCharsMost   = 300
)

// Processor codes of what banks say.
//
// Source: PayPal's API description, schema processor_response.
const (
	approved          = "0000"
	failedCode        = "00N7"
	doNotHonor        = "0500"
	invalidAccount    = "1330"
	genericDecline    = "5100"
	insufficientFunds = "5120"
	restrictedCard    = "5180"
	expiredCard       = "5400"
	notAuthenticated  = "7710"
	pleaseRetry       = "9100"
	suspectedFraud    = "9500"
	lostOrStolen      = "9520"
)

// card is what may be remembered of a card: never its number.
type card struct {
	Brand    string
	Last4    string
	Expiry   string // "2030-12"
	Holder   string
	behavior behavior
	// What came of 3-D Secure: the shift of liability, and the bank's answer, "Y" or "N".
	// Empty where nobody asked.
	shift, answer string
}

// behavior is how a test card acts.
type behavior struct {
	code    string // the processor's code of the decline; empty for a card that works
	advice  string // payment_advice_code that goes with it; empty for none
	asks    bool   // asks for 3-D Secure first
	shift   string // what 3-D Secure comes to without a question; empty where it is not tried
	answer  string
	dispute string // reason of the dispute that follows; empty for none
	inquiry bool   // whether that is an inquiry, which takes no money back
	pending bool   // whether money takes its time
	refund  string // what becomes of refunds; empty where they arrive at once
	// later is the code of the decline of every charge without the buyer, and laterAsks whether
	// such a charge asks for 3-D Secure.
	later     string
	laterAsks bool
}

// NamedCards are the cards that go by a name at every account, and the one whose money takes
// its time.
var NamedCards = map[string]string{
	"success":            "4012888888881881",
	"declined":           "4000000000000002",
	"insufficient_funds": "4000000000009995",
	"3ds":                "4868719460707704",
	"disputed":           "4000000000000259",
	"inquiry":            "4000000000001976",
	"refund_pending":     "4000000000007726",
	"refund_fails":       "4000000000005126",
	"declined_later":     "4000000000000341",
	"3ds_off_session":    "4000002760003184",
	"echeck":             "6304000000000000",
}

// testCards act as PayPal documents, or, for numbers that Stripe documents, as they do there.
// The one of an echeck is this simulator's own.
//
// Source: developer.paypal.com/tools/sandbox/card-testing, docs.stripe.com/testing.
var testCards = map[string]behavior{
	"4012888888881881": {}, "4005519200000004": {}, "4012000033330026": {}, "2223000048400011": {}, "371449635398431": {},
	"4868719196829038": {shift: "POSSIBLE", answer: "Y"},
	"4868719158130060": {shift: "NO", answer: "N"},
	"4868719460707704": {asks: true},
	"6304000000000000": {pending: true},

	"4242424242424242": {}, "5555555555554444": {}, "378282246310005": {}, "6011111111111117": {}, "3566002020360505": {},
	"4000000000000002": {code: genericDecline, advice: "02"},
	"4000000000009995": {code: insufficientFunds, advice: "02"},
	"4000000000009987": {code: lostOrStolen, advice: "03"},
	"4000000000009979": {code: lostOrStolen, advice: "03"},
	"4100000000000019": {code: suspectedFraud},
	"4000000000000069": {code: expiredCard, advice: "01"},
	"4000000000000127": {code: failedCode},
	"4000000000000119": {code: pleaseRetry, advice: "02"},
	"4000000000003220": {asks: true},
	"4000002760003184": {asks: true, laterAsks: true},
	"4000002500003155": {asks: true},
	"4000008400001629": {asks: true, code: genericDecline},
	"4000000000000259": {dispute: "UNAUTHORISED"},
	"4000000000002685": {dispute: "MERCHANDISE_OR_SERVICE_NOT_RECEIVED"},
	"4000000000001976": {dispute: "UNAUTHORISED", inquiry: true},
	"4000000000007726": {refund: refundPends},
	"4000000000005126": {refund: refundFails},
	"4000000000000341": {later: genericDecline},
}

// testHolders are the names on a card that have its bank refuse it.
//
// Source: developer.paypal.com/tools/sandbox/card-testing, rejection triggers.
var testHolders = map[string]behavior{
	"CCREJECT-REFUSED":    {code: doNotHonor},
	"CCREJECT-IF":         {code: insufficientFunds, advice: "02"},
	"CCREJECT-EC":         {code: expiredCard, advice: "01"},
	"CCREJECT-SF":         {code: suspectedFraud},
	"CCREJECT-LS":         {code: lostOrStolen, advice: "03"},
	"CCREJECT-IRC":        {code: restrictedCard},
	"CCREJECT-IA":         {code: invalidAccount},
	"CCREJECT-BANK_ERROR": {code: genericDecline},
	"CCREJECT-CVV_F":      {code: failedCode},
}

// typed is what a buyer typed in.
type typed struct{ number, month, year, cvc, holder string }

// cardProblem is what is wrong with a card before any bank sees it: PayPal's word for it, and
// one for the buyer.
type cardProblem struct{ code, message string }

// newCard checks a card's data as far as it can be told without the bank.
func (s *Server) newCard(in typed) (*card, *cardProblem) {
	number := strings.NewReplacer(" ", "", "-", "").Replace(in.number)
	if len(number) < numberDigitsLeast || len(number) > numberDigitsMost || strings.Trim(number, "0123456789") != "" || !engine.PassesLuhn(number) {
		return nil, &cardProblem{"INVALID_NUMBER", "The card number is not valid."}
	}
	acts, known := testCards[number]
	if !known {
		return nil, &cardProblem{"INVALID_NUMBER", "This is no test card number. Real cards cannot be used here."}
	}
	month, err := strconv.Atoi(in.month)
	year, yearErr := strconv.Atoi(in.year)
	if year >= 0 && year < 100 {
		year += 2000
	}
	now := s.Clock.Wall() // cards run out in the world's time, whatever the simulator's clock says
	past := year < now.Year() || year == now.Year() && month < int(now.Month())
	if err != nil || yearErr != nil || month < 1 || month > 12 || past || year > now.Year()+expiryYearsMost {
		return nil, &cardProblem{"INVALID_EXPIRY", "The card's expiration date is not valid."}
	}
	if len(in.cvc) < 3 || len(in.cvc) > 4 || strings.Trim(in.cvc, "0123456789") != "" {
		return nil, &cardProblem{"INVALID_CVV", "The card's security code is not valid."}
	}
	holder := strings.TrimSpace(in.holder)
	if len(holder) > holderCharsMost {
		return nil, &cardProblem{"INVALID_NAME", "The name on the card is too long."}
	}
	if refused, ok := testHolders[strings.ToUpper(holder)]; ok {
		acts.code, acts.advice = refused.code, refused.advice
	}
	return &card{
		Brand: brand(number), Last4: number[len(number)-4:], Expiry: fmt.Sprintf("%d-%02d", year, month), Holder: holder,
		behavior: acts, shift: acts.shift, answer: acts.answer,
	}, nil
}

// brand names a card's network as PayPal does.
func brand(number string) string {
	for _, one := range []struct {
		name     string
		prefixes []string
	}{
		{"VISA", []string{"4"}},
		{"AMEX", []string{"34", "37"}},
		{"MAESTRO", []string{"6304"}},
		{"DISCOVER", []string{"60", "65"}},
		{"JCB", []string{"35"}},
		{"MASTERCARD", []string{"2", "5"}},
	} {
		if slices.ContainsFunc(one.prefixes, func(prefix string) bool { return strings.HasPrefix(number, prefix) }) {
			return one.name
		}
	}
	return "UNKNOWN"
}

// refusal is the processor's code that a payment with the card ends in; empty for none. A
// card whose holder failed to prove who he is is refused like any other.
func (c *card) refusal() string {
	if c.behavior.code == "" && c.answer == "N" {
		return notAuthenticated
	}
	return c.behavior.code
}

// offSession is the card as it acts when its holder is not there.
func (c *card) offSession() *card {
	later := *c
	later.behavior.code = cmp.Or(c.behavior.later, c.behavior.code)
	later.shift, later.answer = "", ""
	return &later
}

// response is what the card's processor said, as captures and authorizations show it.
func (c *card) response() *processorResponse {
	out := &processorResponse{AVSCode: "A", CVVCode: "M", ResponseCode: approved}
	if code := c.refusal(); code != "" {
		out.ResponseCode, out.AdviceCode = code, c.behavior.advice
		if code == failedCode {
			out.CVVCode = "N"
		}
	}
	return out
}

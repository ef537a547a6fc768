package square

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	numberDigitsLeast = 12
	numberDigitsMost  = 19
	expiryYearsMost   = 50 // that a card can be good for
	postalCharsMax    = 12
	// needsVerification has the buyer pass 3-D Secure before another try.
	needsVerification = "CARD_DECLINED_VERIFICATION_REQUIRED"
)

// What is typed in to have the bank refuse a card that works.
//
// Source: developer.squareup.com/docs/devtools/sandbox/payments.
const (
	wrongCVV    = "911"
	wrongPostal = "99999"
	wrongMonth  = 1
	wrongYear   = 2040
)

// card is what may be remembered of a card: never its number.
type card struct {
	Brand       string `json:"card_brand"`
	Last4       string `json:"last_4"`
	ExpMonth    int    `json:"exp_month"`
	ExpYear     int    `json:"exp_year"`
	Fingerprint string `json:"fingerprint"` // tells the same number again within one life of the simulator
	Type        string `json:"card_type"`
	Prepaid     string `json:"prepaid_type"`

	behavior behavior
}

// behavior is how a test card acts.
type behavior struct {
	code    string // of the decline; empty for a card that works
	asks    bool   // the bank asks the buyer before it gives a token
	unsure  bool   // the bank does not know the buyer, without asking
	dispute string // reason of the dispute that follows; empty for none
	inquiry bool   // whether that is an inquiry, which takes no money back
	bank    bool   // a bank account's, whose payments are pending at first
	later   string // code of the decline where the buyer is not there; empty for a card that works then
	refund  refunding
}

// NamedCards are the cards that go by a name at every account.
var NamedCards = map[string]string{
	"success":            "4111111111111111",
	"declined":           "4000000000000002",
	"insufficient_funds": "4000000000009995",
	"3ds":                "4310000000201019",
	"disputed":           "4000000000000259",
	"inquiry":            "4000000000001976",
	"refund_pending":     "4000000000007726",
	"refund_fails":       "4000000000005126",
	"declined_later":     "4000000000000341",
	"3ds_off_session":    "4000002760003184",
}

// testCards act as Square documents, and those that Stripe has for what Square has no number
// for act as Stripe documents: one list of cards does for all accounts.
//
// Source: developer.squareup.com/docs/devtools/sandbox/payments; docs.stripe.com/testing.
var testCards = map[string]behavior{
	"4111111111111111": {}, "5105105105105100": {}, "340000000000009": {},
	"4310000000201019": {asks: true}, "4800000000000004": {}, "4811110000000008": {unsure: true},
	"4000000000000002": {code: "GENERIC_DECLINE"},

	"4242424242424242": {}, "4000056655665556": {}, "5555555555554444": {}, "2223003122003222": {}, "378282246310005": {}, "371449635398431": {},
	"6011111111111117": {}, "3056930009020004": {}, "3566002020360505": {}, "6200000000000005": {},
	"4000000000009995": {code: "INSUFFICIENT_FUNDS"},
	"4000000000009987": {code: "CARD_DECLINED_CALL_ISSUER"},
	"4000000000009979": {code: "CARD_DECLINED_CALL_ISSUER"},
	"4100000000000019": {code: "GENERIC_DECLINE"},
	"4000000000000069": {code: "CARD_EXPIRED"},
	"4000000000000127": {code: "CVV_FAILURE"},
	"4000000000000119": {code: "CARD_DECLINED"}, // Square has no word for a bank that could not process it
	"4000000000000341": {later: "GENERIC_DECLINE"},
	"4000000000003220": {asks: true},
	"4000002760003184": {asks: true, later: needsVerification},
	"4000002500003155": {asks: true},
	"4000008400001629": {asks: true, code: "GENERIC_DECLINE"},
	"4000000000000259": {dispute: "NO_KNOWLEDGE"},
	"4000000000002685": {dispute: "NOT_RECEIVED"},
	"4000000000001976": {dispute: "NO_KNOWLEDGE", inquiry: true},
	"4000000000007726": {refund: refundsLate},
	"4000000000005126": {refund: refundsFail},
}

// testSource is what a test token stands for.
type testSource struct {
	number string // empty for a gift card or a bank account
	behavior
	// problem is that of the token itself, with which no payment comes to be.
	problem string
}

const workingCard = "4111111111111111"

// testSources are the test tokens: one-time tokens, which can be used again and again here,
// cards on file, and bank accounts, of which the declined one is this simulator's own.
//
// Source: developer.squareup.com/docs/devtools/sandbox/payments.
var testSources = map[string]testSource{
	"cnon:card-nonce-ok":                          {number: workingCard},
	"cnon:card-nonce-declined":                    {number: workingCard, behavior: behavior{code: "GENERIC_DECLINE"}},
	"cnon:card-nonce-rejected-cvv":                {number: workingCard, behavior: behavior{code: "CVV_FAILURE"}},
	"cnon:card-nonce-rejected-postalcode":         {number: workingCard, behavior: behavior{code: "ADDRESS_VERIFICATION_FAILURE"}},
	"cnon:card-nonce-rejected-expiration":         {number: workingCard, behavior: behavior{code: "INVALID_EXPIRATION"}},
	"cnon:card-nonce-already-used":                {problem: "CARD_TOKEN_USED"},
	"cnon:gift-card-nonce-ok":                     {},
	"cnon:gift-card-nonce-insufficient-funds":     {behavior: behavior{code: "INSUFFICIENT_FUNDS"}},
	"ccof:customer-card-id-ok":                    {number: workingCard},
	"ccof:customer-card-id-declined":              {number: workingCard, behavior: behavior{code: "GENERIC_DECLINE"}},
	"ccof:customer-card-id-rejected-postalcode":   {number: workingCard, behavior: behavior{code: "ADDRESS_VERIFICATION_FAILURE"}},
	"ccof:customer-card-id-rejected-expiration":   {number: workingCard, behavior: behavior{code: "INVALID_EXPIRATION"}},
	"ccof:customer-card-id-requires-verification": {number: workingCard, behavior: behavior{code: needsVerification}},
	"bnon:bank-nonce-ok":                          {behavior: behavior{bank: true}},
	"bnon:bank-nonce-declined":                    {behavior: behavior{bank: true, code: "INSUFFICIENT_FUNDS"}},
}

// card is the card of a test token; nil for a bank account.
func (s *Server) testCard(of testSource) *card {
	if of.bank {
		return nil
	}
	made := &card{
		Brand: "SQUARE_GIFT_CARD", Last4: "0000", ExpMonth: 12, ExpYear: s.Clock.Wall().Year() + 1, Type: "UNKNOWN_CARD_TYPE", Prepaid: "UNKNOWN_PREPAID_TYPE",
		Fingerprint: s.markOf("gift"),
	}
	if of.number != "" {
		made.Brand, made.Last4, made.Type, made.Prepaid = brand(of.number), of.number[len(of.number)-4:], "CREDIT", "NOT_PREPAID"
		made.Fingerprint = s.markOf(of.number)
	}
	made.behavior = of.behavior
	return made
}

// typed is a card as a buyer types it in.
type typed struct{ number, month, year, cvv, postal string }

// newCard checks a card's data as far as it can be told without the bank. A problem is one of
// the field's, whose name is Square's own.
func (s *Server) newCard(in typed) (*card, *tokenError) {
	number := strings.NewReplacer(" ", "", "-", "").Replace(in.number)
	if len(number) < numberDigitsLeast || len(number) > numberDigitsMost || strings.Trim(number, "0123456789") != "" || !engine.PassesLuhn(number) {
		return nil, wrongField("cardNumber", "Credit card number is not valid")
	}
	acts, known := testCards[number]
	if !known {
		return nil, wrongField("cardNumber", "Only test cards can be used here")
	}
	month, err := strconv.Atoi(in.month)
	if err != nil || month < 1 || month > 12 {
		return nil, wrongField("expirationDate", "Expiration month is not valid")
	}
	year, err := strconv.Atoi(in.year)
	if year >= 0 && year < 100 {
		year += 2000
	}
	now := s.Clock.Wall() // cards run out in the world's time, whatever the simulator's clock says
	if err != nil || year < now.Year() || year == now.Year() && month < int(now.Month()) || year > now.Year()+expiryYearsMost {
		return nil, wrongField("expirationDate", "Expiration date is not valid")
	}
	if len(in.cvv) < 3 || len(in.cvv) > 4 || strings.Trim(in.cvv, "0123456789") != "" {
		return nil, wrongField("cvv", "CVV is not valid")
	}
	if len(in.postal) > postalCharsMax {
		return nil, wrongField("postalCode", "Postal code is not valid")
	}
	if acts.code == "" {
		switch {
		case in.cvv == wrongCVV:
			acts.code = "CVV_FAILURE"
		case in.postal == wrongPostal:
			acts.code = "ADDRESS_VERIFICATION_FAILURE"
		case month == wrongMonth && year == wrongYear:
			acts.code = "INVALID_EXPIRATION"
		}
	}
	return &card{
		Brand: brand(number), Last4: number[len(number)-4:], ExpMonth: month, ExpYear: year, Type: "CREDIT", Prepaid: "NOT_PREPAID",
		Fingerprint: s.markOf(number), behavior: acts,
	}, nil
}

// markOf tells the same number again, and nothing else.
func (s *Server) markOf(number string) string {
	sum := hmac.New(sha256.New, s.secret)
	_, _ = io.WriteString(sum, number)
	return "sq-1-" + hex.EncodeToString(sum.Sum(nil))[:32]
}

func brand(number string) string {
	switch {
	case strings.HasPrefix(number, "4"):
		return "VISA"
	case strings.HasPrefix(number, "34"), strings.HasPrefix(number, "37"):
		return "AMERICAN_EXPRESS"
	case strings.HasPrefix(number, "5"), strings.HasPrefix(number, "2"):
		return "MASTERCARD"
	case strings.HasPrefix(number, "60"):
		return "DISCOVER"
	case strings.HasPrefix(number, "30"):
		return "DISCOVER_DINERS"
	case strings.HasPrefix(number, "35"):
		return "JCB"
	}
	return "CHINA_UNIONPAY"
}

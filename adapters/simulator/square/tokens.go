package square

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"
)

// tokenLife is how long a one-time token can be used.
//
// Source: developer.squareup.com/forums, staff.
const tokenLife = 24 * time.Hour

// What a buyer agrees to.
const (
	intentCharge         = "CHARGE"
	intentStore          = "STORE"
	intentChargeAndStore = "CHARGE_AND_STORE"
)

// token is a card that a browser typed in, to be charged or stored once.
type token struct {
	card *card
	// bound is the amount that the buyer agreed to; nil where none was said.
	bound *money
	made  time.Time
	used  bool
	// intent is what the buyer agreed to; empty where nothing was said, which is good for all.
	intent string
	postal string // as it was typed in; empty for none
}

// verification is a bank's question that waits for the buyer.
type verification struct {
	token token
	ended bool
}

// tokenAnswer is what a browser hears of a card.
type tokenAnswer struct {
	Status       string         `json:"status"` // OK, VERIFY or ERROR
	Token        string         `json:"token,omitempty"`
	Verification string         `json:"verification,omitempty"`
	Details      map[string]any `json:"details,omitempty"`
	Errors       []tokenError   `json:"errors,omitempty"`
}

// tokenError is what is wrong with a card, in the words of the Web Payments SDK.
//
// Source: developer.squareup.com/reference/sdks/web/payments/objects/TokenResult.
type tokenError struct {
	Type    string `json:"type"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

const (
	typeValidation   = "VALIDATION_ERROR"
	typeUsage        = "USAGE_ERROR"
	typeVerification = "VERIFICATION_ERROR"
)

func wrongField(field, message string) *tokenError {
	return &tokenError{Type: typeValidation, Field: field, Message: message}
}

func noToken(wrong tokenError) tokenAnswer {
	return tokenAnswer{Status: "ERROR", Errors: []tokenError{wrong}}
}

// notVerified is the answer where the bank does not know the buyer.
var notVerified = tokenError{Type: typeVerification, Message: "The bank could not verify the buyer. Try another card."}

// loose is a text that may be written as a number.
type loose string

// UnmarshalJSON takes either.
func (l *loose) UnmarshalJSON(text []byte) error {
	*l = loose(strings.Trim(string(text), `"`))
	return nil
}

var tokenBody = fields{
	"application_id": needed(shape{kind: text}), "location_id": needed(shape{kind: text}), "number": needed(shape{kind: text, most: 64}),
	"exp_month": needed(shape{kind: either, most: 4}), "exp_year": needed(shape{kind: either, most: 8}), "cvv": needed(shape{kind: text, most: 8}),
	"postal_code": {kind: text, most: 32}, "amount": {kind: text, most: 32}, "currency": {kind: currency},
	"intent": {kind: text, words: []string{intentCharge, intentStore, intentChargeAndStore}},
}

var outcomeBody = fields{"outcome": needed(shape{kind: text, words: []string{"complete", "fail"}})}

// serveToken answers a call of the card's frame. Every answer about a card has status 200; the
// frames are of this origin, so that no other may read it.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request, allowed fields, do func(*request) (int, tokenAnswer)) {
	opened, body, err := s.desk.Open(w, r)
	x := &exchange{Exchange: opened}
	if x.Instead(func(status int) { s.send(x, outage(status)) }) {
		return
	}
	given, isObject := parse(body)
	in, bad := readRequest(r, call{body: allowed}, body, given, isObject)
	x.Linger()
	if bad != nil || err != nil || len(body) == 0 {
		wrong := tokenError{Type: typeUsage, Message: "The request is not one for a token."}
		if problems, ok := errorsOf(bad); ok {
			wrong.Field, wrong.Message = problems[0].Field, problems[0].Detail
		}
		s.send(x, result{status: http.StatusBadRequest, object: noToken(wrong)})
		return
	}
	status, answer := do(in)
	s.send(x, result{status: status, object: answer})
}

func errorsOf(bad *result) ([]apiError, bool) {
	if bad == nil {
		return nil, false
	}
	body, ok := bad.object.(errorBody)
	return body.Errors, ok && len(body.Errors) > 0
}

// tokenize makes a token of a card, or has the bank ask first.
func (s *Server) tokenize(in *request) (int, tokenAnswer) {
	var given struct {
		ApplicationID string `json:"application_id"`
		LocationID    string `json:"location_id"`
		Number        string `json:"number"`
		ExpMonth      loose  `json:"exp_month"`
		ExpYear       loose  `json:"exp_year"`
		CVV           string `json:"cvv"`
		PostalCode    string `json:"postal_code"`
		Amount        string `json:"amount"` // decimal, "10.00"
		Currency      string `json:"currency"`
		Intent        string `json:"intent"`
	}
	in.into(&given)
	if !same(given.ApplicationID, s.ApplicationID) || !same(given.LocationID, s.LocationID) {
		return http.StatusUnauthorized, noToken(tokenError{Type: typeUsage, Message: "The application and location are not known together."})
	}
	made := token{made: s.Clock.Now(), intent: given.Intent, postal: given.PostalCode}
	if given.Amount != "" || given.Currency != "" {
		bound, ok := fromDecimal(given.Amount, given.Currency)
		if !ok || !slices.Contains(taken, given.Currency) {
			return http.StatusOK, noToken(tokenError{Type: typeUsage, Field: "amount", Message: "The amount is not one of the currency."})
		}
		made.bound = &bound
	}
	with, wrong := s.newCard(typed{number: given.Number, month: string(given.ExpMonth), year: string(given.ExpYear), cvv: given.CVV, postal: given.PostalCode})
	if wrong != nil {
		return http.StatusOK, noToken(*wrong)
	}
	made.card = with
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case with.behavior.unsure:
		return http.StatusOK, noToken(notVerified)
	case with.behavior.asks:
		id := "verf_" + rand.Text()
		s.verifications.Put(id, &verification{token: made})
		return http.StatusOK, tokenAnswer{Status: "VERIFY", Verification: id}
	}
	return http.StatusOK, s.give(made)
}

// give makes a token known. The caller holds mu.
func (s *Server) give(made token) tokenAnswer {
	id := "cnon:" + rand.Text()
	s.tokens.Put(id, &made)
	return tokenAnswer{Status: "OK", Token: id, Details: map[string]any{"card": map[string]any{
		"brand": made.card.Brand, "last4": made.card.Last4, "expMonth": made.card.ExpMonth, "expYear": made.card.ExpYear,
	}}}
}

// verify is the buyer in front of the bank's question, which is asked once.
func (s *Server) verify(in *request) (int, tokenAnswer) {
	var given struct {
		Outcome string `json:"outcome"`
	}
	in.into(&given)
	s.mu.Lock()
	defer s.mu.Unlock()
	asked, ok := s.verifications.Get(in.id)
	if !ok || asked.ended || s.Clock.Now().Sub(asked.token.made) > tokenLife {
		return http.StatusNotFound, noToken(tokenError{Type: typeUsage, Message: "There is no such question of a bank."})
	}
	asked.ended = true
	if given.Outcome == "fail" {
		return http.StatusOK, noToken(notVerified)
	}
	return http.StatusOK, s.give(asked.token)
}

// sourceOf is the card that a payment's source stands for, nil for a bank account, and how it
// acts. made is told what follows from the source. A token is used up from here on, however the
// payment goes. The caller holds mu.
func (s *Server) sourceOf(given newPayment, made *payment) (*card, behavior, *result) {
	none := func(out result) (*card, behavior, *result) { return nil, behavior{}, &out }
	id := given.SourceID
	if strings.HasPrefix(id, "ccof:") {
		made.entry = entryOnFile
	}
	if test, ok := testSources[id]; ok {
		switch {
		case test.problem != "":
			return none(notAllowed(invalidRequest, test.problem, "Card nonce already used; please request new nonce"))
		case made.entry == entryOnFile && given.CustomerID == "":
			return none(invalid("MISSING_REQUIRED_PARAMETER", "customer_id", "A card on file is charged together with its customer."))
		case test.code == needsVerification && strings.HasPrefix(given.VerificationToken, "verf:"):
			test.code = ""
		}
		return s.testCard(test), test.behavior, nil
	}
	if made.entry == entryOnFile {
		return s.chargeOnFile(given)
	}
	if !strings.HasPrefix(id, "cnon:") && !strings.HasPrefix(id, "bnon:") {
		return none(invalid("INVALID_VALUE", "source_id", "The source is neither a token nor a card on file."))
	}
	if given.CustomerID != "" {
		if _, bad := s.customerOf(given.CustomerID, "customer_id"); bad != nil {
			return none(*bad)
		}
	}
	if held, ok := s.tokens.Get(id); ok && !held.used && held.bound != nil && *held.bound != given.AmountMoney {
		return none(invalid("PAYMENT_AMOUNT_MISMATCH", "amount_money", "The amount is not the one that the buyer agreed to when the token was made."))
	}
	held, bad := s.takeToken(id)
	switch {
	case bad != nil:
		return none(*bad)
	case held.intent == intentStore:
		return none(notAllowed(methodTrouble, needsVerification, "The buyer agreed to the card's being stored, and to no payment."))
	}
	made.unasked = held.intent == intentCharge
	return held.card, held.card.behavior, nil
}

// takeToken uses a token up. The caller holds mu.
func (s *Server) takeToken(id string) (*token, *result) {
	held, ok := s.tokens.Get(id)
	switch {
	case !ok:
		return nil, new(failed(http.StatusNotFound, invalidField("NOT_FOUND", "source_id", "Card nonce not found")))
	case held.used:
		return nil, new(notAllowed(invalidRequest, "CARD_TOKEN_USED", "Card nonce already used; please request new nonce"))
	case s.Clock.Now().Sub(held.made) > tokenLife:
		return nil, new(notAllowed(invalidRequest, "CARD_TOKEN_EXPIRED", "Card nonce expired; please request new nonce"))
	}
	held.used = true
	return held, nil
}

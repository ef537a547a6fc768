package square

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	cardPageMost = 25 // of a list, which takes no limit
	// storeTime is how long after a payment its card can be stored.
	storeTime = 24 * time.Hour
)

var createCardBody = fields{
	"idempotency_key": needed(upTo(keyCharsMax)), "source_id": needed(upTo(idCharsMax)), "verification_token": {kind: text},
	"card": needed(shape{kind: object, of: fields{
		"customer_id": needed(upTo(customerIDCharsMax)), "cardholder_name": {kind: text, most: 96}, "billing_address": addressShape,
		"reference_id": {kind: text, most: 128}, "exp_month": {kind: whole}, "exp_year": {kind: whole},
	}}),
}

var listCardsQuery = []string{"cursor", "customer_id", "include_disabled", "reference_id", "sort_order"}

// onFile is a Card, one that a customer left with the seller.
//
// Source: developer.squareup.com/reference/square/objects/Card.
type onFile struct {
	ID             string          `json:"id"`
	CardholderName string          `json:"cardholder_name,omitempty"`
	BillingAddress json.RawMessage `json:"billing_address,omitempty"`
	CustomerID     string          `json:"customer_id"`
	MerchantID     string          `json:"merchant_id"`
	ReferenceID    string          `json:"reference_id,omitempty"`
	Enabled        bool            `json:"enabled"`
	Version        int64           `json:"version"`
	CreatedAt      string          `json:"created_at"`
	*card

	created time.Time
}

// createCard stores a card for a customer: that of a token, or of a payment.
//
// Source: POST /v2/cards.
func (s *Server) createCard(in *request) result {
	var given struct {
		SourceID string `json:"source_id"`
		Card     struct {
			CustomerID     string          `json:"customer_id"`
			CardholderName string          `json:"cardholder_name"`
			BillingAddress json.RawMessage `json:"billing_address"`
			ReferenceID    string          `json:"reference_id"`
		} `json:"card"`
	}
	in.into(&given)
	var address struct {
		PostalCode string `json:"postal_code"`
	}
	if len(given.Card.BillingAddress) > 0 {
		_ = json.Unmarshal(given.Card.BillingAddress, &address) // its shape was checked
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, bad := s.customerOf(given.Card.CustomerID, "card.customer_id"); bad != nil {
		return *bad
	}
	from, bad := s.cardFrom(given.SourceID, address.PostalCode)
	if bad != nil {
		return *bad
	}
	// The bank is asked for no money, so that there can be too little of it.
	if code := from.behavior.code; code != "" && code != "INSUFFICIENT_FUNDS" {
		return notAllowed(methodTrouble, code, "Authorization error: '"+code+"'")
	}
	now := s.now()
	made := &onFile{
		ID: "ccof:" + s.newID("CRD"), CardholderName: given.Card.CardholderName, BillingAddress: given.Card.BillingAddress, CustomerID: given.Card.CustomerID,
		MerchantID: merchant, ReferenceID: given.Card.ReferenceID, Enabled: true, Version: 1, CreatedAt: stamp(now), card: new(*from), created: now,
	}
	s.cards.Put(made.ID, made)
	s.tell("card.created", "card", made.ID, "card", made)
	return done("card", shown(made))
}

// cardFrom is the card of a token, which is used up by that, or of a payment. The caller holds mu.
func (s *Server) cardFrom(source, postal string) (*card, *result) {
	if test, ok := testSources[source]; ok && strings.HasPrefix(source, "cnon:") {
		switch {
		case test.problem != "":
			return nil, new(notAllowed(invalidRequest, test.problem, "Card nonce already used; please request new nonce"))
		case test.number == "":
			return nil, new(notAllowed(invalidRequest, "BAD_REQUEST", "A gift card cannot be stored as a card."))
		}
		return s.testCard(test), nil
	}
	if !strings.HasPrefix(source, "cnon:") {
		return s.cardOfPayment(source)
	}
	held, bad := s.takeToken(source)
	switch {
	case bad != nil:
		return nil, bad
	case held.intent == intentCharge:
		return nil, new(notAllowed(methodTrouble, needsVerification, "The buyer was not asked whether the card may be stored."))
	case postal != "" && held.postal != "" && postal != held.postal:
		return nil, new(notAllowed(methodTrouble, "ADDRESS_VERIFICATION_FAILURE", "The postal code is not the one that was typed in with the card."))
	}
	return held.card, nil
}

// cardOfPayment is the card that a payment was made with, not long ago. The caller holds mu.
func (s *Server) cardOfPayment(id string) (*card, *result) {
	p, ok := s.payments.Get(id)
	switch {
	case !ok:
		return nil, new(failed(http.StatusNotFound, invalidField("NOT_FOUND", "source_id", "The source is neither a token nor a payment.")))
	case p.CardDetails == nil || p.Status == lost || p.entry == entryOnFile:
		return nil, new(notAllowed(invalidRequest, "BAD_REQUEST", "The payment has no card that can be stored."))
	case s.now().Sub(p.created) > storeTime:
		return nil, new(notAllowed(invalidRequest, "SOURCE_EXPIRED", "The payment is too old for its card to be stored."))
	case p.stored:
		return nil, new(notAllowed(invalidRequest, "SOURCE_USED", "The payment's card was stored already."))
	case p.unasked:
		return nil, new(notAllowed(methodTrouble, needsVerification, "The buyer was not asked whether the card may be stored."))
	}
	p.stored = true
	return p.CardDetails.Card, nil
}

// chargeOnFile is the card on file that a payment names, and how it acts. The caller holds mu.
func (s *Server) chargeOnFile(given newPayment) (*card, behavior, *result) {
	none := func(out result) (*card, behavior, *result) { return nil, behavior{}, &out }
	held, ok := s.cards.Get(given.SourceID)
	switch {
	case given.CustomerID == "":
		return none(invalid("MISSING_REQUIRED_PARAMETER", "customer_id", "A card on file is charged together with its customer."))
	case !ok || !held.Enabled || held.CustomerID != given.CustomerID:
		return none(failed(http.StatusNotFound, invalidField("NOT_FOUND", "source_id", "The customer has no such card on file.")))
	}
	there := given.CustomerDetails.CustomerInitiated
	acts := held.card.behavior.stored(there != nil && *there)
	if acts.code == needsVerification && strings.HasPrefix(given.VerificationToken, "verf:") {
		acts.code = ""
	}
	return held.card, acts, nil
}

// stored is how a card acts that was stored. there says whether the buyer is.
func (b behavior) stored(there bool) behavior {
	if b.code == "" && !there {
		b.code = b.later
	}
	return b
}

// disable ends the use of a card on file. The caller holds mu.
func (s *Server) disable(held *onFile) {
	if !held.Enabled {
		return
	}
	held.Enabled = false
	held.Version++
	s.tell("card.disabled", "card", held.ID, "card", held)
}

func (s *Server) getCard(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.cards.Get(in.id); ok {
		return done("card", shown(held))
	}
	return notFound("card", in.id, "")
}

// disableCard ends the use of a card, for good.
//
// Source: POST /v2/cards/{id}/disable.
func (s *Server) disableCard(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.cards.Get(in.id)
	if !ok {
		return notFound("card", in.id, "")
	}
	s.disable(held)
	return done("card", shown(held))
}

// listCards lists cards on file, oldest first.
//
// Source: GET /v2/cards.
func (s *Server) listCards(in *request) result {
	w, bad := s.readWindow(in)
	if bad != nil {
		return *bad
	}
	disabled := in.query["include_disabled"]
	if !slices.Contains([]string{"", "true", "false"}, disabled) {
		return invalid("EXPECTED_BOOLEAN", "include_disabled", "Expected a boolean value.")
	}
	w.limit, w.ascending = cardPageMost, in.query["sort_order"] != "DESC"
	s.mu.Lock()
	defer s.mu.Unlock()
	of, byCustomer := in.query["customer_id"]
	reference, byReference := in.query["reference_id"]
	all := slices.DeleteFunc(s.cards.All(), func(one *onFile) bool {
		return !one.Enabled && disabled != "true" || byCustomer && one.CustomerID != of || byReference && one.ReferenceID != reference
	})
	return cut(s, w, "cards", all, func(one *onFile) place { return place{one.created, one.created, one.ID} })
}

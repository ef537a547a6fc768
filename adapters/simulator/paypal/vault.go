package paypal

import (
	"net/url"
	"slices"
	"time"
)

const (
	statusVaulted = "VAULTED"
	// setupTokenLife is how long a buyer has to agree, and a shop to make use of it.
	//
	// Source: developer.paypal.com/docs/checkout/save-payment-methods: three days.
	setupTokenLife = 72 * time.Hour
	// customerCharsMax and merchantCustomerCharsMax are of the two ids of a customer.
	//
	// Source: PayPal's API description of vault v3, schema customer.
	customerCharsMax         = 22
	merchantCustomerCharsMax = 64
	tokenPageMost            = 5
	tokenPagesMost           = 10
)

var tokenQuery = []string{"customer_id", "page_size", "page", "total_required"}

var vaultContextShape = object(map[string]shape{
	"brand_name": text(1, 300), "locale": text(2, 10), "return_url": text(1, 4000), "cancel_url": text(1, 4000),
	"shipping_preference": word("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"), "vault_instruction": word("ON_CREATE_PAYMENT_TOKENS", "ON_PAYER_APPROVAL"),
	"user_action": word("CONTINUE", "SETUP_NOW"),
})

// setupShape is what is to be saved. A card's number is not: the buyer types it into card
// fields.
var setupShape = object(map[string]shape{
	"customer": customerShape,
	"payment_source": object(map[string]shape{
		sourcePayPal: object(map[string]shape{
			"description": text(1, 128), "usage_type": word("MERCHANT", "PLATFORM"), "customer_type": word("CONSUMER", "BUSINESS"), "usage_pattern": text(1, 30),
			"permit_multiple_payment_tokens": flag, "experience_context": vaultContextShape,
		}, "usage_type"),
		sourceCard: object(map[string]shape{
			"verification_method": word("SCA_WHEN_REQUIRED", "SCA_ALWAYS"), "experience_context": vaultContextShape, "name": text(1, holderCharsMost),
			"billing_address": anything,
		}),
	}),
}, "payment_source")

var tokenShape = object(map[string]shape{
	"customer": customerShape,
	"payment_source": object(map[string]shape{
		"token": object(map[string]shape{"id": text(1, 255), "type": word("SETUP_TOKEN")}, "id", "type"),
	}, "token"),
}, "payment_source")

// customer is whom saved means of payment are of. PayPal shows none by itself.
type customer struct{ id, merchantID string }

type customerWire struct {
	ID         string `json:"id,omitempty"`
	MerchantID string `json:"merchant_customer_id,omitempty"`
}

func (c *customer) shown() customerWire { return customerWire{c.id, c.merchantID} }

// setupToken is the buyer's consent to have something saved.
type setupToken struct {
	question
	id, status, source string
	customer           *customer
	context            *experience
	funding            *card // that the buyer agreed to have saved
	created            time.Time
}

// paymentToken is what is saved.
type paymentToken struct {
	id, source string
	customer   *customer
	funding    *card
	deleted    bool
}

type tokenWire struct {
	ID            string         `json:"id"`
	Status        string         `json:"status,omitempty"` // of setup tokens only
	Customer      *customerWire  `json:"customer,omitempty"`
	PaymentSource map[string]any `json:"payment_source,omitempty"`
	Links         []link         `json:"links"`
}

// vaultTable is the calls of the vault by method and path.
func (s *Server) vaultTable() map[string]call {
	return map[string]call{
		"POST /v3/vault/setup-tokens":          {do: s.createSetupToken, body: &setupShape, keys: s.vaultKeys, keyNeeded: true},
		"GET /v3/vault/setup-tokens/{id}":      {do: s.getSetupToken},
		"POST /v3/vault/payment-tokens":        {do: s.createPaymentToken, body: &tokenShape, keys: s.vaultKeys, keyNeeded: true},
		"GET /v3/vault/payment-tokens":         {do: s.listPaymentTokens, query: tokenQuery},
		"GET /v3/vault/payment-tokens/{id}":    {do: s.getPaymentToken},
		"DELETE /v3/vault/payment-tokens/{id}": {do: s.deletePaymentToken},
	}
}

// customerOf gives the customer that ids name, and makes the one that there is not yet. The
// caller holds mu.
func (s *Server) customerOf(ids customerWire) *customer {
	if known, ok := s.customers.Get(ids.ID); ok {
		return known
	}
	if ids.ID == "" && ids.MerchantID != "" {
		for _, one := range s.customers.All() {
			if one.merchantID == ids.MerchantID {
				return one
			}
		}
	}
	made := &customer{id: ids.ID, merchantID: ids.MerchantID}
	if made.id == "" {
		made.id = s.newID()
	}
	s.customers.Put(made.id, made)
	return made
}

// createSetupToken asks a buyer whether something of his may be saved.
//
// Source: developer.paypal.com/docs/api/payment-tokens/v3, setup-tokens_create.
func (s *Server) createSetupToken(in *request) result {
	type source struct {
		Context      *experience `json:"experience_context"`
		Verification string      `json:"verification_method"`
	}
	var wire struct {
		Customer      customerWire `json:"customer"`
		PaymentSource struct {
			PayPal *source `json:"paypal"`
			Card   *source `json:"card"`
		} `json:"payment_source"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	t := &setupToken{status: statusActionRequired, source: sourcePayPal, created: s.now()}
	from := wire.PaymentSource.PayPal
	if (from == nil) == (wire.PaymentSource.Card == nil) {
		return invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "/payment_source", Location: "body"})
	}
	if from == nil {
		from = wire.PaymentSource.Card
		t.source, t.status, t.always = sourceCard, statusCreated, from.Verification == "SCA_ALWAYS"
	}
	field := "/payment_source/" + t.source + "/experience_context/"
	t.context = from.Context
	if t.source == sourcePayPal && (t.context == nil || t.context.ReturnURL == "" || t.context.CancelURL == "") {
		return invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: field + "return_url", Location: "body"})
	}
	if bad := t.context.check(field); bad != nil {
		return *bad
	}
	t.id, t.customer = s.newID(), s.customerOf(wire.Customer)
	s.setupTokens.Put(t.id, t)
	return created("setup_token " + t.id)
}

// findSetupToken gives a setup token that is there yet. The caller holds mu.
func (s *Server) findSetupToken(id string) (*setupToken, bool) {
	t, ok := s.setupTokens.Get(id)
	return t, ok && s.now().Sub(t.created) < setupTokenLife
}

func (s *Server) getSetupToken(in *request) result {
	if t, ok := s.findSetupToken(in.id); ok {
		return done(s.shownSetupToken(t))
	}
	return notFound()
}

// createPaymentToken saves what a buyer agreed to have saved. By which issue PayPal refuses
// what he did not agree to is not certain.
//
// Source: developer.paypal.com/docs/api/payment-tokens/v3, payment-tokens_create.
func (s *Server) createPaymentToken(in *request) result {
	var wire struct {
		Customer      customerWire `json:"customer"`
		PaymentSource struct {
			Token struct {
				ID string `json:"id"`
			} `json:"token"`
		} `json:"payment_source"`
	}
	if bad := in.decode(&wire); bad != nil {
		return *bad
	}
	const field = "/payment_source/token/id"
	t, ok := s.findSetupToken(wire.PaymentSource.Token.ID)
	if !ok {
		return missing(field)
	}
	given := wire.Customer
	switch {
	case t.status != statusApproved:
		return unprocessable("INVALID_SETUP_TOKEN_STATUS", field)
	case given.ID != "" && given.ID != t.customer.id, given.MerchantID != "" && given.MerchantID != t.customer.merchantID:
		return unprocessable("INVALID_PARAMETER_VALUE", "/customer")
	}
	t.status = statusVaulted
	return created("payment_token " + s.save(t.source, t.customer, t.funding).id)
}

// save keeps a means of payment. The caller holds mu.
func (s *Server) save(source string, of *customer, funding *card) *paymentToken {
	made := &paymentToken{id: s.newID(), source: source, customer: of, funding: funding}
	s.paymentTokens.Put(made.id, made)
	s.tell("VAULT.PAYMENT-TOKEN.CREATED", made.id, s.shownPaymentToken(made))
	return made
}

// saveFor keeps what an order was paid with, where that was asked for and the bank did not
// refuse. The caller holds mu.
func (s *Server) saveFor(o *order) {
	if o.saveTo != nil && o.funding.refusal() == "" {
		o.saved = s.save(o.source, s.customerOf(*o.saveTo), o.funding)
	}
}

func (s *Server) getPaymentToken(in *request) result {
	if t, ok := s.paymentTokens.Get(in.id); ok && !t.deleted {
		return done(s.shownPaymentToken(t))
	}
	return notFound()
}

// listPaymentTokens lists what is saved of a customer, newest first. One that is not known has
// nothing.
//
// Source: developer.paypal.com/docs/api/payment-tokens/v3, customer_payment-tokens_get.
func (s *Server) listPaymentTokens(in *request) result {
	of := in.query.Get("customer_id")
	if of == "" {
		return invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: "customer_id", Location: "query"})
	}
	size, bad := in.number("page_size", tokenPageMost, tokenPageMost)
	if bad != nil {
		return *bad
	}
	number, bad := in.number("page", tokenPagesMost, 1)
	if bad != nil {
		return *bad
	}
	kept := slices.DeleteFunc(s.paymentTokens.NewestFirst(), func(t *paymentToken) bool { return t.deleted || t.customer.id != of })
	from := min((number-1)*size, len(kept))
	shown := []tokenWire{}
	for _, t := range kept[from:min(from+size, len(kept))] {
		shown = append(shown, s.shownPaymentToken(t))
	}
	const path = "/v3/vault/payment-tokens"
	links := []link{{s.api(path) + asked(in.query), "self", "GET"}}
	if from+size < len(kept) {
		links = append(links, link{s.api(path) + asked(turned(in.query, number+1)), "next", "GET"})
	}
	told := map[string]any{"customer": customerWire{ID: of}, "payment_tokens": shown, "links": links}
	if in.query.Get("total_required") == "true" {
		told["total_items"], told["total_pages"] = len(kept), (len(kept)+size-1)/size
	}
	return done(told)
}

// deletePaymentToken forgets what is saved. One that is not there is forgotten already.
//
// Source: developer.paypal.com/docs/api/payment-tokens/v3, payment-tokens_delete.
func (s *Server) deletePaymentToken(in *request) result {
	if t, ok := s.paymentTokens.Get(in.id); ok && !t.deleted {
		t.deleted = true
		s.tell("VAULT.PAYMENT-TOKEN.DELETED", t.id, map[string]string{"id": t.id})
	}
	return result{status: 204}
}

// shownMeans is a means of payment, as far as anybody may know.
func shownMeans(source string, of *card) map[string]any {
	switch {
	case of == nil:
		return map[string]any{source: map[string]any{}}
	case source == sourcePayPal:
		return map[string]any{source: map[string]any{
			"email_address": payerMail, "account_id": payerID, "payer_id": payerID, "name": fullName{"Test", "Buyer"}, "account_status": "VERIFIED",
		}}
	}
	about := map[string]any{"last_digits": of.Last4, "brand": of.Brand, "expiry": of.Expiry, "type": "CREDIT"}
	if of.Holder != "" {
		about["name"] = of.Holder
	}
	return map[string]any{source: about}
}

func (s *Server) shownSetupToken(t *setupToken) tokenWire {
	at := "/v3/vault/setup-tokens/" + t.id
	shown := tokenWire{ID: t.id, Status: t.status, Customer: new(t.customer.shown()), PaymentSource: shownMeans(t.source, t.funding), Links: []link{s.get("self", at)}}
	switch {
	case t.status == statusApproved:
		shown.Links = append(shown.Links, s.post("confirm", "/v3/vault/payment-tokens"))
	case t.status != statusVaulted:
		shown.Links = append(shown.Links, s.get("approve", tokenPage+"?approval_session_id="+t.id))
	}
	return shown
}

func (s *Server) shownPaymentToken(t *paymentToken) tokenWire {
	return tokenWire{ID: t.id, Customer: new(t.customer.shown()), PaymentSource: shownMeans(t.source, t.funding), Links: s.tokenLinks(t)}
}

func (s *Server) tokenLinks(t *paymentToken) []link {
	at := "/v3/vault/payment-tokens/" + t.id
	return []link{s.get("self", at), {s.api(at), "delete", "DELETE"}}
}

// ---- the buyer's consent

func (t *setupToken) name() string { return t.id }

func (t *setupToken) offer() offer {
	pair := []string{"approval_token_id", t.id, "approval_session_id", t.id}
	return offer{status: t.status, verb: "Agree and save", source: t.source, context: t.context, back: pair, cancelBack: pair}
}

func (t *setupToken) asks(*Server) {
	t.status, t.funding = statusActionRequired, nil
}

// accept implements [consent]. A card that its bank refuses already is not saved.
func (t *setupToken) accept(_ *Server, with *card, by string) *cardProblem {
	switch {
	case by != t.source:
		return &cardProblem{"INVALID_SOURCE", "This is for saving something else than a " + by + "."}
	case with.refusal() != "":
		return &cardProblem{"INSTRUMENT_DECLINED", "Your bank refused the card. Choose another one."}
	}
	t.funding, t.status = with, statusApproved
	return nil
}

// mismatch implements [consent]: nothing is paid, so the script may be loaded for anything.
func (t *setupToken) mismatch(url.Values) (code, message string) { return "", "" }

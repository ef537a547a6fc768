package paypal

import (
	"net/http"
	"net/url"
)

var contextShape = object(map[string]shape{
	"brand_name": text(1, customCharsMax), "locale": text(2, 10), "return_url": text(1, urlCharsMax), "cancel_url": text(1, urlCharsMax),
	"landing_page":              word("LOGIN", "GUEST_CHECKOUT", "NO_PREFERENCE", "BILLING"),
	"shipping_preference":       word("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"),
	"user_action":               word("CONTINUE", "PAY_NOW"),
	"payment_method_preference": word("UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED"),
})

// customerShape is of customers, whose ids PayPal makes.
var customerShape = object(map[string]shape{"id": text(1, customerCharsMax), "merchant_customer_id": text(1, merchantCustomerCharsMax)})

// storedCredentialShape says who charges what was saved, and why.
//
// Source: PayPal's API description of orders v2, schemas card_stored_credential and
// paypal_wallet_stored_credential.
var storedCredentialShape = object(map[string]shape{
	"payment_initiator": word("CUSTOMER", "MERCHANT"), "payment_type": word("ONE_TIME", "RECURRING", "UNSCHEDULED"),
	"usage": word("FIRST", "SUBSEQUENT", "DERIVED"), "charge_pattern": text(1, 30), "usage_pattern": text(1, 30),
	"previous_network_transaction_reference": anything, "previous_transaction_reference": text(1, 36),
}, "payment_initiator")

// sourceShape is what an order can be paid with. A card's number is not: it never passes a
// shop.
var sourceShape = object(map[string]shape{
	sourcePayPal: object(map[string]shape{
		"experience_context": contextShape, "email_address": text(3, 254), "vault_id": text(1, 255), "stored_credential": storedCredentialShape,
		"attributes": object(map[string]shape{
			"customer": customerShape,
			"vault": object(map[string]shape{
				"store_in_vault": word(storeOnSuccess), "usage_type": word("MERCHANT", "PLATFORM"), "customer_type": word("CONSUMER", "BUSINESS"),
				"description": text(1, 128), "usage_pattern": text(1, 30), "permit_multiple_payment_tokens": flag,
			}, "usage_type"),
		}),
	}),
	sourceCard: object(map[string]shape{
		"experience_context": contextShape, "vault_id": text(1, 255), "stored_credential": storedCredentialShape,
		"attributes": object(map[string]shape{
			"customer": customerShape, "vault": object(map[string]shape{"store_in_vault": word(storeOnSuccess)}),
			"verification": object(map[string]shape{"method": word("SCA_WHEN_REQUIRED", "SCA_ALWAYS")}),
		}),
	}),
})

// storeOnSuccess saves what an order is paid with once it is.
const storeOnSuccess = "ON_SUCCESS"

// sourceRequest is what an order is to be paid with.
type sourceRequest struct {
	Context    *experience `json:"experience_context"`
	VaultID    string      `json:"vault_id"`
	Attributes struct {
		Customer customerWire `json:"customer"`
		Vault    struct {
			Store string `json:"store_in_vault"`
		} `json:"vault"`
		Verification struct {
			Method string `json:"method"`
		} `json:"verification"`
	} `json:"attributes"`
}

// readSource reads how the buyer is to pay, and where he comes back to. What is saved already
// needs no buyer. The caller holds mu.
func (s *Server) readSource(o *order, wire orderRequest, keyed bool) *result {
	o.context = wire.ApplicationContext
	if sources := wire.PaymentSource; sources != nil && (sources.PayPal != nil || sources.Card != nil) {
		if !keyed {
			return new(invalid(detail{Issue: "PAYPAL_REQUEST_ID_REQUIRED", Field: "PayPal-Request-Id", Location: "header"}))
		}
		if sources.PayPal != nil && sources.Card != nil {
			return new(invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: "/payment_source", Location: "body"}))
		}
		source := sources.PayPal
		o.hasSource, o.source, o.status = true, sourcePayPal, statusActionRequired
		if source == nil {
			source = sources.Card
			o.source, o.status, o.always = sourceCard, statusCreated, source.Attributes.Verification.Method == "SCA_ALWAYS"
		}
		o.context = source.Context
		if source.VaultID != "" {
			return s.readSaved(o, source.VaultID)
		}
		if source.Attributes.Vault.Store == storeOnSuccess {
			o.saveTo = &source.Attributes.Customer
		}
	}
	return o.context.check("/payment_source/" + sourcePayPal + "/experience_context/")
}

// check has the addresses be some that a browser can go to. at is where they are.
func (e *experience) check(at string) *result {
	if e == nil {
		return nil
	}
	for name, address := range map[string]string{"return_url": e.ReturnURL, "cancel_url": e.CancelURL} {
		if to, err := url.Parse(address); address != "" && (err != nil || to.Scheme == "" || to.Host == "") {
			return new(invalid(detail{Issue: "INVALID_PARAMETER_SYNTAX", Field: at + name, Location: "body"}))
		}
	}
	return nil
}

// readSaved has an order be paid with what is saved. The caller holds mu.
func (s *Server) readSaved(o *order, id string) *result {
	saved, ok := s.paymentTokens.Get(id)
	if !ok || saved.deleted || saved.source != o.source {
		return new(refused(http.StatusForbidden, nameForbidden, detail{
			Issue: "PERMISSION_DENIED", Description: descriptions["PERMISSION_DENIED"], Field: "/payment_source/" + o.source + "/vault_id", Location: "body",
		}))
	}
	o.funding, o.status, o.charged = saved.funding.offSession(), statusApproved, saved
	o.told = true // of an approval that there is not
	return nil
}

// charge has an order that is paid with what is saved come to its end at once, without its
// buyer. A card's bank that asks for him leaves it to be agreed to; a wallet's bank that says
// no without a reason leaves no order at all. The caller holds mu.
func (s *Server) charge(o *order) result {
	switch {
	case o.funding.behavior.laterAsks:
		o.asking, o.askingBy, o.funding, o.status = o.funding, o.source, nil, statusActionRequired
	case o.source == sourcePayPal && o.funding.refusal() == genericDecline:
		return unprocessable("INSTRUMENT_DECLINED", "")
	}
	o.id = s.newID()
	s.orders.Put(o.id, o)
	switch {
	case o.asking != nil:
	case o.intent == intentAuthorize:
		s.authorizeAll(o)
	default:
		s.captureAll(o)
	}
	return created("order " + o.id)
}

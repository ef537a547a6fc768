package paypal

import "encoding/json"

// VaultToken is a saved way to pay, or a setup token: the buyer's agreement to save one, which
// alone has a status.
//
// Source: developer.paypal.com/docs/api/payment-tokens/v3/.
type VaultToken struct {
	ID            string                     `json:"id"`
	Status        string                     `json:"status"`
	Customer      VaultCustomer              `json:"customer"`
	PaymentSource map[string]json.RawMessage `json:"payment_source"`
	Links         []Link                     `json:"links"`

	requestID string // of the call that showed it
}

// VaultCustomer is whom saved ways to pay belong to. PayPal makes its id.
type VaultCustomer struct {
	ID                 string `json:"id,omitempty"`
	MerchantCustomerID string `json:"merchant_customer_id,omitempty"` // our customer's id
}

// CreateSetupTokenRequest is the body of POST /v3/vault/setup-tokens. One of the sources is
// set.
type CreateSetupTokenRequest struct {
	Customer      VaultCustomer      `json:"customer"`
	PaymentSource SetupSourceRequest `json:"payment_source"`
}

// SetupSourceRequest is what is to be saved.
type SetupSourceRequest struct {
	PayPal *SetupPayPalRequest `json:"paypal,omitempty"`
	Card   *SetupCardRequest   `json:"card,omitempty"`
}

// SetupPayPalRequest has a buyer's PayPal account saved.
type SetupPayPalRequest struct {
	UsageType                   string       `json:"usage_type"`
	PermitMultiplePaymentTokens bool         `json:"permit_multiple_payment_tokens"`
	ExperienceContext           VaultContext `json:"experience_context"`
}

// SetupCardRequest has a card saved that the buyer gives to PayPal's own fields.
type SetupCardRequest struct {
	VerificationMethod string       `json:"verification_method"`
	ExperienceContext  VaultContext `json:"experience_context"`
}

// VaultContext is where the buyer goes from PayPal's page.
type VaultContext struct {
	ReturnURL          string `json:"return_url"`
	CancelURL          string `json:"cancel_url"`
	ShippingPreference string `json:"shipping_preference,omitempty"`
}

// CreatePaymentTokenRequest is the body of POST /v3/vault/payment-tokens.
type CreatePaymentTokenRequest struct {
	PaymentSource struct {
		Token SetupTokenSource `json:"token"`
	} `json:"payment_source"`
}

// SetupTokenSource is the setup token that the buyer agreed to.
type SetupTokenSource struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// SavedSourceRequest pays an order with a saved way to pay.
type SavedSourceRequest struct {
	VaultID          string                   `json:"vault_id"`
	StoredCredential *StoredCredentialRequest `json:"stored_credential,omitempty"` // of cards
}

// StoredCredentialRequest tells the card's bank that the buyer is not there.
type StoredCredentialRequest struct {
	PaymentInitiator string `json:"payment_initiator"`
	PaymentType      string `json:"payment_type"`
	Usage            string `json:"usage"`
}

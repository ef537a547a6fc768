package paypal

import "encoding/json"

// Order is what a payment is known by, as far as it is used.
//
// Source: developer.paypal.com/docs/api/orders/v2/#orders_get.
type Order struct {
	ID            string         `json:"id"`
	Status        string         `json:"status"`
	Intent        string         `json:"intent"`
	CreateTime    string         `json:"create_time"`
	PurchaseUnits []PurchaseUnit `json:"purchase_units"`
	// PaymentSource has what was paid with by its kind: "paypal", "card", …
	PaymentSource map[string]json.RawMessage `json:"payment_source"`
	Links         []Link                     `json:"links"`

	requestID string // of the call that showed it
}

// PurchaseUnit is what is paid for. Our orders have one.
type PurchaseUnit struct {
	CustomID string    `json:"custom_id"` // our payment's id
	Amount   *Amount   `json:"amount"`
	Payments *Payments `json:"payments"`
}

// Payments is what was done with an order's money.
type Payments struct {
	Authorizations []Authorization `json:"authorizations"`
	Captures       []Capture       `json:"captures"`
	Refunds        []Refund        `json:"refunds"`
}

// Authorization is money that is held.
type Authorization struct {
	ID                string             `json:"id"`
	Status            string             `json:"status"`
	Amount            *Amount            `json:"amount"`
	CreateTime        string             `json:"create_time"`
	UpdateTime        string             `json:"update_time"`
	ExpirationTime    string             `json:"expiration_time"`
	ProcessorResponse *ProcessorResponse `json:"processor_response"`
	SupplementaryData SupplementaryData  `json:"supplementary_data"`
	Links             []Link             `json:"links"`
}

// Capture is money that was taken, or was to be.
type Capture struct {
	ID                string             `json:"id"`
	Status            string             `json:"status"`
	StatusDetails     StatusDetails      `json:"status_details"`
	Amount            *Amount            `json:"amount"`
	CreateTime        string             `json:"create_time"`
	ProcessorResponse *ProcessorResponse `json:"processor_response"`
	SupplementaryData SupplementaryData  `json:"supplementary_data"`
	Links             []Link             `json:"links"`
}

// Refund is money that was given back, or is to be.
type Refund struct {
	ID            string        `json:"id"`
	Status        string        `json:"status"`
	StatusDetails StatusDetails `json:"status_details"`
	Amount        *Amount       `json:"amount"`
	CustomID      string        `json:"custom_id"` // our refund's id
	CreateTime    string        `json:"create_time"`
	Links         []Link        `json:"links"`

	requestID string // of the call that showed it
}

// SaleObject is what PayPal's older API shows of money that a subscription took.
//
// Source: developer.paypal.com/docs/api/payments/v1/#sale_get.
type SaleObject struct {
	ID                 string       `json:"id"`
	State              string       `json:"state"`
	ReasonCode         string       `json:"reason_code"`
	Amount             *OlderAmount `json:"amount"`
	CreateTime         string       `json:"create_time"`
	BillingAgreementID string       `json:"billing_agreement_id"` // of the subscription
	Links              []Link       `json:"links"`
}

// OlderAmount is an amount as the older API writes it.
type OlderAmount struct {
	Total    string `json:"total"`
	Currency string `json:"currency"`
}

// newer is the same amount as the newer API writes it; nil for none.
func (o *OlderAmount) newer() *Amount {
	if o == nil {
		return nil
	}
	return &Amount{CurrencyCode: o.Currency, Value: o.Total}
}

// StatusDetails says why a status is what it is.
type StatusDetails struct {
	Reason string `json:"reason"`
}

// ProcessorResponse is what the card's bank said.
type ProcessorResponse struct {
	ResponseCode string `json:"response_code"`
}

// SupplementaryData leads to what an object belongs to.
type SupplementaryData struct {
	RelatedIDs struct {
		OrderID string `json:"order_id"`
	} `json:"related_ids"`
}

// Link is another address that goes with an object.
type Link struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
}

// Card is what may be known of a card.
type Card struct {
	Brand                string `json:"brand"`
	LastDigits           string `json:"last_digits"`
	Expiry               string `json:"expiry"` // "2030-11"
	AuthenticationResult *struct {
		LiabilityShift string `json:"liability_shift"`
		ThreeDSecure   struct {
			AuthenticationStatus string `json:"authentication_status"`
		} `json:"three_d_secure"`
	} `json:"authentication_result"`
}

// CreateOrderRequest is the body of POST /v2/checkout/orders.
type CreateOrderRequest struct {
	Intent        string                `json:"intent"`
	PurchaseUnits []PurchaseUnitRequest `json:"purchase_units"`
	PaymentSource *PaymentSourceRequest `json:"payment_source,omitempty"`
}

// PurchaseUnitRequest is what is to be paid for.
type PurchaseUnitRequest struct {
	CustomID    string `json:"custom_id"`
	Description string `json:"description,omitempty"`
	Amount      Amount `json:"amount"`
}

// PaymentSourceRequest is how an order is paid: one of the two is set.
type PaymentSourceRequest struct {
	PayPal *PayPalSourceRequest `json:"paypal,omitempty"`
	Card   *SavedSourceRequest  `json:"card,omitempty"`
}

// PayPalSourceRequest has the buyer pay with PayPal, on PayPal's own page, or with the PayPal
// account that is saved.
type PayPalSourceRequest struct {
	ExperienceContext *ExperienceContext `json:"experience_context,omitempty"`
	VaultID           string             `json:"vault_id,omitempty"`
}

// ExperienceContext is where the buyer goes from PayPal's page, and what it asks for.
type ExperienceContext struct {
	ReturnURL               string `json:"return_url"`
	CancelURL               string `json:"cancel_url"`
	UserAction              string `json:"user_action"`
	ShippingPreference      string `json:"shipping_preference"`
	PaymentMethodPreference string `json:"payment_method_preference"`
}

// CaptureAuthorizationRequest is the body of POST /v2/payments/authorizations/{id}/capture.
type CaptureAuthorizationRequest struct {
	Amount       Amount `json:"amount"`
	FinalCapture bool   `json:"final_capture"` // what is left over is released
}

// ReauthorizeRequest is the body of POST /v2/payments/authorizations/{id}/reauthorize.
type ReauthorizeRequest struct {
	Amount Amount `json:"amount"`
}

// RefundCaptureRequest is the body of POST /v2/payments/captures/{id}/refund.
type RefundCaptureRequest struct {
	Amount   Amount `json:"amount"`
	CustomID string `json:"custom_id,omitempty"` // our refund's id
}

// Report is a page of transactions.
//
// Source: developer.paypal.com/docs/api/transaction-search/v1/#transactions_get.
type Report struct {
	TransactionDetails []struct {
		TransactionInfo struct {
			TransactionID        string `json:"transaction_id"`
			TransactionEventCode string `json:"transaction_event_code"`
			CustomField          string `json:"custom_field"`
		} `json:"transaction_info"`
	} `json:"transaction_details"`
	TotalPages *int `json:"total_pages"`
}

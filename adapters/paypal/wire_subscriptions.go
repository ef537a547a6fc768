package paypal

import "encoding/json"

// CreateProductRequest is the body of POST /v1/catalogs/products.
type CreateProductRequest struct {
	ID   string `json:"id"` // ours; each is there once
	Name string `json:"name"`
	Type string `json:"type"`
}

// CreatePlanRequest is the body of POST /v1/billing/plans.
type CreatePlanRequest struct {
	ProductID          string             `json:"product_id"`
	Name               string             `json:"name"`
	Status             string             `json:"status"`
	BillingCycles      []BillingCycle     `json:"billing_cycles"`
	PaymentPreferences PaymentPreferences `json:"payment_preferences"`
	QuantitySupported  bool               `json:"quantity_supported"`
}

// Plan is what a subscription is billed by.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1/#plans_get.
type Plan struct {
	ID                 string             `json:"id"`
	BillingCycles      []BillingCycle     `json:"billing_cycles"`
	PaymentPreferences PaymentPreferences `json:"payment_preferences"`

	requestID string // of the call that showed it
}

// BillingCycle is how often a plan asks for what.
type BillingCycle struct {
	Frequency     Frequency      `json:"frequency"`
	TenureType    string         `json:"tenure_type"` // "TRIAL" or "REGULAR"
	Sequence      int            `json:"sequence"`
	TotalCycles   int            `json:"total_cycles"`             // 0 for endless
	PricingScheme *PricingScheme `json:"pricing_scheme,omitempty"` // nil for a trial that is free
}

// Frequency is the length of a cycle.
type Frequency struct {
	IntervalUnit  string `json:"interval_unit"` // "DAY", "WEEK", "MONTH" or "YEAR"
	IntervalCount int    `json:"interval_count"`
}

// PricingScheme is what a cycle asks for.
type PricingScheme struct {
	FixedPrice *Amount `json:"fixed_price,omitempty"` // of one piece; nil for prices of other kinds
}

// PaymentPreferences say what becomes of payments that fail.
type PaymentPreferences struct {
	AutoBillOutstanding     bool `json:"auto_bill_outstanding"`
	PaymentFailureThreshold int  `json:"payment_failure_threshold"` // failures that suspend the subscription; 0 for never
}

// CreateSubscriptionRequest is the body of POST /v1/billing/subscriptions.
type CreateSubscriptionRequest struct {
	PlanID             string              `json:"plan_id"`
	Quantity           string              `json:"quantity"`
	CustomID           string              `json:"custom_id"` // our subscription's id
	Subscriber         *SubscriberRequest  `json:"subscriber,omitempty"`
	ApplicationContext SubscriptionContext `json:"application_context"`
}

// SubscriberRequest is the buyer, for PayPal's page to be filled in.
type SubscriberRequest struct {
	EmailAddress string          `json:"email_address,omitempty"`
	Name         *SubscriberName `json:"name,omitempty"`
}

// SubscriberName is the buyer's.
type SubscriberName struct {
	GivenName string `json:"given_name"`
	Surname   string `json:"surname,omitempty"`
}

// SubscriptionContext is where the buyer goes from PayPal's page, and what it asks for.
type SubscriptionContext struct {
	ReturnURL          string `json:"return_url"`
	CancelURL          string `json:"cancel_url"`
	UserAction         string `json:"user_action,omitempty"`
	ShippingPreference string `json:"shipping_preference"`
}

// ReviseRequest is the body of POST /v1/billing/subscriptions/{id}/revise.
type ReviseRequest struct {
	PlanID             string              `json:"plan_id"`
	Quantity           string              `json:"quantity"`
	ApplicationContext SubscriptionContext `json:"application_context"`
}

// ReasonRequest is the body of the calls that suspend, activate and cancel a subscription.
type ReasonRequest struct {
	Reason string `json:"reason"`
}

// SubscriptionObject is a subscription, as far as it is used.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1/#subscriptions_get.
type SubscriptionObject struct {
	ID               string      `json:"id"`
	Status           string      `json:"status"`
	StatusUpdateTime string      `json:"status_update_time"`
	PlanID           string      `json:"plan_id"`
	Quantity         string      `json:"quantity"`
	CustomID         string      `json:"custom_id"`
	CreateTime       string      `json:"create_time"`
	UpdateTime       string      `json:"update_time"`
	StartTime        string      `json:"start_time"`
	Subscriber       Subscriber  `json:"subscriber"`
	BillingInfo      BillingInfo `json:"billing_info"`
	Links            []Link      `json:"links"`

	requestID string // of the call that showed it
}

// Subscriber is who agreed to a subscription, and what it is paid with where that is not the
// PayPal account.
type Subscriber struct {
	PayerID       string                     `json:"payer_id"`
	PaymentSource map[string]json.RawMessage `json:"payment_source"`
}

// BillingInfo is how a subscription is paid so far.
type BillingInfo struct {
	OutstandingBalance  *Amount          `json:"outstanding_balance"`
	CycleExecutions     []CycleExecution `json:"cycle_executions"`
	LastPayment         BillingPayment   `json:"last_payment"`
	LastFailedPayment   FailedPayment    `json:"last_failed_payment"`
	NextBillingTime     string           `json:"next_billing_time"`
	FailedPaymentsCount int              `json:"failed_payments_count"`
}

// CycleExecution is how far a cycle of the plan is.
type CycleExecution struct {
	TenureType      string `json:"tenure_type"`
	CyclesCompleted int    `json:"cycles_completed"`
	TotalCycles     int    `json:"total_cycles"`
}

// BillingPayment is the last one that worked.
type BillingPayment struct {
	Time string `json:"time"`
}

// FailedPayment is the last one that did not.
type FailedPayment struct {
	Time                 string `json:"time"`
	ReasonCode           string `json:"reason_code"`
	NextPaymentRetryTime string `json:"next_payment_retry_time"`
}

// TransactionList is what a subscription took, or was to.
//
// Source: developer.paypal.com/docs/api/subscriptions/v1/#subscriptions_transactions.
type TransactionList struct {
	Transactions []SubscriptionTransaction `json:"transactions"`
	Links        []Link                    `json:"links"`
}

// SubscriptionTransaction is one of them, by the id of its payment.
type SubscriptionTransaction struct {
	ID     string `json:"id"`
	Status string `json:"status"` // as a capture's
	Amount struct {
		Gross *Amount `json:"gross_amount"`
	} `json:"amount_with_breakdown"`
	Time string `json:"time"`
}

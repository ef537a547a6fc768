package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Vault is a [Provider] that keeps buyers' methods, to charge them later.
type Vault interface {
	Provider

	// CreateCustomer makes the customer's counterpart and gives its id. Empty means that this
	// provider has no such object: its id comes with the first saved method, if at all.
	//
	// Source: Stripe POST /v1/customers; Square POST /v2/customers; PayPal has none.
	CreateCustomer(ctx context.Context, key core.OperationKey, in CreateCustomer) (string, error)

	// CreateSetup asks for what the buyer agrees to so that a method is saved. With
	// [ConfirmWithSource] it is never called.
	//
	// Source: Stripe POST /v1/setup_intents; PayPal POST /v3/vault/setup-tokens.
	CreateSetup(ctx context.Context, key core.OperationKey, in CreateSetup) (SetupSession, error)

	// OpenSetup fetches it with what the buyer's browser needs to go on with it.
	OpenSetup(ctx context.Context, ref core.ProviderRef) (SetupSession, error)

	// ConfirmSetup has the method saved that the buyer agreed to, or that the source is a token
	// of, where it is for our server to do so: in every mode but [ConfirmInBrowser]. A decline is
	// [core.ClassDeclined].
	//
	// Source: PayPal POST /v3/vault/payment-tokens; Square POST /v2/cards.
	ConfirmSetup(ctx context.Context, key core.OperationKey, in ConfirmSetup) (core.MethodSnapshot, error)

	// GetMethod fetches the present state of a saved method (kind [core.ObjectMethod]) or of what
	// the buyer agrees to (kind [core.ObjectSetup]). A method that is no longer there, or that
	// belongs to no customer any more, is one with the status removed.
	//
	// Source: Stripe GET /v1/payment_methods/{id} and /v1/setup_intents/{id}; PayPal GET
	// /v3/vault/payment-tokens/{id} and /v3/vault/setup-tokens/{id}; Square GET /v2/cards/{id}.
	GetMethod(ctx context.Context, ref core.ProviderRef) (core.MethodSnapshot, error)

	// DetachMethod takes a saved method away, so that it can never be charged again. One that is
	// gone is no error.
	//
	// Source: Stripe POST /v1/payment_methods/{id}/detach; PayPal DELETE
	// /v3/vault/payment-tokens/{id}; Square POST /v2/cards/{id}/disable.
	DetachMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef) error

	// ChargeMethod takes or holds money by a saved method without the buyer. A decline is
	// [core.ClassDeclined], with the code [core.FailureAuthenticationRequired] where the buyer has
	// to be there; an object that the provider made of it is named by the error and stays closed:
	// nobody can pay it later.
	//
	// Source: Stripe POST /v1/payment_intents with off_session; PayPal POST /v2/checkout/orders
	// with a vault id; Square POST /v2/payments with a card's id.
	ChargeMethod(ctx context.Context, key core.OperationKey, in ChargeMethod) (core.PaymentSnapshot, error)
}

// CreateCustomer is a customer of ours.
type CreateCustomer struct {
	Customer core.CustomerID // kept with the provider's object
	Email    string          // one of it and Name is not empty
	Name     string
}

// CreateSetup asks for a method to be saved.
type CreateSetup struct {
	Method           core.MethodID // kept with the provider's object
	Customer         core.CustomerID
	ProviderCustomer string // empty where the provider has none
	ReturnURL        string // where the buyer's browser comes back to after a step elsewhere
	// MethodType is what is to be saved, "card" or "paypal", where the provider has to know it
	// beforehand; empty for what it takes first.
	MethodType string
}

// ConfirmSetup has a method saved. The same operation always sends the same.
type ConfirmSetup struct {
	CreateSetup
	Ref    core.ProviderRef // what the buyer agreed to; its ID is empty with [ConfirmWithSource]
	Source string           // the one-time token, with [ConfirmWithSource]; empty otherwise. A secret.
}

// SetupSession is a method to be saved with what the buyer's browser needs.
type SetupSession struct {
	Snapshot core.MethodSnapshot
	Action   BuyerAction // [ActionStripeSetup], [ActionPayPalSave], [ActionTokenize] or [ActionRedirect]
}

// ChargeMethod is money asked for without the buyer. The same operation always sends the same.
type ChargeMethod struct {
	CreatePayment
	Customer         core.CustomerID
	ProviderCustomer string
	ProviderMethod   string
	MethodType       string // "card", "paypal", …
}

// What a buyer's browser does beside confirming a payment.
const (
	ActionStripeSetup     = "stripe_setup"
	ActionPayPalSave      = "paypal_save"
	ActionPayPalSubscribe = "paypal_subscribe"
)

package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Hoster is a [Provider] with a page of its own, at which buyers can be sent to pay.
//
// GetPayment, OpenPayment and CancelPayment take a reference of the kind
// [core.ObjectSession], too, where the page is an object of its own: they look at, go on
// with and close the page together with the payment made at it.
type Hoster interface {
	Provider

	// CreateHosted asks the provider for a page at which the buyer pays. The action is
	// [ActionRedirect]. Where the page is an object of its own, the snapshot names it, and the
	// payment's id is empty until the buyer tries to pay.
	//
	// Source: Stripe POST /v1/checkout/sessions; PayPal POST /v2/checkout/orders; Square POST
	// /v2/online-checkout/payment-links.
	CreateHosted(ctx context.Context, key core.OperationKey, in CreatePayment) (PaymentSession, error)
}

// ActionRedirect has the buyer's browser go to the action's URL.
const ActionRedirect = "redirect"

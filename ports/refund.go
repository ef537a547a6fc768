package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Refunder is a [Provider] that gives money back that was taken.
type Refunder interface {
	Provider

	// RefundPayment gives back a part or all of what a payment took. The answer may be that
	// the refund is pending for days. amount is in the payment's currency and above zero;
	// more than what is left of the payment is [core.ClassInvalid].
	//
	// Source: Stripe POST /v1/refunds; PayPal POST /v2/payments/captures/{id}/refund; Square
	// POST /v2/refunds.
	RefundPayment(ctx context.Context, key core.OperationKey, in RefundPayment) (core.RefundSnapshot, error)
}

// RefundPayment is what a provider is asked to give back. The same operation always sends
// the same.
type RefundPayment struct {
	Payment core.PaymentID // ours
	Ref     core.ProviderRef
	Amount  core.Money
}

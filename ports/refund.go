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

	// GetRefund fetches a refund's present state. An object that the provider does not know is
	// [core.ClassInvalid] with the foreign code [ForeignMissing].
	//
	// Source: Stripe GET /v1/refunds/{id}; PayPal GET /v2/payments/refunds/{id}; Square GET
	// /v2/refunds/{id}.
	GetRefund(ctx context.Context, ref core.ProviderRef) (core.RefundSnapshot, error)

	// PaymentRefunds gives all refunds of a payment, those of the provider's own dashboard, too, at
	// most [RefundsMax], newest first.
	PaymentRefunds(ctx context.Context, payment core.ProviderRef) ([]core.RefundSnapshot, error)
}

// RefundsMax is how many refunds of one payment are looked at.
const RefundsMax = 100

// RefundPayment is what a provider is asked to give back. The same operation always sends
// the same.
type RefundPayment struct {
	Refund  core.RefundID  // ours, kept with the provider's object where it keeps such
	Payment core.PaymentID // ours
	Ref     core.ProviderRef
	Amount  core.Money
	Reason  core.RefundReason
}

package stripe

import (
	"context"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// CapturePayment implements [ports.Provider]. The amount is always said, so that the
// request depends on what we stored and not on what Stripe holds; the capture is the
// final one and releases the rest.
//
// Source: POST /v1/payment_intents/{id}/capture.
func (a *Adapter) CapturePayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef, amount core.Money) (core.PaymentSnapshot, error) {
	op := a.op("capture", ref.ID)
	if err := a.checkOrder(op, key, ref, core.ObjectPayment); err != nil {
		return core.PaymentSnapshot{}, err
	}
	value, _, err := toForeign(amount)
	if err != nil {
		return core.PaymentSnapshot{}, outbound.Invalid(op, err)
	}
	if value <= 0 {
		return core.PaymentSnapshot{}, outbound.Invalid(op, core.ErrAmountRange)
	}
	c := begin(ctx, op)
	params := &stripesdk.PaymentIntentCaptureParams{Params: c.params(key), AmountToCapture: new(value)}
	expandPayment(params, "")
	intent, err := a.api.PaymentIntents.Capture(ref.ID, params)
	return a.snapshot(c, ref.ID, intent, err)
}

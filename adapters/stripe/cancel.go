package stripe

import (
	"context"
	"errors"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
)

// CancelPayment implements [ports.Provider].
//
// Stripe refuses to cancel what is canceled; the present state is then the answer.
//
// Source: POST /v1/payment_intents/{id}/cancel.
func (a *Adapter) CancelPayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	op := a.op("cancel", ref.ID)
	if err := a.checkOrder(op, key, ref, core.ObjectPayment, core.ObjectSession); err != nil {
		return core.PaymentSnapshot{}, err
	}
	if ref.Kind == core.ObjectSession {
		return a.cancelSession(ctx, key, op, ref)
	}
	c := begin(ctx, op)
	params := &stripesdk.PaymentIntentCancelParams{Params: c.params(key)}
	expandPayment(params, "")
	intent, err := a.api.PaymentIntents.Cancel(ref.ID, params)
	seen, err := a.snapshot(c, ref.ID, intent, err)
	if !isUnexpectedState(err) {
		return seen, err
	}
	present, lookErr := a.GetPayment(ctx, ref)
	if lookErr == nil && present.ForeignStatus == string(stripesdk.PaymentIntentStatusCanceled) {
		return present, nil
	}
	return core.PaymentSnapshot{}, err
}

func isUnexpectedState(err error) bool {
	var refused *core.ProviderError
	return errors.As(err, &refused) && refused.Foreign == string(stripesdk.ErrorCodePaymentIntentUnexpectedState)
}

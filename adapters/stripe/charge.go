package stripe

import (
	"cmp"
	"context"
	"errors"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// closeKeyEnd makes the key of a charge into that of the closing of what a decline left behind.
const closeKeyEnd core.OperationKey = "-x"

var (
	errNeedsBuyer = errors.New("buyer has to be there")
	errLeftOpen   = errors.New("what the decline left behind could not be closed")
)

// ChargeMethod implements [ports.Vault].
//
// A decline leaves a payment intent behind that could be paid later. It is canceled; until it is
// known that it was, nothing is known of the charge, and the same key goes again.
//
// Source: POST /v1/payment_intents with confirm, off_session and error_on_requires_action.
func (a *Adapter) ChargeMethod(ctx context.Context, key core.OperationKey, in ports.ChargeMethod) (core.PaymentSnapshot, error) {
	op := a.op("charge for", string(in.Payment))
	if err := checkKey(op, key); err != nil {
		return core.PaymentSnapshot{}, err
	}
	c := begin(ctx, op)
	params, err := c.intent(key, in.CreatePayment)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	params.Customer, params.PaymentMethod = new(in.ProviderCustomer), new(in.ProviderMethod)
	// The one type, so that Stripe need not know where a buyer would come back to.
	params.PaymentMethodTypes = []*string{new(cmp.Or(in.MethodType, "card"))}
	params.Confirm, params.OffSession, params.ErrorOnRequiresAction = new(true), new(true), new(true)
	intent, err := a.api.PaymentIntents.New(params)
	seen, err := a.snapshot(c, "", intent, err)
	if err == nil && seen.Payable {
		err = &core.ProviderError{
			Class: core.ClassDeclined, Code: core.FailureAuthenticationRequired, Foreign: seen.ForeignStatus, Op: op,
			RequestID: c.RequestID(), ObjectID: seen.Ref.ID, Err: errNeedsBuyer,
		}
	}
	declined, ok := errors.AsType[*core.ProviderError](err)
	if !ok || declined.Class != core.ClassDeclined || declined.ObjectID == "" {
		return seen, err
	}
	if _, err := a.CancelPayment(ctx, key+closeKeyEnd, a.ref(core.ObjectPayment, declined.ObjectID)); err != nil {
		return core.PaymentSnapshot{}, &core.ProviderError{
			Class: core.ClassUnknown, Foreign: declined.Foreign, Op: op, RequestID: declined.RequestID, ObjectID: declined.ObjectID, Err: errLeftOpen,
		}
	}
	return core.PaymentSnapshot{}, declined
}

package stripe

import (
	"context"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const objectRefund = "refund"

// RefundPayment implements [ports.Refunder].
//
// Source: POST /v1/refunds.
func (a *Adapter) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	op := a.op("refund", in.Ref.ID)
	if err := a.checkRef(op, in.Ref); err != nil {
		return core.RefundSnapshot{}, err
	}
	if err := checkKey(op, key); err != nil {
		return core.RefundSnapshot{}, err
	}
	value, _, err := toForeign(in.Amount)
	if err != nil {
		return core.RefundSnapshot{}, outbound.Invalid(op, err)
	}
	if value <= 0 {
		return core.RefundSnapshot{}, outbound.Invalid(op, core.ErrAmountRange)
	}
	c := begin(ctx, op)
	params := &stripesdk.RefundParams{Params: c.params(key), PaymentIntent: new(in.Ref.ID), Amount: new(value)}
	params.AddMetadata(metadataPayment, string(in.Payment))
	refund, err := a.api.Refunds.New(params)
	if err != nil {
		return core.RefundSnapshot{}, c.failed(err)
	}
	c.answered(refund.LastResponse)
	if refund.Object != objectRefund || refund.ID == "" || refund.PaymentIntent != nil && refund.PaymentIntent.ID != in.Ref.ID {
		return core.RefundSnapshot{}, c.Unusable(errNotTheRefund)
	}
	amount, err := fromForeign(refund.Amount, refund.Currency)
	if err != nil {
		return core.RefundSnapshot{}, c.Unusable(err)
	}
	return core.RefundSnapshot{
		Ref:     core.ProviderRef{Account: a.account, Kind: core.ObjectRefund, ID: refund.ID},
		Payment: in.Ref, Status: refundStatus(refund.Status), ForeignStatus: outbound.SafeCode(string(refund.Status)), Amount: amount,
	}, nil
}

// refundStatus is ours for Stripe's. One that is not known here, or waits for somebody, is
// pending.
//
// Source: docs.stripe.com/api/refunds/object, status.
func refundStatus(status stripesdk.RefundStatus) core.RefundStatus {
	switch status {
	case stripesdk.RefundStatusSucceeded:
		return core.RefundSucceeded
	case stripesdk.RefundStatusFailed:
		return core.RefundFailed
	case stripesdk.RefundStatusCanceled:
		return core.RefundCanceled
	case stripesdk.RefundStatusPending, stripesdk.RefundStatusRequiresAction:
	}
	return core.RefundPending
}

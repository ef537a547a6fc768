package stripe

import (
	"context"
	"errors"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	objectRefund = "refund"
	// expandRefunded asks for the charge that a refund is of, which tells what of it was taken.
	expandRefunded = "charge"
)

// reasonReleased is Stripe's word for what it books when an authorization runs out.
const reasonReleased = "expired_uncaptured_charge"

var (
	errNotTheRefund = errors.New("answer is not the refund that was asked for")
	errRelease      = errors.New("object is the release of money that was never taken")
)

// RefundPayment implements [ports.Refunder].
//
// Source: POST /v1/refunds.
func (a *Adapter) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	op := a.op("refund", in.Ref.ID)
	if err := a.checkOrder(op, key, in.Ref, core.ObjectPayment); err != nil {
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
	switch in.Reason {
	case core.RefundRequested, core.RefundDuplicate, core.RefundFraudulent:
		params.Reason = new(string(in.Reason)) // Stripe has the same words
	case core.RefundOther:
	}
	params.AddMetadata(metadataRefund, string(in.Refund))
	params.AddMetadata(metadataPayment, string(in.Payment))
	refund, err := a.api.Refunds.New(params)
	if err != nil {
		return core.RefundSnapshot{}, c.failed(err)
	}
	c.answered(refund.LastResponse)
	if refund.PaymentIntent == nil {
		refund.PaymentIntent = &stripesdk.PaymentIntent{ID: in.Ref.ID}
	}
	return a.refundSeen(c, "", in.Ref.ID, refund)
}

// GetRefund implements [ports.Refunder]. Stripe books the release of money that was never taken
// as a refund as well; that is none here.
//
// Source: GET /v1/refunds/{id}.
func (a *Adapter) GetRefund(ctx context.Context, ref core.ProviderRef) (core.RefundSnapshot, error) {
	op := a.op("get refund", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectRefund); err != nil {
		return core.RefundSnapshot{}, err
	}
	c := begin(ctx, op)
	params := &stripesdk.RefundParams{Params: c.params("")}
	params.AddExpand(expandRefunded)
	refund, err := a.api.Refunds.Get(ref.ID, params)
	if err != nil {
		return core.RefundSnapshot{}, c.failed(err)
	}
	c.answered(refund.LastResponse)
	if isRelease(refund) {
		return core.RefundSnapshot{}, &core.ProviderError{
			Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: ports.ForeignMissing, Op: op, RequestID: c.RequestID(), Err: errRelease,
		}
	}
	return a.refundSeen(c, ref.ID, "", refund)
}

// PaymentRefunds implements [ports.Refunder].
//
// Source: GET /v1/refunds.
func (a *Adapter) PaymentRefunds(ctx context.Context, payment core.ProviderRef) ([]core.RefundSnapshot, error) {
	op := a.op("list refunds of", payment.ID)
	if err := a.checkRef(op, payment, core.ObjectPayment); err != nil {
		return nil, err
	}
	c := begin(ctx, op)
	params := &stripesdk.RefundListParams{ListParams: c.one(ports.RefundsMax), PaymentIntent: new(payment.ID)}
	params.AddExpand("data." + expandRefunded)
	iterator := a.api.Refunds.List(params)
	if err := iterator.Err(); err != nil {
		return nil, c.failed(err)
	}
	page := iterator.RefundList()
	c.answered(page.LastResponse)
	if page.URL == "" {
		return nil, c.Unusable(errNotAList)
	}
	var seen []core.RefundSnapshot
	for _, refund := range page.Data {
		if refund != nil && isRelease(refund) {
			continue
		}
		one, err := a.refundSeen(c, "", payment.ID, refund)
		if err != nil {
			return nil, err
		}
		seen = append(seen, one)
	}
	return seen, nil
}

// isRelease reports whether a refund only lets go what was held and not taken: of an
// authorization that ran out or was canceled, or of what a capture left. What really goes back
// moves the balance, and a capture leaves one amount.
func isRelease(refund *stripesdk.Refund) bool {
	charge := refund.Charge
	if refund.Reason == reasonReleased {
		return true
	}
	if charge == nil || charge.Object == "" || refund.BalanceTransaction != nil || refund.Metadata[metadataRefund] != "" {
		return false
	}
	released := charge.Amount - charge.AmountCaptured
	return refund.Status == stripesdk.RefundStatusSucceeded && released > 0 && refund.Amount == released
}

// refundSeen puts a refund into our words; wanted and payment are the ids that it has to have,
// each empty where the answer makes it known.
func (a *Adapter) refundSeen(c *call, wanted, payment string, refund *stripesdk.Refund) (core.RefundSnapshot, error) {
	if refund == nil || refund.Object != objectRefund || refund.ID == "" || wanted != "" && refund.ID != wanted {
		return core.RefundSnapshot{}, c.Unusable(errNotTheRefund)
	}
	of := ""
	if refund.PaymentIntent != nil {
		of = refund.PaymentIntent.ID
	}
	if payment != "" && of != payment {
		return core.RefundSnapshot{}, c.Unusable(errNotTheRefund)
	}
	if refund.Amount <= 0 {
		return core.RefundSnapshot{}, c.Unusable(errNoAmount)
	}
	amount, err := fromForeign(refund.Amount, refund.Currency)
	if err != nil {
		return core.RefundSnapshot{}, c.Unusable(err)
	}
	seen := core.RefundSnapshot{
		Ref: a.ref(core.ObjectRefund, refund.ID), Refund: own[core.RefundID](refund.Metadata, metadataRefund), Payment: a.ref(core.ObjectPayment, of),
		Status: refundStatus(refund.Status), ForeignStatus: outbound.SafeCode(string(refund.Status)), Amount: amount,
		Environment: a.env, // a key sees no other's, and the object does not say
		CreatedAt:   fromUnix(refund.Created),
	}
	if seen.Status == core.RefundFailed {
		seen.Failure = core.NewFailure(core.FailureRefundFailed, outbound.SafeCode(string(refund.FailureReason)))
	}
	return seen, nil
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

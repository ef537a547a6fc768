package paypal

import (
	"context"
	"net/http"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// RefundPayment implements [ports.Refunder]. PayPal gives back of a capture; ours is the one
// of the order. How much is left of it is PayPal's to say: under the same key it tells what the
// first call did.
//
// Source: POST /v2/payments/captures/{id}/refund.
func (a *Adapter) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	op := a.op("refund", in.Ref.ID)
	if err := a.check(op, key, in.Ref); err != nil {
		return core.RefundSnapshot{}, err
	}
	amount, err := toForeign(in.Amount)
	if err != nil {
		return core.RefundSnapshot{}, outbound.Invalid(op, err)
	}
	shown, err := a.look(ctx, op, in.Ref.ID)
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	capture, err := capturedFor(op, shown, in.Amount)
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	got, err := a.api.do(ctx, request{
		op: op, method: http.MethodPost, path: pathCaptures + capture + "/refund", key: key, body: RefundCaptureRequest{Amount: amount},
	})
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	var made Refund
	if err := decode(op, got, &made); err != nil {
		return core.RefundSnapshot{}, err
	}
	if outbound.SafeID(made.ID) == "" || made.ID == "" {
		return core.RefundSnapshot{}, unusable(op, got, errNoObject)
	}
	if made.Status == "" || made.Amount == nil { // PayPal's short answer
		if got, err = a.api.do(ctx, request{op: op, method: http.MethodGet, path: pathRefunds + made.ID}); err != nil {
			return core.RefundSnapshot{}, afterwards(err, made.ID)
		}
		id := made.ID
		if err := decode(op, got, &made); err != nil || made.ID != id {
			return core.RefundSnapshot{}, unusable(op, got, errNoObject)
		}
	}
	return a.refund(op, got, in.Ref, capture, &made)
}

// capturedFor is the order's capture that an amount can be given back of, the same before and
// after it was.
func capturedFor(op string, o *Order, amount core.Money) (string, error) {
	cause := core.ErrPaymentNotOpen
	for _, one := range o.payments().Captures {
		if !one.isTaken() || one.ID == "" || outbound.SafeID(one.ID) == "" {
			continue
		}
		taken, err := fromForeign(one.Amount)
		if err != nil {
			return "", o.unusable(op, err)
		}
		if order, err := taken.Compare(amount); err == nil && order >= 0 {
			return one.ID, nil
		}
		cause = core.ErrAmountRange
	}
	return "", outbound.Invalid(op, cause)
}

// refund is what an answer shows of a refund.
func (a *Adapter) refund(op string, got answer, payment core.ProviderRef, capture string, r *Refund) (core.RefundSnapshot, error) {
	if of := linked(r.Links, pathCaptures); of != "" && of != capture {
		return core.RefundSnapshot{}, unusable(op, got, errOther)
	}
	given, err := fromForeign(r.Amount)
	if err != nil {
		return core.RefundSnapshot{}, unusable(op, got, err)
	}
	seen := core.RefundSnapshot{
		Ref:     core.ProviderRef{Account: a.account, Kind: core.ObjectRefund, ID: r.ID},
		Payment: payment, ForeignStatus: outbound.SafeCode(r.Status), Amount: given,
	}
	switch r.Status {
	case refundCompleted:
		seen.Status = core.RefundSucceeded
	case refundPending:
		seen.Status = core.RefundPending
	case refundFailed:
		seen.Status = core.RefundFailed
	case refundCancelled:
		seen.Status = core.RefundCanceled
	default:
		return core.RefundSnapshot{}, unusable(op, got, errNotReadable)
	}
	return seen, nil
}

// orderOfRefund is the order that a refund gives back of, found by its capture.
//
// Source: GET /v2/payments/refunds/{id} and /v2/payments/captures/{id}.
func (a *Adapter) orderOfRefund(ctx context.Context, op, id string) (string, error) {
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: pathRefunds + id})
	if err != nil {
		return "", err
	}
	var shown Refund
	if err := decode(op, got, &shown); err != nil {
		return "", err
	}
	capture := linked(shown.Links, pathCaptures)
	if shown.ID != id || capture == "" {
		return "", unusable(op, got, errNoObject)
	}
	return a.orderOfPart(ctx, op, pathCaptures, capture)
}

// orderOfPart is the order that a capture or an authorization belongs to.
func (a *Adapter) orderOfPart(ctx context.Context, op, path, id string) (string, error) {
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: path + id})
	if err != nil {
		return "", err
	}
	var shown Capture // an authorization leads to its order in the same way
	if err := decode(op, got, &shown); err != nil {
		return "", err
	}
	order := orderOf(shown.SupplementaryData, shown.Links)
	if shown.ID != id || order == "" {
		return "", unusable(op, got, errNoObject)
	}
	return order, nil
}

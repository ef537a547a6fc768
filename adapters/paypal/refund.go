package paypal

import (
	"context"
	"net/http"
	"slices"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// RefundPayment implements [ports.Refunder]. PayPal gives back of a capture; ours is the one
// of the order, or the transaction by which a subscription's payment is known. How much is
// left of it is PayPal's to say: under the same key it tells what the first call did. It has
// no place for a reason.
//
// Source: POST /v2/payments/captures/{id}/refund; that it takes a subscription's payment as
// well is not verified.
func (a *Adapter) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	op := a.op("refund", in.Ref.ID)
	if err := a.check(op, key, in.Ref, core.ObjectPayment); err != nil {
		return core.RefundSnapshot{}, err
	}
	amount, err := toForeign(in.Amount)
	if err != nil {
		return core.RefundSnapshot{}, outbound.Invalid(op, err)
	}
	order, sale, err := a.paid(ctx, op, in.Ref.ID)
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	capture, err := capturedFor(op, order, sale, in.Amount)
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	got, err := a.api.do(ctx, request{
		op: op, method: http.MethodPost, path: pathCaptures + capture + "/refund", key: key,
		body: RefundCaptureRequest{Amount: amount, CustomID: string(in.Refund)},
	})
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	made, err := decodeRefund(op, got, "")
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	if made.Status == "" || made.Amount == nil { // PayPal's short answer
		id := made.ID
		if made, err = a.lookAtRefund(ctx, op, id); err != nil {
			return core.RefundSnapshot{}, afterwards(err, id)
		}
	}
	if of := linked(made.Links, pathCaptures); of != "" && of != capture {
		return core.RefundSnapshot{}, made.unusable(op, errOther)
	}
	return a.refund(op, in.Ref, made)
}

// capturedFor is the capture that an amount can be given back of, the same before and after it
// was: one of the order's, or the sale itself.
func capturedFor(op string, o *Order, sale *Sale, amount core.Money) (string, error) {
	var all []Capture
	var requestID string
	if sale != nil {
		all, requestID = []Capture{sale.Capture}, sale.requestID
	} else {
		all, requestID = o.payments().Captures, o.requestID
	}
	cause := core.ErrPaymentNotOpen
	for _, one := range all {
		if !one.isTaken() || one.ID == "" || outbound.SafeID(one.ID) == "" {
			continue
		}
		taken, err := fromForeign(one.Amount)
		if err != nil {
			return "", unusable(op, answer{requestID: requestID}, err)
		}
		if order, err := taken.Compare(amount); err == nil && order >= 0 {
			return one.ID, nil
		}
		cause = core.ErrAmountRange
	}
	return "", outbound.Invalid(op, cause)
}

// GetRefund implements [ports.Refunder].
//
// Source: GET /v2/payments/refunds/{id}.
func (a *Adapter) GetRefund(ctx context.Context, ref core.ProviderRef) (core.RefundSnapshot, error) {
	op := a.op("get refund", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectRefund); err != nil {
		return core.RefundSnapshot{}, err
	}
	shown, payment, err := a.refundWithPayment(ctx, op, ref.ID)
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	return a.refund(op, core.ProviderRef{Account: a.account, Kind: core.ObjectPayment, ID: payment}, shown)
}

// PaymentRefunds implements [ports.Refunder]. Orders show all of their refunds. PayPal has no
// list of those of a subscription's payment: each is seen by its own events.
func (a *Adapter) PaymentRefunds(ctx context.Context, payment core.ProviderRef) ([]core.RefundSnapshot, error) {
	op := a.op("list refunds of", payment.ID)
	if err := a.checkRef(op, payment, core.ObjectPayment); err != nil {
		return nil, err
	}
	order, _, err := a.paid(ctx, op, payment.ID)
	if err != nil || order == nil {
		return nil, err
	}
	payment.ID = order.ID
	var all []core.RefundSnapshot
	for _, one := range order.payments().Refunds {
		one.requestID = order.requestID
		seen, err := a.refund(op, payment, &one)
		if err != nil {
			return nil, err
		}
		all = append(all, seen)
	}
	slices.SortStableFunc(all, func(one, other core.RefundSnapshot) int { return other.CreatedAt.Compare(one.CreatedAt) })
	return all[:min(len(all), ports.RefundsMax)], nil
}

// refund is what an answer shows of a refund.
func (a *Adapter) refund(op string, payment core.ProviderRef, r *Refund) (core.RefundSnapshot, error) {
	given, err := fromForeign(r.Amount)
	if err != nil {
		return core.RefundSnapshot{}, r.unusable(op, err)
	}
	if r.ID == "" || outbound.SafeID(r.ID) == "" {
		return core.RefundSnapshot{}, r.unusable(op, errNoObject)
	}
	seen := core.RefundSnapshot{
		Ref: core.ProviderRef{Account: a.account, Kind: core.ObjectRefund, ID: r.ID}, Payment: payment,
		ForeignStatus: outbound.SafeCode(r.Status), Amount: given, Environment: a.environment(r.Links), CreatedAt: parseTime(r.CreateTime),
	}
	if id, err := core.ParseID[core.RefundID](r.CustomID); err == nil {
		seen.Refund = id
	}
	switch r.Status {
	case refundCompleted:
		seen.Status = core.RefundSucceeded
	case refundPending:
		seen.Status = core.RefundPending
	case refundFailed:
		seen.Status = core.RefundFailed
		seen.Failure = core.NewFailure(core.FailureRefundFailed, orElse(outbound.SafeCode(r.StatusDetails.Reason), r.Status))
	case refundCancelled:
		seen.Status = core.RefundCanceled
	default:
		return core.RefundSnapshot{}, r.unusable(op, errNotReadable)
	}
	return seen, nil
}

// unusable is a refund that says nothing we can act on.
func (r *Refund) unusable(op string, cause error) *core.ProviderError {
	return unusable(op, answer{requestID: r.requestID}, cause)
}

// decodeRefund reads a refund; id is empty where the answer makes it known.
func decodeRefund(op string, got answer, id string) (*Refund, error) {
	shown := &Refund{}
	if err := decode(op, got, shown); err != nil {
		return nil, err
	}
	shown.requestID = got.requestID
	if shown.ID == "" || outbound.SafeID(shown.ID) == "" || id != "" && shown.ID != id {
		return nil, unusable(op, got, errNoObject)
	}
	return shown, nil
}

func (a *Adapter) lookAtRefund(ctx context.Context, op, id string) (*Refund, error) {
	got, err := a.api.do(ctx, request{op: op, method: http.MethodGet, path: pathRefunds + id})
	if err != nil {
		return nil, err
	}
	return decodeRefund(op, got, id)
}

// refundWithPayment is a refund, and the id by which the payment is known of which it gives
// back.
func (a *Adapter) refundWithPayment(ctx context.Context, op, id string) (*Refund, string, error) {
	shown, err := a.lookAtRefund(ctx, op, id)
	if err != nil {
		return nil, "", err
	}
	capture := linked(shown.Links, pathCaptures)
	if capture == "" {
		return nil, "", shown.unusable(op, errNoObject)
	}
	payment, err := a.owner(ctx, op, capture)
	return shown, payment, err
}

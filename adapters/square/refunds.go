package square

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const refundsPath = "/v2/refunds"

// Refund is a refund as Square shows it, as far as it is used.
//
// Source: developer.squareup.com/reference/square/objects/PaymentRefund.
type Refund struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	AmountMoney *Money `json:"amount_money"`
	PaymentID   string `json:"payment_id"`
	Reason      string `json:"reason"`
	CreatedAt   string `json:"created_at"`
}

// RefundPaymentRequest is the body of POST /v2/refunds.
type RefundPaymentRequest struct {
	IdempotencyKey string `json:"idempotency_key"`
	PaymentID      string `json:"payment_id"`
	AmountMoney    Money  `json:"amount_money"`
	Reason         string `json:"reason,omitempty"`
}

func refundID(out answer) string {
	if out.Refund == nil {
		return ""
	}
	return out.Refund.ID
}

// RefundPayment implements [ports.Refunder]. Square's refunds are pending at first. Square keeps
// no reference with a refund: ours stands in its reason.
//
// Source: POST /v2/refunds.
func (a *Adapter) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	op := a.op("refund", safeID(in.Ref.ID))
	if err := a.checkOrder(op, key, in.Ref, core.ObjectPayment); err != nil {
		return core.RefundSnapshot{}, err
	}
	amount, err := toForeign(op, in.Amount)
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	out, err := a.api.object(ctx, op, http.MethodPost, refundsPath, RefundPaymentRequest{
		IdempotencyKey: string(key), PaymentID: in.Ref.ID, AmountMoney: amount,
		Reason: strings.TrimSpace(string(in.Reason) + " " + string(in.Refund)),
	}, "", refundID)
	return a.refundSeen(out, err, in.Ref.ID)
}

// GetRefund implements [ports.Refunder].
//
// Source: GET /v2/refunds/{id}.
func (a *Adapter) GetRefund(ctx context.Context, ref core.ProviderRef) (core.RefundSnapshot, error) {
	op := a.op("get refund", safeID(ref.ID))
	if err := a.checkRef(op, ref, core.ObjectRefund); err != nil {
		return core.RefundSnapshot{}, err
	}
	return a.refund(ctx, op, ref.ID, "")
}

func (a *Adapter) refund(ctx context.Context, op, id, payment string) (core.RefundSnapshot, error) {
	out, err := a.api.object(ctx, op, http.MethodGet, refundsPath+"/"+id, nil, id, refundID)
	return a.refundSeen(out, err, payment)
}

// PaymentRefunds implements [ports.Refunder]. A payment names its refunds, of which it has twenty
// at most; Square's list of refunds cannot be asked for those of one payment.
//
// Source: GET /v2/payments/{id}, refund_ids; GET /v2/refunds/{id}.
func (a *Adapter) PaymentRefunds(ctx context.Context, payment core.ProviderRef) ([]core.RefundSnapshot, error) {
	op := a.op("list refunds of", safeID(payment.ID))
	if err := a.checkRef(op, payment, core.ObjectPayment); err != nil {
		return nil, err
	}
	shown, err := a.api.payment(ctx, op, http.MethodGet, paymentsPath+"/"+payment.ID, payment.ID, nil)
	if err != nil {
		return nil, err
	}
	ids := shown.Payment.RefundIDs
	if len(ids) > ports.RefundsMax {
		return nil, shown.call.Unusable(errTooMany)
	}
	seen := make([]core.RefundSnapshot, len(ids))
	for n, id := range ids {
		if safeID(id) == "" {
			return nil, shown.call.Unusable(errNotReadable)
		}
		if seen[n], err = a.refund(ctx, op, id, payment.ID); err != nil {
			return nil, within(err)
		}
	}
	slices.SortStableFunc(seen, func(one, other core.RefundSnapshot) int { return other.CreatedAt.Compare(one.CreatedAt) })
	return seen, nil
}

// refundSeen is what an answer shows of its refund; payment is what it has to be of, empty where
// the answer makes it known.
func (a *Adapter) refundSeen(out answer, err error, payment string) (core.RefundSnapshot, error) {
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	shown := out.Refund
	if safeID(shown.PaymentID) == "" || payment != "" && shown.PaymentID != payment {
		return core.RefundSnapshot{}, out.call.Unusable(errNoObject)
	}
	amount, err := fromForeign(shown.AmountMoney)
	if err != nil {
		return core.RefundSnapshot{}, out.call.Unusable(err)
	}
	seen := core.RefundSnapshot{
		Ref: a.ref(core.ObjectRefund, shown.ID), Refund: ownRefund(shown.Reason), Payment: a.ref(core.ObjectPayment, shown.PaymentID),
		Status: refundStatus(shown.Status), ForeignStatus: outbound.SafeCode(shown.Status), Amount: amount, Environment: a.env,
	}
	if seen.CreatedAt, err = fromTime(shown.CreatedAt); err != nil || !amount.IsPositive() || seen.ForeignStatus == "" {
		return core.RefundSnapshot{}, out.call.Unusable(errNotReadable)
	}
	if seen.Status == core.RefundFailed {
		seen.Failure = core.NewFailure(core.FailureRefundFailed, seen.ForeignStatus) // Square says no more
	}
	return seen, nil
}

// ownRefund is the refund of ours that a reason names; empty where other hands wrote it.
func ownRefund(reason string) core.RefundID {
	words := strings.Fields(reason)
	if len(words) == 0 {
		return ""
	}
	id, err := core.ParseID[core.RefundID](words[len(words)-1])
	if err != nil {
		return ""
	}
	return id
}

// refundStatus is ours for Square's. One that is not known here is pending.
//
// Source: developer.squareup.com/reference/square/objects/PaymentRefund.
func refundStatus(status string) core.RefundStatus {
	switch status {
	case "COMPLETED", "APPROVED":
		return core.RefundSucceeded
	case "REJECTED", "FAILED":
		return core.RefundFailed
	}
	return core.RefundPending
}

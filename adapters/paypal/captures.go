package paypal

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// honorTime is how long PayPal is certain to have the money that it holds. The hold itself
// lasts for 29 days.
//
// Source: developer.paypal.com/docs/api/payments/v2/#authorizations_reauthorize.
const honorTime = 3 * 24 * time.Hour

// CapturePayment implements [ports.Provider]. PayPal itself would take somewhat more than is
// held; that is refused before. Whether the hold is still good is PayPal's to say: under the
// same key it tells what the first call did. One that PayPal is not certain to honor any more
// is renewed first.
//
// Source: POST /v2/payments/authorizations/{id}/capture.
func (a *Adapter) CapturePayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef, amount core.Money) (core.PaymentSnapshot, error) {
	op := a.op("capture", ref.ID)
	if err := a.check(op, key, ref, core.ObjectPayment); err != nil {
		return core.PaymentSnapshot{}, err
	}
	wanted, err := toForeign(amount)
	if err != nil {
		return core.PaymentSnapshot{}, outbound.Invalid(op, err)
	}
	shown, err := a.look(ctx, op, ref.ID)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	held := shown.authorization()
	if held == nil || outbound.SafeID(held.ID) == "" {
		return core.PaymentSnapshot{}, outbound.Invalid(op, core.ErrPaymentNotOpen)
	}
	most, err := fromForeign(held.Amount)
	if err != nil {
		return core.PaymentSnapshot{}, shown.unusable(op, err)
	}
	if order, err := amount.Compare(most); err != nil || order > 0 {
		return core.PaymentSnapshot{}, outbound.Invalid(op, core.ErrAmountRange)
	}
	from, err := a.renewed(ctx, op, key, held, most)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	got, err := a.api.do(ctx, request{
		op: op, method: http.MethodPost, path: pathAuthorizations + from + "/capture", key: key,
		body: CaptureAuthorizationRequest{Amount: wanted, FinalCapture: true},
	})
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	var taken Capture
	if err := decode(op, got, &taken); err != nil {
		return core.PaymentSnapshot{}, err
	}
	return a.captured(ctx, op, ref.ID, taken.ID)
}

// captured is a payment as it stands after a capture of its authorization.
func (a *Adapter) captured(ctx context.Context, op, id, capture string) (core.PaymentSnapshot, error) {
	shown, err := a.lookAfter(ctx, op, id)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	for _, one := range shown.payments().Captures {
		if capture == "" || one.ID != capture {
			continue
		}
		if one.isRefused() {
			return core.PaymentSnapshot{}, shown.declined(op, captureFailure(&one))
		}
		return a.seen(op, shown)
	}
	return core.PaymentSnapshot{}, shown.unusable(op, errNotWhole)
}

// renewed is the authorization to capture from: the held one, or, after the days for which
// PayPal honors it, the one by which PayPal holds the money anew. What PayPal does not renew,
// such as a card's, or one that was renewed before, is captured as it is: PayPal may still
// have the money.
//
// Source: POST /v2/payments/authorizations/{id}/reauthorize.
func (a *Adapter) renewed(ctx context.Context, op string, key core.OperationKey, held *Authorization, amount core.Money) (string, error) {
	since := parseTime(held.CreateTime)
	if held.Status != authCreated || since.IsZero() || a.now().Sub(since) < honorTime {
		return held.ID, nil
	}
	again, err := toForeign(amount)
	if err != nil {
		return "", outbound.Invalid(op, err)
	}
	got, err := a.api.do(ctx, request{
		op: op, method: http.MethodPost, path: pathAuthorizations + held.ID + "/reauthorize", key: key + "-a", body: ReauthorizeRequest{Amount: again},
	})
	if refused, ok := errors.AsType[*core.ProviderError](err); ok && (refused.Class == core.ClassInvalid || refused.Class == core.ClassDeclined) {
		return held.ID, nil
	}
	if err != nil {
		return "", err
	}
	var made Authorization
	if err := decode(op, got, &made); err != nil {
		return "", err
	}
	if made.ID == "" || outbound.SafeID(made.ID) == "" {
		return "", unusable(op, got, errNoObject)
	}
	return made.ID, nil
}

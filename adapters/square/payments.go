package square

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	operationKeyMax = 45 // characters of an idempotency key
	noteCharsMax    = 500
	// lowerKeyEnd makes the key of a capture into that of the lowering before it.
	lowerKeyEnd = "_lower"
	pageMost    = 100
)

// op says for errors what was tried, and with which account.
func (a *Adapter) op(verb, object string) string {
	return string(a.account) + " " + verb + " " + object
}

// shortened is a text's first characters.
func shortened(text string, charsMax int) string {
	chars := []rune(text)
	return string(chars[:min(len(chars), charsMax)])
}

// checkRef refuses an object that cannot be this account's. An empty id would turn a look at
// one payment into a list of all.
func (a *Adapter) checkRef(op string, ref core.ProviderRef) error {
	if ref.Account != a.account || ref.Kind != core.ObjectPayment || ref.ID == "" || outbound.SafeID(ref.ID) == "" {
		return outbound.Invalid(op, errNotOurRef)
	}
	return nil
}

func checkKey(op string, key core.OperationKey) error {
	if key == "" || len(key) > operationKeyMax {
		return outbound.Invalid(op, errKey)
	}
	return nil
}

// toForeign is an amount as Square counts it, which is as ISO 4217 does.
func toForeign(op string, amount core.Money) (Money, error) {
	if !currencies[amount.Currency()] {
		return Money{}, outbound.Invalid(op, errCurrency)
	}
	if !amount.IsPositive() {
		return Money{}, outbound.Invalid(op, core.ErrAmountRange)
	}
	return Money{Amount: new(amount.Minor()), Currency: string(amount.Currency())}, nil
}

// CreatePayment implements [ports.Provider]: there is none before its confirmation.
func (a *Adapter) CreatePayment(_ context.Context, _ core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	return ports.PaymentSession{}, outbound.Invalid(a.op("create for", string(in.Payment)), errNoCreation)
}

// OpenPayment implements [ports.Provider]: there is nothing to go on with, but at a page of
// Square's own.
func (a *Adapter) OpenPayment(ctx context.Context, ref core.ProviderRef) (ports.PaymentSession, error) {
	if ref.Kind != core.ObjectSession {
		return ports.PaymentSession{}, outbound.Invalid(a.op("open", outbound.SafeID(ref.ID)), errNoCreation)
	}
	return a.lookAtPage(ctx, a.op("open", safePage(ref.ID)), ref)
}

// ConfirmPayment implements [ports.Confirmer].
//
// Source: POST /v2/payments.
func (a *Adapter) ConfirmPayment(ctx context.Context, key core.OperationKey, in ports.ConfirmPayment) (core.PaymentSnapshot, error) {
	op := a.op("pay", string(in.Payment))
	if err := checkKey(op, key); err != nil {
		return core.PaymentSnapshot{}, err
	}
	if in.Source == "" {
		return core.PaymentSnapshot{}, outbound.Invalid(op, errNoSource)
	}
	amount, err := toForeign(op, in.Amount)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	made, err := a.api.payment(ctx, op, http.MethodPost, "/v2/payments", "", CreatePaymentRequest{
		SourceID: in.Source, IdempotencyKey: string(key), AmountMoney: amount, Autocomplete: in.Capture != core.CaptureManual,
		LocationID: a.location, ReferenceID: string(in.Payment), Note: shortened(in.Description, noteCharsMax),
	})
	return a.seen(made, err)
}

// GetPayment implements [ports.Provider]. A payment that was made at a page of Square's own
// carries no reference of ours; its order does.
//
// Source: GET /v2/payments/{id}.
func (a *Adapter) GetPayment(ctx context.Context, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	if ref.Kind == core.ObjectSession {
		session, err := a.lookAtPage(ctx, a.op("get", safePage(ref.ID)), ref)
		return session.Snapshot, err
	}
	op := a.op("get", outbound.SafeID(ref.ID))
	if err := a.checkRef(op, ref); err != nil {
		return core.PaymentSnapshot{}, err
	}
	shown, err := a.api.payment(ctx, op, http.MethodGet, "/v2/payments/"+ref.ID, ref.ID, nil)
	seen, err := a.seen(shown, err)
	if err != nil || seen.Payment != "" || outbound.SafeID(shown.Payment.OrderID) == "" {
		return seen, err
	}
	paid, err := a.api.order(ctx, op, shown.Payment.OrderID)
	if isMissing(err) {
		return seen, nil
	}
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	seen.Payment = ownPayment(paid.Order.ReferenceID)
	return seen, nil
}

// isMissing reports that Square has no such object.
func isMissing(err error) bool {
	refused, is := errors.AsType[*core.ProviderError](err)
	return is && refused.Foreign == ports.ForeignMissing
}

// isInvalid reports that Square refused what was asked of it.
func isInvalid(err error) bool {
	refused, is := errors.AsType[*core.ProviderError](err)
	return is && refused.Class == core.ClassInvalid
}

// CapturePayment implements [ports.Provider]. Square completes a payment once and whole, so a
// part is taken by lowering the amount first. Completing takes no key: one that is completed
// with that amount already is the answer to a repetition.
//
// Source: PUT /v2/payments/{id}; POST /v2/payments/{id}/complete.
func (a *Adapter) CapturePayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef, amount core.Money) (core.PaymentSnapshot, error) {
	op := a.op("capture", outbound.SafeID(ref.ID))
	if err := errors.Join(a.checkRef(op, ref), checkKey(op, key)); err != nil {
		return core.PaymentSnapshot{}, outbound.Invalid(op, err)
	}
	wanted, err := toForeign(op, amount)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	held, err := a.api.payment(ctx, op, http.MethodGet, "/v2/payments/"+ref.ID, ref.ID, nil)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	switch now := held.Payment.AmountMoney; {
	case now == nil || now.Amount == nil || now.Currency != wanted.Currency || *wanted.Amount > *now.Amount:
		return core.PaymentSnapshot{}, outbound.Invalid(op, core.ErrAmountRange)
	case held.Payment.Status == statusCompleted && *now.Amount == *wanted.Amount:
		return a.seen(held, nil)
	case held.Payment.Status != statusApproved:
		return core.PaymentSnapshot{}, outbound.Invalid(op, core.ErrPaymentNotOpen)
	case *wanted.Amount < *now.Amount:
		change := UpdatePaymentRequest{
			IdempotencyKey: string(key[:min(len(key), operationKeyMax-len(lowerKeyEnd))]) + lowerKeyEnd,
			Payment:        UpdatePayment{AmountMoney: wanted, VersionToken: held.Payment.VersionToken},
		}
		if _, err := a.api.payment(ctx, op, http.MethodPut, "/v2/payments/"+ref.ID, ref.ID, change); err != nil {
			return core.PaymentSnapshot{}, err
		}
	}
	taken, err := a.api.payment(ctx, op, http.MethodPost, "/v2/payments/"+ref.ID+"/complete", ref.ID, struct{}{})
	return a.seen(taken, err)
}

// CancelPayment implements [ports.Provider]. What is canceled already is no error.
//
// Source: POST /v2/payments/{id}/cancel.
func (a *Adapter) CancelPayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	if ref.Kind == core.ObjectSession {
		return a.cancelPage(ctx, key, a.op("cancel", safePage(ref.ID)), ref)
	}
	op := a.op("cancel", outbound.SafeID(ref.ID))
	if err := errors.Join(a.checkRef(op, ref), checkKey(op, key)); err != nil {
		return core.PaymentSnapshot{}, outbound.Invalid(op, err)
	}
	released, err := a.api.payment(ctx, op, http.MethodPost, "/v2/payments/"+ref.ID+"/cancel", ref.ID, nil)
	if isInvalid(err) && !isMissing(err) {
		present, lookErr := a.GetPayment(ctx, ref)
		if lookErr == nil && present.ForeignStatus == statusCanceled {
			return present, nil
		}
	}
	return a.seen(released, err)
}

// RefundPayment implements [ports.Refunder]. Square's refunds are pending at first.
//
// Source: POST /v2/refunds.
func (a *Adapter) RefundPayment(ctx context.Context, key core.OperationKey, in ports.RefundPayment) (core.RefundSnapshot, error) {
	op := a.op("refund", outbound.SafeID(in.Ref.ID))
	if err := errors.Join(a.checkRef(op, in.Ref), checkKey(op, key)); err != nil {
		return core.RefundSnapshot{}, outbound.Invalid(op, err)
	}
	amount, err := toForeign(op, in.Amount)
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	out, err := a.api.do(ctx, op, http.MethodPost, "/v2/refunds", nil, RefundPaymentRequest{IdempotencyKey: string(key), PaymentID: in.Ref.ID, AmountMoney: amount})
	if err != nil {
		return core.RefundSnapshot{}, err
	}
	if out.Refund == nil || outbound.SafeID(out.Refund.ID) == "" || out.Refund.PaymentID != in.Ref.ID {
		return core.RefundSnapshot{}, out.call.Unusable(errNoObject)
	}
	given, err := fromForeign(out.Refund.AmountMoney)
	if err != nil {
		return core.RefundSnapshot{}, out.call.Unusable(err)
	}
	return core.RefundSnapshot{
		Ref:     core.ProviderRef{Account: a.account, Kind: core.ObjectRefund, ID: out.Refund.ID},
		Payment: in.Ref, Status: refundStatus(out.Refund.Status), ForeignStatus: outbound.SafeCode(out.Refund.Status), Amount: given,
	}, nil
}

// ListPayments implements [ports.Provider]. Square dates payments to the millisecond, so the
// window is widened to that. Payments that were made at a page of Square's own are listed
// without ours: their orders are not asked for one by one.
//
// Source: GET /v2/payments.
func (a *Adapter) ListPayments(ctx context.Context, in ports.ListPayments) (ports.PaymentList, error) {
	op := a.op("list", "payments")
	query := url.Values{
		"begin_time": {in.From.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano)}, "end_time": {in.Until.UTC().Format(time.RFC3339Nano)},
		"location_id": {a.location}, "sort_order": {"DESC"}, "limit": {strconv.Itoa(min(in.Limit, pageMost))},
	}
	if in.Cursor != "" {
		query.Set("cursor", in.Cursor)
	}
	out, err := a.api.do(ctx, op, http.MethodGet, "/v2/payments", query, nil)
	if err != nil {
		return ports.PaymentList{}, err
	}
	list := ports.PaymentList{NextCursor: out.Cursor}
	for _, one := range out.Payments {
		seen, err := a.translate(one)
		if err != nil && one.ReferenceID == "" {
			continue // another program's, in a currency that is not taken here
		}
		if err != nil {
			return ports.PaymentList{}, out.call.Unusable(err)
		}
		list.Payments = append(list.Payments, seen)
	}
	return list, nil
}

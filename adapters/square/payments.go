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
	paymentsPath    = "/v2/payments"
	operationKeyMax = 45  // characters of an idempotency key
	idCharsMax      = 255 // of any object
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

// ref names an object of this account.
func (a *Adapter) ref(kind core.ObjectKind, id string) core.ProviderRef {
	return core.ProviderRef{Account: a.account, Kind: kind, ID: id}
}

// checkRef refuses an object that cannot be this account's, or is of another kind. An empty id
// would turn a look at one into a list of all.
func (a *Adapter) checkRef(op string, ref core.ProviderRef, kind core.ObjectKind) error {
	if ref.Account != a.account || ref.Kind != kind || safeID(ref.ID) == "" {
		return outbound.Invalid(op, errNotOurRef)
	}
	return nil
}

// checkOrder refuses what cannot be done to an object of this account.
func (a *Adapter) checkOrder(op string, key core.OperationKey, ref core.ProviderRef, kind core.ObjectKind) error {
	if err := a.checkRef(op, ref, kind); err != nil {
		return err
	}
	return checkKey(op, key)
}

// derived makes an operation's key into that of one of several calls. The same operation always
// makes the same.
func derived(key core.OperationKey, end string) string {
	return string(key[:min(len(key), operationKeyMax-len(end))]) + end
}

// safeID is an id as it stands where it has the shape of one of Square's, and empty otherwise.
// Those of cards and invoices have a colon.
func safeID(id string) string { return outbound.Shaped(id, idCharsMax, "_-:") }

// afterwards makes what went wrong after a call that had its effect into an unknown outcome: the
// same has to go again, or be looked at.
func afterwards(err error) error {
	if refused, is := errors.AsType[*core.ProviderError](err); is {
		refused.Class, refused.Code = core.ClassUnknown, ""
	}
	return err
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
	wanted, err := a.newPayment(op, key, in.CreatePayment, in.Source)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	made, err := a.api.payment(ctx, op, http.MethodPost, paymentsPath, "", wanted)
	return a.seen(made, err)
}

// newPayment is what Square is asked for so that a source pays.
func (a *Adapter) newPayment(op string, key core.OperationKey, in ports.CreatePayment, source string) (CreatePaymentRequest, error) {
	amount, err := toForeign(op, in.Amount)
	return CreatePaymentRequest{
		SourceID: source, IdempotencyKey: string(key), AmountMoney: amount, Autocomplete: in.Capture != core.CaptureManual,
		LocationID: a.location, ReferenceID: string(in.Payment), Note: shortened(in.Description, noteCharsMax),
	}, err
}

// GetPayment implements [ports.Provider]. A payment that was made at a page of Square's own
// carries no reference of ours; its order does. One that a subscription's billing asked for is
// known by the invoice of its order.
//
// Source: GET /v2/payments/{id}.
func (a *Adapter) GetPayment(ctx context.Context, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	if ref.Kind == core.ObjectSession {
		session, err := a.lookAtPage(ctx, a.op("get", safePage(ref.ID)), ref)
		return session.Snapshot, err
	}
	op := a.op("get", safeID(ref.ID))
	if err := a.checkRef(op, ref, core.ObjectPayment); err != nil {
		return core.PaymentSnapshot{}, err
	}
	shown, err := a.api.payment(ctx, op, http.MethodGet, paymentsPath+"/"+ref.ID, ref.ID, nil)
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
	if seen.Payment = ownPayment(paid.Order.ReferenceID); seen.Payment != "" {
		return seen, nil
	}
	if seen.Subscription, err = a.billedBy(ctx, op, *shown.Payment); err != nil {
		return core.PaymentSnapshot{}, err
	}
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

// isRefused reports a sure no of Square's or of the bank.
func isRefused(err error) bool {
	refused, is := errors.AsType[*core.ProviderError](err)
	return is && (refused.Class == core.ClassInvalid || refused.Class == core.ClassDeclined)
}

// within is what went wrong with what belongs to an object: that it is refused says nothing of
// the object itself.
func within(err error) error {
	if isRefused(err) {
		return afterwards(err)
	}
	return err
}

// CapturePayment implements [ports.Provider]. Square completes a payment once and whole, so a
// part is taken by lowering the amount first. Completing takes no key: one that is completed
// with that amount already is the answer to a repetition.
//
// Source: PUT /v2/payments/{id}; POST /v2/payments/{id}/complete.
func (a *Adapter) CapturePayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef, amount core.Money) (core.PaymentSnapshot, error) {
	op := a.op("capture", outbound.SafeID(ref.ID))
	if err := a.checkOrder(op, key, ref, core.ObjectPayment); err != nil {
		return core.PaymentSnapshot{}, err
	}
	wanted, err := toForeign(op, amount)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	held, err := a.api.payment(ctx, op, http.MethodGet, paymentsPath+"/"+ref.ID, ref.ID, nil)
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
			IdempotencyKey: derived(key, lowerKeyEnd),
			Payment:        UpdatePayment{AmountMoney: wanted, VersionToken: held.Payment.VersionToken},
		}
		if _, err := a.api.payment(ctx, op, http.MethodPut, paymentsPath+"/"+ref.ID, ref.ID, change); err != nil {
			return core.PaymentSnapshot{}, err
		}
	}
	taken, err := a.api.payment(ctx, op, http.MethodPost, paymentsPath+"/"+ref.ID+"/complete", ref.ID, struct{}{})
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
	if err := a.checkOrder(op, key, ref, core.ObjectPayment); err != nil {
		return core.PaymentSnapshot{}, err
	}
	released, err := a.api.payment(ctx, op, http.MethodPost, paymentsPath+"/"+ref.ID+"/cancel", ref.ID, nil)
	if isInvalid(err) && !isMissing(err) {
		present, lookErr := a.GetPayment(ctx, ref)
		if lookErr == nil && present.ForeignStatus == statusCanceled {
			return present, nil
		}
	}
	return a.seen(released, err)
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
	out, err := a.api.do(ctx, op, http.MethodGet, paymentsPath, query, nil)
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

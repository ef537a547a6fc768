package paypal

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	operationKeyMax     = 45 // characters of an idempotency key (core.OperationKey)
	descriptionCharsMax = 127
	intentCapture       = "CAPTURE"
	intentAuthorize     = "AUTHORIZE"
	actionApprove       = "paypal_approve"
)

// op says for errors what was tried, and with which account.
func (a *Adapter) op(verb, object string) string {
	return string(a.account) + " " + verb + " " + outbound.SafeID(object)
}

// checkRef refuses an object that cannot be this account's, or is not of the kind that is
// asked about. An empty id would turn a look at one object into a list of all.
func (a *Adapter) checkRef(op string, ref core.ProviderRef, kinds ...core.ObjectKind) error {
	if ref.Account != a.account || !slices.Contains(kinds, ref.Kind) || ref.ID == "" || outbound.SafeID(ref.ID) == "" {
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

// check is both, for calls that change an object.
func (a *Adapter) check(op string, key core.OperationKey, ref core.ProviderRef, kind core.ObjectKind) error {
	if err := a.checkRef(op, ref, kind); err != nil {
		return err
	}
	return checkKey(op, key)
}

// CreatePayment implements [ports.Provider]: an order that the buyer agrees to in the frame of
// PayPal's script. It has no invoice_id: PayPal takes each once, and another try of the same
// checkout is another order.
//
// Source: POST /v2/checkout/orders.
func (a *Adapter) CreatePayment(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	_, session, err := a.create(ctx, a.op("create for", string(in.Payment)), key, in, nil)
	return session, err
}

func (a *Adapter) create(
	ctx context.Context, op string, key core.OperationKey, in ports.CreatePayment, source *PaymentSourceRequest,
) (*Order, ports.PaymentSession, error) {
	if err := checkKey(op, key); err != nil {
		return nil, ports.PaymentSession{}, err
	}
	amount, err := toForeign(in.Amount)
	if err != nil {
		return nil, ports.PaymentSession{}, outbound.Invalid(op, err)
	}
	intent := intentCapture
	if in.Capture == core.CaptureManual {
		intent = intentAuthorize
	}
	description := []rune(in.Description)
	made, err := a.order(ctx, request{
		op: op, method: http.MethodPost, path: "/v2/checkout/orders", key: key,
		body: CreateOrderRequest{Intent: intent, PaymentSource: source, PurchaseUnits: []PurchaseUnitRequest{{
			CustomID: string(in.Payment), Amount: amount, Description: string(description[:min(len(description), descriptionCharsMax)]),
		}}},
	}, "")
	if err != nil {
		return nil, ports.PaymentSession{}, err
	}
	session, err := a.session(op, made)
	if err == nil && (session.Snapshot.Payment != in.Payment || session.Snapshot.Amount != in.Amount) {
		// What was asked for under the key before was something else.
		err = made.unusable(op, errOther)
	}
	if err != nil {
		return nil, ports.PaymentSession{}, err
	}
	return made, session, nil
}

// order makes a call whose answer is an order; id is empty where the answer makes it known. An
// answer that does not show the whole is followed by a look.
func (a *Adapter) order(ctx context.Context, r request, id string) (*Order, error) {
	got, err := a.api.do(ctx, r)
	if err != nil {
		return nil, err
	}
	shown := &Order{}
	if err := decode(r.op, got, shown); err != nil {
		return nil, err
	}
	shown.requestID = got.requestID
	if shown.ID == "" || outbound.SafeID(shown.ID) == "" || id != "" && shown.ID != id {
		return nil, unusable(r.op, got, errNoObject)
	}
	if r.method == http.MethodGet || !shown.isShort() {
		return shown, nil
	}
	return a.lookAfter(ctx, r.op, shown.ID)
}

// look fetches an order.
//
// Source: GET /v2/checkout/orders/{id}.
func (a *Adapter) look(ctx context.Context, op, id string) (*Order, error) {
	return a.order(ctx, request{op: op, method: http.MethodGet, path: pathOrders + id}, id)
}

// lookAfter looks at an order that something was done to. Whatever goes wrong then, it was
// done, and nobody saw how it stands: the same key has to go again.
func (a *Adapter) lookAfter(ctx context.Context, op, id string) (*Order, error) {
	shown, err := a.look(ctx, op, id)
	return shown, afterwards(err, id)
}

// afterwards is an error of a look that followed what was done to an object; nil for none.
func afterwards(err error, id string) error {
	if looked, ok := errors.AsType[*core.ProviderError](err); ok {
		looked.Class, looked.Code, looked.ObjectID = core.ClassUnknown, "", id
		return looked
	}
	return err
}

// session is a payment with the buyer's next step: at PayPal's own page where the order names
// one, else in the frame of PayPal's script.
func (a *Adapter) session(op string, o *Order) (ports.PaymentSession, error) {
	seen, err := a.seen(op, o)
	if err != nil {
		return ports.PaymentSession{}, err
	}
	session := ports.PaymentSession{Snapshot: seen}
	if seen.Status != core.PaymentRequiresAction || seen.Confirmable {
		return session, nil
	}
	session.Action = ports.BuyerAction{Type: actionApprove}
	if page := a.page(o.Links, relPayerAction); page != "" {
		session.Action = ports.BuyerAction{Type: ports.ActionRedirect, URL: page}
	}
	return session, nil
}

// OpenPayment implements [ports.Provider]. One that the buyer has agreed to needs nothing more
// of the buyer.
func (a *Adapter) OpenPayment(ctx context.Context, ref core.ProviderRef) (ports.PaymentSession, error) {
	op := a.op("open", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectPayment); err != nil {
		return ports.PaymentSession{}, err
	}
	shown, err := a.look(ctx, op, ref.ID)
	if err != nil {
		return ports.PaymentSession{}, err
	}
	return a.session(op, shown)
}

// GetPayment implements [ports.Provider]. A payment is known by its order; what a
// subscription's billing took has none, and is known by the id of its transaction. It takes a
// reference to a refund, too, and then gives the payment of which it gives back.
//
// PayPal forgets an order that nobody agreed to some hours after its creation; it is then
// [ports.ForeignMissing].
func (a *Adapter) GetPayment(ctx context.Context, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	op := a.op("get", ref.ID)
	err := a.checkRef(op, ref, core.ObjectPayment, core.ObjectRefund)
	if err == nil && ref.Kind == core.ObjectRefund {
		_, ref.ID, err = a.refundWithPayment(ctx, op, ref.ID)
	}
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	order, sale, err := a.paid(ctx, op, ref.ID)
	switch {
	case err != nil:
		return core.PaymentSnapshot{}, err
	case sale != nil:
		return a.saleSeen(op, sale)
	}
	return a.seen(op, order)
}

// ConfirmPayment implements [ports.Confirmer]. PayPal refuses in two ways: by an error, and by
// an order that it calls completed with a refused capture or authorization in it.
//
// Source: POST /v2/checkout/orders/{id}/capture and /authorize.
func (a *Adapter) ConfirmPayment(ctx context.Context, key core.OperationKey, in ports.ConfirmPayment) (core.PaymentSnapshot, error) {
	op := a.op("confirm", in.Ref.ID)
	if err := a.check(op, key, in.Ref, core.ObjectPayment); err != nil {
		return core.PaymentSnapshot{}, err
	}
	verb := "/capture"
	if in.Capture == core.CaptureManual {
		verb = "/authorize"
	}
	done, err := a.order(ctx, request{op: op, method: http.MethodPost, path: pathOrders + in.Ref.ID + verb, key: key, body: struct{}{}}, in.Ref.ID)
	if hasIssue(err, issueAlreadyCaptured, issueAlreadyAuthorized) {
		done, err = a.lookAfter(ctx, op, in.Ref.ID)
	}
	if refused, ok := errors.AsType[*core.ProviderError](err); ok {
		if refused.Class == core.ClassDeclined {
			refused.ObjectID = in.Ref.ID
		}
		return core.PaymentSnapshot{}, refused
	}
	seen, err := a.seen(op, done)
	switch {
	case err != nil:
		return core.PaymentSnapshot{}, err
	case seen.Status == core.PaymentFailed:
		return core.PaymentSnapshot{}, done.declined(op, seen.Failure)
	case seen.Status == core.PaymentRequiresAction:
		return core.PaymentSnapshot{}, done.unusable(op, errNotWhole)
	}
	return seen, nil
}

// declined is a no that came as an object.
func (o *Order) declined(op string, why *core.Failure) *core.ProviderError {
	return &core.ProviderError{
		Class: core.ClassDeclined, Code: why.Code, Foreign: why.ProviderCode, Op: op, RequestID: o.requestID, ObjectID: outbound.SafeID(o.ID),
	}
}

// unusable is an order that says nothing we can act on.
func (o *Order) unusable(op string, cause error) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassUnknown, Op: op, RequestID: o.requestID, ObjectID: outbound.SafeID(o.ID), Err: cause}
}

// CancelPayment implements [ports.Provider]. PayPal cannot give up an order from which nothing
// is held yet. Nobody but our own server can take its money, so that it is given up by not
// asking for it: it counts as canceled, and PayPal is not told. Until PayPal forgets it, a look
// still shows it as open.
//
// Source: POST /v2/payments/authorizations/{id}/void.
func (a *Adapter) CancelPayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	op := a.op("cancel", ref.ID)
	if err := a.check(op, key, ref, core.ObjectPayment); err != nil {
		return core.PaymentSnapshot{}, err
	}
	shown, err := a.look(ctx, op, ref.ID)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	seen, err := a.seen(op, shown)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	held := shown.authorization()
	switch seen.Status {
	case core.PaymentCanceled, core.PaymentExpired:
		if held == nil || held.Status != authCreated {
			return seen, nil
		}
	case core.PaymentRequiresAction, core.PaymentFailed:
		seen.Status, seen.Failure, seen.Confirmable = core.PaymentCanceled, nil, false
		return seen, nil
	case core.PaymentAuthorized, core.PaymentProcessing:
		if held == nil || held.Status != authCreated && held.Status != authPending {
			return core.PaymentSnapshot{}, outbound.Invalid(op, core.ErrPaymentNotOpen)
		}
	case core.PaymentSucceeded, core.PaymentNeedsReview:
		return core.PaymentSnapshot{}, outbound.Invalid(op, core.ErrPaymentNotOpen)
	default:
		return core.PaymentSnapshot{}, shown.unusable(op, errNotWhole)
	}
	if outbound.SafeID(held.ID) == "" {
		return core.PaymentSnapshot{}, shown.unusable(op, errNoObject)
	}
	_, err = a.api.do(ctx, request{op: op, method: http.MethodPost, path: pathAuthorizations + held.ID + "/void", key: key})
	if err != nil && !hasIssue(err, issueAlreadyVoided) {
		return core.PaymentSnapshot{}, err
	}
	if shown, err = a.lookAfter(ctx, op, ref.ID); err != nil {
		return core.PaymentSnapshot{}, err
	}
	return a.seen(op, shown)
}

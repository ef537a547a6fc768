package stripe

import (
	"context"
	"errors"
	"slices"

	stripesdk "github.com/stripe/stripe-go/v76"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// operationKeyMax is the most characters an idempotency key has (core.OperationKey).
const operationKeyMax = 45

// call is one request to Stripe on its way.
type call struct{ *outbound.Call }

// requestIDHeader is where Stripe's answers hold its id of the call.
//
// Source: docs.stripe.com/api/request_ids.
const requestIDHeader = "Request-Id"

// op says for errors what was tried, and with which account.
func (a *Adapter) op(verb, object string) string {
	return string(a.account) + " " + verb + " " + object
}

// begin starts a call. Every parameter struct of the call takes its context.
func begin(ctx context.Context, op string) *call {
	c := &call{outbound.Begin(ctx, op)}
	c.RequestIDHeader = requestIDHeader
	return c
}

// params are what every call carries; key is empty for one that changes nothing.
func (c *call) params(key core.OperationKey) stripesdk.Params {
	params := stripesdk.Params{Context: c.Context}
	if key != "" {
		params.SetIdempotencyKey(string(key))
	}
	return params
}

// answered notes Stripe's id of the call where staff look for it.
func (c *call) answered(response *stripesdk.APIResponse) {
	if response != nil {
		trace.SpanFromContext(c.Context).SetAttributes(attribute.String("paydesk.provider.request_id", outbound.SafeID(response.RequestID)))
	}
}

// checkRef refuses an object that cannot be this account's, or is of another kind than the
// call is about. An empty id would turn a look at one object into a list of all.
func (a *Adapter) checkRef(op string, ref core.ProviderRef, kinds ...core.ObjectKind) error {
	if ref.Account != a.account || !slices.Contains(kinds, ref.Kind) || ref.ID == "" {
		return outbound.Invalid(op, errNotOurRef)
	}
	return nil
}

// checkOrder is checkRef for a call that changes something, and so takes a key.
func (a *Adapter) checkOrder(op string, key core.OperationKey, ref core.ProviderRef, kinds ...core.ObjectKind) error {
	if err := a.checkRef(op, ref, kinds...); err != nil {
		return err
	}
	return checkKey(op, key)
}

// checkKey refuses a call without a key, for which the SDK would invent one.
func checkKey(op string, key core.OperationKey) error {
	if key == "" || len(key) > operationKeyMax {
		return outbound.Invalid(op, errKey)
	}
	return nil
}

// ref names an object of this account.
func (a *Adapter) ref(kind core.ObjectKind, id string) core.ProviderRef {
	return core.ProviderRef{Account: a.account, Kind: kind, ID: id}
}

// one is the only page of a list.
func (c *call) one(limit int) stripesdk.ListParams {
	return stripesdk.ListParams{Context: c.Context, Limit: new(int64(limit)), Single: true}
}

// after is the page of a list that follows the one with the cursor.
func (c *call) after(cursor string, limit int) stripesdk.ListParams {
	params := c.one(limit)
	if cursor != "" {
		params.StartingAfter = new(cursor)
	}
	return params
}

// isRefusal reports whether Stripe refused a request as it stands.
func isRefusal(err error) bool {
	refused, ok := errors.AsType[*core.ProviderError](err)
	return ok && refused.Class == core.ClassInvalid
}

// isMissing reports whether Stripe does not know the object.
func isMissing(err error) bool {
	refused, ok := errors.AsType[*core.ProviderError](err)
	return ok && refused.Class == core.ClassInvalid && refused.Foreign == ports.ForeignMissing
}

// snapshot gives what an answer shows of the payment it was asked about; wanted is
// empty where the answer makes it known.
func (a *Adapter) snapshot(c *call, wanted string, intent *stripesdk.PaymentIntent, err error) (core.PaymentSnapshot, error) {
	if err != nil {
		return core.PaymentSnapshot{}, c.failed(err)
	}
	c.answered(intent.LastResponse)
	if intent.Object != objectPaymentIntent || intent.ID == "" || wanted != "" && intent.ID != wanted {
		return core.PaymentSnapshot{}, c.Unusable(errNotThePayment)
	}
	seen, err := a.translate(intent)
	if err != nil {
		return core.PaymentSnapshot{}, c.Unusable(err)
	}
	return seen, nil
}

// session is a snapshot together with the buyer's next step.
func (a *Adapter) session(c *call, wanted string, intent *stripesdk.PaymentIntent, err error) (ports.PaymentSession, error) {
	seen, err := a.snapshot(c, wanted, intent, err)
	if err != nil {
		return ports.PaymentSession{}, err
	}
	session := ports.PaymentSession{Snapshot: seen}
	if seen.Payable {
		session.Action = ports.BuyerAction{Type: actionConfirm, ClientSecret: intent.ClientSecret}
	}
	return session, nil
}

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
	objectSession       = "checkout.session"
	expandSessionCharge = "payment_intent." + expandCharge
	// sessionNameDefault is what the buyer reads on Stripe's page where we have no words.
	sessionNameDefault = "Order"
	// cancelKeyEnd makes the key of a page's closing into that of its payment's cancellation.
	cancelKeyEnd core.OperationKey = "_payment"
)

var errNotTheSession = errors.New("answer is not the session that was asked about")

// CreateHosted implements [ports.Hoster]. The order is one line with the whole amount: what
// is bought is our page's to show.
//
// Source: POST /v1/checkout/sessions.
func (a *Adapter) CreateHosted(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	op := a.op("create page for", string(in.Payment))
	if err := checkKey(op, key); err != nil {
		return ports.PaymentSession{}, err
	}
	amount, currency, err := toForeign(in.Amount)
	if err != nil {
		return ports.PaymentSession{}, outbound.Invalid(op, err)
	}
	if amount <= 0 {
		return ports.PaymentSession{}, outbound.Invalid(op, core.ErrAmountRange)
	}
	name := in.Description
	if name == "" {
		name = sessionNameDefault
	}
	c := begin(ctx, op)
	params := &stripesdk.CheckoutSessionParams{
		Params: c.params(key), Mode: stripesdk.String(string(stripesdk.CheckoutSessionModePayment)),
		SuccessURL: new(in.ReturnURL), CancelURL: new(in.ReturnURL), ClientReferenceID: new(string(in.Payment)),
		LineItems: []*stripesdk.CheckoutSessionLineItemParams{{
			Quantity: stripesdk.Int64(1),
			PriceData: &stripesdk.CheckoutSessionLineItemPriceDataParams{
				Currency: new(string(currency)), UnitAmount: new(amount),
				ProductData: &stripesdk.CheckoutSessionLineItemPriceDataProductDataParams{Name: new(name)},
			},
		}},
		PaymentIntentData: &stripesdk.CheckoutSessionPaymentIntentDataParams{
			CaptureMethod: stripesdk.String(string(stripesdk.PaymentIntentCaptureMethodAutomatic)),
		},
	}
	if in.Capture == core.CaptureManual {
		params.PaymentIntentData.CaptureMethod = stripesdk.String(string(stripesdk.PaymentIntentCaptureMethodManual))
	}
	for name, value := range map[string]string{metadataPayment: string(in.Payment), metadataCheckout: string(in.Checkout), metadataReference: in.Reference} {
		params.AddMetadata(name, value)
		params.PaymentIntentData.AddMetadata(name, value)
	}
	params.AddExpand(expandSessionCharge)
	session, err := a.api.CheckoutSessions.New(params)
	return a.hosted(c, "", session, err)
}

// lookAtSession looks at a page and the payment made at it.
//
// Source: GET /v1/checkout/sessions/{id}.
func (a *Adapter) lookAtSession(ctx context.Context, op, id string) (ports.PaymentSession, error) {
	c := begin(ctx, op)
	params := &stripesdk.CheckoutSessionParams{Params: c.params("")}
	params.AddExpand(expandSessionCharge)
	session, err := a.api.CheckoutSessions.Get(id, params)
	return a.hosted(c, id, session, err)
}

// cancelSession closes a page. Where it is not open any more, what stands of the payment made
// at it is given up instead.
//
// Source: POST /v1/checkout/sessions/{id}/expire.
func (a *Adapter) cancelSession(ctx context.Context, key core.OperationKey, op string, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	c := begin(ctx, op)
	params := &stripesdk.CheckoutSessionExpireParams{Params: c.params(key)}
	params.AddExpand(expandSessionCharge)
	session, err := a.api.CheckoutSessions.Expire(ref.ID, params)
	closed, err := a.hosted(c, ref.ID, session, err)
	var refused *core.ProviderError
	if !errors.As(err, &refused) || refused.Class != core.ClassInvalid || refused.Foreign == ports.ForeignMissing {
		return closed.Snapshot, err
	}
	present, lookErr := a.lookAtSession(ctx, op, ref.ID)
	switch {
	case lookErr != nil:
		return core.PaymentSnapshot{}, lookErr
	case present.Snapshot.Status == core.PaymentCanceled:
		return present.Snapshot, nil
	case present.Snapshot.Ref.ID == "":
		return core.PaymentSnapshot{}, err
	}
	made, err := a.CancelPayment(ctx, key+cancelKeyEnd, present.Snapshot.Ref) // one key is for one call
	made.Session = present.Snapshot.Session
	return made, err
}

// hosted puts a session into our words: as the payment that was made at it, or as one that
// waits for its buyer.
func (a *Adapter) hosted(c *call, wanted string, session *stripesdk.CheckoutSession, err error) (ports.PaymentSession, error) {
	if err != nil {
		return ports.PaymentSession{}, c.failed(err)
	}
	c.answered(session.LastResponse)
	if session.Object != objectSession || session.ID == "" || wanted != "" && session.ID != wanted {
		return ports.PaymentSession{}, c.Unusable(errNotTheSession)
	}
	seen, err := a.translateSession(session)
	if err != nil {
		return ports.PaymentSession{}, c.Unusable(err)
	}
	hosted := ports.PaymentSession{Snapshot: seen}
	if seen.Payable {
		hosted.Action = ports.BuyerAction{Type: ports.ActionRedirect, URL: session.URL}
	}
	return hosted, nil
}

func (a *Adapter) translateSession(session *stripesdk.CheckoutSession) (core.PaymentSnapshot, error) {
	open := session.Status == stripesdk.CheckoutSessionStatusOpen
	if intent := session.PaymentIntent; intent != nil && intent.Object == objectPaymentIntent {
		seen, err := a.translate(intent)
		seen.Session, seen.Payable = session.ID, open
		if open && seen.Status == core.PaymentFailed {
			// Stripe's page told the buyer, who may try again there.
			seen.Status, seen.Failure = core.PaymentRequiresAction, nil
		}
		return seen, err
	}
	if session.AmountTotal <= 0 {
		return core.PaymentSnapshot{}, errNoAmount
	}
	amount, err := fromForeign(session.AmountTotal, session.Currency)
	if err != nil {
		return core.PaymentSnapshot{}, err
	}
	none := core.Zero(amount.Currency())
	seen := core.PaymentSnapshot{
		Ref: core.ProviderRef{Account: a.account, Kind: core.ObjectPayment}, Session: session.ID,
		Status: core.PaymentRequiresAction, ForeignStatus: outbound.SafeCode(string(session.Status)), Environment: environment(session.Livemode), Payable: open,
		Amount: amount, Authorized: none, Captured: none, Refunded: none, Payment: own[core.PaymentID](session.Metadata, metadataPayment), CreatedAt: fromUnix(session.Created),
	}
	if session.Status == stripesdk.CheckoutSessionStatusExpired {
		seen.Status = core.PaymentCanceled
	}
	return seen, nil
}

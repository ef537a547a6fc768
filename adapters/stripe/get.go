package stripe

import (
	"context"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// GetPayment implements [ports.Provider].
//
// Source: GET /v1/payment_intents/{id}.
func (a *Adapter) GetPayment(ctx context.Context, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	session, err := a.look(ctx, a.op("get", ref.ID), ref)
	return session.Snapshot, err
}

// OpenPayment implements [ports.Provider].
//
// Source: GET /v1/payment_intents/{id}.
func (a *Adapter) OpenPayment(ctx context.Context, ref core.ProviderRef) (ports.PaymentSession, error) {
	return a.look(ctx, a.op("open", ref.ID), ref)
}

func (a *Adapter) look(ctx context.Context, op string, ref core.ProviderRef) (ports.PaymentSession, error) {
	if err := a.checkRef(op, ref, core.ObjectPayment, core.ObjectSession); err != nil {
		return ports.PaymentSession{}, err
	}
	if ref.Kind == core.ObjectSession {
		return a.lookAtSession(ctx, op, ref.ID)
	}
	c := begin(ctx, op)
	params := &stripesdk.PaymentIntentParams{Params: c.params("")}
	expandPayment(params, "")
	intent, err := a.api.PaymentIntents.Get(ref.ID, params)
	return a.session(c, ref.ID, intent, err)
}

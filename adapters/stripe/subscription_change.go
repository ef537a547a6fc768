package stripe

import (
	"context"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// What makes the key of a resumption, or of a change of method, into that of its second call.
const (
	resumeKeyEnd core.OperationKey = "-r"
	payKeyEnd    core.OperationKey = "-p"
)

// ChangeSubscription implements [ports.Subscriber]. What comes due by the change is asked for at
// once; where it is not paid, Stripe declines the change and nothing is different.
//
// Source: POST /v1/subscriptions/{id}, with payment_behavior error_if_incomplete.
func (a *Adapter) ChangeSubscription(ctx context.Context, key core.OperationKey, in ports.ChangeSubscription) (ports.SubscriptionSession, error) {
	op := a.op("change subscription", in.Ref.ID)
	if err := a.checkOrder(op, key, in.Ref, core.ObjectSubscription); err != nil {
		return ports.SubscriptionSession{}, err
	}
	present, err := a.ofOneItem(ctx, op, in.Ref.ID)
	if err != nil {
		return ports.SubscriptionSession{}, err
	}
	c := begin(ctx, op)
	params := &stripesdk.SubscriptionParams{
		Params: c.params(key), Items: changedItems(present, in), ProrationBehavior: new(prorationNone), PaymentBehavior: new("error_if_incomplete"), OffSession: new(true),
	}
	if in.Prorate {
		params.ProrationBehavior, params.ProrationDate = new("always_invoice"), new(in.At.Unix())
	}
	expandSubscription(params)
	changed, err := a.api.Subscriptions.Update(in.Ref.ID, params)
	return a.subscription(c, in.Ref.ID, changed, err)
}

// prorationNone has a change cost nothing before the next period.
const prorationNone = "none"

// changedItems is the subscription's one item as it shall be. Without its id Stripe would add a
// second one.
func changedItems(present *stripesdk.Subscription, in ports.ChangeSubscription) []*stripesdk.SubscriptionItemsParams {
	return []*stripesdk.SubscriptionItemsParams{{ID: new(present.Items.Data[0].ID), Price: new(in.ProviderPrice), Quantity: new(in.Quantity)}}
}

// ofOneItem gives a subscription of one item, whose id stays the same whatever becomes of its
// price. One of several was made so at Stripe, and which of them is meant nobody can say.
func (a *Adapter) ofOneItem(ctx context.Context, op, id string) (*stripesdk.Subscription, error) {
	c := begin(ctx, op)
	found, err := a.api.Subscriptions.Get(id, &stripesdk.SubscriptionParams{Params: c.params("")})
	if err != nil {
		return nil, c.failed(err)
	}
	c.answered(found.LastResponse)
	if found.Object != objectSubscription || found.ID != id || found.Items == nil {
		return nil, c.Unusable(errNotTheSubscription)
	}
	if len(found.Items.Data) != 1 || found.Items.Data[0] == nil || found.Items.Data[0].ID == "" {
		return nil, outbound.Invalid(op, errNotOneItem)
	}
	return found, nil
}

// PauseSubscription implements [ports.Subscriber]. Invoices of the time between are voided.
//
// Source: POST /v1/subscriptions/{id} with pause_collection.
func (a *Adapter) PauseSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return a.updateSubscription(ctx, key, "pause subscription", ref, func(params *stripesdk.SubscriptionParams) {
		params.PauseCollection = &stripesdk.SubscriptionPauseCollectionParams{
			Behavior: stripesdk.String(string(stripesdk.SubscriptionPauseCollectionBehaviorVoid)),
		}
	})
}

// ResumeSubscription implements [ports.Subscriber]. One that Stripe itself paused, since its
// trial ended without a method, takes a call of its own.
//
// Source: POST /v1/subscriptions/{id} with an empty pause_collection, POST
// /v1/subscriptions/{id}/resume.
func (a *Adapter) ResumeSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	const verb = "resume subscription"
	seen, err := a.updateSubscription(ctx, key, verb, ref, func(params *stripesdk.SubscriptionParams) {
		params.AddExtra("pause_collection", "")
	})
	if err != nil || seen.ForeignStatus != string(stripesdk.SubscriptionStatusPaused) {
		return seen, err
	}
	c := begin(ctx, a.op(verb, ref.ID))
	params := &stripesdk.SubscriptionResumeParams{Params: c.params(key + resumeKeyEnd)}
	expandSubscription(params)
	resumed, err := a.api.Subscriptions.Resume(ref.ID, params)
	session, err := a.subscription(c, ref.ID, resumed, err)
	return session.Snapshot, err
}

// UpdateSubscriptionMethod implements [ports.Subscriber]. What is owed is asked for at once: Stripe
// itself would only try in some days, or never again. A decline of it is no error, for the method
// is another one all the same; the subscription tells.
//
// Source: POST /v1/subscriptions/{id} with default_payment_method, POST /v1/invoices/{id}/pay.
func (a *Adapter) UpdateSubscriptionMethod(ctx context.Context, key core.OperationKey, ref core.ProviderRef, providerMethod string) (core.SubscriptionSnapshot, error) {
	const verb = "change method of"
	seen, err := a.updateSubscription(ctx, key, verb, ref, func(params *stripesdk.SubscriptionParams) {
		params.DefaultPaymentMethod = new(providerMethod)
	})
	owing := seen.Status == core.SubscriptionPastDue || seen.Status == core.SubscriptionUnpaid
	if err != nil || !owing || len(seen.Invoices) == 0 || seen.Invoices[0].Status != core.InvoiceOpen {
		return seen, err
	}
	op := a.op(verb, ref.ID)
	c := begin(ctx, op)
	paid, err := a.api.Invoices.Pay(seen.Invoices[0].Ref.ID, &stripesdk.InvoicePayParams{Params: c.params(key + payKeyEnd), OffSession: new(true)})
	if err != nil {
		if refused := c.failed(err); refused.Class != core.ClassDeclined && refused.Class != core.ClassInvalid {
			return core.SubscriptionSnapshot{}, refused
		}
	} else {
		c.answered(paid.LastResponse)
	}
	session, err := a.lookAtSubscription(ctx, op, ref.ID)
	return session.Snapshot, err
}

// updateSubscription makes one change of a subscription.
func (a *Adapter) updateSubscription(ctx context.Context, key core.OperationKey, verb string, ref core.ProviderRef, change func(*stripesdk.SubscriptionParams)) (core.SubscriptionSnapshot, error) {
	op := a.op(verb, ref.ID)
	if err := a.checkOrder(op, key, ref, core.ObjectSubscription); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	c := begin(ctx, op)
	params := &stripesdk.SubscriptionParams{Params: c.params(key)}
	change(params)
	expandSubscription(params)
	changed, err := a.api.Subscriptions.Update(ref.ID, params)
	session, err := a.subscription(c, ref.ID, changed, err)
	return session.Snapshot, err
}

package stripe

import (
	"context"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// voidKeyEnd makes the key of a subscription's end into that of the voiding of its invoice.
const voidKeyEnd core.OperationKey = "-v"

// CancelSubscription implements [ports.Subscriber]. One that never began leaves an invoice
// behind that its buyer could still pay; it is voided.
//
// Source: DELETE /v1/subscriptions/{id}, POST /v1/subscriptions/{id} with cancel_at_period_end,
// POST /v1/invoices/{id}/void.
func (a *Adapter) CancelSubscription(ctx context.Context, key core.OperationKey, in ports.CancelSubscription) (core.SubscriptionSnapshot, error) {
	op := a.op("cancel subscription", in.Ref.ID)
	if err := a.checkOrder(op, key, in.Ref, core.ObjectSubscription); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	c := begin(ctx, op)
	ended, err := a.end(c, key, in)
	session, err := a.subscription(c, in.Ref.ID, ended, err)
	if isRefusal(err) {
		ended, session, err = a.endedBefore(begin(ctx, op), in.Ref.ID, err)
	}
	if err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	if session.Snapshot.Status == core.SubscriptionCanceled && neverPaid(ended.LatestInvoice) {
		return a.closeFirst(begin(ctx, op), key, session.Snapshot)
	}
	return session.Snapshot, nil
}

// end asks for a subscription's end.
func (a *Adapter) end(c *call, key core.OperationKey, in ports.CancelSubscription) (*stripesdk.Subscription, error) {
	if in.AtPeriodEnd {
		params := &stripesdk.SubscriptionParams{Params: c.params(key), CancelAtPeriodEnd: new(true)}
		expandSubscription(params)
		return a.api.Subscriptions.Update(in.Ref.ID, params)
	}
	params := &stripesdk.SubscriptionCancelParams{Params: c.params(key)}
	expandSubscription(params)
	return a.api.Subscriptions.Cancel(in.Ref.ID, params)
}

// endedBefore looks at a subscription that Stripe refused to end. It does so with one that has
// ended.
func (a *Adapter) endedBefore(c *call, id string, refused error) (*stripesdk.Subscription, ports.SubscriptionSession, error) {
	params := &stripesdk.SubscriptionParams{Params: c.params("")}
	expandSubscription(params)
	found, err := a.api.Subscriptions.Get(id, params)
	session, err := a.subscription(c, id, found, err)
	if err == nil && session.Snapshot.Status != core.SubscriptionCanceled {
		err = refused
	}
	return found, session, err
}

// neverPaid reports whether an invoice is that of a subscription's begin, and waits for its
// buyer.
func neverPaid(invoice *stripesdk.Invoice) bool {
	return invoice != nil && invoice.Object == objectInvoice && invoice.Status == stripesdk.InvoiceStatusOpen &&
		invoice.BillingReason == stripesdk.InvoiceBillingReasonSubscriptionCreate
}

// closeFirst voids the invoice that a subscription left behind which never began. One that
// cannot be voided any more was paid or voided at the last moment, and its own events tell so.
func (a *Adapter) closeFirst(c *call, key core.OperationKey, seen core.SubscriptionSnapshot) (core.SubscriptionSnapshot, error) {
	id := seen.Invoices[0].Ref.ID
	params := &stripesdk.InvoiceVoidInvoiceParams{Params: c.params(key + voidKeyEnd)}
	params.AddExpand(expandPaying)
	voided, err := a.api.Invoices.VoidInvoice(id, params)
	if err != nil {
		if refused := c.failed(err); !isRefusal(refused) {
			return core.SubscriptionSnapshot{}, refused
		}
		return seen, nil
	}
	c.answered(voided.LastResponse)
	invoice, err := a.translateInvoice(voided)
	if err == nil && voided.ID != id {
		err = errNotTheInvoice
	}
	if err != nil {
		return core.SubscriptionSnapshot{}, c.Unusable(err)
	}
	seen.Invoices = []core.InvoiceSnapshot{invoice}
	seen.FailedAttempts, seen.NextAttempt, seen.Failure = 0, invoice.NextAttempt, nil
	return seen, nil
}

// KeepSubscription implements [ports.Subscriber].
//
// Source: POST /v1/subscriptions/{id} with cancel_at_period_end.
func (a *Adapter) KeepSubscription(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.SubscriptionSnapshot, error) {
	return a.updateSubscription(ctx, key, "keep subscription", ref, func(params *stripesdk.SubscriptionParams) {
		params.CancelAtPeriodEnd = new(false)
	})
}

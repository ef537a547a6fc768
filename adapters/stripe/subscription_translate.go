package stripe

import (
	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// subscription gives what an answer shows of the subscription that it was asked about, together
// with the buyer's next step.
func (a *Adapter) subscription(c *call, wanted string, subscription *stripesdk.Subscription, err error) (ports.SubscriptionSession, error) {
	if err != nil {
		return ports.SubscriptionSession{}, c.failed(err)
	}
	c.answered(subscription.LastResponse)
	if subscription.Object != objectSubscription || outbound.SafeID(subscription.ID) == "" || wanted != "" && subscription.ID != wanted {
		return ports.SubscriptionSession{}, c.Unusable(errNotTheSubscription)
	}
	seen, err := a.translateSubscription(subscription)
	if err != nil {
		return ports.SubscriptionSession{}, c.Unusable(err)
	}
	session := ports.SubscriptionSession{Snapshot: seen}
	setup, paying := subscription.PendingSetupIntent, payingOf(subscription.LatestInvoice)
	switch {
	case onTrialOffer(subscription) && confirmable(setup.Status):
		session.Action = ports.BuyerAction{Type: ports.ActionStripeSetup, ClientSecret: setup.ClientSecret}
		session.Object = setup.ID
	case subscription.Status == stripesdk.SubscriptionStatusIncomplete && paying != nil && payable(paying.Status):
		session.Action = ports.BuyerAction{Type: actionConfirm, ClientSecret: paying.ClientSecret}
		session.Object = paying.ID
	}
	return session, nil
}

// payingOf is the payment of an invoice; nil where it has none.
func payingOf(invoice *stripesdk.Invoice) *stripesdk.PaymentIntent {
	if invoice == nil {
		return nil
	}
	return invoice.PaymentIntent
}

// onTrialOffer reports whether a trial waits for its buyer to leave a method. Stripe lets the
// trial run meanwhile; to the shop, nobody has agreed to anything yet.
func onTrialOffer(subscription *stripesdk.Subscription) bool {
	setup := subscription.PendingSetupIntent
	return subscription.Status == stripesdk.SubscriptionStatusTrialing && setup != nil && setup.Status != stripesdk.SetupIntentStatusSucceeded
}

// translateSubscription puts a subscription into our words.
func (a *Adapter) translateSubscription(subscription *stripesdk.Subscription) (core.SubscriptionSnapshot, error) {
	seen := core.SubscriptionSnapshot{
		Ref:          a.ref(core.ObjectSubscription, subscription.ID),
		Subscription: own[core.SubscriptionID](subscription.Metadata, metadataSubscription),
		Status:       subscriptionStatus(subscription), ForeignStatus: outbound.SafeCode(string(subscription.Status)),
		TrialEnd: fromUnix(subscription.TrialEnd), CancelAtPeriodEnd: subscription.CancelAtPeriodEnd, Environment: environment(subscription.Livemode),
		CanceledAt: fromUnix(subscription.CanceledAt), EndedAt: fromUnix(subscription.EndedAt), CreatedAt: fromUnix(subscription.Created),
	}
	if seen.Status != core.SubscriptionIncomplete {
		seen.CurrentPeriodStart, seen.CurrentPeriodEnd = fromUnix(subscription.CurrentPeriodStart), fromUnix(subscription.CurrentPeriodEnd)
	}
	if err := tellItems(&seen, subscription); err != nil {
		return core.SubscriptionSnapshot{}, err
	}
	if method := subscription.DefaultPaymentMethod; method != nil && method.Object == objectMethod {
		seen.Method = new(methodDetails(method))
	}
	if onTrialOffer(subscription) && setupStatus(subscription.PendingSetupIntent) == core.MethodFailed {
		seen.Failure = failure(subscription.PendingSetupIntent.LastSetupError)
	}
	return seen, a.tellLatest(&seen, subscription.LatestInvoice)
}

// tellItems tells what is asked for. What is none of our prices, or several at once as staff at
// Stripe can make it, has no price here, and is told as one piece that costs it all.
func tellItems(into *core.SubscriptionSnapshot, subscription *stripesdk.Subscription) error {
	if subscription.Items == nil || len(subscription.Items.Data) == 0 {
		return errNoAmount
	}
	var total core.Money
	known := true
	for n, item := range subscription.Items.Data {
		if item == nil || item.Price == nil {
			return errNoAmount
		}
		known = known && item.Price.BillingScheme != stripesdk.PriceBillingSchemeTiered && (item.Price.UnitAmount != 0 || item.Price.UnitAmountDecimal == 0)
		each, err := fromForeign(item.Price.UnitAmount, item.Price.Currency)
		if err != nil {
			return err
		}
		sum, err := each.Mul(item.Quantity)
		if err != nil {
			return err
		}
		if n > 0 {
			if sum, err = total.Add(sum); err != nil {
				return err
			}
		}
		total = sum
	}
	into.Quantity = 1
	if first := subscription.Items.Data[0]; len(subscription.Items.Data) == 1 {
		into.Price, into.Quantity = outbound.SafeID(first.Price.ID), max(first.Quantity, 1)
	}
	if known && !subscription.Items.HasMore {
		into.Amount = total
	}
	return nil
}

// tellLatest tells what became of the newest invoice.
func (a *Adapter) tellLatest(into *core.SubscriptionSnapshot, invoice *stripesdk.Invoice) error {
	if invoice == nil || invoice.Object == "" {
		return nil
	}
	latest, err := a.translateInvoice(invoice)
	if err != nil {
		return err
	}
	into.Invoices = []core.InvoiceSnapshot{latest}
	if latest.Status != core.InvoiceOpen {
		return nil
	}
	into.NextAttempt = latest.NextAttempt
	if latest.Failure != nil {
		into.Failure, into.FailedAttempts = latest.Failure, max(latest.Attempts, 1)
	}
	return nil
}

// subscriptionStatus is ours for Stripe's. One that is not known here is none at all.
//
// Source: docs.stripe.com/billing/subscriptions/overview, and /pause-payment: collection is
// paused whatever the status says.
func subscriptionStatus(subscription *stripesdk.Subscription) core.SubscriptionStatus {
	var status core.SubscriptionStatus
	switch subscription.Status {
	case stripesdk.SubscriptionStatusIncomplete:
		return core.SubscriptionIncomplete
	case stripesdk.SubscriptionStatusIncompleteExpired, stripesdk.SubscriptionStatusCanceled:
		return core.SubscriptionCanceled
	case stripesdk.SubscriptionStatusTrialing:
		if onTrialOffer(subscription) {
			return core.SubscriptionIncomplete
		}
		status = core.SubscriptionTrialing
	case stripesdk.SubscriptionStatusActive:
		status = core.SubscriptionActive
	case stripesdk.SubscriptionStatusPastDue:
		status = core.SubscriptionPastDue
	case stripesdk.SubscriptionStatusUnpaid:
		status = core.SubscriptionUnpaid
	case stripesdk.SubscriptionStatusPaused:
		status = core.SubscriptionPaused
	}
	if subscription.PauseCollection != nil && status != "" {
		return core.SubscriptionPaused
	}
	return status
}

package paypal

import (
	"context"
	"slices"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// GetInvoice implements [ports.Subscriber]. PayPal's billing has no invoices: each transaction
// of a subscription is shown as one, by the transaction's id. How it stands depends on whether
// a newer one took its place, so that the subscription is looked at.
//
// Source: GET /v1/payments/sale/{id}, then as for a subscription.
func (a *Adapter) GetInvoice(ctx context.Context, ref core.ProviderRef) (core.InvoiceSnapshot, error) {
	op := a.op("get invoice", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectInvoice); err != nil {
		return core.InvoiceSnapshot{}, err
	}
	sale, err := a.sale(ctx, op, ref.ID)
	if err != nil {
		return core.InvoiceSnapshot{}, err
	}
	if sale.Subscription == "" {
		return core.InvoiceSnapshot{}, unusable(op, answer{requestID: sale.requestID}, errNoObject)
	}
	shown, err := a.lookAtSubscription(ctx, op, sale.Subscription)
	if err != nil {
		return core.InvoiceSnapshot{}, err
	}
	seen, err := a.subscriptionSeen(ctx, op, shown)
	if err != nil {
		return core.InvoiceSnapshot{}, err
	}
	if n := slices.IndexFunc(seen.Invoices, func(one core.InvoiceSnapshot) bool { return one.Ref == ref }); n >= 0 {
		return seen.Invoices[n], nil
	}
	older := SubscriptionTransaction{ID: sale.ID, Status: sale.Status, Time: sale.CreateTime}
	older.Amount.Gross = sale.Amount
	return a.invoice(op, shown, older, false)
}

// invoice is what a transaction shows of what was asked for. One that was declined is open
// while the subscription owes for it, and void once a newer one asked for the same. Such a one
// is no payment: PayPal shows none.
func (a *Adapter) invoice(op string, s *SubscriptionObject, t SubscriptionTransaction, newest bool) (core.InvoiceSnapshot, error) {
	amount, err := fromForeign(t.Amount.Gross)
	if err != nil {
		return core.InvoiceSnapshot{}, s.unusable(op, err)
	}
	at := parseTime(t.Time)
	if t.ID == "" || outbound.SafeID(t.ID) == "" || at.IsZero() {
		return core.InvoiceSnapshot{}, s.unusable(op, errNotReadable)
	}
	seen := core.InvoiceSnapshot{
		Ref:          core.ProviderRef{Account: a.account, Kind: core.ObjectInvoice, ID: t.ID},
		Subscription: core.ProviderRef{Account: a.account, Kind: core.ObjectSubscription, ID: s.ID}, ForeignStatus: outbound.SafeCode(t.Status),
		Payment:   core.ProviderRef{Account: a.account, Kind: core.ObjectPayment},
		AmountDue: amount, AmountPaid: core.Zero(amount.Currency()), Environment: a.environment(s.Links), IssuedAt: at,
	}
	switch one := (&Capture{Status: t.Status}); {
	case one.isTaken():
		seen.Status, seen.AmountPaid, seen.Attempts, seen.Payment.ID = core.InvoicePaid, amount, 1, t.ID
	case one.Status == capturePending:
		seen.Status, seen.Payment.ID = core.InvoiceOpen, t.ID
	case one.isRefused():
		seen.Status, seen.Attempts = core.InvoiceVoid, 1
		if newest {
			s.unpaid(&seen)
		}
	}
	return seen, nil
}

// unpaid is how the newest of a subscription's transactions stands that was declined.
func (s *SubscriptionObject) unpaid(seen *core.InvoiceSnapshot) {
	failed := s.BillingInfo.LastFailedPayment
	seen.Failure, seen.Attempts = failed.failure(), max(s.BillingInfo.FailedPaymentsCount, 1)
	if s.ended() || !s.inArrears() {
		seen.Status = core.InvoiceUncollectible
		return
	}
	seen.Status, seen.NextAttempt = core.InvoiceOpen, parseTime(failed.NextPaymentRetryTime)
}

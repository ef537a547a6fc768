package stripe

import (
	"context"
	"errors"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

const (
	objectInvoice = "invoice"
	// expandPaying asks for the payment of an invoice, which tells why it failed.
	expandPaying = "payment_intent"
)

var errNotTheInvoice = errors.New("answer is not the invoice that was asked about")

// GetInvoice implements [ports.Subscriber].
//
// Source: GET /v1/invoices/{id}.
func (a *Adapter) GetInvoice(ctx context.Context, ref core.ProviderRef) (core.InvoiceSnapshot, error) {
	op := a.op("get invoice", ref.ID)
	if err := a.checkRef(op, ref, core.ObjectInvoice); err != nil {
		return core.InvoiceSnapshot{}, err
	}
	c := begin(ctx, op)
	params := &stripesdk.InvoiceParams{Params: c.params("")}
	params.AddExpand(expandPaying)
	invoice, err := a.api.Invoices.Get(ref.ID, params)
	if err != nil {
		return core.InvoiceSnapshot{}, c.failed(err)
	}
	c.answered(invoice.LastResponse)
	if invoice.ID != ref.ID {
		return core.InvoiceSnapshot{}, c.Unusable(errNotTheInvoice)
	}
	seen, err := a.translateInvoice(invoice)
	if err != nil {
		return core.InvoiceSnapshot{}, c.Unusable(err)
	}
	return seen, nil
}

// invoicesOf gives a subscription's newest invoices, newest first.
//
// Source: GET /v1/invoices.
func (a *Adapter) invoicesOf(ctx context.Context, op, subscription string) ([]core.InvoiceSnapshot, error) {
	c := begin(ctx, op)
	params := &stripesdk.InvoiceListParams{ListParams: c.one(core.InvoicesShownMax), Subscription: new(subscription)}
	params.AddExpand("data." + expandPaying)
	iterator := a.api.Invoices.List(params)
	if err := iterator.Err(); err != nil {
		return nil, c.failed(err)
	}
	page := iterator.InvoiceList()
	c.answered(page.LastResponse)
	if page.URL == "" {
		return nil, c.Unusable(errNotAList)
	}
	seen := make([]core.InvoiceSnapshot, 0, len(page.Data))
	for _, invoice := range page.Data {
		one, err := a.translateInvoice(invoice)
		if err == nil && one.Subscription.ID != subscription {
			err = errNotTheInvoice
		}
		if err != nil {
			return nil, c.Unusable(err)
		}
		seen = append(seen, one)
	}
	return seen, nil
}

// translateInvoice puts an invoice into our words.
func (a *Adapter) translateInvoice(invoice *stripesdk.Invoice) (core.InvoiceSnapshot, error) {
	if invoice == nil || invoice.Object != objectInvoice || outbound.SafeID(invoice.ID) == "" {
		return core.InvoiceSnapshot{}, errNotTheInvoice
	}
	due, err := fromForeign(invoice.AmountDue, invoice.Currency)
	if err != nil {
		return core.InvoiceSnapshot{}, err
	}
	paid, err := fromForeign(invoice.AmountPaid, invoice.Currency)
	if err != nil {
		return core.InvoiceSnapshot{}, err
	}
	seen := core.InvoiceSnapshot{
		Ref: a.ref(core.ObjectInvoice, invoice.ID), Subscription: a.ref(core.ObjectSubscription, ""), Payment: a.ref(core.ObjectPayment, ""),
		Status: invoiceStatus(invoice.Status), ForeignStatus: outbound.SafeCode(string(invoice.Status)), AmountDue: due, AmountPaid: paid,
		Attempts: int(invoice.AttemptCount), NextAttempt: fromUnix(invoice.NextPaymentAttempt), Failure: invoiceFailure(invoice),
		Environment: environment(invoice.Livemode), IssuedAt: fromUnix(invoice.Created),
	}
	start, end := invoicePeriod(invoice)
	seen.PeriodStart, seen.PeriodEnd = fromUnix(start), fromUnix(end)
	if invoice.Subscription != nil {
		seen.Subscription.ID = outbound.SafeID(invoice.Subscription.ID)
	}
	if invoice.PaymentIntent != nil {
		seen.Payment.ID = outbound.SafeID(invoice.PaymentIntent.ID)
	}
	return seen, nil
}

// invoiceFailure is why the newest attempt to take an invoice's money did not work; nil where
// none failed, or the invoice is no longer asked for.
func invoiceFailure(invoice *stripesdk.Invoice) *core.Failure {
	if invoice.Status != stripesdk.InvoiceStatusOpen || invoice.PaymentIntent == nil {
		return nil
	}
	return failure(invoice.PaymentIntent.LastPaymentError)
}

// invoicePeriod is what an invoice asks for. Its own period is the one before, in which its
// lines came together; what is asked for is said by the lines: those of the subscription, or
// where it has none, as an invoice of a change within the period, all of them.
//
// Source: docs.stripe.com/api/invoices/object, period_start.
func invoicePeriod(invoice *stripesdk.Invoice) (start, end int64) {
	if invoice.Lines == nil {
		return invoice.PeriodStart, invoice.PeriodEnd
	}
	var whole, changed []*stripesdk.Period
	for _, line := range invoice.Lines.Data {
		switch {
		case line == nil || line.Period == nil:
		case line.Proration:
			changed = append(changed, line.Period)
		default:
			whole = append(whole, line.Period)
		}
	}
	if len(whole) == 0 {
		whole = changed
	}
	if len(whole) == 0 {
		return invoice.PeriodStart, invoice.PeriodEnd
	}
	start, end = whole[0].Start, whole[0].End
	for _, period := range whole[1:] {
		start, end = min(start, period.Start), max(end, period.End)
	}
	return start, end
}

// invoiceStatus is ours for Stripe's, which are the same; one that is not known here is none at
// all.
//
// Source: docs.stripe.com/api/invoices/object, status.
func invoiceStatus(status stripesdk.InvoiceStatus) core.InvoiceStatus {
	if ours := core.InvoiceStatus(status); ours.Known() {
		return ours
	}
	return ""
}

package stripe

import (
	"context"
	"errors"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var (
	errNoLines  = errors.New("answer does not tell all lines of the invoice to come")
	errCurrency = errors.New("answer is of several currencies")
)

// PreviewChange implements [ports.Subscriber]. It tells of the change alone: neither what the
// customer has to their credit nor what older changes left to pay counts.
//
// Source: GET /v1/invoices/upcoming. What a change costs are its lines of proration that begin
// at the moment of the change.
func (a *Adapter) PreviewChange(ctx context.Context, in ports.ChangeSubscription) (ports.ChangePreview, error) {
	op := a.op("preview change of", in.Ref.ID)
	if err := a.checkRef(op, in.Ref, core.ObjectSubscription); err != nil {
		return ports.ChangePreview{}, err
	}
	present, err := a.ofOneItem(ctx, op, in.Ref.ID)
	if err != nil {
		return ports.ChangePreview{}, err
	}
	c := begin(ctx, op)
	params := &stripesdk.InvoiceUpcomingParams{
		Params: c.params(""), Subscription: new(in.Ref.ID), SubscriptionItems: changedItems(present, in), SubscriptionProrationBehavior: new(prorationNone),
	}
	if in.Prorate {
		params.SubscriptionProrationBehavior, params.SubscriptionProrationDate = new("create_prorations"), new(in.At.Unix())
	}
	upcoming, err := a.api.Invoices.Upcoming(params)
	if err != nil {
		return noInvoiceToCome(in, c.failed(err))
	}
	c.answered(upcoming.LastResponse)
	preview, err := previewOf(in, present.CurrentPeriodEnd, upcoming)
	if err != nil {
		return ports.ChangePreview{}, c.Unusable(err)
	}
	return preview, nil
}

// noInvoiceToCome is what a change comes to where Stripe asks for nothing any more, as of a
// subscription that ends with its period.
func noInvoiceToCome(in ports.ChangeSubscription, refused *core.ProviderError) (ports.ChangePreview, error) {
	if refused.Foreign != string(stripesdk.ErrorCodeInvoiceUpcomingNone) {
		return ports.ChangePreview{}, refused
	}
	none := core.Zero(in.Price.Amount.Currency())
	return ports.ChangePreview{DueNow: none, NextAmount: none, EffectiveAt: in.At}, nil
}

// previewOf reads the invoice to come. Where the change begins a new period, its whole price
// is due at once, too, and the next one when that period ends. periodEnd is that of the
// present one.
func previewOf(in ports.ChangeSubscription, periodEnd int64, upcoming *stripesdk.Invoice) (ports.ChangePreview, error) {
	if upcoming.Object != objectInvoice || upcoming.Lines == nil || upcoming.Lines.HasMore {
		return ports.ChangePreview{}, errNoLines
	}
	var now, next, starts, ends int64
	for _, line := range upcoming.Lines.Data {
		if line == nil || line.Period == nil {
			return ports.ChangePreview{}, errNoLines
		}
		if line.Currency != upcoming.Currency {
			return ports.ChangePreview{}, errCurrency
		}
		switch {
		case line.Proration && line.Period.Start == in.At.Unix():
			now += line.Amount
		case line.Proration: // of an older change
		default:
			next, starts, ends = next+line.Amount, line.Period.Start, line.Period.End
		}
	}
	if starts != 0 && starts < periodEnd {
		now, starts = now+next, ends
	}
	preview := ports.ChangePreview{EffectiveAt: in.At, NextAt: fromUnix(starts)}
	var err error
	if preview.DueNow, err = fromForeign(now, upcoming.Currency); err != nil {
		return ports.ChangePreview{}, err
	}
	preview.NextAmount, err = fromForeign(next, upcoming.Currency)
	return preview, err
}

package stripe

import (
	"context"
	"fmt"
	"time"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/ports"
)

// ListPayments implements [ports.Provider]. Stripe dates objects in whole seconds, so
// the window is widened to them: rather one too many than one missed. Payments that
// other programs made in a currency that Paydesk does not take here are left out.
//
// Source: GET /v1/payment_intents.
func (a *Adapter) ListPayments(ctx context.Context, in ports.ListPayments) (ports.PaymentList, error) {
	c := begin(ctx, a.op("list", "payments"))
	params := &stripesdk.PaymentIntentListParams{ListParams: c.after(in.Cursor, in.Limit), CreatedRange: within(in.From, in.Until)}
	expandPayment(params, "data.")
	iterator := a.api.PaymentIntents.List(params)
	if err := iterator.Err(); err != nil {
		return ports.PaymentList{}, c.failed(err)
	}
	page := iterator.PaymentIntentList()
	c.answered(page.LastResponse)
	if page.URL == "" { // any JSON would pass for an empty page otherwise
		return ports.PaymentList{}, c.Unusable(errNotAList)
	}
	return a.translateList(c, page)
}

// within is a window of time as Stripe takes it, widened to its whole seconds.
func within(from, until time.Time) *stripesdk.RangeQueryParams {
	end := until.Unix()
	if until.Nanosecond() > 0 {
		end++
	}
	return &stripesdk.RangeQueryParams{GreaterThanOrEqual: max(from.Unix(), 0), LesserThan: end}
}

func (a *Adapter) translateList(c *call, page *stripesdk.PaymentIntentList) (ports.PaymentList, error) {
	var list ports.PaymentList
	for _, intent := range page.Data {
		if intent == nil || intent.Object != objectPaymentIntent || intent.ID == "" {
			return ports.PaymentList{}, c.Unusable(errNotAList)
		}
		seen, err := a.translate(intent)
		if err != nil && intent.Metadata[metadataPayment] == "" {
			continue
		}
		if err != nil {
			return ports.PaymentList{}, c.Unusable(fmt.Errorf("payment %s: %w", outbound.SafeID(intent.ID), err))
		}
		list.Payments = append(list.Payments, seen)
	}
	if page.HasMore && len(page.Data) > 0 {
		list.NextCursor = page.Data[len(page.Data)-1].ID
	}
	return list, nil
}

// fromUnix is a moment as Stripe tells it; zero for none.
func fromUnix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

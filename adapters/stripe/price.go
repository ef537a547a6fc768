package stripe

import (
	"context"
	"errors"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

const objectPrice = "price"

var errNotThePrice = errors.New("answer is not the price that was asked for")

// CreatePrice implements [ports.Subscriber]. Its product is made with it.
//
// Source: POST /v1/prices.
func (a *Adapter) CreatePrice(ctx context.Context, key core.OperationKey, price core.Price) (string, error) {
	op := a.op("create price for", string(price.ID))
	if err := checkKey(op, key); err != nil {
		return "", err
	}
	amount, currency, err := toForeign(price.Amount)
	if err != nil {
		return "", outbound.Invalid(op, err)
	}
	if amount <= 0 {
		return "", outbound.Invalid(op, core.ErrAmountRange)
	}
	c := begin(ctx, op)
	params := &stripesdk.PriceParams{
		Params: c.params(key), Currency: new(string(currency)), UnitAmount: new(amount), ProductData: &stripesdk.PriceProductDataParams{Name: new(price.Name)},
	}
	if price.Recurring != nil {
		params.Recurring = &stripesdk.PriceRecurringParams{
			Interval: new(string(price.Recurring.Interval)), IntervalCount: new(int64(price.Recurring.Count)),
		}
	}
	params.AddMetadata(metadataPrice, string(price.ID))
	made, err := a.api.Prices.New(params)
	if err != nil {
		return "", c.failed(err)
	}
	c.answered(made.LastResponse)
	if made.Object != objectPrice || outbound.SafeID(made.ID) == "" {
		return "", c.Unusable(errNotThePrice)
	}
	return made.ID, nil
}

package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/core/view"
)

// PricePath names a price.
type PricePath struct {
	ID string `path:"id" example:"prc_01jd0000000000000000000000"`
}

type newPrice struct {
	Keyed
	Body struct {
		Name      string        `json:"name" minLength:"1" maxLength:"250" example:"Tea club" doc:"Buyers see it"`
		Amount    int64         `json:"amount" example:"900" doc:"Of one piece, in minor units"`
		Currency  string        `json:"currency" example:"EUR" doc:"ISO 4217, upper case"`
		Recurring *newRecurring `json:"recurring,omitempty" doc:"How often it is asked for; once where absent"`
	}
}

type newRecurring struct {
	Interval      string `json:"interval" enum:"day,week,month,year"`
	IntervalCount int    `json:"interval_count,omitempty" minimum:"1" maximum:"365" doc:"Of intervals in one period; 1 where absent"`
	TrialDays     int    `json:"trial_days,omitempty" minimum:"0" maximum:"730" doc:"Without payment, at the begin"`
}

func (s *server) priceCalls(api huma.API) {
	create := operation("createPrice", http.MethodPost, "/v1/prices", http.StatusCreated, "Create a price")
	create.Description = "A price never changes: another amount is another price."
	huma.Register(api, create, s.createPrice)
	huma.Register(api, operation("getPrice", http.MethodGet, "/v1/prices/{id}", http.StatusOK, "Read a price"), s.getPrice)
	huma.Register(api, operation("listPrices", http.MethodGet, "/v1/prices", http.StatusOK, "List prices, newest first"), s.listPrices)
}

func (s *server) createPrice(ctx context.Context, in *newPrice) (*answer[view.Price], error) {
	wanted := subscriptions.NewPrice{RequestKey: callerOf(ctx).request, Name: in.Body.Name, Amount: in.Body.Amount, Currency: in.Body.Currency}
	if r := in.Body.Recurring; r != nil {
		wanted.Recurring = &core.Recurring{Interval: core.Interval(r.Interval), Count: r.IntervalCount, TrialDays: r.TrialDays}
	}
	price, err := s.subscriptions.CreatePrice(ctx, wanted)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusCreated, view.OfPrice(price)), nil
}

func (s *server) getPrice(ctx context.Context, in *PricePath) (*answer[view.Price], error) {
	id, err := parseID[core.PriceID](in.ID)
	if err != nil {
		return nil, err
	}
	price, err := s.subscriptions.Price(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, view.OfPrice(price)), nil
}

func (s *server) listPrices(ctx context.Context, in *PageQuery) (*answer[list[view.Price]], error) {
	page, refused := pageOf[core.PriceID](*in)
	if refused != nil {
		return nil, refused
	}
	found, err := s.subscriptions.Prices(ctx, page)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, partOf(found, view.OfPrice, func(p core.Price) core.Cursor {
		return core.Cursor{At: p.CreatedAt, ID: string(p.ID)}
	})), nil
}

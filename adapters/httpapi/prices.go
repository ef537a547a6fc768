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

type newPriceCall struct {
	Keyed
	Body struct {
		Name      string        `json:"name" minLength:"1" maxLength:"250" example:"Tea club" doc:"For the buyer's eyes"`
		Amount    int64         `json:"amount" example:"1250" doc:"Of one piece, in minor units"`
		Currency  string        `json:"currency" example:"EUR" doc:"ISO 4217, upper case"`
		Recurring *newRecurring `json:"recurring,omitempty" doc:"Absent for a price that is paid once"`
	}
}

type newRecurring struct {
	Interval      string `json:"interval" enum:"day,week,month,year"`
	IntervalCount int    `json:"interval_count,omitempty" minimum:"1" maximum:"365" default:"1" doc:"Of intervals in one period"`
	TrialDays     int    `json:"trial_days,omitempty" minimum:"0" maximum:"730" doc:"Without payment, at the begin"`
}

func (s *server) priceCalls(api huma.API) {
	create := operation("createPrice", http.MethodPost, "/v1/prices", http.StatusCreated, "Create a price")
	create.Description = "It never changes: another amount is another price. A checkout's line item names it by its id."
	huma.Register(api, create, s.createPrice)
	huma.Register(api, operation("getPrice", http.MethodGet, "/v1/prices/{id}", http.StatusOK, "Read a price"), s.getPrice)
	huma.Register(api, operation("listPrices", http.MethodGet, "/v1/prices", http.StatusOK, "List prices, newest first"), s.listPrices)
}

func (s *server) createPrice(ctx context.Context, in *newPriceCall) (*answer[view.Price], error) {
	body := in.Body
	call := subscriptions.NewPrice{RequestKey: callerOf(ctx).request, Name: body.Name, Amount: body.Amount, Currency: body.Currency}
	if r := body.Recurring; r != nil {
		call.Recurring = &core.Recurring{Interval: core.Interval(r.Interval), Count: r.IntervalCount, TrialDays: r.TrialDays}
	}
	price, err := s.subscriptions.CreatePrice(ctx, call)
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
	place := func(p core.Price) core.Cursor { return core.Cursor{At: p.CreatedAt, ID: string(p.ID)} }
	return answered(http.StatusOK, partOf(found, view.OfPrice, place)), nil
}

package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/view"
)

// Keyed is the header of calls that create something or move money. Whoever leaves it
// out is refused before a call is reached; here it is described.
type Keyed struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"255" doc:"A new one for each new call, the same one for each repeat"`
}

// MayBeKeyed is the header of the other POSTs.
type MayBeKeyed struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"The same key with the same request gives the first answer again"`
}

// NoFields is the body of calls that take none: nothing, or an empty object.
type NoFields struct {
	Body *struct{} `required:"false"`
}

type newCheckout struct {
	Keyed
	Body struct {
		Reference  string            `json:"reference" minLength:"1" maxLength:"200" example:"order-1" doc:"Your own name for the order"`
		Currency   string            `json:"currency" example:"EUR" doc:"ISO 4217, upper case"`
		LineItems  []newLineItem     `json:"line_items,omitempty" nullable:"false" maxItems:"100" doc:"What is bought; exactly one with a recurring price in the mode subscription, none in the mode setup"`
		Mode       string            `json:"mode,omitempty" enum:"payment,subscription,setup" default:"payment"`
		Capture    string            `json:"capture,omitempty" enum:"automatic,manual" default:"automatic" doc:"Take authorized money at once, or by a later call"`
		Flow       string            `json:"flow,omitempty" enum:"page,redirect" default:"page"`
		Providers  []string          `json:"providers,omitempty" doc:"Which to offer; all that can where absent"`
		Customer   *newCustomer      `json:"customer,omitempty"`
		SuccessURL string            `json:"success_url" example:"https://shop.example/thanks"`
		CancelURL  string            `json:"cancel_url,omitempty"`
		Metadata   map[string]string `json:"metadata,omitempty" doc:"Yours: up to 50 keys of 40 characters with values of 500"`
		ExpiresIn  int64             `json:"expires_in,omitempty" minimum:"300" maximum:"2592000" doc:"Seconds; 86400 where absent"`
	}
}

type newLineItem struct {
	Price    string `json:"price,omitempty" doc:"A price's id; or name and amount"`
	Name     string `json:"name,omitempty" maxLength:"250"`
	Amount   int64  `json:"amount,omitempty" example:"1250" doc:"Of one piece, in minor units"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"10000"`
}

type newCustomer struct {
	ID      string `json:"id,omitempty"`
	Email   string `json:"email,omitempty"`
	Name    string `json:"name,omitempty"`
	Country string `json:"country,omitempty" example:"DE" doc:"ISO 3166-1 alpha-2, in upper case; accounts can be offered by it"`
}

// CheckoutPath names a checkout. It is exported for the library alone, which passes over
// what is not.
type CheckoutPath struct {
	ID string `path:"id" example:"chk_01jd0000000000000000000000"`
}

func (s *server) checkouts(api huma.API) {
	create := operation("createCheckout", http.MethodPost, "/v1/checkouts", http.StatusCreated, "Create a checkout")
	create.Description = "The buyer pays it at the `url` of the answer. The amount is the sum of the line items and never changes."
	huma.Register(api, create, s.createCheckout)
	huma.Register(api, operation("getCheckout", http.MethodGet, "/v1/checkouts/{id}", http.StatusOK, "Read a checkout"), s.getCheckout)
	expire := operation("expireCheckout", http.MethodPost, "/v1/checkouts/{id}/expire", http.StatusOK, "Expire a checkout", providerErrors...)
	expire.Description = "Nobody can pay it from then on. An attempt that waits for its buyer is closed at its provider first."
	huma.Register(api, expire, s.expireCheckout)
}

func (s *server) createCheckout(ctx context.Context, in *newCheckout) (*answer[view.Checkout], error) {
	body := in.Body
	open := payments.OpenCheckout{
		RequestKey: callerOf(ctx).request, Reference: body.Reference, Currency: body.Currency,
		Mode: core.CheckoutMode(body.Mode), Capture: core.CaptureMode(body.Capture), Flow: core.Flow(body.Flow),
		SuccessURL: body.SuccessURL, CancelURL: body.CancelURL, Metadata: body.Metadata,
		ExpiresIn: time.Duration(body.ExpiresIn) * time.Second,
	}
	for _, item := range body.LineItems {
		open.Items = append(open.Items, payments.OpenItem{Price: item.Price, Name: item.Name, Amount: item.Amount, Quantity: item.Quantity})
	}
	for _, name := range body.Providers {
		open.Providers = append(open.Providers, core.ProviderName(name))
	}
	if body.Customer != nil {
		open.CustomerID, open.Email, open.Name = body.Customer.ID, body.Customer.Email, body.Customer.Name
		open.Country = body.Customer.Country
	}
	checkout, err := s.payments.OpenCheckout(ctx, open)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusCreated, s.viewOf(checkout)), nil
}

func (s *server) getCheckout(ctx context.Context, in *CheckoutPath) (*answer[view.Checkout], error) {
	id, err := parseID[core.CheckoutID](in.ID)
	if err != nil {
		return nil, err
	}
	checkout, err := s.payments.Checkout(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, s.viewOf(checkout)), nil
}

func (s *server) expireCheckout(ctx context.Context, in *struct {
	CheckoutPath
	MayBeKeyed
	NoFields
},
) (*answer[view.Checkout], error) {
	id, err := parseID[core.CheckoutID](in.ID)
	if err != nil {
		return nil, err
	}
	checkout, err := s.payments.ExpireCheckout(ctx, id, callerOf(ctx).cause())
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, s.viewOf(checkout)), nil
}

func (s *server) viewOf(c core.Checkout) view.Checkout {
	return view.OfCheckout(c, s.payments.CheckoutURL(c.ID), s.clock.Now())
}

package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/view"
)

// CustomerPath names a customer.
type CustomerPath struct {
	ID string `path:"id" example:"cus_01jd0000000000000000000000"`
}

type newKnownCustomer struct {
	Keyed
	Body struct {
		Email    string            `json:"email,omitempty" example:"ada@shop.example" doc:"It, or name"`
		Name     string            `json:"name,omitempty" maxLength:"200"`
		Metadata map[string]string `json:"metadata,omitempty" doc:"Yours: up to 50 keys of 40 characters with values of 500"`
	}
}

type methodsOf struct {
	CustomerPath
	PageQuery
}

type removeMethod struct {
	CustomerPath
	Method string `path:"method" example:"pm_01jd0000000000000000000000"`
}

func (s *server) customerCalls(api huma.API) {
	create := operation("createCustomer", http.MethodPost, "/v1/customers", http.StatusCreated, "Create a customer")
	create.Description = "One customer is one buyer, whichever providers they pay at: the counterpart at a provider is made when it is first needed."
	huma.Register(api, create, s.createCustomer)
	huma.Register(api, operation("getCustomer", http.MethodGet, "/v1/customers/{id}", http.StatusOK, "Read a customer"), s.getCustomer)
	methods := operation("listPaymentMethods", http.MethodGet, "/v1/customers/{id}/payment_methods", http.StatusOK, "List a customer's saved methods, newest first")
	methods.Description = "Those that can be charged. A checkout of the mode `setup` saves one, with its buyer's consent."
	huma.Register(api, methods, s.listMethods)
	remove := operation("removePaymentMethod", http.MethodDelete, "/v1/customers/{id}/payment_methods/{method}", http.StatusOK, "Remove a saved method", http.StatusConflict, http.StatusPaymentRequired, http.StatusServiceUnavailable)
	remove.Description = "It is taken away at the provider, too, and can never be charged again. 202 with the method as it was means that the provider gave no answer; it is settled by itself."
	huma.Register(api, remove, s.removeMethod)
}

func (s *server) createCustomer(ctx context.Context, in *newKnownCustomer) (*answer[view.KnownCustomer], error) {
	customer, err := s.customers.Create(ctx, customers.NewCustomer{
		RequestKey: callerOf(ctx).request, Email: in.Body.Email, Name: in.Body.Name, Metadata: in.Body.Metadata,
	})
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusCreated, view.OfCustomer(customer)), nil
}

func (s *server) getCustomer(ctx context.Context, in *CustomerPath) (*answer[view.KnownCustomer], error) {
	id, err := parseID[core.CustomerID](in.ID)
	if err != nil {
		return nil, err
	}
	customer, err := s.customers.Get(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, view.OfCustomer(customer)), nil
}

func (s *server) listMethods(ctx context.Context, in *methodsOf) (*answer[list[view.SavedMethod]], error) {
	id, err := parseID[core.CustomerID](in.ID)
	if err != nil {
		return nil, err
	}
	page, refused := pageOf[core.MethodID](in.PageQuery)
	if refused != nil {
		return nil, refused
	}
	methods, err := s.customers.Methods(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	return answered(http.StatusOK, partOf(methodPage(methods, page), view.OfSavedMethod, placeOfMethod)), nil
}

func placeOfMethod(m core.SavedMethod) core.Cursor {
	return core.Cursor{At: m.CreatedAt, ID: string(m.ID)}
}

// methodPage cuts a page out of a customer's methods, of which there are few: the use case gives them
// all, newest first.
func methodPage(all []core.SavedMethod, page core.PageRequest) core.Page[core.SavedMethod] {
	if after := page.After; after != nil {
		all = slices.DeleteFunc(all, func(m core.SavedMethod) bool {
			return m.CreatedAt.After(after.At) || m.CreatedAt.Equal(after.At) && string(m.ID) >= after.ID
		})
	}
	most := min(page.Limit, len(all))
	return core.Page[core.SavedMethod]{Items: all[:most], HasNext: most < len(all)}
}

func (s *server) removeMethod(ctx context.Context, in *removeMethod) (*answer[view.SavedMethod], error) {
	customer, err := parseID[core.CustomerID](in.ID)
	if err != nil {
		return nil, err
	}
	id, err := parseIDAt[core.MethodID]("path.method", in.Method)
	if err != nil {
		return nil, err
	}
	method, err := s.customers.Remove(ctx, customer, id, callerOf(ctx).cause())
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	if method.Status != core.MethodRemoved {
		return answered(http.StatusAccepted, view.OfSavedMethod(method)), nil
	}
	return answered(http.StatusOK, view.OfSavedMethod(method)), nil
}

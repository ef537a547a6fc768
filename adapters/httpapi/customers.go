package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/view"
)

// CustomerPath names a customer.
type CustomerPath struct {
	ID string `path:"id" example:"cus_01jd0000000000000000000000"`
}

type newCustomerCall struct {
	Keyed
	Body struct {
		Email    string            `json:"email,omitempty" example:"ada@example.com" doc:"Or a name"`
		Name     string            `json:"name,omitempty" maxLength:"200"`
		Metadata map[string]string `json:"metadata,omitempty" doc:"Yours: up to 50 keys of 40 characters with values of 500"`
	}
}

// MethodPath names a saved method.
type MethodPath struct {
	ID string `path:"id" example:"pm_01jd0000000000000000000000"`
}

type customerMethodPath struct {
	Customer string `path:"customer" example:"cus_01jd0000000000000000000000"`
	MethodPath
}

func (s *server) customerCalls(api huma.API) {
	create := operation("createCustomer", http.MethodPost, "/v1/customers", http.StatusCreated, "Create a customer")
	create.Description = "Whoever subscribes, or leaves a payment method to be charged later, is one."
	huma.Register(api, create, s.createCustomer)
	huma.Register(api, operation("getCustomer", http.MethodGet, "/v1/customers/{id}", http.StatusOK, "Read a customer"), s.getCustomer)
	huma.Register(api, operation("listCustomers", http.MethodGet, "/v1/customers", http.StatusOK, "List customers, newest first"), s.listCustomers)
	methods := operation("listPaymentMethods", http.MethodGet, "/v1/customers/{id}/payment_methods", http.StatusOK, "List a customer's payment methods, newest first")
	methods.Description = "Those that can be charged. A checkout of the mode `setup` saves one, with the buyer's consent."
	huma.Register(api, methods, s.listMethods)
	remove := operation("removeCustomerPaymentMethod", http.MethodDelete, "/v1/customers/{customer}/payment_methods/{id}", http.StatusOK, "Remove a customer's payment method", providerErrors...)
	remove.Description = "It can never be charged again. 202 with the method as it was means that the provider gave no answer; it is settled by itself."
	huma.Register(api, remove, s.removeCustomerMethod)
	byID := operation("removePaymentMethod", http.MethodDelete, "/v1/payment_methods/{id}", http.StatusOK, "Remove a payment method", providerErrors...)
	byID.Description = "The same, without the customer."
	huma.Register(api, byID, s.removeMethod)
}

func (s *server) createCustomer(ctx context.Context, in *newCustomerCall) (*answer[view.KnownCustomer], error) {
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

func (s *server) listCustomers(ctx context.Context, in *PageQuery) (*answer[list[view.KnownCustomer]], error) {
	page, refused := pageOf[core.CustomerID](*in)
	if refused != nil {
		return nil, refused
	}
	found, err := s.customers.List(ctx, page)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	place := func(c core.Customer) core.Cursor { return core.Cursor{At: c.CreatedAt, ID: string(c.ID)} }
	return answered(http.StatusOK, partOf(found, view.OfCustomer, place)), nil
}

func (s *server) listMethods(ctx context.Context, in *CustomerPath) (*answer[list[view.SavedMethod]], error) {
	id, err := parseID[core.CustomerID](in.ID)
	if err != nil {
		return nil, err
	}
	methods, err := s.customers.Methods(ctx, id)
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	part := list[view.SavedMethod]{Data: make([]view.SavedMethod, 0, len(methods))}
	for _, method := range methods {
		part.Data = append(part.Data, view.OfSavedMethod(method))
	}
	return answered(http.StatusOK, part), nil
}

func (s *server) removeCustomerMethod(ctx context.Context, in *customerMethodPath) (*answer[view.SavedMethod], error) {
	customer, err := core.ParseID[core.CustomerID](in.Customer)
	if err != nil {
		p := problem(http.StatusBadRequest, "invalid_id", "The id in the path is not of the right kind.")
		p.Errors = []FieldError{{Location: "path.customer", Message: err.Error()}}
		return nil, p
	}
	return s.remove(ctx, customer, in.ID)
}

func (s *server) removeMethod(ctx context.Context, in *MethodPath) (*answer[view.SavedMethod], error) {
	return s.remove(ctx, "", in.ID)
}

func (s *server) remove(ctx context.Context, customer core.CustomerID, text string) (*answer[view.SavedMethod], error) {
	id, err := parseID[core.MethodID](text)
	if err != nil {
		return nil, err
	}
	method, err := s.customers.Remove(ctx, customer, id, callerOf(ctx).cause())
	if err != nil {
		return nil, s.problemOf(ctx, err)
	}
	status := http.StatusOK
	if method.Status != core.MethodRemoved {
		status = http.StatusAccepted
	}
	return answered(status, view.OfSavedMethod(method)), nil
}

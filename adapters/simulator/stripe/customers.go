package stripe

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Limits of what is said of a customer.
//
// Source: docs.stripe.com/api/customers/create.
const (
	nameCharsMax  = 256
	phoneCharsMax = 20
)

// customer is a Customer.
//
// Source: docs.stripe.com/api/customers/object.
type customer struct {
	ID                  string            `json:"id"`
	Object              string            `json:"object"`
	Address             map[string]string `json:"address"`
	Balance             int64             `json:"balance"` // below zero for what the customer has to their credit
	Created             int64             `json:"created"`
	Currency            *string           `json:"currency"`
	DefaultSource       *string           `json:"default_source"`
	Delinquent          bool              `json:"delinquent"`
	Description         *string           `json:"description"`
	Discount            *string           `json:"discount"`
	Email               *string           `json:"email"`
	InvoicePrefix       string            `json:"invoice_prefix"`
	InvoiceSettings     invoiceSettings   `json:"invoice_settings"`
	Livemode            bool              `json:"livemode"`
	Metadata            map[string]string `json:"metadata"`
	Name                *string           `json:"name"`
	NextInvoiceSequence int64             `json:"next_invoice_sequence"`
	Phone               *string           `json:"phone"`
	PreferredLocales    []string          `json:"preferred_locales"`
	Shipping            map[string]any    `json:"shipping"`
	TaxExempt           string            `json:"tax_exempt"`
	TestClock           *string           `json:"test_clock"`

	deleted       bool
	methods       []*paymentMethod // attached, oldest first
	subscriptions []*subscription  // oldest first
}

type invoiceSettings struct {
	CustomFields         any     `json:"custom_fields"`
	DefaultPaymentMethod *string `json:"default_payment_method"`
	Footer               *string `json:"footer"`
	RenderingOptions     any     `json:"rendering_options"`
}

// copied is the customer as it stands now, which later changes leave alone.
func (c *customer) copied() *customer {
	copied := *c
	copied.Metadata, copied.Address = maps.Clone(c.Metadata), maps.Clone(c.Address)
	return &copied
}

const defaultMethod = "invoice_settings[default_payment_method]"

var customerParams = []string{
	"address[*]", "description", "email", defaultMethod, "metadata[*]", "name", "payment_method", "phone",
	"preferred_locales[*]", "expand[*]",
}

var addressFields = []string{"city", "country", "line1", "line2", "postal_code", "state"}

// deletedObject is what is left of an object.
type deletedObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Deleted bool   `json:"deleted"`
}

// createCustomer makes a customer.
//
// Source: docs.stripe.com/api/customers/create.
func (s *Server) createCustomer(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := &customer{
		ID: s.newID("cus"), Object: "customer", Created: s.now().Unix(), NextInvoiceSequence: 1, PreferredLocales: []string{}, TaxExempt: "none",
	}
	made.InvoicePrefix = strings.ToUpper(made.ID[len(made.ID)-8:])
	method, out := s.methodOf(in, nil)
	if out != nil {
		return *out
	}
	byDefault := in.params[defaultMethod]
	if byDefault != "" && byDefault != in.params["payment_method"] {
		return invalid("", defaultMethod, "The customer does not have a payment method with the ID "+clip(byDefault)+". The payment method must be attached to the customer.")
	}
	if out := in.readCustomer(made); out != nil {
		return *out
	}
	s.customers.Put(made.ID, made)
	if method != nil {
		s.attach(method, made.ID)
		if byDefault != "" {
			made.InvoiceSettings.DefaultPaymentMethod = &method.ID
		}
	}
	s.tell("customer.created", made.copied())
	return done(made.copied())
}

// readCustomer reads what is said of a customer over what there is.
func (in *request) readCustomer(c *customer) *result {
	if email := in.params["email"]; email != "" && !strings.Contains(email, "@") {
		return new(invalid("email_invalid", "email", "Invalid email address: "+clip(email)))
	}
	if out := in.texts(
		textField{"description", descriptionCharsMax, &c.Description},
		textField{"email", emailCharsMax, &c.Email},
		textField{"name", nameCharsMax, &c.Name},
		textField{"phone", phoneCharsMax, &c.Phone},
	); out != nil {
		return out
	}
	for name, value := range in.params {
		if field, ok := strings.CutPrefix(name, "address["); ok {
			if field = strings.TrimSuffix(field, "]"); !slices.Contains(addressFields, field) {
				return new(invalid("parameter_unknown", name, "Received unknown parameter: "+name))
			}
			if c.Address == nil {
				c.Address = make(map[string]string)
			}
			c.Address[field] = value
		}
		if fits("preferred_locales[*]", name) {
			c.PreferredLocales = append(slices.Clone(c.PreferredLocales), value)
		}
	}
	metadata, out := in.metadata(c.Metadata)
	c.Metadata = metadata
	return out
}

// updateCustomer changes a customer.
//
// Source: docs.stripe.com/api/customers/update.
func (s *Server) updateCustomer(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, out := s.customerBy(in.id, "id")
	if out != nil {
		return *out
	}
	changed := *held.copied()
	if out := in.readCustomer(&changed); out != nil {
		return *out
	}
	if id, said := in.params[defaultMethod]; said {
		if changed.InvoiceSettings.DefaultPaymentMethod = orNil(id); id != "" && held.method(id) == nil {
			return invalid("", defaultMethod, "The customer does not have a payment method with the ID "+clip(id)+". The payment method must be attached to the customer.")
		}
	}
	*held = changed
	s.tell("customer.updated", held.copied())
	return done(held.copied())
}

// deleteCustomer ends a customer, with all subscriptions.
//
// Source: docs.stripe.com/api/customers/delete.
func (s *Server) deleteCustomer(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, out := s.customerBy(in.id, "id")
	if out != nil {
		return *out
	}
	for _, sub := range held.subscriptions {
		if !sub.over() {
			s.endSubscription(sub, canceled, "cancellation_requested")
		}
	}
	for len(held.methods) > 0 {
		s.detach(held.methods[0])
	}
	held.deleted = true
	s.tell("customer.deleted", held.copied())
	return done(deletedObject{ID: held.ID, Object: "customer", Deleted: true})
}

func (s *Server) getCustomer(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.customers.Get(in.id)
	switch {
	case !ok:
		return notFound("customer", "id", in.id)
	case held.deleted:
		return done(deletedObject{ID: held.ID, Object: "customer", Deleted: true})
	}
	return done(held.copied())
}

func (s *Server) listCustomers(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	email, byEmail := in.params["email"]
	all := slices.DeleteFunc(s.customers.NewestFirst(), func(c *customer) bool {
		return c.deleted || byEmail && (c.Email == nil || *c.Email != email)
	})
	list, kept, out := page(in, "/v1/customers", all, func(c *customer) string { return c.ID }, func(c *customer) int64 { return c.Created })
	if out != nil {
		return *out
	}
	list.Data = copies(kept, (*customer).copied)
	return done(list)
}

// copies are objects as they stand now.
func copies[T any](objects []T, copied func(T) T) []T {
	all := make([]T, len(objects))
	for n, object := range objects {
		all[n] = copied(object)
	}
	return all
}

// customerBy gives a customer that is not deleted. The caller holds mu.
func (s *Server) customerBy(id, param string) (*customer, *result) {
	held, ok := s.customers.Get(id)
	if !ok || held.deleted {
		out := notFound("customer", param, id[:min(len(id), parameterNameCharsMost)])
		if param != "id" { // named by a parameter, not by the path
			out.status = http.StatusBadRequest
		}
		return nil, &out
	}
	return held, nil
}

// customerOf reads whose a thing is; nil where none is given. The caller holds mu.
func (s *Server) customerOf(in *request) (*string, *result) {
	id := in.params["customer"]
	if id == "" {
		return nil, nil //nolint:nilnil // nobody is a customer
	}
	held, out := s.customerBy(id, "customer")
	if out != nil {
		return nil, out
	}
	return &held.ID, nil
}

// method gives one of the customer's payment methods; nil where it is none.
func (c *customer) method(id string) *paymentMethod {
	for _, each := range c.methods {
		if each.ID == id {
			return each
		}
	}
	return nil
}

// attach makes a method a customer's. The caller holds mu.
func (s *Server) attach(m *paymentMethod, to string) {
	held, ok := s.customers.Get(to)
	if !ok || held.deleted {
		return
	}
	m.Customer, m.saved = &held.ID, true
	held.methods = append(held.methods, m)
	s.tell("payment_method.attached", m.copied())
}

// detach lets a method go, for good. The caller holds mu.
func (s *Server) detach(m *paymentMethod) {
	held, ok := s.customers.Get(*m.Customer)
	if ok {
		held.methods = slices.DeleteFunc(held.methods, func(each *paymentMethod) bool { return each == m })
		if by := held.InvoiceSettings.DefaultPaymentMethod; by != nil && *by == m.ID {
			held.InvoiceSettings.DefaultPaymentMethod = nil
		}
		for _, sub := range held.subscriptions {
			if sub.method == m {
				sub.method = nil
			}
		}
	}
	m.Customer, m.spent = nil, true
	s.tell("payment_method.detached", m.copied())
}

// number gives an invoice its number.
func (c *customer) number() string {
	c.NextInvoiceSequence++
	return fmt.Sprintf("%s-%04d", c.InvoicePrefix, c.NextInvoiceSequence-1)
}

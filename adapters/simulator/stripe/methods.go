package stripe

import (
	"net/http"
	"strconv"
)

var (
	methodParams = []string{
		"type", "card[number]", "card[exp_month]", "card[exp_year]", "card[cvc]", "billing_details[*]", "metadata[*]", "expand[*]",
	}
	methodUpdateParams = []string{"card[exp_month]", "card[exp_year]", "billing_details[*]", "metadata[*]", "expand[*]"}
)

// createMethod makes a payment method of a card, which is nobody's yet.
//
// Source: docs.stripe.com/api/payment_methods/create.
func (s *Server) createMethod(in *request) result {
	if in.params["type"] != "card" {
		return invalid("", "type", "Invalid type: must be card.")
	}
	metadata, out := in.metadata(nil)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made, out := s.typedMethod(in, "")
	if out != nil {
		return *out
	}
	made.Metadata = metadata
	return done(made.copied())
}

func (s *Server) getMethod(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.methods.Get(in.id); ok {
		return done(held.copied())
	}
	return notFound("PaymentMethod", "payment_method", in.id)
}

// updateMethod changes a customer's payment method.
//
// Source: docs.stripe.com/api/payment_methods/update.
func (s *Server) updateMethod(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.methods.Get(in.id)
	switch {
	case !ok:
		return notFound("PaymentMethod", "payment_method", in.id)
	case held.Customer == nil:
		return failed(http.StatusBadRequest, apiError{Type: typeInvalidRequest, Message: "You must save this PaymentMethod to a customer before you can update it."})
	}
	metadata, out := in.metadata(held.Metadata)
	if out != nil {
		return *out
	}
	for name, most := range map[string]int64{"exp_month": 12, "exp_year": int64(s.Clock.Wall().Year() + expiryYearsMost)} {
		value, said, out := in.integer("card["+name+"]", 1, most)
		if out != nil {
			return *out
		}
		if said {
			held.card = new(*held.card)
			if name == "exp_month" {
				held.card.ExpMonth = int(value)
			} else {
				held.card.ExpYear = int(value)
			}
		}
	}
	held.Metadata, held.Card = metadata, held.card.details()
	for name := range held.BillingDetails {
		if text, said := in.params["billing_details["+name+"]"]; said {
			held.BillingDetails[name] = orNil(text)
		}
	}
	s.tell("payment_method.updated", held.copied())
	return done(held.copied())
}

// attachMethod makes a payment method a customer's.
//
// Source: docs.stripe.com/api/payment_methods/attach.
func (s *Server) attachMethod(in *request) result {
	if in.params["customer"] == "" {
		return missingParam("customer")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, out := s.customerOf(in)
	if out != nil {
		return *out
	}
	if held, ok := s.methods.Get(in.id); ok && held.Customer != nil {
		if *held.Customer == *to {
			return done(held.copied())
		}
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Message: "The payment method you provided has already been attached to a customer.",
		})
	}
	held, out := s.savedMethod(in.id, "payment_method", to)
	if out != nil {
		return *out
	}
	if out := refusesSaving(held); out != nil {
		return *out
	}
	s.attach(held, *to)
	return done(held.copied())
}

// refusesSaving is the error of a card whose bank does not agree to it; nil where it does.
func refusesSaving(m *paymentMethod) *result {
	refusal := m.refusal(true)
	if refusal.Code == "" {
		return nil
	}
	return new(failed(http.StatusPaymentRequired, refusal))
}

// detachMethod takes a payment method away from its customer.
//
// Source: docs.stripe.com/api/payment_methods/detach.
func (s *Server) detachMethod(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.methods.Get(in.id)
	switch {
	case !ok:
		return notFound("PaymentMethod", "payment_method", in.id)
	case held.Customer == nil:
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Message: "The payment method you provided is not attached to a customer so detachment is impossible.",
		})
	}
	s.detach(held)
	return done(held.copied())
}

// listMethods lists a customer's payment methods, newest first.
//
// Source: docs.stripe.com/api/payment_methods/list.
func (s *Server) listMethods(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, id := "/v1/payment_methods", in.params["customer"]
	if in.id != "" { // of the customer in the path
		path, id = "/v1/customers/"+in.id+"/payment_methods", in.id
	}
	if kind, said := in.params["type"]; said && kind != "card" {
		return invalid("", "type", "Invalid type: must be card.")
	}
	var all []*paymentMethod
	if id != "" {
		held, out := s.customerBy(id, "customer")
		if out != nil {
			return *out
		}
		for n := range held.methods {
			all = append(all, held.methods[len(held.methods)-1-n])
		}
	}
	list, kept, out := page(in, path, all, func(m *paymentMethod) string { return m.ID }, func(m *paymentMethod) int64 { return m.Created })
	if out != nil {
		return *out
	}
	list.Data = copies(kept, (*paymentMethod).copied)
	return done(list)
}

// behaveAs has a method act like a test card from now on.
func (m *paymentMethod) behaveAs(number string) bool {
	acts, ok := testCards[number]
	if ok {
		m.card = new(*m.card)
		m.card.behavior = acts
	}
	return ok
}

// nextYear is the year that test methods are good until.
func (s *Server) nextYear() string { return strconv.Itoa(s.Clock.Wall().Year() + 1) }

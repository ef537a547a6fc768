package stripe

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// setup is a SetupIntent: it saves a payment method without a payment.
//
// Source: docs.stripe.com/api/setup_intents/object.
type setup struct {
	ID                      string            `json:"id"`
	Object                  string            `json:"object"`
	Application             *string           `json:"application"`
	AutomaticPaymentMethods map[string]any    `json:"automatic_payment_methods"`
	CancellationReason      *string           `json:"cancellation_reason"`
	ClientSecret            string            `json:"client_secret,omitempty"`
	Created                 int64             `json:"created"`
	Customer                *string           `json:"customer"`
	Description             *string           `json:"description"`
	LastSetupError          *apiError         `json:"last_setup_error"`
	LatestAttempt           *string           `json:"latest_attempt"`
	Livemode                bool              `json:"livemode"`
	Mandate                 *string           `json:"mandate"`
	Metadata                map[string]string `json:"metadata,omitzero"`
	NextAction              map[string]any    `json:"next_action"`
	PaymentMethod           any               `json:"payment_method"` // null, id or object
	PaymentMethodTypes      []string          `json:"payment_method_types"`
	Status                  string            `json:"status"`
	Usage                   string            `json:"usage"`

	method *paymentMethod
	sub    *subscription // that waits for it; nil for none
}

var (
	setupParams = []string{
		"automatic_payment_methods[enabled]", "automatic_payment_methods[allow_redirects]", "confirm", "customer", "description", "metadata[*]",
		"payment_method", "payment_method_types[*]", "return_url", "usage", "use_stripe_sdk", "expand[*]",
	}
	setupUpdateParams  = []string{"customer", "description", "metadata[*]", "payment_method", "expand[*]"}
	setupConfirmParams = []string{
		"payment_method", "payment_method_data[type]", "payment_method_data[card][number]", "payment_method_data[card][exp_month]",
		"payment_method_data[card][exp_year]", "payment_method_data[card][cvc]", "payment_method_data[billing_details][*]",
		"return_url", "client_secret", "key", "expand[*]", "use_stripe_sdk",
	}
)

// copied is the intent as it stands now, which later changes leave alone.
func (i *setup) copied() *setup {
	c := *i
	c.Metadata = maps.Clone(i.Metadata)
	if i.method != nil {
		c.PaymentMethod = i.method.ID
	}
	return &c
}

// shownSetup is a SetupIntent as an answer shows it at a place.
func shownSetup(i *setup, in *request, place string) *setup {
	c := i.copied()
	if i.method != nil && in.expands(place+"payment_method") {
		c.PaymentMethod = i.method.copied()
	}
	if in.public {
		c.Metadata, c.Description = nil, nil
	}
	return c
}

// createSetup makes a SetupIntent, and confirms it where that is asked for.
//
// Source: docs.stripe.com/api/setup_intents/create.
func (s *Server) createSetup(in *request) result {
	i := &setup{Object: "setup_intent", PaymentMethodTypes: []string{"card"}, Status: requiresMethod}
	var out *result
	if i.Usage, out = in.choice("usage", "off_session", "on_session"); out != nil {
		return *out
	}
	if i.Metadata, out = in.metadata(nil); out != nil {
		return *out
	}
	if i.Description, out = in.text("description", descriptionCharsMax); out != nil {
		return *out
	}
	if i.AutomaticPaymentMethods, out = in.methodKinds(); out != nil {
		return *out
	}
	confirms, _, out := in.confirmation()
	if out != nil {
		return *out
	}
	if confirms {
		if out := checkSetupReturn(in, i); out != nil {
			return *out
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.Customer, out = s.customerOf(in); out != nil {
		return *out
	}
	if i.method, out = s.methodOf(in, i.Customer); out != nil {
		return *out
	}
	if i.method != nil {
		i.Status = requiresConfirmation
	} else if confirms {
		return missingParam("payment_method")
	}
	s.keepSetup(i)
	if confirms {
		return s.setUp(i, in)
	}
	return done(shownSetup(i, in, ""))
}

// keepSetup takes a new SetupIntent in. The caller holds mu.
func (s *Server) keepSetup(i *setup) {
	i.ID = s.newID("seti")
	i.ClientSecret = i.ID + "_secret_" + rand.Text()
	i.Created = s.now().Unix()
	s.setups.Put(i.ID, i)
	s.tell("setup_intent.created", i.copied())
}

// findSetup gives the SetupIntent that a call is about, as find does. The caller holds mu.
func (s *Server) findSetup(id, param string, in *request) (*setup, *result) {
	i, ok := s.setups.Get(id)
	secret, said := in.params["client_secret"]
	if !ok || (in.public || said) && !same(secret, i.ClientSecret) {
		return nil, new(notFound("setupintent", param, id[:min(len(id), parameterNameCharsMost)]))
	}
	return i, nil
}

func (s *Server) getSetup(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.findSetup(in.id, "intent", in)
	if out != nil {
		return *out
	}
	return done(shownSetup(i, in, ""))
}

func (s *Server) listSetups(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	customer, byCustomer := in.params["customer"]
	method, byMethod := in.params["payment_method"]
	all := slices.DeleteFunc(s.setups.NewestFirst(), func(i *setup) bool {
		return byCustomer && (i.Customer == nil || *i.Customer != customer) || byMethod && (i.method == nil || i.method.ID != method)
	})
	list, kept, out := page(in, "/v1/setup_intents", all, func(i *setup) string { return i.ID }, func(i *setup) int64 { return i.Created })
	if out != nil {
		return *out
	}
	list.Data = copies(kept, func(i *setup) *setup { return shownSetup(i, in, "") })
	return done(list)
}

// updateSetup changes what has not been done yet.
func (s *Server) updateSetup(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.findSetup(in.id, "intent", in)
	if out != nil {
		return *out
	}
	if i.Status == succeeded || i.Status == canceled {
		return unexpectedSetup(i, "update", requiresMethod+", "+requiresConfirmation+", "+requiresAction)
	}
	changed := *i
	if in.params["customer"] != "" {
		if changed.Customer, out = s.customerOf(in); out != nil {
			return *out
		}
	}
	if changed.Metadata, out = in.metadata(i.Metadata); out != nil {
		return *out
	}
	if out := in.texts(textField{"description", descriptionCharsMax, &changed.Description}); out != nil {
		return *out
	}
	method, out := s.methodOf(in, changed.Customer)
	if out != nil {
		return *out
	}
	if method != nil {
		changed.method, changed.Status, changed.NextAction = method, requiresConfirmation, nil
	}
	*i = changed
	return done(shownSetup(i, in, ""))
}

func (s *Server) confirmSetup(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.findSetup(in.id, "intent", in)
	if out != nil {
		return *out
	}
	if i.Status != requiresMethod && i.Status != requiresConfirmation && i.Status != requiresAction {
		return unexpectedSetup(i, "confirm", requiresMethod+", "+requiresConfirmation+", "+requiresAction)
	}
	if out := checkSetupReturn(in, i); out != nil {
		return *out
	}
	with, out := s.methodOf(in, i.Customer)
	switch {
	case out != nil && out.status == http.StatusPaymentRequired:
		return withSetup(*out, i)
	case out != nil:
		return *out
	case with != nil:
		i.method = with
	case i.method == nil:
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "setup_intent_unexpected_state", SetupIntent: i.copied(),
			Message: "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again.",
		})
	}
	return s.setUp(i, in)
}

// checkSetupReturn is checkReturn for a SetupIntent.
func checkSetupReturn(in *request, i *setup) *result {
	back := in.params["return_url"]
	if back == "" {
		if i.AutomaticPaymentMethods == nil || i.AutomaticPaymentMethods["allow_redirects"] != "always" {
			return nil
		}
		return new(invalid("", "return_url", "This SetupIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`."))
	}
	if address, err := url.Parse(back); err != nil || address.Scheme == "" || address.Host == "" {
		return new(invalid("url_invalid", "return_url", "Not a valid URL"))
	}
	return nil
}

// setUp saves the intent's method, or asks for its holder first. The caller holds mu.
func (s *Server) setUp(i *setup, in *request) result {
	if i.method.asks(false) {
		i.Status, i.LastSetupError, i.NextAction = requiresAction, nil, challenge(i.ID)
		s.tell("setup_intent.requires_action", i.copied())
		return done(shownSetup(i, in, ""))
	}
	return s.saveBy(i, in)
}

// saveBy saves the intent's method. The caller holds mu.
func (s *Server) saveBy(i *setup, in *request) result {
	if refusal := i.method.refusal(true); refusal.Code != "" {
		return s.failSetup(i, refusal)
	}
	i.Status, i.NextAction, i.LastSetupError, i.method.setUp = succeeded, nil, nil, true
	if i.Customer != nil && i.method.Customer == nil {
		s.attach(i.method, *i.Customer)
	}
	i.method.spent = i.method.Customer == nil
	s.tell("setup_intent.succeeded", i.copied())
	if i.sub != nil {
		s.setUpSubscription(i.sub, i)
	}
	return done(shownSetup(i, in, ""))
}

// failSetup leaves the intent to another card. The caller holds mu.
func (s *Server) failSetup(i *setup, e apiError) result {
	e.PaymentMethod = i.method.copied()
	i.method.spent = i.method.Customer == nil
	i.Status, i.method, i.NextAction = requiresMethod, nil, nil
	out := failed(http.StatusPaymentRequired, e)
	if body, ok := out.object.(errorBody); ok {
		i.LastSetupError = new(body.Error)
	}
	s.tell("setup_intent.setup_failed", i.copied())
	return withSetup(out, i)
}

// withSetup shows the SetupIntent inside of an error.
func withSetup(out result, i *setup) result {
	if body, ok := out.object.(errorBody); ok {
		body.Error.SetupIntent = i.copied()
		out.object = body
	}
	return out
}

// authenticateSetup is the buyer in front of the bank's page. The caller holds mu.
func (s *Server) authenticateSetup(id, outcome string, in *request) result {
	i, out := s.findSetup(id, "source", in)
	if out != nil {
		return *out
	}
	if i.Status != requiresAction || i.method == nil {
		return unexpectedSetup(i, "authenticate", requiresAction)
	}
	if outcome == "complete" {
		s.saveBy(i, in)
	} else {
		s.failSetup(i, apiError{
			Type: typeInvalidRequest, Code: "setup_intent_authentication_failure",
			Message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
		})
	}
	return done(shownSetup(i, in, ""))
}

func (s *Server) cancelSetup(in *request) result {
	reason, out := in.choice("cancellation_reason", "", "abandoned", "duplicate", "requested_by_customer")
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.findSetup(in.id, "intent", in)
	if out != nil {
		return *out
	}
	if i.Status == succeeded || i.Status == canceled {
		return unexpectedSetup(i, "cancel", requiresMethod+", "+requiresConfirmation+", "+requiresAction)
	}
	i.Status, i.CancellationReason, i.NextAction = canceled, orNil(reason), nil
	s.tell("setup_intent.canceled", i.copied())
	return done(shownSetup(i, in, ""))
}

// unexpectedSetup answers a call that the intent's status does not allow.
func unexpectedSetup(i *setup, verb, allowed string) result {
	return failed(http.StatusBadRequest, apiError{
		Type: typeInvalidRequest, Code: "setup_intent_unexpected_state", SetupIntent: i.copied(),
		Message: fmt.Sprintf("This SetupIntent could not be %s because it has a status of %s. Only a SetupIntent with one of the following statuses may be: %s.", past[verb], i.Status, allowed),
	})
}

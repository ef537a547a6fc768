package stripe

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// What calls take.
var (
	createParams = []string{
		"amount", "currency", "capture_method", "description", "metadata[*]", "expand[*]", "automatic_payment_methods[enabled]",
		"automatic_payment_methods[allow_redirects]", "payment_method_types[*]", "statement_descriptor", "statement_descriptor_suffix",
		"receipt_email", "setup_future_usage",
	}
	listParams    = []string{"limit", "starting_after", "ending_before", "created[gte]", "created[gt]", "created[lte]", "created[lt]", "expand[*]"}
	expandParams  = []string{"expand[*]"}
	getParams     = []string{"expand[*]", "client_secret", "key"}
	confirmParams = []string{
		"payment_method", "payment_method_data[type]", "payment_method_data[card][number]", "payment_method_data[card][exp_month]",
		"payment_method_data[card][exp_year]", "payment_method_data[card][cvc]", "return_url", "client_secret", "key", "expand[*]", "use_stripe_sdk",
	}
	captureParams      = []string{"amount_to_capture", "final_capture", "metadata[*]", "statement_descriptor", "statement_descriptor_suffix", "expand[*]"}
	cancelParams       = []string{"cancellation_reason", "expand[*]"}
	authenticateParams = []string{"source", "client_secret", "outcome", "key", "expand[*]"}
)

// The statuses of a PaymentIntent.
//
// Source: docs.stripe.com/payments/paymentintents/lifecycle.
const (
	requiresMethod  = "requires_payment_method"
	requiresAction  = "requires_action"
	requiresCapture = "requires_capture"
	succeeded       = "succeeded"
	canceled        = "canceled"
)

const emailCharsMax = 800

func (s *Server) create(in *request) result {
	i, out := readIntent(in)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i.ID = s.newID("pi")
	i.ClientSecret = i.ID + "_secret_" + rand.Text()
	i.Created = s.Clock.Now().Unix()
	s.intents.Put(i.ID, i)
	s.tell("payment_intent.created", i.copied())
	return done(s.shown(i, in))
}

// readIntent reads what a PaymentIntent is made of.
func readIntent(in *request) (*intent, *result) {
	i := &intent{
		Object: "payment_intent", AmountDetails: map[string]any{"tip": map[string]any{}}, ConfirmationMethod: "automatic",
		PaymentMethodTypes: []string{"card"}, Status: requiresMethod,
	}
	for _, name := range []string{"amount", "currency"} {
		if in.params[name] == "" {
			out := missingParam(name)
			return nil, &out
		}
	}
	var bad *result
	if i.Amount, _, bad = in.integer("amount", 1, 1<<53); bad != nil {
		return nil, bad
	}
	i.Currency = in.params["currency"]
	if bad := checkAmount(i.Amount, i.Currency); bad != nil {
		return nil, bad
	}
	if i.CaptureMethod, bad = in.choice("capture_method", "automatic", "automatic_async", "manual"); bad != nil {
		return nil, bad
	}
	if use, bad := in.choice("setup_future_usage", "", "on_session", "off_session"); bad != nil {
		return nil, bad
	} else if use != "" {
		i.SetupFutureUsage = &use
	}
	for _, text := range []struct {
		name     string
		charsMax int
		into     **string
	}{
		{"description", descriptionCharsMax, &i.Description},
		{"receipt_email", emailCharsMax, &i.ReceiptEmail},
		{"statement_descriptor", statementCharsMax, &i.StatementDescriptor},
		{"statement_descriptor_suffix", statementCharsMax, &i.StatementDescriptorSuffix},
	} {
		if *text.into, bad = in.text(text.name, text.charsMax); bad != nil {
			return nil, bad
		}
	}
	if i.Metadata, bad = in.metadata(nil); bad != nil {
		return nil, bad
	}
	return i, i.readMethods(in)
}

// readMethods reads which kinds of payment method are taken. Without a word, this API
// version takes all that the account has.
func (i *intent) readMethods(in *request) *result {
	listed := false
	for name, value := range in.params {
		if !fits("payment_method_types[*]", name) {
			continue
		}
		listed = true
		if value != "card" {
			out := invalid("", "payment_method_types", "The payment method type is invalid: only card is activated.")
			return &out
		}
	}
	enabled, bad := in.boolean("automatic_payment_methods[enabled]", !listed)
	if bad != nil {
		return bad
	}
	redirects, bad := in.choice("automatic_payment_methods[allow_redirects]", "always", "never")
	if bad != nil {
		return bad
	}
	if enabled && listed {
		out := invalid("", "payment_method_types", "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.")
		return &out
	}
	if enabled {
		i.AutomaticPaymentMethods = map[string]any{"allow_redirects": redirects, "enabled": true}
	}
	return nil
}

// find gives the intent that a call is about. Who says a client secret must know the
// right one; with the publishable key that is all there is. The caller holds mu.
func (s *Server) find(id, param string, in *request) (*intent, *result) {
	i, ok := s.intents.Get(id)
	secret, said := in.params["client_secret"]
	if !ok || (in.public || said) && !same(secret, i.ClientSecret) {
		out := notFound("payment_intent", param, id[:min(len(id), parameterNameCharsMost)])
		return nil, &out
	}
	return i, nil
}

func (s *Server) get(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.find(in.id, "intent", in)
	if out != nil {
		return *out
	}
	return done(s.shown(i, in))
}

func (s *Server) confirm(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.find(in.id, "intent", in)
	if out != nil {
		return *out
	}
	if i.Status != requiresMethod && i.Status != requiresAction {
		return unexpected(i, "confirm", requiresMethod+", requires_confirmation, "+requiresAction)
	}
	if out := checkReturn(in, i); out != nil {
		return *out
	}
	with, out := s.cardOf(in)
	switch {
	case out != nil && out.status == http.StatusPaymentRequired:
		return withIntent(*out, i)
	case out != nil:
		return *out
	case with == nil:
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "payment_intent_unexpected_state", PaymentIntent: i.copied(),
			Message: "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent with a payment method and then confirm it again.",
		})
	}
	if !with.behavior.authenticate {
		return s.pay(i, with, in)
	}
	i.card, i.method, i.Status, i.LastPaymentError = with, s.newMethod(with), requiresAction, nil
	i.NextAction = map[string]any{"type": "use_stripe_sdk", "use_stripe_sdk": map[string]any{
		"type": "three_d_secure_redirect", "source": i.ID, "stripe_js": "/v3/challenge",
	}}
	s.tell("payment_intent.requires_action", i.copied())
	return done(s.shown(i, in))
}

// checkReturn has whoever confirms say where a buyer who is sent away comes back to.
func checkReturn(in *request, i *intent) *result {
	var out result
	back := in.params["return_url"]
	if back == "" {
		if i.AutomaticPaymentMethods == nil || i.AutomaticPaymentMethods["allow_redirects"] != "always" {
			return nil
		}
		out = invalid("", "return_url", "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`.")
		return &out
	}
	if address, err := url.Parse(back); err != nil || address.Scheme == "" || address.Host == "" {
		out = invalid("url_invalid", "return_url", "Not a valid URL")
		return &out
	}
	return nil
}

// withIntent shows the intent inside of an error.
func withIntent(out result, i *intent) result {
	if body, ok := out.object.(errorBody); ok {
		body.Error.PaymentIntent = i.copied()
		out.object = body
	}
	return out
}

// authenticate is the buyer in front of the bank's page. It answers with the intent
// whichever way that went.
func (s *Server) authenticate(in *request) result {
	source := in.params["source"]
	if source == "" {
		return missingParam("source")
	}
	outcome := in.params["outcome"]
	if !slices.Contains([]string{"complete", "fail"}, outcome) {
		return invalid("", "outcome", "Invalid outcome: must be complete or fail.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.find(source, "source", in)
	if out != nil {
		return *out
	}
	if i.Status != requiresAction || i.card == nil {
		return unexpected(i, "authenticate", requiresAction)
	}
	if outcome == "complete" {
		s.pay(i, i.card, in)
	} else {
		s.decline(i, i.card, apiError{
			Type: typeInvalidRequest, Code: "payment_intent_authentication_failure",
			Message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
		}, nil)
	}
	return done(s.shown(i, in))
}

// unexpected answers a call that the intent's status does not allow.
func unexpected(i *intent, verb, allowed string) result {
	return failed(http.StatusBadRequest, apiError{
		Type: typeInvalidRequest, Code: "payment_intent_unexpected_state", PaymentIntent: i.copied(),
		Message: fmt.Sprintf("This PaymentIntent could not be %s because it has a status of %s. Only a PaymentIntent with one of the following statuses may be: %s.", past[verb], i.Status, allowed),
	})
}

var past = map[string]string{"confirm": "confirmed", "capture": "captured", "cancel": "canceled", "authenticate": "authenticated"}

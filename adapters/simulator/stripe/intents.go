package stripe

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What calls take.
var (
	createParams = []string{
		"amount", "currency", "capture_method", "description", "metadata[*]", "expand[*]", "automatic_payment_methods[enabled]",
		"automatic_payment_methods[allow_redirects]", "payment_method_types[*]", "statement_descriptor", "statement_descriptor_suffix",
		"receipt_email", "setup_future_usage",
	}
	listParams    = []string{"limit", "starting_after", "ending_before", "created[gte]", "created[gt]", "created[lte]", "created[lt]", "expand[*]", "type"}
	getParams     = []string{"expand[*]", "client_secret", "key"}
	confirmParams = []string{
		"payment_method", "payment_method_data[type]", "payment_method_data[card][number]", "payment_method_data[card][exp_month]",
		"payment_method_data[card][exp_year]", "payment_method_data[card][cvc]", "return_url", "client_secret", "key", "expand[*]", "use_stripe_sdk",
	}
	captureParams      = []string{"amount_to_capture", "final_capture", "metadata[*]", "expand[*]"}
	cancelParams       = []string{"cancellation_reason", "expand[*]"}
	authenticateParams = []string{"source", "client_secret", "outcome", "key", "expand[*]"}
)

const (
	amountMost        = 99_999_999
	authorizationLife = 7 * 24 * time.Hour

	requiresMethod  = "requires_payment_method"
	requiresAction  = "requires_action"
	requiresCapture = "requires_capture"
	succeeded       = "succeeded"
	canceled        = "canceled"
)

var currencyForm = regexp.MustCompile(`^[a-z]{3}$`)

// amountLeast is the least that can be charged, in minor units, for currencies that are
// not worth about the same as a dollar.
var amountLeast = map[string]int64{"jpy": 50, "huf": 17500, "krw": 1000, "mxn": 1000, "czk": 1500, "kwd": 500, "bhd": 500, "jod": 500, "omr": 500, "tnd": 2000}

func (s *Server) create(in *request) result {
	amount, err := strconv.ParseInt(in.params["amount"], 10, 64)
	switch {
	case in.params["amount"] == "":
		return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Code: "parameter_missing", Param: "amount", Message: "Missing required param: amount."})
	case err != nil:
		return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Code: "parameter_invalid_integer", Param: "amount", Message: "Invalid integer: amount"})
	case amount > amountMost:
		return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Code: "amount_too_large", Param: "amount", Message: "Amount must be no more than 999,999.99."})
	}
	currency := in.params["currency"]
	if !currencyForm.MatchString(currency) {
		return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Param: "currency", Message: "Invalid currency: it must be three letters in lower case."})
	}
	least, ok := amountLeast[currency]
	if !ok {
		least = 50
	}
	if amount < least {
		return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Code: "amount_too_small", Param: "amount", Message: fmt.Sprintf("Amount must be at least %d.", least)})
	}
	method := in.params["capture_method"]
	if method == "" {
		method = "automatic"
	}
	if !slices.Contains([]string{"automatic", "automatic_async", "manual"}, method) {
		return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Param: "capture_method", Message: "Invalid capture_method."})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.newID("pi")
	i := &intent{
		ID: id, Object: "payment_intent", Amount: amount, AmountDetails: map[string]any{"tip": map[string]any{}}, CaptureMethod: method,
		ClientSecret: id + "_secret_" + s.newID("cs")[3:], ConfirmationMethod: "automatic", Created: s.Clock.Now().Unix(), Currency: currency,
		Metadata: in.metadata(), PaymentMethodTypes: []string{"card"}, Status: requiresMethod,
	}
	if in.params["automatic_payment_methods[enabled]"] == "true" {
		i.AutomaticPaymentMethods = map[string]any{"allow_redirects": "always", "enabled": true}
	}
	if text := in.params["description"]; text != "" {
		i.Description = &text
	}
	s.intents.put(id, i)
	s.tell("payment_intent.created", i.copied())
	return done(s.shown(i, in))
}

func (in *request) metadata() map[string]string {
	metadata := make(map[string]string)
	for name, value := range in.params {
		if key, ok := strings.CutPrefix(name, "metadata["); ok {
			metadata[strings.TrimSuffix(key, "]")] = value
		}
	}
	return metadata
}

// find gives the intent that a call is about. Who has the publishable key alone must
// know its client secret.
func (s *Server) find(id string, in *request) (*intent, *result) {
	i, ok := s.intents.byID[id]
	if !ok || in.public && in.params["client_secret"] != i.ClientSecret {
		out := missing("payment_intent", id)
		return nil, &out
	}
	return i, nil
}

func (s *Server) get(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, refused := s.find(in.id, in)
	if refused != nil {
		return *refused
	}
	return done(s.shown(i, in))
}

func (s *Server) confirm(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, refused := s.find(in.id, in)
	if refused != nil {
		return *refused
	}
	if i.Status != requiresMethod && i.Status != "requires_confirmation" && i.Status != requiresAction {
		return s.unexpected(i, "confirm")
	}
	if in.params["return_url"] == "" && i.AutomaticPaymentMethods != nil {
		return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Code: "parameter_missing", Param: "return_url",
			Message: "This PaymentIntent is configured to accept payment methods that may redirect: provide a return_url."})
	}
	with, refused := s.cardOf(in)
	if refused != nil {
		return *refused
	}
	if with.behavior.authenticate {
		i.card, i.Status, i.LastPaymentError = with, requiresAction, nil
		i.NextAction = map[string]any{"type": "use_stripe_sdk", "use_stripe_sdk": map[string]any{
			"type": "three_d_secure_redirect", "source": i.ID, "stripe_js": "/v3/challenge",
		}}
		s.tell("payment_intent.requires_action", i.copied())
		return done(s.shown(i, in))
	}
	return s.pay(i, with, in)
}

// authenticate is the buyer in front of the bank's page.
func (s *Server) authenticate(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, refused := s.find(in.params["source"], in)
	if refused != nil {
		return *refused
	}
	if i.Status != requiresAction || i.card == nil {
		return s.unexpected(i, "authenticate")
	}
	with := i.card
	i.card, i.NextAction = nil, nil
	switch in.params["outcome"] {
	case "complete":
		return s.pay(i, with, in)
	case "fail":
		with.behavior = behavior{}
		s.decline(i, with, "payment_intent_authentication_failure", "", "We are unable to authenticate your payment method. Please choose a different payment method and try again.", nil)
		return done(s.shown(i, in))
	}
	return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Param: "outcome", Message: "Invalid outcome: complete or fail."})
}

// pay charges a card.
func (s *Server) pay(i *intent, with *card, in *request) result {
	method := s.newID("pm")
	i.PaymentMethod, i.NextAction, i.card = &method, nil, nil
	c := &charge{
		ID: s.newID("ch"), Object: "charge", Amount: i.Amount, Created: s.Clock.Now().Unix(), Currency: i.Currency, Description: i.Description,
		Metadata: i.Metadata, PaymentIntent: i.ID, PaymentMethod: method, Status: succeeded, Paid: true,
		PaymentMethodDetails: map[string]any{"type": "card", "card": with.details()},
		Outcome:              map[string]any{"network_status": "approved_by_network", "type": "authorized"},
	}
	s.charges.put(c.ID, c)
	i.charge = c.ID
	if acts := with.behavior; acts.code != "" {
		return s.decline(i, with, acts.code, acts.declineCode, acts.message, c)
	}
	i.LastPaymentError = nil
	if i.CaptureMethod == "manual" {
		i.Status, i.AmountCapturable, i.authorized = requiresCapture, i.Amount, s.Clock.Now().Unix()
		s.tell("charge.succeeded", *c)
		s.tell("payment_intent.amount_capturable_updated", i.copied())
		return done(s.shown(i, in))
	}
	c.Captured, c.AmountCaptured = true, i.Amount
	i.Status, i.AmountReceived = succeeded, i.Amount
	s.tell("charge.succeeded", *c)
	s.tell("payment_intent.succeeded", i.copied())
	if with.behavior.dispute != "" {
		s.openDispute(c, with.behavior.dispute, c.Amount)
	}
	return done(s.shown(i, in))
}

// decline leaves the intent to be paid by another card.
func (s *Server) decline(i *intent, with *card, code, declineCode, message string, c *charge) result {
	i.Status, i.PaymentMethod = requiresMethod, nil
	i.LastPaymentError = &apiFailure{
		Type: cardError, Code: code, DeclineCode: declineCode, Message: message,
		PaymentMethod: map[string]any{"id": s.newID("pm"), "object": "payment_method", "type": "card", "card": with.details()},
	}
	if c != nil {
		c.Status, c.Paid, c.FailureCode, c.FailureMessage = "failed", false, &code, &message
		c.Outcome = map[string]any{"network_status": "declined_by_network", "reason": declineCode, "type": "issuer_declined"}
		i.LastPaymentError.Charge = c.ID
		s.tell("charge.failed", *c)
	}
	s.tell("payment_intent.payment_failed", i.copied())
	e := apiError{Type: cardError, Code: code, DeclineCode: declineCode, Message: message, PaymentIntent: i.copied()}
	if c != nil {
		e.Charge = c.ID
	}
	return failed(http.StatusPaymentRequired, e)
}

func (s *Server) unexpected(i *intent, verb string) result {
	return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Code: "payment_intent_unexpected_state", PaymentIntent: i.copied(),
		Message: fmt.Sprintf("You cannot %s this PaymentIntent because it has a status of %s.", verb, i.Status)})
}

func (s *Server) capture(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, refused := s.find(in.id, in)
	if refused != nil {
		return *refused
	}
	if i.Status != requiresCapture {
		return s.unexpected(i, "capture")
	}
	amount := i.AmountCapturable
	if text := in.params["amount_to_capture"]; text != "" {
		asked, err := strconv.ParseInt(text, 10, 64)
		if err != nil || asked < 1 {
			return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Code: "parameter_invalid_integer", Param: "amount_to_capture", Message: "Invalid integer: amount_to_capture"})
		}
		if asked > i.AmountCapturable {
			return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Code: "amount_too_large", Param: "amount_to_capture",
				Message: "The amount to capture is greater than the amount that can be captured."})
		}
		amount = asked
	}
	c := s.charges.byID[i.charge]
	c.Captured, c.AmountCaptured = true, amount
	c.AmountRefunded = c.Amount - amount // what is left over is booked as given back
	i.Status, i.AmountReceived, i.AmountCapturable = succeeded, amount, 0
	s.tell("charge.captured", *c)
	s.tell("payment_intent.succeeded", i.copied())
	return done(s.shown(i, in))
}

func (s *Server) cancel(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, refused := s.find(in.id, in)
	if refused != nil {
		return *refused
	}
	if i.Status == succeeded || i.Status == canceled || i.Status == "processing" {
		return s.unexpected(i, "cancel")
	}
	reason := in.params["cancellation_reason"]
	if reason != "" && !slices.Contains([]string{"duplicate", "fraudulent", "requested_by_customer", "abandoned"}, reason) {
		return failed(http.StatusBadRequest, apiError{Type: invalidRequest, Param: "cancellation_reason", Message: "Invalid cancellation_reason."})
	}
	s.end(i, reason)
	return done(s.shown(i, in))
}

// end cancels an intent and lets go of what it holds.
func (s *Server) end(i *intent, reason string) {
	now := s.Clock.Now().Unix()
	i.Status, i.CanceledAt, i.AmountCapturable, i.NextAction, i.card = canceled, &now, 0, nil, nil
	if reason != "" {
		i.CancellationReason = &reason
	}
	if c, ok := s.charges.byID[i.charge]; ok && c.Status == succeeded {
		c.AmountRefunded, c.Refunded = c.Amount, true
		s.tell("charge.refunded", *c)
	}
	s.tell("payment_intent.canceled", i.copied())
}

// Elapse does what time does: authorizations run out.
func (s *Server) Elapse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	for _, i := range s.intents.all() {
		if i.Status == requiresCapture && now.Sub(time.Unix(i.authorized, 0)) >= authorizationLife {
			s.end(i, "automatic")
		}
	}
}

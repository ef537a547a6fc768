package stripe

import (
	"cmp"
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
		"receipt_email", "setup_future_usage", "customer", "payment_method", "confirm", "off_session", "return_url", "use_stripe_sdk",
		"error_on_requires_action",
		"payment_method_data[type]", "payment_method_data[card][*]", "payment_method_data[billing_details][*]",
	}
	updateParams = []string{
		"amount", "currency", "customer", "description", "metadata[*]", "payment_method", "receipt_email", "setup_future_usage",
		"statement_descriptor", "statement_descriptor_suffix", "expand[*]",
	}
	listParams    = []string{"limit", "starting_after", "ending_before", "created[gte]", "created[gt]", "created[lte]", "created[lt]", "expand[*]"}
	expandParams  = []string{"expand[*]"}
	getParams     = []string{"expand[*]", "client_secret", "key"}
	confirmParams = []string{
		"payment_method", "payment_method_data[type]", "payment_method_data[card][number]", "payment_method_data[card][exp_month]",
		"payment_method_data[card][exp_year]", "payment_method_data[card][cvc]", "payment_method_data[billing_details][*]",
		"return_url", "client_secret", "key", "expand[*]", "use_stripe_sdk", "off_session", "setup_future_usage",
		"error_on_requires_action",
	}
	captureParams      = []string{"amount_to_capture", "final_capture", "metadata[*]", "statement_descriptor", "statement_descriptor_suffix", "expand[*]"}
	cancelParams       = []string{"cancellation_reason", "expand[*]"}
	authenticateParams = []string{"source", "client_secret", "outcome", "key", "expand[*]"}
)

// The statuses of a PaymentIntent.
//
// Source: docs.stripe.com/payments/paymentintents/lifecycle.
const (
	requiresMethod       = "requires_payment_method"
	requiresConfirmation = "requires_confirmation"
	requiresAction       = "requires_action"
	requiresCapture      = "requires_capture"
	succeeded            = "succeeded"
	canceled             = "canceled"
)

const emailCharsMax = 800

func (s *Server) create(in *request) result {
	i, out := readIntent(in)
	if out != nil {
		return *out
	}
	pays, offSession, out := in.confirmation()
	if out != nil {
		return *out
	}
	if pays {
		if out := checkReturn(in, i); out != nil {
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
	switch {
	case i.method != nil:
		i.Status = requiresConfirmation
	case pays:
		return invalid("parameter_missing", "payment_method", "You cannot confirm this PaymentIntent because it's missing a payment method.")
	}
	s.keep(i)
	if pays {
		return s.attempt(i, in, offSession)
	}
	return done(s.shown(i, in))
}

// keep takes a new intent in. The caller holds mu.
func (s *Server) keep(i *intent) {
	i.ID = s.newID("pi")
	i.ClientSecret = i.ID + "_secret_" + rand.Text()
	i.Created = s.now().Unix()
	s.intents.Put(i.ID, i)
	s.tell("payment_intent.created", i.copied())
}

// confirmation reads whether what is made is confirmed at once, and whether without the buyer.
func (in *request) confirmation() (now, offSession bool, out *result) {
	if now, out = in.boolean("confirm", false); out != nil {
		return false, false, out
	}
	if _, out = in.boolean("error_on_requires_action", false); out != nil {
		return false, false, out
	}
	if offSession, out = in.boolean("off_session", false); out != nil || now {
		return now, offSession, out
	}
	for _, name := range []string{"return_url", "off_session", "use_stripe_sdk", "error_on_requires_action"} {
		if in.params[name] != "" {
			return false, false, new(invalid("parameter_unknown", name, "Received unknown parameter: "+name+". It can be given only with confirm=true."))
		}
	}
	return false, false, nil
}

// updateIntent changes what is not paid yet; its metadata and description at any time.
//
// Source: docs.stripe.com/api/payment_intents/update.
func (s *Server) updateIntent(in *request) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.find(in.id, "intent", in)
	if out != nil {
		return *out
	}
	open := i.Status == requiresMethod || i.Status == requiresConfirmation || i.Status == requiresAction
	for name := range in.params {
		if !open && name != "description" && !fits("metadata[*]", name) && !fits("expand[*]", name) {
			return unexpected(i, "update", requiresMethod+", "+requiresConfirmation+", "+requiresAction)
		}
		if i.invoice != nil && (name == "amount" || name == "currency" || name == "customer") {
			return invalid("", name, "You cannot change "+name+" of a PaymentIntent that was created by an invoice.")
		}
	}
	changed := *i
	if out := s.readChange(in, &changed); out != nil {
		return *out
	}
	*i = changed
	return done(s.shown(i, in))
}

// readChange reads what becomes of an intent. The caller holds mu.
func (s *Server) readChange(in *request, i *intent) *result {
	var out *result
	if amount, said, bad := in.integer("amount", 1, 1<<53); bad != nil {
		return bad
	} else if said {
		i.Amount = amount
	}
	i.Currency = cmp.Or(in.params["currency"], i.Currency)
	if out = checkAmount(i.Amount, i.Currency); out != nil {
		return out
	}
	if in.params["customer"] != "" {
		if i.Customer, out = s.customerOf(in); out != nil {
			return out
		}
	}
	if use, bad := in.choice("setup_future_usage", "", "on_session", "off_session"); bad != nil {
		return bad
	} else if use != "" {
		i.SetupFutureUsage = &use
	}
	if i.Metadata, out = in.metadata(i.Metadata); out != nil {
		return out
	}
	method, out := s.methodOf(in, i.Customer)
	if out != nil {
		return out
	}
	if method != nil {
		i.method, i.Status, i.NextAction = method, requiresConfirmation, nil
	}
	return in.intentTexts(i)
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
	if bad := in.intentTexts(i); bad != nil {
		return nil, bad
	}
	if i.Metadata, bad = in.metadata(nil); bad != nil {
		return nil, bad
	}
	i.AutomaticPaymentMethods, bad = in.methodKinds()
	return i, bad
}

// textField is a text that a call may give, and where it goes.
type textField struct {
	name     string
	charsMax int
	into     **string
}

// texts reads what is given of some texts, and leaves the others as they are; an empty one
// takes a text away.
func (in *request) texts(fields ...textField) *result {
	for _, field := range fields {
		if _, said := in.params[field.name]; !said {
			continue
		}
		text, bad := in.text(field.name, field.charsMax)
		if bad != nil {
			return bad
		}
		*field.into = text
	}
	return nil
}

func (in *request) intentTexts(i *intent) *result {
	return in.texts(
		textField{"description", descriptionCharsMax, &i.Description},
		textField{"receipt_email", emailCharsMax, &i.ReceiptEmail},
		textField{"statement_descriptor", statementCharsMax, &i.StatementDescriptor},
		textField{"statement_descriptor_suffix", statementCharsMax, &i.StatementDescriptorSuffix},
	)
}

// methodKinds reads which kinds of payment method are taken, nil where they are listed.
// Without a word, this API version takes all that the account has.
func (in *request) methodKinds() (map[string]any, *result) {
	listed := false
	for name, value := range in.params {
		if !fits("payment_method_types[*]", name) {
			continue
		}
		listed = true
		if value != "card" {
			return nil, new(invalid("", "payment_method_types", "The payment method type is invalid: only card is activated."))
		}
	}
	enabled, bad := in.boolean("automatic_payment_methods[enabled]", !listed)
	if bad != nil {
		return nil, bad
	}
	redirects, bad := in.choice("automatic_payment_methods[allow_redirects]", "always", "never")
	if bad != nil {
		return nil, bad
	}
	if enabled && listed {
		return nil, new(invalid("", "payment_method_types", "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."))
	}
	if !enabled {
		return nil, nil //nolint:nilnil // the kinds are listed
	}
	return map[string]any{"allow_redirects": redirects, "enabled": true}, nil
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
	offSession, out := in.boolean("off_session", false)
	if out != nil {
		return *out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, out := s.find(in.id, "intent", in)
	if out != nil {
		return *out
	}
	if i.Status != requiresMethod && i.Status != requiresConfirmation && i.Status != requiresAction {
		return unexpected(i, "confirm", requiresMethod+", "+requiresConfirmation+", "+requiresAction)
	}
	if out := checkReturn(in, i); out != nil {
		return *out
	}
	use, out := in.choice("setup_future_usage", "", "on_session", "off_session")
	if out != nil {
		return *out
	}
	with, out := s.methodOf(in, i.Customer)
	switch {
	case out != nil && out.status == http.StatusPaymentRequired:
		return withIntent(*out, i)
	case out != nil:
		return *out
	case with != nil:
		i.method = with
	case i.method == nil:
		return failed(http.StatusBadRequest, apiError{
			Type: typeInvalidRequest, Code: "payment_intent_unexpected_state", PaymentIntent: i.copied(),
			Message: "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent with a payment method and then confirm it again.",
		})
	}
	if use != "" {
		i.SetupFutureUsage = &use
	}
	tried := s.attempt(i, in, offSession)
	s.tellRefused(i)
	return tried
}

// tellRefused tells of the invoice that a buyer could not pay. The caller holds mu.
func (s *Server) tellRefused(i *intent) {
	if i.invoice != nil && i.Status == requiresMethod {
		s.tellUnpaid(i.invoice)
	}
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
	if _, ok := s.setups.Get(source); ok {
		return s.authenticateSetup(source, outcome, in)
	}
	i, out := s.find(source, "source", in)
	if out != nil {
		return *out
	}
	if i.Status != requiresAction || i.method == nil {
		return unexpected(i, "authenticate", requiresAction)
	}
	if outcome == "complete" {
		s.pay(i, in, false)
	} else {
		s.decline(i, apiError{
			Type: typeInvalidRequest, Code: "payment_intent_authentication_failure",
			Message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
		}, nil)
	}
	s.tellRefused(i)
	return done(s.shown(i, in))
}

// unexpected answers a call that the intent's status does not allow.
func unexpected(i *intent, verb, allowed string) result {
	return failed(http.StatusBadRequest, apiError{
		Type: typeInvalidRequest, Code: "payment_intent_unexpected_state", PaymentIntent: i.copied(),
		Message: fmt.Sprintf("This PaymentIntent could not be %s because it has a status of %s. Only a PaymentIntent with one of the following statuses may be: %s.", past[verb], i.Status, allowed),
	})
}

var past = map[string]string{"confirm": "confirmed", "capture": "captured", "cancel": "canceled", "authenticate": "authenticated", "update": "updated"}

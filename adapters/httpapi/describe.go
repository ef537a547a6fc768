package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/view"
)

// describe adds to the API's description what the types alone do not tell: which values
// there are, what can be null, and an example of each object.
func describe(api *huma.OpenAPI, url core.PublicURL) error {
	schemas := api.Components.Schemas.Map()
	for place, values := range merged(enums(), moneyEnums(), billingEnums()) {
		if of := schemas[place.schema]; of != nil && of.Properties[place.field] != nil {
			of.Properties[place.field].Enum = values
		}
	}
	for place, note := range merged(notes, moneyNotes, billingNotes) {
		if of := schemas[place.schema]; of != nil && of.Properties[place.field] != nil {
			of.Properties[place.field].Description = note
		}
	}
	for _, place := range slices.Concat(nullable, moneyNullable, billingNullable) {
		if of := schemas[place.schema]; of != nil {
			of.Properties[place.field] = orNull(of.Properties[place.field])
		}
	}
	describeChanged(schemas)
	for schema, example := range merged(examples(url), moneyExamples(), billingExamples(url)) {
		written, err := plain(example)
		if err != nil {
			return fmt.Errorf("write example of %s: %w", schema, err)
		}
		schemas[schema].Examples = []any{written}
	}
	for _, item := range api.Paths {
		for _, call := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			if call != nil {
				describeAnswers(call)
			}
		}
	}
	return nil
}

// place is a field of an object.
type place struct{ schema, field string }

// notes say what fields of answers mean that do not say it by their names.
var notes = map[place]string{
	{"Checkout", "url"}:                "Send the buyer here",
	{"Checkout", "amount"}:             "The sum of the line items, in minor units; it never changes",
	{"Checkout", "reference"}:          "Your own name for the order",
	{"Checkout", "providers"}:          "Those to offer; empty for all that can",
	{"Checkout", "payment"}:            "The newest attempt to pay, or the one that completed the checkout",
	{"Checkout", "expires_at"}:         "Nobody can begin to pay from then on",
	{"LineItem", "amount"}:             "Of one piece, in minor units",
	{"Payment", "account"}:             "The account at the provider that was asked",
	{"Payment", "provider_payment_id"}: "The provider's own id; null until it made its object",
	{"Payment", "status"}:              "Deliver on `succeeded`, or on `authorized` where you capture later; never on `needs_review`",
	{"Payment", "amount"}:              "Asked for, in minor units",
	{"Payment", "amount_captured"}:     "Taken so far",
	{"Payment", "amount_refunded"}:     "Given back so far",
	{"Payment", "capture"}:             "Whether authorized money is taken at once or by a later call",
	{"Payment", "disputed"}:            "Whether the buyer's bank ever asked the money back",
	{"PaymentMethod", "id"}:            "Of a saved one; null otherwise",
	{"Failure", "code"}:                "The same words for all providers",
	{"Failure", "provider_code"}:       "The provider's own word",
	{"Failure", "message"}:             "Fit for the buyer's eyes",
	{"Failure", "retryable"}:           "Whether another try makes sense",
	{"Endpoint", "url"}:                "Where notifications are posted to",
}

// nullable are the fields that the library takes for always there.
var nullable = []place{
	{"Payment", "payment_method"}, {"Payment", "failure"}, {"Checkout", "customer"}, {"Endpoint", "disabled_at"}, {"Endpoint", "old_secrets_until"},
}

func orNull(schema *huma.Schema) *huma.Schema {
	if schema.Ref == "" {
		schema.Nullable = true
		return schema
	}
	return &huma.Schema{AnyOf: []*huma.Schema{schema, {Type: "null"}}}
}

// enums are the values that fields of answers can have. New ones may come.
func enums() map[place][]any {
	captures := texts(core.CaptureAutomatic, core.CaptureManual)
	environments := texts(core.EnvTest, core.EnvLive)
	return map[place][]any{
		{"Payment", "status"}:       texts(core.PaymentStatuses()...),
		{"Payment", "capture"}:      captures,
		{"Payment", "environment"}:  environments,
		{"Checkout", "status"}:      texts(core.CheckoutOpen, core.CheckoutComplete, core.CheckoutExpired),
		{"Checkout", "mode"}:        texts(core.ModePayment, core.ModeSubscription, core.ModeSetup),
		{"Checkout", "capture"}:     captures,
		{"Checkout", "flow"}:        texts(core.FlowPage, core.FlowRedirect),
		{"Checkout", "environment"}: environments,
		{"Event", "type"}:           texts(core.EventTypes()...),
		{"Failure", "code"}: texts(
			core.FailureCardDeclined, core.FailureInsufficientFunds, core.FailureExpiredCard, core.FailureIncorrectCVC,
			core.FailureAuthenticationRequired, core.FailureSuspectedFraud, core.FailureProcessingError,
			core.FailureProviderUnavailable, core.FailureInvalidRequest, core.FailureCanceledByBuyer, core.FailureRefundFailed,
		),
	}
}

func texts[T ~string](values ...T) []any {
	list := make([]any, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}

// neverOpen are the calls that ask a provider and have no outcome that is settled later.
var neverOpen = []string{"expireCheckout", "previewChange", "linkForMethod"}

// describeAnswers says what a call's answers mean, and adds the one that stands for a
// provider that did not answer.
func describeAnswers(call *huma.Operation) {
	for text, response := range call.Responses {
		if status, err := strconv.Atoi(text); err == nil && status >= http.StatusBadRequest {
			response.Description = http.StatusText(status) + ": a problem with a code"
		}
	}
	done := call.Responses["200"]
	if call.OperationID == "createPayment" {
		done = call.Responses["201"]
	}
	if done != nil && call.Responses["503"] != nil && call.Responses["402"] != nil {
		done.Description = "Done"
		if !slices.Contains(neverOpen, call.OperationID) {
			call.Responses["202"] = &huma.Response{Description: "The provider did not answer; the object is as it was, and is settled by itself", Content: done.Content}
		}
	}
}

// What the examples are about. The ids hold 2026-11-23T10:11:12Z.
const (
	exampleCheckout core.CheckoutID = "chk_01kaqv1vd0e5tsm1vyj9c0a7xg"
	examplePayment  core.PaymentID  = "pay_01kaqv2q1re5tsm1vyj9c0a7xh"
	exampleEndpoint core.EndpointID = "whk_01kaqv2q1re5tsm1vyj9c0a7xj"
	exampleEvent    core.EventID    = "msg_01kaqv2q1re5tsm1vyj9c0a7xk"
	exampleAmount   int64           = 2500
)

// examples are objects as the API shows them, by the names of their schemas, and the
// requests that lead to them.
func examples(url core.PublicURL) map[string]any {
	created := view.Time{Time: time.Date(2026, time.November, 23, 10, 11, 12, 345678000, time.UTC)}
	paid := view.Time{Time: created.Add(42 * time.Second)}
	checkout := exampleCheckout
	payment := examplePayment
	provider, brand, last4, month, year := "pi_3PExample", "visa", "4242", 12, 2030
	email, name, country := "ada@example.com", "Ada Lovelace", "GB"
	shownPayment := view.Payment{
		ID: payment, Checkout: &checkout, Reference: "order-1", Account: "stripe", Provider: core.ProviderStripe,
		ProviderPaymentID: &provider, Status: core.PaymentSucceeded, Amount: exampleAmount, AmountCaptured: exampleAmount,
		Currency: "EUR", Capture: core.CaptureAutomatic, Environment: core.EnvTest, CreatedAt: created, UpdatedAt: paid,
		PaymentMethod: &view.PaymentMethod{Type: "card", Brand: &brand, Last4: &last4, ExpMonth: &month, ExpYear: &year},
		Metadata:      map[string]string{"cart": "c-1"},
	}
	shownCheckout := view.Checkout{
		ID: checkout, URL: url.CheckoutPage(checkout), Status: core.CheckoutOpen, Mode: core.ModePayment,
		Capture: core.CaptureAutomatic, Flow: core.FlowPage, Amount: exampleAmount, Currency: "EUR", Reference: "order-1",
		LineItems: []view.LineItem{{Name: "Tea", Amount: exampleAmount / 2, Quantity: 2}}, Providers: []core.ProviderName{},
		Customer: &view.Customer{Email: &email, Name: &name, Country: &country}, SuccessURL: "https://shop.example/thanks",
		Environment: core.EnvTest, ExpiresAt: view.Time{Time: created.Add(core.CheckoutLifeDefault)},
		CreatedAt: created, UpdatedAt: created, Metadata: map[string]string{"cart": "c-1"},
	}
	refused := invalidFields(FieldError{Location: "body.line_items[0].amount", Message: "must be a whole number of minor units"})
	endpoint := Endpoint{ID: exampleEndpoint, URL: "https://shop.example/hooks/paydesk", Types: []core.EventType{core.EventPaymentSucceeded}, CreatedAt: created}
	event := Event{ID: exampleEvent, Sequence: 17, Type: core.EventPaymentSucceeded, Timestamp: paid, Data: view.JSON(shownPayment)}
	return map[string]any{
		"Payment": shownPayment, "Checkout": shownCheckout, "Problem": refused, "Endpoint": endpoint, "Event": event,
		"NewCheckoutBody": map[string]any{
			"reference": "order-1", "currency": "EUR", "success_url": "https://shop.example/thanks",
			"line_items": []any{map[string]any{"name": "Tea", "amount": exampleAmount / 2, "quantity": 2}},
			"customer":   map[string]any{"email": email, "name": name, "country": country}, "metadata": map[string]any{"cart": "c-1"},
		},
		"CaptureCallBody": map[string]any{"amount": exampleAmount},
		"NewEndpointBody": map[string]any{"url": endpoint.URL, "types": endpoint.Types},
	}
}

// plain is an object as it is written, so that the description holds what is sent.
func plain(object any) (value any, err error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	return value, json.Unmarshal(text, &value)
}

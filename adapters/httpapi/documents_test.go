package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports/portstest"
)

// description is what is looked at of the OpenAPI document.
type description struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string
		Responses   map[string]struct {
			Content map[string]struct{ Schema map[string]any }
		}
	}
	Components struct {
		Schemas map[string]struct {
			AdditionalProperties *bool
			Properties           map[string]any
			Required             []string
			Examples             []map[string]any
		}
	}
}

// anonymous gets a document without any key.
func anonymous(t *testing.T, api http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	api.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	return answer
}

func describedBy(t *testing.T, h *house) (document description, text []byte) {
	t.Helper()
	answer := anonymous(t, h.api, "/openapi.json")
	require.Equal(t, http.StatusOK, answer.Code)
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &document))
	return document, answer.Body.Bytes()
}

func TestTheDescriptionForPrograms(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document, text := describedBy(t, h)
	require.Equal(t, "3.1.0", document.OpenAPI)
	require.NotContains(t, string(text), "$schema")
	for _, reference := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllSubmatch(text, -1) {
		require.Contains(t, document.Components.Schemas, string(reference[1]))
	}
	for path, calls := range document.Paths {
		for method, call := range calls {
			require.NotEmpty(t, call.OperationID, path)
			for _, status := range []string{"400", "401", "422", "500"} {
				require.Contains(t, call.Responses, status, "%s %s", method, path)
				require.Equal(t, "#/components/schemas/Problem", call.Responses[status].Content["application/problem+json"].Schema["$ref"])
			}
		}
	}
	for name, schema := range document.Components.Schemas {
		if schema.AdditionalProperties != nil {
			require.False(t, *schema.AdditionalProperties, name)
		}
		for _, example := range schema.Examples {
			for field := range example {
				require.Contains(t, schema.Properties, field, name)
			}
			for _, field := range schema.Required {
				require.Contains(t, example, field, name)
			}
		}
	}
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, text, "", "  "))
	golden(t, "openapi.golden.json", append(pretty.Bytes(), '\n'))
}

// The examples are good requests, and their ids are good ids.
func TestTheExamplesWork(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document, _ := describedBy(t, h)
	example := func(schema string) string {
		text, err := json.Marshal(document.Components.Schemas[schema].Examples[0])
		require.NoError(t, err)
		return string(text)
	}
	read[idOnly](t, h.post(t, "/v1/checkouts", "k-1", example("NewCheckoutBody")), http.StatusCreated)
	read[idOnly](t, h.post(t, "/v1/webhook_endpoints", "k-2", example("NewEndpointBody")), http.StatusCreated)
	read[idOnly](t, h.post(t, "/v1/customers", "k-3", example("NewKnownCustomerBody")), http.StatusCreated)
	read[idOnly](t, h.post(t, "/v1/prices", "k-4", example("NewPriceBody")), http.StatusCreated)
	of := document.Components.Schemas["Subscription"].Examples[0]
	_, err := core.ParseID[core.SubscriptionID](of["id"].(string))
	require.NoError(t, err)
	_, err = core.ParseID[core.PriceID](of["price"].(string))
	require.NoError(t, err)
	_, err = core.ParseID[core.CustomerID](of["customer"].(string))
	require.NoError(t, err)
	_, err = core.ParseID[core.MethodID](document.Components.Schemas["SavedMethod"].Examples[0]["id"].(string))
	require.NoError(t, err)
	_, err = core.ParseID[core.InvoiceID](document.Components.Schemas["Invoice"].Examples[0]["id"].(string))
	require.NoError(t, err)
	for _, id := range regexp.MustCompile(`(chk|pay|whk|msg)_[0-9a-z]{26}\b`).FindAllString(example("Checkout")+example("Payment")+example("Event")+example("Endpoint"), -1) {
		switch id[:3] {
		case "chk":
			_, err := core.ParseID[core.CheckoutID](id)
			require.NoError(t, err)
		case "pay":
			_, err := core.ParseID[core.PaymentID](id)
			require.NoError(t, err)
		case "whk":
			_, err := core.ParseID[core.EndpointID](id)
			require.NoError(t, err)
		case "msg":
			_, err := core.ParseID[core.EventID](id)
			require.NoError(t, err)
		}
		require.False(t, core.HasCardNumber(id))
	}
	require.Contains(t, example("Event"), `"msg_`)
}

// The walk's answers have the fields that the description promises, and no others.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document, _ := describedBy(t, h)
	held := h.Authorized()
	s, subscription := h.subscribed(t)
	customer := "/v1/customers/" + string(s.Customer)
	saved := h.Saved(s.Customer, portstest.Card3DSOffSession)
	for schema, answer := range map[string]*httptest.ResponseRecorder{
		"KnownCustomer": h.get(t, customer), "ListSavedMethod": h.get(t, customer+"/payment_methods"),
		"Price": h.get(t, "/v1/prices/"+string(s.Price)), "ListPrice": h.get(t, "/v1/prices"),
		"Subscription": h.get(t, subscription), "ListSubscription": h.get(t, "/v1/subscriptions"), "ListInvoice": h.get(t, subscription+"/invoices"),
		"ChangePreview": h.post(t, subscription+"/change/preview", "", `{"quantity":2}`), "ChangedSubscription": h.post(t, subscription+"/pause", "", ""),
		"MethodLink": h.post(t, subscription+"/method_link", "k-1", ""), "SavedMethod": h.remove(t, string(s.Customer), string(h.Saved(s.Customer, portstest.CardSucceeds).ID)),
		"Checkout": h.get(t, "/v1/checkouts/"+string(held.Checkout)), "Payment": h.get(t, "/v1/payments/"+string(held.ID)),
		"Endpoint": h.post(t, "/v1/webhook_endpoints", "k", `{"url":"https://shop.example/hooks"}`),
		"Problem":  h.get(t, "/v1/payments/x"), "ListPayment": h.get(t, "/v1/payments"), "ListEvent": h.get(t, "/v1/events"),
	} {
		described(t, document, schema, answer)
	}
	described(t, document, "Problem", h.post(t, "/v1/payments", "k-2", charge(s.Customer, saved.ID)))
}

// described checks that an answer has the fields of that schema, those of the objects of its list
// too.
func described(t *testing.T, document description, schema string, answer *httptest.ResponseRecorder) {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &object))
	objects := map[string][]map[string]any{schema: {object}}
	if of, isList := strings.CutPrefix(schema, "List"); isList {
		data, _ := object["data"].([]any)
		require.NotEmpty(t, data, schema)
		for _, item := range data {
			one, _ := item.(map[string]any)
			objects[of] = append(objects[of], one)
		}
	}
	for schema, all := range objects {
		for _, object := range all {
			for field := range object {
				require.Contains(t, document.Components.Schemas[schema].Properties, field, schema)
			}
			for _, field := range document.Components.Schemas[schema].Required {
				require.Contains(t, object, field, schema)
			}
		}
	}
}

func TestThePageForPeople(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	document, _ := describedBy(t, h)
	answer := anonymous(t, h.api, "/docs")
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
	policy := answer.Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.NotContains(t, policy, "unsafe")
	page := answer.Body.String()
	for path, calls := range document.Paths {
		require.Contains(t, page, path)
		for _, call := range calls {
			require.Contains(t, page, `<section id="`+call.OperationID+`">`)
		}
	}
	for _, code := range []string{
		"unauthorized", "invalid_json", "invalid_request", "invalid_id", "unsupported_media_type", "body_too_large", "not_found",
		"method_not_allowed", "idempotency_key_required", "idempotency_key_reused", "idempotency_in_progress", "card_number_refused",
		"checkout_complete", "checkout_expired", "payment_in_progress", "invalid_payment_state", "amount_not_available",
		"payment_refused", "provider_unavailable", "internal_error", "currency_mismatch", "unsupported", "operation_open", "account_not_configured",
		"payment_method_not_usable", "subscription_ended", "invalid_subscription_state", "nothing_to_change",
	} {
		require.Equal(t, 1, strings.Count(page, `<th scope="row"><code>`+code+`</code></th>`), code)
	}
	targets := regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1)
	require.NotEmpty(t, targets)
	for _, target := range targets {
		require.Contains(t, page, `id="`+target[1]+`"`)
	}
	require.NotRegexp(t, `<script|<style|style=|\son[a-z]+=`, page)
	for _, asset := range regexp.MustCompile(`<(?:link|img|script|iframe)[^>]*?(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		require.True(t, strings.HasPrefix(asset[1], "/docs/"), asset[1])
		require.Equal(t, http.StatusOK, anonymous(t, h.api, asset[1]).Code)
	}
	style := anonymous(t, h.api, "/docs/style.css")
	require.Equal(t, "text/css; charset=utf-8", style.Header().Get("Content-Type"))
	require.NotRegexp(t, `url\(|@import`, style.Body.String())
}

func TestEveryAnswerIsSafeToShow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plain := h.over(t, "http://127.0.0.1:8080")
	for _, path := range []string{"/docs", "/docs/style.css", "/openapi.json", "/v1/payments", "/nothing"} {
		answer := anonymous(t, h.api, path)
		require.Equal(t, "nosniff", answer.Header().Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", answer.Header().Get("Referrer-Policy"), path)
		require.Contains(t, answer.Header().Get("Strict-Transport-Security"), "max-age=", path)
		require.Empty(t, anonymous(t, plain, path).Header().Get("Strict-Transport-Security"), path)
	}
	for _, r := range []request{
		{method: "GET", path: "/v1/payments"},
		{method: "GET", path: "/v1/nothing"},
		{method: "POST", path: "/v1/checkouts", key: "k", body: order},
		{method: "POST", path: "/v1/checkouts", key: "k", body: "{"},
	} {
		require.Equal(t, "no-store", h.do(t.Context(), r).Header().Get("Cache-Control"))
	}
	require.Contains(t, h.log.lines("GET /docs")[0], `"route":"GET /docs","status":200`)
}

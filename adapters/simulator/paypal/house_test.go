package paypal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/paypal"
)

const (
	clientID     = "client-witness"
	clientSecret = "secret-witness"
	webhookID    = "WH-WITNESS"
	waitMax      = 10 * time.Second
	beginning    = 1_790_000_000 // unix seconds
)

// The test cards.
const (
	cardGood       = "4012888888881881"
	cardDeclined   = "4000000000000002"
	cardNoFunds    = "4000000000009995"
	card3DS        = "4868719460707704"
	cardFrictional = "4868719196829038"
	cardDisputed   = "4000000000000259"
	cardEcheck     = "6304000000000000"
)

// delivery is a webhook as the shop got it.
type delivery struct {
	header http.Header
	body   string
	event  answer
}

// house is a simulated PayPal with a shop that takes its webhooks.
type house struct {
	*paypal.Server

	url      string
	client   *http.Client
	clock    *engine.Clock
	faults   *engine.Faults
	requests *engine.Requests
	webhooks *engine.Webhooks
	token    string
	count    atomic.Int64

	mu        sync.Mutex
	delivered []delivery
}

func newHouse(t *testing.T, change ...func(*paypal.Options)) *house {
	t.Helper()
	h := &house{client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	shop := httptest.NewServer(http.HandlerFunc(h.deliver))
	h.clock = engine.NewClock(func() time.Time { return time.Unix(beginning, 0) })
	h.faults, h.requests = &engine.Faults{}, &engine.Requests{}
	logger := slog.New(slog.DiscardHandler)
	h.webhooks = engine.NewWebhooks(shop.Client(), h.faults, logger)
	options := paypal.Options{
		Account: "paypal", ClientID: clientID, ClientSecret: clientSecret, WebhookID: webhookID, WebhookURL: shop.URL,
		Clock: h.clock, Faults: h.faults, Requests: h.requests, Webhooks: h.webhooks, Logger: logger,
	}
	for _, do := range change {
		do(&options)
	}
	h.Server = paypal.New(options)
	server := httptest.NewServer(h.Handler())
	h.url = server.URL
	t.Cleanup(func() {
		h.webhooks.Close()
		h.client.CloseIdleConnections()
		for _, one := range []*httptest.Server{server, shop} {
			one.CloseClientConnections()
			one.Close()
		}
	})
	got := h.call(t, http.MethodPost, "/v1/oauth2/token", "grant_type=client_credentials", basic()...)
	require.Equal(t, http.StatusOK, got.Status, got.Text)
	h.token = got.text("access_token")
	return h
}

func (h *house) deliver(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	got := delivery{header: r.Header, body: string(body)}
	_ = json.Unmarshal(body, &got.event.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delivered = append(h.delivered, got)
}

// settled waits for all webhooks and gives those of a type, or all for an empty one.
func (h *house) settled(t *testing.T, kind string) []delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	defer cancel()
	require.NoError(t, h.webhooks.Settle(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []delivery
	for _, one := range h.delivered {
		if kind == "" || one.event.text("event_type") == kind {
			found = append(found, one)
		}
	}
	return found
}

// kinds are the types of the webhooks so far, in no order.
func (h *house) kinds(t *testing.T) []string {
	t.Helper()
	var kinds []string
	for _, one := range h.settled(t, "") {
		kinds = append(kinds, one.event.text("event_type"))
	}
	return kinds
}

// advance moves the clock ahead, and does what that brings.
func (h *house) advance(by time.Duration) {
	h.clock.Advance(by)
	h.Elapse()
}

// answer is what a call came to.
type answer struct {
	Status int
	Header http.Header
	Body   map[string]any
	Text   string
}

// text gives a value by its path, "details.0.issue"; "<nil>" where there is none.
func (a answer) text(path string) string {
	var at any = a.Body
	for name := range strings.SplitSeq(path, ".") {
		switch inside := at.(type) {
		case map[string]any:
			at = inside[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(inside) {
				return "<nil>"
			}
			at = inside[i]
		default:
			return "<nil>"
		}
	}
	if number, ok := at.(float64); ok {
		return fmt.Sprintf("%.0f", number)
	}
	return fmt.Sprint(at)
}

// list gives the objects of a list by its name.
func (a answer) list(t *testing.T, name string) []answer {
	t.Helper()
	items, ok := a.Body[name].([]any)
	require.True(t, ok, a.Text)
	var objects []answer
	for _, item := range items {
		object, ok := item.(map[string]any)
		require.True(t, ok, a.Text)
		objects = append(objects, answer{Body: object})
	}
	return objects
}

// link gives the address of a link by its relation; empty where there is none.
func (a answer) link(rel string) string {
	links, _ := a.Body["links"].([]any)
	for _, one := range links {
		if l, ok := one.(map[string]any); ok && l["rel"] == rel {
			return fmt.Sprint(l["href"])
		}
	}
	return ""
}

// refused requires an error by its status, name and issue.
func (a answer) refused(t *testing.T, status int, issue string) {
	t.Helper()
	require.Equal(t, status, a.Status, a.Text)
	require.Equal(t, issue, a.text("details.0.issue"), a.Text)
	require.NotEmpty(t, a.text("details.0.description"), "every issue is described")
	names := map[int]string{http.StatusBadRequest: "INVALID_REQUEST", http.StatusUnprocessableEntity: "UNPROCESSABLE_ENTITY", http.StatusNotFound: "RESOURCE_NOT_FOUND", http.StatusConflict: "RESOURCE_CONFLICT"}
	require.Equal(t, names[status], a.text("name"))
	require.NotEmpty(t, a.text("message"))
	require.Equal(t, a.text("debug_id"), a.Header.Get("Paypal-Debug-Id"))
}

func basic() []string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(clientID, clientSecret)
	return []string{"Authorization", r.Header.Get("Authorization"), "Content-Type", "application/x-www-form-urlencoded"}
}

// try sends a request and gives the error of the connection, if any. header is name, value,
// name, value.
func (h *house) try(ctx context.Context, method, path, body string, header ...string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, h.url+"/paypal"+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := h.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{Status: response.StatusCode, Header: response.Header, Text: string(text)}
	_ = json.Unmarshal(text, &a.Body) // not every answer is an object
	return a, nil
}

func (h *house) call(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	a, err := h.try(t.Context(), method, path, body, header...)
	require.NoError(t, err)
	return a
}

// headers are those of a shop's call, with more in front of which come the usual ones.
func (h *house) headers(extra ...string) []string {
	return append([]string{"Authorization", "Bearer " + h.token, "Content-Type", "application/json", "Prefer", "return=representation"}, extra...)
}

// post calls PayPal as a shop does, under a request id of its own.
func (h *house) post(t *testing.T, path, body string, extra ...string) answer {
	t.Helper()
	key := fmt.Sprintf("key-%d", h.count.Add(1))
	return h.call(t, http.MethodPost, path, body, h.headers(append([]string{"PayPal-Request-Id", key}, extra...)...)...)
}

func (h *house) get(t *testing.T, path string) answer {
	t.Helper()
	return h.call(t, http.MethodGet, path, "", h.headers()...)
}

// frame calls what the frames of the browser's script call.
func (h *house) frame(t *testing.T, method, path string, form url.Values) answer {
	t.Helper()
	form.Set("key", clientID)
	if method == http.MethodGet {
		return h.call(t, method, "/sdk/api/orders/"+path+"?"+form.Encode(), "")
	}
	return h.call(t, method, "/sdk/api/orders/"+path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// orderBody is of one purchase unit of 25.00 euros.
func orderBody(intent string) string {
	return `{"intent":"` + intent + `","purchase_units":[{"reference_id":"pay_1","custom_id":"pay_1","amount":{"currency_code":"EUR","value":"25.00"}}]}`
}

// create makes an order and gives its id.
func (h *house) create(t *testing.T, body string) string {
	t.Helper()
	made := h.post(t, "/v2/checkout/orders", body)
	require.Equal(t, http.StatusCreated, made.Status, made.Text)
	return made.text("id")
}

func cardBody(number string) string {
	return `{"payment_source":{"card":{"number":"` + number + `","expiry":"2040-12","security_code":"123"}}}`
}

// byCard has a card pay an order, as card fields do.
func (h *house) byCard(t *testing.T, order, number string) answer {
	t.Helper()
	a := h.post(t, "/v2/checkout/orders/"+order+"/confirm-payment-source", cardBody(number))
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

// byWallet has a buyer agree to an order at PayPal.
func (h *house) byWallet(t *testing.T, order, number string) answer {
	t.Helper()
	a := h.frame(t, http.MethodPost, order+"/confirm", url.Values{"number": {number}, "exp_month": {"12"}, "exp_year": {"2040"}, "cvc": {"123"}})
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

// captured makes an order that a wallet's card paid, and gives it with its capture's id.
func (h *house) captured(t *testing.T, number string) (answer, string) {
	t.Helper()
	id := h.create(t, orderBody("CAPTURE"))
	h.byWallet(t, id, number)
	a := h.post(t, "/v2/checkout/orders/"+id+"/capture", "")
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a, a.text("purchase_units.0.payments.captures.0.id")
}

// authorized makes an order whose money is held by a card, and gives the authorization's id.
func (h *house) authorized(t *testing.T, number string) string {
	t.Helper()
	id := h.create(t, orderBody("AUTHORIZE"))
	h.byCard(t, id, number)
	a := h.post(t, "/v2/checkout/orders/"+id+"/authorize", "")
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a.text("purchase_units.0.payments.authorizations.0.id")
}

func amountBody(value string) string {
	return `{"amount":{"currency_code":"EUR","value":"` + value + `"}}`
}

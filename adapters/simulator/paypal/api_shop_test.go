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
)

// hook is a webhook that arrived.
type hook struct {
	header http.Header
	body   []byte
	Type   string         `json:"event_type"`
	ID     string         `json:"id"`
	What   map[string]any `json:"resource"`
}

// store is an account at the simulated PayPal, with somebody who listens to its webhooks.
type store struct {
	paypal   *paypal.Server
	url      string
	clock    *engine.Clock
	faults   *engine.Faults
	requests *engine.Requests
	webhooks *engine.Webhooks
	client   *http.Client
	token    string
	keys     atomic.Int64

	mu    sync.Mutex
	hooks []hook
}

func newStore(t *testing.T, change ...func(*paypal.Options)) *store {
	t.Helper()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := &store{
		clock: engine.NewClock(func() time.Time { return start }), faults: &engine.Faults{}, requests: &engine.Requests{}, client: &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	listener := httptest.NewServer(http.HandlerFunc(s.listen))
	s.webhooks = engine.NewWebhooks(listener.Client(), s.faults, slog.New(slog.DiscardHandler))
	options := paypal.Options{
		Account: "paypal", ClientID: clientID, ClientSecret: clientSecret, WebhookID: webhookID, WebhookURL: listener.URL + "/webhooks/paypal",
		Clock: s.clock, Faults: s.faults, Requests: s.requests, Webhooks: s.webhooks, Logger: slog.New(slog.DiscardHandler),
	}
	for _, one := range change {
		one(&options)
	}
	s.paypal = paypal.New(options)
	server := httptest.NewServer(s.paypal.Handler())
	s.url = server.URL
	t.Cleanup(func() {
		s.webhooks.Close()
		s.client.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
		listener.Close()
	})
	s.token = s.newToken(t)
	return s
}

func (s *store) listen(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	got := hook{header: r.Header, body: body}
	if err != nil || json.Unmarshal(body, &got) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, got)
}

// told gives the webhooks of a type, all for an empty one, once all have arrived.
func (s *store) told(t *testing.T, kind string) []hook {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	defer cancel()
	require.NoError(t, s.webhooks.Settle(ctx))
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []hook
	for _, one := range s.hooks {
		if kind == "" || one.Type == kind {
			kept = append(kept, one)
		}
	}
	return kept
}

// toldTypes are the types of all webhooks.
func (s *store) toldTypes(t *testing.T) []string {
	t.Helper()
	var kinds []string
	for _, one := range s.told(t, "") {
		kinds = append(kinds, one.Type)
	}
	return kinds
}

// reply is what a call came to.
type reply struct {
	Status int
	Header http.Header
	Body   any
	Text   string
}

// at gives a value by its path, "details.0.issue"; nil where there is none.
func (a reply) at(path string) any {
	at := a.Body
	for name := range strings.SplitSeq(path, ".") {
		switch value := at.(type) {
		case map[string]any:
			at = value[name]
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n >= len(value) {
				return nil
			}
			at = value[n]
		default:
			return nil
		}
	}
	return at
}

func (a reply) text(path string) string { return fmt.Sprint(a.at(path)) }

// link gives the address of a link; empty where there is none.
func (a reply) link(rel string) string {
	links, _ := a.at("links").([]any)
	for _, one := range links {
		if link, ok := one.(map[string]any); ok && link["rel"] == rel {
			return fmt.Sprint(link["href"])
		}
	}
	return ""
}

func (a reply) rels() []string {
	var rels []string
	links, _ := a.at("links").([]any)
	for _, one := range links {
		if link, ok := one.(map[string]any); ok {
			rels = append(rels, fmt.Sprint(link["rel"]))
		}
	}
	return rels
}

// try sends a request; header is name, value, name, value.
func (s *store) try(ctx context.Context, method, path, body string, header ...string) (reply, error) {
	if strings.HasPrefix(path, "/") {
		path = s.url + "/paypal" + path
	}
	request, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := s.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	a := reply{Status: response.StatusCode, Header: response.Header, Text: string(text)}
	_ = json.Unmarshal(text, &a.Body) // not every answer is JSON
	return a, nil
}

func (s *store) do(t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	a, err := s.try(t.Context(), method, path, body, header...)
	require.NoError(t, err)
	return a
}

func (s *store) newToken(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/paypal/v1/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	require.NoError(t, err)
	request.SetBasicAuth(clientID, clientSecret)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var got struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&got))
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "Bearer", got.Type)
	require.Equal(t, 32400, got.Expires)
	require.NotEmpty(t, response.Header.Get("Paypal-Debug-Id"))
	return got.Token
}

// api is the header of a call of the API.
func (s *store) api(more ...string) []string {
	return append([]string{"Authorization", "Bearer " + s.token, "Content-Type", "application/json"}, more...)
}

const whole = "return=representation"

// post makes a call under a new request id, and has all of the object shown.
func (s *store) post(t *testing.T, path, body string, more ...string) reply {
	t.Helper()
	key := fmt.Sprintf("key-%d", s.keys.Add(1))
	return s.do(t, http.MethodPost, path, body, s.api(append([]string{"Prefer", whole, "PayPal-Request-Id", key}, more...)...)...)
}

func (s *store) get(t *testing.T, path string) reply {
	t.Helper()
	return s.do(t, http.MethodGet, path, "", s.api()...)
}

// ordered is the body of an order of 25.00 EUR; source is what is said of the payment's.
func ordered(intent, source string) string {
	if source != "" {
		source = `,"payment_source":` + source
	}
	return `{"intent":"` + intent + `","purchase_units":[{"custom_id":"pay_1","description":"Two & a half <shirts>",` +
		`"amount":{"currency_code":"EUR","value":"25.00"}}]` + source + `}`
}

const walletSource = `{"paypal":{"experience_context":{"return_url":"https://shop.example/back?a=1","cancel_url":"https://shop.example/no","user_action":"PAY_NOW"}}}`

// create makes an order.
func (s *store) create(t *testing.T, intent, source string) string {
	t.Helper()
	a := s.post(t, "/v2/checkout/orders", ordered(intent, source))
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	return a.text("id")
}

func card(number string, more ...string) url.Values {
	form := url.Values{"number": {number}, "exp_month": {"12"}, "exp_year": {"2040"}, "cvc": {"123"}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// visit posts a form to the page at which buyers agree.
func (s *store) visit(t *testing.T, order string, form url.Values) reply {
	t.Helper()
	return s.do(t, http.MethodPost, "/checkoutnow?token="+order, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// agree has the buyer agree to an order, by wallet or by card fields.
func (s *store) agree(t *testing.T, order, number, funding string, more ...string) {
	t.Helper()
	a := s.visit(t, order, card(number, append([]string{"funding", funding}, more...)...))
	require.Less(t, a.Status, http.StatusBadRequest, a.Text)
	require.Equal(t, "APPROVED", s.get(t, "/v2/checkout/orders/"+order).text("status"), a.Text)
}

// captured makes an order and has it paid.
func (s *store) captured(t *testing.T, number, funding string, more ...string) reply {
	t.Helper()
	order := s.create(t, "CAPTURE", "")
	s.agree(t, order, number, funding, more...)
	return s.post(t, "/v2/checkout/orders/"+order+"/capture", "{}")
}

// held makes an order of which money is held, and gives the authorization's id.
func (s *store) held(t *testing.T) string {
	t.Helper()
	order := s.create(t, "AUTHORIZE", "")
	s.agree(t, order, success, "paypal")
	a := s.post(t, "/v2/checkout/orders/"+order+"/authorize", "")
	require.Equal(t, http.StatusCreated, a.Status, a.Text)
	require.Equal(t, "CREATED", a.text(authorizations+".status"))
	return a.text(authorizations + ".id")
}

// advance moves the clock.
func (s *store) advance(by time.Duration) {
	s.clock.Advance(by)
	s.paypal.Elapse()
}

// pass moves the clock by more than an access token may live for.
func (s *store) pass(t *testing.T, by time.Duration) {
	t.Helper()
	s.advance(by)
	s.token = s.newToken(t)
}

const (
	success        = "4012888888881881"
	captures       = "purchase_units.0.payments.captures.0"
	authorizations = "purchase_units.0.payments.authorizations.0"
	refunds        = "purchase_units.0.payments.refunds.0"
)

// refused requires an error in PayPal's words.
func refused(t *testing.T, a reply, status int, name, issue string) {
	t.Helper()
	require.Equal(t, status, a.Status, a.Text)
	require.Equal(t, name, a.text("name"), a.Text)
	require.Equal(t, issue, a.text("details.0.issue"), a.Text)
	require.NotEmpty(t, a.text("details.0.description"))
	require.NotEmpty(t, a.text("message"))
	require.Equal(t, a.Header.Get("Paypal-Debug-Id"), a.text("debug_id"))
	require.NotEmpty(t, a.text("debug_id"))
}

func unprocessable(t *testing.T, a reply, issue string) {
	t.Helper()
	refused(t, a, http.StatusUnprocessableEntity, "UNPROCESSABLE_ENTITY", issue)
}

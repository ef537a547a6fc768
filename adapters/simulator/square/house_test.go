package square_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/square"
)

const (
	accessToken   = "EAAA_witness"
	applicationID = "sandbox-sq0idb-witness"
	locationID    = "LWITNESS"
	webhookKey    = "sq_key_witness"
	signedURL     = "https://pay.example.test/webhooks/square"
	waitMax       = 10 * time.Second
)

// delivery is a webhook as it arrived.
type delivery struct {
	header http.Header
	body   string
	answer
}

// house is a simulated Square, and a program that only listens.
type house struct {
	sim      *square.Server
	url      string
	client   *http.Client
	clock    *engine.Clock
	faults   *engine.Faults
	requests *engine.Requests
	webhooks *engine.Webhooks
	now      *atomic.Int64 // the real time, unix seconds

	mu  sync.Mutex
	got []delivery
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{now: &atomic.Int64{}, faults: &engine.Faults{}, requests: &engine.Requests{}}
	h.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	h.now.Store(1_790_000_000)
	h.clock = engine.NewClock(func() time.Time { return time.Unix(h.now.Load(), 0) })
	listener := httptest.NewServer(http.HandlerFunc(h.listen))
	logger := slog.New(slog.DiscardHandler)
	h.webhooks = engine.NewWebhooks(h.client, h.faults, logger)
	h.sim = square.New(square.Options{
		Account: "square", AccessToken: accessToken, ApplicationID: applicationID, LocationID: locationID, WebhookKeys: []string{webhookKey, "older"},
		WebhookURL: listener.URL + "/webhooks/square", SignedURL: signedURL,
		Clock: h.clock, Faults: h.faults, Requests: h.requests, Webhooks: h.webhooks, Logger: logger,
	})
	server := httptest.NewServer(h.sim.Handler())
	h.url = server.URL
	t.Cleanup(func() {
		h.webhooks.Close()
		h.client.CloseIdleConnections()
		for _, one := range []*httptest.Server{server, listener} {
			one.CloseClientConnections()
			one.Close()
		}
	})
	return h
}

// serve has another simulated Square stand in for the house's own.
func (h *house) serve(t *testing.T, sim *square.Server) {
	t.Helper()
	server := httptest.NewServer(sim.Handler())
	h.sim, h.url = sim, server.URL
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
}

func (h *house) listen(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	one := delivery{header: r.Header, body: string(body)}
	_ = json.Unmarshal(body, &one.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, one)
}

// deliveries gives what arrived, of a type, or of all for an empty one.
func (h *house) deliveries(t *testing.T, kind string) []delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	defer cancel()
	require.NoError(t, h.webhooks.Settle(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	var kept []delivery
	for _, one := range h.got {
		if kind == "" || one.text("type") == kind {
			kept = append(kept, one)
		}
	}
	return kept
}

// advance moves the clock.
func (h *house) advance(by time.Duration) {
	h.clock.Advance(by)
	h.sim.Elapse()
}

// answer is what a call came to.
type answer struct {
	Status int
	Header http.Header
	Body   map[string]any
	Text   string
}

// at gives a value by its path, "payment.refund_ids.0"; nil where there is none.
func (a answer) at(path string) any {
	var at any = a.Body
	for name := range strings.SplitSeq(path, ".") {
		switch inside := at.(type) {
		case map[string]any:
			at = inside[name]
		case []any:
			var n int
			if _, err := fmt.Sscan(name, &n); err != nil || n >= len(inside) {
				return nil
			}
			at = inside[n]
		default:
			return nil
		}
	}
	return at
}

// text gives a value by its path as a text; "<nil>" where there is none.
func (a answer) text(path string) string {
	if number, ok := a.at(path).(float64); ok {
		return fmt.Sprintf("%.0f", number)
	}
	return fmt.Sprint(a.at(path))
}

// code is the first error's.
func (a answer) code() string { return a.text("errors.0.code") }

// try sends a request and gives the error of the connection, if any.
func (h *house) try(ctx context.Context, method, path, body string, header map[string]string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, h.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, value := range header {
		request.Header.Set(name, value)
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
	_ = json.Unmarshal(text, &a.Body) // pages are none
	return a, nil
}

func ours() map[string]string {
	return map[string]string{"Authorization": "Bearer " + accessToken, "Square-Version": "2025-08-20", "Content-Type": "application/json"}
}

// call makes a call as the program under test does. A nil body is none.
func (h *house) call(t *testing.T, method, path string, body any) answer {
	t.Helper()
	text := ""
	if body != nil {
		written, err := json.Marshal(body)
		require.NoError(t, err)
		text = string(written)
	}
	a, err := h.try(t.Context(), method, "/square"+path, text, ours())
	require.NoError(t, err)
	return a
}

type object = map[string]any

func euros(minor any) object { return object{"amount": minor, "currency": "EUR"} }

// newPayment is the body of a payment, with changes; a nil takes a field away.
func newPayment(key string, changes object) object {
	body := object{
		"source_id": "cnon:card-nonce-ok", "idempotency_key": key, "amount_money": euros(2500), "location_id": locationID,
		"reference_id": "pay_" + key, "autocomplete": true,
	}
	for name, value := range changes {
		body[name] = value
		if value == nil {
			delete(body, name)
		}
	}
	return body
}

// pay makes a payment that works.
func (h *house) pay(t *testing.T, key string, changes object) answer {
	t.Helper()
	a := h.call(t, http.MethodPost, "/v2/payments", newPayment(key, changes))
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

func (h *house) show(t *testing.T, id string) answer {
	t.Helper()
	a := h.call(t, http.MethodGet, "/v2/payments/"+id, nil)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

// tokenize types a card in, with changes; a nil takes a field away.
func (h *house) tokenize(t *testing.T, number string, changes object) answer {
	t.Helper()
	body := object{"application_id": applicationID, "location_id": locationID, "number": number, "exp_month": "12", "exp_year": 2031, "cvv": "123"}
	for name, value := range changes {
		body[name] = value
		if value == nil {
			delete(body, name)
		}
	}
	return h.call(t, http.MethodPost, "/v1/tokens", body)
}

// token is that of a card.
func (h *house) token(t *testing.T, number string, changes object) string {
	t.Helper()
	a := h.tokenize(t, number, changes)
	require.Equal(t, "OK", a.text("status"), a.Text)
	return a.text("token")
}

// objects gives what the simulator holds of a type.
func (h *house) objects(t *testing.T, kind string) []answer {
	t.Helper()
	all, ok := h.sim.Objects(kind)
	require.True(t, ok, kind)
	var found []answer
	for _, one := range all {
		text, err := json.Marshal(one)
		require.NoError(t, err)
		a := answer{Text: string(text)}
		require.NoError(t, json.Unmarshal(text, &a.Body))
		found = append(found, a)
	}
	return found
}

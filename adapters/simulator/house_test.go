package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator"
)

const (
	secretKey      = "sk_test_witness"
	publishableKey = "pk_test_witness"
	webhookSecret  = "whsec_witness"
	waitMax        = 10 * time.Second
)

// house is a simulator with a Paydesk that only listens.
type house struct {
	sim     *simulator.Simulator
	url     string
	paydesk *paydesk
	client  *http.Client
	logs    *strings.Builder
	now     *atomic.Int64 // the real time, unix seconds
	moved   *atomic.Int64 // what OnAdvance was told
}

// syncWriter lets several goroutines log.
type syncWriter struct {
	mu sync.Mutex
	to *strings.Builder
}

func (w *syncWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(text)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{paydesk: newPaydesk(t), client: &http.Client{}, logs: &strings.Builder{}, now: &atomic.Int64{}, moved: &atomic.Int64{}}
	h.now.Store(1_790_000_000)
	sim, err := simulator.New(simulator.Options{
		Now: func() time.Time { return time.Unix(h.now.Load(), 0) }, PaydeskURL: h.paydesk.url,
		Stripe:    []simulator.StripeAccount{{SecretKey: secretKey, PublishableKey: publishableKey, WebhookSecrets: []string{webhookSecret, "whsec_older"}}},
		OnAdvance: func(by time.Duration) { h.moved.Add(int64(by)) },
		Logger:    slog.New(slog.NewTextHandler(&syncWriter{to: h.logs}, nil)),
	})
	require.NoError(t, err)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		sim.Close()
		h.client.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	h.sim, h.url = sim, server.URL
	h.paydesk.provider.Store(&server.URL)
	return h
}

// answer is what a call came to.
type answer struct {
	Status int
	Header http.Header
	Body   map[string]any
	Text   string
}

// text gives a value by its path, "error.code"; "<nil>" where there is none.
func (a answer) text(path string) string {
	var at any = a.Body
	for name := range strings.SplitSeq(path, ".") {
		object, _ := at.(map[string]any)
		at = object[name]
	}
	if number, ok := at.(float64); ok {
		return fmt.Sprintf("%.0f", number)
	}
	return fmt.Sprint(at)
}

// list gives the objects of a list.
func (a answer) list(t *testing.T) []answer {
	t.Helper()
	data, ok := a.Body["data"].([]any)
	require.True(t, ok, a.Text)
	var objects []answer
	for _, item := range data {
		object, ok := item.(map[string]any)
		require.True(t, ok, a.Text)
		objects = append(objects, answer{Body: object})
	}
	return objects
}

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
	_ = json.Unmarshal(text, &a.Body) // not every answer is an object
	return a, nil
}

// post calls Stripe with the secret key, as its libraries do.
func (h *house) post(t *testing.T, path string, form url.Values, extra ...string) answer {
	t.Helper()
	header := map[string]string{"Authorization": "Bearer " + secretKey, "Content-Type": "application/x-www-form-urlencoded", "Stripe-Version": "2023-10-16"}
	for i := 0; i+1 < len(extra); i += 2 {
		header[extra[i]] = extra[i+1]
	}
	a, err := h.try(t.Context(), http.MethodPost, "/stripe/v1"+path, form.Encode(), header)
	require.NoError(t, err)
	return a
}

func (h *house) get(t *testing.T, path string, query url.Values) answer {
	t.Helper()
	a, err := h.try(t.Context(), http.MethodGet, "/stripe/v1"+path+"?"+query.Encode(), "", map[string]string{"Authorization": "Bearer " + secretKey})
	require.NoError(t, err)
	return a
}

// browser calls Stripe as the frame does: without a header, with the publishable key.
func (h *house) browser(t *testing.T, method, path string, form url.Values) answer {
	t.Helper()
	form = maps.Clone(form)
	form.Set("key", publishableKey)
	body, header := form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	if method == http.MethodGet {
		path, body, header = path+"?"+body, "", nil
	}
	a, err := h.try(t.Context(), method, "/stripe/v1"+path, body, header)
	require.NoError(t, err)
	return a
}

// control makes a control call.
func (h *house) control(t *testing.T, method, path, body string) answer {
	t.Helper()
	a, err := h.try(t.Context(), method, "/_control/"+path, body, map[string]string{"Content-Type": "application/json"})
	require.NoError(t, err)
	require.Equal(t, "application/json", a.Header.Get("Content-Type"))
	return a
}

// fault asks for one.
func (h *house) fault(t *testing.T, body string) {
	t.Helper()
	a := h.control(t, http.MethodPost, "faults", body)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
}

// create makes a PaymentIntent; more is name, value, name, value.
func (h *house) create(t *testing.T, more ...string) answer {
	t.Helper()
	form := url.Values{
		"amount": {"2500"}, "currency": {"eur"}, "automatic_payment_methods[enabled]": {"true"},
		"metadata[paydesk_payment]": {"pay_1"}, "expand[0]": {"latest_charge"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	a := h.post(t, "/payment_intents", form)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

// confirm pays an intent with a card as the frame does.
func (h *house) confirm(t *testing.T, intent answer, number string) answer {
	t.Helper()
	return h.browser(t, http.MethodPost, "/payment_intents/"+intent.text("id")+"/confirm", url.Values{
		"client_secret": {intent.text("client_secret")}, "return_url": {"https://shop.example/back"}, "use_stripe_sdk": {"true"},
		"payment_method_data[type]": {"card"}, "payment_method_data[card][number]": {number}, "payment_method_data[card][cvc]": {"123"},
		"payment_method_data[card][exp_month]": {"12"}, "payment_method_data[card][exp_year]": {"2040"},
	})
}

// authorized makes an intent that holds money.
func (h *house) authorized(t *testing.T, more ...string) answer {
	t.Helper()
	a := h.confirm(t, h.create(t, append([]string{"capture_method", "manual"}, more...)...), "4242424242424242")
	require.Equal(t, "requires_capture", a.text("status"), a.Text)
	return a
}

// show gets an intent with all that belongs to it.
func (h *house) show(t *testing.T, id string) answer {
	t.Helper()
	a := h.get(t, "/payment_intents/"+id, url.Values{"expand[]": {"latest_charge", "payment_method"}})
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

// settle waits until all webhooks are delivered.
func (h *house) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	defer cancel()
	require.NoError(t, h.sim.Settle(ctx))
}

package stripe_test

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

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/stripe"
)

const (
	secretKey      = "sk_test_witness"
	publishableKey = "pk_test_witness"
	waitMax        = 10 * time.Second
	day            = 24 * time.Hour
	start          = 1_788_220_800 // 2026-09-01, so that months are easy to count
)

// house is a simulated Stripe, and a program that only listens.
type house struct {
	sim      *stripe.Server
	url      string
	client   *http.Client
	clock    *engine.Clock
	webhooks *engine.Webhooks
	now      *atomic.Int64 // the real time, unix seconds

	mu  sync.Mutex
	got []answer
}

func newHouse(t testing.TB) *house {
	t.Helper()
	return openHouse(t, true)
}

// newQuietHouse is one that posts no webhooks.
func newQuietHouse(t testing.TB) *house {
	t.Helper()
	return openHouse(t, false)
}

func openHouse(t testing.TB, listens bool) *house {
	t.Helper()
	h := &house{now: &atomic.Int64{}, client: &http.Client{}}
	h.now.Store(start)
	h.clock = engine.NewClock(func() time.Time { return time.Unix(h.now.Load(), 0) })
	listener := httptest.NewServer(http.HandlerFunc(h.listen))
	logger, faults := slog.New(slog.DiscardHandler), &engine.Faults{}
	h.webhooks = engine.NewWebhooks(h.client, faults, logger)
	address := ""
	if listens {
		address = listener.URL
	}
	h.sim = stripe.New(stripe.Options{
		Account: "stripe", SecretKey: secretKey, PublishableKey: publishableKey, WebhookSecrets: []string{"whsec_witness"}, WebhookURL: address,
		Clock: h.clock, Faults: faults, Requests: &engine.Requests{}, Webhooks: h.webhooks, Logger: logger,
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

func (h *house) listen(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	one := answer{Text: string(body)}
	_ = json.Unmarshal(body, &one.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, one)
}

// told gives the objects of the webhooks of a type. Each is as it stood at its event.
func (h *house) told(t testing.TB, kind string) []answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	defer cancel()
	require.NoError(t, h.webhooks.Settle(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	var kept []answer
	for _, one := range h.got {
		data, _ := one.Body["data"].(map[string]any)
		if object, ok := data["object"].(map[string]any); ok && one.text("type") == kind {
			kept = append(kept, answer{Body: object, Text: one.Text})
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
	Body   map[string]any
	Text   string
}

// text gives a value by its path, "items.data.0.price.id"; "<nil>" where there is none.
func (a answer) text(path string) string {
	var at any = a.Body
	for name := range strings.SplitSeq(path, ".") {
		switch inside := at.(type) {
		case map[string]any:
			at = inside[name]
		case []any:
			var n int
			if _, err := fmt.Sscan(name, &n); err != nil || n >= len(inside) {
				return "<nil>"
			}
			at = inside[n]
		default:
			return "<nil>"
		}
	}
	if number, ok := at.(float64); ok {
		return fmt.Sprintf("%.0f", number)
	}
	return fmt.Sprint(at)
}

// texts gives a value of each object of a list.
func (a answer) texts(t testing.TB, path string) []string {
	t.Helper()
	data, ok := a.Body["data"].([]any)
	require.True(t, ok, a.Text)
	values := []string{}
	for n := range data {
		values = append(values, a.text(fmt.Sprintf("data.%d.%s", n, path)))
	}
	return values
}

// form makes parameters of name, value, name, value.
func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

func (h *house) send(t testing.TB, method, path, kind, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, h.url+"/stripe/v1"+path, strings.NewReader(body))
	require.NoError(t, err)
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if !strings.Contains(body+path, "key="+publishableKey) {
		request.Header.Set("Authorization", "Bearer "+secretKey)
	}
	response, err := h.client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	a := answer{Status: response.StatusCode, Text: string(text)}
	_ = json.Unmarshal(text, &a.Body) // not every answer is an object
	return a
}

// post calls with the secret key, as the libraries do.
func (h *house) post(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	return h.send(t, http.MethodPost, path, "application/x-www-form-urlencoded", form(pairs...).Encode())
}

// do calls as post does, and is answered well.
func (h *house) do(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	a := h.post(t, path, pairs...)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

func (h *house) get(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	return h.send(t, http.MethodGet, path+"?"+form(pairs...).Encode(), "", "")
}

func (h *house) remove(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	return h.send(t, http.MethodDelete, path, "application/x-www-form-urlencoded", form(pairs...).Encode())
}

// browser calls with the publishable key, as the frame does.
func (h *house) browser(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	return h.post(t, path, append(pairs, "key", publishableKey)...)
}

// refuses is a call that is refused with a code, "<nil>" for none, for a parameter.
func (a answer) refuses(t testing.TB, status int, code, param string) {
	t.Helper()
	require.Equal(t, status, a.Status, a.Text)
	require.Equal(t, code, a.text("error.code"), a.Text)
	require.Equal(t, param, a.text("error.param"), a.Text)
	require.NotEmpty(t, a.text("error.message"))
}

// card is what the frame sends of a card.
func card(number string) []string {
	return []string{
		"payment_method_data[type]", "card", "payment_method_data[card][number]", number, "payment_method_data[card][cvc]", "123",
		"payment_method_data[card][exp_month]", "12", "payment_method_data[card][exp_year]", "2040",
	}
}

// confirm has the buyer type a card into the frame, for a payment or for later; after that,
// the bank agrees where it asks.
func (h *house) confirm(t testing.TB, object answer, number string) answer {
	t.Helper()
	kind := "/payment_intents/"
	if object.text("object") == "setup_intent" {
		kind = "/setup_intents/"
	}
	secret := []string{"client_secret", object.text("client_secret")}
	a := h.browser(t, kind+object.text("id")+"/confirm", append(append(card(number), secret...), "return_url", "https://shop.example/back", "use_stripe_sdk", "true")...)
	if a.text("status") == "requires_action" {
		a = h.browser(t, "/3ds2/authenticate", append(secret, "source", object.text("id"), "outcome", "complete")...)
	}
	return a
}

// paid is a payment of 2500 that was made with a card, pay_1 to the program under test.
func (h *house) paid(t testing.TB, number string, pairs ...string) answer {
	t.Helper()
	values := append([]string{
		"amount", "2500", "currency", "eur", "automatic_payment_methods[enabled]", "true", "metadata[paydesk_payment]", "pay_1",
	}, pairs...)
	made := h.do(t, "/payment_intents", values...)
	a := h.confirm(t, made, number)
	require.Equal(t, "succeeded", a.text("status"), a.Text)
	return a
}

// charge shows the charge of a payment, with its refunds.
func (h *house) charge(t testing.TB, payment string) answer {
	t.Helper()
	a := h.get(t, "/payment_intents/"+payment, "expand[]", "latest_charge.refunds")
	charge, ok := a.Body["latest_charge"].(map[string]any)
	require.True(t, ok, a.Text)
	return answer{Body: charge, Text: a.Text}
}

// customer makes one; saved gives one a card.
func (h *house) customer(t testing.TB) string {
	t.Helper()
	return h.do(t, "/customers", "email", "buyer@example.test", "metadata[paydesk_customer]", "cus_1").text("id")
}

func (h *house) saved(t testing.TB, customer, number string) string {
	t.Helper()
	made := h.do(t, "/setup_intents", "customer", customer)
	a := h.confirm(t, made, number)
	require.Equal(t, "succeeded", a.text("status"), a.Text)
	return a.text("payment_method")
}

// off charges a saved card without its holder.
func (h *house) off(t testing.TB, customer, method string, pairs ...string) answer {
	t.Helper()
	return h.post(t, "/payment_intents", append([]string{
		"amount", "2500", "currency", "eur", "customer", customer, "payment_method", method, "payment_method_types[]", "card", "confirm", "true", "off_session", "true",
	}, pairs...)...)
}

// price makes a price of a product of its own.
func (h *house) price(t testing.TB, amount string, pairs ...string) string {
	t.Helper()
	values := maps.Clone(form("currency", "eur", "unit_amount", amount, "recurring[interval]", "month", "product_data[name]", "Gold"))
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	a := h.send(t, http.MethodPost, "/prices", "application/x-www-form-urlencoded", values.Encode())
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a.text("id")
}

// subscribed is a subscription of a price, paid with a card.
func (h *house) subscribed(t testing.TB, price, number string, pairs ...string) answer {
	t.Helper()
	customer := h.customer(t)
	a := h.post(t, "/subscriptions", append([]string{
		"customer", customer, "items[0][price]", price, "default_payment_method", h.saved(t, customer, number), "metadata[paydesk_subscription]", "sub_1",
	}, pairs...)...)
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

func (h *house) subscription(t testing.TB, id string) answer {
	t.Helper()
	a := h.get(t, "/subscriptions/"+id, "expand[]", "latest_invoice.payment_intent")
	require.Equal(t, http.StatusOK, a.Status, a.Text)
	return a
}

// at is a time as Stripe writes it.
func at(text string) string {
	parsed, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return fmt.Sprint(parsed.Unix())
}

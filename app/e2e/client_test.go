package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// waitMax bounds every wait for something that the program does by itself.
const waitMax = 30 * time.Second

// client calls a house as storefronts, buyers and staff do.
type client struct {
	*apptest.Client

	house *apptest.House
	http  *http.Client
}

func newClient(house *apptest.House) *client {
	calls := apptest.NewClient(house)
	calls.HTTP.Timeout = waitMax
	return &client{Client: calls, house: house, http: calls.HTTP}
}

// answer is what a call came to; Err where none came.
type answer struct{ apptest.Answer }

// text gives a field as text, several names for one inside others.
func (a answer) text(path ...string) string { return a.Text(path...) }

// call makes a call with a JSON body (nil for none) and reads a JSON answer.
func (c *client) call(t testing.TB, method, url string, body any, header map[string]string) answer {
	t.Helper()
	return answer{c.Call(t.Context(), method, url, body, header)}
}

// api calls the storefront API; key is the Idempotency-Key, empty for none.
func (c *client) api(t testing.TB, method, path string, body any, key string) answer {
	t.Helper()
	return answer{c.API(t.Context(), method, path, body, key)}
}

// graphql asks the admin API.
func (c *client) graphql(t testing.TB, query string, variables map[string]any) answer {
	t.Helper()
	return answer{c.GraphQL(t.Context(), query, variables)}
}

// control calls the simulator.
func (c *client) control(t testing.TB, method, path string, body any) answer {
	t.Helper()
	return answer{c.Control(t.Context(), method, path, body)}
}

// order is the body of a checkout.
func order(reference, capture string) map[string]any {
	return map[string]any{
		"reference": reference, "currency": "EUR", "capture": capture, "success_url": "https://shop.example/thanks",
		"line_items": []map[string]any{{"name": "Green tea", "amount": 1250, "quantity": 2}},
		"customer":   map[string]any{"email": "buyer@shop.example", "name": "Ada Buyer"},
	}
}

// checkout creates a checkout and gives its id. It offers the named providers, or all.
func (c *client) checkout(t testing.TB, reference, capture string, providers ...string) string {
	t.Helper()
	return c.open(t, order(reference, capture), providers)
}

// hostedCheckout opens one that is paid on the provider's own page.
func (c *client) hostedCheckout(t testing.TB, reference string, providers ...string) string {
	t.Helper()
	in := order(reference, "automatic")
	in["flow"] = "redirect"
	return c.open(t, in, providers)
}

func (c *client) open(t testing.TB, in map[string]any, providers []string) string {
	t.Helper()
	if len(providers) > 0 {
		in["providers"] = providers
	}
	a := c.api(t, http.MethodPost, "/v1/checkouts", in, fmt.Sprint(in["reference"]))
	require.NoError(t, a.Err)
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	return a.text("id")
}

// pay is the buyer; it gives the payment's id.
func (c *client) pay(t testing.TB, checkout, card string) answer {
	t.Helper()
	return c.control(t, http.MethodPost, "pay", map[string]any{"checkout": checkout, "account": "stripe", "card": card})
}

// payment waits until a payment has a status.
func (c *client) payment(t testing.TB, id, status string) answer {
	t.Helper()
	var a answer
	require.Eventually(t, func() bool {
		a = c.api(t, http.MethodGet, "/v1/payments/"+id, nil, "")
		return a.text("status") == status
	}, waitMax, 20*time.Millisecond, "payment %s never became %s", id, status)
	return a
}

// events gives the types of all events of a subject, in order.
func (c *client) events(t testing.TB, subject string) (types []string) {
	t.Helper()
	cursor := ""
	for {
		a := c.api(t, http.MethodGet, "/v1/events?limit=100"+cursor, nil, "")
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		data, _ := a.Body["data"].([]any)
		for _, item := range data {
			event, _ := item.(map[string]any)
			object, _ := event["data"].(map[string]any)
			if object["id"] == subject {
				types = append(types, fmt.Sprint(event["type"]))
			}
		}
		next := a.text("next_cursor")
		if next == "" {
			return types
		}
		cursor = "&after=" + next
	}
}

// inbound gives the inbound events as the command line lists them, by provider event id.
func inbound(t testing.TB, house *apptest.House) map[string]map[string]any {
	t.Helper()
	stdout, stderr, code := apptest.Command(t, house.Folder, house.Env, "events", "list", "--json", "--limit", "100000")
	require.Zero(t, code, stderr)
	events := make(map[string]map[string]any)
	for decoder := json.NewDecoder(bytes.NewBufferString(stdout)); decoder.More(); {
		var event map[string]any
		require.NoError(t, decoder.Decode(&event))
		id := fmt.Sprint(event["provider_event_id"])
		_, twice := events[id] // no NotContains: it looks through the whole map
		require.False(t, twice, "event %s is stored twice", id)
		events[id] = event
	}
	return events
}

// needPostgres gives a fresh PostgreSQL database's URL, or skips.
func needPostgres(t testing.TB) string {
	t.Helper()
	url := os.Getenv("PAYDESK_TEST_POSTGRES_URL")
	if url == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PAYDESK_TEST_POSTGRES_URL is not set")
		}
		t.Skip("PAYDESK_TEST_POSTGRES_URL is not set")
	}
	return apptest.FreshDatabase(t, url)
}

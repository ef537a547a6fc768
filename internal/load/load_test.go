package load_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/internal/load"
	"github.com/paydesk/paydesk/ports"
)

const (
	registered = "https://pay.shop.example/webhooks/square"
	wholeBody  = 3 << 10
)

// verifiers are the program's own adapters, and providers those who sign for them.
func verifiers(t *testing.T) (providers []load.Provider, verifiers map[string]ports.WebhookVerifier) {
	t.Helper()
	var certificate []byte
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == load.PayPalCertificatePath {
			_, _ = w.Write(certificate)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(api.Close)
	p, err := load.NewPayPal("WH-1", api.URL, time.Now())
	require.NoError(t, err)
	certificate = p.Certificate
	first, err := stripe.New(stripe.Options{Account: "stripe", Environment: core.EnvTest, SecretKey: "sk_test_1", PublishableKey: "pk_test_1", WebhookSecrets: []string{"whsec_1"}})
	require.NoError(t, err)
	second, err := paypal.New(paypal.Options{
		Account: "paypal", Environment: core.EnvTest, ClientID: "client", ClientSecret: "secret", WebhookID: "WH-1", WebhookRoots: certificate, APIBase: api.URL,
	})
	require.NoError(t, err)
	third, err := square.New(square.Options{
		Account: "square", Environment: core.EnvTest, AccessToken: "token", ApplicationID: "sandbox-sq0idb-x", LocationID: "L1", WebhookKeys: []string{"key"}, WebhookURL: registered,
	})
	require.NoError(t, err)
	return []load.Provider{load.Stripe{Secret: "whsec_1"}, p, load.Square{Key: "key", Registered: registered}},
		map[string]ports.WebhookVerifier{"stripe": first, "paypal": second, "square": third}
}

func parse(t *testing.T, wire []byte) (*http.Request, []byte) {
	t.Helper()
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
	require.NoError(t, err, string(wire))
	body, err := io.ReadAll(request.Body)
	require.NoError(t, err)
	return request, body
}

// What is sent is what the program's own adapters believe, lead to an object, and each know by its id.
func TestWebhooksAreSignedAsTheProvidersDo(t *testing.T) {
	t.Parallel()
	providers, verify := verifiers(t)
	for _, provider := range providers {
		posts, distinct, err := load.Webhooks{
			Provider: provider, Address: "http://127.0.0.1:1/webhooks/" + provider.Name(), BodyBytes: wholeBody, Repeats: 20, Prefix: "abc", Wall: time.Now(),
		}.Make(100)
		require.NoError(t, err)
		require.Len(t, posts, 100)
		require.Equal(t, 81, distinct)
		seen := make(map[string]bool)
		for _, post := range posts {
			request, body := parse(t, post.Wire)
			require.Equal(t, "/webhooks/"+provider.Name(), request.URL.Path)
			require.InDelta(t, wholeBody, len(body), 20)
			delivery, err := verify[provider.Name()].VerifyWebhook(t.Context(), request.Header, body, time.Now())
			require.NoError(t, err, provider.Name())
			require.Equal(t, post.Event, delivery.ProviderEventID)
			require.Equal(t, core.ObjectPayment, delivery.Ref.Kind)
			require.NotEmpty(t, delivery.Ref.ID)
			seen[delivery.ProviderEventID] = true
		}
		require.Len(t, seen, distinct)
		request, body := parse(t, posts[0].Wire)
		_, err = verify[provider.Name()].VerifyWebhook(t.Context(), request.Header, append(body, ' '), time.Now())
		require.ErrorIs(t, err, ports.ErrSignature, provider.Name())
	}
}

// desk is a server that stalls while it is held.
type desk struct {
	mu    sync.Mutex
	paths []string
	stall func(n int) // called with the number of each request before its answer
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	d.mu.Lock()
	defer d.mu.Unlock() // all wait for the one that stalls
	d.paths = append(d.paths, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Idempotency-Key"))
	if d.stall != nil {
		d.stall(len(d.paths))
	}
	if r.Header.Get("Authorization") != "Bearer key" {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func serve(t *testing.T, d *desk) (address string) {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return server.URL
}

func host(address string) string { return strings.TrimPrefix(address, "http://") }

// A server that stalls for a moment is found out by all that were due meanwhile, and not by those few
// alone that a connection was there for.
func TestAStallShowsInAllThatWereDueMeanwhile(t *testing.T) {
	t.Parallel()
	const perSecond, stall = 200, 500 * time.Millisecond
	d := &desk{stall: func(n int) {
		if n == 50 {
			time.Sleep(stall) // the stall is what is measured
		}
	}}
	address := serve(t, d)
	calls, err := load.Storefront{Address: address, APIKey: "key"}.Read("read", "/v1/events", perSecond)
	require.NoError(t, err)
	report, err := load.Steps(t.Context(), host(address), calls, 1, load.Step{PerSecond: perSecond, For: time.Second})
	require.NoError(t, err)
	require.Equal(t, map[int]int{http.StatusOK: perSecond}, report.Statuses)
	require.GreaterOrEqual(t, report.At(1000), stall)
	late := 0
	for _, took := range report.Times {
		if took > stall/2 {
			late++
		}
	}
	// Half of those that were due in the stall waited for more than half of it.
	require.GreaterOrEqual(t, late, int(stall.Seconds()*perSecond)/2-1)
	require.GreaterOrEqual(t, report.Took, time.Second-time.Second/perSecond, "the rate is the given one")
}

func TestAMixIsSpreadEvenly(t *testing.T) {
	t.Parallel()
	d := &desk{}
	address := serve(t, d)
	shop := load.Storefront{Address: address, APIKey: "key", Prefix: "p", Repeats: 10}
	creates, err := shop.Create(30)
	require.NoError(t, err)
	reads, err := shop.Read("list events", "/v1/events?limit=10", 10)
	require.NoError(t, err)
	shop.APIKey = "wrong"
	strangers, err := shop.Read("strangers", "/v1/events", 1)
	require.NoError(t, err)
	report, err := load.Flat(t.Context(), host(address), load.Mix(creates, reads, strangers, nil), 1)
	require.NoError(t, err)
	require.Len(t, d.paths, 41)
	keys := make(map[string]int)
	for i, path := range d.paths {
		if strings.HasPrefix(path, "POST /v1/checkouts ") {
			keys[path]++
		} else if i+1 < len(d.paths) {
			require.True(t, strings.HasPrefix(d.paths[i+1], "POST") || strings.HasSuffix(d.paths[i+1], "events "), "%d: %v", i, d.paths)
		}
	}
	require.Len(t, keys, 28, "some are repeated under their key")
	for n := range 4 {
		count := 0
		for _, path := range d.paths[n*10 : n*10+10] {
			if strings.HasPrefix(path, "POST") {
				count++
			}
		}
		require.InDelta(t, 7, count, 1)
	}
	require.Equal(t, 30, report.Kinds["create checkout"].Posts)
	require.Equal(t, map[int]int{http.StatusUnauthorized: 1}, report.Kinds["strangers"].Statuses)
	require.Equal(t, map[int]int{http.StatusOK: 40, http.StatusUnauthorized: 1}, report.Statuses)
	var text strings.Builder
	require.NoError(t, report.Print(&text))
	for _, part := range []string{"list events", "create checkout", "all", "200: 40, 401: 1", "p99.9"} {
		require.Contains(t, text.String(), part)
	}
}

func TestNoAnswerIsToldAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("n") == "2" {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	var calls []load.Post
	for n := range 5 {
		one, err := load.Storefront{Address: server.URL, APIKey: "key"}.Read("read", fmt.Sprintf("/?n=%d", n), 1)
		require.NoError(t, err)
		calls = append(calls, one...)
	}
	report, err := load.Flat(t.Context(), host(server.URL), calls, 1)
	require.Error(t, err)
	require.Equal(t, map[int]int{0: 1, http.StatusOK: 4}, report.Statuses)
}

func TestARunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	d := &desk{stall: func(n int) {
		if n == 3 {
			cancel()
		}
	}}
	address := serve(t, d)
	calls, err := load.Storefront{Address: address, APIKey: "key"}.Read("read", "/", 1000)
	require.NoError(t, err)
	_, err = load.Steps(ctx, host(address), calls, 1, load.Step{PerSecond: 10, For: 100 * time.Second})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, len(d.paths), 10)
	_, err = load.Steps(t.Context(), host(address), calls[:5], 1, load.Step{PerSecond: 10, For: time.Second})
	require.ErrorContains(t, err, "10 posts are needed")
}

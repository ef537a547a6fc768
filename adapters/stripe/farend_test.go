package stripe_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator"
	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// Keys of nobody's account.
const (
	secretKey      = "sk_test_simulated"
	publishableKey = "pk_test_simulated"
	webhookSecret  = "whsec_test_0123456789abcdef"
)

func TestProvider(t *testing.T) {
	t.Parallel()
	portstest.RunProvider(t, func(t *testing.T) (ports.Provider, portstest.FarEnd) {
		far := openSimulator(t)
		return far.adapter, far
	})
}

// farEnd is the simulator, with a network in between that can break answers.
type farEnd struct {
	adapter *stripe.Adapter
	origin  string
	client  *http.Client

	mu    sync.Mutex
	wreck portstest.Fault // of the next answer; empty for none
}

var _ portstest.FarEnd = (*farEnd)(nil)

func openSimulator(t *testing.T) *farEnd {
	t.Helper()
	return openSimulatorWith(t, simulator.Options{})
}

func openSimulatorWith(t *testing.T, options simulator.Options) *farEnd {
	t.Helper()
	options.Stripe = []simulator.StripeAccount{{SecretKey: secretKey, PublishableKey: publishableKey, WebhookSecrets: []string{webhookSecret}}}
	simulated, err := simulator.New(options)
	require.NoError(t, err)
	server := httptest.NewServer(simulated.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections() // some are held on purpose
		server.Close()
		simulated.Close()
	})
	far := &farEnd{origin: server.URL, client: server.Client()}
	far.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	far.adapter, err = stripe.New(stripe.Options{
		Account: "stripe", Environment: core.EnvTest, SecretKey: secretKey, PublishableKey: publishableKey,
		WebhookSecrets: []string{webhookSecret}, APIBase: server.URL + "/stripe",
		HTTPClient: &http.Client{Transport: wreckingTransport{far: far, base: &http.Transport{}}, Timeout: time.Minute},
	})
	require.NoError(t, err)
	return far
}

// Fault implements [portstest.FarEnd].
func (f *farEnd) Fault(t testing.TB, fault portstest.Fault) {
	t.Helper()
	name := string(fault)
	switch fault {
	case portstest.FaultHTML, portstest.FaultTruncated, portstest.FaultSlowBody:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.wreck = fault
		return
	case portstest.FaultBadGateway:
		name = "garbage"
	case portstest.FaultTimeoutBefore, portstest.FaultTimeoutAfterCommit, portstest.FaultError500, portstest.FaultError429, portstest.FaultReset:
	}
	body, err := json.Marshal(map[string]any{"account": "stripe", "match": "/v1/", "fault": name, "count": 1})
	require.NoError(t, err)
	response, err := f.client.Post(f.origin+"/_control/faults", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// Effects implements [portstest.FarEnd]: every effect has an event.
func (f *farEnd) Effects(t testing.TB) int {
	t.Helper()
	var events struct {
		Data []struct {
			Type string `json:"type"`
		} `json:"data"`
	}
	f.read(t, "/_control/objects?account=stripe&type=event", &events)
	effects := 0
	for _, event := range events.Data {
		switch event.Type {
		case "payment_intent.created", "charge.captured", "payment_intent.canceled", "refund.created", "checkout.session.expired":
			effects++
		}
	}
	var pages struct {
		Data []json.RawMessage `json:"data"`
	}
	f.read(t, "/_control/objects?account=stripe&type=session", &pages) // of whose making Stripe tells no event
	return effects + len(pages.Data)
}

// Has implements [portstest.FarEnd].
func (f *farEnd) Has(card portstest.Card) bool { return cards[card] != "" }

// Keys implements [portstest.FarEnd].
func (f *farEnd) Keys(t testing.TB) []string {
	t.Helper()
	var requests struct {
		Data []struct {
			IdempotencyKey string `json:"idempotency_key"`
		} `json:"data"`
	}
	f.read(t, "/_control/requests", &requests)
	var keys []string
	for _, request := range requests.Data {
		if request.IdempotencyKey != "" {
			keys = append(keys, request.IdempotencyKey)
		}
	}
	return keys
}

func (f *farEnd) read(t testing.TB, path string, into any) {
	t.Helper()
	response, err := f.client.Get(f.origin + path)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, json.NewDecoder(response.Body).Decode(into))
}

// cards are Stripe's test numbers by what they do.
//
// Source: docs.stripe.com/testing.
var cards = map[portstest.Card]string{
	portstest.CardSucceeds:          "4242424242424242",
	portstest.CardDeclined:          "4000000000000002",
	portstest.CardInsufficientFunds: "4000000000009995",
	portstest.CardExpired:           "4000000000000069",
	portstest.CardIncorrectCVC:      "4000000000000127",
	portstest.CardProcessingError:   "4000000000000119",
	portstest.CardStolen:            "4000000000009979",
	portstest.Card3DS:               "4000000000003220",
	portstest.CardDisputed:          "4000000000000259",
}

// Confirm implements [portstest.FarEnd].
func (f *farEnd) Confirm(t testing.TB, session ports.PaymentSession, card portstest.Card) {
	t.Helper()
	if session.Action.Type == ports.ActionRedirect {
		at, err := url.Parse(session.Action.URL)
		require.NoError(t, err)
		f.browse(t, at.Path, session, url.Values{
			"number": {cards[card]}, "cvc": {"123"}, "exp_month": {"12"}, "exp_year": {strconv.Itoa(time.Now().Year() + 2)},
		})
		return
	}
	f.browse(t, "/stripe/v1/payment_intents/"+session.Snapshot.Ref.ID+"/confirm", session, url.Values{
		"return_url":                           {"https://shop.example/return"},
		"payment_method_data[type]":            {"card"},
		"payment_method_data[card][number]":    {cards[card]},
		"payment_method_data[card][cvc]":       {"123"},
		"payment_method_data[card][exp_month]": {"12"},
		"payment_method_data[card][exp_year]":  {strconv.Itoa(time.Now().Year() + 2)},
	})
}

// Authenticate implements [portstest.FarEnd].
func (f *farEnd) Authenticate(t testing.TB, session ports.PaymentSession, passes bool) {
	t.Helper()
	outcome := "fail"
	if passes {
		outcome = "complete"
	}
	f.browse(t, "/stripe/v1/3ds2/authenticate", session, url.Values{"source": {session.Snapshot.Ref.ID}, "outcome": {outcome}})
}

// browse makes a call as the provider's frame in the buyer's browser does. A decline is an
// answer like any other.
func (f *farEnd) browse(t testing.TB, path string, session ports.PaymentSession, form url.Values) {
	t.Helper()
	form.Set("key", publishableKey)
	form.Set("client_secret", session.Action.ClientSecret)
	response, err := f.client.PostForm(f.origin+path, form)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Contains(t, []int{http.StatusOK, http.StatusPaymentRequired, http.StatusSeeOther}, response.StatusCode, "%s", text)
}

// wreckingTransport breaks an answer that came.
type wreckingTransport struct {
	far  *farEnd
	base http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (w wreckingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	w.far.mu.Lock()
	wreck := w.far.wreck
	w.far.wreck = ""
	w.far.mu.Unlock()
	response, err := w.base.RoundTrip(request)
	if err != nil || wreck == "" {
		return response, err
	}
	text, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	half := strings.NewReader(string(text[:len(text)/2]))
	switch wreck {
	case portstest.FaultHTML:
		response.StatusCode, response.Status = http.StatusOK, "200 OK"
		response.Header = http.Header{"Content-Type": {"text/html"}}
		response.Body = io.NopCloser(strings.NewReader("<!doctype html><title>Please sign in</title>"))
	case portstest.FaultTruncated:
		response.Body = io.NopCloser(io.MultiReader(half, failingReader{io.ErrUnexpectedEOF}))
	case portstest.FaultSlowBody:
		response.Body = io.NopCloser(io.MultiReader(half, endlessReader{request}))
	default:
		return nil, errors.New("no such wreck")
	}
	response.ContentLength = -1
	return response, nil
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// endlessReader gives nothing for as long as anybody waits.
type endlessReader struct{ request *http.Request }

func (r endlessReader) Read([]byte) (int, error) {
	<-r.request.Context().Done()
	return 0, r.request.Context().Err()
}

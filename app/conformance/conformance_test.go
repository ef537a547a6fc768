package conformance_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator"
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// accountVariable names the account whose sandbox is held to the suite.
const accountVariable = "PAYDESK_CONFORMANCE_ACCOUNT"

// buyer is whoever pays at one provider: by the calls that its sandbox gives testers, which
// the simulator knows as well.
type buyer interface {
	// has gives what does what a card is known for here; empty for nothing.
	has(portstest.Card) string
	// key gives the idempotency key of a request, and mutates whether it is meant to have an
	// effect.
	key(*http.Request, []byte) string
	mutates(*http.Request) bool
	// outage is what the provider answers when it is down or was asked too much.
	outage(status int) string
	confirm(testing.TB, ports.PaymentSession, portstest.Card)
	authenticate(t testing.TB, session ports.PaymentSession, passes bool)
	source(testing.TB, portstest.Card, core.Money) string
	saver
}

// buyers makes the buyer of an account.
var buyers = map[core.ProviderName]func(app.Account) buyer{
	core.ProviderStripe: newStripeBuyer, core.ProviderPayPal: newPayPalBuyer, core.ProviderSquare: newSquareBuyer,
}

// farEnd is a provider at the end of a wire, with a buyer.
type farEnd struct {
	*portstest.Wire
	buyer
}

var _ portstest.SourceFarEnd = farEnd{}

// Has implements [portstest.FarEnd].
func (f farEnd) Has(card portstest.Card) bool { return f.has(card) != "" }

// Confirm implements [portstest.FarEnd].
func (f farEnd) Confirm(t testing.TB, session ports.PaymentSession, card portstest.Card) {
	t.Helper()
	f.confirm(t, session, card)
}

// Authenticate implements [portstest.FarEnd].
func (f farEnd) Authenticate(t testing.TB, session ports.PaymentSession, passes bool) {
	t.Helper()
	f.authenticate(t, session, passes)
}

// Source implements [portstest.SourceFarEnd].
func (f farEnd) Source(t testing.TB, card portstest.Card, amount core.Money) string {
	t.Helper()
	return f.source(t, card, amount)
}

// simulatedEnd is the far end of a simulated account, whose time can be moved.
type simulatedEnd struct {
	farEnd
	account core.AccountName
	control string // where the simulator takes its control calls
}

// Elapse implements [portstest.Timely].
func (s simulatedEnd) Elapse(t testing.TB, by time.Duration) {
	t.Helper()
	status, text := postJSON(t, s.control+"/clock/advance", map[string]string{"by": by.String()}, nil)
	require.Equal(t, http.StatusOK, status, "%s", text)
}

// sandboxEnd is the far end of a real sandbox: its bank and its pages want a person.
type sandboxEnd struct{ farEnd }

// Has implements [portstest.FarEnd].
func (s sandboxEnd) Has(card portstest.Card) bool {
	return card != portstest.Card3DS && card != portstest.Card3DSOffSession && s.farEnd.Has(card)
}

// StaysAway implements [portstest.PageShy].
func (s sandboxEnd) StaysAway() {}

// open makes an account's adapter, with a wire of its own.
func open(t *testing.T, config app.Config, account app.Account) (app.Adapter, farEnd) {
	t.Helper()
	newBuyer, known := buyers[account.Provider]
	require.True(t, known, account.Provider)
	end := farEnd{buyer: newBuyer(account)}
	end.Wire = &portstest.Wire{Base: &http.Transport{Proxy: http.ProxyFromEnvironment}, Key: end.key, Mutates: end.mutates, Outage: end.outage}
	adapter, err := app.NewAdapter(config, account, &http.Client{Transport: end.Wire, Timeout: time.Minute})
	require.NoError(t, err)
	return adapter, end
}

// credentials are those that the simulator and the adapters are given.
var credentials = map[string]string{
	"PAYDESK_STRIPE_SECRET_KEY": "sk_test_simulated", "PAYDESK_STRIPE_PUBLISHABLE_KEY": "pk_test_simulated", "PAYDESK_STRIPE_WEBHOOK_SECRETS": "whsec_simulated",
	"PAYDESK_PAYPAL_CLIENT_ID": "client", "PAYDESK_PAYPAL_CLIENT_SECRET": "secret", "PAYDESK_PAYPAL_WEBHOOK_ID": "WH-1",
	"PAYDESK_SQUARE_ACCESS_TOKEN": "token", "PAYDESK_SQUARE_APPLICATION_ID": "sandbox-sq0idb-x", "PAYDESK_SQUARE_LOCATION_ID": "L1",
	"PAYDESK_SQUARE_WEBHOOK_KEYS": "key",
}

// simulated is the configuration of accounts at a simulator of their own, which posts webhooks
// to an address; empty for nowhere.
func simulated(t *testing.T, paydeskURL string) app.Config {
	t.Helper()
	sim, err := simulator.New(simulator.Options{
		PaydeskURL: paydeskURL,
		Stripe: []simulator.StripeAccount{{
			SecretKey: credentials["PAYDESK_STRIPE_SECRET_KEY"], PublishableKey: credentials["PAYDESK_STRIPE_PUBLISHABLE_KEY"],
			WebhookSecrets: []string{credentials["PAYDESK_STRIPE_WEBHOOK_SECRETS"]},
		}},
		PayPal: []simulator.PayPalAccount{{
			ClientID: credentials["PAYDESK_PAYPAL_CLIENT_ID"], ClientSecret: credentials["PAYDESK_PAYPAL_CLIENT_SECRET"],
			WebhookID: credentials["PAYDESK_PAYPAL_WEBHOOK_ID"],
		}},
		Square: []simulator.SquareAccount{{
			AccessToken: credentials["PAYDESK_SQUARE_ACCESS_TOKEN"], ApplicationID: credentials["PAYDESK_SQUARE_APPLICATION_ID"],
			LocationID: credentials["PAYDESK_SQUARE_LOCATION_ID"], WebhookKeys: []string{credentials["PAYDESK_SQUARE_WEBHOOK_KEYS"]},
		}},
	})
	require.NoError(t, err)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections() // some wait for nothing
		server.Close()
		sim.Close()
	})
	config, err := app.ReadConfig(func(name string) (string, bool) {
		if provider, ok := strings.CutSuffix(name, "_API_BASE"); ok {
			return server.URL + "/" + strings.ToLower(strings.TrimPrefix(provider, "PAYDESK_")), true
		}
		if name == "PAYDESK_PUBLIC_URL" && paydeskURL != "" {
			return paydeskURL, true
		}
		value, ok := credentials[name]
		return value, ok
	}, nil)
	require.NoError(t, err)
	return config.TrustingWebhooks(sim.WebhookRoots())
}

// openSimulated makes the adapter of an account at a simulator of its own, which posts webhooks to
// an address; empty for nowhere.
func openSimulated(t *testing.T, provider core.ProviderName, paydeskURL string) (app.Adapter, simulatedEnd) {
	t.Helper()
	config := simulated(t, paydeskURL)
	account := config.Account(core.AccountName(provider))
	adapter, end := open(t, config, account)
	return adapter, simulatedEnd{end, account.Name, strings.TrimSuffix(account.APIBase(), "/"+string(provider)) + "/_control"}
}

// TestSimulated holds the adapters of all providers to the suite.
func TestSimulated(t *testing.T) {
	t.Parallel()
	for provider := range buyers {
		t.Run(string(provider), func(t *testing.T) {
			t.Parallel()
			portstest.RunProvider(t, func(t *testing.T) (ports.Provider, portstest.FarEnd) {
				return openSimulated(t, provider, "")
			})
		})
	}
}

// TestSandbox holds one account at a real sandbox to it.
func TestSandbox(t *testing.T) {
	t.Parallel()
	name := os.Getenv(accountVariable)
	if name == "" {
		t.Skip("no account is named: make conformance ACCOUNT=name")
	}
	config, err := app.ReadConfig(os.LookupEnv, nil)
	require.NoError(t, err)
	require.Equal(t, core.EnvTest, config.Environment, "money is not tested with")
	account := config.Account(core.AccountName(name))
	require.NotEmpty(t, account.Name, "account %q is not configured", name)
	portstest.RunProvider(t, func(t *testing.T) (ports.Provider, portstest.FarEnd) {
		adapter, end := open(t, config, account)
		return adapter, sandboxEnd{end}
	})
}

// answerBytesMax is how much of an answer to the buyer is read.
const answerBytesMax = 1 << 20

// post makes one of the buyer's calls and gives the answer's status and body. A decline is an
// answer like any other.
func post(t testing.TB, address, kind, body string, header map[string]string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", kind)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	require.NoError(t, err)
	return response.StatusCode, text
}

func postForm(t testing.TB, address string, form url.Values, header map[string]string) (int, []byte) {
	t.Helper()
	return post(t, address, "application/x-www-form-urlencoded", form.Encode(), header)
}

func postJSON(t testing.TB, address string, body any, header map[string]string) (int, []byte) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return post(t, address, "application/json", string(text), header)
}

// payThere pays with a card on a page of the simulated provider's own.
func payThere(t testing.TB, address, number string) {
	t.Helper()
	form := url.Values{"number": {number}, "cvc": {"123"}, "exp_month": {"12"}, "exp_year": {"2034"}}
	status, text := postForm(t, address, form, nil)
	if bytes.Contains(text, []byte("complete-authentication")) {
		status, text = postForm(t, address, url.Values{"outcome": {"complete"}}, nil)
	}
	require.Contains(t, []int{http.StatusOK, http.StatusSeeOther}, status, "%s", text)
}

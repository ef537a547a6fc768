// Package stripe translates between Paydesk's ports and Stripe's API of version
// 2023-10-16. It only translates: no retries, no state, no judgement, and no error text
// that holds anything Stripe or the network sent, beyond Stripe's own codes and ids.
package stripe

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	stripesdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Options configure an account at Stripe.
type Options struct {
	Account     core.AccountName
	Environment core.Environment
	// SecretKey is a secret or restricted key of the environment ("sk_test_…", "rk_live_…").
	SecretKey string
	// PublishableKey is what the buyer's browser names the account by; where it is empty
	// nobody can pay on the hosted page.
	PublishableKey string
	// WebhookSecrets are the endpoint's signing secrets, each as Stripe shows it, the
	// "whsec_" included. Any of them verifies; with none, no webhook is accepted.
	WebhookSecrets []string
	// APIBase is where the API is; a "/v1" at its end counts for nothing. Empty for Stripe
	// itself.
	APIBase string
	// FilesBase is where files are sent, in the same form. Empty for APIBase where that is set,
	// else for Stripe itself.
	FilesBase string
	// HTTPClient makes the calls; nil for one of the adapter's own. Its transport must
	// report to net/http/httptrace, as net/http's does.
	HTTPClient *http.Client
}

// The variables that options come from, for whoever has to mend one.
const (
	variableSecretKey      = "PAYDESK_STRIPE_SECRET_KEY" //nolint:gosec // the name of a variable
	variablePublishableKey = "PAYDESK_STRIPE_PUBLISHABLE_KEY"
	variableWebhookSecrets = "PAYDESK_STRIPE_WEBHOOK_SECRETS" //nolint:gosec // likewise
	variableAPIBase        = "PAYDESK_STRIPE_API_BASE"
	variableFilesBase      = "PAYDESK_STRIPE_FILES_BASE"
)

// Adapter is one account at Stripe. It is safe for concurrent use.
type Adapter struct {
	account core.AccountName
	env     core.Environment
	api     *client.API
	secrets []*outbound.MACKey
	can     ports.Capabilities
	browser ports.BrowserConfig
}

var (
	_ ports.BrowserProvider  = (*Adapter)(nil)
	_ ports.Refunder         = (*Adapter)(nil)
	_ ports.Disputer         = (*Adapter)(nil)
	_ ports.Subscriber       = (*Adapter)(nil)
	_ ports.Hoster           = (*Adapter)(nil)
	_ ports.WebhookVerifier  = (*Adapter)(nil)
	_ ports.EventLister      = (*Adapter)(nil)
	_ ports.ObjectLister     = (*Adapter)(nil)
	_ ports.WebhookRegistrar = (*Adapter)(nil)
)

// New makes the adapter. It calls nobody. An error names the variable to mend and never
// repeats a key.
func New(options Options) (*Adapter, error) {
	if options.Account == "" {
		return nil, errors.New("account has no name")
	}
	if _, err := core.ParseEnvironment(string(options.Environment)); err != nil {
		return nil, fmt.Errorf("environment of account %q: %w", options.Account, err)
	}
	if err := checkKeys(options); err != nil {
		return nil, err
	}
	base, err := parseBase(variableAPIBase, options.APIBase, stripeAPIHost, options.Environment)
	if err != nil {
		return nil, err
	}
	files := base
	if options.FilesBase != "" {
		if files, err = parseBase(variableFilesBase, options.FilesBase, stripeFilesHost, options.Environment); err != nil {
			return nil, err
		}
	}
	return &Adapter{
		account: options.Account,
		env:     options.Environment,
		api:     client.New(options.SecretKey, backends(options.HTTPClient, base, files)),
		secrets: outbound.MACKeys(options.WebhookSecrets),
		can:     capabilities(),
		browser: browserConfig(options.PublishableKey, base),
	}, nil
}

// Account implements [ports.Provider] and [ports.WebhookVerifier].
func (a *Adapter) Account() core.AccountName { return a.account }

// Name implements [ports.Provider].
func (a *Adapter) Name() core.ProviderName { return core.ProviderStripe }

// checkKeys holds the keys to the environment by their prefixes.
func checkKeys(options Options) error {
	env := string(options.Environment)
	if !hasPrefix(options.SecretKey, "sk_"+env+"_", "rk_"+env+"_") {
		return fmt.Errorf("%s: must be a key of the %s environment, starting with sk_%s_ or rk_%s_", variableSecretKey, env, env, env)
	}
	if options.PublishableKey != "" && !hasPrefix(options.PublishableKey, "pk_"+env+"_") {
		return fmt.Errorf("%s: must be a key of the %s environment, starting with pk_%s_", variablePublishableKey, env, env)
	}
	for _, key := range []struct{ variable, value string }{
		{variableSecretKey, options.SecretKey}, {variablePublishableKey, options.PublishableKey},
	} {
		if strings.ContainsFunc(key.value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("%s: holds a character that no key has", key.variable)
		}
	}
	if slices.Contains(options.WebhookSecrets, "") {
		return fmt.Errorf("%s: holds an empty secret, with which anybody could sign", variableWebhookSecrets)
	}
	return nil
}

func hasPrefix(key string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		return strings.HasPrefix(key, prefix) && len(key) > len(prefix)
	})
}

// parseBase reads where the API, or what takes files, is; nil for Stripe itself. Real money goes over TLS and
// to no address of this machine.
func parseBase(variable, text, ownHost string, env core.Environment) (*url.URL, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no base is Stripe's own
	}
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("%s: must be an http or https URL of a host and perhaps a path", variable)
	}
	if env == core.EnvLive && (base.Scheme != "https" || isLoopback(base.Hostname())) {
		return nil, fmt.Errorf("%s: must be https and not this machine where money is real", variable)
	}
	base.Path = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/v1"), "/")
	if base.Host == ownHost && base.Path == "" {
		return nil, nil //nolint:nilnil // as above
	}
	return base, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// backends gives the SDK three backends with a configuration each: with a shared one,
// file uploads would go to the API's host.
func backends(given *http.Client, base, files *url.URL) *stripesdk.Backends {
	httpClient := outbound.Client(given)
	config := func(base *url.URL) *stripesdk.BackendConfig {
		c := &stripesdk.BackendConfig{
			EnableTelemetry:   new(false),
			HTTPClient:        httpClient,
			LeveledLogger:     &stripesdk.LeveledLogger{Level: stripesdk.LevelNull},
			MaxNetworkRetries: stripesdk.Int64(0), // whether to send again is decided where the operation is known
		}
		if base != nil {
			c.URL = new(base.String())
		}
		return c
	}
	return &stripesdk.Backends{
		API:     stripesdk.GetBackendWithConfig(stripesdk.APIBackend, config(base)),
		Connect: stripesdk.GetBackendWithConfig(stripesdk.ConnectBackend, config(base)),
		Uploads: stripesdk.GetBackendWithConfig(stripesdk.UploadsBackend, config(files)),
	}
}

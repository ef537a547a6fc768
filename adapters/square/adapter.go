// Package square translates between Paydesk's ports and Square's REST API of version
// 2025-08-20, by a small client of its own. It only translates: no retries, no state, no
// judgement, and no error text that holds anything Square or the network sent, beyond Square's
// own codes and ids.
//
// A payment comes to be with its confirmation: the buyer's browser makes a one-time token of
// the card, and our server creates the payment with it. At a page of Square's own, a payment
// link, it comes to be by the buyer's payment of the order that the link was made for.
package square

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Options configure an account at Square.
type Options struct {
	Account     core.AccountName
	Environment core.Environment
	// AccessToken needs the rights to read and write payments, orders, disputes, customers, items,
	// subscriptions and invoices.
	AccessToken   string
	ApplicationID string // made to be seen by browsers
	LocationID    string // the shop whose payments these are
	// WebhookKeys are the signature keys of the webhook's subscription; any of them verifies,
	// and with none no webhook is accepted.
	WebhookKeys []string
	// WebhookURL is the address that the subscription names, to the byte: it is signed.
	WebhookURL string
	// APIBase is where the API is; empty for Square itself, in live or the sandbox.
	APIBase string
	// HTTPClient makes the calls; nil for one of the adapter's own.
	HTTPClient *http.Client
}

// Where Square is.
const (
	liveAPI       = "https://connect.squareup.com"
	sandboxAPI    = "https://connect.squareupsandbox.com"
	liveScript    = "https://web.squarecdn.com"
	sandboxScript = "https://sandbox.web.squarecdn.com"
)

// keyKept is what is relied on: Square tells nobody how long it remembers a key.
const keyKept = 24 * time.Hour

// currencies are those of the countries that Square serves.
//
// Source: developer.squareup.com/docs/international-development.
var currencies = map[core.Currency]bool{"AUD": true, "CAD": true, "EUR": true, "GBP": true, "JPY": true, "USD": true}

// Adapter is one account at Square. It is safe for concurrent use.
type Adapter struct {
	account  core.AccountName
	env      core.Environment
	api      *client
	location string
	keys     []*outbound.MACKey
	signed   []byte // address that is signed together with each post
	browser  ports.BrowserConfig
}

var (
	_ ports.BrowserProvider  = (*Adapter)(nil)
	_ ports.Confirmer        = (*Adapter)(nil)
	_ ports.Refunder         = (*Adapter)(nil)
	_ ports.Disputer         = (*Adapter)(nil)
	_ ports.Subscriber       = (*Adapter)(nil)
	_ ports.Hoster           = (*Adapter)(nil)
	_ ports.WebhookVerifier  = (*Adapter)(nil)
	_ ports.EventLister      = (*Adapter)(nil)
	_ ports.ObjectLister     = (*Adapter)(nil)
	_ ports.WebhookRegistrar = (*Adapter)(nil)
)

// New makes the adapter. It calls nobody. An error names the option to mend and never
// repeats a secret.
func New(options Options) (*Adapter, error) {
	if options.Account == "" {
		return nil, errors.New("account has no name")
	}
	live := options.Environment == core.EnvLive
	if _, err := core.ParseEnvironment(string(options.Environment)); err != nil {
		return nil, fmt.Errorf("environment of account %q: %w", options.Account, err)
	}
	for name, value := range map[string]string{"access token": options.AccessToken, "application id": options.ApplicationID, "location id": options.LocationID} {
		if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("%s: must be set, without spaces", name)
		}
	}
	if strings.HasPrefix(options.ApplicationID, "sandbox-") == live {
		return nil, errors.New("application id: must be of the environment; those of the sandbox start with sandbox-")
	}
	if at, err := url.Parse(options.WebhookURL); err != nil || at.Host == "" {
		return nil, errors.New("webhook URL: must be the address that the subscription names")
	}
	if slices.Contains(options.WebhookKeys, "") {
		return nil, errors.New("webhook keys: one is empty, with which anybody could sign")
	}
	base, err := parseBase(options.APIBase, live)
	if err != nil {
		return nil, err
	}
	return &Adapter{
		account: options.Account, env: options.Environment, location: options.LocationID,
		api:  &client{http: outbound.Client(options.HTTPClient), base: base, token: options.AccessToken},
		keys: outbound.MACKeys(options.WebhookKeys), signed: []byte(options.WebhookURL), browser: browserConfig(options, base),
	}, nil
}

// parseBase reads where the API is. Real money goes to Square's own address alone, and test
// money never there.
func parseBase(text string, live bool) (string, error) {
	own := sandboxAPI
	if live {
		own = liveAPI
	}
	if text == "" {
		return own, nil
	}
	base := strings.TrimRight(text, "/")
	at, err := url.Parse(base)
	switch {
	case err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.User != nil || at.RawQuery != "":
		return "", errors.New("API base: must be an http or https URL of a host and perhaps a path")
	case live && base != liveAPI:
		return "", errors.New("API base: must be Square's own address in live")
	case !live && base == liveAPI:
		return "", errors.New("API base: is that of real money")
	}
	return base, nil
}

// browserConfig tells what the page needs: Square's own script, or the one that stands
// beside an API elsewhere.
//
// Source: developer.squareup.com/docs/web-payments/content-security-policy; the list of hosts
// is not known to be whole.
func browserConfig(options Options, base string) ports.BrowserConfig {
	config := ports.BrowserConfig{Provider: core.ProviderSquare, PublishableKey: options.ApplicationID, LocationID: options.LocationID}
	var script, pci string
	switch base {
	case liveAPI:
		script, pci = liveScript, "https://pci-connect.squareup.com"
	case sandboxAPI:
		script, pci = sandboxScript, "https://pci-connect.squareupsandbox.com"
	default:
		at, _ := url.Parse(base) // it was parsed before
		origin := at.Scheme + "://" + at.Host
		config.ScriptURL = base + "/v1/square.js"
		config.ScriptSources, config.FrameSources, config.ConnectSources = []string{origin}, []string{origin}, []string{origin}
		return config
	}
	config.ScriptURL, config.NeedsInlineStyles = script+"/v1/square.js", true
	config.ScriptSources, config.StyleSources = []string{script}, []string{script}
	config.FrameSources = []string{script, base, "https://api.squareup.com", "https://*.cardinalcommerce.com"}
	config.ConnectSources = []string{script, pci, "https://o160250.ingest.sentry.io"}
	config.FontSources = []string{"https://square-fonts-production-f.squarecdn.com", "https://d1g145x70srn7h.cloudfront.net"}
	return config
}

// Account implements [ports.Provider] and [ports.WebhookVerifier].
func (a *Adapter) Account() core.AccountName { return a.account }

// Name implements [ports.Provider].
func (a *Adapter) Name() core.ProviderName { return core.ProviderSquare }

// Capabilities implements [ports.Provider]. Square's own page only takes money, it holds none.
//
// Source: developer.squareup.com/forums/t/payment-link-with-authorization-only/11076.
func (a *Adapter) Capabilities() ports.Capabilities {
	return ports.Capabilities{
		Confirm: ports.ConfirmWithSource, ManualCapture: true, PartialCapture: true, Hosted: true, Refund: true, ListPayments: true,
		EventsKept: eventsKept, Lists: listAbilities(), Webhooks: true,
		KeyKept: keyKept, Currencies: maps.Clone(currencies), Disputes: disputeAbilities(), Vault: true, Subscriptions: subscriptionAbilities(),
	}
}

// Browser implements [ports.BrowserProvider].
func (a *Adapter) Browser() ports.BrowserConfig {
	config := a.browser
	for _, list := range []*[]string{&config.ScriptSources, &config.FrameSources, &config.ConnectSources, &config.StyleSources, &config.FontSources} {
		*list = slices.Clone(*list)
	}
	return config
}

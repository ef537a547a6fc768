// Package paypal translates between Paydesk's ports and PayPal's Orders, Payments,
// Disputes, Vault, Subscriptions and Transaction Search APIs. It only translates: no retries,
// no state but an access token and the certificates that webhooks are signed with, no
// judgement, and no error text that holds anything PayPal or the network sent, beyond PayPal's
// own codes and ids.
//
// A payment is known by its order. The buyer agrees to the order at PayPal, and our server
// then captures or authorizes it: nobody else can take its money. What a subscription's
// billing takes has no order: such a payment, and what stands for its invoice, are known by
// the id of PayPal's transaction.
package paypal

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Options configure an account at PayPal.
type Options struct {
	Account      core.AccountName
	Environment  core.Environment
	ClientID     string // made to be seen by browsers
	ClientSecret string
	// WebhookID is what PayPal calls the webhook's subscription; it is signed. Without it no
	// webhook is accepted.
	WebhookID string
	// WebhookVerification is how webhooks are checked: [VerifyByCertificate], also where it is
	// empty, or [VerifyByAPI].
	WebhookVerification string
	// WebhookRoots are certificates in PEM that webhooks' certificates may lead to beside those
	// that this machine trusts. Never with real money.
	WebhookRoots []byte
	// WebhookIntermediates are certificates in PEM that help to find the way to a trusted one,
	// for those that PayPal does not send along. They are not trusted by themselves.
	WebhookIntermediates []byte
	// APIBase is where the API is; empty for PayPal itself, in live or the sandbox.
	APIBase string
	// HTTPClient makes the calls; nil for one of the adapter's own. Its transport must report
	// to net/http/httptrace, as net/http's does.
	HTTPClient *http.Client
	// Now is the wall clock, for how long a token or a hold is good; nil for the machine's.
	Now func() time.Time
}

// The ways to check a webhook.
const (
	// VerifyByCertificate checks the signature here, with the certificate that PayPal
	// publishes for it.
	VerifyByCertificate = "certificate"
	// VerifyByAPI asks PayPal about each.
	VerifyByAPI = "api"
)

// Where PayPal is.
const (
	liveAPI        = "https://api-m.paypal.com"
	liveAPIOlder   = "https://api.paypal.com"
	sandboxAPI     = "https://api-m.sandbox.paypal.com"
	sandboxOlder   = "https://api.sandbox.paypal.com"
	scriptHost     = "https://www.paypal.com" // of the sandbox, too: the client id decides
	payPalDomain   = "paypal.com"
	sandboxElement = "sandbox"
)

// Adapter is one account at PayPal. It is safe for concurrent use.
type Adapter struct {
	account      core.AccountName
	env          core.Environment
	api          *client
	now          func() time.Time
	host         string // of the API, with its port
	elsewhere    bool   // the API is not PayPal's own
	webhookID    string
	certificates *certificates // nil with VerifyByAPI
	certHosts    certificateHosts
	can          ports.Capabilities
	browser      ports.BrowserConfig
}

var (
	_ ports.BrowserProvider = (*Adapter)(nil)
	_ ports.Confirmer       = (*Adapter)(nil)
	_ ports.Refunder        = (*Adapter)(nil)
	_ ports.Disputer        = (*Adapter)(nil)
	_ ports.Subscriber      = (*Adapter)(nil)
	_ ports.Hoster          = (*Adapter)(nil)
	_ ports.WebhookVerifier = (*Adapter)(nil)
)

// New makes the adapter. It calls nobody. An error names the option to mend and never
// repeats a secret.
func New(options Options) (*Adapter, error) {
	if err := checkOptions(options); err != nil {
		return nil, err
	}
	live := options.Environment == core.EnvLive
	base, err := parseBase(options.APIBase, live)
	if err != nil {
		return nil, err
	}
	now := options.Now
	if now == nil {
		now = time.Now
	}
	at, err := url.Parse(base)
	if err != nil {
		return nil, errBase
	}
	a := &Adapter{
		account: options.Account, env: options.Environment, now: now, host: strings.ToLower(at.Host), elsewhere: !isPayPals(at.Hostname()),
		webhookID: options.WebhookID, can: capabilities(), browser: browserConfig(options.ClientID, base, at),
	}
	a.api = newClient(options, base, now)
	a.certHosts = newCertificateHosts(base, a.elsewhere, live)
	roots, intermediates, err := trusted(options, a.elsewhere)
	if err != nil {
		return nil, err
	}
	if options.WebhookVerification != VerifyByAPI {
		a.certificates = newCertificates(outbound.Client(options.HTTPClient), roots, intermediates, live)
	}
	return a, nil
}

// Account implements [ports.Provider] and [ports.WebhookVerifier].
func (a *Adapter) Account() core.AccountName { return a.account }

// Name implements [ports.Provider].
func (a *Adapter) Name() core.ProviderName { return core.ProviderPayPal }

func checkOptions(options Options) error {
	if options.Account == "" {
		return errors.New("account has no name")
	}
	if _, err := core.ParseEnvironment(string(options.Environment)); err != nil {
		return fmt.Errorf("environment of account %q: %w", options.Account, err)
	}
	for _, option := range []struct {
		name, value string
		optional    bool
	}{
		{"client id", options.ClientID, false}, {"client secret", options.ClientSecret, false}, {"webhook id", options.WebhookID, true},
	} {
		if option.value == "" && !option.optional || strings.ContainsFunc(option.value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("%s: must be set, without spaces", option.name)
		}
	}
	if strings.Contains(options.WebhookID, "|") {
		return errors.New("webhook id: holds a character that none has") // it parts what is signed
	}
	switch options.WebhookVerification {
	case "", VerifyByCertificate, VerifyByAPI:
	default:
		return fmt.Errorf("webhook verification: must be %q or %q", VerifyByCertificate, VerifyByAPI)
	}
	if options.Environment == core.EnvLive && len(options.WebhookRoots) > 0 {
		return errors.New("webhook roots: must be empty in live, where what this machine trusts decides")
	}
	return nil
}

var errBase = errors.New("API base: must be an http or https URL of a host and perhaps a path")

// parseBase reads where the API is. Real money goes to PayPal's own addresses alone, and test
// money never there.
func parseBase(text string, live bool) (string, error) {
	own, older := sandboxAPI, sandboxOlder
	if live {
		own, older = liveAPI, liveAPIOlder
	}
	if text == "" {
		return own, nil
	}
	base := strings.TrimRight(text, "/")
	at, err := url.Parse(base)
	switch {
	case err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.User != nil || at.RawQuery != "" || at.ForceQuery || at.Fragment != "":
		return "", errBase
	case base == own || base == older:
		return base, nil
	case live:
		return "", errors.New("API base: must be PayPal's own address in live")
	case isPayPals(at.Hostname()):
		return "", errors.New("API base: is that of real money, or none of PayPal's API")
	}
	return base, nil
}

// isPayPals reports whether a host is one of PayPal's.
func isPayPals(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == payPalDomain || strings.HasSuffix(host, "."+payPalDomain)
}

// trusted gives what webhooks' certificates may lead to, and by which others. No roots are
// those that this machine trusts; beside an API elsewhere, they are the given ones alone.
func trusted(options Options, elsewhere bool) (roots, intermediates *x509.CertPool, err error) {
	if elsewhere {
		roots = x509.NewCertPool()
	} else if len(options.WebhookRoots) > 0 {
		if roots, err = x509.SystemCertPool(); err != nil {
			return nil, nil, fmt.Errorf("webhook roots: what this machine trusts cannot be read: %w", err)
		}
	}
	if len(options.WebhookRoots) > 0 && !roots.AppendCertsFromPEM(options.WebhookRoots) {
		return nil, nil, errors.New("webhook roots: must be certificates in PEM")
	}
	intermediates = x509.NewCertPool()
	if len(options.WebhookIntermediates) > 0 && !intermediates.AppendCertsFromPEM(options.WebhookIntermediates) {
		return nil, nil, errors.New("webhook intermediates: must be certificates in PEM")
	}
	return roots, intermediates, nil
}

package app

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/core"
)

// Account is one set of credentials at one provider, and when it is offered. Of the
// providers' parts that of its own provider alone is set.
type Account struct {
	Name     core.AccountName
	Provider core.ProviderName
	Stripe   StripeConfig
	PayPal   PayPalConfig
	Square   SquareConfig
	Rules    core.AccountRules
}

// StripeConfig is an account at Stripe.
type StripeConfig struct {
	SecretKey      string
	PublishableKey string
	WebhookSecrets []string
	APIBase        string // empty means Stripe itself
	FilesBase      string // where files are sent; empty means APIBase, or Stripe itself
}

// PayPalConfig is an account at PayPal.
type PayPalConfig struct {
	ClientID     string
	ClientSecret string
	WebhookID    string
	// WebhookVerification is "certificate" or "api"; empty means the first.
	WebhookVerification string
	// WebhookIntermediates and WebhookRoots are certificates in PEM, beside those of PayPal's
	// answers and the system's; empty for none.
	WebhookIntermediates []byte
	WebhookRoots         []byte
	APIBase              string // empty means PayPal itself, in live or the sandbox
}

// SquareConfig is an account at Square.
type SquareConfig struct {
	AccessToken   string
	ApplicationID string
	LocationID    string
	WebhookKeys   []string
	WebhookURL    string // empty means the public URL's
	APIBase       string // empty means Square itself, in live or the sandbox
}

// accounts puts the accounts of the variables and those of the file together. A variable's
// account is named after its provider.
func (c Config) accounts(fromFile []Account) ([]Account, error) {
	var all []Account
	for _, short := range []struct {
		Account
		on bool
	}{
		{Account{Provider: core.ProviderStripe, Stripe: c.stripe}, c.stripe.SecretKey != ""},
		{Account{Provider: core.ProviderPayPal, PayPal: c.paypal}, c.paypal.ClientID != "" || c.paypal.ClientSecret != ""},
		{Account{Provider: core.ProviderSquare, Square: c.square}, c.square.AccessToken != ""},
	} {
		if !short.on {
			continue
		}
		short.Name = core.AccountName(short.Provider)
		if err := short.check(c.Environment, func(name string) string {
			return "PAYDESK_" + strings.ToUpper(string(short.Provider)+"_"+name)
		}); err != nil {
			return nil, err
		}
		all = append(all, short.Account)
	}
	for n, a := range fromFile {
		at := func(name string) string { return fmt.Sprintf("PAYDESK_CONFIG accounts[%d].%s", n, name) }
		if slices.ContainsFunc(all, func(other Account) bool { return other.Name == a.Name }) {
			return nil, &ConfigError{Variable: at("name"), Problem: "is the name of another account"}
		}
		if err := a.check(c.Environment, at); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// Account is the account of a name; the zero one where there is none.
func (c Config) Account(name core.AccountName) Account {
	for _, one := range c.Accounts {
		if one.Name == name {
			return one
		}
	}
	return Account{}
}

// TrustingWebhooks is the configuration with which accounts whose API is not PayPal's own, but
// a simulator's, believe webhooks that lead to these certificates, in PEM.
func (c Config) TrustingWebhooks(roots []byte) Config {
	c.Accounts = slices.Clone(c.Accounts)
	for n := range c.Accounts {
		one := &c.Accounts[n].PayPal
		at, err := url.Parse(one.APIBase)
		if c.Environment != core.EnvTest || one.APIBase == "" || err != nil || slices.Contains(paypalAPIs[core.EnvTest], strings.ToLower(at.Hostname())) {
			continue
		}
		one.WebhookRoots = slices.Concat(one.WebhookRoots, roots)
	}
	return c
}

// APIBase is where the account's provider is; empty for the provider itself.
func (a Account) APIBase() string {
	return cmp.Or(a.Stripe.APIBase, a.PayPal.APIBase, a.Square.APIBase)
}

// WebhookURL is the address that an account's webhooks are posted to.
func (c Config) WebhookURL(a Account) string {
	return cmp.Or(a.Square.WebhookURL, string(c.PublicURL)+"/webhooks/"+string(a.Name))
}

// check holds an account to the environment: test and live never mix.
func (a Account) check(env core.Environment, at field) error {
	switch a.Provider {
	case core.ProviderPayPal:
		return a.PayPal.check(env, at)
	case core.ProviderSquare:
		return a.Square.check(env, at)
	default:
		return a.Stripe.check(env, at)
	}
}

func (c StripeConfig) check(env core.Environment, at field) error {
	refuse := func(name, problem string) error { return &ConfigError{Variable: at(name), Problem: problem} }
	if !strings.HasPrefix(c.SecretKey, "sk_"+string(env)+"_") && !strings.HasPrefix(c.SecretKey, "rk_"+string(env)+"_") {
		return refuse("secret_key", fmt.Sprintf("must be a key of PAYDESK_ENV=%s, which starts with sk_%[1]s_ or rk_%[1]s_", env))
	}
	double := c.APIBase != "" // a test double may need no key for browsers
	if !strings.HasPrefix(c.PublishableKey, "pk_"+string(env)+"_") && !(c.PublishableKey == "" && double) {
		return refuse("publishable_key", fmt.Sprintf("must be set beside the secret key and start with pk_%s_", env))
	}
	if len(c.WebhookSecrets) == 0 {
		return refuse("webhook_secrets", "must hold the webhook endpoint's signing secret; without it no webhook can be trusted")
	}
	if env == core.EnvLive && c.APIBase != "" && c.APIBase != stripeAPI {
		return refuse("api_base", "must be unset in live, or Stripe's own address")
	}
	if env == core.EnvLive && c.FilesBase != "" && c.FilesBase != stripeFiles {
		return refuse("files_base", "must be unset in live, or Stripe's own address")
	}
	return nil
}

func (c PayPalConfig) check(env core.Environment, at field) error {
	refuse := func(name, problem string) error { return &ConfigError{Variable: at(name), Problem: problem} }
	switch {
	case c.ClientID == "":
		return refuse("client_id", "must be set")
	case c.ClientSecret == "":
		return refuse("client_secret", "must be set beside the client id")
	case c.WebhookID == "":
		return refuse("webhook_id", "must be the id of the webhook that is registered at PayPal; without it no webhook can be trusted")
	case !slices.Contains([]string{"", "certificate", "api"}, c.WebhookVerification):
		return refuse("webhook_verification", "must be certificate or api")
	case env == core.EnvLive && len(c.WebhookRoots) > 0:
		return refuse("webhook_roots", "must be unset in live: only the system's roots are trusted there")
	}
	return checkOwnBase(env, at, c.APIBase, "PayPal", paypalAPIs)
}

func (c SquareConfig) check(env core.Environment, at field) error {
	refuse := func(name, problem string) error { return &ConfigError{Variable: at(name), Problem: problem} }
	sandbox := strings.HasPrefix(c.ApplicationID, "sandbox-")
	switch {
	case c.AccessToken == "":
		return refuse("access_token", "must be set")
	case c.ApplicationID == "":
		return refuse("application_id", "must be set beside the access token")
	case sandbox && env == core.EnvLive:
		return refuse("application_id", "must be a live one; those that start with sandbox- are of test")
	case !sandbox && env == core.EnvTest:
		return refuse("application_id", "must be one of the sandbox, which starts with sandbox-")
	case c.LocationID == "":
		return refuse("location_id", "must be the location that takes the payments")
	case len(c.WebhookKeys) == 0:
		return refuse("webhook_keys", "must hold the webhook subscription's signature key; without it no webhook can be trusted")
	case c.WebhookURL != "" && checkBase(c.WebhookURL) != nil:
		return refuse("webhook_url", "must be the notification URL that is registered at Square")
	}
	return checkOwnBase(env, at, c.APIBase, "Square", squareAPIs)
}

// The providers' own addresses, where it is the address that tells the environments apart.
//
// Source: developer.paypal.com/api/rest/requests, developer.squareup.com/docs/build-basics.
var (
	paypalAPIs = map[core.Environment][]string{
		core.EnvLive: {"api-m.paypal.com", "api.paypal.com"}, core.EnvTest: {"api-m.sandbox.paypal.com", "api.sandbox.paypal.com"},
	}
	squareAPIs = map[core.Environment][]string{core.EnvLive: {"connect.squareup.com"}, core.EnvTest: {"connect.squareupsandbox.com"}}
)

// checkOwnBase lets real money go to the provider's own address alone, and test money never
// to that of real money.
func checkOwnBase(env core.Environment, at field, base, provider string, own map[core.Environment][]string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil {
		return &ConfigError{Variable: at("api_base"), Problem: "must be an http:// or https:// address"}
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case env == core.EnvLive && (u.Scheme != "https" || u.Port() != "" || !slices.Contains(own[env], host)):
		return &ConfigError{Variable: at("api_base"), Problem: "must be unset in live, or " + provider + "'s own address"}
	case env == core.EnvTest && slices.Contains(own[core.EnvLive], host):
		return &ConfigError{Variable: at("api_base"), Problem: "is the address of real money at " + provider}
	}
	return nil
}

// checkBase reports why a text is no address of an API, or nil.
func checkBase(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return errors.New("must be an http:// or https:// address")
	}
	return nil
}

package app

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

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

// Limits of the file of accounts.
const (
	configFileBytesMax = 1 << 20
	accountsMax        = 50
)

// accountName is what an account may be called: it stands in the webhook's path.
var accountName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// configFile is the shape of the file that PAYDESK_CONFIG names.
type configFile struct {
	Accounts []accountEntry `yaml:"accounts"`
}

type accountEntry struct {
	Name        string `yaml:"name"`
	Provider    string `yaml:"provider"`
	Environment string `yaml:"environment"`
	APIBase     string `yaml:"api_base"`

	SecretKey      string   `yaml:"secret_key"`
	PublishableKey string   `yaml:"publishable_key"`
	WebhookSecrets []string `yaml:"webhook_secrets"`

	ClientID             string `yaml:"client_id"`
	ClientSecret         string `yaml:"client_secret"`
	WebhookID            string `yaml:"webhook_id"`
	WebhookVerification  string `yaml:"webhook_verification"`
	WebhookIntermediates string `yaml:"webhook_intermediates"`
	WebhookRoots         string `yaml:"webhook_roots"`

	AccessToken   string   `yaml:"access_token"`
	ApplicationID string   `yaml:"application_id"`
	LocationID    string   `yaml:"location_id"`
	WebhookKeys   []string `yaml:"webhook_keys"`
	WebhookURL    string   `yaml:"webhook_url"`

	Rules rulesEntry `yaml:"rules"`
}

type rulesEntry struct {
	Currencies []string               `yaml:"currencies"`
	Countries  []string               `yaml:"countries"`
	Amounts    map[string]amountEntry `yaml:"amounts"`
	Priority   int                    `yaml:"priority"`
	Weight     int                    `yaml:"weight"`
}

type amountEntry struct {
	Min wholeNumber `yaml:"min"`
	Max wholeNumber `yaml:"max"`
}

// wholeNumber refuses the fractions that the library would cut off.
type wholeNumber int64

// UnmarshalYAML implements [yaml.BytesUnmarshaler].
func (n *wholeNumber) UnmarshalYAML(text []byte) error {
	value, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return errors.New("must be a whole number of minor units")
	}
	*n = wholeNumber(value)
	return nil
}

// field names where a configuration is wrong: a variable, or a place in the file.
type field func(name string) string

// readAccounts reads the file of accounts. Values may name environment variables:
// ${NAME} alone is replaced by what lookup gives.
func readAccounts(path string, env core.Environment, lookup func(string) (string, bool)) ([]Account, error) {
	refuse := func(problem string) error { return &ConfigError{Variable: "PAYDESK_CONFIG", Problem: problem} }
	info, err := os.Stat(path)
	if err != nil {
		return nil, refuse("names a file that cannot be read")
	}
	if info.Size() > configFileBytesMax {
		return nil, refuse(fmt.Sprintf("names a file of more than %d bytes", configFileBytesMax))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, refuse("names a file that cannot be read")
	}
	var file configFile
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		return nil, refuse("is not the YAML expected: " + plainYAMLError(err))
	}
	if len(file.Accounts) > accountsMax {
		return nil, refuse(fmt.Sprintf("names more than %d accounts", accountsMax))
	}
	accounts := make([]Account, len(file.Accounts))
	for n := range file.Accounts {
		at := func(name string) string { return fmt.Sprintf("PAYDESK_CONFIG accounts[%d].%s", n, name) }
		if accounts[n], err = file.Accounts[n].account(at, env, lookup); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// plainYAMLError is the reason and its place, without the text around it, which may hold
// secrets.
func plainYAMLError(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if _, rest, ok := strings.Cut(line, "["); ok {
		if place, reason, ok := strings.Cut(rest, "] "); ok {
			if strings.HasPrefix(reason, "unknown field") || strings.HasPrefix(reason, "duplicate key") || strings.HasPrefix(reason, "mapping key") {
				return "line " + place + ": " + reason
			}
			return "line " + place
		}
	}
	return "it cannot be parsed"
}

func (e *accountEntry) account(at field, env core.Environment, lookup func(string) (string, bool)) (Account, error) {
	refuse := func(name, problem string) (Account, error) {
		return Account{}, &ConfigError{Variable: at(name), Problem: problem}
	}
	if err := e.expand(at, lookup); err != nil {
		return Account{}, err
	}
	if !accountName.MatchString(e.Name) {
		return refuse("name", "must be 1 to 40 lower case letters, digits, - or _, and start with a letter; it stands in the webhook's path")
	}
	if e.Environment != "" && e.Environment != string(env) {
		return refuse("environment", "must be that of PAYDESK_ENV="+string(env)+": test and live never share a house")
	}
	if e.APIBase != "" {
		if err := checkBase(e.APIBase); err != nil {
			return refuse("api_base", err.Error())
		}
	}
	a := Account{Name: core.AccountName(e.Name), Provider: core.ProviderName(e.Provider)}
	if foreign := e.foreign(a.Provider); foreign != "" {
		return refuse(foreign, "is not a setting of an account at "+e.Provider)
	}
	base := strings.TrimRight(e.APIBase, "/")
	var err error
	switch a.Provider {
	case core.ProviderStripe:
		a.Stripe = StripeConfig{SecretKey: e.SecretKey, PublishableKey: e.PublishableKey, WebhookSecrets: e.WebhookSecrets, APIBase: base}
	case core.ProviderPayPal:
		a.PayPal = PayPalConfig{ClientID: e.ClientID, ClientSecret: e.ClientSecret, WebhookID: e.WebhookID, WebhookVerification: e.WebhookVerification, APIBase: base}
		if a.PayPal.WebhookIntermediates, err = readCertificates(e.WebhookIntermediates); err != nil {
			return refuse("webhook_intermediates", err.Error())
		}
		if a.PayPal.WebhookRoots, err = readCertificates(e.WebhookRoots); err != nil {
			return refuse("webhook_roots", err.Error())
		}
	case core.ProviderSquare:
		a.Square = SquareConfig{
			AccessToken: e.AccessToken, ApplicationID: e.ApplicationID, LocationID: e.LocationID,
			WebhookKeys: e.WebhookKeys, WebhookURL: e.WebhookURL, APIBase: base,
		}
	default:
		return refuse("provider", "must be stripe, paypal or square")
	}
	a.Rules, err = e.Rules.rules(at)
	return a, err
}

// texts are the settings that are a text each, by provider; those of every provider are
// under the empty one.
func (e *accountEntry) texts() map[core.ProviderName]map[string]*string {
	return map[core.ProviderName]map[string]*string{
		"":                  {"api_base": &e.APIBase},
		core.ProviderStripe: {"secret_key": &e.SecretKey, "publishable_key": &e.PublishableKey},
		core.ProviderPayPal: {
			"client_id": &e.ClientID, "client_secret": &e.ClientSecret, "webhook_id": &e.WebhookID, "webhook_verification": &e.WebhookVerification,
			"webhook_intermediates": &e.WebhookIntermediates, "webhook_roots": &e.WebhookRoots,
		},
		core.ProviderSquare: {"access_token": &e.AccessToken, "application_id": &e.ApplicationID, "location_id": &e.LocationID, "webhook_url": &e.WebhookURL},
	}
}

// lists are the settings that are a list each.
func (e *accountEntry) lists() map[core.ProviderName]map[string]*[]string {
	return map[core.ProviderName]map[string]*[]string{
		core.ProviderStripe: {"webhook_secrets": &e.WebhookSecrets},
		core.ProviderSquare: {"webhook_keys": &e.WebhookKeys},
	}
}

// foreign names a setting that is another provider's, which nobody would ever read; empty
// where there is none.
func (e *accountEntry) foreign(provider core.ProviderName) string {
	var found []string
	for owner, texts := range e.texts() {
		for name, value := range texts {
			if owner != "" && owner != provider && *value != "" {
				found = append(found, name)
			}
		}
	}
	for owner, lists := range e.lists() {
		for name, values := range lists {
			if owner != provider && len(*values) > 0 {
				found = append(found, name)
			}
		}
	}
	if len(found) == 0 || !slices.Contains([]core.ProviderName{core.ProviderStripe, core.ProviderPayPal, core.ProviderSquare}, provider) {
		return ""
	}
	return slices.Min(found)
}

// expand replaces the values that name variables of the environment.
func (e *accountEntry) expand(at field, lookup func(string) (string, bool)) error {
	replace := func(name string, value *string) error {
		variable, named := strings.CutPrefix(*value, "${")
		variable, closed := strings.CutSuffix(variable, "}")
		if !named || !closed {
			return nil
		}
		text, ok := lookup(variable)
		if !ok || text == "" {
			return &ConfigError{Variable: at(name), Problem: "names the variable " + variable + ", which is not set"}
		}
		*value = text
		return nil
	}
	for _, texts := range e.texts() {
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if err := replace(name, texts[name]); err != nil {
				return err
			}
		}
	}
	for _, lists := range e.lists() {
		for name, values := range lists {
			var all []string
			for _, value := range *values {
				if err := replace(name, &value); err != nil {
					return err
				}
				all = append(all, splitList(value)...)
			}
			*values = all
		}
	}
	return nil
}

func (e rulesEntry) rules(at field) (core.AccountRules, error) {
	refuse := func(name, problem string) (core.AccountRules, error) {
		return core.AccountRules{}, &ConfigError{Variable: at("rules." + name), Problem: problem}
	}
	rules := core.AccountRules{Countries: e.Countries, Priority: e.Priority, Weight: e.Weight, Amounts: make(map[core.Currency]core.AmountRange)}
	for _, code := range e.Currencies {
		if !core.Currency(code).Known() {
			return refuse("currencies", "must list ISO 4217 codes in upper case, for example EUR")
		}
		rules.Currencies = append(rules.Currencies, core.Currency(code))
	}
	for _, code := range e.Countries {
		if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return refuse("countries", "must list ISO 3166-1 alpha-2 codes in upper case, for example DE")
		}
	}
	for code, limits := range e.Amounts {
		if !core.Currency(code).Known() || limits.Min < 0 || limits.Max < 0 || limits.Max > 0 && limits.Max < limits.Min {
			return refuse("amounts", "must give min and max in minor units by ISO 4217 code, min not above max")
		}
		rules.Amounts[core.Currency(code)] = core.AmountRange{Least: int64(limits.Min), Most: int64(limits.Max)}
	}
	if e.Weight < 0 {
		return refuse("weight", "must not be negative")
	}
	return rules, nil
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

// TrustingWebhooks is the configuration with which the accounts at PayPal whose API is below an
// address, a simulator's, believe webhooks that lead to these certificates, in PEM.
func (c Config) TrustingWebhooks(base string, roots []byte) Config {
	c.Accounts = slices.Clone(c.Accounts)
	for n := range c.Accounts {
		if one := &c.Accounts[n]; c.Environment == core.EnvTest && strings.HasPrefix(one.PayPal.APIBase, base) {
			one.PayPal.WebhookRoots = slices.Concat(one.PayPal.WebhookRoots, roots)
		}
	}
	return c
}

// APIBase is where the account's provider is; empty for the provider itself.
func (a Account) APIBase() string {
	return cmp.Or(a.Stripe.APIBase, a.PayPal.APIBase, a.Square.APIBase)
}

// SquareWebhookURL is the address that an account at Square signs with its webhooks.
func (c Config) SquareWebhookURL(a Account) string {
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

// readCertificates reads a file of certificates in PEM; nil for no file. An error says what is
// wrong with it.
func readCertificates(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > configFileBytesMax {
		return nil, fmt.Errorf("must name a file of at most %d bytes that can be read", configFileBytesMax)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("must name a file of at most %d bytes that can be read", configFileBytesMax)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return nil, errors.New("must name a file of certificates in PEM")
	}
	return text, nil
}

// checkBase reports why a text is no address of an API, or nil.
func checkBase(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return errors.New("must be an http:// or https:// address")
	}
	return nil
}

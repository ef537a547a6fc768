package app

import (
	"errors"
	"fmt"
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
	Rules    core.AccountRules
}

// StripeConfig is an account at Stripe.
type StripeConfig struct {
	SecretKey      string
	PublishableKey string
	WebhookSecrets []string
	APIBase        string // empty means Stripe itself
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
	switch a.Provider {
	case core.ProviderStripe:
		a.Stripe = StripeConfig{SecretKey: e.SecretKey, PublishableKey: e.PublishableKey, WebhookSecrets: e.WebhookSecrets, APIBase: strings.TrimRight(e.APIBase, "/")}
	default:
		return refuse("provider", "must be stripe")
	}
	var err error
	a.Rules, err = e.Rules.rules(at)
	return a, err
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
	var failed []error
	for _, one := range []struct {
		name  string
		value *string
	}{{"api_base", &e.APIBase}, {"secret_key", &e.SecretKey}, {"publishable_key", &e.PublishableKey}} {
		failed = append(failed, replace(one.name, one.value))
	}
	secrets := make([]string, 0, len(e.WebhookSecrets))
	for _, secret := range e.WebhookSecrets {
		failed = append(failed, replace("webhook_secrets", &secret))
		secrets = append(secrets, splitList(secret)...)
	}
	e.WebhookSecrets = secrets
	for _, err := range failed {
		if err != nil {
			return err
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
	if c.stripe.SecretKey != "" {
		all = append(all, Account{Name: core.AccountName(core.ProviderStripe), Provider: core.ProviderStripe, Stripe: c.stripe})
	}
	for n, a := range all {
		if err := a.check(c.Environment, func(name string) string {
			return "PAYDESK_" + strings.ToUpper(string(all[n].Provider)+"_"+name)
		}); err != nil {
			return nil, err
		}
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

// apiBase is where the account's provider is; empty for the provider itself.
func (a Account) apiBase() string { return a.Stripe.APIBase }

// check holds an account to the environment: test and live never mix.
func (a Account) check(env core.Environment, at field) error {
	return a.Stripe.check(env, at)
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

// checkBase reports why a text is no address of an API, or nil.
func checkBase(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return errors.New("must be an http:// or https:// address")
	}
	return nil
}

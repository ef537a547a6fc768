package app

import (
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/paydesk/paydesk/core"
)

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
	FilesBase      string   `yaml:"files_base"`

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
	if e.FilesBase != "" {
		if err := checkBase(e.FilesBase); err != nil {
			return refuse("files_base", err.Error())
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
		a.Stripe = StripeConfig{SecretKey: e.SecretKey, PublishableKey: e.PublishableKey, WebhookSecrets: e.WebhookSecrets, APIBase: base, FilesBase: strings.TrimRight(e.FilesBase, "/")}
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
		core.ProviderStripe: {"secret_key": &e.SecretKey, "publishable_key": &e.PublishableKey, "files_base": &e.FilesBase},
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

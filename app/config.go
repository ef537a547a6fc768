package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"sort"
	"strings"

	"github.com/paydesk/paydesk/core"
)

// Config is all that an operator decides. It is read from the environment in one place,
// by the table below, which also feeds the documents and the start's error messages.
type Config struct {
	Environment   core.Environment
	DatabaseURL   string // "sqlite:PATH" or "postgres://…"
	Journal       string // "spool:DIR" or "database"
	PublicAddr    string
	AdminAddr     string
	OpsAddr       string
	PublicURL     core.PublicURL // no slash at the end
	AdminURL      core.PublicURL // of the console, as staff's browsers see it; no slash at the end
	ReturnOrigins []string       // empty allows any that the environment allows
	// EncryptionKeys is the key ring: the first seals, all open. Empty in test stores
	// unsealed.
	EncryptionKeys []string
	// Accounts are all accounts, those of the variables first; their names differ.
	Accounts []Account
	// ApprovalAbove is from which amount on refunds by staff wait for a second person.
	ApprovalAbove  core.RefundLimits
	BootstrapKey   string
	BootstrapStaff BootstrapStaff
	SimulatorAddr  string
	LogLevel       string
	// Migrate brings the schema up at the start. `paydesk dev` sets it; no variable does.
	Migrate bool

	// What the variables say of accounts; off while their secrets are empty.
	stripe StripeConfig
	paypal PayPalConfig
	square SquareConfig
	// file is where further accounts are written down; empty for none.
	file string
}

// BootstrapStaff is a member of staff to create when absent; none while Email is empty.
type BootstrapStaff struct {
	Email, Password string
	Role            core.Role
	Token           string
}

// Variable is one environment variable.
type Variable struct {
	Name    string
	Default string // as text; empty means unset
	Secret  bool   // never shown
	Help    string // one line
	set     func(c *Config, value string) error
}

// Variables is the one table of all variables that this version reads, in the order of
// the documents. Those of the OpenTelemetry specification (OTEL_*) come on top.
func Variables() []Variable {
	return []Variable{
		{Name: "PAYDESK_ENV", Default: "test", Help: "`test` or `live`; fixed for a database once it was first used", set: setEnvironment},
		{Name: "PAYDESK_DATABASE_URL", Default: "sqlite:.paydesk/paydesk.db", Secret: true, Help: "`sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`", set: setDatabase}, //nolint:gosec // the form, without a password
		{Name: "PAYDESK_JOURNAL", Default: "spool:.paydesk/journal", Help: "where verified webhooks are made durable before they are answered: `spool:DIR` (a local journal) or `database`", set: setJournal},
		{Name: "PAYDESK_PUBLIC_ADDR", Default: "127.0.0.1:8080", Help: "listener of the storefront API, the checkout page and the webhooks", set: setAddr(func(c *Config) *string { return &c.PublicAddr })},
		{Name: "PAYDESK_ADMIN_ADDR", Default: "127.0.0.1:8081", Help: "listener of the admin API; keep it inside", set: setAddr(func(c *Config) *string { return &c.AdminAddr })},
		{Name: "PAYDESK_OPS_ADDR", Default: "127.0.0.1:8082", Help: "listener of health, readiness and metrics; keep it inside", set: setAddr(func(c *Config) *string { return &c.OpsAddr })},
		{Name: "PAYDESK_PUBLIC_URL", Help: "the address that buyers and providers see; https in live; unset it is PAYDESK_PUBLIC_ADDR", set: setURL(func(c *Config) *core.PublicURL { return &c.PublicURL })},
		{Name: "PAYDESK_ADMIN_URL", Help: "the address of the console that staff see; unset it is PAYDESK_ADMIN_ADDR. With https the cookie of sessions is sent over https alone", set: setURL(func(c *Config) *core.PublicURL { return &c.AdminURL })},
		{Name: "PAYDESK_ALLOWED_RETURN_ORIGINS", Help: "comma list of the origins that success and cancel URLs may have, for example `https://shop.example`; unset allows any https origin, in test also http", set: setOrigins},
		{Name: "PAYDESK_ENCRYPTION_KEYS", Secret: true, Help: "comma list of `ID:BASE64`, 32 bytes each: the first seals payloads and personal data at rest, all of them open; required in live", set: setList(func(c *Config) *[]string { return &c.EncryptionKeys })},
		{Name: "PAYDESK_STRIPE_SECRET_KEY", Secret: true, Help: "Stripe's secret or restricted key; unset turns Stripe off", set: setText(func(c *Config) *string { return &c.stripe.SecretKey })},
		{Name: "PAYDESK_STRIPE_PUBLISHABLE_KEY", Help: "Stripe's publishable key, for the checkout page", set: setText(func(c *Config) *string { return &c.stripe.PublishableKey })},
		{Name: "PAYDESK_STRIPE_WEBHOOK_SECRETS", Secret: true, Help: "comma list of the webhook endpoint's signing secrets; any of them is accepted, so that they can be rotated", set: setList(func(c *Config) *[]string { return &c.stripe.WebhookSecrets })},
		{Name: "PAYDESK_STRIPE_API_BASE", Help: "another address for Stripe's API, for example a simulator's; not in live", set: setBase(func(c *Config) *string { return &c.stripe.APIBase })},
		{Name: "PAYDESK_STRIPE_FILES_BASE", Help: "another address for the files that are sent to Stripe; unset it is PAYDESK_STRIPE_API_BASE where that is set; not in live", set: setBase(func(c *Config) *string { return &c.stripe.FilesBase })},
		{Name: "PAYDESK_PAYPAL_CLIENT_ID", Help: "PayPal's client id, made to be seen by browsers; unset turns PayPal off", set: setText(func(c *Config) *string { return &c.paypal.ClientID })},
		{Name: "PAYDESK_PAYPAL_CLIENT_SECRET", Secret: true, Help: "PayPal's client secret", set: setText(func(c *Config) *string { return &c.paypal.ClientSecret })},
		{Name: "PAYDESK_PAYPAL_WEBHOOK_ID", Help: "the id of the webhook that is registered at PayPal for `PUBLIC_URL/webhooks/paypal`; it is part of what PayPal signs", set: setText(func(c *Config) *string { return &c.paypal.WebhookID })},
		{Name: "PAYDESK_PAYPAL_WEBHOOK_VERIFICATION", Default: "certificate", Help: "`certificate` checks PayPal's signatures here, by PayPal's certificate; `api` asks PayPal about each webhook", set: setText(func(c *Config) *string { return &c.paypal.WebhookVerification })},
		{Name: "PAYDESK_PAYPAL_WEBHOOK_INTERMEDIATES", Help: "a PEM file of intermediate certificates, should PayPal not send those that lead to a root of the system", set: setCertificates(func(c *Config) *[]byte { return &c.paypal.WebhookIntermediates })},
		{Name: "PAYDESK_PAYPAL_WEBHOOK_ROOTS", Help: "a PEM file of roots to trust beside the system's, for a simulator's signatures (its `/_control/webhook_roots` gives them); not in live", set: setCertificates(func(c *Config) *[]byte { return &c.paypal.WebhookRoots })},
		{Name: "PAYDESK_PAYPAL_API_BASE", Help: "another address for PayPal's API, for example a simulator's; not in live", set: setBase(func(c *Config) *string { return &c.paypal.APIBase })},
		{Name: "PAYDESK_SQUARE_ACCESS_TOKEN", Secret: true, Help: "Square's access token; unset turns Square off", set: setText(func(c *Config) *string { return &c.square.AccessToken })},
		{Name: "PAYDESK_SQUARE_APPLICATION_ID", Help: "Square's application id, for the checkout page; those of the sandbox start with `sandbox-`", set: setText(func(c *Config) *string { return &c.square.ApplicationID })},
		{Name: "PAYDESK_SQUARE_LOCATION_ID", Help: "the location at Square that takes the payments", set: setText(func(c *Config) *string { return &c.square.LocationID })},
		{Name: "PAYDESK_SQUARE_WEBHOOK_KEYS", Secret: true, Help: "comma list of the webhook subscription's signature keys; any of them is accepted, so that they can be rotated", set: setList(func(c *Config) *[]string { return &c.square.WebhookKeys })},
		{Name: "PAYDESK_SQUARE_WEBHOOK_URL", Help: "the notification URL exactly as it is registered at Square, which signs it; unset it is `PUBLIC_URL/webhooks/square`", set: setText(func(c *Config) *string { return &c.square.WebhookURL })},
		{Name: "PAYDESK_SQUARE_API_BASE", Help: "another address for Square's API, for example a simulator's; not in live", set: setBase(func(c *Config) *string { return &c.square.APIBase })},
		{Name: "PAYDESK_CONFIG", Help: "a YAML file with further accounts and the rules by which accounts are offered; see [accounts](accounts.md)", set: setText(func(c *Config) *string { return &c.file })},
		{Name: "PAYDESK_REFUND_APPROVAL_ABOVE", Default: "100000", Help: "refunds by staff above it wait for a second person: comma list of `CURRENCY:MINOR`, in minor units, in which `MINOR` alone is for all other currencies", set: setApprovalAbove},
		{Name: "PAYDESK_BOOTSTRAP_API_KEY", Secret: true, Help: "an API key to accept, for automation; starts with `pd_test_` or `pd_live_`", set: setText(func(c *Config) *string { return &c.BootstrapKey })},
		{Name: "PAYDESK_BOOTSTRAP_STAFF", Secret: true, Help: "`email:password:role` or `email:password:role:token` of a member of staff to create when absent, for automation", set: setBootstrapStaff},
		{Name: "PAYDESK_SIMULATOR_ADDR", Default: "127.0.0.1:8090", Help: "listener of the provider simulator, for `paydesk dev` and `paydesk simulate`", set: setAddr(func(c *Config) *string { return &c.SimulatorAddr })},
		{Name: "PAYDESK_LOG_LEVEL", Default: "info", Help: "`debug`, `info`, `warn` or `error`", set: setLogLevel},
	}
}

// stripeAPI is Stripe's own address, the only one that live talks to.
const stripeAPI = "https://api.stripe.com"

// stripeFiles is where Stripe itself takes files.
const stripeFiles = "https://files.stripe.com"

// ConfigError refuses a configuration. It names the variable and never shows the value
// of one.
type ConfigError struct {
	Variable string
	Problem  string
}

// Error is one line that names the variable.
func (e *ConfigError) Error() string { return e.Variable + ": " + e.Problem }

// ReadConfig reads the table's variables through lookup (as [os.LookupEnv]), after the
// defaults: those of the table where the map has none of its own. An empty value counts
// as unset. The error is a *[ConfigError].
func ReadConfig(lookup func(string) (string, bool), defaults map[string]string) (Config, error) {
	var c Config
	for _, v := range Variables() {
		value, ok := lookup(v.Name)
		if !ok || value == "" {
			if value, ok = defaults[v.Name]; !ok {
				value = v.Default
			}
		}
		if value == "" {
			continue
		}
		if err := v.set(&c, value); err != nil {
			return c, &ConfigError{Variable: v.Name, Problem: err.Error()}
		}
	}
	if _, ok := lookup("PAYDESK_PUBLIC_URL"); !ok && defaults["PAYDESK_PUBLIC_URL"] == "" {
		c.PublicURL = core.PublicURL("http://" + c.PublicAddr)
	}
	if c.AdminURL == "" {
		c.AdminURL = core.PublicURL("http://" + c.AdminAddr)
	}
	var fromFile []Account
	var err error
	if c.file != "" {
		if fromFile, err = readAccounts(c.file, c.Environment, lookup); err != nil {
			return c, err
		}
	}
	if c.Accounts, err = c.accounts(fromFile); err != nil {
		return c, err
	}
	return c, c.check()
}

// UnknownVariables gives the PAYDESK_ names of an environment ("NAME=value" each) that
// no variable has, sorted: mostly typing errors.
func UnknownVariables(environ []string) []string {
	known := make(map[string]bool)
	for _, v := range Variables() {
		known[v.Name] = true
	}
	var unknown []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "PAYDESK_") && !strings.HasPrefix(name, "PAYDESK_TEST_") && !known[name] {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	return unknown
}

// check holds the rules that span variables: test and live never mix.
func (c Config) check() error {
	refuse := func(variable, problem string) error {
		return &ConfigError{Variable: variable, Problem: problem}
	}
	if c.BootstrapKey != "" {
		if err := core.CheckAPIKeyFormat(c.BootstrapKey, c.Environment); err != nil {
			return refuse("PAYDESK_BOOTSTRAP_API_KEY", err.Error())
		}
	}
	if c.Environment != core.EnvLive {
		return nil
	}
	switch {
	case strings.HasPrefix(string(c.PublicURL), "http:"):
		return refuse("PAYDESK_PUBLIC_URL", "must start with https: in live")
	case len(c.EncryptionKeys) == 0:
		return refuse("PAYDESK_ENCRYPTION_KEYS", "must hold at least one key in live; `paydesk keys encryption` makes one")
	}
	return nil
}

func setEnvironment(c *Config, value string) (err error) {
	c.Environment, err = core.ParseEnvironment(value)
	return err
}

func setDatabase(c *Config, value string) error {
	path, isSQLite := strings.CutPrefix(value, "sqlite:")
	isPostgres := strings.HasPrefix(value, "postgres://") || strings.HasPrefix(value, "postgresql://")
	if isSQLite && path == "" || !isSQLite && !isPostgres {
		return errors.New("must be sqlite:PATH or postgres://…")
	}
	if _, err := url.Parse(value); isPostgres && err != nil {
		return errors.New("must be a well-formed postgres:// URL")
	}
	c.DatabaseURL = value
	return nil
}

func setJournal(c *Config, value string) error {
	if dir, ok := strings.CutPrefix(value, "spool:"); value != "database" && (!ok || dir == "") {
		return errors.New("must be spool:DIR or database")
	}
	c.Journal = value
	return nil
}

func setAddr(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, value string) error {
		if _, _, err := net.SplitHostPort(value); err != nil {
			return errors.New("must be HOST:PORT")
		}
		*field(c) = value
		return nil
	}
}

func setURL(field func(*Config) *core.PublicURL) func(*Config, string) error {
	return func(c *Config, value string) error {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
			return errors.New("must be http://HOST or https://HOST without a path")
		}
		*field(c) = core.PublicURL(u.Scheme + "://" + u.Host)
		return nil
	}
}

func setOrigins(c *Config, value string) error {
	for _, entry := range splitList(value) {
		u, err := url.Parse(entry)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || entry != u.Scheme+"://"+u.Host {
			return errors.New("must list origins such as https://shop.example, without a path")
		}
		c.ReturnOrigins = append(c.ReturnOrigins, entry)
	}
	return nil
}

func setApprovalAbove(c *Config, value string) (err error) {
	c.ApprovalAbove, err = core.ParseRefundLimits(value)
	return err
}

func setBase(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, value string) error {
		if err := checkBase(value); err != nil {
			return err
		}
		*field(c) = strings.TrimRight(value, "/")
		return nil
	}
}

func setCertificates(field func(*Config) *[]byte) func(*Config, string) error {
	return func(c *Config, value string) (err error) {
		*field(c), err = readCertificates(value)
		return err
	}
}

func setList(field func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, value string) error {
		*field(c) = splitList(value)
		return nil
	}
}

func setText(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, value string) error {
		*field(c) = value
		return nil
	}
}

func setBootstrapStaff(c *Config, value string) error {
	parts := strings.SplitN(value, ":", 4)
	if len(parts) < 3 {
		return errors.New("must be email:password:role or email:password:role:token")
	}
	role, err := core.ParseRole(parts[2])
	if err != nil {
		return fmt.Errorf("role %w", err)
	}
	c.BootstrapStaff = BootstrapStaff{Email: parts[0], Password: parts[1], Role: role}
	if len(parts) == 4 {
		c.BootstrapStaff.Token = parts[3]
	}
	return nil
}

func setLogLevel(c *Config, value string) error {
	switch value {
	case "debug", "info", "warn", "error":
		c.LogLevel = value
		return nil
	}
	return errors.New("must be debug, info, warn or error")
}

// splitList splits a comma list and drops empty entries.
func splitList(value string) []string {
	var list []string
	for entry := range strings.SplitSeq(value, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			list = append(list, entry)
		}
	}
	return list
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/adapters/simulator"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type devCommand struct {
	Data string `default:".paydesk" help:"Folder of the database, the journal and the credentials." type:"path"`
	Demo bool   `help:"Have a small shop trade meanwhile, so that there is something to see."`
}

// devFile holds what a trial house made up at its first start, so that the next start
// has the same. It lies in the data folder, and its encryption key is for the database
// beside it alone.
type devFile struct {
	APIKey        string `json:"api_key"`
	StaffEmail    string `json:"staff_email"`
	StaffPassword string `json:"staff_password"`
	StaffToken    string `json:"staff_token"`
	EncryptionKey string `json:"encryption_key"`
}

// simulatorAddrDefault is where the simulator listens unless told otherwise.
const simulatorAddrDefault = "127.0.0.1:8090"

// devFileName is the file's name below the data folder.
const devFileName = "credentials.json"

// Run runs the product with simulated providers until the process is asked to stop.
func (c *devCommand) Run(ctx context.Context, r *run) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("%w: --data: %w", errUsage, err)
	}
	made, err := readOrMakeDevFile(filepath.Join(c.Data, devFileName), system.NewIDs())
	if err != nil {
		return err
	}
	config, err := c.config(r, made)
	if err != nil {
		return err
	}
	logger := app.NewLogger(r.Stderr, config.LogLevel, true)
	clock := system.NewShiftable()
	advanced := func(time.Duration) {}
	sim, err := newSimulator(config, "http://"+config.PublicAddr, logger, func(by time.Duration) { advanced(by) })
	if err != nil {
		return err
	}
	defer sim.Close()
	config = config.TrustingWebhooks(sim.WebhookRoots())
	program, stop, err := r.App(ctx, config, logger, clock)
	if err != nil {
		return err
	}
	defer stop()
	advanced = func(by time.Duration) {
		clock.Advance(by)
		if err := program.Payments.ExpireDue(ctx, ports.Job{}); err != nil {
			logger.Warn("expire checkouts after the clock moved", slog.String("error", err.Error()))
		}
		if err := program.Reconcile.Begin(ctx, ports.Job{}); err != nil {
			logger.Warn("begin the backfill after the clock moved", slog.String("error", err.Error()))
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	simulating := make(chan struct{})
	group.Go(func() error { return serveSimulator(ctx, config, sim, func(string) { close(simulating) }) })
	group.Go(func() error {
		select {
		case <-simulating:
		case <-ctx.Done():
			return nil
		}
		return program.Run(ctx, app.AllRoles(), func(at app.Addresses) {
			r.welcome(config, at)
			if c.Demo {
				shop := newDemo(config, at, logger)
				group.Go(func() error { shop.run(ctx); return nil })
			}
		})
	})
	return group.Wait()
}

// config is the trial house's: what the environment sets, and for the rest what makes
// the house complete.
func (c *devCommand) config(r *run, made devFile) (app.Config, error) {
	simulatorAddr := valueOr(r.LookupEnv, "PAYDESK_SIMULATOR_ADDR", simulatorAddrDefault)
	defaults := simulatorDefaults(simulatorAddr)
	maps.Copy(defaults, map[string]string{
		"PAYDESK_DATABASE_URL":    "sqlite:" + filepath.Join(c.Data, "paydesk.db"),
		"PAYDESK_JOURNAL":         "spool:" + filepath.Join(c.Data, "journal"),
		"PAYDESK_BOOTSTRAP_STAFF": strings.Join([]string{made.StaffEmail, made.StaffPassword, string(core.RoleAdmin), made.StaffToken}, ":"),
		// The made-up key is for the test environment alone, like the simulator.
		"PAYDESK_BOOTSTRAP_API_KEY": made.APIKey,
	})
	address := valueOr(r.LookupEnv, "PAYDESK_DATABASE_URL", defaults["PAYDESK_DATABASE_URL"])
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok && filepath.Dir(path) == filepath.Clean(c.Data) {
		defaults["PAYDESK_ENCRYPTION_KEYS"] = made.EncryptionKey
	}
	config, err := r.config(defaults)
	if err != nil {
		return config, err
	}
	if config.Environment != core.EnvTest {
		return config, &app.ConfigError{Variable: "PAYDESK_ENV", Problem: "must be test for `paydesk dev`; use `paydesk serve` for live"}
	}
	config.Migrate = true
	return config, nil
}

// simulatorDefaults are the credentials that the simulator knows when the environment
// names none.
func simulatorDefaults(address string) map[string]string {
	return map[string]string{ //nolint:gosec // good for the simulator alone
		"PAYDESK_STRIPE_SECRET_KEY":      "sk_test_paydesk_simulator",
		"PAYDESK_STRIPE_PUBLISHABLE_KEY": "pk_test_paydesk_simulator",
		"PAYDESK_STRIPE_WEBHOOK_SECRETS": "whsec_paydesk_simulator",
		"PAYDESK_STRIPE_API_BASE":        "http://" + address + "/stripe",
		"PAYDESK_PAYPAL_CLIENT_ID":       "paydesk-simulator-client",
		"PAYDESK_PAYPAL_CLIENT_SECRET":   "paydesk-simulator-secret",
		"PAYDESK_PAYPAL_WEBHOOK_ID":      "WH-PAYDESK-SIMULATOR",
		"PAYDESK_PAYPAL_API_BASE":        "http://" + address + "/paypal",
		"PAYDESK_SQUARE_ACCESS_TOKEN":    "paydesk-simulator-token",
		"PAYDESK_SQUARE_APPLICATION_ID":  "sandbox-sq0idb-paydesk-simulator",
		"PAYDESK_SQUARE_LOCATION_ID":     "LPAYDESKSIMULATOR",
		"PAYDESK_SQUARE_WEBHOOK_KEYS":    "paydesk-simulator-key",
		"PAYDESK_SQUARE_API_BASE":        "http://" + address + "/square",
	}
}

// readOrMakeDevFile reads the file, or makes it with fresh random credentials.
func readOrMakeDevFile(path string, ids ports.IDs) (devFile, error) {
	var made devFile
	text, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(text, &made); err != nil {
			return made, fmt.Errorf("read %s: it is damaged; remove it to make new credentials", path)
		}
		return made, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return made, fmt.Errorf("read %s: %w", path, err)
	}
	made = devFile{
		APIKey: core.APIKeyPrefix(core.EnvTest) + ids.Secret(), StaffEmail: "admin@paydesk.test",
		StaffPassword: ids.Secret(), StaffToken: ids.Secret(), EncryptionKey: seal.GenerateKey(),
	}
	text, err = json.MarshalIndent(made, "", "  ")
	if err != nil {
		return made, fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return made, fmt.Errorf("write %s: %w", path, err)
	}
	return made, nil
}

// trialKey gives the encryption key of a trial house's database, so that commands beside
// it need not be told; empty for any other database.
func trialKey(databaseURL string) string {
	path, ok := strings.CutPrefix(databaseURL, "sqlite:")
	if !ok {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(path), devFileName))
	if err != nil {
		return ""
	}
	var made devFile
	if json.Unmarshal(text, &made) != nil {
		return ""
	}
	return made.EncryptionKey
}

// welcome prints where everything is, and a call to begin with.
func (r *run) welcome(config app.Config, at app.Addresses) {
	staff := config.BootstrapStaff
	token := staff.Token
	if token == "" {
		token = "(none)"
	}
	r.printf(`
Paydesk %s is ready. Providers are simulated; no money moves.

  Storefront API   %s/v1         documents: %[2]s/docs
  Checkout page    %[2]s/pay/…
  Console          http://%s/
  Admin API        http://%[3]s/graphql
  Health, metrics  http://%[4]s/readyz   /metrics
  Simulator        http://%[5]s/_control/objects

  API key          %[6]s
  Staff login      %[7]s  password %[8]s
  Staff token      %[9]s

Create a checkout, then open its "url" and pay with card 4242 4242 4242 4242:

  curl -s %[2]s/v1/checkouts \
    -H 'Authorization: Bearer %[6]s' \
    -H 'Idempotency-Key: first-checkout' -H 'Content-Type: application/json' \
    -d '{"reference":"order-1","currency":"EUR","line_items":[{"name":"Green tea","amount":1250,"quantity":2}],"success_url":"https://example.com/thanks"}'

`, app.Version, config.PublicURL, at.Admin, at.Ops, config.SimulatorAddr, config.BootstrapKey, staff.Email, staff.Password, token)
}

// newSimulator makes a simulator that posts its webhooks to, and sends its buyers to, an
// address of the public listener.
func newSimulator(config app.Config, paydeskURL string, logger *slog.Logger, onAdvance func(time.Duration)) (*simulator.Simulator, error) {
	options := simulator.Options{
		Now: time.Now, BaseURL: "http://" + config.SimulatorAddr, PaydeskURL: paydeskURL, OnAdvance: onAdvance, Logger: logger,
	}
	for _, account := range config.Accounts {
		if account.APIBase() == "" {
			continue // at the provider itself
		}
		name, stripe, paypal, square := string(account.Name), account.Stripe, account.PayPal, account.Square
		switch account.Provider {
		case core.ProviderStripe:
			options.Stripe = append(options.Stripe, simulator.StripeAccount{
				Name: name, SecretKey: stripe.SecretKey, PublishableKey: stripe.PublishableKey, WebhookSecrets: stripe.WebhookSecrets,
			})
		case core.ProviderPayPal:
			options.PayPal = append(options.PayPal, simulator.PayPalAccount{
				Name: name, ClientID: paypal.ClientID, ClientSecret: paypal.ClientSecret, WebhookID: paypal.WebhookID,
			})
		case core.ProviderSquare:
			options.Square = append(options.Square, simulator.SquareAccount{
				Name: name, AccessToken: square.AccessToken, ApplicationID: square.ApplicationID, LocationID: square.LocationID,
				WebhookKeys: square.WebhookKeys, WebhookURL: config.WebhookURL(account),
			})
		}
	}
	sim, err := simulator.New(options)
	if err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	return sim, nil
}

// valueOr looks a variable up; an empty value counts as unset.
func valueOr(lookup func(string) (string, bool), name, fallback string) string {
	if value, ok := lookup(name); ok && value != "" {
		return value
	}
	return fallback
}

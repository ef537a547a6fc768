package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/wire"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/guard"
	"github.com/paydesk/paydesk/adapters/httpapi"
	"github.com/paydesk/paydesk/adapters/httpedge"
	"github.com/paydesk/paydesk/adapters/journal/direct"
	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/notifier"
	"github.com/paydesk/paydesk/adapters/onetime"
	"github.com/paydesk/paydesk/adapters/passwords"
	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/adapters/square"
	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/adapters/telemetry"
	"github.com/paydesk/paydesk/adapters/web/console"
	"github.com/paydesk/paydesk/adapters/web/pay"
	"github.com/paydesk/paydesk/adapters/webhook"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/calls"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/disputes"
	"github.com/paydesk/paydesk/core/health"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/core/observe"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/core/reconcile"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/core/refunds"
	"github.com/paydesk/paydesk/core/repair"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/graph"
	"github.com/paydesk/paydesk/ports"
)

// The sets say how the parts fit together. Each is named for the side of the house that
// it builds; the injectors in the root's wire.go put them together.
var (
	// SystemSet is what the machine gives: ids, passwords, telemetry, sealing.
	SystemSet = wire.NewSet(
		system.NewIDs, wire.Bind(new(ports.IDs), new(system.IDs)),
		passwords.New, wire.Bind(new(ports.Passwords), new(*passwords.Argon2id)),
		wire.Struct(new(onetime.Codes)), wire.Bind(new(ports.OneTimeCodes), new(onetime.Codes)),
		NewTelemetry, wire.Bind(new(ports.TraceIDs), new(*telemetry.Telemetry)),
		telemetry.NewAnomalies, wire.Bind(new(ports.Anomalies), new(*telemetry.Anomalies)),
		NewSealer, NewEnvironment, NewPublicURL,
	)
	// StorageSet is the database and the jobs in it.
	StorageSet = wire.NewSet(NewStore, wire.Bind(new(ports.Store), new(*Database)))
	// JobSet works on the jobs.
	JobSet = wire.NewSet(NewJobs)
	// ProviderSet is the configured accounts.
	ProviderSet = wire.NewSet(NewAccounts, NewProviders)
	// ObserveSet moves state and keeps what providers say.
	ObserveSet = wire.NewSet(
		record.New, observe.New, wire.Bind(new(ports.Observer), new(*observe.Service)), observe.NewInbox,
		NewPacer, NewReconcile, NewHealth,
	)
	// CoreSet is the use cases.
	CoreSet = wire.NewSet(
		calls.New, refunds.New, disputes.New, NewSettings, payments.New,
		customers.New, wire.Bind(new(customers.Checkouts), new(*payments.Service)),
		subscriptions.New, wire.Bind(new(subscriptions.Checkouts), new(*payments.Service)),
		wire.Bind(new(subscriptions.Customers), new(*customers.Service)), wire.Bind(new(subscriptions.Refunds), new(*refunds.Service)),
		NewRepair, NewUnsettled, wire.Struct(new(UseCases), "*"), access.New, NewIdempotency, NewNotifier, NewNotify, NewBackfillMetrics, NewTally, NewWebhookMetrics,
	)
	// JournalSet makes webhooks durable.
	JournalSet = wire.NewSet(NewJournal, NewRush)
	// HTTPSet is the faces of the program.
	HTTPSet = wire.NewSet(NewPublicHandler, NewAdminHandler)

	// ServeSet is the whole program.
	ServeSet = wire.NewSet(SystemSet, StorageSet, JobSet, ProviderSet, ObserveSet, CoreSet, JournalSet, HTTPSet, wire.Struct(new(App), "*"))
	// ToolSet is what one-off commands need.
	ToolSet = wire.NewSet(SystemSet, StorageSet, ProviderSet, ObserveSet, access.New, wire.Struct(new(Tools), "*"))
)

// NewTelemetry starts traces and metrics.
func NewTelemetry(ctx context.Context, logger *slog.Logger) (*telemetry.Telemetry, func(), error) {
	return telemetry.Setup(ctx, telemetry.Options{Version: Version, Logger: logger})
}

// NewEnvironment is the configured one.
func NewEnvironment(c Config) core.Environment { return c.Environment }

// NewPublicURL is the configured one.
func NewPublicURL(c Config) core.PublicURL { return c.PublicURL }

// NewSealer seals with the configured keys. Without any, which only test allows, data is
// stored as it is, and marked so.
func NewSealer(c Config) (ports.Sealer, error) {
	if len(c.EncryptionKeys) == 0 {
		return seal.Plain(), nil
	}
	ring, err := seal.New(c.EncryptionKeys)
	if err != nil {
		return nil, &ConfigError{Variable: "PAYDESK_ENCRYPTION_KEYS", Problem: err.Error()}
	}
	if c.Environment == core.EnvTest {
		return ring.AcceptPlain(), nil
	}
	return ring, nil
}

// Database is the store behind the crash points of the tests' builds; the store itself
// in all others.
type Database struct {
	ports.Store
	database *bunrepo.Store
}

// NewStore opens the configured database.
func NewStore(ctx context.Context, c Config, sealer ports.Sealer, ids ports.IDs) (*Database, func(), error) {
	store, closeStore, err := bunrepo.Open(ctx, bunrepo.Options{
		URL: c.DatabaseURL, Environment: c.Environment, Sealer: sealer, IDs: ids, Migrate: c.Migrate,
	})
	if err != nil {
		return nil, nil, err
	}
	return &Database{Store: crashingStore(store), database: store}, closeStore, nil
}

// NewJobs works on the jobs in the database.
func NewJobs(store *Database, logger *slog.Logger) ports.Jobs {
	return bunrepo.NewJobs(store.database, bunrepo.JobsOptions{Logger: logger})
}

// Adapter is what an account's adapter is, whichever provider it speaks to.
type Adapter interface {
	ports.BrowserProvider
	ports.WebhookVerifier
	Account() core.AccountName
}

// Accounts is the configured accounts' adapters.
type Accounts []Adapter

// NewAccounts makes the accounts' adapters.
func NewAccounts(c Config) (Accounts, error) {
	var all Accounts
	for _, account := range c.Accounts {
		made, err := NewAdapter(c, account, nil)
		if err != nil {
			return nil, fmt.Errorf("configure account %q: %w", account.Name, err)
		}
		all = append(all, made)
	}
	return all, nil
}

// NewAdapter makes one account's adapter. client makes its calls; nil for one of the
// adapter's own.
func NewAdapter(c Config, account Account, client *http.Client) (Adapter, error) {
	switch account.Provider {
	case core.ProviderStripe:
		return stripe.New(stripe.Options{
			Account: account.Name, Environment: c.Environment,
			SecretKey: account.Stripe.SecretKey, PublishableKey: account.Stripe.PublishableKey,
			WebhookSecrets: account.Stripe.WebhookSecrets, APIBase: account.Stripe.APIBase, FilesBase: account.Stripe.FilesBase, HTTPClient: client,
		})
	case core.ProviderPayPal:
		return paypal.New(paypal.Options{
			Account: account.Name, Environment: c.Environment,
			ClientID: account.PayPal.ClientID, ClientSecret: account.PayPal.ClientSecret, WebhookID: account.PayPal.WebhookID,
			WebhookVerification: account.PayPal.WebhookVerification, WebhookRoots: account.PayPal.WebhookRoots,
			WebhookIntermediates: account.PayPal.WebhookIntermediates, APIBase: account.PayPal.APIBase, HTTPClient: client,
		})
	case core.ProviderSquare:
		return square.New(square.Options{
			Account: account.Name, Environment: c.Environment,
			AccessToken: account.Square.AccessToken, ApplicationID: account.Square.ApplicationID, LocationID: account.Square.LocationID,
			WebhookKeys: account.Square.WebhookKeys, WebhookURL: c.WebhookURL(account), APIBase: account.Square.APIBase, HTTPClient: client,
		})
	default:
		return nil, fmt.Errorf("provider %q is not known", account.Provider)
	}
}

// callsPerSecondMax is how many calls an account sends to a provider itself in a second.
// Stripe allows 100 in live and 25 in test; the others tell no number.
//
// Source: docs.stripe.com/rate-limits.
var callsPerSecondMax = map[core.Environment]uint{core.EnvLive: 80, core.EnvTest: 20}

// NewProviders puts the guard around each account's adapter. A double of a provider has no
// rate to keep to.
func NewProviders(c Config, all Accounts) (ports.Providers, error) {
	providers := make(ports.Providers)
	for _, one := range all {
		options := guard.Options{}
		if c.Account(one.Account()).APIBase() == "" {
			options.PerSecond = callsPerSecondMax[c.Environment]
		}
		guarded, err := guard.Wrap(one, options)
		if err != nil {
			return nil, err
		}
		providers[one.Account()] = crashingProvider(guarded)
	}
	return providers, nil
}

// NewReconcile compares records with the providers'.
func NewReconcile(store ports.Store, all ports.Providers, observer ports.Observer, inbox *observe.Inbox, clock ports.Clock, ids ports.IDs, pacer ports.Pacer) *reconcile.Service {
	return reconcile.New(store, all, observer, inbox, clock, system.NewClock(), ids, pacer)
}

// NewBackfillMetrics tells how the backfill does.
func NewBackfillMetrics(t *telemetry.Telemetry, store ports.Store, clock ports.Clock) (*telemetry.Backfill, error) {
	return telemetry.NewBackfill(t, store, clock)
}

// NewHealth tells how webhooks are doing.
func NewHealth(c Config, store ports.Store, providers ports.Providers, clock ports.Clock) *health.Service {
	addresses := make(map[core.AccountName]string)
	for _, account := range c.Accounts {
		addresses[account.Name] = c.WebhookURL(account)
	}
	return health.New(store, providers, addresses, clock, system.NewClock())
}

// NewTally counts what becomes of webhooks.
func NewTally(store ports.Store, providers ports.Providers) *health.Tally {
	return health.NewTally(store, system.NewClock(), slices.Collect(maps.Keys(providers)))
}

// NewWebhookMetrics tells how webhooks are doing.
func NewWebhookMetrics(t *telemetry.Telemetry, service *health.Service) (*telemetry.Webhooks, error) {
	return telemetry.NewWebhooks(t, service.Accounts, system.NewClock())
}

// historyShare is the part of an account's rate that walks through its lists may take, so that
// buyers never wait for them.
const historyShare = 0.5

// NewPacer holds those walks back. A double of a provider has no rate to keep to.
func NewPacer(c Config) ports.Pacer {
	rates := make(map[core.AccountName]float64)
	for _, account := range c.Accounts {
		if account.APIBase() == "" {
			rates[account.Name] = historyShare * float64(callsPerSecondMax[c.Environment])
		}
	}
	return system.NewPacer(rates)
}

func (all Accounts) verifiers() ports.WebhookVerifiers {
	verifiers := make(ports.WebhookVerifiers)
	for _, one := range all {
		verifiers[one.Account()] = one
	}
	return verifiers
}

func (all Accounts) browsers() map[core.AccountName]ports.BrowserConfig {
	browsers := make(map[core.AccountName]ports.BrowserConfig)
	for _, one := range all {
		browsers[one.Account()] = one.Browser()
	}
	return browsers
}

// NewIdempotency remembers the answers of storefronts' calls.
func NewIdempotency(store ports.Store, clock ports.Clock) *idempotency.Service {
	return idempotency.New(store, clock).LockFor(idempotencyLock)
}

// NewSettings is what the use cases need of the configuration.
func NewSettings(c Config, providers ports.Providers, refunding *refunds.Service) payments.Settings {
	rules := make(map[core.AccountName]core.AccountRules, len(c.Accounts))
	for _, account := range c.Accounts {
		rules[account.Name] = account.Rules
	}
	return payments.Settings{
		Environment: c.Environment, URL: c.PublicURL, ReturnOrigins: c.ReturnOrigins, Rules: rules, GiveBack: refunding.GiveBack,
		Down: func(account core.AccountName) bool {
			healthy, ok := providers[account].(ports.Healthy)
			return ok && healthy.Health().Down
		},
	}
}

// NewNotifier sends notifications; in live to public addresses alone. It is watched by the set-up that runs.
func NewNotifier(c Config, _ *telemetry.Telemetry) (ports.Notifier, error) {
	return notifier.New(notifier.Options{AllowPrivate: c.Environment == core.EnvTest, Wall: system.NewClock()})
}

// NewNotify tells storefronts.
func NewNotify(store ports.Store, sender ports.Notifier, clock ports.Clock, ids ports.IDs, traces *telemetry.Telemetry, env core.Environment) (*notify.Service, func(), error) {
	stop, err := telemetry.WatchNotifications(traces, store, clock)
	if err != nil {
		return nil, nil, err
	}
	return notify.New(store, sender, clock, system.NewClock(), ids, traces, env), stop, nil
}

// NewJournal opens the configured journal.
func NewJournal(c Config, inbox *observe.Inbox, sealer ports.Sealer, rush *Rush, logger *slog.Logger) (ports.Journal, func(), error) {
	dir, isSpool := strings.CutPrefix(c.Journal, "spool:")
	if !isSpool {
		journal := direct.New(direct.Options{Accept: inbox.Accept, Logger: logger, Postgres: !strings.HasPrefix(c.DatabaseURL, "sqlite:")})
		return rush.journal(crashingJournal(journal)), journal.Close, nil
	}
	journal, err := spool.Open(spool.Options{Dir: dir, Logger: logger, Sealer: sealer})
	if err != nil {
		return nil, nil, &ConfigError{Variable: "PAYDESK_JOURNAL", Problem: err.Error()}
	}
	return rush.journal(crashingJournal(journal)), journal.Close, nil
}

// UseCases are what storefronts and buyers can have done.
type UseCases struct {
	Payments      *payments.Service
	Refunds       *refunds.Service
	Disputes      *disputes.Service
	Customers     *customers.Service
	Subscriptions *subscriptions.Service
}

// NewRepair settles what was left open: each operation by the service that sends it.
func NewRepair(store ports.Store, providers ports.Providers, observer ports.Observer, clock ports.Clock, recorder *record.Recorder,
	desk *calls.Desk, inbox *observe.Inbox, sold UseCases,
) *repair.Service {
	senders := calls.Senders{core.OpRefundPayment: sold.Refunds, core.OpSubmitEvidence: sold.Disputes, core.OpAcceptDispute: sold.Disputes}
	senders.Add(sold.Payments, payments.Operations()...)
	senders.Add(sold.Customers, customers.Operations()...)
	senders.Add(sold.Subscriptions, subscriptions.Operations()...)
	return repair.New(repair.Options{
		Store: store, Providers: providers, Observer: observer, Clock: clock, Record: recorder, Calls: desk,
		Senders: senders, Process: inbox.Process,
	})
}

// NewUnsettled tells how much is not settled.
func NewUnsettled(t *telemetry.Telemetry, store ports.Store, clock ports.Clock) (*telemetry.Unsettled, error) {
	return telemetry.NewUnsettled(t, store, clock)
}

// NewPublicHandler puts the public listener's parts together.
func NewPublicHandler(c Config, logger *slog.Logger, clock ports.Clock, all Accounts, journal ports.Journal, tally *health.Tally,
	sold UseCases, replays *idempotency.Service, keys *access.Service, endpoints *notify.Service, ids ports.IDs,
) (PublicHandler, error) {
	api, err := httpapi.NewHandler(httpapi.Options{
		Payments: sold.Payments, Refunds: sold.Refunds, Disputes: sold.Disputes, Customers: sold.Customers, Subscriptions: sold.Subscriptions,
		Idempotency: replays, Keys: keys, Endpoints: endpoints, PublicURL: c.PublicURL, Version: Version, Logger: logger, Clock: clock,
	})
	if err != nil {
		return nil, fmt.Errorf("build the storefront API: %w", err)
	}
	pages, err := pay.NewHandler(pay.Options{
		Payments: sold.Payments, Customers: sold.Customers, Subscriptions: sold.Subscriptions,
		Browsers: all.browsers(), Environment: c.Environment, PublicURL: c.PublicURL, IDs: ids, Logger: logger,
	})
	if err != nil {
		return nil, fmt.Errorf("build the checkout page: %w", err)
	}
	hooks, err := webhook.NewHandler(webhook.Options{Verifiers: all.verifiers(), Journal: journal, Tally: tally, WallClock: system.NewClock(), Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("build the webhooks' handler: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/pay/", pages)
	mux.Handle("/webhooks/", hooks)
	mux.Handle("/", api)
	return mux, nil
}

// NewAdminHandler is the admin listener: the admin API, and the console that asks it.
func NewAdminHandler(c Config, logger *slog.Logger, ids ports.IDs, clock ports.Clock, store ports.Store, sold UseCases, staff *access.Service,
	notifications *notify.Service, accounts *health.Service, replays *idempotency.Service, inbox *observe.Inbox, sealer ports.Sealer, repairs *repair.Service,
) (AdminHandler, error) {
	handler, err := graph.NewHandler(graph.Options{
		Payments: sold.Payments, Refunds: sold.Refunds, Disputes: sold.Disputes, Subscriptions: sold.Subscriptions, Store: store, Access: staff, Notify: notifications, Inbox: inbox, Repair: repairs, Sealer: sealer, Health: accounts, Idempotency: replays,
		Environment: c.Environment, ApprovalAbove: c.ApprovalAbove, Logger: logger,
		Session: func(r *http.Request) string { return httpedge.SessionToken(r, c.AdminURL.Secure()) },
	})
	if err != nil {
		return nil, fmt.Errorf("build the admin API: %w", err)
	}
	pages, err := console.New(console.Options{GraphQL: handler, Access: staff, IDs: ids, Clock: clock, URL: c.AdminURL, Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("build the console: %w", err)
	}
	mux := http.NewServeMux()
	for _, path := range graph.Paths() {
		mux.Handle(path, handler)
	}
	mux.Handle("/", pages)
	return adminListener{Handler: mux, api: handler}, nil
}

// adminListener is the admin API and the console.
type adminListener struct {
	http.Handler

	api *graph.Handler
}

// EndStreams ends all subscriptions when the service stops.
func (l adminListener) EndStreams() { l.api.EndStreams() }

// Providers makes the configured accounts' adapters alone, for checks.
func Providers(c Config) (ports.Providers, error) {
	all, err := NewAccounts(c)
	if err != nil {
		return nil, err
	}
	return NewProviders(c, all)
}

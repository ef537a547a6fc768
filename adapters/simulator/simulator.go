// Package simulator stands in for the payment providers: it speaks their REST dialects,
// keeps state, checks requests as strictly as they do, posts signed webhooks, serves a
// stand-in for their browser scripts, and does what goes wrong in the world on command.
//
// It is an independent witness: it shares no code with the program that it judges.
package simulator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/paypal"
	"github.com/paydesk/paydesk/adapters/simulator/square"
	"github.com/paydesk/paydesk/adapters/simulator/stripe"
)

// callTimeMax is how long one call of the simulator's buyer may take.
const callTimeMax = 60 * time.Second

// idleConnectionsMax is how many connections to one host are kept open.
const idleConnectionsMax = 16

// Options are what a simulator is made of.
type Options struct {
	Now func() time.Time // the real time; nil for time.Now
	// BaseURL is where the simulator is reached; empty for wherever it is called at.
	BaseURL string
	// PaydeskURL is where the public listener is: webhooks and buyers go there. Empty for
	// neither.
	PaydeskURL string
	// The accounts that are simulated, at least one in all.
	Stripe []StripeAccount
	PayPal []PayPalAccount
	Square []SquareAccount
	// OnAdvance is called after the clock was moved; nil for nobody.
	OnAdvance func(by time.Duration)
	Logger    *slog.Logger // nil for slog's default
	// HTTPClient posts webhooks and is the buyer; nil for one of its own. It must not
	// follow redirects.
	HTTPClient *http.Client
}

// StripeAccount is a simulated account at Stripe. The first secret signs.
type StripeAccount struct {
	Name           string // "stripe" where it is empty
	SecretKey      string
	PublishableKey string
	WebhookSecrets []string
}

// PayPalAccount is a simulated account at PayPal.
type PayPalAccount struct {
	Name         string // "paypal" where it is empty
	ClientID     string
	ClientSecret string
	WebhookID    string // empty for no webhooks
}

// SquareAccount is a simulated account at Square. The first key signs.
type SquareAccount struct {
	Name          string // "square" where it is empty
	AccessToken   string
	ApplicationID string
	LocationID    string
	WebhookKeys   []string
	WebhookURL    string // that is signed; empty for where webhooks are posted to
}

// Simulator is the simulated providers. Make one by [New].
type Simulator struct {
	options   Options
	client    *http.Client
	clock     *engine.Clock
	faults    *engine.Faults
	requests  *engine.Requests
	webhooks  *engine.Webhooks
	mux       *http.ServeMux
	authority *paypal.Authority // vouches for PayPal's webhooks
	names     []string          // of the accounts, in the order of the options
	accounts  map[string]account
}

// account is one simulated account.
type account struct {
	engine.Dialect
	key      string            // that its browser script is opened with
	location string            // that goes with the key at Square
	cards    map[string]string // test numbers by the names that all accounts know
}

// New makes a simulator. Close ends it.
func New(options Options) (*Simulator, error) {
	for name, address := range map[string]string{"BaseURL": options.BaseURL, "PaydeskURL": options.PaydeskURL} {
		if at, err := url.Parse(address); err != nil || address != "" && (at.Scheme != "http" && at.Scheme != "https" || at.Host == "") {
			return nil, fmt.Errorf("simulator's %s must be an http or https URL", name)
		}
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	options.BaseURL, options.PaydeskURL = strings.TrimRight(options.BaseURL, "/"), strings.TrimRight(options.PaydeskURL, "/")
	s := &Simulator{
		options: options, client: options.HTTPClient, clock: engine.NewClock(options.Now),
		faults: &engine.Faults{}, requests: &engine.Requests{}, mux: http.NewServeMux(), accounts: make(map[string]account),
		authority: paypal.NewAuthority(options.Now),
	}
	if s.client == nil {
		s.client = newClient()
	}
	s.webhooks = engine.NewWebhooks(s.client, s.faults, options.Logger)
	if err := s.open(); err != nil {
		s.webhooks.Close()
		return nil, err
	}
	s.control()
	return s, nil
}

// open makes the accounts.
func (s *Simulator) open() error {
	for _, one := range s.options.Stripe {
		if err := s.openStripe(one); err != nil {
			return err
		}
	}
	for _, one := range s.options.PayPal {
		if err := s.openPayPal(one); err != nil {
			return err
		}
	}
	for _, one := range s.options.Square {
		if err := s.openSquare(one); err != nil {
			return err
		}
	}
	if len(s.names) == 0 {
		return errors.New("simulator needs an account to simulate")
	}
	return nil
}

func (s *Simulator) openStripe(one StripeAccount) error {
	if one.SecretKey == "" || one.PublishableKey == "" {
		return errors.New("simulator needs secret and publishable keys of an account at Stripe")
	}
	name := cmp.Or(one.Name, "stripe")
	made := stripe.New(stripe.Options{
		Account: name, SecretKey: one.SecretKey, PublishableKey: one.PublishableKey, WebhookSecrets: one.WebhookSecrets,
		WebhookURL: s.webhookURL(name), Clock: s.clock, Faults: s.faults, Requests: s.requests, Webhooks: s.webhooks, Logger: s.options.Logger,
	})
	return s.add(name, account{Dialect: made, key: one.PublishableKey, cards: stripe.NamedCards})
}

func (s *Simulator) openPayPal(one PayPalAccount) error {
	if one.ClientID == "" || one.ClientSecret == "" {
		return errors.New("simulator needs client id and secret of an account at PayPal")
	}
	name := cmp.Or(one.Name, "paypal")
	made := paypal.New(paypal.Options{
		Account: name, ClientID: one.ClientID, ClientSecret: one.ClientSecret, WebhookID: one.WebhookID, Authority: s.authority,
		WebhookURL: s.webhookURL(name), Clock: s.clock, Faults: s.faults, Requests: s.requests, Webhooks: s.webhooks, Logger: s.options.Logger,
	})
	return s.add(name, account{Dialect: made, key: one.ClientID, cards: paypal.NamedCards})
}

func (s *Simulator) openSquare(one SquareAccount) error {
	if one.AccessToken == "" || one.ApplicationID == "" || one.LocationID == "" {
		return errors.New("simulator needs access token, application id and location id of an account at Square")
	}
	name := cmp.Or(one.Name, "square")
	made := square.New(square.Options{
		Account: name, AccessToken: one.AccessToken, ApplicationID: one.ApplicationID, LocationID: one.LocationID,
		WebhookKeys: one.WebhookKeys, SignedURL: one.WebhookURL, EventsEnabled: true,
		WebhookURL: s.webhookURL(name), Clock: s.clock, Faults: s.faults, Requests: s.requests, Webhooks: s.webhooks, Logger: s.options.Logger,
	})
	return s.add(name, account{Dialect: made, key: one.ApplicationID, location: one.LocationID, cards: square.NamedCards})
}

// WebhookRoots are the certificates, in PEM, that the signatures of PayPal's webhooks lead to:
// made at the simulator's start, and good for nothing else.
func (s *Simulator) WebhookRoots() []byte { return s.authority.RootPEM() }

// webhookURL is where an account posts to; empty for nowhere.
func (s *Simulator) webhookURL(name string) string {
	if s.options.PaydeskURL == "" {
		return ""
	}
	return s.options.PaydeskURL + "/webhooks/" + name
}

func (s *Simulator) add(name string, one account) error {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || name[0] == '_' {
		return errors.New("simulator's accounts have names of small letters, digits, - and _")
	}
	if _, taken := s.accounts[name]; taken {
		return fmt.Errorf("simulator has two accounts named %s", name)
	}
	s.names, s.accounts[name] = append(s.names, name), one
	s.mux.Handle("/"+name+"/", one.Handler())
	return nil
}

func newClient() *http.Client {
	return &http.Client{
		Timeout:       callTimeMax,
		Transport:     &http.Transport{MaxIdleConnsPerHost: idleConnectionsMax, IdleConnTimeout: callTimeMax},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Handler serves everything.
func (s *Simulator) Handler() http.Handler { return s.mux }

// Close ends the posting of webhooks and waits for that; what waits is dropped. It can be
// called again.
func (s *Simulator) Close() {
	s.webhooks.Close()
	if s.options.HTTPClient == nil {
		s.client.CloseIdleConnections()
	}
}

// Settle waits until every webhook was taken, or given up.
func (s *Simulator) Settle(ctx context.Context) error { return s.webhooks.Settle(ctx) }

// Request is a call that the simulator was asked.
type Request = engine.Request

// Requests gives the last calls to the providers, oldest first.
func (s *Simulator) Requests() []Request { return s.requests.List() }

// Objects gives what an account holds of a type, or all accounts for an empty one, oldest
// first, each as its provider would write it; of all types but events for an empty one. An
// error names what is unknown, "account" or "type".
func (s *Simulator) Objects(name, kind string) ([]json.RawMessage, error) {
	names := s.names
	if name != "" {
		if problem := s.knownAccount(name); problem != nil {
			return nil, errors.New(problem.text)
		}
		names = []string{name}
	}
	texts, known, kinds := []json.RawMessage{}, false, []string(nil)
	for _, name := range names {
		objects, ok := s.accounts[name].Objects(strings.TrimSuffix(kind, "s"))
		known = known || ok
		for _, other := range s.accounts[name].Kinds() {
			if !slices.Contains(kinds, other) {
				kinds = append(kinds, other)
			}
		}
		for _, object := range objects {
			text, err := json.Marshal(object)
			if err != nil {
				return nil, fmt.Errorf("write an object: %w", err)
			}
			texts = append(texts, text)
		}
	}
	if !known {
		return nil, errors.New("type: must be one of " + strings.Join(kinds, ", "))
	}
	return texts, nil
}

// Advance moves the clock ahead, with all that time brings.
func (s *Simulator) Advance(by time.Duration) {
	s.clock.Advance(by)
	for _, name := range s.names {
		s.accounts[name].Elapse()
	}
	if s.options.OnAdvance != nil {
		s.options.OnAdvance(by)
	}
}

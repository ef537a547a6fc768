// Package simulator stands in for the payment providers: it speaks their REST dialects,
// keeps state, checks requests as strictly as they do, posts signed webhooks, serves a
// stand-in for their browser scripts, and does what goes wrong in the world on command.
//
// It is an independent witness: it shares no code with the program that it judges.
package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/stripe"
	"github.com/paydesk/paydesk/adapters/simulator/stripe/browser"
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
	Stripe     StripeOptions
	// OnAdvance is called after the clock was moved; nil for nobody.
	OnAdvance func(by time.Duration)
	Logger    *slog.Logger // nil for slog's default
	// HTTPClient posts webhooks and is the buyer; nil for one of its own. It must not
	// follow redirects.
	HTTPClient *http.Client
}

// StripeOptions are the simulated account's credentials at Stripe. The first secret
// signs.
type StripeOptions struct {
	SecretKey      string
	PublishableKey string
	WebhookSecrets []string
}

// Simulator is the simulated providers. Make one by [New].
type Simulator struct {
	options  Options
	client   *http.Client
	clock    *engine.Clock
	faults   *engine.Faults
	requests *engine.Requests
	webhooks *engine.Webhooks
	stripe   *stripe.Server
	mux      *http.ServeMux
}

// New makes a simulator. Close ends it.
func New(options Options) (*Simulator, error) {
	if options.Stripe.SecretKey == "" || options.Stripe.PublishableKey == "" {
		return nil, errors.New("simulator needs Stripe's secret and publishable keys")
	}
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
		faults: &engine.Faults{}, requests: &engine.Requests{}, mux: http.NewServeMux(),
	}
	if s.client == nil {
		s.client = newClient()
	}
	s.webhooks = engine.NewWebhooks(s.client, s.faults, options.Logger)
	webhookURL := ""
	if options.PaydeskURL != "" {
		webhookURL = options.PaydeskURL + "/webhooks/stripe"
	}
	s.stripe = stripe.New(stripe.Options{
		SecretKey: options.Stripe.SecretKey, PublishableKey: options.Stripe.PublishableKey, WebhookSecrets: options.Stripe.WebhookSecrets,
		WebhookURL: webhookURL, Clock: s.clock, Faults: s.faults, Requests: s.requests, Webhooks: s.webhooks, Logger: options.Logger,
	})
	s.mux.Handle("/stripe/v1/", s.stripe.Handler())
	s.mux.Handle("/stripe/c/", s.stripe.Handler())
	s.mux.Handle(browser.Prefix, browser.Handler(options.Stripe.PublishableKey))
	s.control()
	return s, nil
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

// Objects gives what an account holds of a type, oldest first, each as its provider would
// write it; of all types but events for an empty one. An error names what is unknown,
// "account" or "type".
func (s *Simulator) Objects(account, kind string) ([]json.RawMessage, error) {
	if account != "" && account != accountStripe {
		return nil, errors.New("account: must be " + accountStripe)
	}
	objects, ok := s.stripe.Objects(strings.TrimSuffix(kind, "s"))
	if !ok {
		return nil, errors.New("type: must be payment_intent, charge, refund, session, dispute or event")
	}
	texts := make([]json.RawMessage, 0, len(objects))
	for _, object := range objects {
		text, err := json.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("write an object: %w", err)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// Advance moves the clock ahead, with all that time brings.
func (s *Simulator) Advance(by time.Duration) {
	s.clock.Advance(by)
	s.stripe.Elapse()
	if s.options.OnAdvance != nil {
		s.options.OnAdvance(by)
	}
}

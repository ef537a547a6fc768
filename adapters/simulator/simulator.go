// Package simulator stands in for the payment providers: it speaks their REST dialects,
// keeps state, checks requests as strictly as they do, posts signed webhooks, serves a
// stand-in for their browser scripts, and does what goes wrong in the world on command.
//
// It is an independent witness: it shares no code with the program that it judges.
package simulator

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/stripe"
	"github.com/paydesk/paydesk/adapters/simulator/stripe/browser"
)

// callTimeMax is how long one call of the simulator's buyer may take.
const callTimeMax = 60 * time.Second

// Options are what a simulator is made of.
type Options struct {
	Now        func() time.Time // the real time; nil for time.Now
	BaseURL    string           // where the simulator is reached
	PaydeskURL string           // where the public listener is: webhooks and buyers go there
	Stripe     StripeOptions
	// OnAdvance is called after the clock was moved; nil for nobody.
	OnAdvance  func(by time.Duration)
	Logger     *slog.Logger // nil for slog's default
	HTTPClient *http.Client // posts webhooks and is the buyer; nil for one of its own
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
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	options.PaydeskURL = strings.TrimRight(options.PaydeskURL, "/")
	s := &Simulator{
		options: options, client: options.HTTPClient, clock: engine.NewClock(options.Now),
		faults: &engine.Faults{}, requests: &engine.Requests{}, mux: http.NewServeMux(),
	}
	if s.client == nil {
		s.client = &http.Client{
			Timeout:       callTimeMax,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
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
	s.mux.Handle("/stripe/v3/", browser.Handler(options.Stripe.PublishableKey))
	s.control()
	return s, nil
}

// Handler serves everything.
func (s *Simulator) Handler() http.Handler { return s.mux }

// Close ends the posting of webhooks; what waits is dropped.
func (s *Simulator) Close() { s.webhooks.Close() }

// Settle waits until every webhook was taken, or given up.
func (s *Simulator) Settle(ctx context.Context) error { return s.webhooks.Settle(ctx) }

// Advance moves the clock ahead, with all that time brings.
func (s *Simulator) Advance(by time.Duration) {
	s.clock.Advance(by)
	s.stripe.Elapse()
	if s.options.OnAdvance != nil {
		s.options.OnAdvance(by)
	}
}

// Package stripe speaks Stripe's REST dialect of API version 2023-10-16, as far as card
// payments, disputes, saved cards and subscriptions go, with Stripe's strictness: unknown parameters, wrong types, states that do
// not allow a call and keys used twice are refused in Stripe's words. It has its own wire
// types and shares nothing with the program that it judges.
//
// Source: docs.stripe.com/api, version 2023-10-16.
package stripe

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/stripe/browser"
)

const (
	apiVersion = "2023-10-16"
	keysKept   = 24 * time.Hour
)

// Options are the account's credentials and where its webhooks go.
type Options struct {
	Account        string // its name, and the folder that it is in
	SecretKey      string
	PublishableKey string
	WebhookSecrets []string // the first one signs
	WebhookURL     string   // empty for no webhooks
	Clock          *engine.Clock
	Faults         *engine.Faults
	Requests       *engine.Requests
	Webhooks       *engine.Webhooks
	Logger         *slog.Logger
}

// Server is the simulated Stripe. It is safe for concurrent use.
type Server struct {
	Options
	desk   *engine.Desk
	prefix string // "/stripe"
	keys   *engine.Keys
	mux    *http.ServeMux
	hook   *engine.Registration
	opened time.Time // when it was made
	secret []byte    // of this server's fingerprints, made anew each time

	mu       sync.Mutex
	counter  int64
	at       time.Time // that is caught up with; zero for the clock's
	agenda   agenda
	planned  int64 // counts what was put on the agenda
	intents  engine.Store[*intent]
	charges  engine.Store[*charge]
	events   engine.Store[*event]
	disputes engine.Store[*dispute]
	refunds  engine.Store[*refund]
	sessions engine.Store[*session]
	files    engine.Store[*file]

	customers     engine.Store[*customer]
	methods       engine.Store[*paymentMethod]
	setups        engine.Store[*setup]
	products      engine.Store[*product]
	prices        engine.Store[*price]
	subscriptions engine.Store[*subscription]
	invoices      engine.Store[*invoice]
	afterRetries  string // what becomes of a subscription whose payment failed for the last time
}

var _ engine.Dialect = (*Server)(nil)

// call is one of the API's calls.
type call struct {
	allowed    []string // parameters; * stands for any key
	expandable []string
	do         func(*request) result
	public     bool // whether a publishable key with a client secret may call it
	uploads    bool // whether it takes a file
}

// New makes the server.
func New(options Options) *Server {
	s := &Server{
		Options: options, prefix: "/" + options.Account, keys: engine.NewKeys(options.Clock, keysKept), mux: http.NewServeMux(), secret: []byte(rand.Text()),
		desk: &engine.Desk{Account: options.Account, Clock: options.Clock, Faults: options.Faults, Requests: options.Requests}, afterRetries: canceled,
		hook: engine.NewRegistration(eventTypes), opened: options.Clock.Now(),
	}
	for pattern, c := range s.calls() {
		method, path, _ := strings.Cut(pattern, " ")
		s.mux.HandleFunc(method+" "+s.prefix+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, c) })
	}
	s.mux.HandleFunc("GET "+s.prefix+"/c/pay/{id}", s.serveHosted)
	s.mux.HandleFunc("POST "+s.prefix+"/c/pay/{id}", s.serveHosted)
	s.mux.Handle(s.prefix+browser.Folder, browser.Handler(s.prefix, options.PublishableKey))
	s.mux.HandleFunc(s.prefix+"/v1/", func(w http.ResponseWriter, r *http.Request) {
		x, _, _ := s.desk.Open(w, r)
		s.send(&exchange{Exchange: x}, refused(http.StatusNotFound, apiError{
			Type:    typeInvalidRequest,
			Message: "Unrecognized request URL (" + r.Method + ": " + strings.TrimPrefix(r.URL.Path, s.prefix) + ").",
		}))
	})
	return s
}

// Handler serves everything in the account's folder: the API under v1, the hosted pages under
// c, and the stand-in for Stripe.js under v3.
func (s *Server) Handler() http.Handler { return s.mux }

// Reset forgets all objects and keys.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intents, s.charges, s.events, s.disputes = engine.Store[*intent]{}, engine.Store[*charge]{}, engine.Store[*event]{}, engine.Store[*dispute]{}
	s.refunds, s.sessions, s.files = engine.Store[*refund]{}, engine.Store[*session]{}, engine.Store[*file]{}
	s.customers, s.methods, s.setups = engine.Store[*customer]{}, engine.Store[*paymentMethod]{}, engine.Store[*setup]{}
	s.products, s.prices = engine.Store[*product]{}, engine.Store[*price]{}
	s.subscriptions, s.invoices = engine.Store[*subscription]{}, engine.Store[*invoice]{}
	s.agenda, s.afterRetries = nil, canceled
	s.hook.Reset()
	s.keys.Reset()
}

// newID makes an id. The caller holds mu. The numbers grow, and a part of the real time
// keeps two lives of the simulator apart.
func (s *Server) newID(kind string) string {
	s.counter++
	return fmt.Sprintf("%s_%x%06d", kind, s.Clock.Wall().UnixMicro(), s.counter)
}

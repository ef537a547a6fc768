// Package paypal speaks PayPal's REST dialect, as far as orders, saved means of payment,
// subscriptions and disputes go, with PayPal's strictness: fields of the wrong form, states that do not
// allow a call, amounts with decimals that a currency has not, and request ids used twice are
// refused in PayPal's words. It has its own wire types and shares nothing with the program
// that it judges.
//
// Source: PayPal's API descriptions of checkout orders v2, payments v1 and v2, vault v3,
// products v1, subscriptions v1, webhooks v1, disputes v1 and transaction search v1.
package paypal

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/paypal/browser"
)

const (
	// How long request ids are remembered.
	//
	// Source: PayPal's API descriptions of orders v2, payments v2, subscriptions v1 and vault
	// v3, PayPal-Request-Id.
	orderKeysKept   = 6 * time.Hour
	paymentKeysKept = 45 * 24 * time.Hour
	billingKeysKept = 72 * time.Hour
	vaultKeysKept   = 3 * time.Hour
	// requestIDCharsMax is of a request id.
	requestIDCharsMax = 108
	// nameCharsMost is of a name that is told back.
	nameCharsMost = 100
	// idChars is how long an id is.
	idChars = 17
)

// Options are the account's credentials and where its webhooks go.
type Options struct {
	Account      string // its name, and the folder that it is in
	ClientID     string
	ClientSecret string
	WebhookID    string // that webhooks are signed with
	WebhookURL   string // empty for no webhooks
	// BaseURL is where the simulator is reached, for links and certificates; empty for
	// wherever it was called at last.
	BaseURL string
	// Authority signs webhooks; nil for one of its own.
	Authority *Authority
	// ReportingLag is how long the report of transactions is behind; the real one up to three
	// hours.
	ReportingLag time.Duration
	Clock        *engine.Clock
	Faults       *engine.Faults
	Requests     *engine.Requests
	Webhooks     *engine.Webhooks
	Logger       *slog.Logger
}

// Server is the simulated PayPal. It is safe for concurrent use.
type Server struct {
	Options
	desk                   *engine.Desk
	prefix                 string // "/paypal"
	orderKeys, paymentKeys *engine.Keys
	billingKeys, vaultKeys *engine.Keys
	mux                    *http.ServeMux
	hook                   *engine.Registration
	reached                atomic.Pointer[string] // where the API was called at last
	calls                  atomic.Int64

	mu             sync.Mutex
	counter        int64
	appointments   int64
	agenda         agenda
	due            time.Time               // of what is being done of the agenda; zero for nothing
	tokens         engine.Store[time.Time] // when they end
	orders         engine.Store[*order]
	authorizations engine.Store[*authorization]
	captures       engine.Store[*capture]
	refunds        engine.Store[*refund]
	disputes       engine.Store[*dispute]
	customers      engine.Store[*customer]
	setupTokens    engine.Store[*setupToken]
	paymentTokens  engine.Store[*paymentToken]
	products       engine.Store[*product]
	plans          engine.Store[*plan]
	subscriptions  engine.Store[*subscription]
	approvals      engine.Store[consent] // of subscriptions and their changes, by their token
	events         engine.Store[*event]
}

var _ engine.Dialect = (*Server)(nil)

// call is one of the API's calls.
type call struct {
	do    func(*request) result // runs while mu is held
	body  *shape                // nil for none
	query []string              // what may be asked
	keys  *engine.Keys          // that remember request ids; nil for none
	// keyNeeded has the call refused without a request id.
	keyNeeded bool
	// silent answers 204 unless the caller prefers to be shown what came of it.
	silent bool
	// parts says that the body is multipart/form-data, and plain that JSON will do as well.
	parts, plain bool
}

// New makes the server.
func New(options Options) *Server {
	s := &Server{
		Options: options, prefix: "/" + options.Account, mux: http.NewServeMux(),
		orderKeys: engine.NewKeys(options.Clock, orderKeysKept), paymentKeys: engine.NewKeys(options.Clock, paymentKeysKept),
		billingKeys: engine.NewKeys(options.Clock, billingKeysKept), vaultKeys: engine.NewKeys(options.Clock, vaultKeysKept),
		desk: &engine.Desk{Account: options.Account, Clock: options.Clock, Faults: options.Faults, Requests: options.Requests},
		hook: engine.NewRegistration(eventTypes),
	}
	if s.Authority == nil {
		s.Authority = NewAuthority(options.Clock.Wall)
	}
	for pattern, c := range s.table() {
		method, path, _ := strings.Cut(pattern, " ")
		s.mux.HandleFunc(method+" "+s.prefix+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, c) })
	}
	s.mux.HandleFunc("POST "+s.prefix+"/v1/oauth2/token", s.serveToken)
	s.mux.HandleFunc("GET "+s.prefix+certificates+"{name}", s.serveCertificate)
	for _, page := range []string{orderPage, tokenPage, subscriptionPage, revisionPage} {
		s.mux.HandleFunc("GET "+s.prefix+page, s.serveApproval)
		s.mux.HandleFunc("POST "+s.prefix+page, s.serveApproval)
	}
	s.mux.Handle(s.prefix+browser.Folder, browser.Handler(s.prefix, options.ClientID, slices.Concat(currencies.whole, currencies.rest)))
	s.mux.HandleFunc("GET "+s.prefix+browser.Folder+"api/orders/{id}", s.serveFrame(s.showToFrame))
	s.mux.HandleFunc("POST "+s.prefix+browser.Folder+"api/orders/{id}/confirm", s.serveFrame(s.confirmInFrame))
	s.mux.HandleFunc("POST "+s.prefix+browser.Folder+"api/orders/{id}/authenticate", s.serveFrame(s.authenticateInFrame))
	for _, version := range []string{"/v1/", "/v2/", "/v3/"} {
		s.mux.HandleFunc(s.prefix+version, s.serveUnknown)
	}
	return s
}

// table is the API's calls by method and path.
func (s *Server) table() map[string]call {
	calls := map[string]call{
		"POST /v2/checkout/orders":                             {do: s.createOrder, body: &orderShape, keys: s.orderKeys},
		"GET /v2/checkout/orders/{id}":                         {do: s.getOrder, query: []string{"fields"}},
		"POST /v2/checkout/orders/{id}/capture":                {do: s.captureOrder, body: &completeShape, keys: s.orderKeys},
		"POST /v2/checkout/orders/{id}/authorize":              {do: s.authorizeOrder, body: &completeShape, keys: s.orderKeys},
		"POST /v2/checkout/orders/{id}/confirm-payment-source": {do: s.confirmSource, body: &confirmShape},
		"GET /v2/payments/authorizations/{id}":                 {do: s.getAuthorization},
		"POST /v2/payments/authorizations/{id}/capture":        {do: s.captureAuthorization, body: &captureShape, keys: s.paymentKeys},
		"POST /v2/payments/authorizations/{id}/reauthorize":    {do: s.reauthorize, body: &reauthorizeShape, keys: s.paymentKeys},
		"POST /v2/payments/authorizations/{id}/void":           {do: s.voidAuthorization, body: &emptyShape, keys: s.paymentKeys, silent: true},
		"GET /v2/payments/captures/{id}":                       {do: s.getCapture},
		"POST /v2/payments/captures/{id}/refund":               {do: s.refundCapture, body: &refundShape, keys: s.paymentKeys},
		"GET /v2/payments/refunds/{id}":                        {do: s.getRefund},
		"GET /v1/reporting/transactions":                       {do: s.report, query: reportQuery},
		"GET /v1/notifications/webhooks":                       {do: s.listWebhooks, query: []string{"anchor_type"}},
		"GET /v1/notifications/webhooks-events":                {do: s.listEvents, query: eventQuery},
		"GET /v1/notifications/webhooks-events/{id}":           {do: s.getEvent},
		"POST /v1/notifications/verify-webhook-signature":      {do: s.verifySignature, body: &verifyShape},
	}
	for _, more := range []map[string]call{s.disputeTable(), s.vaultTable(), s.billingTable()} {
		maps.Copy(calls, more)
	}
	return calls
}

// Handler serves everything in the account's folder: the API under v1 and v2, the page at
// which buyers agree at checkoutnow, and the stand-in for the JavaScript SDK under sdk.
func (s *Server) Handler() http.Handler { return s.mux }

// Reset forgets all objects and keys. Access tokens stay good: they are no objects, and
// PayPal's do not end with a shop's data.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agenda = nil
	s.hook.Reset()
	s.orders, s.authorizations, s.captures = engine.Store[*order]{}, engine.Store[*authorization]{}, engine.Store[*capture]{}
	s.refunds, s.disputes, s.events = engine.Store[*refund]{}, engine.Store[*dispute]{}, engine.Store[*event]{}
	s.customers, s.setupTokens, s.paymentTokens = engine.Store[*customer]{}, engine.Store[*setupToken]{}, engine.Store[*paymentToken]{}
	s.products, s.plans = engine.Store[*product]{}, engine.Store[*plan]{}
	s.subscriptions, s.approvals = engine.Store[*subscription]{}, engine.Store[consent]{}
	for _, keys := range []*engine.Keys{s.orderKeys, s.paymentKeys, s.billingKeys, s.vaultKeys} {
		keys.Reset()
	}
}

// newID makes an id. The caller holds mu. The numbers grow, and a part of the real time
// keeps two lives of the simulator apart.
func (s *Server) newID() string {
	s.counter++
	at := strings.ToUpper(strconv.FormatInt(s.Clock.Wall().UnixMicro(), 36))
	count := strings.ToUpper(strconv.FormatInt(s.counter, 36))
	return at + strings.Repeat("0", max(idChars-len(at)-len(count), 0)) + count
}

// debugID makes the id that PayPal's support asks for.
func (s *Server) debugID() string {
	return fmt.Sprintf("%08x%05x", uint32(s.Clock.Wall().Unix()), s.calls.Add(1))
}

// base is where the simulator is reached.
func (s *Server) base() string {
	if s.BaseURL != "" {
		return strings.TrimRight(s.BaseURL, "/")
	}
	if at := s.reached.Load(); at != nil {
		return *at
	}
	return "http://localhost"
}

// reach remembers where the API was called at.
func (s *Server) reach(r *http.Request) {
	at := "http://" + r.Host
	if r.TLS != nil {
		at = "https://" + r.Host
	}
	s.reached.Store(&at)
}

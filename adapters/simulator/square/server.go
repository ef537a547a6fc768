// Package square speaks Square's REST dialect of version 2025-08-20, as far as card payments
// and what follows them, cards on file and subscriptions go, with Square's strictness: unknown
// fields, wrong types, states that do not allow a call and keys used twice are refused in
// Square's words. It has its own wire types and shares nothing with the program that it judges.
//
// Source: developer.squareup.com/reference/square, version 2025-08-20.
package square

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
	"github.com/paydesk/paydesk/adapters/simulator/square/browser"
)

const (
	apiVersion = "2025-08-20"
	// keysKept is a guess: Square tells nobody how long it remembers a key.
	keysKept = 24 * time.Hour
	// merchant is whose account it is, as events name it.
	merchant = "MLSIMULATED00"
)

// Options are the account's credentials and where its webhooks go.
type Options struct {
	Account       string // its name, and the folder that it is in
	AccessToken   string
	ApplicationID string // names the account towards the browser's script, together with the next
	LocationID    string
	WebhookKeys   []string // the first one signs
	WebhookURL    string   // where webhooks are posted to; empty for no webhooks
	// SignedURL is the address that is signed with a webhook's body, which a proxy may make
	// another than the one posted to; empty for WebhookURL.
	SignedURL string
	// EventsEnabled: somebody had events kept for the search before anything happened. Otherwise a
	// call has to.
	EventsEnabled bool
	Clock         *engine.Clock
	Faults        *engine.Faults
	Requests      *engine.Requests
	Webhooks      *engine.Webhooks
	Logger        *slog.Logger
}

// Server is the simulated Square. It is safe for concurrent use.
type Server struct {
	Options
	desk   *engine.Desk
	large  *engine.Desk // takes the calls with files
	prefix string       // "/square"
	keys   *engine.Keys
	mux    *http.ServeMux
	hook   *engine.Registration
	opened time.Time // when it was made
	secret []byte    // of this server's fingerprints and cursors, made anew each time

	mu            sync.Mutex
	counter       int64
	at            time.Time // when that falls due which is being done; zero for now
	agenda        agenda
	planned       int64     // how much was ever put on the agenda
	waiting       []due     // for the clock's being moved, oldest first
	listening     time.Time // since when events are kept for the search; zero for not at all
	payments      engine.Store[*payment]
	refunds       engine.Store[*refund]
	orders        engine.Store[*order]
	links         engine.Store[*link]
	disputes      engine.Store[*dispute]
	evidence      engine.Store[*evidence]
	customers     engine.Store[*customer]
	cards         engine.Store[*onFile]
	catalog       engine.Store[*catalogObject]
	subscriptions engine.Store[*subscription]
	invoices      engine.Store[*invoice]
	events        engine.Store[*event]
	tokens        engine.Store[*token]
	verifications engine.Store[*verification]
}

var _ engine.Dialect = (*Server)(nil)

// call is one of the API's calls.
type call struct {
	query []string // parameters of the address
	body  fields   // nil where there is none
	do    func(*request) result
	// unkeyed says that the body's idempotency key is another call's.
	unkeyed bool
	// file says that a file comes with the body, in parts.
	file bool
}

// New makes the server.
func New(options Options) *Server {
	if options.SignedURL == "" {
		options.SignedURL = options.WebhookURL
	}
	s := &Server{
		Options: options, prefix: "/" + options.Account, keys: engine.NewKeys(options.Clock, keysKept), mux: http.NewServeMux(), secret: []byte(rand.Text()),
		hook: engine.NewRegistration(eventTypes), opened: options.Clock.Now().Truncate(time.Millisecond),
	}
	s.listen()
	s.desk = &engine.Desk{Account: options.Account, Clock: options.Clock, Faults: options.Faults, Requests: options.Requests}
	s.large = new(*s.desk)
	s.large.BodyBytesMax = uploadBytesMax
	for pattern, c := range s.calls() {
		method, path, _ := strings.Cut(pattern, " ")
		s.mux.HandleFunc(method+" "+s.prefix+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, c) })
	}
	s.mux.HandleFunc("GET "+s.prefix+"/u/{code}", s.serveHosted)
	s.mux.HandleFunc("POST "+s.prefix+"/u/{code}", s.serveHosted)
	s.mux.HandleFunc("POST "+s.prefix+browser.Folder+"tokens", func(w http.ResponseWriter, r *http.Request) { s.serveToken(w, r, tokenBody, s.tokenize) })
	s.mux.HandleFunc("POST "+s.prefix+browser.Folder+"tokens/{id}", func(w http.ResponseWriter, r *http.Request) { s.serveToken(w, r, outcomeBody, s.verify) })
	s.mux.Handle(s.prefix+browser.Folder, browser.Handler(s.prefix, options.ApplicationID, options.LocationID))
	s.mux.HandleFunc(s.prefix+"/v2/", s.serveNone)
	return s
}

// calls are the API's calls by method and path.
func (s *Server) calls() map[string]call {
	return map[string]call{
		"POST /v2/payments":                             {body: createPaymentBody, do: s.createPayment},
		"GET /v2/payments":                              {query: listPaymentsQuery, do: s.listPayments},
		"POST /v2/payments/cancel":                      {body: cancelByKeyBody, do: s.cancelByKey, unkeyed: true},
		"GET /v2/payments/{id}":                         {do: s.getPayment},
		"PUT /v2/payments/{id}":                         {body: updatePaymentBody, do: s.updatePayment},
		"POST /v2/payments/{id}/complete":               {body: completePaymentBody, do: s.completePayment},
		"POST /v2/payments/{id}/cancel":                 {body: fields{}, do: s.cancelPayment},
		"POST /v2/refunds":                              {body: refundBody, do: s.createRefund},
		"GET /v2/refunds":                               {query: listRefundsQuery, do: s.listRefunds},
		"GET /v2/refunds/{id}":                          {do: s.getRefund},
		"POST /v2/online-checkout/payment-links":        {body: linkBody, do: s.createLink},
		"GET /v2/online-checkout/payment-links/{id}":    {do: s.getLink},
		"DELETE /v2/online-checkout/payment-links/{id}": {do: s.deleteLink},
		"GET /v2/orders/{id}":                           {do: s.getOrder},
		"POST /v2/orders/batch-retrieve":                {body: batchOrdersBody, do: s.getOrders},
		"GET /v2/disputes":                              {query: []string{"cursor", "states", "location_id"}, do: s.listDisputes},
		"GET /v2/disputes/{id}":                         {do: s.getDispute},
		"POST /v2/disputes/{id}/accept":                 {body: fields{}, do: s.acceptDispute},
		"POST /v2/disputes/{id}/evidence-text":          {body: evidenceTextBody, do: s.createEvidenceText},
		"POST /v2/disputes/{id}/evidence-files":         {body: evidenceFileBody, do: s.createEvidenceFile, file: true},
		"POST /v2/disputes/{id}/submit-evidence":        {body: fields{}, do: s.submitEvidence},
		"GET /v2/disputes/{id}/evidence":                {query: []string{"cursor"}, do: s.listEvidence},
		"GET /v2/disputes/{id}/evidence/{part}":         {do: s.getEvidence},
		"DELETE /v2/disputes/{id}/evidence/{part}":      {do: s.deleteEvidence},
		"POST /v2/customers":                            {body: createCustomerBody, do: s.createCustomer},
		"POST /v2/customers/search":                     {body: searchCustomersBody, do: s.searchCustomers},
		"GET /v2/customers/{id}":                        {do: s.getCustomer},
		"PUT /v2/customers/{id}":                        {body: updateCustomerBody, do: s.updateCustomer},
		"DELETE /v2/customers/{id}":                     {query: []string{"version"}, do: s.deleteCustomer},
		"POST /v2/cards":                                {body: createCardBody, do: s.createCard},
		"GET /v2/cards":                                 {query: listCardsQuery, do: s.listCards},
		"GET /v2/cards/{id}":                            {do: s.getCard},
		"POST /v2/cards/{id}/disable":                   {body: fields{}, do: s.disableCard},
		"POST /v2/catalog/object":                       {body: catalogBody, do: s.writeCatalog},
		"GET /v2/catalog/object/{id}":                   {do: s.getCatalog},
		"DELETE /v2/catalog/object/{id}":                {do: s.deleteCatalog},
		"GET /v2/catalog/list":                          {query: []string{"cursor", "types"}, do: s.listCatalog},
		"POST /v2/subscriptions":                        {body: createSubscriptionBody, do: s.createSubscription},
		"POST /v2/subscriptions/search":                 {body: searchSubscriptionsBody, do: s.searchSubscriptions},
		"GET /v2/subscriptions/{id}":                    {query: []string{"include"}, do: s.getSubscription},
		"PUT /v2/subscriptions/{id}":                    {body: updateSubscriptionBody, do: s.updateSubscription},
		"GET /v2/subscriptions/{id}/events":             {query: []string{"cursor", "limit"}, do: s.listSubscriptionEvents},
		"POST /v2/subscriptions/{id}/cancel":            {body: fields{}, do: s.cancelSubscription},
		"POST /v2/subscriptions/{id}/pause":             {body: pauseBody, do: s.pauseSubscription},
		"POST /v2/subscriptions/{id}/resume":            {body: resumeBody, do: s.resumeSubscription},
		"POST /v2/subscriptions/{id}/swap-plan":         {body: swapBody, do: s.swapPlan},
		"DELETE /v2/subscriptions/{id}/actions/{part}":  {do: s.deleteAction},
		"GET /v2/invoices":                              {query: []string{"cursor", "limit", "location_id"}, do: s.listInvoices},
		"POST /v2/invoices/search":                      {body: searchInvoicesBody, do: s.searchInvoices},
		"GET /v2/invoices/{id}":                         {do: s.getInvoice},
		"POST /v2/invoices/{id}/cancel":                 {body: cancelInvoiceBody, do: s.cancelInvoice},
		"PUT /v2/events/enable":                         {body: fields{}, do: s.enableEvents},
		"PUT /v2/events/disable":                        {body: fields{}, do: s.disableEvents},
		"GET /v2/webhooks/subscriptions":                {query: webhooksQuery, do: s.listWebhooks},
		"POST /v2/events":                               {body: searchEventsBody, do: s.searchEvents},
		"GET /v2/locations":                             {do: s.listLocations},
		"GET /v2/locations/{id}":                        {do: s.getLocation},
	}
}

// Handler serves everything in the account's folder: the API under v2, the pages of payment
// links under u, and the stand-in for the Web Payments SDK under v1.
func (s *Server) Handler() http.Handler { return s.mux }

// Reset forgets all objects and keys.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payments, s.refunds, s.orders, s.links = engine.Store[*payment]{}, engine.Store[*refund]{}, engine.Store[*order]{}, engine.Store[*link]{}
	s.disputes, s.evidence, s.events = engine.Store[*dispute]{}, engine.Store[*evidence]{}, engine.Store[*event]{}
	s.customers, s.cards = engine.Store[*customer]{}, engine.Store[*onFile]{}
	s.catalog, s.subscriptions, s.invoices = engine.Store[*catalogObject]{}, engine.Store[*subscription]{}, engine.Store[*invoice]{}
	s.tokens, s.verifications = engine.Store[*token]{}, engine.Store[*verification]{}
	s.agenda, s.waiting = nil, nil
	s.hook.Reset()
	s.listen()
	s.keys.Reset()
}

// listen has events be kept from the start, or not, as the options say.
func (s *Server) listen() {
	s.listening = time.Time{}
	if s.EventsEnabled {
		s.listening = s.opened
	}
}

// newID makes an id. The caller holds mu. The numbers grow, and a part of the real time
// keeps two lives of the simulator apart.
func (s *Server) newID(kind string) string {
	s.counter++
	return fmt.Sprintf("%s%X%06d", kind, s.Clock.Wall().UnixMicro(), s.counter)
}

// now is the simulated time as Square tells it: to the millisecond. What falls due happens at
// its own time, however far the clock was moved. The caller holds mu.
func (s *Server) now() time.Time {
	if !s.at.IsZero() {
		return s.at
	}
	return s.Clock.Now().Truncate(time.Millisecond)
}

// stamp writes a time.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

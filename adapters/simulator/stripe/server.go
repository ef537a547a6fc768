// Package stripe speaks Stripe's REST dialect of API version 2023-10-16, as far as card
// payments go, with Stripe's strictness: unknown parameters, wrong types, states that do
// not allow a call and keys used twice are refused in Stripe's words. It has its own wire
// types and shares nothing with the program that it judges.
//
// Source: docs.stripe.com/api, version 2023-10-16.
package stripe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

const (
	apiVersion   = "2023-10-16"
	keysKept     = 24 * time.Hour
	bodyBytesMax = 1 << 20
	// hangMax is how long a call that times out on purpose is held.
	hangMax = 35 * time.Second
	// objectsMax bounds the objects of each kind that are kept.
	objectsMax = 200_000

	account = "stripe"
	prefix  = "/stripe"
)

// Options are the account's credentials and where its webhooks go.
type Options struct {
	SecretKey      string
	PublishableKey string
	WebhookSecrets []string // the first one signs
	WebhookURL     string
	Clock          *engine.Clock
	Faults         *engine.Faults
	Requests       *engine.Requests
	Webhooks       *engine.Webhooks
	Logger         *slog.Logger
}

// Server is the simulated Stripe.
type Server struct {
	Options
	keys *engine.Keys
	mux  *http.ServeMux

	mu      sync.Mutex
	counter int64
	intents store[*intent]
	charges store[*charge]
	events  store[*event]
	dispute store[*dispute]
}

// store keeps objects in the order of their making.
type store[T any] struct {
	byID  map[string]T
	order []string
}

func (s *store[T]) put(id string, object T) {
	if s.byID == nil {
		s.byID = make(map[string]T)
	}
	if _, ok := s.byID[id]; !ok {
		s.order = append(s.order, id)
	}
	s.byID[id] = object
	if len(s.order) > objectsMax {
		delete(s.byID, s.order[0])
		s.order = s.order[1:]
	}
}

func (s *store[T]) all() []T {
	objects := make([]T, 0, len(s.order))
	for _, id := range s.order {
		objects = append(objects, s.byID[id])
	}
	return objects
}

// New makes the server.
func New(options Options) *Server {
	s := &Server{Options: options, keys: engine.NewKeys(options.Clock, keysKept), mux: http.NewServeMux()}
	for pattern, call := range map[string]call{
		"POST /v1/payment_intents":              {allowed: createParams, do: s.create},
		"GET /v1/payment_intents":               {allowed: listParams, do: s.list},
		"GET /v1/payment_intents/{id}":          {allowed: getParams, do: s.get, public: true},
		"POST /v1/payment_intents/{id}/confirm": {allowed: confirmParams, do: s.confirm, public: true},
		"POST /v1/payment_intents/{id}/capture": {allowed: captureParams, do: s.capture},
		"POST /v1/payment_intents/{id}/cancel":  {allowed: cancelParams, do: s.cancel},
		"POST /v1/3ds2/authenticate":            {allowed: authenticateParams, do: s.authenticate, public: true},
		"GET /v1/charges/{id}":                  {allowed: getParams, do: s.getCharge},
		"GET /v1/events":                        {allowed: listParams, do: s.listEvents},
		"GET /v1/events/{id}":                   {allowed: getParams, do: s.getEvent},
		"GET /v1/disputes":                      {allowed: listParams, do: s.listDisputes},
		"GET /v1/balance":                       {allowed: getParams, do: s.balance},
		"GET /v1/account":                       {allowed: getParams, do: s.account},
		"GET /v1/webhook_endpoints":             {allowed: listParams, do: s.listEndpoints},
	} {
		method, path, _ := strings.Cut(pattern, " ")
		s.mux.HandleFunc(method+" "+prefix+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, call) })
	}
	s.mux.HandleFunc(prefix+"/v1/", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, nil, failed(http.StatusNotFound, apiError{Type: invalidRequest, Message: "Unrecognized request URL (" + r.Method + ": " + strings.TrimPrefix(r.URL.Path, prefix) + ")."}))
	})
	return s
}

// Handler serves everything under /stripe/v1.
func (s *Server) Handler() http.Handler { return s.mux }

// Reset forgets all objects.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intents, s.charges, s.events, s.dispute = store[*intent]{}, store[*charge]{}, store[*event]{}, store[*dispute]{}
	s.keys.Reset()
}

// call is one of the API's calls.
type call struct {
	allowed []string // parameters; * stands for any key
	do      func(*request) result
	public  bool // whether a publishable key with a client secret may call it
}

// request is a call with its parameters, flat: "metadata[x]".
type request struct {
	id     string // from the path
	params map[string]string
	public bool // called with the publishable key
}

// result is an answer's status and object; the object of an error is an errorBody.
type result struct {
	status int
	object any
	// released says that nothing was done, so that an idempotency key stays free.
	released bool
}

func done(object any) result { return result{status: http.StatusOK, object: object} }

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c call) {
	fault, faulty := s.Faults.TakeCall(account, r.Method+" "+r.URL.Path)
	if faulty && s.before(w, r, fault) {
		return
	}
	in, refused := s.read(r, c)
	if refused != nil {
		s.answer(w, r, nil, *refused)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost || key == "" {
		s.finish(w, r, fault, c.do(in))
		return
	}
	verdict, stored := s.keys.Begin(key, fingerprint(r, in))
	switch verdict {
	case engine.KeyReplay:
		w.Header().Set("Idempotent-Replayed", "true")
		s.send(w, r, fault, stored.Status, stored.Body)
		return
	case engine.KeyMismatch:
		s.answer(w, r, nil, failed(http.StatusBadRequest, apiError{Type: "idempotency_error",
			Message: "Keys for idempotent requests can only be used with the same parameters they were first used with."}))
		return
	case engine.KeyBusy:
		s.answer(w, r, nil, failed(http.StatusConflict, apiError{Type: "idempotency_error", Code: "idempotency_key_in_use",
			Message: "There is currently another in-progress request using this Idempotent Key."}))
		return
	case engine.KeyRun:
	}
	out := c.do(in)
	if out.released {
		s.keys.Release(key)
	} else {
		s.keys.Finish(key, engine.Stored{Status: out.status, Body: encode(out.object)})
	}
	s.finish(w, r, fault, out)
}

// before does what a fault does instead of the call, and reports whether it did.
func (s *Server) before(w http.ResponseWriter, r *http.Request, fault engine.Fault) bool {
	switch fault.Fault {
	case engine.FaultError500:
		s.answer(w, r, &fault, failed(http.StatusInternalServerError, apiError{Type: "api_error", Message: "An error occurred with our connection."}))
	case engine.FaultError429:
		w.Header().Set("Retry-After", "1")
		s.answer(w, r, &fault, failed(http.StatusTooManyRequests, apiError{Type: invalidRequest, Code: "rate_limit", Message: "Too many requests hit the API too quickly."}))
	case engine.FaultTimeoutBefore:
		s.hang(r, fault)
		panic(http.ErrAbortHandler)
	case engine.FaultReset:
		s.note(r, 0, fault.Fault, false)
		panic(http.ErrAbortHandler)
	case engine.FaultGarbage:
		w.Header().Set("Content-Type", "text/html")
		s.note(r, http.StatusBadGateway, fault.Fault, false)
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>Bad gateway</html>")
	case engine.FaultLatency:
		wait(r, fault.Latency())
		return false
	default:
		return false
	}
	return true
}

// hang holds a call until its caller has gone.
func (s *Server) hang(r *http.Request, fault engine.Fault) {
	s.note(r, 0, fault.Fault, false)
	wait(r, hangMax)
}

func wait(r *http.Request, longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// finish sends a result, unless a fault keeps it.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, fault engine.Fault, out result) {
	s.send(w, r, fault, out.status, encode(out.object))
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, fault engine.Fault, status int, body []byte) {
	if fault.Fault == engine.FaultTimeoutAfterCommit {
		s.hang(r, fault)
		panic(http.ErrAbortHandler)
	}
	s.note(r, status, fault.Fault, w.Header().Get("Idempotent-Replayed") != "")
	s.write(w, status, body)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, fault *engine.Fault, out result) {
	name := ""
	if fault != nil {
		name = fault.Fault
	}
	s.note(r, out.status, name, false)
	s.write(w, out.status, encode(out.object))
}

func (s *Server) write(w http.ResponseWriter, status int, body []byte) {
	s.mu.Lock()
	id := s.newID("req")
	s.mu.Unlock()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Request-Id", id)
	header.Set("Stripe-Version", apiVersion)
	header.Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// note remembers a call without its parameters.
func (s *Server) note(r *http.Request, status int, fault string, replayed bool) {
	s.Requests.Add(engine.Request{
		Account: account, Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, prefix), Status: status,
		IdempotencyKey: r.Header.Get("Idempotency-Key"), Replayed: replayed, Fault: fault, At: s.Clock.Now(),
	})
}

// read checks who calls and what with.
func (s *Server) read(r *http.Request, c call) (*request, *result) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyBytesMax))
	if err != nil {
		return nil, refuse(apiError{Type: invalidRequest, Message: "The body ended early."})
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err == nil && r.Method == http.MethodPost {
		values, err = url.ParseQuery(string(body))
	}
	if err != nil {
		return nil, refuse(apiError{Type: invalidRequest, Message: "Invalid request: the parameters are not form-encoded."})
	}
	in := &request{id: r.PathValue("id"), params: make(map[string]string)}
	for name, all := range values {
		for i, value := range all {
			if strings.HasSuffix(name, "[]") {
				in.params[fmt.Sprintf("%s[%d]", strings.TrimSuffix(name, "[]"), i)] = value
			} else {
				in.params[name] = value
			}
		}
	}
	if refused := s.identify(r, c, in); refused != nil {
		return nil, refused
	}
	for name := range in.params {
		if !slices.ContainsFunc(c.allowed, func(pattern string) bool { return fits(pattern, name) }) {
			return nil, refuse(apiError{Type: invalidRequest, Code: "parameter_unknown", Param: name, Message: "Received unknown parameter: " + name})
		}
	}
	return in, nil
}

// identify checks the key. The publishable one opens a payment to whoever knows its
// client secret.
func (s *Server) identify(r *http.Request, c call, in *request) *result {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if user, _, ok := r.BasicAuth(); ok {
		key = user
	}
	if key == "" {
		key = in.params["key"]
	}
	switch {
	case key == "":
		out := failed(http.StatusUnauthorized, apiError{Type: invalidRequest, Message: "You did not provide an API key."})
		return &out
	case key == s.SecretKey:
		return nil
	case key != s.PublishableKey:
		out := failed(http.StatusUnauthorized, apiError{Type: invalidRequest, Code: "api_key_invalid", Message: "Invalid API Key provided."})
		return &out
	case !c.public:
		out := failed(http.StatusForbidden, apiError{Type: invalidRequest, Code: "secret_key_required", Message: "This API call cannot be made with a publishable API key."})
		return &out
	}
	in.public = true
	return nil
}

// fits reports whether a name has the form of a pattern, in which * is any key.
func fits(pattern, name string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	key, ok := strings.CutPrefix(name, before)
	key, closed := strings.CutSuffix(key, after)
	return ok && closed && key != "" && !strings.ContainsAny(key, "[]")
}

func fingerprint(r *http.Request, in *request) string {
	names := make([]string, 0, len(in.params))
	for name := range in.params {
		names = append(names, name)
	}
	slices.Sort(names)
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s %s\n", r.Method, r.URL.Path)
	for _, name := range names {
		_, _ = fmt.Fprintf(sum, "%q=%q\n", name, in.params[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func encode(object any) []byte {
	text, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		return []byte(`{"error":{"type":"api_error","message":"not writable"}}`)
	}
	return append(text, '\n')
}

// newID makes an id. The caller holds mu. The numbers grow, and a part of the clock keeps
// two lives of the simulator apart.
func (s *Server) newID(kind string) string {
	s.counter++
	return fmt.Sprintf("%s_%x%06d", kind, s.Clock.Wall().UnixNano()/1000, s.counter)
}

// The words of errors.
const (
	invalidRequest = "invalid_request_error"
	cardError      = "card_error"
)

type apiError struct {
	Type          string  `json:"type"`
	Code          string  `json:"code,omitempty"`
	DeclineCode   string  `json:"decline_code,omitempty"`
	Message       string  `json:"message"`
	Param         string  `json:"param,omitempty"`
	Charge        string  `json:"charge,omitempty"`
	PaymentIntent *intent `json:"payment_intent,omitempty"`
}

type errorBody struct {
	Error apiError `json:"error"`
}

func failed(status int, e apiError) result {
	return result{status: status, object: errorBody{e}, released: status < 402 || status == http.StatusConflict || status == http.StatusTooManyRequests}
}

func refuse(e apiError) *result {
	out := failed(http.StatusBadRequest, e)
	return &out
}

func missing(kind, id string) result {
	return failed(http.StatusNotFound, apiError{Type: invalidRequest, Code: "resource_missing", Param: "intent", Message: "No such " + kind + ": '" + id + "'"})
}

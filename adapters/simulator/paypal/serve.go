package paypal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// tokenLife is how long an access token is good for.
//
// Source: developer.paypal.com/api/rest/authentication: about nine hours.
const tokenLife = 9 * time.Hour

// request is a call with what it asks.
type request struct {
	id    string // from the path
	query url.Values
	body  []byte // in one way of writing; as it came for raw
	raw   []byte
	files []string // the names of those that came with the body
	full  bool     // the caller prefers to be shown what came of it
	keyed bool     // it has a request id
}

// decode reads the body, whose shape is checked already, into a value.
func (in *request) decode(into any) *result {
	if err := json.Unmarshal(in.body, into); err != nil {
		return new(invalid(detail{Issue: "MALFORMED_REQUEST_JSON", Field: "/", Location: "body"}))
	}
	return nil
}

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c call) {
	var files []byte
	var filesErr error
	if c.parts {
		// Files are longer than any other body. The desk gets none, so that it bounds nothing.
		files, filesErr = io.ReadAll(http.MaxBytesReader(w, r.Body, evidenceBytesMax))
		r.Body = http.NoBody
	}
	x, body, err := s.desk.Open(w, r)
	if c.parts {
		body, err = files, filesErr
	}
	s.reach(r)
	x.Key = r.Header.Get("PayPal-Request-Id")
	if x.Instead(func(status int) { s.send(x, outage(status)) }) {
		return
	}
	if err != nil {
		s.send(x, invalid(detail{Issue: "MALFORMED_REQUEST_JSON", Field: "/", Location: "body"}))
		return
	}
	if out := s.identify(r); out != nil {
		s.send(x, *out)
		return
	}
	in, bad := read(r, c, body)
	switch {
	case bad != nil:
		s.send(x, *bad)
	case len(x.Key) > requestIDCharsMax:
		s.send(x, invalid(detail{Issue: "INVALID_STRING_LENGTH", Field: "PayPal-Request-Id", Location: "header"}))
	case x.Key == "" && c.keyNeeded:
		s.send(x, invalid(detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: "PayPal-Request-Id", Location: "header"}))
	case c.keys == nil || x.Key == "":
		x.Linger()
		_, status, text := s.run(c, in)
		s.sendText(x, status, text)
	default:
		in.keyed = true
		s.serveKeyed(x, c, in)
	}
}

// outage is the answer of a PayPal that is down, or that was asked too much.
func outage(status int) result {
	if status == http.StatusTooManyRequests {
		return refused(status, nameLimited)
	}
	return refused(status, nameInternal)
}

// read checks what a call asks.
func read(r *http.Request, c call, body []byte) (*request, *result) {
	in := &request{id: r.PathValue("id"), query: r.URL.Query(), raw: body}
	for name := range in.query {
		if !slices.Contains(c.query, name) {
			return nil, new(invalid(detail{Issue: "INVALID_PARAMETER", Field: name[:min(len(name), nameCharsMost)], Location: "query"}))
		}
	}
	for prefer := range strings.SplitSeq(r.Header.Get("Prefer"), ",") {
		in.full = in.full || strings.TrimSpace(prefer) == "return=representation"
	}
	if c.body == nil {
		return in, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case c.parts && (kind != "application/json" || !c.plain):
		var bad *result
		if body, in.files, bad = readParts(r.Header.Get("Content-Type"), body); bad != nil {
			return nil, bad
		}
	case err != nil || kind != "application/json":
		return nil, new(refused(http.StatusUnsupportedMediaType, nameMediaType))
	}
	var details []detail
	if in.body, details = c.body.parse(body); details != nil {
		return nil, new(invalid(details...))
	}
	return in, nil
}

// run does a call's work and writes its answer while nothing can change.
func (s *Server) run(c call, in *request) (out result, status int, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out = c.do(in)
	if out.ref != "" {
		out.status, out.object = s.shownRef(out.ref, out.status, c.silent, in.full)
	}
	status, text = s.written(out)
	return out, status, text
}

// shownRef is an object as a call shows it that made or changed it: 204 and nothing where
// that is the rule. The caller holds mu.
func (s *Server) shownRef(ref string, status int, silent, full bool) (int, any) {
	if silent && !full {
		return http.StatusNoContent, nil
	}
	kind, id, _ := strings.Cut(ref, " ")
	if object := s.shownKind(kind, id, full); object != nil {
		return status, object
	}
	out := notFound()
	return out.status, out.object
}

// shownKind is the object of a kind and an id; nil where there is none any more. The caller
// holds mu.
func (s *Server) shownKind(kind, id string, full bool) any {
	switch kind {
	case "order":
		return shownOf(&s.orders, id, func(o *order) any { return s.shownOrder(o, full) })
	case "authorization":
		return shownOf(&s.authorizations, id, func(a *authorization) any { return s.shownAuthorization(a, full, true) })
	case "capture":
		return shownOf(&s.captures, id, func(c *capture) any { return s.shownCapture(c, full, true) })
	case "sale":
		return shownOf(&s.captures, id, func(c *capture) any { return s.shownTransaction(c) })
	case "refund":
		return shownOf(&s.refunds, id, func(r *refund) any { return s.shownRefund(r, full) })
	case "sale_refund":
		return shownOf(&s.refunds, id, func(r *refund) any { return s.shownSaleRefund(r) })
	case "setup_token":
		return shownOf(&s.setupTokens, id, func(t *setupToken) any { return s.shownSetupToken(t) })
	case "payment_token":
		return shownOf(&s.paymentTokens, id, func(t *paymentToken) any { return s.shownPaymentToken(t) })
	case "product":
		return shownOf(&s.products, id, func(p *product) any { return s.shownProduct(p) })
	case "plan":
		return shownOf(&s.plans, id, func(p *plan) any { return s.shownPlan(p) })
	case "subscription":
		return shownOf(&s.subscriptions, id, func(b *subscription) any { return s.shownSubscription(b, full, false) })
	}
	return nil
}

func shownOf[T any](held *engine.Store[T], id string, show func(T) any) any {
	if object, ok := held.Get(id); ok {
		return show(object)
	}
	return nil
}

// serveKeyed answers a call under a request id. Only what worked is remembered, and a repeat
// shows it as it stands by then. What PayPal says to another request under the same id is not
// known for certain; neither is that a refusal leaves the id free.
//
// Source: developer.paypal.com/api/rest/reference/idempotency.
func (s *Server) serveKeyed(x *engine.Exchange, c call, in *request) {
	verdict, stored := c.keys.Begin(x.Key, fingerprint(x.R, in))
	switch verdict {
	case engine.KeyReplay:
		x.Replayed = true
		s.mu.Lock()
		status, object := s.shownRef(string(stored.Body), http.StatusOK, c.silent, in.full)
		status, text := s.written(result{status: status, object: object})
		s.mu.Unlock()
		s.sendText(x, status, text)
		return
	case engine.KeyMismatch:
		s.send(x, unprocessable("DUPLICATE_REQUEST_ID", ""))
		return
	case engine.KeyBusy:
		s.send(x, conflict())
		return
	case engine.KeyRun:
	}
	defer c.keys.Release(x.Key) // nothing, once it has its answer
	x.Linger()
	out, status, text := s.run(c, in)
	if out.ref != "" {
		c.keys.Finish(x.Key, engine.Stored{Status: status, Body: []byte(out.ref)})
	}
	s.sendText(x, status, text)
}

// fingerprint tells whether two requests are the same. No body of the API holds a secret.
func fingerprint(r *http.Request, in *request) string {
	sum := sha256.New()
	_, _ = sum.Write([]byte(r.Method + " " + r.URL.Path + "\n")) // a hash takes everything
	_, _ = sum.Write(in.body)
	return hex.EncodeToString(sum.Sum(nil))
}

// written is an answer on the wire. An error gets its debug id when it is sent.
func (s *Server) written(out result) (int, []byte) {
	switch object := out.object.(type) {
	case nil:
		return out.status, nil
	case problem:
		object.DebugID = s.debugID()
		return out.status, encode(object)
	}
	return out.status, encode(out.object)
}

func (s *Server) send(x *engine.Exchange, out result) {
	status, text := s.written(out)
	s.sendText(x, status, text)
}

// sendText answers, unless a fault keeps the answer. An error says its debug id twice.
func (s *Server) sendText(x *engine.Exchange, status int, text []byte) {
	var about struct {
		DebugID string `json:"debug_id"`
	}
	if status >= http.StatusBadRequest {
		_ = json.Unmarshal(text, &about) // a token's errors have none
	}
	if about.DebugID == "" {
		about.DebugID = s.debugID()
	}
	header := x.W.Header()
	header.Set("Paypal-Debug-Id", about.DebugID)
	header.Set("Cache-Control", "max-age=0, no-cache, no-store, must-revalidate")
	if text != nil {
		header.Set("Content-Type", "application/json")
	}
	x.Answer(status, text)
}

// encode writes JSON without hiding characters that HTML uses, as PayPal does.
func encode(object any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return []byte(`{"name":"INTERNAL_SERVER_ERROR","message":"The object cannot be written.","debug_id":"0","links":[]}`)
	}
	return bytes.TrimRight(text.Bytes(), "\n")
}

// identify checks the access token.
func (s *Server) identify(r *http.Request) *result {
	token, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !given || token == "" {
		return new(refused(http.StatusUnauthorized, nameUnauthorized))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	until, known := s.tokens.Get(token)
	switch {
	case !known:
		return new(tokenRefused(http.StatusUnauthorized, "invalid_token", "The token passed in was not found in the system"))
	case !s.Clock.Now().Before(until):
		return new(tokenRefused(http.StatusUnauthorized, "invalid_token", "Access Token has expired"))
	}
	return nil
}

// serveToken gives an access token for the account's credentials.
//
// Source: developer.paypal.com/api/rest/authentication.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	x, body, err := s.desk.Open(w, r)
	s.reach(r)
	if x.Instead(func(status int) { s.send(x, outage(status)) }) {
		return
	}
	x.Linger()
	id, secret, given := r.BasicAuth()
	form, formErr := url.ParseQuery(string(body))
	kind, _, kindErr := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case !given || !same(id, s.ClientID) || !same(secret, s.ClientSecret):
		s.send(x, tokenRefused(http.StatusUnauthorized, "invalid_client", "Client Authentication failed"))
		return
	case err != nil || formErr != nil || kindErr != nil || kind != "application/x-www-form-urlencoded" || form.Get("grant_type") == "":
		s.send(x, tokenRefused(http.StatusBadRequest, "unsupported_grant_type", "Grant Type is NULL"))
		return
	case form.Get("grant_type") != "client_credentials":
		s.send(x, tokenRefused(http.StatusBadRequest, "unsupported_grant_type", "unsupported grant_type"))
		return
	}
	token, now := "A21AA"+rand.Text()+rand.Text(), s.Clock.Now()
	s.mu.Lock()
	s.tokens.Put(token, now.Add(tokenLife))
	s.mu.Unlock()
	s.send(x, done(map[string]any{
		"scope":        "https://uri.paypal.com/services/payments/payment/authcapture https://uri.paypal.com/services/reporting/search/read",
		"access_token": token, "token_type": "Bearer", "app_id": "APP-80W284485P519543T", "expires_in": int(tokenLife.Seconds()),
		"nonce": now.Format(timeFormat) + rand.Text(),
	}))
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// serveCertificate gives the certificate that webhooks are signed with, to anybody.
func (s *Server) serveCertificate(w http.ResponseWriter, r *http.Request) {
	x, _, _ := s.desk.Open(w, r)
	if x.Instead(func(status int) { s.send(x, outage(status)) }) {
		return
	}
	x.Linger()
	if r.PathValue("name") != s.Authority.file() {
		s.send(x, notFound())
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	x.Answer(http.StatusOK, s.Authority.LeafPEM())
}

// serveUnknown answers for calls that there are not.
func (s *Server) serveUnknown(w http.ResponseWriter, r *http.Request) {
	x, _, _ := s.desk.Open(w, r)
	s.reach(r)
	if x.Instead(func(status int) { s.send(x, outage(status)) }) {
		return
	}
	s.send(x, refused(http.StatusNotFound, nameNotFound))
}

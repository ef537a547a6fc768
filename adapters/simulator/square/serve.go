package square

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

// exchange is a call on its way through the server.
type exchange struct {
	*engine.Exchange
	call call
	in   *request
}

// request is a call that was read.
type request struct {
	id    string // from the path
	part  string // id of what belongs to it, from the path
	query map[string]string
	body  []byte
	key   string // the body's idempotency key; empty where it has none
	base  string // where the simulator was reached
	file  *file  // nil where none comes with the call
}

// into reads the body, which was checked.
func (in *request) into(value any) {
	if len(in.body) > 0 {
		_ = json.Unmarshal(in.body, value) // its shape was checked against the same type
	}
}

// nulls are the names of the body's fields that are null, which clears them where a call
// changes an object.
func (in *request) nulls() []string {
	var given map[string]json.RawMessage
	in.into(&given)
	return nullsOf(given)
}

func nullsOf(given map[string]json.RawMessage) []string {
	var names []string
	for name, value := range given {
		if string(value) == "null" {
			names = append(names, name)
		}
	}
	return names
}

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c call) {
	desk := s.desk
	if c.file {
		desk = s.large
	}
	opened, body, err := desk.Open(w, r)
	x := &exchange{Exchange: opened, call: c}
	var sent *file
	var broken *result
	if c.file && err == nil {
		body, sent, broken = split(r, body)
	}
	given, isObject := parse(body)
	x.Key, _ = given["idempotency_key"].(string)
	if x.Instead(func(status int) { s.send(x, outage(status)) }) {
		return
	}
	if err != nil {
		s.send(x, refused(http.StatusRequestEntityTooLarge, apiError{Category: invalidRequest, Code: "REQUEST_ENTITY_TOO_LARGE", Detail: "The body is too long or ended early."}))
		return
	}
	if bad := s.identify(r); bad != nil {
		s.send(x, *bad)
		return
	}
	in, bad := readRequest(r, c, body, given, isObject)
	switch {
	case broken != nil:
		s.send(x, *broken)
		return
	case bad != nil:
		s.send(x, *bad)
		return
	case c.file && sent == nil:
		s.send(x, invalid("MISSING_REQUIRED_PARAMETER", "image_file", "Missing required parameter."))
		return
	case c.file:
		in.file, given["image_file"] = sent, s.markOf(string(sent.content)+sent.kind)
	}
	x.in = in
	if in.key == "" || c.unkeyed {
		x.Linger()
		s.send(x, s.run(x))
		return
	}
	s.serveKeyed(x, s.fingerprint(r, given))
}

// run does a call's work at the time that it is, and what the call sets going at once.
func (s *Server) run(x *exchange) result {
	s.catchUp()
	defer s.catchUp()
	return x.call.do(x.in)
}

// serveNone answers a call that there is not, to those who may call.
func (s *Server) serveNone(w http.ResponseWriter, r *http.Request) {
	opened, _, _ := s.desk.Open(w, r) // whatever the body is
	x := &exchange{Exchange: opened}
	if x.Instead(func(status int) { s.send(x, outage(status)) }) {
		return
	}
	if bad := s.identify(r); bad != nil {
		s.send(x, *bad)
		return
	}
	s.send(x, refused(http.StatusNotFound, apiError{Category: invalidRequest, Code: "NOT_FOUND", Detail: "Resource not found."}))
}

// outage is the answer of a Square that is down, or that was asked too much.
func outage(status int) result {
	if status == http.StatusTooManyRequests {
		return refused(status, apiError{Category: rateLimit, Code: "RATE_LIMITED", Detail: "Your application has made too many requests. Please try again later."})
	}
	return refused(status, apiError{Category: apiTrouble, Code: "INTERNAL_SERVER_ERROR", Detail: "An internal server error has occurred."})
}

// parse reads a body's object with its numbers as they were written; none where it is no
// object, or more than one.
func parse(body []byte) (map[string]any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var given map[string]any
	if err := decoder.Decode(&given); err != nil || given == nil {
		return nil, false
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, false
	}
	return given, true
}

// identify checks who calls and which version is spoken. A call that names none is taken as
// of the application's own, which is this one; others are not spoken here.
//
// Source: developer.squareup.com/docs/build-basics/versioning-overview.
func (s *Server) identify(r *http.Request) *result {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	version := r.Header.Get("Square-Version")
	_, err := time.Parse(time.DateOnly, version)
	switch {
	case !ok || !same(given, s.AccessToken):
		return new(refused(http.StatusUnauthorized, apiError{Category: authentication, Code: "UNAUTHORIZED", Detail: "This request could not be authorized."}))
	case version != "" && err != nil:
		return new(invalid("INVALID_SQUARE_VERSION_FORMAT", "", "The Square-Version header must be in the format YYYY-MM-DD."))
	case version != "" && version != apiVersion:
		return new(invalid("API_VERSION_INCOMPATIBLE", "", "The Square-Version provided is incompatible with the requested action: "+apiVersion+" is spoken here."))
	}
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// readRequest checks what a call was sent.
func readRequest(r *http.Request, c call, body []byte, given map[string]any, isObject bool) (*request, *result) {
	in := &request{id: r.PathValue("id"), part: r.PathValue("part"), query: make(map[string]string), base: "http://" + r.Host}
	values := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(c.query, name) {
			return nil, new(invalid("UNKNOWN_QUERY_PARAMETER", clip(name), "The query parameter is not recognized."))
		}
		in.query[name] = values.Get(name)
	}
	if c.body == nil || len(body) == 0 && r.Method != http.MethodGet && !c.body.demands() {
		return in, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case !c.file && (err != nil || kind != "application/json"):
		return nil, new(invalid("INVALID_CONTENT_TYPE", "", "The content type must be application/json."))
	case !isObject:
		return nil, new(invalid("EXPECTED_JSON_BODY", "", "Expected a JSON body."))
	}
	if wrong := c.body.check("", given); len(wrong) > 0 {
		return nil, new(refused(http.StatusBadRequest, wrong...))
	}
	in.body = body
	in.key, _ = given["idempotency_key"].(string)
	return in, nil
}

// demands reports whether any field cannot be left out.
func (f fields) demands() bool {
	for _, s := range f {
		if s.need {
			return true
		}
	}
	return false
}

// fingerprint tells whether two requests are the same. It is keyed, because a body may hold
// what a plain hash would give away.
func (s *Server) fingerprint(r *http.Request, given map[string]any) string {
	sum := hmac.New(sha256.New, s.secret)
	_, _ = fmt.Fprintf(sum, "%s %s\n%s", r.Method, r.URL.Path, encode(given))
	return hex.EncodeToString(sum.Sum(nil))
}

// serveKeyed answers a call under an idempotency key.
//
// Source: developer.squareup.com/docs/build-basics/common-api-patterns/idempotency.
func (s *Server) serveKeyed(x *exchange, fingerprint string) {
	key := x.in.key
	verdict, stored := s.keys.Begin(key, fingerprint)
	switch verdict {
	case engine.KeyReplay:
		x.Replayed = true
		s.sendText(x, stored.Status, stored.Body)
		return
	case engine.KeyMismatch:
		s.send(x, invalid("IDEMPOTENCY_KEY_REUSED", "idempotency_key", "The idempotency key can only be retried with the same request data."))
		return
	case engine.KeyBusy:
		s.send(x, refused(http.StatusConflict, apiError{Category: invalidRequest, Code: "CONFLICT", Detail: "Another request with this idempotency key is in progress."}))
		return
	case engine.KeyRun:
	}
	defer s.keys.Release(key) // nothing, once it has its answer
	x.Linger()
	out := s.run(x)
	text := encode(out.object)
	if !out.released {
		s.keys.Finish(key, engine.Stored{Status: out.status, Body: text})
	}
	s.sendText(x, out.status, text)
}

func (s *Server) send(x *exchange, out result) { s.sendText(x, out.status, encode(out.object)) }

// sendText answers, unless a fault keeps the answer.
func (s *Server) sendText(x *exchange, status int, body []byte) {
	header := x.W.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Square-Version", apiVersion)
	header.Set("X-Request-Id", rand.Text())
	x.Answer(status, body)
}

func encode(object any) []byte {
	text, err := json.Marshal(object)
	if err != nil {
		return []byte(`{"errors":[{"category":"API_ERROR","code":"INTERNAL_SERVER_ERROR","detail":"The object cannot be written."}]}`)
	}
	return text
}

// shown is an object as it stands now, which later changes leave alone.
func shown(object any) json.RawMessage { return encode(object) }

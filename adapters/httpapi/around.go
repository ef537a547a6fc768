package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/idempotency"
)

const (
	// bodyBytesMax is the longest body that is read.
	bodyBytesMax = 64 << 10
	// jsonDepthMax is how deep a body may nest.
	jsonDepthMax = 32
	// idempotencyKeyMax is the longest Idempotency-Key, in characters.
	idempotencyKeyMax = 255

	headerKey      = "Idempotency-Key"
	headerReplayed = "Idempotent-Replayed"
)

// unkeyed are the POSTs that may come without an Idempotency-Key: they create nothing and
// take no money, and have the same effect twice as once.
var unkeyed = []string{"/expire", "/cancel"}

// around puts what every call has in common around the calls: a span and a line in the
// log, headers, who calls, a bounded and checked body, and the first answer again for a
// repeated POST.
func (s *server) around(calls *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		_, route := calls.Handler(r)
		if route == "" {
			route = "none"
		}
		ctx, span := s.tracer.Start(r.Context(), "api "+route, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		out := &observed{ResponseWriter: w, status: http.StatusOK}
		out.Header().Set("X-Content-Type-Options", "nosniff")
		out.Header().Set("Referrer-Policy", "no-referrer")
		if strings.HasPrefix(r.URL.Path, "/v1") {
			out.Header().Set("Cache-Control", "no-store")
			s.guarded(out, r.WithContext(ctx), calls, route)
		} else if route == "none" {
			notFound.write(out)
		} else {
			calls.ServeHTTP(out, r.WithContext(ctx))
		}
		took := time.Since(start)
		span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", out.status))
		s.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("route", route), attribute.Int("status", out.status)))
		s.logger.InfoContext(ctx, "api", slog.String("route", route), slog.Int("status", out.status), slog.Duration("took", took))
	})
}

// observed remembers the status that was sent.
type observed struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (o *observed) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

// guarded is a call of /v1: it goes on only with a good key and a clean request.
func (s *server) guarded(w http.ResponseWriter, r *http.Request, calls *http.ServeMux, route string) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		unauthorized.write(w)
		return
	}
	key, err := s.keys.APIKey(r.Context(), strings.TrimSpace(token))
	if err != nil {
		s.problemOf(r.Context(), err).write(w)
		return
	}
	if route == "none" {
		s.noRoute(w, r, calls)
		return
	}
	body, refused := readBody(w, r)
	if refused == nil && hasCardNumber(r, body) {
		refused = cardNumber
	}
	if refused == nil && len(body) > 0 {
		refused = checkJSON(body)
	}
	if refused != nil {
		refused.write(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	ctx := context.WithValue(r.Context(), callerKey{}, caller{key: key.ID})
	if r.Method != http.MethodPost {
		calls.ServeHTTP(w, r.WithContext(ctx))
		return
	}
	s.once(w, r.WithContext(ctx), calls, key.ID, body)
}

// noRoute answers what the calls do not: another method, or nothing at all.
func (s *server) noRoute(w http.ResponseWriter, r *http.Request, calls *http.ServeMux) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, route := calls.Handler(other); route != "" && strings.HasPrefix(route, method+" /v1") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		notFound.write(w)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	problem(http.StatusMethodNotAllowed, "method_not_allowed", "This address takes "+strings.Join(allowed, " and ")+".").write(w)
}

// readBody reads a POST's body within its limit; no other method has one.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Problem) {
	if r.Method != http.MethodPost {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, tooLarge
	}
	if err != nil {
		return nil, unreadable
	}
	if len(body) == 0 {
		return nil, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, unsupported
	}
	return body, nil
}

// hasCardNumber looks through everything that the caller chose: the address, the key and
// the body. The body is looked at as it was sent and with its escapes read, since a
// number may hide in either.
func hasCardNumber(r *http.Request, body []byte) bool {
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if err != nil {
		query = r.URL.RawQuery
	}
	for _, text := range []string{r.URL.Path, query, r.Header.Get(headerKey), string(body)} {
		if core.HasCardNumber(text) {
			return true
		}
	}
	found := false
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	for !found {
		token, err := decoder.Token()
		if err != nil {
			break // the end, or no JSON, which is refused for that
		}
		if text, ok := token.(string); ok {
			found = core.HasCardNumber(text)
		}
	}
	return found
}

// checkJSON refuses what is no JSON object, holds a name twice in one object, or nests
// too deep: programs disagree on which of two equal names counts.
func checkJSON(body []byte) *Problem {
	if !utf8.Valid(body) || !json.Valid(body) {
		return invalidJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	type level struct {
		names map[string]bool // nil for a list
		value bool            // whether a name's value comes next
	}
	var levels []level
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil //nolint:nilerr // the end: that it is JSON is known by now
		}
		delimiter, isDelimiter := token.(json.Delim)
		if isDelimiter && (delimiter == '}' || delimiter == ']') {
			levels = levels[:len(levels)-1]
			continue
		}
		if top := len(levels) - 1; top >= 0 && levels[top].names != nil {
			if !levels[top].value {
				name, _ := token.(string)
				if levels[top].names[name] {
					return problem(http.StatusBadRequest, "invalid_json", "The body names a field twice in one object.")
				}
				levels[top].names[name], levels[top].value = true, true
				continue
			}
			levels[top].value = false
		}
		if isDelimiter {
			next := level{}
			if delimiter == '{' {
				next.names = make(map[string]bool)
			}
			if levels = append(levels, next); len(levels) > jsonDepthMax {
				return problem(http.StatusBadRequest, "invalid_json", "The body nests too deep.")
			}
		}
	}
}

// caller is who makes the call, and under which key its objects are found again.
type caller struct {
	key     core.APIKeyID
	request core.RequestKey // empty where no Idempotency-Key was sent
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func (c caller) cause() core.Cause { return core.Cause{Kind: core.CauseAPI, Actor: string(c.key)} }

// once makes a POST once for its caller and Idempotency-Key.
func (s *server) once(w http.ResponseWriter, r *http.Request, calls http.Handler, key core.APIKeyID, body []byte) {
	header := r.Header.Get(headerKey)
	if header == "" {
		for _, suffix := range unkeyed {
			if strings.HasSuffix(r.URL.Path, suffix) {
				calls.ServeHTTP(w, r)
				return
			}
		}
		keyRequired.write(w)
		return
	}
	if len(header) > idempotencyKeyMax || strings.ContainsFunc(header, func(c rune) bool { return c <= ' ' || c > '~' }) {
		keyRequired.write(w)
		return
	}
	call := idempotency.Call{Caller: key, Key: header, RequestHash: hashRequest(r, body)}
	ctx := context.WithValue(r.Context(), callerKey{}, caller{key: key, request: call.RequestKey()})
	var first *recorded
	given, replayed, err := s.replays.Do(ctx, call, func(ctx context.Context) idempotency.Answer {
		first = &recorded{header: make(http.Header), status: http.StatusOK}
		calls.ServeHTTP(first, r.WithContext(ctx))
		return idempotency.Answer{Status: first.status, Body: first.body.Bytes(), Forget: settlesNothing(first.status, first.body.Bytes())}
	})
	if err != nil && first == nil {
		s.problemOf(ctx, err).write(w)
		return
	}
	if err != nil {
		s.logger.ErrorContext(ctx, "answer is not remembered", slog.String("error", err.Error()))
	}
	w.Header().Set("Content-Type", contentType(given.Status))
	if replayed {
		w.Header().Set(headerReplayed, "true")
	} else if after := first.header.Get("Retry-After"); after != "" {
		w.Header().Set("Retry-After", after)
	}
	w.WriteHeader(given.Status)
	_, _ = w.Write(given.Body)
}

func contentType(status int) string {
	if status >= http.StatusBadRequest {
		return problemType
	}
	return "application/json"
}

// settlesNothing reports whether an answer leaves the key free: the request was never
// taken up, or it can come out otherwise next time.
func settlesNothing(status int, body []byte) bool {
	var p struct {
		Code string `json:"code"`
	}
	switch {
	case status < http.StatusBadRequest:
		return false
	case status >= http.StatusInternalServerError, status == http.StatusBadRequest, status == http.StatusNotFound:
		return true
	}
	if json.Unmarshal(body, &p) != nil {
		return true
	}
	return p.Code == "invalid_request" || p.Code == "payment_in_progress"
}

func hashRequest(r *http.Request, body []byte) string {
	sum := sha256.New()
	_, _ = io.WriteString(sum, r.Method+" "+r.URL.RequestURI()+"\n")
	_, _ = sum.Write(body)
	return hex.EncodeToString(sum.Sum(nil))
}

// recorded keeps an answer.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (r *recorded) Header() http.Header { return r.header }

// WriteHeader implements [http.ResponseWriter].
func (r *recorded) WriteHeader(status int) { r.status = status }

// Write implements [http.ResponseWriter].
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }

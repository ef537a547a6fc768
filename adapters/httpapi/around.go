package httpapi

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
)

// noRoute is the route of requests that are for none of the calls. A stranger's path
// does not become a label.
const noRoute = "none"

// strictTransport has browsers come back by https alone, for two years.
const strictTransport = "max-age=63072000; includeSubDomains"

// around puts what every call has in common around the calls: a span and a line in the
// log, headers, who calls, a bounded and checked body, and the first answer again for a
// repeated POST. Neither span nor log ever hold a path's values, a query or a body.
func (s *server) around(calls *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		route := routeOf(calls, r)
		ctx, span := s.tracer.Start(r.Context(), "api "+route, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		out := &observed{ResponseWriter: w, status: http.StatusOK}
		s.setHeaders(out.Header(), strings.HasPrefix(r.URL.Path, "/v1"))
		s.answerSafely(ctx, out, r.WithContext(ctx), calls, route)
		took := time.Since(start)
		span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", out.status))
		labels := metric.WithAttributes(attribute.String("route", route), attribute.Int("status", out.status))
		s.requests.Add(ctx, 1, labels)
		s.duration.Record(ctx, took.Seconds(), labels)
		s.logger.InfoContext(ctx, "api", slog.String("route", route), slog.Int("status", out.status), slog.Duration("took", took))
	})
}

// routeOf is the pattern of the call that a request is for. A path that is not in its
// shortest form is for none: the library's redirect would repeat it.
func routeOf(calls *http.ServeMux, r *http.Request) string {
	if path.Clean(r.URL.Path) != r.URL.Path {
		return noRoute
	}
	if _, route := calls.Handler(r); route != "" {
		return route
	}
	return noRoute
}

func (s *server) setHeaders(header http.Header, isAPI bool) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if isAPI {
		header.Set("Cache-Control", "no-store")
	}
	if s.secure {
		header.Set("Strict-Transport-Security", strictTransport)
	}
}

// observed remembers the status that was sent.
type observed struct {
	http.ResponseWriter
	status int
	sent   bool
}

// WriteHeader implements [http.ResponseWriter].
func (o *observed) WriteHeader(status int) {
	o.status, o.sent = status, true
	o.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (o *observed) Write(b []byte) (int, error) {
	o.sent = true
	return o.ResponseWriter.Write(b)
}

// answerSafely answers also where something inside panics. What it panicked with is not
// logged unless it comes from the runtime, since it may hold what the caller sent.
func (s *server) answerSafely(ctx context.Context, w *observed, r *http.Request, calls *http.ServeMux, route string) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		text := "panic"
		if err, ok := cause.(runtime.Error); ok {
			text = err.Error()
		}
		s.logger.ErrorContext(ctx, "call panicked", slog.String("error", text), slog.String("stack", string(debug.Stack())))
		if !w.sent {
			internal(ctx).write(w)
		}
	}()
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1"):
		s.guarded(w, r, calls, route)
	case route == noRoute:
		refuseRoute(w, r, calls)
	default:
		calls.ServeHTTP(w, r)
	}
}

// guarded is a call of /v1: it goes on only with a good key and a clean request.
func (s *server) guarded(w http.ResponseWriter, r *http.Request, calls *http.ServeMux, route string) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		unauthorized.write(w)
		return
	}
	key, err := s.keys.APIKey(r.Context(), strings.TrimSpace(token))
	if err != nil {
		s.problemOf(r.Context(), err).write(w)
		return
	}
	body, refused := readBody(w, r)
	if refused == nil && hasCardNumber(r, body) {
		refused = cardNumber
	}
	if refused == nil && route == noRoute {
		refuseRoute(w, r, calls)
		return
	}
	if refused == nil {
		refused = checkQuery(r.URL.RawQuery)
	}
	if refused == nil && len(body) > 0 {
		refused = checkBody(r, body)
	}
	if refused != nil {
		refused.write(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json") // checked; huma knows it in this spelling only
	}
	r = r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{key: key.ID}))
	if r.Method != http.MethodPost {
		calls.ServeHTTP(w, r)
		return
	}
	s.once(w, r, calls, key.ID, body)
}

// refuseRoute answers what the calls do not: another method, or nothing at all.
func refuseRoute(w http.ResponseWriter, r *http.Request, calls *http.ServeMux) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if route := routeOf(calls, other); strings.HasPrefix(route, method+" ") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		notFound.write(w)
		return
	}
	answer := problem(http.StatusMethodNotAllowed, "method_not_allowed", "This address takes "+strings.Join(allowed, " and ")+".")
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	answer.write(w)
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

// Package httpedge is what every face that speaks HTTP has around its calls: a span, a
// metric and a line in the log, the headers of each answer, and an answer also where
// something inside panics.
package httpedge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/paydesk/paydesk/adapters/httpedge"

// NoRoute is the route of requests that are for none of the calls. A stranger's path
// does not become a label.
const NoRoute = "none"

// strictTransport has browsers come back by https alone, for two years.
const strictTransport = "max-age=63072000; includeSubDomains"

// Options are what an edge is made of. All but Secure and Logger are required.
type Options struct {
	// Face names the spans, the metric (paydesk.FACE.duration, in seconds, by route and
	// status) and the lines of the log.
	Face string
	// Panicked answers where something inside panicked and nothing was sent yet.
	Panicked func(context.Context, http.ResponseWriter)
	Secure   bool         // whether callers come by https
	Logger   *slog.Logger // nil for slog's default
}

// Edge goes around the calls of one face.
type Edge struct {
	options  Options
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

// New makes an edge.
func New(options Options) (*Edge, error) {
	if options.Face == "" || options.Panicked == nil {
		return nil, errors.New("an edge needs a name and an answer to panics")
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	duration, err := otel.Meter(scope).Float64Histogram("paydesk."+options.Face+".duration", metric.WithUnit("s"),
		metric.WithDescription("How long calls take, by route and status."))
	if err != nil {
		return nil, fmt.Errorf("make the metric of %s: %w", options.Face, err)
	}
	return &Edge{options: options, tracer: otel.Tracer(scope), duration: duration}, nil
}

// Call answers a request whose route is known.
type Call func(w http.ResponseWriter, r *http.Request, route string)

// Around puts the edge around a call. The calls' mux tells only which route a request is
// for. Neither span nor log ever hold a path's values, a query or a body.
func (e *Edge) Around(calls *http.ServeMux, call Call) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		route := RouteOf(calls, r)
		ctx, span := e.tracer.Start(r.Context(), e.options.Face+" "+route, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		out := &observed{ResponseWriter: w, status: http.StatusOK}
		e.setHeaders(out.Header())
		e.answerSafely(ctx, out, r.WithContext(ctx), call, route)
		took := time.Since(start)
		span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", out.status))
		e.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("route", route), attribute.Int("status", out.status)))
		e.options.Logger.InfoContext(ctx, "call", slog.String("face", e.options.Face), slog.String("route", route), slog.Int("status", out.status), slog.Duration("took", took))
	})
}

// RouteOf is the pattern of the call that a request is for, or [NoRoute]. A path that is
// not in its shortest form is for none: the mux's redirect would repeat it.
func RouteOf(calls *http.ServeMux, r *http.Request) string {
	if path.Clean(r.URL.Path) != r.URL.Path {
		return NoRoute
	}
	if _, route := calls.Handler(r); route != "" {
		return route
	}
	return NoRoute
}

func (e *Edge) setHeaders(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if e.options.Secure {
		header.Set("Strict-Transport-Security", strictTransport)
	}
}

// answerSafely answers also where something inside panics. What it panicked with is not
// logged unless it comes from the runtime, since it may hold what the caller sent.
func (e *Edge) answerSafely(ctx context.Context, w *observed, r *http.Request, call Call, route string) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		text := "panic"
		if err, ok := cause.(runtime.Error); ok {
			text = err.Error()
		}
		e.options.Logger.ErrorContext(ctx, "call panicked", slog.String("error", text), slog.String("stack", string(debug.Stack())))
		if !w.sent {
			e.options.Panicked(ctx, w)
		}
	}()
	call(w, r, route)
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

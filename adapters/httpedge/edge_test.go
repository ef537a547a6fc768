package httpedge_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/paydesk/paydesk/adapters/httpedge"
	"github.com/paydesk/paydesk/core/coretest"
)

// Telemetry is global, so it is set once, before any test runs.
var (
	spans   = tracetest.NewSpanRecorder()
	metrics = sdkmetric.NewManualReader()
)

func TestMain(m *testing.M) {
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics)))
	os.Exit(m.Run())
}

const private = "whsec_private"

// newEdge serves calls that end well, badly and halfway under a face of its own.
func newEdge(t *testing.T, face string, secure bool) (http.Handler, *coretest.Buffer) {
	t.Helper()
	log := &coretest.Buffer{}
	edge, err := httpedge.New(httpedge.Options{
		Face: face, Secure: secure, Logger: slog.New(slog.NewJSONHandler(log, nil)),
		Panicked: func(_ context.Context, w http.ResponseWriter) {
			http.Error(w, "mended", http.StatusInternalServerError)
		},
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("GET /text", func(http.ResponseWriter, *http.Request) { panic(private) })
	mux.HandleFunc("GET /runtime", func(_ http.ResponseWriter, r *http.Request) {
		_ = r.TransferEncoding[0]
	})
	mux.HandleFunc("GET /halfway", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic(private)
	})
	return edge.Around(mux, func(w http.ResponseWriter, r *http.Request, route string) {
		w.Header().Set("X-Route", route)
		mux.ServeHTTP(w, r)
	}), log
}

func TestAnswersAlsoWhereSomethingPanics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, body string
		status     int
		logged     string
	}{
		{"/text", "mended\n", http.StatusInternalServerError, `"error":"panic"`},
		{"/runtime", "mended\n", http.StatusInternalServerError, "index out of range"},
		{"/halfway", "half", http.StatusOK, `"error":"panic"`},
	} {
		t.Run(c.path, func(t *testing.T) {
			t.Parallel()
			edge, log := newEdge(t, "panics", false)
			w := httptest.NewRecorder()
			edge.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil))
			require.Equal(t, c.status, w.Code)
			require.Equal(t, c.body, w.Body.String())
			require.Contains(t, log.String(), c.logged)
			require.Contains(t, log.String(), "edge_test.go", "the stack tells where")
			require.NotContains(t, log.String(), private)
		})
	}
}

func TestOnlySecureFacesAskForHTTPS(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		edge, _ := newEdge(t, fmt.Sprint("secure", secure), secure)
		w := httptest.NewRecorder()
		edge.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/things/1", nil))
		require.Equal(t, secure, w.Header().Get("Strict-Transport-Security") != "")
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
	}
}

func TestTelemetryNamesRoutesAlone(t *testing.T) {
	t.Parallel()
	edge, log := newEdge(t, "routes", false)
	for path, route := range map[string]string{
		"/things/secret-thing?q=secret-query": "GET /things/{id}",
		"/secret-path":                        httpedge.NoRoute,
		"/things//secret-thing":               httpedge.NoRoute,
	} {
		w := httptest.NewRecorder()
		edge.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		require.Equal(t, route, w.Header().Get("X-Route"))
	}
	require.NotContains(t, log.String(), "secret")
	require.Contains(t, log.String(), `"msg":"call","face":"routes","route":"GET /things/{id}","status":418`)
	names := map[string]bool{}
	for _, span := range spans.Ended() {
		names[span.Name()] = true
		require.NotContains(t, fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Status()), "secret")
	}
	require.True(t, names["routes GET /things/{id}"])
	require.True(t, names["routes none"])

	var collected metricdata.ResourceMetrics
	require.NoError(t, metrics.Collect(t.Context(), &collected))
	found := false
	for _, scope := range collected.ScopeMetrics {
		for _, metric := range scope.Metrics {
			found = found || metric.Name == "paydesk.routes.duration"
			require.NotContains(t, fmt.Sprint(metric.Data), "secret")
		}
	}
	require.True(t, found)
}

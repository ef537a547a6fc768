package notifier_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/paydesk/paydesk/adapters/notifier"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var _ ports.Notifier = (*notifier.Notifier)(nil)

const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

func open(t *testing.T, allowPrivate bool) *notifier.Notifier {
	t.Helper()
	sender, err := notifier.New(notifier.Options{AllowPrivate: allowPrivate, Wall: system.NewClock()})
	require.NoError(t, err)
	return sender
}

func TestNotificationsAreSignedAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	verified := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verified <- verifier.Verify(body, r.Header)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	outcome, err := open(t, true).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: server.URL, Secrets: []string{secret}, Body: []byte(`{"type":"x"}`)})
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, outcome.Status)
	require.NoError(t, <-verified)
}

func TestOnlyA2xxIsSuccess(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	for _, status := range []int{301, 302, 307, 400, 410, 500, 503} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		calls.Store(0)
		outcome, err := open(t, true).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: server.URL + "/?token=hush", Secrets: []string{secret}})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hush")
		require.Equal(t, status, outcome.Status)
		require.Equal(t, int32(1), calls.Load(), "redirects are not followed")
	}
}

func TestABusyEndpointSaysForHowLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		header string
		least  time.Duration
		most   time.Duration
	}{
		{429, "120", 2 * time.Minute, 2 * time.Minute},
		{503, "7", 7 * time.Second, 7 * time.Second},
		{503, time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 50 * time.Minute, time.Hour},
		{503, time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 0, 0},
		{500, "120", 0, 0},
		{429, "-5", 0, 0},
		{429, "99999999999999999999", 0, 0},
		{429, "soon", 0, 0},
		{429, "", 0, 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.header)
			w.WriteHeader(c.status)
		}))
		t.Cleanup(server.Close)
		outcome, err := open(t, true).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: server.URL, Secrets: []string{secret}})
		require.Error(t, err)
		require.GreaterOrEqual(t, outcome.RetryAfter, c.least, c.header)
		require.LessOrEqual(t, outcome.RetryAfter, c.most, c.header)
	}
}

// An address may hold a secret, and a body is the buyer's affair.
func TestTriesAreSeenInTracesAndMetricsWithoutTheAddress(t *testing.T) {
	t.Parallel()
	spans, metrics := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	sender, err := notifier.New(notifier.Options{
		AllowPrivate: true, Wall: system.NewClock(), Tracer: tracers, Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics)),
	})
	require.NoError(t, err)
	parents := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parents <- r.Header.Get("Traceparent")
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	_, err = sender.Notify(t.Context(), ports.Notification{
		ID: "msg_1", URL: server.URL + "/hush", Secrets: []string{secret}, Body: []byte("hush"), Trace: "00-" + trace + "-b7ad6b7169203331-01",
	})
	require.Error(t, err)
	require.Contains(t, <-parents, trace, "one trace runs from the cause to the storefront")
	seen := spans.GetSpans()
	require.Len(t, seen, 1)
	require.Equal(t, trace, seen[0].SpanContext.TraceID().String())
	var measured metricdata.ResourceMetrics
	require.NoError(t, metrics.Collect(t.Context(), &measured))
	text := fmt.Sprintf("%+v %+v", seen, measured)
	require.Contains(t, text, "4xx")
	for _, hidden := range []string{"hush", server.Listener.Addr().String()} {
		require.NotContains(t, text, hidden)
	}
}

func TestAnswersAreKeptInPart(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	}))
	t.Cleanup(server.Close)
	outcome, err := open(t, true).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: server.URL, Secrets: []string{secret}})
	require.ErrorContains(t, err, "500")
	require.Equal(t, strings.Repeat("x", core.NotificationAnswerBytesMax), string(outcome.Body))
}

// What was replaced goes on signing: a receiver that knows one of the secrets is content.
func TestEachSecretSigns(t *testing.T) {
	t.Parallel()
	const other = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVy"
	headers := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { headers <- r.Header }))
	t.Cleanup(server.Close)
	_, err := open(t, true).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: server.URL, Secrets: []string{secret, other}, Body: []byte("{}")})
	require.NoError(t, err)
	header := <-headers
	for _, one := range []string{secret, other} {
		verifier, err := standardwebhooks.NewWebhook(one)
		require.NoError(t, err)
		require.NoError(t, verifier.Verify([]byte("{}"), header))
	}
}

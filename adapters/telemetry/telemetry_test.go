package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"

	"github.com/paydesk/paydesk/adapters/telemetry"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

var (
	_ ports.TraceIDs  = (*telemetry.Telemetry)(nil)
	_ ports.Anomalies = (*telemetry.Anomalies)(nil)
)

// The one test of this package sets globals, so it runs alone.
//
//nolint:paralleltest // it sets OpenTelemetry's globals
func TestTracesHaveIDsAndMetricsCanBeFetched(t *testing.T) {
	set, stop, err := telemetry.Setup(t.Context(), telemetry.Options{Version: "test"})
	require.NoError(t, err)
	defer stop()

	require.Empty(t, set.TraceID(t.Context()))
	ctx, span := otel.Tracer("test").Start(t.Context(), "work")
	defer span.End()
	require.Len(t, set.TraceID(ctx), 32)
	inner, child := otel.Tracer("test").Start(ctx, "part")
	defer child.End()
	require.Equal(t, set.TraceID(ctx), set.TraceID(inner))

	counter, err := otel.Meter("test").Int64Counter("paydesk_test_total")
	require.NoError(t, err)
	counter.Add(ctx, 3)
	anomalies, err := telemetry.NewAnomalies(set)
	require.NoError(t, err)
	anomalies.Count(ctx, core.ObjectRefund)
	anomalies.Count(ctx, core.ObjectRefund)
	answer := httptest.NewRecorder()
	set.Metrics().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Contains(t, answer.Body.String(), "paydesk_test_total 3")
	require.Contains(t, answer.Body.String(), `paydesk_anomalies_total{paydesk_object="refund"} 2`)
	require.Contains(t, answer.Body.String(), "go_goroutines")
}

package graph_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/paydesk/paydesk/core"
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

func TestTelemetry(t *testing.T) {
	t.Parallel()
	h := newHouse(t, core.EnvTest)
	require.Empty(t, h.ask(t, core.RoleViewer, `query TelemetryWell { viewer { id } }`, nil).Errors)
	refused := h.ask(t, core.RoleViewer, `query TelemetryRefused { payments(first: 0) { totalCount } }`, nil)
	require.Equal(t, "BAD_USER_INPUT", refused.code(t))

	outcomes, traces := map[string]string{}, map[any]bool{}
	for _, span := range spans.Ended() {
		about := attribute.NewSet(span.Attributes()...)
		name, _ := about.Value("graphql.operation.name")
		outcome, _ := about.Value("graphql.outcome")
		kind, _ := about.Value("graphql.operation.type")
		if name.AsString() == "TelemetryWell" || name.AsString() == "TelemetryRefused" {
			outcomes[name.AsString()] = kind.AsString() + " " + outcome.AsString()
		}
		traces[span.SpanContext().TraceID().String()] = true
	}
	require.Contains(t, traces, refused.Errors[0].Extensions["traceId"])
	require.Equal(t, map[string]string{"TelemetryWell": "query ok", "TelemetryRefused": "query BAD_USER_INPUT"}, outcomes)

	var collected metricdata.ResourceMetrics
	require.NoError(t, metrics.Collect(t.Context(), &collected))
	var names []string
	for _, scope := range collected.ScopeMetrics {
		for _, metric := range scope.Metrics {
			names = append(names, metric.Name)
		}
	}
	require.Contains(t, names, "paydesk.graphql.duration")
}

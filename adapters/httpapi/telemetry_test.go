package httpapi_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
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

// Spans and metrics name routes, never what stands in a path, a query or a body.
func TestTelemetryNamesRoutesAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const stranger = "pay_01h455vb4pex5vsknk084sn0st"
	h.get(t, "/v1/payments/"+stranger)
	h.get(t, "/v1/payments?reference="+stranger)
	h.get(t, "/v1/"+stranger)
	h.get(t, "/v1/payments/4242424242424242")
	h.post(t, "/v1/checkouts", "k", strings.Replace(order, "order-1", "4242 4242 4242 4242", 1))
	h.Store.CrashNext(1, false)
	crashed := refused(t, h.post(t, "/v1/checkouts", "k", order), http.StatusInternalServerError, "internal_error")

	traces := map[string]bool{}
	for _, span := range spans.Ended() {
		traces[span.SpanContext().TraceID().String()] = true
		about := span.Name() + fmt.Sprint(span.Attributes(), span.Events(), span.Status())
		for _, private := range []string{stranger, "4242424242424242", "4242 4242", "order-1"} {
			require.NotContains(t, about, private)
		}
	}
	require.True(t, traces[crashed.TraceID], "trouble inside is told with its trace")

	var collected metricdata.ResourceMetrics
	require.NoError(t, metrics.Collect(t.Context(), &collected))
	counted := map[string]bool{}
	for _, scope := range collected.ScopeMetrics {
		for _, metric := range scope.Metrics {
			times, ok := metric.Data.(metricdata.Histogram[float64])
			if !ok || metric.Name != "paydesk.api.duration" {
				continue
			}
			for _, point := range times.DataPoints {
				route, _ := point.Attributes.Value("route")
				status, _ := point.Attributes.Value(attribute.Key("status"))
				counted[fmt.Sprint(route.AsString(), " ", status.AsInt64())] = true
			}
		}
	}
	for _, one := range []string{"GET /v1/payments/{id} 404", "none 404", "POST /v1/checkouts 422", "POST /v1/checkouts 500"} {
		require.True(t, counted[one], one)
	}
}

// Package telemetry sets OpenTelemetry up: traces and metrics leave by OTLP where the
// environment names an endpoint, and metrics are always there for Prometheus to fetch.
// The variables are those of the OpenTelemetry specification.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// flushTimeMax is how long the end of the program waits for the last spans and metrics
// to leave.
const flushTimeMax = 3 * time.Second

// Options describe the program to whoever collects from it.
type Options struct {
	Version string
	Logger  *slog.Logger // for errors of the exporters; nil for slog's default
	// Spans, where not nil, gets every span as well; for tests.
	Spans sdktrace.SpanProcessor
}

// Telemetry is the running set-up.
type Telemetry struct {
	metrics http.Handler
}

// Setup starts telemetry and makes it OpenTelemetry's global one, which the adapters
// use. The returned function flushes and stops it.
func Setup(ctx context.Context, o Options) (*Telemetry, func(), error) {
	logger := o.Logger
	if logger == nil {
		logger = slog.Default()
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Warn("telemetry", slog.String("error", err.Error()))
	}))
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "paydesk"), attribute.String("service.version", o.Version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, nil, fmt.Errorf("describe the program to telemetry: %w", err)
	}
	tracing, err := newTracing(ctx, o, about)
	if err != nil {
		return nil, nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metering, err := newMetering(ctx, registry, about)
	if err != nil {
		return nil, nil, err
	}
	otel.SetTracerProvider(tracing)
	otel.SetMeterProvider(metering)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	stop := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeMax) // the program's own is done by then
		defer cancel()
		if err := errors.Join(tracing.Shutdown(ctx), metering.Shutdown(ctx)); err != nil {
			logger.Warn("telemetry did not end well", slog.String("error", err.Error()))
		}
	}
	return &Telemetry{metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}, stop, nil
}

// Metrics serves the metrics in Prometheus' format.
func (t *Telemetry) Metrics() http.Handler { return t.metrics }

// TraceID implements ports.TraceIDs.
func (t *Telemetry) TraceID(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}

// newTracing gives spans ids in any case, so that logs and histories can name their
// trace; they are recorded only where somebody collects them.
func newTracing(ctx context.Context, o Options, about *resource.Resource) (*sdktrace.TracerProvider, error) {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(about)}
	if o.Spans != nil {
		options = append(options, sdktrace.WithSpanProcessor(o.Spans))
	}
	if exports("TRACES") {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("start the trace exporter: %w", err)
		}
		options = append(options, sdktrace.WithBatcher(exporter))
	} else if o.Spans == nil {
		options = append(options, sdktrace.WithSampler(sdktrace.NeverSample()))
	}
	return sdktrace.NewTracerProvider(options...), nil
}

// answerTimes gives those histograms buckets that tell how long callers wait; the usual
// ones are meant for milliseconds, and these are seconds. Histograms that are not named
// here have buckets of their own.
func answerTimes(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
	switch i.Name {
	case "paydesk.api.duration", "paydesk.graphql.duration", "paydesk.pay.duration", "paydesk.webhook.duration":
		return sdkmetric.Stream{Name: i.Name, Description: i.Description, Unit: i.Unit, Aggregation: sdkmetric.AggregationExplicitBucketHistogram{
			Boundaries: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}}, true
	}
	return sdkmetric.Stream{}, false
}

func newMetering(ctx context.Context, registry *prometheus.Registry, about *resource.Resource) (*sdkmetric.MeterProvider, error) {
	pull, err := promexporter.New(promexporter.WithRegisterer(registry), promexporter.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("start the Prometheus exporter: %w", err)
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(about), sdkmetric.WithReader(pull), sdkmetric.WithView(answerTimes)}
	if exports("METRICS") {
		push, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("start the metric exporter: %w", err)
		}
		options = append(options, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(push)))
	}
	return sdkmetric.NewMeterProvider(options...), nil
}

// exports reports whether the environment names an OTLP endpoint for the signal.
func exports(signal string) bool {
	if os.Getenv("OTEL_SDK_DISABLED") == "true" {
		return false
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
}

package telemetry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/paydesk/paydesk/core"
)

const scope = "github.com/paydesk/paydesk/adapters/telemetry"

// Anomalies counts, as a metric, what providers show and the rules forbid.
type Anomalies struct {
	counter metric.Int64Counter
}

// NewAnomalies makes the metric of the running set-up.
func NewAnomalies(*Telemetry) (*Anomalies, error) {
	counter, err := otel.Meter(scope).Int64Counter("paydesk.anomalies", metric.WithUnit("{object}"),
		metric.WithDescription("Sights of providers' objects that the rules forbid, by kind of object."))
	if err != nil {
		return nil, fmt.Errorf("make the anomalies' metric: %w", err)
	}
	return &Anomalies{counter: counter}, nil
}

// Count implements ports.Anomalies.
func (a *Anomalies) Count(ctx context.Context, kind core.ObjectKind) {
	a.counter.Add(ctx, 1, metric.WithAttributes(attribute.String("paydesk.object", string(kind))))
}

package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/paydesk/paydesk/ports"
)

// waitingReadMax is how long one collection of the metrics may wait for the database.
const waitingReadMax = 2 * time.Second

// WatchNotifications has the metrics say how many notifications wait for each endpoint, and how old
// the oldest of them is. A disabled endpoint's wait until it is enabled. stop ends the asking.
func WatchNotifications(_ *Telemetry, store ports.Reader, clock ports.Clock) (stop func(), err error) {
	meter := otel.Meter(scope)
	waiting, err := meter.Int64ObservableGauge("paydesk.notifications.waiting", metric.WithUnit("{notification}"),
		metric.WithDescription("Notifications that an endpoint has not taken yet."))
	if err != nil {
		return nil, fmt.Errorf("make the notifications' metrics: %w", err)
	}
	age, err := meter.Float64ObservableGauge("paydesk.notifications.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest notification that an endpoint has not taken yet; 0 where there is none."))
	if err != nil {
		return nil, fmt.Errorf("make the notifications' metrics: %w", err)
	}
	watch, err := meter.RegisterCallback(func(ctx context.Context, observer metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, waitingReadMax)
		defer cancel()
		endpoints, err := store.NotificationsWaiting(ctx)
		if err != nil {
			return nil // readiness tells of the database
		}
		for _, one := range endpoints {
			about := metric.WithAttributes(attribute.String("endpoint", string(one.Endpoint)), attribute.Bool("disabled", one.Disabled))
			observer.ObserveInt64(waiting, one.Count, about)
			seconds := 0.0
			if one.Count > 0 {
				seconds = max(0, clock.Now().Sub(one.Oldest).Seconds())
			}
			observer.ObserveFloat64(age, seconds, about)
		}
		return nil
	}, waiting, age)
	if err != nil {
		return nil, errors.Join(errors.New("watch notifications"), err)
	}
	return func() { _ = watch.Unregister() }, nil
}

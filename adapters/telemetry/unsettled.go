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

// unsettledReadMax is how long a collection of metrics waits for the database.
const unsettledReadMax = 2 * time.Second

// Unsettled tells, as metrics, how much has not come to its end, for how long, and what of it waits
// for staff. Each collection asks the database, so that every node tells the same.
type Unsettled struct {
	store ports.Reader
	clock ports.Clock
	age   metric.Float64ObservableGauge
	count metric.Int64ObservableGauge
	staff metric.Int64ObservableGauge
}

// NewUnsettled makes the metrics of the running set-up.
func NewUnsettled(_ *Telemetry, store ports.Reader, clock ports.Clock) (*Unsettled, error) {
	meter := otel.Meter(scope)
	u := &Unsettled{store: store, clock: clock}
	var failed [4]error
	u.age, failed[0] = meter.Float64ObservableGauge("paydesk.unsettled.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest that has not come to its end: operations, payments, refunds and inbound events, by kind, account and status."))
	u.count, failed[1] = meter.Int64ObservableGauge("paydesk.unsettled.count", metric.WithUnit("{object}"),
		metric.WithDescription("How many have not come to their end, by kind, account and status."))
	u.staff, failed[2] = meter.Int64ObservableGauge("paydesk.unsettled.for_staff", metric.WithUnit("{object}"),
		metric.WithDescription("How many of them wait for staff, by kind and account."))
	if failed[0] == nil && failed[1] == nil && failed[2] == nil {
		_, failed[3] = meter.RegisterCallback(u.observe, u.age, u.count, u.staff)
	}
	if err := errors.Join(failed[:]...); err != nil {
		return nil, fmt.Errorf("make the metrics of what is unsettled: %w", err)
	}
	return u, nil
}

// series is what one value is told of. kind is of an operation its own kind, as "refund_payment".
type series struct{ kind, account, status string }

func (s series) labels() metric.MeasurementOption {
	labels := []attribute.KeyValue{attribute.String("kind", s.kind), attribute.String("account", s.account)}
	if s.status != "" {
		labels = append(labels, attribute.String("status", s.status))
	}
	return metric.WithAttributes(labels...)
}

// observe asks the database. Where it does not answer there are no values, and nothing else is kept
// from being collected.
func (u *Unsettled) observe(ctx context.Context, o metric.Observer) error {
	ctx, cancel := context.WithTimeout(ctx, unsettledReadMax)
	defer cancel()
	all, err := u.store.Unsettled(ctx)
	if err != nil {
		return nil // readiness tells of the database
	}
	now := u.clock.Now()
	ages, counts, staff := map[series]float64{}, map[series]int64{}, map[series]int64{}
	for _, one := range all {
		of := series{kind: one.What, account: string(one.Account), status: one.Status}
		ages[of] = max(ages[of], now.Sub(one.Oldest).Seconds())
		counts[of] += one.Count
		if of.status = ""; one.ForStaff {
			staff[of] += one.Count
		}
	}
	for of, age := range ages {
		o.ObserveFloat64(u.age, age, of.labels())
		o.ObserveInt64(u.count, counts[of], of.labels())
	}
	for of, count := range staff {
		o.ObserveInt64(u.staff, count, of.labels())
	}
	return nil
}

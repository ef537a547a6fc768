package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// webhooksReadMax is how long a collection of metrics waits for the database.
const webhooksReadMax = 2 * time.Second

// Webhooks tells, as metrics, how accounts' webhooks are doing. Each collection asks the database, so
// that every node tells the same.
type Webhooks struct {
	accounts   func(context.Context) ([]ports.AccountHealth, error)
	wall       ports.Clock
	age        metric.Float64ObservableGauge
	missed     metric.Int64ObservableGauge
	posts      metric.Int64ObservableGauge
	rejected   metric.Float64ObservableGauge
	registered metric.Int64ObservableGauge
	missing    metric.Int64ObservableGauge
	checked    metric.Float64ObservableGauge
	versions   metric.Int64ObservableGauge
}

// NewWebhooks makes the metrics of the running set-up. accounts reads how each is doing; wall is the
// time of the world.
func NewWebhooks(_ *Telemetry, accounts func(context.Context) ([]ports.AccountHealth, error), wall ports.Clock) (*Webhooks, error) {
	w := &Webhooks{accounts: accounts, wall: wall}
	meter := otel.Meter(scope)
	var failed []error
	length := func(name, about string) metric.Float64ObservableGauge {
		gauge, err := meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(about))
		failed = append(failed, err)
		return gauge
	}
	count := func(name, unit, about string) metric.Int64ObservableGauge {
		gauge, err := meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(about))
		failed = append(failed, err)
		return gauge
	}
	w.age = length("paydesk.webhook.last_event.age", "Age of the newest event that a webhook brought, by account and type.")
	w.checked = length("paydesk.webhook.checked.age", "Age of the last look at the registered webhook that did not fail, by account.")
	w.missed = count("paydesk.webhook.missed", "{event}", "Events of the last day that the provider listed and no webhook had brought, by account.")
	w.posts = count("paydesk.webhook.posts", "{post}", "Posts of the last day to the webhooks' addresses, on all nodes, by account and result.")
	w.registered = count("paydesk.webhook.registered", "{webhook}", "1 where the account's webhook is registered and enabled, 0 where it is not; no value where that is not known.")
	w.missing = count("paydesk.webhook.types_missing", "{type}", "Types of events that are needed and not sent, by account.")
	w.versions = count("paydesk.webhook.api_version", "{version}", "1 for each version that events are written in, by account, version and where that was seen.")
	var err error
	w.rejected, err = meter.Float64ObservableGauge("paydesk.webhook.rejected_share", metric.WithUnit("1"),
		metric.WithDescription("Part of the last day's posts whose signature was refused, by account."))
	failed = append(failed, err)
	if err := errors.Join(failed...); err == nil {
		_, err = meter.RegisterCallback(w.observe, w.age, w.missed, w.posts, w.rejected, w.registered, w.missing, w.checked, w.versions)
		failed = append(failed, err)
	}
	if err := errors.Join(failed...); err != nil {
		return nil, fmt.Errorf("make the webhooks' metrics: %w", err)
	}
	return w, nil
}

// observe asks the database. Where it does not answer there are no values, and nothing else is kept
// from being collected.
func (w *Webhooks) observe(ctx context.Context, o metric.Observer) error {
	ctx, cancel := context.WithTimeout(ctx, webhooksReadMax)
	defer cancel()
	all, err := w.accounts(ctx)
	if err != nil {
		return nil // readiness tells of the database
	}
	now := w.wall.Now()
	for _, one := range all {
		account := attribute.String("account", string(one.Account))
		of := metric.WithAttributes(account)
		o.ObserveInt64(w.missed, one.Missed, of)
		o.ObserveFloat64(w.rejected, float64(one.Counts[core.DeliveryInvalidSignature])/float64(max(one.Posts(), 1)), of)
		for _, result := range core.DeliveryResults() {
			o.ObserveInt64(w.posts, one.Counts[result], metric.WithAttributes(account, attribute.String("result", string(result))))
		}
		versions := make(map[[2]string]bool)
		for _, last := range one.Last {
			o.ObserveFloat64(w.age, max(now.Sub(last.ReceivedAt).Seconds(), 0), metric.WithAttributes(account, attribute.String("type", last.Type)))
			versions[[2]string{last.APIVersion, "event"}] = last.APIVersion != ""
		}
		w.observeCheck(o, one.Webhook, now, of)
		for _, version := range one.Webhook.APIVersions {
			versions[[2]string{version, "registration"}] = true
		}
		for version, named := range versions {
			if named {
				o.ObserveInt64(w.versions, 1, metric.WithAttributes(account, attribute.String("version", version[0]), attribute.String("seen", version[1])))
			}
		}
	}
	return nil
}

func (w *Webhooks) observeCheck(o metric.Observer, check core.WebhookCheck, now time.Time, of metric.MeasurementOption) {
	if check.State == core.WebhookUnknown {
		return
	}
	var registered int64
	if check.State == core.WebhookRegistered {
		registered = 1
	}
	o.ObserveInt64(w.registered, registered, of)
	o.ObserveInt64(w.missing, int64(len(check.Missing)), of)
	o.ObserveFloat64(w.checked, max(now.Sub(check.CheckedAt).Seconds(), 0), of)
}

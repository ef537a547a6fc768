// Package guard stands around every provider adapter, the same for each: a deadline, tries
// within it, a breaker, a rate, a span, metrics, and the promise that whatever goes wrong comes back as a classified
// error. Adapters only translate; what is done around their calls is written here once.
package guard

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// CallTimeMax is how long one call to a provider may take; after that its outcome is
// unknown.
const CallTimeMax = 10 * time.Second

const scope = "github.com/paydesk/paydesk/adapters/guard"

// Options change what stands around an adapter. The zero value is the usual.
type Options struct {
	Tracer trace.Tracer  // nil for the global one
	Meter  metric.Meter  // nil for the global one
	Time   time.Duration // of one call at most, all its tries together; 0 for CallTimeMax
	Tries  int           // of one call at most; 0 for TriesMax
	// PerSecond is how many calls are sent in a second at most; 0 for no limit.
	PerSecond uint
}

// guarded is a provider with everything around it.
type guarded struct {
	inner    ports.Provider
	tracer   trace.Tracer
	duration metric.Float64Histogram
	retries  metric.Int64Counter
	time     time.Duration
	*resilience
}

// guardedBrowser is guarded for a provider whose payments are confirmed on our page. What
// it tells of the page is configuration: nothing can go wrong, so nothing stands around it.
type guardedBrowser struct {
	*guarded
	browser ports.BrowserProvider
}

// Browser implements [ports.BrowserProvider].
func (g guardedBrowser) Browser() ports.BrowserConfig { return g.browser.Browser() }

var (
	_ ports.Provider        = (*guarded)(nil)
	_ ports.Healthy         = (*guarded)(nil)
	_ ports.BrowserProvider = guardedBrowser{}
)

// durationBounds are the histogram's, in seconds: fine where providers usually answer,
// and up to the deadline.
var durationBounds = []float64{0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, CallTimeMax.Seconds()}

// checkClaims holds a provider to what it says it can do: all of that is there, and
// nothing that it does not speak of.
func checkClaims(inner ports.Provider) error {
	can := inner.Capabilities()
	_, confirms := inner.(ports.Confirmer)
	_, hosts := inner.(ports.Hoster)
	_, refunds := inner.(ports.Refunder)
	_, answers := inner.(ports.Disputer)
	_, saves := inner.(ports.Vault)
	_, bills := inner.(ports.Subscriber)
	_, remembers := inner.(ports.EventLister)
	_, lists := inner.(ports.ObjectLister)
	_, tells := inner.(ports.WebhookRegistrar)
	for _, claim := range []struct {
		name         string
		said, really bool
	}{
		{"confirm", can.Confirm != ports.ConfirmInBrowser, confirms},
		{"host", can.Hosted, hosts},
		{"refund", can.Refund, refunds},
		{"look at disputes", can.Disputes != nil, answers},
		{"save methods", can.Vault, saves},
		{"bill subscriptions", can.Subscriptions != nil, bills},
		{"list events", can.EventsKept > 0, remembers},
		{"list objects", len(can.Lists) > 0, lists},
		{"tell of webhooks", can.Webhooks, tells},
	} {
		if claim.said != claim.really {
			return fmt.Errorf("adapter of account %q says that it can %s: %t, and it is %t", inner.Account(), claim.name, claim.said, claim.really)
		}
	}
	if can.HostedManualCapture && !(can.Hosted && can.ManualCapture) {
		return fmt.Errorf("adapter of account %q says that it can hold money at its page, and not both of what that takes", inner.Account())
	}
	return nil
}

// Wrap puts the guard around a provider. The result is a [ports.BrowserProvider] where the
// provider is one, and a [ports.Confirmer], [ports.Hoster], [ports.Refunder],
// [ports.Disputer], [ports.Subscriber], [ports.EventLister],
// [ports.ObjectLister] and [ports.WebhookRegistrar] whose calls are refused where the provider is none. The error is the meter's, about the metric that was
// asked of it, or that the provider's claims are not what it can do.
func Wrap(inner ports.Provider, options Options) (ports.Provider, error) {
	if err := checkClaims(inner); err != nil {
		return nil, err
	}
	if options.Tracer == nil {
		options.Tracer = otel.Tracer(scope)
	}
	if options.Meter == nil {
		options.Meter = otel.Meter(scope)
	}
	if options.Time <= 0 {
		options.Time = CallTimeMax
	}
	if options.Tries <= 0 {
		options.Tries = TriesMax
	}
	duration, err := options.Meter.Float64Histogram("paydesk.provider.call.duration", metric.WithUnit("s"),
		metric.WithDescription("How long calls to providers take, by account, call and outcome."),
		metric.WithExplicitBucketBoundaries(durationBounds...))
	if err != nil {
		return nil, fmt.Errorf("make the providers' metric: %w", err)
	}
	retries, err := options.Meter.Int64Counter("paydesk.provider.retries", metric.WithUnit("{call}"),
		metric.WithDescription("Calls to providers that were sent again, by account and call."))
	if err != nil {
		return nil, fmt.Errorf("make the providers' metric: %w", err)
	}
	outer := &guarded{inner: inner, tracer: options.Tracer, duration: duration, retries: retries, time: options.Time, resilience: newResilience(options)}
	if err := outer.tellBreaker(options.Meter); err != nil {
		return nil, fmt.Errorf("make the providers' metric: %w", err)
	}
	if browser, ok := inner.(ports.BrowserProvider); ok {
		return guardedBrowser{guarded: outer, browser: browser}, nil
	}
	return outer, nil
}

// tellBreaker has the meter ask whether the account's breaker is open. The callback is
// registered apart from its gauge: of gauges of one name, a meter keeps the callbacks of the
// first alone.
func (g *guarded) tellBreaker(meter metric.Meter) error {
	gauge, err := meter.Int64ObservableGauge("paydesk.provider.breaker.open", metric.WithUnit("{breaker}"),
		metric.WithDescription("1 while an account's calls are not sent, since too many went unanswered; by account."))
	if err != nil {
		return err
	}
	account := metric.WithAttributes(attribute.String("paydesk.account", string(g.inner.Account())))
	_, err = meter.RegisterCallback(func(_ context.Context, observer metric.Observer) error {
		open := int64(0)
		if g.Health().Down {
			open = 1
		}
		observer.ObserveInt64(gauge, open, account)
		return nil
	}, gauge)
	return err
}

// outcomeOK stands beside the classes of errors.
const outcomeOK = "ok"

// call makes one call of the inner provider with everything around it.
func call[T any](ctx context.Context, g *guarded, name string, object string, do func(context.Context) (T, error)) (result T, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.time)
	defer cancel()
	account := attribute.String("paydesk.account", string(g.inner.Account()))
	ctx, span := g.tracer.Start(ctx, "provider "+string(g.inner.Name())+" "+name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(account, attribute.String("paydesk.provider", string(g.inner.Name())), attribute.String("paydesk.provider.object", object)))
	start := time.Now()
	op := string(g.inner.Account()) + " " + name
	defer func() {
		outcome := outcomeOK
		if err != nil {
			refused := classified(err, op)
			err, outcome = refused, refused.Class.String()
			span.SetStatus(codes.Error, outcome)
			span.SetAttributes(attribute.String("paydesk.provider.class", outcome),
				attribute.String("paydesk.provider.code", refused.Foreign), attribute.String("paydesk.provider.request_id", refused.RequestID))
		}
		span.End()
		g.duration.Record(ctx, time.Since(start).Seconds(),
			metric.WithAttributes(account, attribute.String("call", name), attribute.String("outcome", outcome)))
	}()
	retried := func() {
		span.AddEvent("retry")
		g.retries.Add(ctx, 1, metric.WithAttributes(account, attribute.String("call", name)))
	}
	given, err := g.repeat(ctx, op, retried, func(ctx context.Context) (any, error) {
		result, err := caught(op, span, func() (T, error) { return do(ctx) })
		if err != nil {
			return result, classified(err, op)
		}
		return result, nil
	})
	if err == nil {
		result, _ = given.(T) // it is what do gave
	}
	return result, err
}

var errNotAble = errors.New("account does not offer this")

// callAs is call for an ability that not every adapter has. An account that does not claim it is
// refused by a sure no.
func callAs[I ports.Provider, T any](ctx context.Context, g *guarded, name, object string, do func(context.Context, I) (T, error)) (T, error) {
	return call(ctx, g, name, object, func(ctx context.Context) (T, error) {
		inner, able := g.inner.(I)
		if !able {
			var none T
			return none, &core.ProviderError{Class: core.ClassInvalid, Op: string(g.inner.Account()) + " " + name + " " + object, Err: errNotAble}
		}
		return do(ctx, inner)
	})
}

// caught turns a panic into an error: the request may have gone out. What was thrown may
// hold anything and is told to nobody; where it was thrown holds nothing but our own names.
func caught[T any](op string, span trace.Span, do func() (T, error)) (result T, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			span.AddEvent("panic", trace.WithAttributes(
				attribute.String("exception.type", fmt.Sprintf("%T", thrown)), attribute.String("exception.stacktrace", string(debug.Stack()))))
			err = &core.ProviderError{Class: core.ClassUnknown, Op: op, Err: errPanic}
		}
	}()
	return do()
}

var (
	errPanic     = errors.New("adapter broke down")
	errForeigner = errors.New("adapter gave an error of no class")
)

// classified is the adapter's error, read over once more. One of any other kind says
// nothing about the outcome, and its text is not passed on: nobody has looked at what it
// holds.
func classified(err error, op string) *core.ProviderError {
	if known, ok := errors.AsType[*core.ProviderError](err); ok {
		return redacted(known)
	}
	return &core.ProviderError{Class: core.ClassUnknown, Op: op, Err: errForeigner}
}

// Health implements [ports.Healthy].
func (g *guarded) Health() ports.Health { return g.health() }

// Account implements [ports.Provider].
func (g *guarded) Account() core.AccountName { return g.inner.Account() }

// Name implements [ports.Provider].
func (g *guarded) Name() core.ProviderName { return g.inner.Name() }

// Capabilities implements [ports.Provider].
func (g *guarded) Capabilities() ports.Capabilities { return g.inner.Capabilities() }

// CreatePayment implements [ports.Provider].
func (g *guarded) CreatePayment(ctx context.Context, key core.OperationKey, in ports.CreatePayment) (ports.PaymentSession, error) {
	return call(ctx, g, "create_payment", string(in.Payment), func(ctx context.Context) (ports.PaymentSession, error) {
		return g.inner.CreatePayment(ctx, key, in)
	})
}

// OpenPayment implements [ports.Provider].
func (g *guarded) OpenPayment(ctx context.Context, ref core.ProviderRef) (ports.PaymentSession, error) {
	return call(ctx, g, "open_payment", ref.ID, func(ctx context.Context) (ports.PaymentSession, error) {
		return g.inner.OpenPayment(ctx, ref)
	})
}

// GetPayment implements [ports.Provider].
func (g *guarded) GetPayment(ctx context.Context, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	return call(ctx, g, "get_payment", ref.ID, func(ctx context.Context) (core.PaymentSnapshot, error) {
		return g.inner.GetPayment(ctx, ref)
	})
}

// CapturePayment implements [ports.Provider].
func (g *guarded) CapturePayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef, amount core.Money) (core.PaymentSnapshot, error) {
	return call(ctx, g, "capture_payment", ref.ID, func(ctx context.Context) (core.PaymentSnapshot, error) {
		return g.inner.CapturePayment(ctx, key, ref, amount)
	})
}

// CancelPayment implements [ports.Provider].
func (g *guarded) CancelPayment(ctx context.Context, key core.OperationKey, ref core.ProviderRef) (core.PaymentSnapshot, error) {
	return call(ctx, g, "cancel_payment", ref.ID, func(ctx context.Context) (core.PaymentSnapshot, error) {
		return g.inner.CancelPayment(ctx, key, ref)
	})
}

// ListPayments implements [ports.Provider].
func (g *guarded) ListPayments(ctx context.Context, in ports.ListPayments) (ports.PaymentList, error) {
	return call(ctx, g, "list_payments", "", func(ctx context.Context) (ports.PaymentList, error) {
		return g.inner.ListPayments(ctx, in)
	})
}

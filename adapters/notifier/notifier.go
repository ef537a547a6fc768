// Package notifier posts notifications to storefronts, signed as the Standard Webhooks
// specification says.
package notifier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Limits of one try.
const (
	tryTimeMax = 10 * time.Second
	// idleConnectionsMax is how many connections to one host are kept. How many there are is not
	// limited here: one endpoint must not wait for another that has the same host.
	idleConnectionsMax = 8
)

// Options decide who may be notified.
type Options struct {
	// AllowPrivate lets endpoints have loopback and private addresses; never in live.
	AllowPrivate bool
	// Wall tells the time that signatures carry.
	Wall ports.Clock
	// Resolver resolves names; nil for the machine's.
	Resolver *net.Resolver
	// Tracer and Meter watch tries; nil for the global ones.
	Tracer trace.TracerProvider
	Meter  metric.MeterProvider
}

const scope = "github.com/paydesk/paydesk/adapters/notifier"

// Notifier implements ports.Notifier over HTTP.
type Notifier struct {
	client       *http.Client
	wall         ports.Clock
	resolver     *net.Resolver
	allowPrivate bool
	tracer       trace.Tracer
	duration     metric.Float64Histogram
}

// New makes a notifier. The error is the meter's.
func New(o Options) (*Notifier, error) {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Tracer == nil {
		o.Tracer = otel.GetTracerProvider()
	}
	if o.Meter == nil {
		o.Meter = otel.GetMeterProvider()
	}
	duration, err := o.Meter.Meter(scope).Float64Histogram("paydesk.notification.duration", metric.WithUnit("s"),
		metric.WithDescription("Tries to notify storefronts by the class of the answer's status, none where no answer came."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	if err != nil {
		return nil, fmt.Errorf("make the notifications' metric: %w", err)
	}
	transport := &http.Transport{
		DialContext: dialer(o).DialContext, MaxIdleConnsPerHost: idleConnectionsMax,
		TLSHandshakeTimeout: tryTimeMax, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	client := &http.Client{
		Timeout: tryTimeMax, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Notifier{
		client: client, wall: o.Wall, resolver: o.Resolver, allowPrivate: o.AllowPrivate,
		tracer: o.Tracer.Tracer(scope), duration: duration,
	}, nil
}

// Notify makes one try. Errors hold neither the body nor the address; nor do spans and metrics: an
// address may hold a secret.
func (n *Notifier) Notify(ctx context.Context, in ports.Notification) (ports.NotificationOutcome, error) {
	if in.Trace != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": in.Trace})
	}
	ctx, span := n.tracer.Start(ctx, "notify storefront", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	begun := time.Now()
	outcome, err := n.try(ctx, in)
	class := "none"
	if outcome.Status > 0 {
		class = strconv.Itoa(outcome.Status/100) + "xx"
		span.SetAttributes(attribute.Int("http.response.status_code", outcome.Status))
	}
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	n.duration.Record(ctx, time.Since(begun).Seconds(), metric.WithAttributes(attribute.String("answer", class)))
	return outcome, err
}

func (n *Notifier) try(ctx context.Context, in ports.Notification) (ports.NotificationOutcome, error) {
	now := n.wall.Now()
	signatures, err := sign(in, now)
	if err != nil {
		return ports.NotificationOutcome{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, in.URL, bytes.NewReader(in.Body))
	if err != nil {
		return ports.NotificationOutcome{}, errors.New("endpoint's address is not usable")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Paydesk")
	request.Header.Set(standardwebhooks.HeaderWebhookID, in.ID)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signatures)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(request.Header))
	response, err := n.client.Do(request)
	if err != nil {
		return ports.NotificationOutcome{}, plain(err)
	}
	defer func() { _ = response.Body.Close() }()
	// What is read to its end lets the connection be used again; an endless answer ends it. The
	// status has been said: what breaks afterwards changes nothing.
	answer, _ := io.ReadAll(io.LimitReader(response.Body, core.NotificationAnswerBytesMax))
	outcome := ports.NotificationOutcome{Status: response.StatusCode, Body: answer}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		outcome.RetryAfter = retryAfter(response, n.wall.Now())
		return outcome, fmt.Errorf("endpoint answered %d", response.StatusCode)
	}
	return outcome, nil
}

// retryAfter is for how long an endpoint that is busy asks to be left alone: seconds, or until a date.
func retryAfter(response *http.Response, now time.Time) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	header := response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// sign signs with each secret. Receivers take a notification of which any signature is right.
func sign(in ports.Notification, now time.Time) (string, error) {
	signatures := make([]string, 0, len(in.Secrets))
	for _, secret := range in.Secrets {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return "", errors.New("endpoint's secret is not usable")
		}
		signature, err := signer.Sign(in.ID, now, in.Body)
		if err != nil {
			return "", fmt.Errorf("sign notification: %w", err)
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) == 0 {
		return "", errors.New("endpoint has no secret")
	}
	return strings.Join(signatures, " "), nil
}

// plain gives the reason of a failed call without the address, whose query may hold a
// secret.
func plain(err error) error {
	switch {
	case errors.Is(err, ports.ErrPrivateAddress):
		return ports.ErrPrivateAddress
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("endpoint did not answer in time")
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("endpoint did not answer in time")
	}
	return errors.New("endpoint could not be reached")
}

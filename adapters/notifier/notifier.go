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
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"

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

// errPrivateAddress refuses to connect to where only this machine's neighbors are.
var errPrivateAddress = errors.New("endpoint resolves to a private address")

// Options decide who may be notified.
type Options struct {
	// AllowPrivate lets endpoints have loopback and private addresses; never in live.
	AllowPrivate bool
	// Wall tells the time that signatures carry.
	Wall ports.Clock
}

// Notifier implements ports.Notifier over HTTP.
type Notifier struct {
	client *http.Client
	wall   ports.Clock
}

// New makes a notifier. Addresses are checked when connecting, after the name was
// resolved, so that a name cannot point elsewhere between a check and the call.
func New(o Options) *Notifier {
	dialer := &net.Dialer{Timeout: tryTimeMax}
	if !o.AllowPrivate {
		dialer.Control = refusePrivate
	}
	transport := &http.Transport{
		DialContext: dialer.DialContext, MaxIdleConnsPerHost: idleConnectionsMax,
		TLSHandshakeTimeout: tryTimeMax, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	return &Notifier{wall: o.Wall, client: &http.Client{
		Timeout:   tryTimeMax,
		Transport: otelhttp.NewTransport(transport),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// Notify makes one try. Errors hold neither the body nor the address.
func (n *Notifier) Notify(ctx context.Context, in ports.Notification) (ports.NotificationOutcome, error) {
	if in.Trace != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": in.Trace})
	}
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
		return outcome, fmt.Errorf("endpoint answered %d", response.StatusCode)
	}
	return outcome, nil
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
	case errors.Is(err, errPrivateAddress):
		return errPrivateAddress
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("endpoint did not answer in time")
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("endpoint did not answer in time")
	}
	return errors.New("endpoint could not be reached")
}

func refusePrivate(_, address string, _ syscall.RawConn) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return errPrivateAddress
	}
	ip := parsed.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || sharedSpace.Contains(ip) || ip.IsLinkLocalUnicast() {
		return errPrivateAddress
	}
	return nil
}

// sharedSpace is the addresses that carriers share among their customers (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

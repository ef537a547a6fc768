package paypal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	paypalsdk "github.com/plutov/paypal/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// Limits of the access token.
const (
	// tokenTimeMax is how long one may take to get; half of what a call has, so that a second
	// try of the call still finds time.
	tokenTimeMax = 5 * time.Second
	// tokenMargin is how long before its end a token is not used any more; at most half of
	// its life.
	tokenMargin = time.Minute
	// sendsMax is how often a call goes out: once more with a fresh token where the first was
	// refused.
	sendsMax = 2
)

// client speaks PayPal's REST API through the SDK, of which it uses the token and the
// sending: the SDK's own types lose much of what answers hold.
type client struct {
	http             *http.Client
	base             string
	clientID, secret string
	now              func() time.Time

	mu      sync.Mutex // guards what follows
	current *token     // nil before the first
	coming  *grant     // the token on its way; nil for none
	granted uint64     // how many there were so far
}

// token is an access token within an SDK client that sends with it. Nothing changes the
// client once it is made, so that any number of calls can share it.
type token struct {
	serial uint64
	sdk    *paypalsdk.Client
	until  time.Time // it is used
}

// grant is a token on its way. It is given up once nobody waits for it any more: those who
// come later do not wait for a call that hangs.
type grant struct {
	waiting int                // guarded by the client's mu
	giveUp  context.CancelFunc // ends it
	done    chan struct{}      // closed once made and err are set
	made    *token
	err     error
}

func newClient(options Options, base string, now func() time.Time) *client {
	made := outbound.Client(options.HTTPClient)
	made.Transport = recorder{made.Transport}
	return &client{http: made, base: base, clientID: options.ClientID, secret: options.ClientSecret, now: now}
}

// request is a call to make.
type request struct {
	op, method, path string
	query            url.Values
	key              core.OperationKey // empty for calls that change nothing
	body             any               // nil for none
	raw              []byte            // goes out as it stands, in place of body
	contentType      string            // of raw; empty for JSON
}

// answer is what came of a call that went well.
type answer struct {
	requestID string
	body      []byte
}

// record keeps of an answer what the SDK loses where the body is not readable.
type record struct {
	status int // 0 where no answer came
	header http.Header
}

type recordKey struct{}

// recorder notes status and headers of answers in the record that a request's context has.
type recorder struct{ base http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (r recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if into, ok := request.Context().Value(recordKey{}).(*record); ok {
		into.status, into.header = response.StatusCode, response.Header
	}
	return response, nil
}

// requestIDHeader is where PayPal's answers hold its id of the call.
//
// Source: developer.paypal.com/api/rest/responses, debug id.
const requestIDHeader = "Paypal-Debug-Id"

func (r *record) requestID() string { return outbound.SafeID(r.header.Get(requestIDHeader)) }

func (r *record) retryAfter() time.Duration { return outbound.RetryAfter(r.header.Get("Retry-After")) }

// do makes one call. Where PayPal does not take the token any more, the same request goes out
// once more with another, under the same key.
func (c *client) do(ctx context.Context, r request) (answer, error) {
	spent := uint64(0)
	for sent := 1; ; sent++ {
		with, err := c.token(ctx, r.op, spent)
		if err != nil {
			return answer{}, err
		}
		got, seen, err := c.send(ctx, with, r)
		if seen.status != http.StatusUnauthorized || sent == sendsMax {
			return got, err
		}
		spent = with.serial
	}
}

// send puts one request on the wire.
func (c *client) send(ctx context.Context, with *token, r request) (answer, *record, error) {
	call, seen := outbound.Begin(ctx, r.op), &record{}
	call.RequestIDHeader = requestIDHeader
	made, err := c.build(context.WithValue(call.Context, recordKey{}, seen), with.sdk, r) //nolint:contextcheck // it is made of ctx
	if err != nil {
		return answer{}, seen, outbound.Invalid(r.op, errRequest)
	}
	var body bytes.Buffer // the client's transport bounds it
	err = with.sdk.SendWithAuth(made, &body)
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("paydesk.provider.request_id", call.RequestID()))
	if err != nil {
		return answer{}, seen, failed(call, seen, err)
	}
	return answer{requestID: call.RequestID(), body: body.Bytes()}, seen, nil
}

func (c *client) build(ctx context.Context, sdk *paypalsdk.Client, r request) (*http.Request, error) {
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var made *http.Request
	var err error
	if r.raw != nil {
		made, err = http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.raw))
	} else {
		made, err = sdk.NewRequest(ctx, r.method, address, r.body)
	}
	if err != nil {
		return nil, err
	}
	if r.contentType != "" {
		made.Header.Set("Content-Type", r.contentType)
	}
	if r.key != "" {
		made.Header.Set("PayPal-Request-Id", string(r.key))
		// By the SDK's own switch for it, calls at the same time would race.
		made.Header.Set("Prefer", "return=representation")
	}
	return made, nil
}

// decode reads the body of an answer.
func decode(op string, got answer, into any) error {
	if json.Unmarshal(got.body, into) != nil {
		return unusable(op, got, errNotReadable)
	}
	return nil
}

// unusable is an answer that came and says nothing we can act on.
func unusable(op string, got answer, cause error) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassUnknown, Op: op, RequestID: got.requestID, Err: cause}
}

// token gives one that is good, and is not the spent one nor older. However many callers want
// one, one call at a time gets it. Without it nothing went out, so that its errors are
// retryable.
func (c *client) token(ctx context.Context, op string, spent uint64) (*token, error) {
	c.mu.Lock()
	if current := c.current; current != nil && current.serial > spent && c.now().Before(current.until) {
		c.mu.Unlock()
		return current, nil
	}
	coming := c.coming
	if coming == nil {
		coming = c.start(ctx)
	}
	coming.waiting++
	c.mu.Unlock()
	select {
	case <-coming.done:
		if coming.err == nil {
			return coming.made, nil
		}
		refused := &core.ProviderError{Class: core.ClassRetryable, Code: core.FailureProviderUnavailable, Op: op, Err: coming.err}
		if cause, ok := errors.AsType[*tokenError](coming.err); ok {
			refused.RequestID, refused.RetryAfter = cause.requestID, cause.retryAfter
		}
		return nil, refused
	case <-ctx.Done():
		c.leave(coming)
		// In one line: it goes into logs.
		cause := fmt.Errorf("%w: %w", errToken, context.Cause(ctx))
		return nil, &core.ProviderError{Class: core.ClassRetryable, Code: core.FailureProviderUnavailable, Op: op, Err: cause}
	}
}

// start has a token fetched. The lock is held.
func (c *client) start(ctx context.Context) *grant {
	// Who waits for it may give up; others go on waiting.
	detached, giveUp := context.WithTimeout(context.WithoutCancel(ctx), tokenTimeMax)
	coming := &grant{giveUp: giveUp, done: make(chan struct{})}
	c.coming = coming
	go func() {
		defer giveUp()
		made, err := c.fetch(detached)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.coming == coming {
			c.coming = nil
		}
		if err == nil {
			c.granted++
			made.serial = c.granted
			c.current = made
		}
		coming.made, coming.err = made, err
		close(coming.done)
	}()
	return coming
}

// leave is one who does not wait any more.
func (c *client) leave(coming *grant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if coming.waiting--; coming.waiting == 0 && c.coming == coming {
		c.coming = nil
		coming.giveUp()
	}
}

// fetch gets a token.
//
// Source: developer.paypal.com/api/rest/authentication, POST /v1/oauth2/token.
func (c *client) fetch(ctx context.Context) (*token, error) {
	sdk, err := paypalsdk.NewClient(c.clientID, c.secret, c.base)
	if err != nil {
		return nil, &tokenError{}
	}
	sdk.SetHTTPClient(c.http)
	seen := &record{}
	response, err := sdk.GetAccessToken(context.WithValue(ctx, recordKey{}, seen))
	if err != nil || response.Token == "" || strings.ContainsFunc(response.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &tokenError{status: seen.status, requestID: seen.requestID(), retryAfter: seen.retryAfter()}
	}
	sdk.SetAccessToken(response.Token) // from here on the SDK leaves it alone
	life := max(response.ExpiresIn.ToDuration(), 0)
	return &token{sdk: sdk, until: c.now().Add(life - min(tokenMargin, life/2))}, nil
}

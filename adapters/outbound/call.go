package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/paydesk/paydesk/core"
)

// What is wrong with a call that came to nothing. No cause ever holds text that came over
// the network.
var (
	errNoConnection = errors.New("no connection could be made")
	errConnection   = errors.New("connection broke before the answer was whole")
	errNotReadable  = errors.New("answer is not readable")
)

// Call is one request on its way.
type Call struct {
	Op      string          // "stripe_eu capture pi_1": the account, then what is done to what
	Context context.Context //nolint:containedctx // lives as long as the call, and some SDKs want it in a struct as well
	// RequestIDHeader is where the provider's answers hold its id of the call; empty where
	// they hold none.
	RequestIDHeader string
	connected       atomic.Bool // whether the request ever had a connection to be written to
	requestID       string
}

// callKey finds a call by its context.
type callKey struct{}

// Begin starts a call. Its request takes the call's context.
func Begin(ctx context.Context, op string) *Call {
	c := &Call{Op: op}
	c.Context = httptrace.WithClientTrace(context.WithValue(ctx, callKey{}, c), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { c.connected.Store(true) },
	})
	return c
}

// RequestID is the provider's id of the call, also where the answer's body cannot be used;
// empty before an answer began, and where it held none. It takes a client of [Client]'s.
func (c *Call) RequestID() string { return c.requestID }

// noteAnswer takes over, from what came back of a request, what is known before its body.
func noteAnswer(request *http.Request, response *http.Response) {
	if c, ok := request.Context().Value(callKey{}).(*Call); ok && c.RequestIDHeader != "" {
		c.requestID = SafeID(response.Header.Get(c.RequestIDHeader))
	}
}

// Invalid is a request that was not sent because nobody could take it.
func Invalid(op string, cause error) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Op: op, Err: cause}
}

// Unusable is an answer that came and says nothing we can act on.
func (c *Call) Unusable(cause error) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassUnknown, Op: c.Op, RequestID: c.requestID, Err: cause}
}

// Unanswered classifies an error that no readable answer came with: retryable where the
// request provably never went out, else of unknown outcome.
func (c *Call) Unanswered(err error) *core.ProviderError {
	if !c.connected.Load() && beforeSending(err) {
		return &core.ProviderError{Class: core.ClassRetryable, Code: core.FailureProviderUnavailable, Op: c.Op, Err: errNoConnection}
	}
	return c.Unusable(noAnswer(err))
}

// opTLSAlert is what crypto/tls calls the other side's refusal.
const opTLSAlert = "remote error"

// beforeSending reports whether the error arose while a connection was being made.
// Only together with the proof that the request never had one does it mean that nothing
// was sent: a broken connection can be followed by a failing attempt at another.
func beforeSending(err error) bool {
	var step *net.OpError
	var certificate *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	return errors.As(err, &step) && (step.Op == "dial" || step.Op == opTLSAlert) || errors.As(err, &certificate) ||
		errors.As(err, &noTLS) || errors.Is(err, http.ErrSchemeMismatch)
}

// noAnswer is the cause of an error that no readable answer came with, in
// our words.
func noAnswer(err error) error {
	var transport *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("not waited for: %w", context.Canceled)
	case errors.Is(err, errAnswerTooLong):
		return errAnswerTooLong
	case errors.As(err, &transport), errors.Is(err, io.ErrUnexpectedEOF):
		return errConnection
	}
	return errNotReadable
}

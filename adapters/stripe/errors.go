package stripe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
)

// What is wrong with a request that was not sent, or an answer that cannot be used. No
// cause ever holds text that came over the network.
var (
	errNotOurRef     = errors.New("object is not a payment of this account")
	errKey           = errors.New("operation key is empty or too long")
	errNotThePayment = errors.New("answer is not the payment that was asked about")
	errNotTheRefund  = errors.New("answer is not the refund that was asked for")
	errNotAList      = errors.New("answer is not a list of payments")
	errNoConnection  = errors.New("no connection could be made")
	errConnection    = errors.New("connection broke before the answer was whole")
	errNotReadable   = errors.New("answer is not readable")
)

// invalid is a request that was not sent because nobody could take it.
func invalid(op string, cause error) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Op: op, Err: cause}
}

// unusable is an answer that came and says nothing we can act on.
func (c *call) unusable(cause error) *core.ProviderError {
	return &core.ProviderError{Class: core.ClassUnknown, Op: c.op, Err: cause}
}

// failed classifies an error of the SDK, once and here.
func (c *call) failed(err error) *core.ProviderError {
	if answer, ok := errors.AsType[*stripesdk.Error](err); ok {
		return c.refused(answer)
	}
	if !c.connected.Load() && beforeSending(err) {
		return &core.ProviderError{Class: core.ClassRetryable, Code: core.FailureProviderUnavailable, Op: c.op, Err: errNoConnection}
	}
	return c.unusable(noAnswer(err))
}

// beforeSending reports whether the error arose while a connection was being made.
// Only together with the proof that the request never had one does it mean that nothing
// was sent: a broken connection can be followed by a failing attempt at another.
func beforeSending(err error) bool {
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &certificate)
}

// noAnswer is the cause of an error that no readable answer of Stripe's came with, in
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

// refused translates an answer in Stripe's own form of error.
func (c *call) refused(answer *stripesdk.Error) *core.ProviderError {
	made := &core.ProviderError{
		Class: class(answer), Foreign: foreignCode(answer), Op: c.op, RequestID: safeID(answer.RequestID),
		Err: fmt.Errorf("HTTP %d", answer.HTTPStatusCode),
	}
	if param := safeCode(answer.Param); param != "" {
		made.Err = fmt.Errorf("%w on %s", made.Err, param)
	}
	if answer.PaymentIntent != nil {
		made.ObjectID = safeID(answer.PaymentIntent.ID)
	}
	if answer.LastResponse != nil {
		made.RetryAfter = retryAfter(answer.LastResponse.Header.Get("Retry-After"))
	}
	switch made.Class {
	case core.ClassDeclined:
		made.Code = declineCode(answer)
	case core.ClassRetryable:
		made.Code = core.FailureProviderUnavailable
	case core.ClassInvalid:
		made.Code = core.FailureInvalidRequest
	case core.ClassUnknown:
	}
	return made
}

// retryAfterMax bounds how long Stripe can have us wait.
const retryAfterMax = time.Hour

// retryAfter reads the header's whole seconds; 0 where it holds none. The header's other
// form, a date, is none of Stripe's.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, retryAfterMax)
}

// class says what may be done after an answer of Stripe's.
//
// A key in use means that an earlier sending of the same operation is still running:
// this one did nothing, and the same key goes again. A credential that is not good has
// no effect either, and says nothing of an earlier sending of the same operation. A key
// that was used with other parameters means that there was one, whatever came of it. A
// status that is not named here, or comes with a code that does not fit, is of unknown
// outcome.
//
// Source: docs.stripe.com/error-low-level and docs.stripe.com/api/errors.
func class(answer *stripesdk.Error) core.Class {
	switch answer.HTTPStatusCode {
	case http.StatusPaymentRequired:
		return core.ClassDeclined
	case http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusForbidden:
		return core.ClassRetryable
	case http.StatusConflict:
		switch answer.Code { //nolint:exhaustive // two of some two hundred
		case stripesdk.ErrorCodeIdempotencyKeyInUse, stripesdk.ErrorCodeLockTimeout:
			return core.ClassRetryable
		}
	case http.StatusBadRequest, http.StatusNotFound:
		if answer.Type == stripesdk.ErrorTypeIdempotency {
			return core.ClassUnknown
		}
		return core.ClassInvalid
	}
	return core.ClassUnknown
}

// foreignCode is the most telling of Stripe's codes.
func foreignCode(answer *stripesdk.Error) string {
	for _, code := range []string{string(answer.DeclineCode), string(answer.Code), string(answer.Type)} {
		if code := safeCode(code); code != "" {
			return code
		}
	}
	return ""
}

// Bounds of what is taken over from Stripe into errors and rows.
const (
	codeLengthMax = 64
	idLengthMax   = 255 // of any object's id
)

// safeCode is text as it stands where it has the shape of one of Stripe's codes or
// parameter names, and empty otherwise.
func safeCode(text string) string {
	return shaped(text, codeLengthMax, "_.[]")
}

// safeID is the same for ids.
func safeID(text string) string {
	return shaped(text, idLengthMax, "_-")
}

func shaped(text string, lengthMax int, besides string) string {
	if len(text) > lengthMax {
		return ""
	}
	for i := range len(text) {
		b := text[i]
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !letter && !containsByte(besides, b) {
			return ""
		}
	}
	return text
}

func containsByte(set string, b byte) bool {
	for i := range len(set) {
		if set[i] == b {
			return true
		}
	}
	return false
}

package stripe

import (
	"errors"
	"fmt"
	"net/http"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// What is wrong with a request that was not sent, or an answer that cannot be used. No
// cause ever holds text that came over the network.
var (
	errNotOurRef     = errors.New("object is not this account's, or not of the kind that the call is about")
	errKey           = errors.New("operation key is empty or too long")
	errNotThePayment = errors.New("answer is not the payment that was asked about")
	errNoAmount      = errors.New("answer tells no amount")
	errNotAList      = errors.New("answer is not a list of what was asked for")
)

// failed classifies an error of the SDK, once and here.
func (c *call) failed(err error) *core.ProviderError {
	if answer, ok := errors.AsType[*stripesdk.Error](err); ok {
		return c.refused(answer)
	}
	return c.Unanswered(err)
}

// refused translates an answer in Stripe's own form of error.
func (c *call) refused(answer *stripesdk.Error) *core.ProviderError {
	made := &core.ProviderError{
		Class: class(answer), Foreign: foreignCode(answer), Op: c.Op, RequestID: outbound.SafeID(answer.RequestID),
		Err: fmt.Errorf("HTTP %d", answer.HTTPStatusCode),
	}
	if param := outbound.SafeCode(answer.Param); param != "" {
		made.Err = fmt.Errorf("%w on %s", made.Err, param)
	}
	if answer.PaymentIntent != nil {
		made.ObjectID = outbound.SafeID(answer.PaymentIntent.ID)
	}
	if answer.LastResponse != nil {
		made.RetryAfter = outbound.RetryAfter(answer.LastResponse.Header.Get("Retry-After"))
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
		if code := outbound.SafeCode(code); code != "" {
			return code
		}
	}
	return ""
}

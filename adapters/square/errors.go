package square

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// What is wrong with a request that was not sent, or an answer that cannot be used.
var (
	errNotOurRef   = errors.New("object is not this account's, or not of the kind that this is done to")
	errKey         = errors.New("operation key is empty or too long")
	errNoSource    = errors.New("there is no one-time token to pay with")
	errNoCreation  = errors.New("payments come to be with their confirmation here")
	errNotReadable = errors.New("answer is not readable")
	errCurrency    = errors.New("currency is none that Square takes")
	errHeldAtPage  = errors.New("money cannot be held at Square's own page")
	errStillOpen   = errors.New("page is open although it was closed")
	errNoTender    = errors.New("order is paid by no payment that can be looked at")
	errTooMany     = errors.New("list is longer than any that is gone through")
	errEvidence    = errors.New("evidence has a field or a type of file that is not known")
	errNoEvidence  = errors.New("there is no evidence to send")
	errTooLong     = errors.New("evidence has more characters than are sent")
	errNoSetup     = errors.New("methods are saved by the buyer's one-time token alone here")
	errOther       = errors.New("answer is of another request than this one")
	errPeriod      = errors.New("period is none that Square bills")
	errQuantity    = errors.New("subscription is of one piece here")
	errProrate     = errors.New("change is not billed within a period here")
	errCancelNow   = errors.New("subscription can only be ended at the end of its period here")
	errEnded       = errors.New("subscription has ended")
	errNotListed   = errors.New("objects of this kind are not listed by this time")
	errPersonal    = errors.New("a personal access token alone may ask for this, no token of OAuth")
)

// declines are the codes of a bank's no, in our words.
//
// Source: developer.squareup.com/docs/payments-api/error-codes.
var declines = map[string]core.FailureCode{
	"INSUFFICIENT_FUNDS": core.FailureInsufficientFunds, "GIFT_CARD_AVAILABLE_AMOUNT": core.FailureInsufficientFunds,
	"CARD_EXPIRED": core.FailureExpiredCard, "EXPIRATION_FAILURE": core.FailureExpiredCard,
	"INVALID_EXPIRATION": core.FailureExpiredCard, "BAD_EXPIRATION": core.FailureExpiredCard,
	"GENERIC_DECLINE": core.FailureCardDeclined, "CARD_DECLINED": core.FailureCardDeclined,
	"CARD_DECLINED_CALL_ISSUER": core.FailureCardDeclined, "TRANSACTION_LIMIT": core.FailureCardDeclined,
	"BUYER_REFUSED_PAYMENT": core.FailureCanceledByBuyer, "CARD_DECLINED_VERIFICATION_REQUIRED": core.FailureAuthenticationRequired,
	"CVV_FAILURE": core.FailureIncorrectCVC, "VERIFY_CVV_FAILURE": core.FailureIncorrectCVC,
	"ADDRESS_VERIFICATION_FAILURE": core.FailureCardDeclined, "VERIFY_AVS_FAILURE": core.FailureCardDeclined,
	"PAN_FAILURE": core.FailureCardDeclined, "INVALID_CARD": core.FailureCardDeclined, "INVALID_ACCOUNT": core.FailureCardDeclined,
	"INVALID_POSTAL_CODE": core.FailureCardDeclined, "CARD_NOT_SUPPORTED": core.FailureCardDeclined,
	"PAYMENT_LIMIT_EXCEEDED": core.FailureCardDeclined, "ALLOWABLE_PIN_TRIES_EXCEEDED": core.FailureCardDeclined,
}

// unsettled are the codes after which nobody can say what happened, whatever the status.
var unsettled = []string{
	"TEMPORARY_ERROR", "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "BAD_GATEWAY", "GATEWAY_TIMEOUT", "REQUEST_TIMEOUT",
	"CONFLICT", "IDEMPOTENCY_KEY_REUSED",
}

// unasked are the codes of a call that did nothing for a reason that may pass.
var unasked = []string{"RATE_LIMITED", "UNAUTHORIZED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_REVOKED", "INSUFFICIENT_SCOPES", "FORBIDDEN"}

// refusals are the statuses of requests that are wrong.
var refusals = []int{
	http.StatusBadRequest, http.StatusNotFound, http.StatusPaymentRequired, http.StatusUnprocessableEntity,
	http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
}

// refused translates an answer that is no success.
func refused(told head, out answer) *core.ProviderError {
	first := Error{}
	for _, one := range out.Errors {
		if _, declined := declines[one.Code]; first.Code == "" || declined {
			first = one
		}
	}
	made := &core.ProviderError{
		Class: class(told.status, first), Foreign: outbound.SafeCode(first.Code), Op: told.call.Op, RequestID: told.call.RequestID(),
		RetryAfter: outbound.RetryAfter(told.retryAfter), Err: fmt.Errorf("HTTP %d", told.status),
	}
	if field := outbound.SafeCode(first.Field); field != "" {
		made.Err = fmt.Errorf("%w on %s", made.Err, field)
	}
	if out.Payment != nil {
		made.ObjectID = outbound.SafeID(out.Payment.ID)
	}
	switch made.Class {
	case core.ClassDeclined:
		made.Code = declines[first.Code]
	case core.ClassRetryable:
		made.Code = core.FailureProviderUnavailable
	case core.ClassInvalid:
		made.Code = core.FailureInvalidRequest
		if told.status == http.StatusNotFound {
			made.Foreign = ports.ForeignMissing
		}
	case core.ClassUnknown:
	}
	return made
}

// class says what may be done after an answer of Square's. The code decides before the
// status: declines are seen with several.
func class(status int, first Error) core.Class {
	_, declined := declines[first.Code]
	switch {
	case slices.Contains(unsettled, first.Code), status >= http.StatusInternalServerError, status == http.StatusRequestTimeout, status == http.StatusConflict:
		return core.ClassUnknown
	case slices.Contains(unasked, first.Code), status == http.StatusTooManyRequests, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return core.ClassRetryable
	case declined:
		return core.ClassDeclined
	case slices.Contains(refusals, status):
		return core.ClassInvalid
	}
	return core.ClassUnknown
}

package paypal

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	paypalsdk "github.com/plutov/paypal/v4"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// What is wrong with a request that was not sent, or an answer that cannot be used.
var (
	errNotOurRef   = errors.New("object is not of this kind, or not of this account")
	errKey         = errors.New("operation key is empty or too long")
	errRequest     = errors.New("request cannot be made")
	errNotReadable = errors.New("answer is not readable")
	errNoObject    = errors.New("answer holds not what was asked for")
	errNotWhole    = errors.New("answer does not show what became of the payment")
	errOther       = errors.New("answer is about another request")
	errMethodType  = errors.New("method is of no type that can be charged")
	errPeriod      = errors.New("price is asked for at intervals that PayPal does not bill")
	errQuantity    = errors.New("quantity is none that PayPal bills")
	errPeriodEnd   = errors.New("PayPal ends a subscription now or not at all")
	errKeep        = errors.New("PayPal undoes no end of a subscription")
	errSwap        = errors.New("PayPal lets the buyer alone choose what a subscription is paid with")
	errNotAwaited  = errors.New("PayPal takes no such answer to the dispute now")
	errNoEvidence  = errors.New("there is no evidence to send: save some text or a file first")
	errTooLong     = errors.New("is longer than PayPal takes: shorten it")
	errNoPage      = errors.New("answer names no page to send the buyer to")
	errNotListed   = errors.New("PayPal lists no such objects")
	errNextPage    = errors.New("answer names no next page that can be asked for")
	errCursor      = errors.New("cursor is none of a list's")
	errToken       = errors.New("no access token could be had")
)

// tokenError is why there is no access token.
type tokenError struct {
	status     int // 0 where no answer came
	requestID  string
	retryAfter time.Duration
}

// Error names what to mend where that is the credentials.
func (e *tokenError) Error() string {
	switch e.status {
	case 0:
		return errToken.Error()
	case http.StatusUnauthorized, http.StatusBadRequest, http.StatusForbidden:
		return fmt.Sprintf("%v: client id and client secret are not taken: HTTP %d", errToken, e.status)
	}
	return fmt.Sprintf("%v: HTTP %d", errToken, e.status)
}

// Unwrap tells it from other causes.
func (e *tokenError) Unwrap() error { return errToken }

// declines are the issues of a final no, in our words. The last ones are about the merchant:
// the buyer can only ask the shop.
//
// Source: developer.paypal.com/api/rest/reference/orders/v2/errors.
var declines = map[string]core.FailureCode{
	"INSTRUMENT_DECLINED": core.FailureCardDeclined, "PAYER_CANNOT_PAY": core.FailureCardDeclined,
	"REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": core.FailureCardDeclined, "CARD_BRAND_NOT_SUPPORTED": core.FailureCardDeclined,
	"MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": core.FailureCardDeclined,
	"PAYER_ACCOUNT_LOCKED_OR_CLOSED":          core.FailureCardDeclined, "PAYER_ACCOUNT_RESTRICTED": core.FailureCardDeclined,
	"TRANSACTION_LIMIT_EXCEEDED": core.FailureCardDeclined,
	"REFERENCED_CARD_EXPIRED":    core.FailureExpiredCard, "CARD_EXPIRED": core.FailureExpiredCard,
	"TRANSACTION_REFUSED": core.FailureSuspectedFraud, "TRANSACTION_BLOCKED_BY_PAYEE": core.FailureSuspectedFraud,
	"PAYEE_BLOCKED_TRANSACTION": core.FailureSuspectedFraud, "COMPLIANCE_VIOLATION": core.FailureSuspectedFraud,
	"REFUND_FAILED_INSUFFICIENT_FUNDS": core.FailureProcessingError,
	"PAYEE_ACCOUNT_RESTRICTED":         core.FailureInvalidRequest, "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": core.FailureInvalidRequest,
	"TRANSACTION_RECEIVING_LIMIT_EXCEEDED": core.FailureInvalidRequest,
}

// issues are those with a class of their own, whatever the status they come with. An earlier
// sending that is still running means that this one did nothing, and the same key goes again;
// a key that was used before for something else, that there was something, whatever came of it.
var issues = map[string]core.Class{
	issueInProgress: core.ClassRetryable, "ORDER_COMPLETION_IN_PROGRESS": core.ClassRetryable,
	"DUPLICATE_REQUEST_ID": core.ClassUnknown, "INTERNAL_SERVER_ERROR": core.ClassUnknown, "INTERNAL_SERVICE_ERROR": core.ClassUnknown,
}

// Issues that lead to another look.
const (
	issueInProgress        = "PREVIOUS_REQUEST_IN_PROGRESS"
	issueAlreadyCaptured   = "ORDER_ALREADY_CAPTURED"
	issueAlreadyAuthorized = "ORDER_ALREADY_AUTHORIZED"
	issueAlreadyVoided     = "PREVIOUSLY_VOIDED"
	issueNoPermission      = "PERMISSION_DENIED"
	issuePayerAction       = "PAYER_ACTION_REQUIRED"
)

// failed classifies an error of the SDK, once and here.
func failed(call *outbound.Call, seen *record, err error) *core.ProviderError {
	if answered, ok := errors.AsType[*paypalsdk.ErrorResponse](err); ok && (answered.Name != "" || len(answered.Details) > 0) {
		return refused(call.Op, seen, answered)
	}
	if seen.status == 0 || seen.status < http.StatusMultipleChoices {
		return call.Unanswered(err)
	}
	made := call.Unusable(fmt.Errorf("%w: HTTP %d", errNotReadable, seen.status))
	made.RetryAfter = seen.retryAfter()
	if seen.status == http.StatusTooManyRequests || seen.status == http.StatusUnauthorized { // nobody let it in
		made.Class, made.Code = core.ClassRetryable, core.FailureProviderUnavailable
	}
	return made
}

// refused translates an answer in PayPal's own form of error.
func refused(op string, seen *record, answered *paypalsdk.ErrorResponse) *core.ProviderError {
	told := answered.Name
	var field string
	for n, detail := range answered.Details {
		if _, declined := declines[detail.Issue]; n == 0 && detail.Issue != "" || declined {
			told, field = detail.Issue, detail.Field
		}
	}
	made := &core.ProviderError{
		Class: class(seen.status, told, answered.Name), Foreign: outbound.SafeCode(told), Op: op,
		RequestID: seen.requestID(), RetryAfter: seen.retryAfter(), Err: fmt.Errorf("HTTP %d", seen.status),
	}
	if made.RequestID == "" {
		made.RequestID = outbound.SafeID(answered.DebugID)
	}
	if field := outbound.Shaped(field, outbound.CodeLengthMax, "/_.[]"); field != "" {
		made.Err = fmt.Errorf("%w on %s", made.Err, field)
	}
	switch made.Class {
	case core.ClassDeclined:
		made.Code = declines[told]
	case core.ClassRetryable:
		made.Code = core.FailureProviderUnavailable
	case core.ClassInvalid:
		made.Code = core.FailureInvalidRequest
		if told == issuePayerAction {
			made.Code = core.FailureAuthenticationRequired
		}
		if seen.status == http.StatusNotFound {
			made.Foreign = ports.ForeignMissing
		}
	case core.ClassUnknown:
	}
	return made
}

// class says what may be done after an answer of PayPal's. A credential that is not good has
// no effect, and says nothing of an earlier sending of the same operation. A status that is
// not named here is of unknown outcome; so is every 5xx, after which PayPal may have done it
// all the same.
//
// Source: developer.paypal.com/api/rest/responses and /api/rest/reference/orders/v2/errors.
func class(status int, issue, name string) core.Class {
	if status >= http.StatusInternalServerError || status == http.StatusRequestTimeout {
		return core.ClassUnknown
	}
	for _, told := range []string{issue, name} {
		if known, ok := issues[told]; ok {
			return known
		}
	}
	_, declined := declines[issue]
	switch status {
	case http.StatusTooManyRequests, http.StatusUnauthorized:
		return core.ClassRetryable
	case http.StatusForbidden:
		if declined {
			return core.ClassDeclined
		}
		return core.ClassRetryable
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
		if declined {
			return core.ClassDeclined
		}
		return core.ClassInvalid
	}
	return core.ClassUnknown
}

// isMissing reports whether PayPal knows nothing of what was asked about.
func isMissing(err error) bool {
	refused, ok := errors.AsType[*core.ProviderError](err)
	return ok && refused.Foreign == ports.ForeignMissing
}

// isInvalid reports whether PayPal refused a call as one that cannot be, or cannot be any more.
func isInvalid(err error) bool {
	answered, ok := errors.AsType[*core.ProviderError](err)
	return ok && answered.Class == core.ClassInvalid
}

// hasIssue reports whether PayPal refused a call for one of those reasons.
func hasIssue(err error, named ...string) bool {
	answered, ok := errors.AsType[*core.ProviderError](err)
	return ok && answered.Class == core.ClassInvalid && slices.Contains(named, answered.Foreign)
}

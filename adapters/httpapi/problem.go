package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/core/view"
	"github.com/paydesk/paydesk/ports"
)

// Problem is an error answer (RFC 9457). Clients branch on the code, which never changes.
type Problem struct {
	Type   string       `json:"type" example:"about:blank"`
	Title  string       `json:"title" example:"Unprocessable Entity"`
	Status int          `json:"status" example:"422"`
	Code   string       `json:"code" example:"invalid_request" doc:"Stable, for programs"`
	Detail string       `json:"detail" doc:"What is wrong and how to mend it, for people"`
	Errors []FieldError `json:"errors,omitempty" doc:"What is wrong with which field"`
	// Failure is the provider's reason for a refusal.
	Failure *view.Failure `json:"failure,omitempty"`
	// Payment is the off-session payment that was refused, and Checkout where its buyer can pay the
	// same, if their bank wants them to be there.
	Payment     *core.PaymentID  `json:"payment,omitempty" doc:"The off-session payment that was refused"`
	Checkout    *core.CheckoutID `json:"checkout,omitempty" doc:"Where its buyer can pay the same, whose bank wants them to be there"`
	CheckoutURL *string          `json:"checkout_url,omitempty" doc:"Send that buyer here"`
	TraceID     string           `json:"trace_id,omitempty" doc:"Name this to whoever runs the service"`

	retryAfterSeconds int // 0 for none
}

// FieldError says what is wrong with one field.
type FieldError struct {
	Location string `json:"location" example:"body.line_items[0].amount"`
	Message  string `json:"message"`
}

const (
	problemType = "application/problem+json"

	// Codes that the API itself branches on.
	codeInvalid    = "invalid_request"
	codeInProgress = "payment_in_progress"
	codeOpen       = "operation_open"

	// providerRetrySeconds is when a call may be repeated after its provider was away, where
	// the provider does not say; providerRetrySecondsMax is the longest that is passed on.
	providerRetrySeconds    = 5
	providerRetrySecondsMax = 300
	// retrySeconds is when a call may be repeated that came too soon after another.
	retrySeconds = 1
)

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements [huma.StatusError].
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements [huma.HeadersError].
func (p *Problem) GetHeaders() http.Header {
	header := make(http.Header)
	if p.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="paydesk"`)
	}
	if p.retryAfterSeconds > 0 {
		header.Set("Retry-After", strconv.Itoa(p.retryAfterSeconds))
	}
	return header
}

// ContentType implements [huma.ContentTypeFilter].
func (p *Problem) ContentType(string) string { return problemType }

func problem(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// The problems that need no more than themselves.
var (
	unauthorized  = problem(http.StatusUnauthorized, "unauthorized", "Send a good API key of this environment: `Authorization: Bearer pd_…`.")
	notFound      = problem(http.StatusNotFound, "not_found", "There is nothing here.")
	unsupported   = problem(http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the body as application/json.")
	invalidJSON   = problem(http.StatusBadRequest, "invalid_json", "The body is not JSON.")
	badUpload     = problem(http.StatusBadRequest, "invalid_form", "The body is no whole multipart/form-data.")
	unreadable    = problem(http.StatusBadRequest, "invalid_json", "The body ended early.")
	cardNumber    = problem(http.StatusUnprocessableEntity, "card_number_refused", "The request holds what looks like a card number. Card numbers are typed into the provider's frame and nowhere else; nothing was stored or logged.")
	keyRequired   = problem(http.StatusBadRequest, "idempotency_key_required", "Send an Idempotency-Key header of 1 to 255 visible characters, a new one for each new call and the same one for each repeat.")
	keyReused     = problem(http.StatusUnprocessableEntity, "idempotency_key_reused", "This Idempotency-Key was used with another request. Use a new one.")
	keyInProgress = retry(problem(http.StatusConflict, "idempotency_in_progress", "The first call with this Idempotency-Key is still running. Repeat it in a moment."), retrySeconds)
	internalError = problem(http.StatusInternalServerError, "internal_error", "Something went wrong here. The same call can be made again with the same Idempotency-Key.")
)

// tooLarge refuses a body that is longer than so many bytes.
func tooLarge(limit int64) *Problem {
	return problem(http.StatusRequestEntityTooLarge, "body_too_large", fmt.Sprintf("The body must not be longer than %d KiB.", limit>>10))
}

func retry(p *Problem, seconds int) *Problem {
	p.retryAfterSeconds = seconds
	return p
}

// known are the errors of the use cases that have one answer each.
var known = []struct {
	err    error
	answer *Problem
}{
	{ports.ErrNotFound, notFound},
	{core.ErrUnauthenticated, unauthorized},
	{core.ErrCheckoutComplete, problem(http.StatusConflict, "checkout_complete", "The checkout has been paid.")},
	{core.ErrCheckoutExpired, problem(http.StatusConflict, "checkout_expired", "The checkout's time is over. Create a new one.")},
	{core.ErrPaymentInProgress, retry(problem(http.StatusConflict, codeInProgress, "Another step of this payment is under way or its outcome is not known yet. Look again in a moment."), retrySeconds)},
	{core.ErrPaymentNotOpen, problem(http.StatusConflict, "invalid_payment_state", "The payment's status does not allow this.")},
	{core.ErrAmountNotAvailable, problem(http.StatusUnprocessableEntity, "amount_not_available", "The amount must be positive and no more than what is left to capture, or to give back.")},
	{core.ErrAuthorizationExpired, problem(http.StatusConflict, "authorization_expired", "The authorization has run out, and with it the right to the money. Create a new checkout.")},
	{core.ErrCurrencyOther, problem(http.StatusUnprocessableEntity, "currency_mismatch", "The currency must be the one of what it is about.")},
	{core.ErrPaymentDisputed, problem(http.StatusConflict, "payment_disputed", "The buyer's bank has the money, or may yet take it. Answer the dispute, or accept it.")},
	{core.ErrDisputeClosed, problem(http.StatusConflict, "dispute_closed", "The dispute has ended.")},
	{core.ErrEvidenceSubmitted, problem(http.StatusConflict, "evidence_submitted", "Evidence was submitted already, for good. The bank decides.")},
	{core.ErrEvidenceLate, problem(http.StatusConflict, "evidence_late", "The deadline for evidence has passed.")},
	{core.ErrEvidenceEmpty, problem(http.StatusUnprocessableEntity, "evidence_empty", "Save texts or files first: there is nothing to submit.")},
	{core.ErrNotSupported, problem(http.StatusConflict, "unsupported", "The provider does not offer this, or not now. It may be possible in its own dashboard.")},
	{core.ErrAccountNotOffered, problem(http.StatusConflict, "account_not_configured", "The account at the provider is not configured any more.")},
	{core.ErrOperationOpen, retry(problem(http.StatusConflict, codeOpen, "An earlier call on this object is not settled yet. Look again in a moment."), retrySeconds)},
	{core.ErrMethodNotUsable, problem(http.StatusConflict, "payment_method_not_usable", "The payment method cannot be charged: it was removed or never saved, or its buyer agreed to no charge without them.")},
	{core.ErrSubscriptionEnded, problem(http.StatusConflict, "subscription_ended", "The subscription has ended. Sell a new one by a checkout.")},
	{core.ErrSubscriptionState, problem(http.StatusConflict, "invalid_subscription_state", "The subscription's status does not allow this.")},
	{core.ErrNothingToChange, problem(http.StatusUnprocessableEntity, "nothing_to_change", "The subscription has this price and quantity already.")},
	{notify.ErrTooManySecrets, problem(http.StatusConflict, "too_many_secrets", "So many secrets of this endpoint were replaced within a day that another one must wait.")},
	{ports.ErrText, problem(http.StatusUnprocessableEntity, codeInvalid, "A text holds a NUL or is not UTF-8.")},
	{idempotency.ErrReused, keyReused},
	{idempotency.ErrInProgress, keyInProgress},
}

// problemOf is the answer to an error of the use cases. What nobody foresaw is logged,
// and the caller learns no more than the trace's id.
func (s *server) problemOf(ctx context.Context, err error) *Problem {
	if invalid, ok := errors.AsType[*core.InvalidError](err); ok {
		fields := make([]FieldError, 0, len(invalid.Fields))
		for _, field := range invalid.Fields {
			fields = append(fields, FieldError{Location: "body." + field.Field, Message: field.Message})
		}
		return invalidFields(fields...)
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return k.answer
		}
	}
	if refused, ok := errors.AsType[*core.RefusedError](err); ok {
		p := problem(http.StatusPaymentRequired, "payment_refused", refused.Failure.Message)
		p.Failure = &view.Failure{Code: refused.Failure.Code, Message: refused.Failure.Message, Retryable: refused.Failure.Retryable}
		if refused.Failure.ProviderCode != "" {
			p.Failure.ProviderCode = &refused.Failure.ProviderCode
		}
		return p
	}
	if lost, ok := errors.AsType[*core.ProviderError](err); ok {
		s.logger.WarnContext(ctx, "provider", slog.String("error", lost.Error()))
		return retry(providerUnavailable(), retryAfter(lost))
	}
	if errors.Is(err, context.Canceled) {
		s.logger.InfoContext(ctx, "caller hung up")
		return internal(ctx)
	}
	s.logger.ErrorContext(ctx, "call failed", slog.String("error", err.Error()))
	return internal(ctx)
}

func providerUnavailable() *Problem {
	return problem(http.StatusServiceUnavailable, "provider_unavailable", "The provider cannot be reached. Repeat the call with the same Idempotency-Key.")
}

// retryAfter is when a provider wants to be asked again, in seconds.
func retryAfter(lost *core.ProviderError) int {
	seconds := int((lost.RetryAfter + time.Second - 1) / time.Second)
	if seconds < 1 {
		return providerRetrySeconds
	}
	return min(seconds, providerRetrySecondsMax)
}

// invalidFields refuses a request because of its fields; nil where there are none.
func invalidFields(fields ...FieldError) *Problem {
	if len(fields) == 0 {
		return nil
	}
	p := problem(http.StatusUnprocessableEntity, codeInvalid, "Mend what `errors` names and send the request again.")
	p.Errors = fields[:min(len(fields), fieldErrorsMax)]
	return p
}

// internal tells of trouble inside, and by which trace to find it.
func internal(ctx context.Context) *Problem {
	p := *internalError
	p.TraceID = traceID(ctx)
	return &p
}

func traceID(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}

// write sends a problem.
func (p *Problem) write(w http.ResponseWriter) {
	header := w.Header()
	maps.Copy(header, p.GetHeaders())
	header.Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) //nolint:errchkjson // a caller that hung up is no concern of ours
}

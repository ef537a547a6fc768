package pay

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// problem is an error answer (RFC 9457). The page's script branches on the code and shows
// the detail to the buyer.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`

	retryAfterSeconds int // 0 for none
}

func newProblem(status int, code, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

func (p *problem) retryAfter(seconds int) *problem {
	p.retryAfterSeconds = seconds
	return p
}

// providerRetrySeconds is when the page may ask again after a provider was away.
const providerRetrySeconds = 2

// The problems.
var (
	notFound         = newProblem(http.StatusNotFound, "not_found", "There is nothing here.")
	methodNotAllowed = newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "This address takes POST only.")
	crossOrigin      = newProblem(http.StatusForbidden, "cross_origin", "This may be called from the checkout page only.")
	tooLarge         = newProblem(http.StatusRequestEntityTooLarge, "body_too_large", "The body must not be longer than 4 KiB.")
	unsupported      = newProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the body as application/json.")
	invalidJSON      = newProblem(http.StatusBadRequest, "invalid_json", "The body is not the one JSON object that this call takes.")
	cardNumber       = newProblem(http.StatusUnprocessableEntity, "card_number_refused", "The request holds what looks like a card number. Card numbers are typed into the provider's frame and nowhere else; nothing was stored or logged.")
	badSource        = newProblem(http.StatusUnprocessableEntity, "invalid_request", "source must be the provider's one-time token, of 1 to 500 characters.")
	internalError    = newProblem(http.StatusInternalServerError, "internal_error", "Something went wrong here. Please try again.")
	unavailable      = newProblem(http.StatusServiceUnavailable, "provider_unavailable", "The payment service cannot be reached. Try again in a moment.").retryAfter(providerRetrySeconds)
)

// known are the errors of the use cases that have one answer each.
var known = []struct {
	err    error
	answer *problem
}{
	{ports.ErrNotFound, notFound},
	{core.ErrCheckoutComplete, newProblem(http.StatusConflict, "checkout_complete", "This order has been paid.")},
	{core.ErrCheckoutExpired, newProblem(http.StatusConflict, "checkout_expired", "This checkout's time is over. Go back to the shop and start again.")},
	{core.ErrPaymentInProgress, newProblem(http.StatusConflict, "payment_in_progress", "A payment of this order is under way. Wait a moment before you try again.").retryAfter(providerRetrySeconds)},
	{core.ErrAccountNotOffered, newProblem(http.StatusUnprocessableEntity, "account_not_offered", "This way to pay is not offered here. Choose another one.")},
	{core.ErrTooManyAttempts, newProblem(http.StatusConflict, "too_many_attempts", "There were too many attempts to pay this order. Go back to the shop and start again.")},
	{core.ErrPaymentNotOpen, newProblem(http.StatusConflict, "payment_not_open", "This payment waits for nothing. Load the page again to see how it stands.")},
	{core.ErrNothingToPay, newProblem(http.StatusConflict, "nothing_to_pay", "There is nothing to pay.")},
}

// problemOf is the answer to an error of the use cases. What nobody foresaw is logged.
func (h *handler) problemOf(ctx context.Context, err error) *problem {
	for _, k := range known {
		if errors.Is(err, k.err) {
			return k.answer
		}
	}
	if refused, ok := errors.AsType[*core.RefusedError](err); ok {
		return newProblem(http.StatusPaymentRequired, "payment_refused", refused.Failure.Message)
	}
	if lost, ok := errors.AsType[*core.ProviderError](err); ok {
		h.logger.WarnContext(ctx, "provider", slog.String("error", lost.Error()))
		return unavailable
	}
	h.logger.ErrorContext(ctx, "checkout call failed", slog.String("error", err.Error()))
	return internalError
}

// write sends the problem.
func (p *problem) write(w http.ResponseWriter) {
	if p.retryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfterSeconds))
	}
	writeJSON(w, "application/problem+json", p.Status, p)
}

func writeJSON(w http.ResponseWriter, kind string, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic("checkout page: " + err.Error()) // the answers' shapes can always be written
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a caller that hung up is no concern of ours
}

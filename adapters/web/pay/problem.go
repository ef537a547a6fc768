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
	badMethod        = newProblem(http.StatusUnprocessableEntity, "invalid_request", "method must be card, or left out.")
	internalError    = newProblem(http.StatusInternalServerError, "internal_error", "Something went wrong here. Please try again.")
	unavailable      = newProblem(http.StatusServiceUnavailable, "provider_unavailable", "The payment service cannot be reached. Try again in a moment.").retryAfter(providerRetrySeconds)
)

// known are the errors of the use cases that have one answer each, with what the buyer is
// told by what the checkout is for.
var known = []struct {
	err               error
	status            int
	code              string
	retryAfterSeconds int
	details           map[core.CheckoutMode]string
}{
	{err: core.ErrCheckoutComplete, status: http.StatusConflict, code: "checkout_complete", details: map[core.CheckoutMode]string{
		core.ModePayment: "This order has been paid.", core.ModeSubscription: "You are subscribed already.", core.ModeSetup: "Your payment method has been saved already.",
	}},
	{err: core.ErrCheckoutExpired, status: http.StatusConflict, code: "checkout_expired", details: always("This checkout's time is over. Go back to the shop and start again.")},
	{err: core.ErrPaymentInProgress, status: http.StatusConflict, code: "payment_in_progress", retryAfterSeconds: providerRetrySeconds, details: map[core.CheckoutMode]string{
		core.ModePayment:      "A payment of this order is under way. Wait a moment before you try again.",
		core.ModeSubscription: "Your subscription is being set up. Wait a moment before you try again.",
		core.ModeSetup:        "Your payment method is being saved. Wait a moment before you try again.",
	}},
	{err: core.ErrAccountNotOffered, status: http.StatusUnprocessableEntity, code: "account_not_offered", details: always("This way to pay is not offered here. Choose another one.")},
	{err: core.ErrTooManyAttempts, status: http.StatusConflict, code: "too_many_attempts", details: always("There were too many attempts. Go back to the shop and start again.")},
	{err: core.ErrPaymentNotOpen, status: http.StatusConflict, code: "payment_not_open", details: map[core.CheckoutMode]string{
		core.ModePayment:      "This payment waits for nothing. Load the page again to see how it stands.",
		core.ModeSubscription: "This subscription waits for nothing. Load the page again to see how it stands.",
		core.ModeSetup:        "This payment method waits for nothing. Load the page again to see how it stands.",
	}},
	{err: core.ErrNothingToPay, status: http.StatusConflict, code: "nothing_to_pay", details: always("There is nothing to pay.")},
}

func always(detail string) map[core.CheckoutMode]string {
	return map[core.CheckoutMode]string{core.ModePayment: detail, core.ModeSubscription: detail, core.ModeSetup: detail}
}

// problemOf is the answer to an error of the use cases. What nobody foresaw is logged.
func (h *handler) problemOf(ctx context.Context, err error, mode core.CheckoutMode) *problem {
	if errors.Is(err, ports.ErrNotFound) {
		return notFound
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return newProblem(k.status, k.code, k.details[mode]).retryAfter(k.retryAfterSeconds)
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

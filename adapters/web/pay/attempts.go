package pay

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/customers"
	"github.com/paydesk/paydesk/core/payments"
)

// bodyBytesMax is the longest body that is taken.
const bodyBytesMax = 4 << 10

// statusProcessing is what the script is told while nobody can say yet.
const statusProcessing = string(core.PaymentProcessing)

// attemptRequest starts an attempt.
type attemptRequest struct {
	Account core.AccountName `json:"account"`
	// Method is "card" where a card is to be saved by fields of a provider that has to know it;
	// empty elsewhere.
	Method string `json:"method"`
}

// attemptAnswer is an attempt with what the script needs to go on. Without an action the
// buyer has nothing to do: the attempt is to be looked at. Status is processing where the
// provider's answer never came: the same call can be made again and goes on with the same
// attempt.
type attemptAnswer struct {
	Attempt  string            `json:"attempt"` // a payment's id, a subscription's or a saved method's, as the mode says
	Payment  *string           `json:"payment"` // the same; null unless the mode is payment
	Account  core.AccountName  `json:"account"`
	Provider core.ProviderName `json:"provider"`
	Status   string            `json:"status"`
	Action   *actionAnswer     `json:"action"`
}

type actionAnswer struct {
	Type         string `json:"type"`
	ClientSecret string `json:"client_secret"`
	Object       string `json:"object"`        // what it is about at the provider
	URL          string `json:"url,omitempty"` // of the provider's own page
}

// confirmRequest asks for the money of an attempt with the one-time token that the
// provider's script made of the card.
type confirmRequest struct {
	Source string `json:"source"`
}

// syncAnswer tells what became of an attempt.
type syncAnswer struct {
	Attempt     string  `json:"attempt"`
	Payment     *string `json:"payment"` // the same; null unless the mode is payment
	Object      *string `json:"object"`  // null while the provider knows of none
	Status      string  `json:"status"`
	Message     *string `json:"message"` // for the buyer; null where there is nothing to say
	Checkout    string  `json:"checkout"`
	ContinueURL *string `json:"continue_url"` // null until the checkout is complete
}

// modeOf tells by an attempt's id what its checkout is for.
func modeOf(id string) core.CheckoutMode {
	switch kind, _, _ := strings.Cut(id, "_"); kind {
	case "sub":
		return core.ModeSubscription
	case "pm":
		return core.ModeSetup
	}
	return core.ModePayment
}

// startAttempt answers POST /pay/{checkout}/attempts.
func (h *handler) startAttempt(w http.ResponseWriter, r *http.Request) {
	var in attemptRequest
	if refusal := read(w, r, &in); refusal != nil {
		refusal.write(w)
		return
	}
	id, err := core.ParseID[core.CheckoutID](r.PathValue("checkout"))
	if err != nil {
		notFound.write(w)
		return
	}
	if in.Method != "" && in.Method != customers.MethodTypeCard {
		badMethod.write(w)
		return
	}
	checkout, err := h.payments.Checkout(r.Context(), id)
	if err == nil && !h.shows(checkout, in.Account) {
		err = core.ErrAccountNotOffered
	}
	if err != nil {
		h.problemOf(r.Context(), err, checkout.Mode).write(w)
		return
	}
	made, err := h.desks[checkout.Mode].start(r.Context(), id, in.Account, in.Method)
	if lost, ok := errors.AsType[*core.ProviderError](err); ok && lost.Class == core.ClassUnknown && made.id != "" {
		h.logger.WarnContext(r.Context(), "provider", slog.String("error", lost.Error()))
		answer := answerOf(made)
		answer.Status, answer.Action = statusProcessing, nil
		w.Header().Set("Retry-After", strconv.Itoa(providerRetrySeconds))
		writeJSON(w, "application/json", http.StatusAccepted, answer)
		return
	}
	if err != nil {
		h.problemOf(r.Context(), err, checkout.Mode).write(w)
		return
	}
	writeJSON(w, "application/json", http.StatusCreated, answerOf(made))
}

func answerOf(made started) attemptAnswer {
	answer := attemptAnswer{Attempt: made.id, Payment: made.payment(), Account: made.account, Provider: made.provider, Status: made.status}
	if made.action.Type != "" {
		answer.Action = &actionAnswer{Type: made.action.Type, ClientSecret: made.action.ClientSecret, Object: made.about, URL: made.action.URL}
	}
	return answer
}

// syncAttempt answers POST /pay/{checkout}/attempts/{attempt}/sync.
func (h *handler) syncAttempt(w http.ResponseWriter, r *http.Request) {
	if refusal := read(w, r, &struct{}{}); refusal != nil {
		refusal.write(w)
		return
	}
	checkout, err := core.ParseID[core.CheckoutID](r.PathValue("checkout"))
	if err != nil {
		notFound.write(w)
		return
	}
	id := r.PathValue("attempt")
	a, c, err := h.desks[modeOf(id)].look(r.Context(), checkout, id)
	h.answer(w, r, a, c, err)
}

// confirmAttempt answers POST /pay/{checkout}/attempts/{attempt}/confirm.
func (h *handler) confirmAttempt(w http.ResponseWriter, r *http.Request) {
	var in confirmRequest
	if refusal := read(w, r, &in); refusal != nil {
		refusal.write(w)
		return
	}
	checkout, err := core.ParseID[core.CheckoutID](r.PathValue("checkout"))
	if err != nil {
		notFound.write(w)
		return
	}
	if in.Source == "" || len(in.Source) > payments.SourceBytesMax {
		badSource.write(w)
		return
	}
	id := r.PathValue("attempt")
	at := h.desks[modeOf(id)]
	a, c, err := at.confirm(r.Context(), checkout, id, in.Source)
	if _, declined := errors.AsType[*core.RefusedError](err); declined {
		a, c, err = at.look(r.Context(), checkout, id) // what it means for the checkout
	}
	h.answer(w, r, a, c, err)
}

// answer tells what became of an attempt, as far as anybody knows.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, a attempt, c core.Checkout, err error) {
	id := r.PathValue("attempt")
	mode := modeOf(id)
	lost, unanswered := errors.AsType[*core.ProviderError](err)
	if unanswered || errors.Is(err, core.ErrPaymentInProgress) {
		if unanswered {
			h.logger.WarnContext(r.Context(), "provider", slog.String("error", lost.Error()))
		}
		w.Header().Set("Retry-After", strconv.Itoa(providerRetrySeconds))
		writeJSON(w, "application/json", http.StatusAccepted, syncAnswer{
			Attempt: id, Payment: attempt{id: id, mode: mode}.payment(), Status: statusProcessing, Checkout: string(core.CheckoutOpen),
		})
		return
	}
	if err != nil {
		h.problemOf(r.Context(), err, mode).write(w)
		return
	}
	status := http.StatusOK
	if a.status == statusProcessing || h.isUnderWay(r.Context(), c, a) {
		status = http.StatusAccepted
	}
	writeJSON(w, "application/json", status, h.outcome(a, c))
}

func (h *handler) outcome(a attempt, c core.Checkout) syncAnswer {
	answer := syncAnswer{Attempt: a.id, Payment: a.payment(), Status: a.status, Checkout: string(c.StatusAt(h.payments.Now()))}
	if a.object != "" {
		answer.Object = &a.object
	}
	if a.failure != nil {
		answer.Message = &a.failure.Message
	}
	if c.Status == core.CheckoutComplete {
		answer.ContinueURL = &c.SuccessURL
	}
	return answer
}

// read takes a body that is one JSON object with known fields, each named once.
func read(w http.ResponseWriter, r *http.Request, into any) *problem {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return tooLarge
	}
	if err != nil {
		return invalidJSON
	}
	if hasCardNumber(r, body) {
		return cardNumber
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return unsupported
	}
	if !isPlainObject(body) {
		return invalidJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return invalidJSON
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return invalidJSON
	}
	return nil
}

// isPlainObject reports whether the body is an object of plain values whose names are
// all different.
func isPlainObject(body []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return false
	}
	names := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, isText := token.(string)
		if err != nil || !isText || names[name] {
			return false
		}
		names[name] = true
		if value, err := decoder.Token(); err != nil {
			return false
		} else if _, nested := value.(json.Delim); nested {
			return false
		}
	}
	return true
}

// hasCardNumber looks through everything that the caller chose: the address and the body,
// as it was sent and with its escapes read, since a number may hide in either.
func hasCardNumber(r *http.Request, body []byte) bool {
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if err != nil {
		query = r.URL.RawQuery
	}
	if core.HasCardNumber(r.URL.Path) || core.HasCardNumber(query) || core.HasCardNumber(string(body)) {
		return true
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return false // the end, or no JSON, which is refused for that
		}
		if text, isText := token.(string); isText && core.HasCardNumber(text) {
			return true
		}
	}
}

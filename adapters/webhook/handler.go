// Package webhook takes providers' posts: it has the account's adapter verify the raw
// bytes, puts them into the journal and answers. It decides nothing about payments, and
// waits for no provider.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	// bodyBytesMax is the longest body that is taken.
	bodyBytesMax = 1 << 20
	// answerTimeMax is how long a post may take until it is durable; after that the
	// provider is asked to post again.
	answerTimeMax = 10 * time.Second
	// retryAfterSeconds is when the provider should post again.
	retryAfterSeconds = 5
	// keptBufferBytesMax is the longest buffer that is used again. A body that may be longer
	// is a large one.
	keptBufferBytesMax = 64 << 10
	// largeBodiesMax is how many large bodies are held at the same time, so that strangers
	// cannot have memory filled with what no signature vouches for yet.
	largeBodiesMax = 32
	// smallBodiesBytesMax is how much all other bodies together may be at the same time, each
	// counted as bodyBytesLeast at least. Beyond either limit the answer is 503 at once, before
	// anything is read: memory is bounded however many post, and large bodies take no room
	// from small ones, which nearly all real events are.
	smallBodiesBytesMax = 32 << 20
	bodyBytesLeast      = 2 << 10

	scope = "github.com/paydesk/paydesk/adapters/webhook"
	path  = "/webhooks/"
)

// Options are what the handler is made of. All but Logger are required.
type Options struct {
	Verifiers ports.WebhookVerifiers
	Journal   ports.Journal
	Tally     ports.DeliveryTally
	WallClock ports.Clock  // the time of the world, which signatures are made in
	Logger    *slog.Logger // nil for slog's default
}

type handler struct {
	verifiers ports.WebhookVerifiers
	journal   ports.Journal
	tally     ports.DeliveryTally
	clock     ports.Clock
	logger    *slog.Logger
	tracer    trace.Tracer
	duration  metric.Float64Histogram
	count     metric.Int64Counter
	labels    map[label]metric.MeasurementOption
	large     chan struct{} // holds one for each large body
	small     atomic.Int64  // bytes of the other bodies
	buffers   sync.Pool     // of *[]byte
}

// label is what the metrics tell apart.
type label struct {
	account core.AccountName // empty for one that is not known
	result  string
}

// NewHandler serves POST /webhooks/{account}.
func NewHandler(options Options) (http.Handler, error) {
	duration, err := otel.Meter(scope).Float64Histogram("paydesk.webhook.duration", metric.WithUnit("s"),
		metric.WithDescription("How long webhooks take from the post to the answer, by account and result."))
	if err != nil {
		return nil, fmt.Errorf("make the webhooks' metric: %w", err)
	}
	count, err := otel.Meter(scope).Int64Counter("paydesk.webhook.deliveries",
		metric.WithDescription("Posts to the webhooks' address, by account and result."))
	if err != nil {
		return nil, fmt.Errorf("make the webhooks' metric: %w", err)
	}
	h := &handler{
		verifiers: options.Verifiers, journal: options.Journal, tally: options.Tally, clock: options.WallClock, logger: options.Logger,
		tracer: otel.Tracer(scope), duration: duration, count: count, labels: labels(options.Verifiers),
		large: make(chan struct{}, largeBodiesMax),
	}
	if h.logger == nil {
		h.logger = slog.Default()
	}
	h.buffers.New = func() any { return new([]byte) }
	return h, nil
}

// labels are made once: there are few, and each post needs one.
func labels(verifiers ports.WebhookVerifiers) map[label]metric.MeasurementOption {
	made := make(map[label]metric.MeasurementOption)
	add := func(account core.AccountName) {
		for _, result := range results {
			made[label{account, result.name}] = metric.WithAttributeSet(attribute.NewSet(
				attribute.String("account", string(account)), attribute.String("result", result.name)))
		}
	}
	add("")
	for account := range verifiers {
		add(account)
	}
	return made
}

// ServeHTTP takes one post.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	account := core.AccountName(strings.TrimPrefix(r.URL.Path, path))
	verifier, known := h.verifiers[account]
	if !known {
		account = "" // a stranger's word does not become a label
	}
	// A provider's own trace is not ours to go on with.
	ctx, span := h.tracer.Start(r.Context(), "webhook", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("paydesk.account", string(account))))
	defer span.End()
	result := h.take(ctx, w, r, verifier)
	span.SetAttributes(attribute.String("paydesk.webhook.result", result.name))
	labels := h.labels[label{account, result.name}]
	h.duration.Record(ctx, time.Since(start).Seconds(), labels)
	h.count.Add(ctx, 1, labels)
	h.tally.Count(account, core.DeliveryResult(result.name))
	if result.status >= http.StatusInternalServerError {
		h.logger.WarnContext(ctx, "webhook was not taken", slog.String("account", string(account)), slog.String("result", result.name))
	}
	result.write(w)
}

// take does the work and gives the answer.
func (h *handler) take(ctx context.Context, w http.ResponseWriter, r *http.Request, verifier ports.WebhookVerifier) result {
	if verifier == nil {
		return resultNoAccount
	}
	if r.Method != http.MethodPost {
		return resultNotAPost
	}
	if r.ContentLength > bodyBytesMax {
		return resultTooLarge
	}
	leave, ok := h.enter(r.ContentLength)
	if !ok {
		return resultBusy
	}
	defer leave()
	buffer, pooled := h.buffers.Get().(*[]byte)
	if !pooled {
		buffer = new([]byte)
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, bodyBytesMax), (*buffer)[:0], r.ContentLength)
	if err != nil {
		h.release(buffer, body)
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return resultTooLarge
		}
		return resultBroken
	}
	now := h.clock.Now()
	delivery, err := verifier.VerifyWebhook(ctx, r.Header, body, now)
	if err != nil {
		h.release(buffer, body)
		return refusal(err)
	}
	delivery.ReceivedAt, delivery.Trace = now, traceparent(ctx)
	ctx, cancel := context.WithTimeout(ctx, answerTimeMax)
	defer cancel()
	err = h.journal.Append(ctx, delivery)
	h.release(buffer, body)
	if err != nil {
		return resultNotDurable
	}
	return resultReceived
}

// enter counts a body of a length, -1 for one that is not told, until leave is called; false where
// there is no room for it.
func (h *handler) enter(length int64) (leave func(), ok bool) {
	if length < 0 || length >= keptBufferBytesMax {
		select {
		case h.large <- struct{}{}:
			return func() { <-h.large }, true
		default:
			return nil, false
		}
	}
	length = max(length, bodyBytesLeast)
	if h.small.Add(length) > smallBodiesBytesMax {
		h.small.Add(-length)
		return nil, false
	}
	return func() { h.small.Add(-length) }, true
}

// release lets a buffer be used again.
func (h *handler) release(buffer *[]byte, body []byte) {
	if cap(body) <= keptBufferBytesMax {
		*buffer = body
		h.buffers.Put(buffer)
	}
}

// readAll reads into a buffer that it makes as long as the body is said to be.
func readAll(from io.Reader, into []byte, length int64) ([]byte, error) {
	if need := int(length) + 1; length > 0 && cap(into) < need { // one more shows the end without growing
		into = make([]byte, 0, need)
	}
	for {
		if len(into) == cap(into) {
			into = append(into, 0)[:len(into)]
		}
		n, err := from.Read(into[len(into):cap(into)])
		into = into[:len(into)+n]
		if errors.Is(err, io.EOF) {
			return into, nil
		}
		if err != nil {
			return into, err
		}
	}
}

// traceparent is the present trace in W3C form; empty where there is none.
func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// refusal is the answer to what the verifier refused.
func refusal(err error) result {
	switch {
	case errors.Is(err, ports.ErrWrongEnvironment):
		return resultWrongEnvironment
	case errors.Is(err, ports.ErrPayload):
		return resultInvalidPayload
	case errors.Is(err, ports.ErrNotVerifiable):
		return resultNotVerifiable
	default:
		return resultInvalidSignature
	}
}

// result is one of the possible answers.
type result struct {
	name   string // for metrics; the code of a problem; some are a [core.DeliveryResult]
	status int
	title  string
	detail string
}

// The answers of contract 4.3.
var (
	resultReceived         = result{name: "received", status: http.StatusOK}
	resultInvalidSignature = result{
		"invalid_signature", http.StatusBadRequest, "Invalid signature",
		"The signature is missing, wrong, or outside the tolerance of time.",
	}
	resultWrongEnvironment = result{
		"wrong_environment", http.StatusBadRequest, "Wrong environment",
		"The event is of another environment than this service.",
	}
	resultInvalidPayload = result{
		"invalid_payload", http.StatusBadRequest, "Invalid payload",
		"The body is not JSON or holds no event id.",
	}
	resultBroken    = result{"unreadable_body", http.StatusBadRequest, "Unreadable body", "The body ended early."}
	resultTooLarge  = result{"body_too_large", http.StatusRequestEntityTooLarge, "Body too large", "The body must not be longer than 1 MiB."}
	resultNoAccount = result{"not_found", http.StatusNotFound, "Not found", "No account of this name receives webhooks."}
	resultNotAPost  = result{"method_not_allowed", http.StatusMethodNotAllowed, "Method not allowed", "Webhooks are posted."}
	resultBusy      = result{
		"busy", http.StatusServiceUnavailable, "Busy",
		"Too many events arrive at the same time. Post it again.",
	}
	resultNotVerifiable = result{
		"not_verifiable", http.StatusServiceUnavailable, "Not verifiable",
		"What the signature is checked with cannot be had right now. Post it again.",
	}
	resultNotDurable = result{
		"unavailable", http.StatusServiceUnavailable, "Unavailable",
		"The event cannot be stored right now. Post it again.",
	}
)

var results = []result{
	resultReceived, resultInvalidSignature, resultWrongEnvironment, resultInvalidPayload, resultBroken, resultTooLarge,
	resultNoAccount, resultNotAPost, resultBusy, resultNotVerifiable, resultNotDurable,
}

const received = `{"received":true}`

// write sends the answer.
func (a result) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	text := received
	if a.status == http.StatusOK {
		header.Set("Content-Type", "application/json")
	} else {
		header.Set("Content-Type", "application/problem+json")
		text = fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"code":%q,"detail":%q}`, a.title, a.status, a.name, a.detail)
	}
	switch a.status {
	case http.StatusMethodNotAllowed:
		header.Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", strconv.Itoa(retryAfterSeconds))
	}
	header.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, text) // a provider that hung up posts again
}

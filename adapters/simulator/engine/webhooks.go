package engine

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	// deliveriesMax bounds how many deliveries wait; more are dropped, as a provider would
	// after its last try.
	deliveriesMax = 100_000
	// deliveryTimeMax is how long one post may take.
	deliveryTimeMax = 15 * time.Second
	// deliveryTriesMax and the growing pause between tries end after about an hour.
	deliveryTriesMax   = 40
	deliveryPauseLeast = 200 * time.Millisecond
	deliveryPauseMost  = 2 * time.Minute
	// deliverersMax is how many posts run at the same time.
	deliverersMax = 8
)

// Delivery is one webhook to post.
type Delivery struct {
	Account string
	Kind    string // the event's type, for faults
	URL     string
	Body    []byte
	// Sign makes the headers for a body; it is called for each try.
	Sign func(body []byte) http.Header
}

// Webhooks posts deliveries in the order in which they were queued, several at the same
// time, and again where they are not taken.
type Webhooks struct {
	client *http.Client
	faults *Faults
	logger *slog.Logger
	stop   context.CancelFunc
	ctx    context.Context //nolint:containedctx // the life of the posts, which no caller waits for
	queue  chan Delivery
	group  sync.WaitGroup

	mu      sync.Mutex
	pending int
	idle    chan struct{} // closed while nothing is pending
	held    *Delivery     // waits to be overtaken by the next one
}

// NewWebhooks starts posting. Close ends it.
func NewWebhooks(client *http.Client, faults *Faults, logger *slog.Logger) *Webhooks {
	ctx, stop := context.WithCancel(context.Background())
	w := &Webhooks{client: client, faults: faults, logger: logger, ctx: ctx, stop: stop, queue: make(chan Delivery, deliveriesMax), idle: make(chan struct{})}
	close(w.idle)
	for range deliverersMax {
		w.group.Go(w.work)
	}
	return w
}

// Close stops posting; what waits is dropped.
func (w *Webhooks) Close() {
	w.stop()
	w.group.Wait()
}

// Settle waits until nothing is left to post.
func (w *Webhooks) Settle(ctx context.Context) error {
	w.mu.Lock()
	idle := w.idle
	w.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Post queues a delivery, or does to it what a fault says.
func (w *Webhooks) Post(d Delivery) {
	fault, faulty := w.faults.TakeWebhook(d.Account, d.Kind)
	if !faulty {
		fault = Fault{}
	}
	switch fault.Fault {
	case FaultWebhookDrop:
		return
	case FaultWebhookDuplicate:
		w.enqueue(d, 0)
	case FaultWebhookDelay, FaultLatency:
		w.enqueue(d, fault.Latency())
		return
	case FaultWebhookReorder:
		w.mu.Lock()
		held := w.held
		w.held = &d
		w.mu.Unlock()
		if held != nil {
			w.enqueue(*held, 0)
		}
		// Should no other come, it goes on its own.
		w.later(fault.Latency(), w.releaseHeld)
		return
	case FaultWebhookCorrupt:
		sign := d.Sign
		body := d.Body
		d.Sign = func([]byte) http.Header { return sign(body) } // the signature of what it should have been
		d.Body = bytes.Replace(body, []byte(`"`), []byte(`'`), 1)
	}
	w.enqueue(d, 0)
	w.releaseHeld()
}

func (w *Webhooks) releaseHeld() {
	w.mu.Lock()
	held := w.held
	w.held = nil
	w.mu.Unlock()
	if held != nil {
		w.enqueue(*held, 0)
	}
}

// later does something after a while, unless posting has ended.
func (w *Webhooks) later(after time.Duration, do func()) {
	w.begin()
	w.group.Go(func() {
		defer w.end()
		timer := time.NewTimer(after)
		defer timer.Stop()
		select {
		case <-timer.C:
			do()
		case <-w.ctx.Done():
		}
	})
}

func (w *Webhooks) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending == 0 {
		w.idle = make(chan struct{})
	}
	w.pending++
}

func (w *Webhooks) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending--; w.pending == 0 {
		close(w.idle)
	}
}

func (w *Webhooks) enqueue(d Delivery, after time.Duration) {
	if after > 0 {
		w.later(after, func() { w.enqueue(d, 0) })
		return
	}
	w.begin()
	select {
	case w.queue <- d:
	default:
		w.logger.Warn("webhook dropped: too many wait")
		w.end()
	}
}

func (w *Webhooks) work() {
	for {
		select {
		case d := <-w.queue:
			w.deliver(d, 1, deliveryPauseLeast)
			w.end()
		case <-w.ctx.Done():
			return
		}
	}
}

// deliver posts once, and sees to the next try without holding others up.
func (w *Webhooks) deliver(d Delivery, try int, pause time.Duration) {
	if w.post(d) || try >= deliveryTriesMax {
		return
	}
	w.later(pause, func() { w.deliver(d, try+1, min(2*pause, deliveryPauseMost)) })
}

// post reports whether the receiver took the delivery, or refused it for good.
func (w *Webhooks) post(d Delivery) bool {
	ctx, cancel := context.WithTimeout(w.ctx, deliveryTimeMax)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return true
	}
	request.Header = d.Sign(d.Body)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := w.client.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16)) // so that the connection is used again
	return response.StatusCode < 300
}

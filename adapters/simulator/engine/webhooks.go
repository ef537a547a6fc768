package engine

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	// deliveriesMax bounds how many deliveries are under way, those that wait for their
	// next try included; more are dropped, as a provider would after its last try.
	deliveriesMax = 100_000
	// deliveryTimeMax is how long one post may take.
	deliveryTimeMax = 15 * time.Second
	// deliveryTriesMax tries, at growing pauses, end after about an hour.
	deliveryTriesMax   = 720
	deliveryPauseLeast = 200 * time.Millisecond
	deliveryPauseMost  = 5 * time.Second
	// deliveryAnswerBytesMax is how much of an answer is read, so that its connection can
	// be used again.
	deliveryAnswerBytesMax = 64 << 10
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

// Webhooks posts deliveries, several at the same time and so in no order that could be
// relied on, and again where they are not taken.
type Webhooks struct {
	client *http.Client
	faults *Faults
	logger *slog.Logger
	stop   context.CancelFunc
	ctx    context.Context //nolint:containedctx // the life of the posts, which no caller waits for
	group  sync.WaitGroup

	mu      sync.Mutex
	wake    *sync.Cond // something was queued, or Close was called
	closed  bool
	epoch   int // counts resets; what was queued before the last one is dropped
	queue   []*posting
	pending int
	idle    chan struct{} // closed while nothing is pending
	held    *posting      // waits to be overtaken by the next one
}

// posting is a delivery on its way.
type posting struct {
	Delivery

	epoch   int
	try     int
	corrupt bool     // the first try is changed on its way
	next    *posting // goes out once this one was tried
}

// NewWebhooks starts posting. Close ends it.
func NewWebhooks(client *http.Client, faults *Faults, logger *slog.Logger) *Webhooks {
	ctx, stop := context.WithCancel(context.Background())
	w := &Webhooks{client: client, faults: faults, logger: logger, ctx: ctx, stop: stop, idle: make(chan struct{})}
	w.wake = sync.NewCond(&w.mu)
	close(w.idle)
	for range deliverersMax {
		w.group.Go(w.work)
	}
	return w
}

// Close stops posting and waits for what runs; what waits is dropped. It can be called
// again.
func (w *Webhooks) Close() {
	w.mu.Lock()
	w.closed = true
	w.drop()
	w.wake.Broadcast()
	w.mu.Unlock()
	w.stop()
	w.group.Wait()
}

// Reset drops what waits to be posted, or to be posted again.
func (w *Webhooks) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epoch++
	w.drop()
}

// drop empties the queue. The caller holds mu.
func (w *Webhooks) drop() {
	dropped := slices.Concat(w.queue, []*posting{w.held})
	w.queue, w.held = nil, nil
	for _, p := range dropped {
		for ; p != nil; p = p.next {
			w.end()
		}
	}
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

// Post queues a delivery, or does to it what a fault says. It waits for nobody.
func (w *Webhooks) Post(d Delivery) {
	call := d.Kind
	if to, err := url.Parse(d.URL); err == nil {
		call = http.MethodPost + " " + to.Path + " " + d.Kind
	}
	fault, _ := w.faults.TakeWebhook(d.Account, call)
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.admit(d)
	if p == nil {
		return
	}
	switch fault.Fault {
	case FaultWebhookDrop:
		w.end()
	case FaultWebhookDelay, FaultLatency:
		w.later(fault.Latency(), p)
	case FaultWebhookReorder:
		w.hold(p, fault.Latency())
	case FaultWebhookDuplicate:
		w.enqueue(p)
		if again := w.admit(d); again != nil {
			w.enqueue(again)
		}
	case FaultWebhookCorrupt:
		p.corrupt = true
		w.enqueue(p)
	default:
		p.next, w.held = w.held, nil
		w.enqueue(p)
	}
}

// admit counts a delivery in; nil where there are too many already. The caller holds mu.
func (w *Webhooks) admit(d Delivery) *posting {
	if w.closed {
		return nil
	}
	if w.pending >= deliveriesMax {
		w.logger.Warn("webhook dropped: too many wait", "type", d.Kind)
		return nil
	}
	if w.pending == 0 {
		w.idle = make(chan struct{})
	}
	w.pending++
	return &posting{Delivery: d, epoch: w.epoch, try: 1}
}

// end counts a delivery out. The caller holds mu.
func (w *Webhooks) end() {
	if w.pending--; w.pending == 0 {
		close(w.idle)
	}
}

// enqueue has a delivery posted now. The caller holds mu.
func (w *Webhooks) enqueue(p *posting) {
	if w.closed || p.epoch != w.epoch {
		w.end()
		return
	}
	w.queue = append(w.queue, p)
	w.wake.Signal()
}

// later has a delivery posted after a while. The caller holds mu.
func (w *Webhooks) later(after time.Duration, p *posting) {
	if w.closed {
		w.end()
		return
	}
	w.group.Go(func() {
		w.pause(after)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.enqueue(p)
	})
}

// hold keeps a delivery until the next one was posted, or for as long as most says
// should none come. The caller holds mu.
func (w *Webhooks) hold(p *posting, most time.Duration) {
	if before := w.held; before != nil {
		w.enqueue(before)
	}
	w.held = p
	w.group.Go(func() {
		w.pause(most)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.held == p {
			w.held = nil
			w.enqueue(p)
		}
	})
}

// pause waits, no longer than until Close.
func (w *Webhooks) pause(length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.ctx.Done():
	}
}

func (w *Webhooks) work() {
	for {
		p := w.take()
		if p == nil {
			return
		}
		taken := w.post(p)
		w.mu.Lock()
		if next := p.next; next != nil {
			p.next = nil
			w.enqueue(next)
		}
		if taken || p.try >= deliveryTriesMax || w.closed || p.epoch != w.epoch {
			w.end()
		} else {
			pause := deliveryPauseMost
			if doubled := deliveryPauseLeast << min(p.try-1, 20); doubled < pause {
				pause = doubled
			}
			p.try++
			w.later(pause, p)
		}
		w.mu.Unlock()
	}
}

// take waits for the next delivery; nil after Close.
func (w *Webhooks) take() *posting {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.closed {
		w.wake.Wait()
	}
	if w.closed {
		return nil
	}
	p := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	return p
}

// post reports whether the receiver took the delivery, or nobody ever can.
func (w *Webhooks) post(p *posting) bool {
	ctx, cancel := context.WithTimeout(w.ctx, deliveryTimeMax)
	defer cancel()
	body := p.Body
	if p.corrupt && p.try == 1 {
		body = corrupted(body)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		w.logger.Error("webhook cannot be posted: its address is none")
		return true
	}
	request.Header = p.Sign(p.Body)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := w.client.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, deliveryAnswerBytesMax))
	return response.StatusCode >= 200 && response.StatusCode < 300
}

// corrupted is a body with one digit changed: good JSON still, which the signature alone
// tells from the genuine one.
func corrupted(body []byte) []byte {
	changed := bytes.Clone(body)
	for i, b := range changed {
		if b >= '1' && b <= '8' {
			changed[i]++
			return changed
		}
	}
	return append(changed, ' ')
}

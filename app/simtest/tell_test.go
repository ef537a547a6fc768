package simtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/ports"
)

const (
	// endpointsMost is how many endpoints a world has at most, outageMax how many tries an outage of one
	// lets fail.
	endpointsMost, outageMax = 2, 40
	// answerTime is how long before the end of its lease a try is given up, as in core/notify.
	answerTime = time.Second
	// goneOf is how many failed tries there are to one that is answered with 410 Gone.
	goneOf = 40
)

// endpoint is where a storefront is told of things. It implements [ports.Notifier] for itself.
type endpoint struct {
	id       core.EndpointID
	types    []core.EventType // empty for all
	outage   int              // tries that still fail in a row
	receipts []core.Event     // in the order in which they came
	asked    map[core.EventID]bool
}

// drawEndpoints adds those of the world.
func (w *world) drawEndpoints() {
	for n := range w.rng.IntN(endpointsMost + 1) {
		e := &endpoint{asked: map[core.EventID]bool{}}
		if w.chance(3) {
			e.types = []core.EventType{core.EventPaymentSucceeded, core.EventRefundSucceeded, core.EventCheckoutCompleted}
		}
		address := fmt.Sprintf("https://shop.example/hooks/%d", n)
		added, err := w.notify.Add(w.t.Context(), address, e.types)
		w.must(err)
		e.id, w.endpoints[address] = added.ID, e
		w.hooks = append(w.hooks, e)
	}
}

// restartNotify makes the service anew.
func (w *world) restartNotify() {
	w.notify = notify.New(w.store, way{w}, w.house.Clock, w.house.Clock, w.house.IDs, coretest.NoTraces{}, core.EnvTest)
}

// way is the way to all endpoints. It implements [ports.Notifier].
type way struct{ w *world }

var errNoAnswer = errors.New("no answer from the endpoint")

// Check lets every address be registered.
func (way) Check(context.Context, string) error { return nil }

// Notify is two effects: what the endpoint does and its answer's arrival. A try whose lease is nearly
// over was given up by then.
func (v way) Notify(ctx context.Context, n ports.Notification) (ports.NotificationOutcome, error) {
	w := v.w
	w.pause("tell " + n.ID)
	e, outcome := w.endpoints[n.URL], ports.NotificationOutcome{Status: 200}
	if !w.house.Clock.Now().Before(w.current.lease.Add(-answerTime)) {
		return ports.NotificationOutcome{}, context.DeadlineExceeded
	}
	fails := e.outage > 0 || w.mood.faulty && w.rng.Float64() < w.mood.tells
	e.outage = max(e.outage-1, 0)
	if fails {
		w.tally["notifications refused"]++
	}
	var err error
	switch kind := w.rng.IntN(3); {
	case !fails:
		w.received(ctx, e, n)
	case w.mood.faulty && w.chance(goneOf):
		outcome.Status, err = 410, errNoAnswer
	case kind == 0:
		outcome.Status, err = 503, errNoAnswer
	case kind == 1:
		w.received(ctx, e, n)
		outcome.Status, err = 0, errNoAnswer
	default:
		outcome.Status, err = 0, errNoAnswer
	}
	w.trace.add("      endpoint %s: %s %d %v", e.id, n.ID, outcome.Status, err)
	w.pause("answer to " + n.ID)
	return outcome, err
}

// received notes that an endpoint has a notification.
func (w *world) received(ctx context.Context, e *endpoint, n ports.Notification) {
	event, err := w.base.Event(ctx, core.EventID(n.ID))
	w.must(err)
	if !strings.Contains(string(n.Body), string(event.Data)) {
		w.wrong("%s tells %s, and the event is %s", n.ID, n.Body, event.Data)
	}
	e.receipts = append(e.receipts, event)
}

// tell has the process tell endpoints what is due; false where nothing is.
func (w *world) tell() bool {
	at, waits, err := w.notify.NextDue(w.t.Context())
	w.must(err)
	if !waits || at.After(w.house.Clock.Now()) {
		return false
	}
	service := w.notify
	w.run("tell endpoints", func(ctx context.Context) string {
		if err := service.DeliverDue(ctx); err != nil {
			return err.Error()
		}
		return "done"
	}, nil)
	return true
}

// outage has an endpoint fail for a while.
func (w *world) outage() {
	if len(w.hooks) > 0 && w.mood.tells > 0 {
		e := w.hooks[w.rng.IntN(len(w.hooks))]
		e.outage = 1 + w.rng.IntN(outageMax)
		w.trace.add("outage of %s: %d", e.id, e.outage)
	}
}

// tellAgain is staff, who enable an endpoint or have something delivered once more.
func (w *world) tellAgain() {
	if len(w.hooks) == 0 {
		return
	}
	e, service := w.hooks[w.rng.IntN(len(w.hooks))], w.notify
	if w.chance(2) {
		w.run("staff enable "+string(e.id), func(ctx context.Context) string {
			_, err := service.Enable(ctx, e.id, "staff")
			return fmt.Sprint(err)
		}, nil)
		return
	}
	if all := w.notifications(e); len(all) > 0 {
		w.redeliver(e, all[w.rng.IntN(len(all))])
	}
}

func (w *world) redeliver(e *endpoint, n core.Notification) {
	service := w.notify
	e.asked[n.Event] = true
	w.run("staff redeliver "+string(n.Event), func(ctx context.Context) string {
		_, err := service.Redeliver(ctx, n.ID, "staff")
		return fmt.Sprint(err)
	}, nil)
}

// notifications gives all for an endpoint, newest first.
func (w *world) notifications(e *endpoint) []core.Notification {
	var all []core.Notification
	page := core.PageRequest{Limit: core.PageItemsMax}
	for range pagesMax {
		got, err := w.base.Notifications(w.t.Context(), ports.NotificationFilter{Endpoint: e.id}, page)
		w.must(err)
		all = append(all, got.Items...)
		if !got.HasNext || err != nil {
			break
		}
		last := got.Items[len(got.Items)-1]
		page.After = &core.Cursor{At: last.CreatedAt, ID: string(last.ID)}
	}
	return all
}

// mendEndpoints has all endpoints answer again, and staff look after them.
func (w *world) mendEndpoints() {
	for _, e := range w.hooks {
		e.outage = 0
		_, err := w.notify.Enable(w.t.Context(), e.id, "staff")
		w.must(err)
		for _, n := range w.notifications(e) {
			if n.Status == core.NotificationFailed {
				w.redeliver(e, n)
				w.finish()
			}
		}
	}
}

// agreeOnNotifications makes sure that each endpoint got everything that it wants, and what is told of
// one object in the order in which it happened. What staff had sent again may come late.
func (w *world) agreeOnNotifications(r rows) {
	for _, e := range w.hooks {
		for _, n := range w.notifications(e) {
			if n.Status != core.NotificationDelivered {
				w.wrong("%s is %s at %s: %s", n.Event, n.Status, e.id, n.Error)
			}
		}
		got, last := map[core.EventID]bool{}, map[string]int64{}
		for _, event := range e.receipts {
			got[event.ID] = true
			if event.Sequence < last[event.Subject] && !e.asked[event.ID] {
				w.wrong("%s got %s of %s, %d, after %d", e.id, event.Type, event.Subject, event.Sequence, last[event.Subject])
			}
			last[event.Subject] = max(last[event.Subject], event.Sequence)
		}
		for _, event := range r.told {
			if wanted := len(e.types) == 0 || slices.Contains(e.types, event.Type); wanted != got[event.ID] {
				w.wrong("%s wants %s of %s: %t, and got it: %t", e.id, event.Type, event.Subject, wanted, got[event.ID])
			}
		}
	}
}

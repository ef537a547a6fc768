package chaos_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"
)

// downCalls is more calls than an account takes while it is down.
const downCalls = 1_000_000

// trouble makes the incidents of a run happen.
type trouble struct {
	w     *world
	jumps time.Duration // by how much the clock was moved in all

	mu     sync.Mutex
	counts map[string]int // by kind
	failed []string       // what could not be made to happen
	group  sync.WaitGroup // of what lasts
}

func newTrouble(w *world) *trouble { return &trouble{w: w, counts: make(map[string]int)} }

// run makes incidents until ctx is done, and waits until all that last are over.
func (x *trouble) run(ctx context.Context, next func() incident) {
	defer x.group.Wait()
	for {
		i := next()
		if !pause(ctx, i.after) {
			return
		}
		x.begin(ctx, i)
	}
}

func (x *trouble) note(what string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		x.failed = append(x.failed, what+": "+err.Error())
		return
	}
	x.counts[what]++
}

// happened gives a copy of the counts.
func (x *trouble) happened() map[string]int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.counts)
}

// begin makes one incident begin. What it takes away comes back by itself.
func (x *trouble) begin(ctx context.Context, i incident) {
	switch i.kind {
	case "kill":
		x.w.kill()
		x.note(i.kind, nil)
	case "clock jump":
		err := x.w.jump(ctx, i.lasts)
		if err == nil {
			x.jumps += i.lasts
		}
		x.note(i.kind, err)
	case "database":
		back, err := x.w.database.away()
		x.note(i.kind, err)
		if err == nil {
			x.later(ctx, i.lasts, back)
		}
	case "disk full":
		pid := x.w.pid()
		if pid == 0 {
			return
		}
		x.note(i.kind, fillDisk(pid, true))
		x.later(ctx, i.lasts, func() { _ = fillDisk(pid, false) }) // it may have died
	case "provider down":
		x.note(i.kind, x.fault(ctx, i, downCalls))
		x.later(ctx, i.lasts, func() {
			_ = x.w.client.Control(context.WithoutCancel(ctx), http.MethodDelete, "faults?account="+i.account, nil) // all are lifted at the end
		})
	default:
		x.note(i.kind, x.fault(ctx, i, i.count))
	}
}

func (x *trouble) fault(ctx context.Context, i incident, count int) error {
	body := map[string]any{"account": i.account, "match": i.match, "fault": i.fault, "count": count}
	if i.fault == "latency" || i.kind == "webhook_delay" || i.kind == "webhook_reorder" {
		body["latency_ms"] = max(i.lasts.Milliseconds(), 1)
	}
	a := x.w.client.Control(ctx, http.MethodPost, "faults", body)
	if !a.OK() {
		return fmt.Errorf("ask for %s: %w", i, a.Problem())
	}
	return nil
}

// later does something after a while, or as soon as the run ends.
func (x *trouble) later(ctx context.Context, after time.Duration, do func()) {
	x.group.Go(func() {
		pause(ctx, after)
		do()
	})
}

// missed gives the crash points and faults that never came about.
func (w *world) missed(x *trouble, asked *effects) (never []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, point := range crashPoints {
		if w.kills[point] == 0 {
			never = append(never, point)
		}
	}
	happened := x.happened()
	for _, kind := range incidentKinds {
		if happened[kind] == 0 {
			never = append(never, kind)
		}
	}
	for _, fault := range []string{"error_500", "error_429", "timeout_before", "timeout_after_commit", "latency", "reset", "garbage"} {
		if asked.faults[fault] == 0 {
			never = append(never, fault)
		}
	}
	return never
}

package graph

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// together lets those who ask the same at the same time have one answer, so that what is dear is worked out
// once for all of them. Nobody gets what was read before they asked: who comes while a turn runs has the
// next, with all others who come meanwhile.
type together[K comparable, V any] struct {
	timeMax time.Duration // of one turn

	mu      sync.Mutex
	running map[K]*turn[V]
	waiting map[K]*turn[V] // those that begin when the running one ends
}

// turn is one working out, which goes on for as long as it takes, whoever of those who wait for it has gone.
type turn[V any] struct {
	work  func() (V, error)
	done  chan struct{}
	value V
	err   error
}

func newTogether[K comparable, V any](timeMax time.Duration) *together[K, V] {
	return &together[K, V]{timeMax: timeMax, running: make(map[K]*turn[V]), waiting: make(map[K]*turn[V])}
}

// do gives what work gives, or what the same work of another gives that began after this call.
func (t *together[K, V]) do(ctx context.Context, key K, work func(context.Context) (V, error)) (V, error) {
	mine := t.join(key, func() (value V, err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic in shared work: %v", r)
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.timeMax)
		defer cancel()
		return work(ctx)
	})
	select {
	case <-mine.done:
		return mine.value, mine.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (t *together[K, V]) join(key K, work func() (V, error)) *turn[V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if next, ok := t.waiting[key]; ok {
		return next
	}
	mine := &turn[V]{work: work, done: make(chan struct{})}
	if _, ok := t.running[key]; ok {
		t.waiting[key] = mine
		return mine
	}
	t.running[key] = mine
	go t.run(key, mine)
	return mine
}

// run works turns off until nobody waits for another.
func (t *together[K, V]) run(key K, now *turn[V]) {
	for now != nil {
		now.value, now.err = now.work()
		close(now.done)
		now = t.next(key)
	}
}

func (t *together[K, V]) next(key K) *turn[V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	next, ok := t.waiting[key]
	if !ok {
		delete(t.running, key)
		return nil
	}
	delete(t.waiting, key)
	t.running[key] = next
	return next
}

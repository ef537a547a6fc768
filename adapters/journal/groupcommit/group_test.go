package groupcommit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/paydesk/paydesk/adapters/journal/groupcommit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a flush that can be held, and remembers what it was given.
type desk struct {
	held    chan struct{} // a flush that began
	release chan error    // how it ends
	mu      sync.Mutex
	batches [][]int
}

func newDesk() *desk {
	return &desk{held: make(chan struct{}), release: make(chan error)}
}

func (d *desk) flush(items []int) error {
	d.mu.Lock()
	d.batches = append(d.batches, slices.Clone(items))
	d.mu.Unlock()
	d.held <- struct{}{}
	return <-d.release
}

func one(int) int { return 1 }

func self(n int) int { return n }

func TestThoseWhoWaitShareOneFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		g := groupcommit.New(groupcommit.Options{}, one, d.flush)
		defer g.Close()
		var answered atomic.Int64
		submit := func(n int) {
			go func() {
				if g.Submit(t.Context(), n) == nil {
					answered.Add(1)
				}
			}()
			synctest.Wait()
		}
		submit(0)
		<-d.held
		for n := 1; n <= 100; n++ {
			submit(n)
		}
		require.Zero(t, answered.Load(), "nobody is answered before the flush has ended")
		d.release <- nil
		<-d.held
		synctest.Wait()
		require.EqualValues(t, 1, answered.Load())
		d.release <- nil
		synctest.Wait()
		require.EqualValues(t, 101, answered.Load())
		require.Len(t, d.batches, 2, "a hundred who waited shared one flush")
		require.True(t, slices.IsSorted(d.batches[1]), "in the order they came")
	})
}

func TestAFlushIsBounded(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		options groupcommit.Options
		items   []int // the size of each is its value
		want    [][]int
	}{
		{"by items", groupcommit.Options{ItemsMax: 2}, []int{1, 2, 3, 4, 5}, [][]int{{1, 2}, {3, 4}, {5}}},
		{"by bytes", groupcommit.Options{BytesMax: 10}, []int{4, 6, 5, 6, 1}, [][]int{{4, 6}, {5}, {6, 1}}},
		{"one large item goes alone", groupcommit.Options{BytesMax: 10}, []int{1, 50, 1}, [][]int{{1}, {50}, {1}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				g := groupcommit.New(c.options, self, d.flush)
				defer g.Close()
				for _, item := range append([]int{0}, c.items...) {
					go func() { _ = g.Submit(t.Context(), item) }()
					synctest.Wait()
				}
				for range len(c.want) + 1 {
					<-d.held
					d.release <- nil
				}
				synctest.Wait()
				require.Equal(t, c.want, d.batches[1:])
			})
		})
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]groupcommit.Options{
		"by items": {QueueItemsMax: 3},
		"by bytes": {QueueBytesMax: 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk()
				g := groupcommit.New(options, func(int) int { return 10 }, d.flush)
				defer g.Close()
				for n := range 4 { // one in the flush, three in the queue
					go func() { _ = g.Submit(t.Context(), n) }()
					synctest.Wait()
				}
				<-d.held
				require.ErrorIs(t, g.Submit(t.Context(), 4), groupcommit.ErrFull)
				d.release <- nil
				<-d.held
				d.release <- nil
			})
		})
	}
}

func TestAFailedFlushFailsItsOwnItemsOnly(t *testing.T) {
	t.Parallel()
	failed := errors.New("disk on fire")
	g := groupcommit.New(groupcommit.Options{ItemsMax: 1}, one, func(items []int) error {
		if items[0] == 1 {
			return failed
		}
		return nil
	})
	defer g.Close()
	require.NoError(t, g.Submit(t.Context(), 0))
	require.ErrorIs(t, g.Submit(t.Context(), 1), failed)
	require.NoError(t, g.Submit(t.Context(), 2))
}

func TestAFlushThatWentWellForSome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("not this one")
		d := newDesk()
		g := groupcommit.New(groupcommit.Options{}, one, d.flush)
		defer g.Close()
		ended := make([]chan error, 4)
		for n := range ended {
			ended[n] = make(chan error, 1)
			go func() { ended[n] <- g.Submit(t.Context(), n) }()
			synctest.Wait()
		}
		<-d.held
		d.release <- nil
		<-d.held
		d.release <- groupcommit.ItemErrors{nil, failed, nil}
		for n, want := range []error{nil, nil, failed, nil} {
			require.Equal(t, want, <-ended[n], n)
		}
	})
}

func TestAnItemWithdrawnInTimeIsNeverFlushed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		g := groupcommit.New(groupcommit.Options{}, one, d.flush)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- g.Submit(ctx, 1) }()
		<-d.held
		go func() { ended <- g.Submit(ctx, 2) }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled, "the one in the flush does not wait for its end")
		require.ErrorIs(t, <-ended, context.Canceled)
		require.ErrorIs(t, g.Submit(ctx, 3), context.Canceled)
		d.release <- nil
		g.Close()
		require.Equal(t, [][]int{{1}}, d.batches)
	})
}

func TestCloseFlushesWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		g := groupcommit.New(groupcommit.Options{}, one, d.flush)
		ended := make(chan error, 3)
		for n := range 3 {
			go func() { ended <- g.Submit(t.Context(), n) }()
			synctest.Wait()
		}
		<-d.held
		closed := make(chan struct{})
		go func() { g.Close(); close(closed) }()
		synctest.Wait()
		require.ErrorIs(t, g.Submit(t.Context(), 9), groupcommit.ErrClosed)
		d.release <- nil
		<-d.held
		d.release <- nil
		<-closed
		for range 3 {
			require.NoError(t, <-ended)
		}
		g.Close()
	})
}

func TestFlushesRunConcurrentlyWhereAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		g := groupcommit.New(groupcommit.Options{Concurrency: 2}, one, d.flush)
		defer g.Close()
		for n := range 2 {
			go func() { _ = g.Submit(t.Context(), n) }()
			<-d.held // the second begins while the first is held
		}
		d.release <- nil
		d.release <- nil
	})
}

func TestEveryItemIsFlushedOnceUnderLoad(t *testing.T) {
	t.Parallel()
	const callers, each = 32, 500
	var mu sync.Mutex
	seen := map[int]int{}
	flushes := 0
	g := groupcommit.New(groupcommit.Options{Concurrency: 3}, one, func(items []int) error {
		mu.Lock()
		defer mu.Unlock()
		flushes++
		for _, n := range items {
			seen[n]++
		}
		return nil
	})
	var group sync.WaitGroup
	var withdrawn sync.Map
	for caller := range callers {
		group.Go(func() {
			for i := range each {
				n := caller*each + i
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if i%7 == 0 {
					go cancel() // races with the flush on purpose
				}
				if err := g.Submit(ctx, n); err != nil {
					withdrawn.Store(n, true)
				}
				cancel()
			}
		})
	}
	group.Wait()
	g.Close()
	for n := range callers * each {
		if _, ok := withdrawn.Load(n); ok {
			require.LessOrEqual(t, seen[n], 1)
			continue
		}
		require.Equal(t, 1, seen[n], "item %d", n)
	}
	require.LessOrEqual(t, flushes, callers*each)
}

func BenchmarkSubmit64Callers(b *testing.B) {
	for name, pause := range map[string]time.Duration{"instant": 0, "100us": 100 * time.Microsecond} {
		b.Run(name, func(b *testing.B) {
			var flushes atomic.Int64
			g := groupcommit.New(groupcommit.Options{}, one, func([]int) error {
				flushes.Add(1)
				if pause > 0 {
					time.Sleep(pause)
				}
				return nil
			})
			defer g.Close()
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := g.Submit(b.Context(), 1); err != nil {
						b.Fail()
					}
				}
			})
			b.ReportMetric(float64(b.N)/float64(flushes.Load()), "items/flush")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
		})
	}
}

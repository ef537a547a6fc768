package portstest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

const (
	journalCallers       = 64
	journalEachCaller    = 20
	journalWaitMax       = 30 * time.Second
	journalRefusalsFirst = 3
)

// OpenJournal gives a fresh journal. accept is what its Drain, or for a journal that has
// none to wait for its Append, hands deliveries to.
type OpenJournal func(t *testing.T, accept ports.AcceptDeliveries) ports.Journal

// Delivery is the nth of a row of deliveries, with every field set.
func Delivery(n int) core.Delivery {
	return core.Delivery{
		Account: "stripe", ProviderEventID: fmt.Sprintf("evt_%06d", n), Type: "payment_intent.succeeded",
		Ref:        core.ProviderRef{Account: "stripe", Kind: core.ObjectPayment, ID: fmt.Sprintf("pi_%06d", n)},
		APIVersion: "2023-10-16", ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC),
		Body: fmt.Appendf(nil, `{"n":%d,"text":"ü\u0000"}`, n), Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

// inboxDouble takes batches over and remembers them.
type inboxDouble struct {
	mu      sync.Mutex
	taken   []core.Delivery
	refuse  int // how many batches are refused first
	changed chan struct{}
}

func newInboxDouble() *inboxDouble { return &inboxDouble{changed: make(chan struct{}, 1)} }

func (i *inboxDouble) accept(_ context.Context, batch []core.Delivery) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refuse > 0 {
		i.refuse--
		return errors.New("not now")
	}
	for _, d := range batch {
		d.Body = append([]byte{}, d.Body...) // the caller may use it again
		i.taken = append(i.taken, d)
	}
	select {
	case i.changed <- struct{}{}:
	default:
	}
	return nil
}

func (i *inboxDouble) all() []core.Delivery {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]core.Delivery{}, i.taken...)
}

// wait waits until as many deliveries were taken over.
func (i *inboxDouble) wait(t *testing.T, count int) []core.Delivery {
	t.Helper()
	deadline := time.After(journalWaitMax)
	for {
		if taken := i.all(); len(taken) >= count {
			return taken
		}
		select {
		case <-i.changed:
		case <-deadline:
			require.FailNow(t, "deliveries were not handed over", "%d of %d", len(i.all()), count)
		}
	}
}

// drain runs Drain until the returned function is called, which gives its error.
func drain(t *testing.T, journal ports.Journal, accept ports.AcceptDeliveries) func() error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- journal.Drain(ctx, accept) }()
	var once sync.Once
	var result error
	stop := func() error {
		once.Do(func() {
			cancel()
			result = <-ended
		})
		return result
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// RunJournal holds a journal to the promises of [ports.Journal].
func RunJournal(t *testing.T, open OpenJournal) {
	t.Run("what was appended is handed over whole and in order", func(t *testing.T) {
		t.Parallel()
		inbox := newInboxDouble()
		journal := open(t, inbox.accept)
		require.NoError(t, journal.Ready(t.Context()))
		drain(t, journal, inbox.accept)
		var want []core.Delivery
		for n := range 50 {
			require.NoError(t, journal.Append(t.Context(), Delivery(n)))
			want = append(want, Delivery(n))
		}
		require.Equal(t, want, inbox.wait(t, 50))
	})
	t.Run("many at the same time lose nothing", func(t *testing.T) {
		t.Parallel()
		inbox := newInboxDouble()
		journal := open(t, inbox.accept)
		drain(t, journal, inbox.accept)
		var group sync.WaitGroup
		for caller := range journalCallers {
			group.Go(func() {
				for n := range journalEachCaller {
					if err := journal.Append(t.Context(), Delivery(caller*journalEachCaller+n)); err != nil {
						t.Errorf("append: %v", err)
						return
					}
				}
			})
		}
		group.Wait()
		seen := make(map[string]int)
		for _, d := range inbox.wait(t, journalCallers*journalEachCaller) {
			seen[d.ProviderEventID]++
		}
		require.Len(t, seen, journalCallers*journalEachCaller)
		for id, times := range seen {
			require.Equal(t, 1, times, id)
		}
	})
	t.Run("the body may be used again after Append", func(t *testing.T) {
		t.Parallel()
		inbox := newInboxDouble()
		journal := open(t, inbox.accept)
		d := Delivery(1)
		want := string(d.Body)
		require.NoError(t, journal.Append(t.Context(), d))
		clear(d.Body)
		drain(t, journal, inbox.accept)
		require.Equal(t, want, string(inbox.wait(t, 1)[0].Body))
	})
	t.Run("Drain ends with its context", func(t *testing.T) {
		t.Parallel()
		inbox := newInboxDouble()
		require.ErrorIs(t, drain(t, open(t, inbox.accept), inbox.accept)(), context.Canceled)
	})
	t.Run("a caller who has gone is told so", func(t *testing.T) {
		t.Parallel()
		inbox := newInboxDouble()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, open(t, inbox.accept).Append(ctx, Delivery(1)), context.Canceled)
	})
	t.Run("the body of a caller who left is not looked at again", func(t *testing.T) {
		t.Parallel()
		journalCallersLeave(t, open)
	})
}

// journalCallersLeave has callers who go while their delivery is on its way and use its
// body for something else at once.
func journalCallersLeave(t *testing.T, open OpenJournal) {
	t.Helper()
	inbox := newInboxDouble()
	slow := func(ctx context.Context, batch []core.Delivery) error {
		runtime.Gosched() // so that some leave while it looks at them
		return inbox.accept(ctx, batch)
	}
	journal := open(t, slow)
	drain(t, journal, slow)
	var group sync.WaitGroup
	for caller := range journalCallers {
		group.Go(func() {
			for n := range journalEachCaller {
				d := Delivery(caller*journalEachCaller + n)
				ctx, leave := context.WithCancel(t.Context())
				if n%2 == 0 {
					go leave()
				}
				_ = journal.Append(ctx, d) // whether it was in time does not matter here
				clear(d.Body)
				leave()
			}
		})
	}
	group.Wait()
	last := journalCallers * journalEachCaller
	require.NoError(t, journal.Append(t.Context(), Delivery(last)))
	known := make(map[string]core.Delivery)
	for n := range last + 1 {
		known[Delivery(n).ProviderEventID] = Delivery(n)
	}
	for _, d := range inbox.wait(t, last/2) { // those who stayed, at least
		require.Equal(t, known[d.ProviderEventID], d)
	}
}

// RunStoringJournal holds a journal that keeps deliveries itself, and does not hand them
// over before it answers, to what follows from that.
func RunStoringJournal(t *testing.T, open OpenJournal) {
	t.Run("Append does not wait for Drain", func(t *testing.T) {
		t.Parallel()
		inbox := newInboxDouble()
		journal := open(t, inbox.accept)
		held := make(chan struct{})
		drain(t, journal, func(ctx context.Context, batch []core.Delivery) error {
			select {
			case <-held:
			case <-ctx.Done():
				return ctx.Err()
			}
			return inbox.accept(ctx, batch)
		})
		for n := range 20 {
			require.NoError(t, journal.Append(t.Context(), Delivery(n)))
		}
		require.Empty(t, inbox.all())
		close(held)
		inbox.wait(t, 20)
	})
	t.Run("a batch that is refused comes again and nothing is passed over", func(t *testing.T) {
		t.Parallel()
		inbox := newInboxDouble()
		inbox.refuse = journalRefusalsFirst
		journal := open(t, inbox.accept)
		for n := range 10 {
			require.NoError(t, journal.Append(t.Context(), Delivery(n)))
		}
		drain(t, journal, inbox.accept)
		for n, d := range inbox.wait(t, 10) {
			require.Equal(t, Delivery(n).ProviderEventID, d.ProviderEventID)
		}
	})
	t.Run("what was taken over is not handed over again", func(t *testing.T) {
		t.Parallel()
		inbox := newInboxDouble()
		journal := open(t, inbox.accept)
		require.NoError(t, journal.Append(t.Context(), Delivery(1)))
		stop := drain(t, journal, inbox.accept)
		inbox.wait(t, 1)
		require.ErrorIs(t, stop(), context.Canceled)
		require.NoError(t, journal.Append(t.Context(), Delivery(2)))
		drain(t, journal, inbox.accept)
		taken := inbox.wait(t, 2)
		require.Equal(t, []string{Delivery(1).ProviderEventID, Delivery(2).ProviderEventID}, []string{taken[0].ProviderEventID, taken[1].ProviderEventID})
	})
}

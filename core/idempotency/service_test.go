package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/ports"
)

var call = idempotency.Call{Caller: "key_01h455vb4pex5vsknk084sn02q", Key: "k-1", RequestHash: "a"}

var created = idempotency.Answer{Status: 201, Body: []byte(`{"id":"chk_1"}`)}

// counted is work that counts how often it is done.
type counted struct {
	mu    sync.Mutex
	times int
}

func (c *counted) answering(answer idempotency.Answer) func(context.Context) idempotency.Answer {
	return func(context.Context) idempotency.Answer {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.times++
		return answer
	}
}

func newService(t *testing.T) (*idempotency.Service, *coretest.Store, *coretest.Clock) {
	t.Helper()
	clock := coretest.NewClock()
	store := coretest.NewStore(repotest.SQLite(t), clock)
	return idempotency.New(store, clock), store, clock
}

func TestTheFirstAnswerComesAgain(t *testing.T) {
	t.Parallel()
	s, _, clock := newService(t)
	work := &counted{}
	first, replayed, err := s.Do(t.Context(), call, work.answering(created))
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, created, first)
	clock.Advance(core.IdempotencyKeep - 1)
	again, replayed, err := s.Do(t.Context(), call, work.answering(idempotency.Answer{Status: 409}))
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, created, again)
	require.Equal(t, 1, work.times)

	reused := call
	reused.RequestHash = "b"
	_, _, err = s.Do(t.Context(), reused, work.answering(created))
	require.ErrorIs(t, err, idempotency.ErrReused)
	for _, other := range []idempotency.Call{
		{Caller: "key_01h455vb4pex5vsknk084sn02r", Key: call.Key, RequestHash: "b"},
		{Caller: call.Caller, Key: "K-1", RequestHash: "b"},
	} {
		_, replayed, err = s.Do(t.Context(), other, work.answering(created))
		require.NoError(t, err, "keys belong to their callers, and case counts")
		require.False(t, replayed)
		require.NotEqual(t, call.RequestKey(), other.RequestKey())
	}
	require.Equal(t, 3, work.times)
}

func TestObjectsBelongToCallerKeyAndRequest(t *testing.T) {
	t.Parallel()
	seen := map[core.RequestKey]bool{call.RequestKey(): true}
	for _, change := range []func(*idempotency.Call){
		func(c *idempotency.Call) { c.Caller = "key_01h455vb4pex5vsknk084sn02r" },
		func(c *idempotency.Call) { c.Key = "k-2" },
		func(c *idempotency.Call) { c.RequestHash = "b" },
	} {
		other := call
		change(&other)
		require.False(t, seen[other.RequestKey()])
		seen[other.RequestKey()] = true
	}
}

func TestAnAnswerThatSettlesNothingFreesTheKey(t *testing.T) {
	t.Parallel()
	s, _, _ := newService(t)
	work := &counted{}
	for range 2 {
		answer, replayed, err := s.Do(t.Context(), call, work.answering(idempotency.Answer{Status: 503, Forget: true}))
		require.NoError(t, err)
		require.False(t, replayed)
		require.Equal(t, 503, answer.Status)
	}
	mended := call
	mended.RequestHash = "mended"
	_, replayed, err := s.Do(t.Context(), mended, work.answering(created))
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, 3, work.times)
}

func TestOnlyOneRunsAtATime(t *testing.T) {
	t.Parallel()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) {
		s := idempotency.New(open(t), coretest.NewClock())
		const callers = 16
		work := &counted{}
		running, others := make(chan struct{}), make(chan struct{})
		results := make(chan error, callers)
		go func() {
			_, _, err := s.Do(t.Context(), call, func(ctx context.Context) idempotency.Answer {
				close(running)
				<-others
				return work.answering(created)(ctx)
			})
			results <- err
		}()
		<-running
		var all sync.WaitGroup
		for range callers - 1 {
			all.Go(func() {
				_, _, err := s.Do(t.Context(), call, work.answering(created))
				results <- err
			})
		}
		all.Wait()
		close(others)
		busy := 0
		for range callers {
			if err := <-results; err != nil {
				require.ErrorIs(t, err, idempotency.ErrInProgress)
				busy++
			}
		}
		require.Equal(t, callers-1, busy)
		require.Equal(t, 1, work.times)
	})
}

// Whoever holds a key longer than a call may take has died: one other goes on, and the
// answer of whichever comes to an end first stands.
func TestACallWhoseProcessDiedIsTakenOver(t *testing.T) {
	t.Parallel()
	s, _, clock := newService(t)
	late := idempotency.Answer{Status: 200, Body: []byte("late")}
	held, _, err := s.Do(t.Context(), call, func(ctx context.Context) idempotency.Answer {
		clock.Advance(core.IdempotencyLockMax - time.Microsecond)
		_, _, err := s.Do(ctx, call, (&counted{}).answering(created))
		require.ErrorIs(t, err, idempotency.ErrInProgress)
		clock.Advance(time.Microsecond)
		taken, replayed, err := s.Do(ctx, call, func(ctx context.Context) idempotency.Answer {
			_, _, err := s.Do(ctx, call, (&counted{}).answering(created))
			require.ErrorIs(t, err, idempotency.ErrInProgress, "the lock is new")
			return created
		})
		require.NoError(t, err)
		require.False(t, replayed)
		require.Equal(t, created, taken)
		return late
	})
	require.NoError(t, err)
	require.Equal(t, late, held, "whoever waited for it gets an answer")
	again, replayed, err := s.Do(t.Context(), call, (&counted{}).answering(late))
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, created, again)
}

func TestDeadCallsCanCountAsDeadSooner(t *testing.T) {
	t.Parallel()
	s, _, clock := newService(t)
	s = s.LockFor(time.Second)
	_, _, err := s.Do(t.Context(), call, func(ctx context.Context) idempotency.Answer {
		clock.Advance(time.Second)
		_, replayed, err := s.Do(ctx, call, (&counted{}).answering(created))
		require.NoError(t, err)
		require.False(t, replayed)
		return created
	})
	require.NoError(t, err)
}

func TestACrashLeavesTheKeyToTheNext(t *testing.T) {
	t.Parallel()
	for name, afterCommit := range map[string]bool{"before the answer is stored": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, store, clock := newService(t)
			store.CrashNext(1, afterCommit)
			answer, _, err := s.Do(t.Context(), call, (&counted{}).answering(created))
			require.ErrorIs(t, err, coretest.ErrCrashed)
			require.Equal(t, created, answer, "what was done is known to whoever is still there")
			_, replayed, err := s.Do(t.Context(), call, (&counted{}).answering(created))
			if afterCommit {
				require.NoError(t, err)
				require.True(t, replayed)
				return
			}
			require.ErrorIs(t, err, idempotency.ErrInProgress)
			clock.Advance(core.IdempotencyLockMax)
			_, replayed, err = s.Do(t.Context(), call, (&counted{}).answering(created))
			require.NoError(t, err)
			require.False(t, replayed)
		})
	}
}

func TestAPanicFreesTheKey(t *testing.T) {
	t.Parallel()
	s, _, _ := newService(t)
	require.PanicsWithValue(t, "broken", func() {
		_, _, _ = s.Do(t.Context(), call, func(context.Context) idempotency.Answer { panic("broken") })
	})
	_, replayed, err := s.Do(t.Context(), call, (&counted{}).answering(created))
	require.NoError(t, err)
	require.False(t, replayed)
}

// A caller that hangs up does not undo what its call began.
func TestTheAnswerIsKeptWhenTheCallerHangsUp(t *testing.T) {
	t.Parallel()
	s, _, _ := newService(t)
	ctx, hangUp := context.WithCancel(t.Context())
	_, _, err := s.Do(ctx, call, func(ctx context.Context) idempotency.Answer {
		hangUp()
		require.NoError(t, ctx.Err())
		_, limited := ctx.Deadline()
		require.True(t, limited)
		return created
	})
	require.NoError(t, err)
	_, replayed, err := s.Do(t.Context(), call, (&counted{}).answering(created))
	require.NoError(t, err)
	require.True(t, replayed)
}

func TestAStoreInTroubleIsToldAsSuch(t *testing.T) {
	t.Parallel()
	s, store, _ := newService(t)
	store.CrashNext(0, false)
	_, _, err := s.Do(t.Context(), call, func(context.Context) idempotency.Answer {
		require.Fail(t, "work without the key")
		return created
	})
	require.ErrorIs(t, err, coretest.ErrCrashed)
	require.False(t, errors.Is(err, idempotency.ErrReused) || errors.Is(err, idempotency.ErrInProgress) || errors.Is(err, ports.ErrConflict))
}

func TestPrune(t *testing.T) {
	t.Parallel()
	s, store, clock := newService(t)
	const old = 3
	for n := range old {
		one := call
		one.Key = fmt.Sprintf("old-%d", n)
		_, _, err := s.Do(t.Context(), one, (&counted{}).answering(created))
		require.NoError(t, err)
	}
	clock.Advance(core.IdempotencyKeep)
	_, _, err := s.Do(t.Context(), call, (&counted{}).answering(created))
	require.NoError(t, err)
	removed, err := s.Prune(t.Context())
	require.NoError(t, err)
	require.Zero(t, removed, "kept to the last moment")
	clock.Advance(time.Microsecond)
	removed, err = s.Prune(t.Context())
	require.NoError(t, err)
	require.Equal(t, old, removed)
	_, replayed, err := s.Do(t.Context(), call, (&counted{}).answering(created))
	require.NoError(t, err)
	require.True(t, replayed, "the young one stays")
	store.CrashNext(0, false)
	_, err = s.Prune(t.Context())
	require.ErrorIs(t, err, coretest.ErrCrashed)
}

package guard_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/guard"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// How calls can end.
func silent() error { return portstest.NoAnswer() }

func limited(wait time.Duration) error {
	return &core.ProviderError{Class: core.ClassRetryable, Foreign: "rate_limit", Op: "fake get", RequestID: "req_1", RetryAfter: wait}
}

func unreached() error {
	return &core.ProviderError{Class: core.ClassRetryable, Op: "fake get", Err: errors.New("connection refused")}
}

func declinedCard() error {
	return &core.ProviderError{Class: core.ClassDeclined, Code: core.FailureCardDeclined, Op: "fake get", RequestID: "req_1"}
}

func misdone() error {
	return &core.ProviderError{Class: core.ClassInvalid, Op: "fake get", RequestID: "req_1"}
}

// scripts is a provider whose looks end as written, and well after that.
type scripts struct {
	mu    sync.Mutex
	ends  []error
	calls int
	at    []time.Time
}

func (s *scripts) get(context.Context) (core.PaymentSnapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.at = append(s.at, time.Now())
	if len(s.ends) == 0 {
		return core.PaymentSnapshot{}, nil
	}
	end := s.ends[0]
	s.ends = s.ends[1:]
	return core.PaymentSnapshot{}, end
}

// guardedScript is what is written, with everything around it.
func guardedScript(t *testing.T, options guard.Options, ends ...error) (ports.Provider, *scripts) {
	t.Helper()
	script := &scripts{ends: ends}
	provider, err := guard.Wrap(scripted{Provider: portstest.NewFakeProvider("stripe", core.EnvTest), get: script.get}, options)
	require.NoError(t, err)
	return provider, script
}

func TestCallsAreSentAgainWhereThatCanHelp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ends  []error
		calls int
		class core.Class
		ok    bool
	}{
		"answered":                          {nil, 1, 0, true},
		"silent once":                       {[]error{silent()}, 2, 0, true},
		"unreached, then silent":            {[]error{unreached(), silent()}, 3, 0, true},
		"silent three times":                {[]error{silent(), silent(), silent(), silent()}, 3, core.ClassUnknown, false},
		"a decline":                         {[]error{declinedCard()}, 1, core.ClassDeclined, false},
		"a mistake of ours":                 {[]error{misdone()}, 1, core.ClassInvalid, false},
		"silent, then declined":             {[]error{silent(), declinedCard()}, 2, core.ClassDeclined, false},
		"a refusal does not hide silence":   {[]error{silent(), unreached(), unreached()}, 3, core.ClassUnknown, false},
		"limited, with a wait that fits":    {[]error{limited(time.Second)}, 2, 0, true},
		"limited, with one that does not":   {[]error{limited(time.Minute)}, 1, core.ClassRetryable, false},
		"silent, then limited for too long": {[]error{silent(), limited(time.Minute)}, 2, core.ClassUnknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				provider, script := guardedScript(t, guard.Options{}, c.ends...)
				began := time.Now()
				_, err := provider.GetPayment(t.Context(), ref)
				require.LessOrEqual(t, time.Since(began), guard.CallTimeMax, "all tries share the call's time")
				require.Equal(t, c.calls, script.calls)
				if c.ok {
					require.NoError(t, err)
					return
				}
				require.Equal(t, c.class.String(), refusal(t, err).Class.String())
			})
		})
	}
}

func TestTheSameKeyGoesOutAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest)
		provider, err := guard.Wrap(fake, guard.Options{})
		require.NoError(t, err)
		amount, err := core.NewMoney(1_00, "EUR")
		require.NoError(t, err)
		fake.FailNextAfterCommit(portstest.NoAnswer())
		_, err = provider.CreatePayment(t.Context(), "op_1", ports.CreatePayment{Payment: "pay_1", Amount: amount})
		require.NoError(t, err)
		require.Equal(t, []string{"op_1", "op_1"}, fake.Keys(t))
		require.Equal(t, 1, fake.Effects(t))
	})
}

func TestABreakerSparesWhoeverDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends := make([]error, 6)
		for n := range ends {
			ends[n] = silent()
		}
		provider, script := guardedScript(t, guard.Options{Tries: 1}, ends...)
		healthy, ok := provider.(ports.Healthy)
		require.True(t, ok)
		for range 5 {
			require.False(t, healthy.Health().Down)
			_, err := provider.GetPayment(t.Context(), ref)
			require.Equal(t, core.ClassUnknown, refusal(t, err).Class)
		}
		require.True(t, healthy.Health().Down)
		require.Equal(t, 5*time.Second, time.Until(healthy.Health().Until))
		_, err := provider.GetPayment(t.Context(), ref)
		refused := refusal(t, err)
		require.Equal(t, core.ClassRetryable, refused.Class, "it was never sent")
		require.Equal(t, "circuit_open", refused.Foreign)
		require.Equal(t, 5*time.Second, refused.RetryAfter)
		require.Equal(t, core.FailureProviderUnavailable, refused.Failure().Code)
		require.Equal(t, 5, script.calls)

		time.Sleep(5 * time.Second)
		require.False(t, healthy.Health().Down, "it is tried again, so that it can be offered")
		_, err = provider.GetPayment(t.Context(), ref)
		require.Equal(t, core.ClassUnknown, refusal(t, err).Class, "one trial")
		require.True(t, healthy.Health().Down)
		require.Equal(t, 6, script.calls)

		time.Sleep(5 * time.Second)
		for range 3 {
			_, err = provider.GetPayment(t.Context(), ref)
			require.NoError(t, err)
		}
		require.False(t, healthy.Health().Down)
	})
}

func TestDeclinesOpenNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ends []error
		for range 10 {
			ends = append(ends, declinedCard(), misdone(), limited(time.Millisecond))
		}
		provider, script := guardedScript(t, guard.Options{Tries: 1}, ends...)
		for range ends {
			_, err := provider.GetPayment(t.Context(), ref)
			require.Error(t, err)
		}
		require.Equal(t, len(ends), script.calls)
		healthy, ok := provider.(ports.Healthy)
		require.True(t, ok)
		require.False(t, healthy.Health().Down)
	})
}

func TestAProviderIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		provider, script := guardedScript(t, guard.Options{Tries: 1}, limited(3*time.Second))
		_, err := provider.GetPayment(t.Context(), ref)
		require.Equal(t, core.ClassRetryable, refusal(t, err).Class)
		_, err = provider.GetPayment(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, 3*time.Second, script.at[1].Sub(script.at[0]), "every call of the account waits")

		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		provider, script = guardedScript(t, guard.Options{Tries: 1}, limited(3*time.Second))
		_, _ = provider.GetPayment(short, ref)
		_, err = provider.GetPayment(short, ref)
		require.Equal(t, "rate_limited_here", refusal(t, err).Foreign, "there is no time for that")
		require.Equal(t, 1, script.calls)
	})
}

func TestNoMoreCallsThanTheRateAllows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		provider, script := guardedScript(t, guard.Options{PerSecond: 10})
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				_, err := provider.GetPayment(t.Context(), ref)
				require.NoError(t, err)
			})
		}
		all.Wait()
		seconds := map[time.Time]int{}
		for _, at := range script.at {
			seconds[at.Truncate(time.Second)]++
		}
		for second, count := range seconds {
			require.LessOrEqual(t, count, 10, second)
		}
		require.Equal(t, 30, script.calls)
	})
}

func TestACallerWhoLeavesIsNotTheProvidersFault(t *testing.T) {
	t.Parallel()
	provider, script := guardedScript(t, guard.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		script.mu.Lock()
		script.ends = []error{silent()}
		script.mu.Unlock()
		_, err := provider.GetPayment(ctx, ref)
		require.Equal(t, core.ClassUnknown, refusal(t, err).Class)
	}
	healthy, ok := provider.(ports.Healthy)
	require.True(t, ok)
	require.False(t, healthy.Health().Down)
}

// BenchmarkCall shows what the guard adds to a call.
func BenchmarkCall(b *testing.B) {
	fake := scripted{
		Provider: portstest.NewFakeProvider("stripe", core.EnvTest),
		get:      func(context.Context) (core.PaymentSnapshot, error) { return core.PaymentSnapshot{}, nil },
	}
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = fake.GetPayment(b.Context(), ref)
		}
	})
	guarded, err := guard.Wrap(fake, guard.Options{})
	require.NoError(b, err)
	b.Run("guarded", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = guarded.GetPayment(b.Context(), ref)
		}
	})
}

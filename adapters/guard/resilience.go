package guard

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// How calls are repeated, spared and held back.
const (
	// TriesMax is how often a call is sent, the first time included. Every mutating call
	// carries its operation's key, so that a repetition has no second effect.
	TriesMax        = 3
	pauseFirst      = 150 * time.Millisecond
	pauseMost       = 2 * time.Second
	pauseJitter     = 0.3 // of the pause, either way
	failuresInRow   = 5   // open the breaker
	openTime        = 5 * time.Second
	quietMost       = time.Minute // that a provider can ask for
	permitWaitMax   = 5 * time.Second
	retryBudgetLeft = 500 * time.Millisecond // least time for a try to be worth making
)

// The foreign codes of calls that were never sent.
const (
	codeCircuitOpen = "circuit_open"
	codeRateLimited = "rate_limited_here"
)

// resilience is what an account's calls share. nil sends each call once.
type resilience struct {
	breaker circuitbreaker.CircuitBreaker[any]
	limiter ratelimiter.RateLimiter[any] // nil for no limit
	retries retrypolicy.RetryPolicy[any]
	quiet   atomic.Int64 // until when the provider wants to be left alone, unix nanoseconds
}

func newResilience(options Options) *resilience {
	r := &resilience{
		breaker: circuitbreaker.NewBuilder[any]().WithFailureThreshold(failuresInRow).WithSuccessThreshold(1).WithDelay(openTime).Build(),
	}
	if options.PerSecond > 0 {
		r.limiter = ratelimiter.NewBursty[any](options.PerSecond, time.Second)
	}
	r.retries = retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return worthRepeating(err) }).
		WithMaxAttempts(options.Tries).
		WithBackoff(pauseFirst, pauseMost).WithJitterFactor(pauseJitter).
		WithDelayFunc(func(exec failsafe.ExecutionAttempt[any]) time.Duration {
			if refused, ok := errors.AsType[*core.ProviderError](exec.LastError()); ok && refused.RetryAfter > 0 {
				return refused.RetryAfter
			}
			return -1 // the backoff's
		}).
		ReturnLastFailure().Build()
	return r
}

// worthRepeating reports whether the same call may go better in a moment. What was never
// sent from here is not tried against ourselves.
func worthRepeating(err error) bool {
	refused, ok := errors.AsType[*core.ProviderError](err)
	if !ok || refused.Foreign == codeCircuitOpen || refused.Foreign == codeRateLimited || errors.Is(err, errPanic) {
		return false
	}
	return refused.Class == core.ClassUnknown || refused.Class == core.ClassRetryable
}

// repeat makes a call until it is answered, tries or time are used up. retried is told of
// each repetition.
func (r *resilience) repeat(ctx context.Context, op string, retried func(), do func(context.Context) (any, error)) (any, error) {
	if r == nil {
		return do(ctx)
	}
	var unknown error // of an earlier try: a later refusal says nothing about it
	tries := 0
	result, err := failsafe.With[any](r.retries).WithContext(ctx).Get(func() (any, error) {
		if tries++; tries > 1 {
			retried()
		}
		result, err := r.once(ctx, op, do)
		if classOf(err) == core.ClassUnknown && err != nil {
			unknown = err
		}
		if err != nil && !r.timeFor(ctx, err) {
			return result, &finalError{err}
		}
		return result, err
	})
	if last, ok := errors.AsType[*finalError](err); ok {
		err = last.err
	}
	switch {
	case err == nil:
		return result, nil
	case classOf(err) == core.ClassRetryable && unknown != nil:
		return result, unknown
	}
	if _, ours := errors.AsType[*core.ProviderError](err); !ours && unknown != nil {
		return result, unknown // the library gave up while it waited
	}
	return result, err
}

// finalError keeps an error from the library, which would repeat the call.
type finalError struct{ err error }

// Error implements error.
func (f *finalError) Error() string { return f.err.Error() }

// timeFor reports whether the call's time allows another try after an error.
func (r *resilience) timeFor(ctx context.Context, err error) bool {
	deadline, ok := ctx.Deadline()
	if ctx.Err() != nil {
		return false
	}
	pause := pauseFirst
	if refused, is := errors.AsType[*core.ProviderError](err); is && refused.RetryAfter > 0 {
		pause = refused.RetryAfter
	}
	return !ok || time.Until(deadline) > pause+retryBudgetLeft
}

func classOf(err error) core.Class {
	if refused, ok := errors.AsType[*core.ProviderError](err); ok {
		return refused.Class
	}
	return core.ClassUnknown
}

// once sends a call, unless the account is to be left alone.
func (r *resilience) once(ctx context.Context, op string, do func(context.Context) (any, error)) (any, error) {
	if err := r.permit(ctx, op); err != nil {
		return nil, err
	}
	if !r.breaker.TryAcquirePermit() {
		return nil, &core.ProviderError{
			Class: core.ClassRetryable, Code: core.FailureProviderUnavailable, Foreign: codeCircuitOpen, Op: op, RetryAfter: r.breaker.RemainingDelay(),
		}
	}
	result, err := do(ctx)
	r.record(ctx, err)
	return result, err
}

// permit waits for the account's turn, no longer than the call has time.
func (r *resilience) permit(ctx context.Context, op string) error {
	limited := func(wait time.Duration) error {
		return &core.ProviderError{Class: core.ClassRetryable, Code: core.FailureProviderUnavailable, Foreign: codeRateLimited, Op: op, RetryAfter: wait}
	}
	if wait := time.Until(time.Unix(0, r.quiet.Load())); wait > 0 {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait+retryBudgetLeft {
			return limited(wait)
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return limited(wait)
		}
	}
	if r.limiter == nil {
		return nil
	}
	if err := r.limiter.AcquirePermitWithMaxWait(ctx, permitWaitMax); err != nil {
		return limited(time.Second)
	}
	return nil
}

// record tells the breaker how a call went, and keeps to what the provider asks for. A
// decline is an answer like any other.
func (r *resilience) record(ctx context.Context, err error) {
	refused, failed := errors.AsType[*core.ProviderError](err)
	switch {
	case !failed:
		r.breaker.RecordSuccess()
	case refused.Class == core.ClassUnknown && errors.Is(ctx.Err(), context.Canceled) && !r.breaker.IsHalfOpen():
		r.breaker.RecordSuccess() // the caller left; the provider is not to blame
	case refused.Class == core.ClassUnknown, refused.Class == core.ClassRetryable && refused.RequestID == "" && refused.RetryAfter == 0:
		r.breaker.RecordFailure()
	default:
		r.breaker.RecordSuccess()
	}
	if failed && refused.Class == core.ClassRetryable && refused.RetryAfter > 0 {
		r.quiet.Store(time.Now().Add(min(refused.RetryAfter, quietMost)).UnixNano())
	}
}

// health tells whether calls are sent.
func (r *resilience) health() ports.Health {
	if r == nil {
		return ports.Health{}
	}
	left := r.breaker.RemainingDelay()
	if !r.breaker.IsOpen() || left <= 0 {
		return ports.Health{}
	}
	return ports.Health{Down: true, Until: time.Now().Add(left)}
}

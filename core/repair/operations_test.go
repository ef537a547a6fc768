package repair_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// end is how an operation ends whose key is forgotten.
type end string

const (
	succeeded end = "succeeded" // a look shows what it did
	refuted   end = "refuted"   // a look shows that it did nothing, or what it did does no harm
	staff     end = "staff"     // nobody can say
)

// verbs are all calls that change something at a provider. prepare gives what makes the call; it may be
// called again, as another request.
var verbs = []struct {
	kind    core.OperationKind
	prepare func(t *testing.T, h *coretest.House) func(request string)
	nothing end // where the call did nothing and its key is forgotten
	done    end // where it did its work
	// again says that the call goes again also when its key is forgotten: twice is as good as once.
	again bool
}{
	{kind: core.OpCreatePayment, prepare: createPayment, nothing: staff, done: succeeded},
	{kind: core.OpConfirmPayment, prepare: confirmPayment, nothing: staff, done: succeeded},
	{kind: core.OpCapturePayment, prepare: capturePayment, nothing: refuted, done: succeeded},
	{kind: core.OpCancelPayment, prepare: cancelPayment, nothing: refuted, done: succeeded},
	{kind: core.OpRefundPayment, prepare: refundPayment, nothing: staff, done: succeeded},
	{kind: core.OpChargeMethod, prepare: chargeMethod, nothing: staff, done: succeeded},
	{kind: core.OpSubmitEvidence, prepare: submitEvidence, nothing: refuted, done: succeeded},
	{kind: core.OpAcceptDispute, prepare: acceptDispute, nothing: refuted, done: succeeded},
	{kind: core.OpCreateCustomer, prepare: createCustomer, nothing: refuted, done: refuted},
	{kind: core.OpCreateSetup, prepare: createSetup, nothing: refuted, done: refuted},
	// Nothing but its answer names the method, which so can be charged by nobody.
	{kind: core.OpConfirmSetup, prepare: confirmSetup, nothing: refuted, done: refuted},
	{kind: core.OpDetachMethod, prepare: detachMethod, nothing: refuted, done: succeeded},
	{kind: core.OpCreatePrice, prepare: createPrice, nothing: refuted, done: refuted},
	{kind: core.OpCreateSubscription, prepare: createSubscription, nothing: refuted, done: refuted},
	{kind: core.OpChangeSubscription, prepare: changeSubscription, nothing: refuted, done: succeeded},
	{kind: core.OpPauseSubscription, prepare: pauseSubscription, nothing: refuted, done: succeeded},
	{kind: core.OpResumeSubscription, prepare: resumeSubscription, nothing: refuted, done: succeeded},
	{kind: core.OpCancelSubscription, prepare: cancelSubscription, nothing: refuted, done: succeeded},
	{kind: core.OpSwapMethod, prepare: swapMethod, nothing: succeeded, done: succeeded, again: true},
}

func TestEveryKindOfOperationIsInTheTable(t *testing.T) {
	t.Parallel()
	var kinds []core.OperationKind
	for _, verb := range verbs {
		kinds = append(kinds, verb.kind)
	}
	require.ElementsMatch(t, core.OperationKinds(), kinds)
}

// eachVerb makes the call of each kind with what goes wrong, and gives its operation.
func eachVerb(t *testing.T, fail func(*portstest.FakeProvider), test func(t *testing.T, h *coretest.House, op core.Operation, ask func(string), n int)) {
	t.Helper()
	for n, verb := range verbs {
		t.Run(string(verb.kind), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			ask := verb.prepare(t, h)
			h.RunAll()
			h.LoseJobs()
			fail(h.Provider)
			ask("first")
			op := newest(t, h, verb.kind)
			require.Equal(t, 1, op.Attempts)
			test(t, h, op, ask, n)
		})
	}
}

// sent is how often calls went out under an operation's key.
func sent(t *testing.T, h *coretest.House, op core.Operation) (n int) {
	t.Helper()
	for _, key := range h.Provider.Keys(t) {
		if key == string(op.Key()) {
			n++
		}
	}
	return n
}

func lostBefore(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) }
func lostAfter(f *portstest.FakeProvider)  { f.FailNextAfterCommit(portstest.NoAnswer()) }

// A lost answer is settled under the same key by its job, and where the job is lost, too, by the sweep.
func TestALostAnswerIsSettledUnderTheSameKey(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*portstest.FakeProvider){"it did nothing": lostBefore, "it did its work": lostAfter} {
		for how, settle := range map[string]func(*coretest.House){
			"by its job": func(h *coretest.House) { h.Clock.Advance(30 * time.Second); h.RunDue() },
			"by the sweep": func(h *coretest.House) {
				h.LoseJobs()
				h.Sweep() // it is not due yet
				h.Clock.Advance(2 * time.Minute)
				h.Sweep()
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				eachVerb(t, fail, func(t *testing.T, h *coretest.House, op core.Operation, _ func(string), _ int) {
					t.Helper()
					require.Equal(t, core.OperationUnknown, op.Status)
					settle(h)
					op = read(t, h, op.ID)
					require.Equal(t, core.OperationSucceeded, op.Status)
					require.Equal(t, 2, op.Attempts)
					require.Equal(t, 2, sent(t, h, op))
					require.Equal(t, 1, h.Provider.EffectsOf(op.Key()))
					require.Zero(t, op.LookAt())
				})
			})
		}
	}
}

// A refusal is for good: the key never goes out again, and who asks again asks under another.
func TestAKeyThatWasRefusedNeverGoesOutAgain(t *testing.T) {
	t.Parallel()
	refusal := &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "no", Op: "fake call"}
	for name, fail := range map[string]func(*portstest.FakeProvider){
		"at once":         func(f *portstest.FakeProvider) { f.FailNext(refusal) },
		"after no answer": func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()); f.FailNext(refusal) },
		"after one refused": func(f *portstest.FakeProvider) {
			f.Fault(t, portstest.FaultError429)
			f.FailNext(refusal)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachVerb(t, fail, func(t *testing.T, h *coretest.House, op core.Operation, ask func(string), _ int) {
				t.Helper()
				h.Clock.Advance(3 * time.Minute)
				h.RunDue()
				h.Sweep()
				op = read(t, h, op.ID)
				require.Equal(t, core.OperationFailed, op.Status)
				before := sent(t, h, op)
				ask("second")
				for range 3 {
					h.Clock.Advance(30 * time.Hour)
					h.RunDue()
					h.Sweep()
				}
				require.Equal(t, before, sent(t, h, op), "it went out again")
				require.Equal(t, op, read(t, h, op.ID))
				require.Zero(t, h.Provider.EffectsOf(op.Key()))
				if again := newest(t, h, op.Kind); again.ID != op.ID {
					require.NotEqual(t, op.Key(), again.Key())
					require.LessOrEqual(t, h.Provider.EffectsOf(again.Key()), 1)
				}
			})
		})
	}
}

// Once the provider may have forgotten the key it does not go out again. What a look shows counts; what
// nobody can find out waits for staff, and has failed nothing.
func TestAForgottenKeyIsLookedUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail func(*portstest.FakeProvider)
		want func(n int) end
	}{
		"it did nothing":  {lostBefore, func(n int) end { return verbs[n].nothing }},
		"it did its work": {lostAfter, func(n int) end { return verbs[n].done }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachVerb(t, c.fail, func(t *testing.T, h *coretest.House, op core.Operation, _ func(string), n int) {
				t.Helper()
				h.LoseJobs()
				h.Clock.Advance(25 * time.Hour)
				h.Sweep()
				op = read(t, h, op.ID)
				if !verbs[n].again {
					require.Equal(t, 1, sent(t, h, op))
				}
				switch c.want(n) {
				case succeeded:
					require.Equal(t, core.OperationSucceeded, op.Status)
				case refuted:
					require.Equal(t, core.OperationFailed, op.Status)
					require.Equal(t, "key_forgotten", op.Failure.ProviderCode)
				case staff:
					waitsForStaff(t, h, op, core.GivenUpNotFound)
				}
			})
		})
	}
}

// waitsForStaff holds an operation to being an entry for staff that says what was tried, of which
// nothing has failed.
func waitsForStaff(t *testing.T, h *coretest.House, op core.Operation, why core.GivenUp) {
	t.Helper()
	require.Equal(t, core.OperationUnknown, op.Status)
	require.True(t, op.ForStaff())
	require.Equal(t, why, op.GivenUp)
	require.Equal(t, h.Clock.Now(), op.GivenUpAt)
	require.True(t, op.LookAt().After(h.Clock.Now()))
	entries, err := h.Store.SubjectTimeline(t.Context(), op.Subject, nil, 100)
	require.NoError(t, err)
	if op.Payment != "" {
		entries = h.Timeline(op.Payment)
		require.NotEqual(t, core.PaymentFailed, h.Payment(op.Payment).Status)
	}
	var line core.TimelineEntry
	for _, entry := range entries {
		if entry.Reason == core.ReasonForStaff {
			require.Empty(t, line.ID, "told once")
			line = entry
		}
	}
	require.Equal(t, op.ID, line.Operation)
	require.Contains(t, line.Note, string(op.Kind)+": "+string(why))
	require.Contains(t, line.Note, "sent 1 times")
	page, err := h.Store.Operations(t.Context(), ports.OperationFilter{ForStaff: true}, core.PageRequest{Limit: 5})
	require.NoError(t, err)
	require.Equal(t, []core.Operation{op}, page.Items)
}

// firstCancelLost has the first cancellation come to nothing. It implements [portstest.Script].
type firstCancelLost struct{ lost bool }

func (f *firstCancelLost) Before(_ context.Context, call portstest.FakeCall) portstest.Fault {
	if call.Method != "CancelPayment" || f.lost {
		return ""
	}
	f.lost = true
	return portstest.FaultTimeoutBefore
}

func (f *firstCancelLost) After(context.Context, portstest.FakeCall) {}

// What nobody needs is closed, so that nobody pays it: the object of an attempt that failed, and what was
// authorized a second time. Where the call that closes it came to nothing and its key is forgotten by the
// time that anybody asks, it is closed anew.
func TestClosingGoesOnThoughTheKeyIsForgotten(t *testing.T) {
	t.Parallel()
	for name, makeOne := range map[string]func(t *testing.T, h *coretest.House) core.Payment{
		"a failed attempt": func(_ *testing.T, h *coretest.House) core.Payment {
			p := h.Start(h.Open(core.CaptureAutomatic).ID)
			h.Pay(p.ID, portstest.CardDeclined)
			return h.Look(p)
		},
		"a second authorization": func(t *testing.T, h *coretest.House) core.Payment {
			t.Helper()
			checkout := h.Open(core.CaptureManual)
			first := h.Start(checkout.ID)
			h.Pay(first.ID, portstest.CardDeclined)
			first = h.Look(first)
			second := h.Start(checkout.ID)
			h.Pay(first.ID, portstest.CardSucceeds)
			h.Pay(second.ID, portstest.CardSucceeds)
			require.Equal(t, core.PaymentAuthorized, h.Look(first).Status)
			second = h.Look(second)
			require.Equal(t, core.PaymentAuthorized, second.Status)
			return second
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p := makeOne(t, h)
			script := &firstCancelLost{}
			h.Provider.Follow(script)
			h.RunDue()
			require.True(t, script.lost)
			h.Clock.Advance(25 * time.Hour)
			h.RunAll()
			seen, there := h.Provider.Object(p.ID)
			require.True(t, there)
			require.Equal(t, core.PaymentCanceled, seen.Status)
			require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCancelPayment).Status)
			require.Empty(t, h.Store.GivenUp())
		})
	}
}

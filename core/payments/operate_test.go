package payments_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/payments"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

var byAPI = core.Cause{Kind: core.CauseAPI, Actor: "key_1"}

func capture(t *testing.T, h *coretest.House, p core.Payment, amount *int64, key core.RequestKey) (core.Payment, error) {
	t.Helper()
	return h.Payments.Capture(t.Context(), payments.Capture{Payment: p.ID, Amount: amount, RequestKey: key, Cause: byAPI})
}

func TestCapture(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	whole, part := h.Authorized(), h.Authorized()
	for _, amount := range []int64{0, -1, coretest.Price + 1, core.MinorMax + 1} {
		_, err := capture(t, h, whole, new(amount), "")
		require.ErrorIs(t, err, core.ErrAmountNotAvailable, "%d", amount)
	}
	whole, err := capture(t, h, whole, nil, "")
	require.NoError(t, err)
	require.Equal(t, core.PaymentSucceeded, whole.Status)
	require.Equal(t, coretest.Price, whole.AmountCaptured.Minor())
	part, err = capture(t, h, part, new(int64(400)), "")
	require.NoError(t, err)
	require.Equal(t, core.PaymentSucceeded, part.Status)
	require.EqualValues(t, 400, part.AmountCaptured.Minor())
	_, err = capture(t, h, part, new(int64(1)), "")
	require.ErrorIs(t, err, core.ErrPaymentNotOpen, "what is left over was released")
	_, err = capture(t, h, core.Payment{ID: "pay_missing"}, nil, "")
	require.ErrorIs(t, err, ports.ErrNotFound)
	open := h.Start(h.Open(core.CaptureManual).ID)
	_, err = capture(t, h, open, nil, "")
	require.ErrorIs(t, err, core.ErrPaymentNotOpen, "nothing is authorized yet")
	require.Equal(t, 5, h.Provider.Effects(t), "three created, two captured")
	h.RunAll()
	require.Empty(t, h.Store.GivenUp())
}

func TestCaptureOncePerRequest(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		p := h.Authorized()
		var all sync.WaitGroup
		failed := make([]error, 12)
		for n := range failed {
			key := core.RequestKey("same")
			if n%3 == 2 {
				key = "" // and some without
			}
			all.Go(func() {
				_, failed[n] = h.Payments.Capture(t.Context(), payments.Capture{Payment: p.ID, Amount: new(int64(300)), RequestKey: key, Cause: byAPI})
			})
		}
		all.Wait()
		captures := 0
		for _, op := range h.Operations(p.ID) {
			if op.Kind == core.OpCapturePayment {
				captures += h.Provider.EffectsOf(op.Key())
			}
		}
		require.Equal(t, 1, captures)
		p = h.Payment(p.ID)
		require.EqualValues(t, 300, p.AmountCaptured.Minor())
		require.Equal(t, core.PaymentSucceeded, p.Status)
	})
}

func TestARepeatedCaptureGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	first, err := capture(t, h, p, new(int64(300)), "again")
	require.NoError(t, err)
	second, err := capture(t, h, p, new(int64(300)), "again")
	require.NoError(t, err)
	require.Equal(t, first, second)

	refused := h.Authorized()
	h.Provider.FailNext(&core.ProviderError{Class: core.ClassDeclined, Code: core.FailureCardDeclined, Op: "fake capture"})
	for range 2 {
		_, err = capture(t, h, refused, nil, "declined")
		var no *core.RefusedError
		require.ErrorAs(t, err, &no)
		require.Equal(t, core.FailureCardDeclined, no.Failure.Code)
	}
	_, err = capture(t, h, refused, nil, "a new call")
	require.NoError(t, err)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	open, held := h.Start(h.Open(core.CaptureAutomatic).ID), h.Authorized()
	for _, p := range []core.Payment{open, held} {
		for range 2 { // the second time has nothing to do
			canceled, err := h.Payments.Cancel(t.Context(), p.ID, "", byAPI)
			require.NoError(t, err)
			require.Equal(t, core.PaymentCanceled, canceled.Status)
		}
		require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCancelPayment).Status)
		types := h.Types(string(p.ID))
		require.Equal(t, core.EventPaymentCanceled, types[len(types)-1])
	}
	require.Empty(t, h.Checkout(open.Checkout).LeasedPayment(), "free for another attempt")
	paid := h.Authorized()
	_, err := capture(t, h, paid, nil, "")
	require.NoError(t, err)
	_, err = h.Payments.Cancel(t.Context(), paid.ID, "", byAPI)
	require.ErrorIs(t, err, core.ErrPaymentNotOpen)
}

// unanswered are the ways for a call to end without an answer.
var unanswered = map[string]func(*portstest.FakeProvider){
	"before it had an effect": func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) },
	"after it had its effect": func(f *portstest.FakeProvider) { f.FailNextAfterCommit(portstest.NoAnswer()) },
}

func TestAnUnansweredCreationIsSettledWithOneEffect(t *testing.T) {
	t.Parallel()
	for name, fail := range unanswered {
		for _, by := range []string{"repair", "buyer"} {
			t.Run(name+", settled by "+by, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				checkout := h.Open(core.CaptureAutomatic)
				fail(h.Provider)
				_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
				var provider *core.ProviderError
				require.ErrorAs(t, err, &provider)
				require.Equal(t, core.ClassUnknown, provider.Class)
				p := h.Payment(h.Checkout(checkout.ID).LeasedPayment())
				require.Equal(t, core.PaymentProcessing, p.Status, "nobody can say that it failed")
				op := h.Operation(p.ID, core.OpCreatePayment)
				require.Equal(t, core.OperationUnknown, op.Status)
				_, err = h.Payments.Start(t.Context(), checkout.ID, coretest.OtherAccount)
				require.ErrorIs(t, err, core.ErrPaymentInProgress, "no second attempt beside it")

				if by == "buyer" {
					require.Equal(t, p.ID, h.Start(checkout.ID).ID)
				}
				h.RunAll()
				p = h.Payment(p.ID)
				require.Equal(t, core.PaymentRequiresAction, p.Status)
				require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCreatePayment).Status)
				require.Equal(t, 1, h.Provider.EffectsOf(op.Key()))
				require.Equal(t, 1, h.Provider.Effects(t))
				h.Pay(h.Start(checkout.ID).ID, portstest.CardSucceeds)
				require.Equal(t, core.PaymentSucceeded, h.Look(p).Status)
			})
		}
	}
}

func TestAnUnansweredCaptureOrCancelIsSettledWithOneEffect(t *testing.T) {
	t.Parallel()
	verbs := map[core.OperationKind]func(h *coretest.House, ctx context.Context, p core.Payment) (core.Payment, error){
		core.OpCapturePayment: func(h *coretest.House, ctx context.Context, p core.Payment) (core.Payment, error) {
			return h.Payments.Capture(ctx, payments.Capture{Payment: p.ID, Amount: new(int64(400)), RequestKey: "key", Cause: byAPI})
		},
		core.OpCancelPayment: func(h *coretest.House, ctx context.Context, p core.Payment) (core.Payment, error) {
			return h.Payments.Cancel(ctx, p.ID, "key", byAPI)
		},
	}
	for name, fail := range unanswered {
		for kind, verb := range verbs {
			for _, by := range []string{"repair", "the same call", "a message"} {
				t.Run(string(kind)+" "+name+", settled by "+by, func(t *testing.T) {
					t.Parallel()
					h := newHouse(t)
					p := h.Authorized()
					fail(h.Provider)
					after, err := verb(h, t.Context(), p)
					require.NoError(t, err)
					require.Equal(t, core.PaymentAuthorized, after.Status, "as it was")
					op := h.Operation(p.ID, kind)
					require.Equal(t, core.OperationUnknown, op.Status)

					switch by {
					case "the same call":
						_, err = verb(h, t.Context(), p)
						require.NoError(t, err)
					case "a message":
						h.Webhook("evt_1", p.ProviderPaymentID)
						h.RunDue()
					}
					h.RunAll()
					require.Equal(t, 1, h.Provider.EffectsOf(op.Key()))
					require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, kind).Status)
					p = h.Payment(p.ID)
					if kind == core.OpCapturePayment {
						require.Equal(t, core.PaymentSucceeded, p.Status)
						require.EqualValues(t, 400, p.AmountCaptured.Minor())
					} else {
						require.Equal(t, core.PaymentCanceled, p.Status)
					}
					require.Empty(t, h.Store.GivenUp())
				})
			}
		}
	}
}

// unknownForLong makes everything fail for as long as jobs are tried.
func unknownForLong(h *coretest.House) {
	for range 50 {
		h.Provider.FailNext(portstest.NoAnswer())
	}
}

func TestWhatCannotBeSettledStaysUnknownForStaff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	unknownForLong(h)
	_, err := capture(t, h, p, nil, "")
	require.NoError(t, err)
	h.RunAll()
	require.Len(t, h.Store.GivenUp(), 1)
	require.Equal(t, core.OperationUnknown, h.Operation(p.ID, core.OpCapturePayment).Status, "never failed")
	require.Equal(t, core.PaymentAuthorized, h.Payment(p.ID).Status)
	_, err = h.Payments.Cancel(t.Context(), p.ID, "", byAPI)
	require.Error(t, err, "nothing else may be asked meanwhile")
	require.Equal(t, core.PaymentAuthorized, h.Payment(p.ID).Status)
}

func TestAForgottenKeyIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	for name, fail := range unanswered {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			checkout := h.Open(core.CaptureAutomatic)
			fail(h.Provider)
			_, err := h.Payments.Start(t.Context(), checkout.ID, coretest.Account)
			require.Error(t, err)
			h.Clock.Advance(25 * time.Hour)
			calls := h.Provider.CallsOf("CreatePayment")
			p := h.Payment(h.Checkout(checkout.ID).LeasedPayment())
			h.RunAll()
			require.Equal(t, calls, h.Provider.CallsOf("CreatePayment"))
			op := h.Operation(p.ID, core.OpCreatePayment)
			if h.Provider.EffectsOf(op.Key()) == 1 {
				require.Equal(t, core.OperationSucceeded, op.Status, "found by our own reference")
				require.Equal(t, core.PaymentRequiresAction, h.Payment(p.ID).Status)
				require.Empty(t, h.Store.GivenUp())
				return
			}
			require.Equal(t, core.OperationUnknown, op.Status)
			require.Equal(t, core.PaymentProcessing, h.Payment(p.ID).Status)
			require.Len(t, h.Store.GivenUp(), 1)
		})
	}
}

// The process is suspended between its decision to send a call again and the call, for longer than the
// provider keeps the key.
func TestWhatWasSuspendedIsNotSentWithAForgottenKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	_, err := capture(t, h, p, new(int64(400)), "key")
	require.NoError(t, err)
	h.Store.BeforeNextTx(func(context.Context) { h.Clock.Advance(25 * time.Hour) })
	_, err = capture(t, h, p, new(int64(400)), "key")
	require.NoError(t, err)
	op := h.Operation(p.ID, core.OpCapturePayment)
	require.Equal(t, 2, op.Attempts, "it was about to go out again")
	require.Equal(t, 1, h.Provider.CallsOf("CapturePayment"), "and did not")
	h.RunAll()
	require.Equal(t, 1, h.Provider.EffectsOf(op.Key()))
	require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCapturePayment).Status, "a look settles it")
	require.EqualValues(t, 400, h.Payment(p.ID).AmountCaptured.Minor())
}

// Of two sendings under one key the first is refused, since it came too early, and its answer is
// recorded first. The second takes effect.
func TestAnEffectIsRecordedThoughARefusalWas(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	h.Provider.FailNext(portstest.NoAnswer())
	_, err := capture(t, h, p, nil, "key")
	require.NoError(t, err)
	op := h.Operation(p.ID, core.OpCapturePayment)
	refused := &core.ProviderError{Class: core.ClassInvalid, Foreign: "unexpected_state", Op: "fake capture"}
	_, err = h.Observe.Settle(t.Context(), op, ports.CallResult{Payment: p, Err: refused}, byAPI)
	require.NoError(t, err)
	require.Equal(t, core.OperationFailed, h.Operation(p.ID, core.OpCapturePayment).Status)
	seen, err := h.Provider.CapturePayment(t.Context(), op.Key(), p.MoneyRef(), op.Amount)
	require.NoError(t, err)
	_, err = h.Observe.Settle(t.Context(), op, ports.CallResult{Payment: p, Snapshot: &seen}, byAPI)
	require.NoError(t, err)
	require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCapturePayment).Status)
	require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
	p, err = capture(t, h, p, nil, "key")
	require.NoError(t, err, "the same call is told so from then on")
	require.Equal(t, core.PaymentSucceeded, p.Status)
}

// A failed payment stays failed when its object is closed, so the sight changes nothing
// of the payment. It proves the operation all the same.
func TestASightThatChangesNothingSettlesWhatItProves(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Pay(p.ID, portstest.CardDeclined)
	p = h.Look(p)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	h.RunDue()
	require.Equal(t, core.OperationUnknown, h.Operation(p.ID, core.OpCancelPayment).Status)
	h.Clock.Advance(25 * time.Hour) // the key is forgotten, so only a look can help
	h.RunAll()
	require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCancelPayment).Status)
	require.Empty(t, h.Store.GivenUp())
	require.Equal(t, core.PaymentFailed, h.Payment(p.ID).Status)
}

// The operation's outcome is committed, and the look at the object that has to follow
// fails: the state must come to us all the same, without any message.
func TestALookThatFailedAfterTheOutcomeIsMadeUpFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	_, err := capture(t, h, p, nil, "key")
	require.NoError(t, err)
	h.Provider.OnCall(func(_ context.Context, call portstest.FakeCall) {
		if call.Method == "CapturePayment" { // it works this time, and the look after it does not
			h.Provider.OnCall(nil)
			h.Provider.FailNext(portstest.NoAnswer())
		}
	})
	_, err = capture(t, h, p, nil, "key")
	require.Error(t, err)
	require.Equal(t, core.OperationSucceeded, h.Operation(p.ID, core.OpCapturePayment).Status)
	h.RunAll()
	require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
}

func TestADeathAtAnyCommitIsMadeUpFor(t *testing.T) {
	t.Parallel()
	for skip := range 2 {
		for _, afterCommit := range []bool{false, true} {
			h := newHouse(t)
			p := h.Authorized()
			h.Store.CrashNext(skip, afterCommit)
			_, err := capture(t, h, p, nil, "key")
			require.ErrorIs(t, err, coretest.ErrCrashed)
			h.Store.CrashNever()
			h.RunAll() // as the next process does
			if skip == 0 && !afterCommit {
				require.Equal(t, core.PaymentAuthorized, h.Payment(p.ID).Status, "nothing was asked")
				_, err = capture(t, h, p, nil, "key")
				require.NoError(t, err)
			}
			require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status, "skip %d after %t", skip, afterCommit)
			op := h.Operation(p.ID, core.OpCapturePayment)
			require.Equal(t, core.OperationSucceeded, op.Status)
			require.Equal(t, 1, h.Provider.EffectsOf(op.Key()))
			require.Empty(t, h.Store.GivenUp())
		}
	}
}

func TestTheCallerMayGo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Authorized()
	gone, cancel := context.WithCancel(t.Context())
	h.Provider.OnCall(func(context.Context, portstest.FakeCall) { cancel() })
	p, err := h.Payments.Capture(gone, payments.Capture{Payment: p.ID, Cause: byAPI})
	require.NoError(t, err)
	require.Equal(t, core.PaymentSucceeded, p.Status, "what is written down goes on to its end")
}

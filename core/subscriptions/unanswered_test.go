package subscriptions_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/subscriptions"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func TestVerbsWhoseAnswerNeverCame(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*portstest.FakeProvider){
		"and it did nothing":  func(f *portstest.FakeProvider) { f.FailNext(portstest.NoAnswer()) },
		"and it did its work": func(f *portstest.FakeProvider) { f.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		for verbName, do := range map[string]func(*coretest.House, core.Subscription) (subscriptions.Outcome, error){
			"pause": func(h *coretest.House, s core.Subscription) (subscriptions.Outcome, error) {
				return h.Subscriptions.Pause(t.Context(), verb(s, "k"))
			},
			"cancel": func(h *coretest.House, s core.Subscription) (subscriptions.Outcome, error) {
				return h.Subscriptions.Cancel(t.Context(), verb(s, "k"), false)
			},
			"change": func(h *coretest.House, s core.Subscription) (subscriptions.Outcome, error) {
				return h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb(s, "k"), Quantity: 2})
			},
		} {
			t.Run(verbName+" "+name, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
				before := h.Subscription(s.ID)
				fail(h.Provider)
				outcome, err := do(h, s)
				require.NoError(t, err)
				require.True(t, outcome.Open)
				require.Equal(t, before, outcome.Subscription)
				h.RunAll()
				outcome, err = do(h, s)
				require.NoError(t, err)
				require.False(t, outcome.Open)
				require.NotEqual(t, before, outcome.Subscription)
				operations, err := h.Store.SubjectOperations(t.Context(), string(s.ID))
				require.NoError(t, err)
				require.Len(t, operations, 2)
				require.Equal(t, core.OperationSucceeded, operations[1].Status)
				require.Equal(t, 1, h.Provider.EffectsOf(operations[1].Key()))
				require.Empty(t, h.Store.GivenUp())
			})
		}
	}
}

func TestAVerbIsLookedUpOnceItsKeyIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	h.Provider.FailNextAfterCommit(portstest.NoAnswer())
	outcome, err := h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb(s, "k"), Quantity: 3})
	require.NoError(t, err)
	require.True(t, outcome.Open)
	h.Clock.Advance(25 * time.Hour)
	h.RunDue()
	outcome, err = h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb(s, "k"), Quantity: 3})
	require.NoError(t, err)
	require.EqualValues(t, 3, outcome.Subscription.Quantity)
	require.Equal(t, 1, h.Provider.CallsOf("ChangeSubscription"))
}

// An end that is being brought cannot be called off: whoever asks must not be told that it was.
func TestAnEndOnItsWayIsNotCalledOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(c *ports.Capabilities) {
		can := *c.Subscriptions
		can.CancelLater = false
		c.Subscriptions = &can
	})
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	h.RunAll()
	outcome, err := h.Subscriptions.Cancel(t.Context(), verb(s, "later"), true)
	require.NoError(t, err)
	require.True(t, outcome.Subscription.CancelHere)
	h.Clock.Advance(s.CurrentPeriodEnd.Sub(h.Clock.Now()) - time.Minute)
	// The sweep comes in between the check and the change, and gets no answer.
	h.Store.BeforeNextTx(func(context.Context) {
		h.Store.BeforeNextTx(func(ctx context.Context) {
			h.Provider.FailNextAfterCommit(portstest.NoAnswer())
			require.NoError(t, h.Subscriptions.Watch(ctx, watch))
		})
	})
	_, err = h.Subscriptions.Resume(t.Context(), verb(s, "keep"))
	require.ErrorIs(t, err, core.ErrOperationOpen)
	h.RunAll()
	require.Equal(t, core.SubscriptionCanceled, h.Subscription(s.ID).Status)
}

// The outcome was committed, and the look that had to follow it failed.
func TestALookThatFailedAfterTheOutcomeIsMadeUpFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	h.RunAll()
	h.Provider.FailNext(portstest.NoAnswer())
	outcome, err := h.Subscriptions.Cancel(t.Context(), verb(s, "k"), false)
	require.NoError(t, err)
	require.True(t, outcome.Open)
	h.Provider.OnCall(func(_ context.Context, call portstest.FakeCall) {
		if call.Method == "CancelSubscription" {
			h.Provider.OnCall(nil)
			h.Provider.FailNext(portstest.NoAnswer()) // the look
		}
	})
	h.RunAll()
	require.Equal(t, core.SubscriptionCanceled, h.Subscription(s.ID).Status)
	require.Empty(t, h.Store.GivenUp())
}

// A verb that was not done must not stand in the way of all others for ever: the buyer would be billed
// on, since nobody could end it.
func TestAVerbThatALookRefutesIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*coretest.House, core.Subscription) error{
		"pause": func(h *coretest.House, s core.Subscription) error {
			_, err := h.Subscriptions.Pause(t.Context(), verb(s, "k"))
			return err
		},
		"change": func(h *coretest.House, s core.Subscription) error {
			_, err := h.Subscriptions.Change(t.Context(), subscriptions.Change{Verb: verb(s, "k"), Quantity: 3})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
			h.RunAll()
			h.Provider.FailNext(portstest.NoAnswer())
			require.NoError(t, do(h, s))
			h.Clock.Advance(25 * time.Hour)
			outcome, err := h.Subscriptions.Cancel(t.Context(), verb(s, "end"), false)
			require.NoError(t, err)
			require.Equal(t, core.SubscriptionCanceled, outcome.Subscription.Status)
			var refused *core.RefusedError
			require.ErrorAs(t, do(h, s), &refused, "the same call tells that it was not done")
			require.Equal(t, 1, h.Provider.CallsOf("PauseSubscription")+h.Provider.CallsOf("ChangeSubscription"))
		})
	}
}

// Just after it was sent, a look may be too early.
func TestAVerbThatWasJustSentIsNotGivenUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	h.RunAll()
	h.Provider.FailNext(portstest.NoAnswer())
	_, err := h.Subscriptions.Pause(t.Context(), verb(s, "k"))
	require.NoError(t, err)
	h.Clock.Advance(23*time.Hour + 59*time.Minute)
	h.Provider.FailNext(portstest.NoAnswer())
	_, err = h.Subscriptions.Cancel(t.Context(), verb(s, "end"), false) // sends the pause once more
	require.ErrorIs(t, err, core.ErrOperationOpen)
	h.Clock.Advance(2 * time.Minute) // its key is forgotten
	_, err = h.Subscriptions.Cancel(t.Context(), verb(s, "end"), false)
	require.ErrorIs(t, err, core.ErrOperationOpen)
	h.Clock.Advance(10 * time.Minute)
	outcome, err := h.Subscriptions.Cancel(t.Context(), verb(s, "end"), false)
	require.NoError(t, err)
	require.Equal(t, core.SubscriptionCanceled, outcome.Subscription.Status)
}

func TestARefusedVerbIsLookedAt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
	h.Provider.Steer(t, s.ProviderSubscriptionID, portstest.Steering{Do: portstest.SteerCancel})
	_, err := h.Subscriptions.Pause(t.Context(), verb(s, "k"))
	var refused *core.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, core.SubscriptionCanceled, h.Subscription(s.ID).Status)
	_, err = h.Subscriptions.Pause(t.Context(), verb(s, "k"))
	require.ErrorAs(t, err, &refused, "the same call gives the same answer")
}

// Somebody looks while a verb is on its way: what its answer shows may be older, so it is looked at
// afresh, and nothing is told twice.
func TestALookDuringAVerb(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		s := h.Subscribed(h.Plan(fee, 0).ID, 1, portstest.CardSucceeds)
		h.Provider.OnCall(func(ctx context.Context, call portstest.FakeCall) {
			if call.Method != "PauseSubscription" {
				return
			}
			h.Provider.OnCall(nil)
			h.Provider.Steer(t, s.ProviderSubscriptionID, portstest.Steering{Do: portstest.SteerQuantity, Quantity: 5})
			_, err := h.Observe.Sync(ctx, s.Ref(), core.Cause{Kind: core.CauseStaff})
			require.NoError(t, err)
		})
		outcome, err := h.Subscriptions.Pause(t.Context(), verb(s, "k"))
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionPaused, outcome.Subscription.Status)
		require.EqualValues(t, 5, outcome.Subscription.Quantity)
		require.Equal(t, []core.EventType{core.EventSubscriptionCreated, core.EventSubscriptionUpdated, core.EventSubscriptionPaused}, h.Types(string(s.ID)))
	})
}

// A payment of a subscription's invoice is looked at by itself while the subscription is.
func TestALookAtThePaymentDuringOneAtTheSubscription(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
		attempt, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		s := attempt.Subscription
		first := paymentsOf(t, h, s.ID)
		require.Len(t, first, 1, "the first payment is known before it is made")
		require.True(t, h.Provider.Subscribe(s.ProviderSubscriptionID, portstest.CardSucceeds))
		h.Provider.OnCall(func(ctx context.Context, call portstest.FakeCall) {
			if call.Method != "GetPayment" {
				return
			}
			h.Provider.OnCall(nil)
			_, err := h.Observe.Sync(ctx, first[0].Ref(), core.Cause{Kind: core.CauseStaff})
			require.NoError(t, err)
		})
		s, after, err := h.Subscriptions.Look(t.Context(), checkout.ID, s.ID)
		require.NoError(t, err)
		require.Equal(t, core.SubscriptionActive, s.Status)
		require.Equal(t, core.CheckoutComplete, after.Status)
		require.Equal(t, core.PaymentSucceeded, h.Payment(first[0].ID).Status)
		require.Equal(t, []core.EventType{core.EventPaymentRequiresAction, core.EventPaymentSucceeded}, h.Types(string(first[0].ID)))
	})
}

// Many begin at the same moment, and one of them does.
func TestManyBuyersAtOnce(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		checkout := h.OpenPlan(h.Plan(fee, 0).ID, 1)
		var racers sync.WaitGroup
		for range 8 {
			racers.Go(func() { _, _ = h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account) })
		}
		racers.Wait()
		h.RunAll()
		attempt, err := h.Subscriptions.Start(t.Context(), checkout.ID, coretest.Account)
		require.NoError(t, err)
		page, err := h.Subscriptions.List(t.Context(), ports.SubscriptionFilter{Customer: checkout.Buyer.Customer}, core.PageRequest{Limit: 10})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, attempt.Subscription.ID, page.Items[0].ID)
		operations, err := h.Store.SubjectOperations(t.Context(), string(attempt.Subscription.ID))
		require.NoError(t, err)
		require.Len(t, operations, 1, "whoever comes late sends the same under the same key")
		require.Equal(t, 1, h.Provider.EffectsOf(operations[0].Key()))
		require.Empty(t, h.Store.GivenUp())
	})
}

// More subscriptions than one sweep takes, whose end the provider refuses, keep no other one from its
// end; what could not be ended is marked for staff.
func TestManyThatCannotBeEndedKeepNoOtherOneRunning(t *testing.T) {
	t.Parallel()
	const stuck = 105 // more than one run takes
	h := newHouse(t)
	h.Provider.SetCapabilities(func(c *ports.Capabilities) {
		can := *c.Subscriptions
		can.CancelLater = false
		c.Subscriptions = &can
	})
	plan := h.Plan(fee, 0)
	var all []core.Subscription
	for range stuck + 1 {
		s := h.Subscribed(plan.ID, 1, portstest.CardSucceeds)
		_, err := h.Subscriptions.Cancel(t.Context(), verb(s, ""), true)
		require.NoError(t, err)
		all = append(all, s)
		h.Clock.Advance(time.Second)
	}
	last := all[stuck]
	h.Clock.Advance(last.CurrentPeriodEnd.Sub(h.Clock.Now()) - 30*time.Minute)
	h.LoseJobs()
	for range stuck {
		h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "no", Op: "fake cancel"})
		h.Provider.FailNext(portstest.NoAnswer()) // the look at why
	}
	for range 2 {
		require.Error(t, h.Subscriptions.Watch(t.Context(), watch), "their ends are refused")
	}
	require.Equal(t, core.SubscriptionCanceled, h.Subscription(last.ID).Status)
	require.True(t, h.Subscription(all[0].ID).Status.Runs())

	// The first one was billed once more, since it could not be ended in time: staff see it, and it is
	// ended as soon as it can be, not with the next period.
	first := all[0]
	h.Clock.Advance(time.Hour)
	h.Sweep()
	require.True(t, h.Subscription(first.ID).CurrentPeriodEnd.After(first.CurrentPeriodEnd))
	require.Equal(t, core.ReasonStuck, h.Subscription(first.ID).Anomaly)
	h.Clock.Advance(10 * time.Minute)
	require.NoError(t, h.Subscriptions.Watch(t.Context(), watch))
	require.Equal(t, core.SubscriptionCanceled, h.Subscription(first.ID).Status)
}

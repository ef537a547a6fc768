package observe_test

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
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func newHouse(t *testing.T) *coretest.House { return coretest.New(t, repotest.SQLite(t)) }

func eachHouse(t *testing.T, test func(t *testing.T, h *coretest.House)) {
	t.Helper()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) { test(t, coretest.New(t, open(t))) })
}

var byTimer = core.Cause{Kind: core.CauseTimer}

func money(t *testing.T, minor int64, currency core.Currency) core.Money {
	t.Helper()
	m, err := core.NewMoney(minor, currency)
	require.NoError(t, err)
	return m
}

func TestWhatWasNotAskedForNeedsReview(t *testing.T) {
	t.Parallel()
	cases := map[core.ReviewReason]func(*core.PaymentSnapshot){
		core.ReviewAmount:      func(seen *core.PaymentSnapshot) { seen.Amount = money(t, 999, "EUR") },
		core.ReviewCurrency:    func(seen *core.PaymentSnapshot) { seen.Amount = money(t, coretest.Price, "USD") },
		core.ReviewEnvironment: func(seen *core.PaymentSnapshot) { seen.Environment = core.EnvLive },
		core.ReviewAmounts:     func(seen *core.PaymentSnapshot) { seen.Captured = money(t, 5000, "EUR") },
		core.ReviewTransition:  func(seen *core.PaymentSnapshot) { seen.Status = core.PaymentNeedsReview },
	}
	for reason, change := range cases {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p := h.Start(h.Open(core.CaptureAutomatic).ID)
			h.Pay(p.ID, portstest.CardSucceeds)
			h.Provider.Set(p.ID, change)
			h.Webhook("evt_1", p.ProviderPaymentID)
			h.RunDue()
			p = h.Payment(p.ID)
			require.Equal(t, core.PaymentNeedsReview, p.Status)
			require.Equal(t, reason, p.Review)
			checkout := h.Checkout(p.Checkout)
			require.Equal(t, core.CheckoutOpen, checkout.Status, "not delivered")
			require.Equal(t, p.ID, checkout.LeasedPayment(), "and not paid a second time")
			types := h.Types(string(p.ID))
			require.Equal(t, core.EventPaymentNeedsReview, types[len(types)-1])
			last := h.Timeline(p.ID)[len(h.Timeline(p.ID))-1]
			require.Equal(t, core.Reason(reason), last.Reason)
			require.Equal(t, core.Impossible.String(), last.Verdict)

			h.Webhook("evt_2", p.ProviderPaymentID)
			h.RunDue()
			require.Equal(t, types, h.Types(string(p.ID)), "told once")
			_, err := h.Payments.Start(t.Context(), p.Checkout, coretest.Account)
			require.ErrorIs(t, err, core.ErrPaymentInProgress)
		})
	}
}

// paidTwice is two attempts of one checkout, the first of which completed it after it
// had been given up.
func paidTwice(t *testing.T, h *coretest.House, capture core.CaptureMode) (first, second core.Payment) {
	t.Helper()
	checkout := h.Open(capture)
	first = h.Start(checkout.ID)
	h.Pay(first.ID, portstest.CardDeclined)
	first = h.Look(first)
	second = h.Start(checkout.ID)
	h.Pay(first.ID, portstest.CardSucceeds) // before it is closed
	h.Pay(second.ID, portstest.CardSucceeds)
	return h.Look(first), h.Look(second)
}

func TestASecondAuthorizationIsVoided(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first, second := paidTwice(t, h, core.CaptureManual)
	h.RunAll()
	first, second = h.Payment(first.ID), h.Payment(second.ID)
	require.Equal(t, core.PaymentAuthorized, first.Status, "it completed the checkout; that it was given up before does not close it")
	require.Empty(t, first.Anomaly)
	require.Equal(t, first.ID, h.Checkout(first.Checkout).Payment)
	require.Equal(t, core.PaymentCanceled, second.Status)
	require.Equal(t, core.ReasonOverpaid, second.Anomaly)
	require.Equal(t, []core.EventType{core.EventCheckoutCompleted}, h.Types(string(first.Checkout)), "completed once")
}

// While one attempt is open, an earlier one turns out to be paid: the open one must not
// be paid, too.
func TestCompletionClosesTheAttemptThatIsStillOpen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	first := h.Start(checkout.ID)
	h.Pay(first.ID, portstest.CardDeclined)
	first = h.Look(first)
	second := h.Start(checkout.ID)
	h.Pay(first.ID, portstest.CardSucceeds)
	require.Equal(t, core.PaymentSucceeded, h.Look(first).Status)
	h.RunDue()
	require.Equal(t, core.PaymentCanceled, h.Payment(second.ID).Status)
	require.False(t, h.Provider.Pay(second.ID, portstest.CardSucceeds), "nothing to be paid any more")
	checkout = h.Checkout(checkout.ID)
	require.Equal(t, core.CheckoutComplete, checkout.Status)
	require.Equal(t, first.ID, checkout.Payment)
	require.Empty(t, h.Store.GivenUp())
}

func TestASecondCaptureIsGivenBack(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*coretest.House){
		"at once":           func(*coretest.House) {},
		"after no answer":   func(h *coretest.House) { h.Provider.FailNext(portstest.NoAnswer()) },
		"done and not told": func(h *coretest.House) { h.Provider.FailNextAfterCommit(portstest.NoAnswer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			first, second := paidTwice(t, h, core.CaptureAutomatic)
			require.Equal(t, core.PaymentSucceeded, first.Status)
			require.Equal(t, core.PaymentSucceeded, second.Status)
			trouble(h)
			h.RunAll()
			checkout := h.Checkout(first.Checkout)
			kept, back := h.Payment(first.ID), h.Payment(second.ID)
			if checkout.Payment == second.ID {
				kept, back = back, kept
			}
			require.Equal(t, checkout.Payment, kept.ID)
			require.Empty(t, kept.Anomaly)
			require.True(t, kept.AmountRefunded.IsZero())
			require.Equal(t, core.PaymentSucceeded, back.Status, "money facts win")
			require.Equal(t, back.AmountCaptured, back.AmountRefunded)
			require.Equal(t, core.ReasonOverpaid, back.Anomaly, "staff see it")
			reasons := map[core.Reason]bool{}
			for _, entry := range h.Timeline(back.ID) {
				reasons[entry.Reason] = true
			}
			require.True(t, reasons[core.ReasonOverpaid])
			require.Equal(t, core.OperationSucceeded, h.Operation(back.ID, core.OpRefundPayment).Status)
			require.Empty(t, h.Store.GivenUp())
		})
	}
}

// What was taken a second time may have gone back in part, by the provider's dashboard, before anybody
// here has seen that it was taken: both are seen by the same look.
func TestASecondCaptureThatWentBackInPartElsewhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	checkout := h.Open(core.CaptureAutomatic)
	first := h.Start(checkout.ID)
	h.Pay(first.ID, portstest.CardDeclined)
	first = h.Look(first)
	second := h.Start(checkout.ID)
	h.Pay(first.ID, portstest.CardSucceeds)
	h.Pay(second.ID, portstest.CardSucceeds)
	first = h.Look(first)
	h.Provider.RefundElsewhere(t, second.ID, 300)
	second = h.Look(second)
	require.Equal(t, core.PaymentSucceeded, second.Status)
	require.Equal(t, core.ReasonOverpaid, second.Anomaly)
	require.EqualValues(t, 300, second.AmountRefunded.Minor())
	h.RunAll()
	require.Equal(t, second.AmountCaptured, h.Payment(second.ID).AmountRefunded, "the rest goes back, too")
	require.True(t, h.Payment(first.ID).AmountRefunded.IsZero())
	require.Empty(t, h.Store.GivenUp())
}

// Where the money cannot go back by itself, staff have to see to it.
func TestASecondCaptureThatCannotBeGivenBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Refund = false })
	paidTwice(t, h, core.CaptureAutomatic)
	h.RunAll()
	require.NotEmpty(t, h.Store.GivenUp())
	require.Zero(t, h.Provider.CallsOf("RefundPayment"))
}

func TestAnOlderSightCannotOverwriteANewerOne(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		p := h.Start(h.Open(core.CaptureManual).ID)
		show := func(status core.PaymentStatus, foreign string) {
			h.Provider.Set(p.ID, func(seen *core.PaymentSnapshot) { seen.Status, seen.ForeignStatus = status, foreign })
		}
		show(core.PaymentProcessing, "processing")
		// By the time that this sight reaches the store it is old: another has been stored.
		h.Store.BeforeNextTx(func(ctx context.Context) {
			show(core.PaymentRequiresAction, "requires_action")
			_, err := h.Observe.Sync(ctx, p.Ref(), byTimer)
			require.NoError(t, err)
		})
		observation, err := h.Observe.Sync(t.Context(), p.Ref(), byTimer)
		require.NoError(t, err)
		require.Equal(t, core.PaymentRequiresAction, observation.Payment.Status)
		require.Equal(t, core.PaymentRequiresAction, h.Payment(p.ID).Status)
		require.Equal(t, "requires_action", h.Payment(p.ID).ForeignStatus)
		require.Equal(t, 3, h.Provider.CallsOf("GetPayment"), "the first looked again")
	})
}

func TestManyLooksAtOnceMoveOnce(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		h.Pay(p.ID, portstest.CardSucceeds)
		var all sync.WaitGroup
		failed := make([]error, 24)
		for n := range failed {
			all.Go(func() { _, failed[n] = h.Observe.Sync(t.Context(), p.Ref(), byTimer) })
		}
		all.Wait()
		for _, err := range failed {
			require.NoError(t, err)
		}
		require.Equal(t, []core.EventType{core.EventPaymentRequiresAction, core.EventPaymentSucceeded}, h.Types(string(p.ID)))
		require.Equal(t, []core.EventType{core.EventCheckoutCompleted}, h.Types(string(p.Checkout)))
	})
}

func TestSyncOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ref := core.ProviderRef{Account: coretest.Account, Kind: core.ObjectPayment, ID: "pi_nobody"}
	observation, err := h.Observe.Sync(t.Context(), ref, byTimer)
	require.NoError(t, err)
	require.Equal(t, core.ReasonMissing, observation.Reason)
	ref.Account = "gone"
	_, err = h.Observe.Sync(t.Context(), ref, byTimer)
	require.ErrorIs(t, err, ports.ErrNotFound)

	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Provider.Forget(p.ID)
	observation, err = h.Observe.Sync(t.Context(), p.Ref(), byTimer)
	require.NoError(t, err)
	require.Equal(t, core.ReasonMissing, observation.Reason)
	require.Equal(t, p, h.Payment(p.ID), "nothing was seen, so nothing moves")

	h.Provider.FailNext(portstest.NoAnswer())
	_, err = h.Observe.Sync(t.Context(), p.Ref(), byTimer)
	var provider *core.ProviderError
	require.ErrorAs(t, err, &provider)
}

// An object names our payment, but belongs to another account or is a second one.
func TestObjectsThatOnlyClaimToBeOurs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	claim := core.PaymentSnapshot{
		Payment: p.ID, Status: core.PaymentSucceeded, Amount: p.Amount, Authorized: p.Amount, Captured: p.Amount,
		Refunded: core.Zero("EUR"), Environment: core.EnvTest,
	}
	claim.Ref = core.ProviderRef{Account: coretest.Account, Kind: core.ObjectPayment, ID: "pi_second"}
	h.Provider.Add(claim)
	other := claim
	other.Ref.Account = coretest.OtherAccount
	h.Other.Add(other)
	for _, ref := range []core.ProviderRef{claim.Ref, other.Ref} {
		observation, err := h.Observe.Sync(t.Context(), ref, byTimer)
		require.NoError(t, err)
		require.Equal(t, core.ReasonNotOurs, observation.Reason)
	}
	require.Equal(t, p, h.Payment(p.ID))
}

func TestMessagesThatCannotBeProcessedAreKeptForStaff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Webhook("evt_1", p.ProviderPaymentID)
	inbound := h.Store.Jobs(ports.JobSyncInbound)[0].Inbound
	h.Provider.FailNext(portstest.NoAnswer()) // the first try gives up nothing
	for range 6 {                             // as often as a job is tried here
		h.Provider.FailNext(&core.ProviderError{Class: core.ClassInvalid, Foreign: "api_error", Op: "fake look"})
	}
	for range 10 {
		h.RunDue()
		h.Clock.Advance(time.Hour)
		if len(h.Store.GivenUp()) > 0 {
			break
		}
	}
	event, err := h.Store.Inbound(t.Context(), inbound)
	require.NoError(t, err)
	require.Equal(t, core.InboundFailed, event.Status)
	require.Contains(t, event.Note, "api_error")

	h.Pay(p.ID, portstest.CardSucceeds)
	_, err = h.Inbox.Replay(t.Context(), inbound)
	require.NoError(t, err)
	h.RunAll()
	event, err = h.Store.Inbound(t.Context(), inbound)
	require.NoError(t, err)
	require.Equal(t, core.InboundProcessed, event.Status)
	require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
	_, err = h.Inbox.Replay(t.Context(), "evt_missing")
	require.ErrorIs(t, err, ports.ErrNotFound)
}

func TestMessagesWaitWhileTheProviderGivesNoAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Start(h.Open(core.CaptureAutomatic).ID)
	h.Webhook("evt_1", p.ProviderPaymentID)
	inbound := h.Store.Jobs(ports.JobSyncInbound)[0].Inbound
	for range 6 { // as often as a job is tried here
		h.Provider.FailNext(portstest.NoAnswer())
	}
	for range 10 {
		h.RunDue()
		h.Clock.Advance(time.Hour)
		if len(h.Store.GivenUp()) > 0 {
			break
		}
	}
	require.NotEmpty(t, h.Store.GivenUp(), "the job has tried as often as it may")
	event, err := h.Store.Inbound(t.Context(), inbound)
	require.NoError(t, err)
	require.Equal(t, core.InboundReceived, event.Status, "the sweep of events takes it up again")
}

func TestMessagesOfOtherTypesAreIgnored(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	delivery := h.Delivery("evt_ping", "")
	delivery.Ref, delivery.Type = core.ProviderRef{}, "ping"
	require.NoError(t, h.Inbox.Accept(t.Context(), []core.Delivery{delivery, delivery}))
	require.Empty(t, h.Store.Jobs(ports.JobSyncInbound))
	page, err := h.Store.InboundEvents(t.Context(), ports.InboundFilter{}, core.PageRequest{Limit: 5})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, core.InboundIgnored, page.Items[0].Status)
	var invalid *core.InvalidError
	_, err = h.Inbox.Replay(t.Context(), page.Items[0].ID)
	require.ErrorAs(t, err, &invalid)
}

func TestABatchIsAcceptedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		var batch []core.Delivery
		for n := range 50 {
			batch = append(batch, h.Delivery(fmt.Sprint("evt_", n%40), "pi_x"))
		}
		h.Store.CrashNext(0, false)
		require.ErrorIs(t, h.Inbox.Accept(t.Context(), batch), coretest.ErrCrashed)
		require.Empty(t, h.Store.Jobs(ports.JobSyncInbound))
		var all sync.WaitGroup
		failed := make([]error, 4)
		for n := range failed {
			all.Go(func() { failed[n] = h.Inbox.Accept(t.Context(), batch) })
		}
		all.Wait()
		require.NoError(t, errors.Join(failed...))
		require.Len(t, h.Store.Jobs(ports.JobSyncInbound), 40, "one job for each message")
	})
}

func TestTheStateAtAnyDeathIsWhole(t *testing.T) {
	t.Parallel()
	for _, afterCommit := range []bool{false, true} {
		h := newHouse(t)
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		h.Pay(p.ID, portstest.CardSucceeds)
		h.Store.CrashNext(0, afterCommit)
		_, err := h.Observe.Sync(t.Context(), p.Ref(), byTimer)
		require.ErrorIs(t, err, coretest.ErrCrashed)
		told := len(h.Events(string(p.ID)))
		if afterCommit {
			require.Equal(t, 2, told)
		} else {
			require.Equal(t, 1, told, "neither state nor event")
			require.Equal(t, core.PaymentRequiresAction, h.Payment(p.ID).Status)
		}
		_, err = h.Observe.Sync(t.Context(), p.Ref(), byTimer)
		require.NoError(t, err)
		require.Len(t, h.Events(string(p.ID)), 2)
		require.Equal(t, core.CheckoutComplete, h.Checkout(p.Checkout).Status)
	}
}

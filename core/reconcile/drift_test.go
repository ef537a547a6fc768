package reconcile_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// reconcile compares the first account and gives what differed by the provider's id.
func reconcile(t *testing.T, h *coretest.House, dryRun bool) (core.DriftRun, map[string]core.Drift) {
	t.Helper()
	h.Clock.Advance(settled)
	drifts := make(map[string]core.Drift)
	run, failed, err := h.Reconcile.Reconcile(t.Context(), coretest.Account, time.Time{}, dryRun, func(d core.Drift) error {
		require.NotContains(t, drifts, d.ForeignID, "told once")
		drifts[d.ForeignID] = d
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, failed)
	require.Equal(t, core.DriftDone, run.Status)
	return run, drifts
}

// stored is what is kept of the first account's last comparison.
func stored(t *testing.T, h *coretest.House) (run core.DriftRun, drifts []core.Drift) {
	t.Helper()
	runs, err := h.Store.DriftRuns(t.Context())
	require.NoError(t, err)
	for _, one := range runs {
		if one.Account == coretest.Account {
			run = one
		}
	}
	drifts, err = h.Store.Drifts(t.Context())
	require.NoError(t, err)
	return run, drifts
}

// traded has one of each kind that is equal here and there.
func traded(t *testing.T, h *coretest.House) (paid core.Payment, dispute core.Dispute, subscription core.Subscription) {
	t.Helper()
	paid = h.Paid()
	h.Provider.RefundElsewhere(t, paid.ID, 100)
	subscription = h.Subscribed(h.Plan(900, 0).ID, 1, portstest.CardSucceeds)
	ref := core.ProviderRef{Account: coretest.Account, Kind: core.ObjectDispute, ID: h.Provider.OpenDispute(t, h.Paid().ID, false)}
	h.RunAll()
	for _, look := range []core.ProviderRef{paid.Ref(), ref} {
		_, err := h.Observe.Sync(t.Context(), look, core.Cause{Kind: core.CauseWebhook})
		require.NoError(t, err)
	}
	dispute, err := h.Store.DisputeByRef(t.Context(), ref)
	require.NoError(t, err)
	return h.Payment(paid.ID), dispute, subscription
}

func TestWhatIsEqualIsNoDrift(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		traded(t, h)
		h.Start(h.Open(core.CaptureAutomatic).ID) // and an attempt that nobody goes on with
		run, drifts := reconcile(t, h, false)
		require.Empty(t, drifts)
		require.Equal(t, [3]int64{}, [3]int64{run.Repaired, run.Remaining, run.Others})
		require.GreaterOrEqual(t, run.Compared, int64(6))
		kept, none := stored(t, h)
		require.Empty(t, none)
		require.Equal(t, run, kept)
	})
}

func TestDriftIsFoundAndRepaired(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		paid, dispute, subscription := traded(t, h)
		refund := h.Provider.RefundElsewhere(t, paid.ID, 300)
		h.Provider.SetDispute(dispute.ProviderDisputeID, func(d *core.DisputeSnapshot) { d.Status = core.DisputeUnderReview })
		h.Provider.SetSubscription(subscription.ProviderSubscriptionID, func(s *core.SubscriptionSnapshot) { s.CancelAtPeriodEnd = true })

		before, tried := reconcile(t, h, true)
		require.EqualValues(t, 4, before.Remaining, "%v", tried)
		require.Equal(t, core.DriftMissingHere, tried[refund].Class)
		require.EqualValues(t, 100, h.Payment(paid.ID).AmountRefunded.Minor(), "a dry run changes nothing")
		none, _ := stored(t, h)
		require.Zero(t, none, "and keeps nothing")

		run, drifts := reconcile(t, h, false)
		require.Equal(t, [2]int64{3, 0}, [2]int64{run.Repaired, run.Remaining}, "%v", drifts)
		money := drifts[paid.ProviderPaymentID]
		require.Equal(t, core.DriftDiffers, money.Class)
		require.Equal(t, string(paid.ID), money.ID)
		require.Equal(t, []core.Difference{{Field: "amount_refunded", Ours: "100 EUR", Theirs: "400 EUR"}}, money.Fields)
		require.True(t, money.Repaired)
		require.Equal(t, "status", drifts[dispute.ProviderDisputeID].Fields[0].Field)
		require.Equal(t, "cancel_at_period_end", drifts[subscription.ProviderSubscriptionID].Fields[0].Field)
		require.EqualValues(t, 400, h.Payment(paid.ID).AmountRefunded.Minor())
		ref := core.ProviderRef{Account: coretest.Account, Kind: core.ObjectRefund, ID: refund}
		_, err := h.Store.RefundByRef(t.Context(), ref)
		require.NoError(t, err, "repaired with its payment")
		causes := map[core.CauseKind]bool{}
		for _, entry := range h.Timeline(paid.ID) {
			causes[entry.Cause.Kind] = true
		}
		require.True(t, causes[core.CauseReconcile], "the history says how")

		_, again := reconcile(t, h, false)
		require.Empty(t, again)
	})
}

// What a look does not change stays, is said to staff, and is kept until the next comparison.
func TestDriftThatRemains(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		gone, dear := h.Paid(), h.Paid()
		h.Provider.Forget(gone.ID)
		h.Provider.Set(dear.ID, func(s *core.PaymentSnapshot) {
			s.Amount, s.Captured, s.Authorized = money(t, 5000), money(t, 5000), money(t, 5000)
		})
		declined := h.Start(h.Open(core.CaptureAutomatic).ID)
		h.Pay(declined.ID, portstest.CardDeclined)
		_, err := h.Observe.Sync(t.Context(), declined.Ref(), core.Cause{Kind: core.CauseBuyer})
		require.NoError(t, err)
		h.Provider.Forget(declined.ID) // providers forget what never held money
		h.Provider.Add(core.PaymentSnapshot{
			Ref: core.ProviderRef{Account: coretest.Account, Kind: core.ObjectPayment, ID: "pi_orphan"}, Payment: core.PaymentID("pay_00000000000000000000000001"),
			Status: core.PaymentSucceeded, Amount: gone.Amount, Authorized: gone.Amount, Captured: gone.Amount, Refunded: core.Zero("EUR"),
			Environment: core.EnvTest, CreatedAt: h.Clock.Now(),
		})
		h.Provider.Add(core.PaymentSnapshot{
			Ref: core.ProviderRef{Account: coretest.Account, Kind: core.ObjectPayment, ID: "pi_other"}, Status: core.PaymentSucceeded,
			Amount: gone.Amount, Authorized: gone.Amount, Captured: gone.Amount, Refunded: core.Zero("EUR"), Environment: core.EnvTest, CreatedAt: h.Clock.Now(),
		})

		run, drifts := reconcile(t, h, false)
		require.Equal(t, [3]int64{0, 3, 1}, [3]int64{run.Repaired, run.Remaining, run.Others}, "%v", drifts)
		require.Equal(t, core.DriftMissingThere, drifts[gone.ProviderPaymentID].Class)
		require.Equal(t, string(gone.ID), drifts[gone.ProviderPaymentID].ID)
		require.Equal(t, core.DriftMissingHere, drifts["pi_orphan"].Class)
		require.Empty(t, drifts["pi_orphan"].ID)
		require.Equal(t, core.DriftDiffers, drifts[dear.ProviderPaymentID].Class)
		for _, drift := range drifts {
			require.NotEmpty(t, drift.Note)
			require.False(t, drift.Repaired)
		}
		require.Equal(t, core.PaymentSucceeded, h.Payment(gone.ID).Status, "nothing is taken back for that")
		kept, all := stored(t, h)
		require.Equal(t, run, kept)
		require.Len(t, all, 3)
		for _, drift := range all {
			require.Equal(t, drifts[drift.ForeignID], drift)
		}
		h.Provider.Set(dear.ID, func(s *core.PaymentSnapshot) {
			s.Amount, s.Captured, s.Authorized = dear.Amount, dear.Amount, dear.Amount
		})
		run, _ = reconcile(t, h, false)
		_, all = stored(t, h)
		require.Len(t, all, int(run.Remaining), "of the last one alone")
	})
}

func money(t *testing.T, minor int64) core.Money {
	t.Helper()
	m, err := core.NewMoney(minor, "EUR")
	require.NoError(t, err)
	return m
}

// A second object of the same payment that took money, too, is no earlier try of it.
func TestASecondObjectWithMoneyIsDrift(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	twin := core.PaymentSnapshot{
		Ref: core.ProviderRef{Account: coretest.Account, Kind: core.ObjectPayment, ID: "pi_twin"}, Payment: p.ID, Status: core.PaymentSucceeded,
		Amount: p.Amount, Authorized: p.Amount, Captured: p.Amount, Refunded: core.Zero("EUR"), Environment: core.EnvTest, CreatedAt: h.Clock.Now(),
	}
	h.Provider.Add(twin)
	twin.Ref.ID, twin.Status, twin.Authorized, twin.Captured = "pi_declined", core.PaymentFailed, core.Zero("EUR"), core.Zero("EUR")
	h.Provider.Add(twin)
	run, drifts := reconcile(t, h, false)
	require.EqualValues(t, 1, run.Remaining, "%v", drifts)
	require.Equal(t, "provider_payment_id", drifts["pi_twin"].Fields[0].Field)
}

// Without lists each of our own objects is fetched; what changed long after it was made, too.
func TestDriftWithoutLists(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Lists, can.ListPayments = nil, false })
	paid, dispute, _ := traded(t, h)
	old := h.Authorized()
	h.Clock.Advance(core.DriftPeriod * 3 / 4)
	fresh := h.Paid()
	h.Clock.Advance(core.DriftPeriod * 3 / 4)
	h.Provider.Set(paid.ID, func(s *core.PaymentSnapshot) { s.Refunded = money(t, 700) })
	h.Provider.Set(fresh.ID, func(s *core.PaymentSnapshot) { s.Refunded = money(t, 200) })
	h.Provider.Set(old.ID, func(s *core.PaymentSnapshot) { s.Status, s.Captured = core.PaymentSucceeded, s.Amount })
	_, err := h.Observe.Sync(t.Context(), old.Ref(), core.Cause{Kind: core.CauseWebhook})
	require.NoError(t, err)
	h.Provider.Set(old.ID, func(s *core.PaymentSnapshot) { s.Refunded = money(t, 900) })
	_, drifts := reconcile(t, h, true)
	require.Contains(t, drifts, fresh.ProviderPaymentID, "made in the period")
	require.Contains(t, drifts, old.ProviderPaymentID, "changed in it")
	require.NotContains(t, drifts, paid.ProviderPaymentID, "neither")
	require.NotContains(t, drifts, dispute.ProviderDisputeID)
}

// A provider that stops answering fails the comparison, which goes on there; a list that is not
// allowed fails a part of it, and the rest is compared.
func TestComparisonsThatFailSaySo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	traded(t, h)
	backfill(t, h, time.Time{})
	byNight := func() { // the schedule looks, and what follows from it
		require.NoError(t, h.Reconcile.BeginDrift(t.Context(), ports.Job{}))
		h.RunDue()
	}
	byNight()
	none, _ := stored(t, h)
	require.Zero(t, none, "not in the first hours")
	h.Clock.Advance(core.DriftEvery)
	p := h.Paid()
	h.Provider.RefundElsewhere(t, p.ID, 300)
	lists := 0
	h.Provider.OnCall(func(_ context.Context, call portstest.FakeCall) {
		if call.Method != "ListObjects" {
			return
		}
		if lists++; lists == 1 { // of the next
			h.Provider.FailNext(&core.ProviderError{Class: core.ClassRetryable, Foreign: "rate_limit", Op: "list"})
		}
	})
	byNight()
	run, _ := stored(t, h)
	require.Equal(t, core.DriftFailed, run.Status)
	require.Contains(t, run.Note, "rate_limit")
	require.Zero(t, run.EndedAt)
	require.Positive(t, run.Step)
	require.EqualValues(t, 1, run.Repaired)

	h.Provider.OnCall(nil)
	step := run.Step
	calls := h.Provider.CallsOf("ListPayments")
	byNight()
	run, _ = stored(t, h)
	require.Equal(t, core.DriftDone, run.Status, run.Note)
	require.Empty(t, run.Note)
	require.Greater(t, run.Step, step)
	require.Equal(t, calls, h.Provider.CallsOf("ListPayments"), "what was compared is not compared again")
	byNight()
	again, _ := stored(t, h)
	require.Equal(t, run, again, "once a day")

	h.Accounts[coretest.Account] = forbidden{h.Provider}
	h.Clock.Advance(core.DriftEvery)
	h.Provider.RefundElsewhere(t, p.ID, 100)
	got, failed, err := h.Reconcile.Reconcile(t.Context(), coretest.Account, time.Time{}, false, nil)
	require.NoError(t, err)
	require.ErrorContains(t, failed, "forbidden")
	require.Equal(t, core.DriftFailed, got.Status)
	require.NotZero(t, got.EndedAt)
	require.Contains(t, got.Note, "payment")
	require.Positive(t, got.Compared, "refunds were, all the same")
}

type forbidden struct{ *portstest.FakeProvider }

func (forbidden) ListPayments(context.Context, ports.ListPayments) (ports.PaymentList, error) {
	return ports.PaymentList{}, &core.ProviderError{Class: core.ClassInvalid, Code: core.FailureInvalidRequest, Foreign: "forbidden", Op: "list payments"}
}

// The job's time is over before it begins, or in the middle of the second page; another goes on from
// the page that was reached, and what was told is not told again.
func TestComparisonsWhoseTimeIsOverAreGoneOnWith(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Lists, can.ListPayments = nil, false })
	const paid, before = core.PageItemsMax + 20, core.PageItemsMax + 5
	h.Provider.Forget(h.Paid().ID)
	for range paid - 1 {
		h.Paid()
	}
	h.Clock.Advance(settled)
	job := ports.Job{Kind: ports.JobReconcileAccount, Subject: string(coretest.Account)}
	never := newLimited(t)
	never.end()
	require.NoError(t, h.Reconcile.ContinueDrift(never, job))
	require.Len(t, h.Store.Jobs(ports.JobReconcileAccount), 1, "another goes on")

	first := newLimited(t)
	h.Pacer.Before(first.endAfter(before))
	require.NoError(t, h.Reconcile.ContinueDrift(first, job), "no failure")
	h.Pacer.Before(nil)
	require.Len(t, h.Store.Jobs(ports.JobReconcileAccount), 2, "another goes on")
	run, drifts := stored(t, h)
	require.Equal(t, core.DriftRunning, run.Status)
	require.EqualValues(t, core.PageItemsMax, run.Compared, "the first page is kept")
	require.Len(t, drifts, 1)

	done := h.Pacer.Calls(coretest.Account)
	require.NoError(t, h.Reconcile.ContinueDrift(t.Context(), job))
	require.Equal(t, paid-core.PageItemsMax, h.Pacer.Calls(coretest.Account)-done, "the second page alone is fetched")
	run, drifts = stored(t, h)
	require.Equal(t, core.DriftDone, run.Status)
	require.Equal(t, [2]int64{paid, 1}, [2]int64{run.Compared, run.Remaining})
	require.Len(t, drifts, 1)
}

// limited is a context whose deadline passes when the test says so.
type limited struct {
	context.Context

	over chan struct{}
	once sync.Once
}

func newLimited(t *testing.T) *limited {
	t.Helper()
	return &limited{Context: t.Context(), over: make(chan struct{})}
}

// Done implements context.Context.
func (l *limited) Done() <-chan struct{} { return l.over }

// Err implements context.Context.
func (l *limited) Err() error {
	select {
	case <-l.over:
		return context.DeadlineExceeded
	default:
		return l.Context.Err()
	}
}

func (l *limited) end() { l.once.Do(func() { close(l.over) }) }

// endAfter ends it when it is paced for the call after as many.
func (l *limited) endAfter(calls int) func(context.Context, core.AccountName) {
	return func(context.Context, core.AccountName) {
		if calls--; calls < 0 {
			l.end()
		}
	}
}

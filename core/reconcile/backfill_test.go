package reconcile_test

import (
	"context"
	"fmt"
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

// settled is how long after something happened it is looked for.
const settled = core.BackfillSettle + time.Second

// backfill walks through the first account and gives the runs by stream.
func backfill(t *testing.T, h *coretest.House, since time.Time) map[core.BackfillStream]core.BackfillRun {
	t.Helper()
	h.Clock.Advance(settled)
	runs, err := h.Reconcile.Backfill(t.Context(), coretest.Account, since)
	require.NoError(t, err)
	byStream := make(map[core.BackfillStream]core.BackfillRun)
	for _, run := range runs {
		byStream[run.Stream] = run
	}
	return byStream
}

// byJobs does what the schedule begins, with all that follows.
func byJobs(t *testing.T, h *coretest.House) {
	t.Helper()
	require.NoError(t, h.Reconcile.Begin(t.Context(), ports.Job{}))
	h.RunDue()
}

func cursor(t *testing.T, h *coretest.House, stream core.BackfillStream) core.BackfillCursor {
	t.Helper()
	all, err := h.Store.BackfillCursors(t.Context())
	require.NoError(t, err)
	for _, c := range all {
		if c.Account == coretest.Account && c.Stream == stream {
			return c
		}
	}
	return core.BackfillCursor{}
}

func inbound(t *testing.T, h *coretest.House) []core.InboundEvent {
	t.Helper()
	page, err := h.Store.InboundEvents(t.Context(), ports.InboundFilter{}, core.PageRequest{Limit: core.PageItemsMax})
	require.NoError(t, err)
	return page.Items
}

// Everything that happens at the provider is told to nobody.
func TestBackfillBringsWhatNoWebhookDid(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		p := h.Start(h.Open(core.CaptureAutomatic).ID)
		h.Pay(p.ID, portstest.CardSucceeds)
		missed := h.Provider.Happen("payment.changed", p.Ref())
		told := h.Provider.Happen("payment.changed", p.Ref())
		told.ReceivedAt = h.Clock.Now()
		require.NoError(t, h.Inbox.Accept(t.Context(), []core.Delivery{told}))
		h.Provider.Happen("balance.changed", core.ProviderRef{}) // concerns nothing kept here
		require.Equal(t, core.PaymentRequiresAction, h.Payment(p.ID).Status)

		runs := backfill(t, h, time.Time{})
		events := runs[core.BackfillEvents]
		require.Equal(t, core.BackfillDone, events.Status, events.Note)
		require.Equal(t, []int{3, 1, 1}, []int{events.Listed, events.New, events.Others}, "listed, new, others")
		h.RunDue()
		require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
		sources := map[string]core.InboundSource{}
		for _, event := range inbound(t, h) {
			require.Equal(t, core.InboundProcessed, event.Status)
			sources[event.ProviderEventID] = event.Source
		}
		require.Equal(t, map[string]core.InboundSource{missed.ProviderEventID: core.InboundBackfill, told.ProviderEventID: core.InboundWebhook}, sources)

		again := backfill(t, h, time.Time{})
		require.Zero(t, again[core.BackfillEvents].New, "the overlap brings nothing twice")
		missed.ReceivedAt = h.Clock.Now()
		require.NoError(t, h.Inbox.Accept(t.Context(), []core.Delivery{missed}), "its webhook comes all the same, late")
		require.Len(t, inbound(t, h), 2)
	})
}

func TestBackfillFindsObjectsByTheirLists(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		equal, p := h.Paid(), h.Paid()
		subscription := h.Subscribed(h.Plan(900, 0).ID, 1, portstest.CardSucceeds)
		h.RunAll()
		backfill(t, h, time.Time{})
		h.Provider.RefundElsewhere(t, p.ID, 300)
		dispute := h.Provider.OpenDispute(t, equal.ID, false)
		require.True(t, h.Provider.SetSubscription(subscription.ProviderSubscriptionID, func(s *core.SubscriptionSnapshot) { s.CancelAtPeriodEnd = true }))
		h.Provider.Add(core.PaymentSnapshot{ // another program's
			Ref: core.ProviderRef{Account: coretest.Account, Kind: core.ObjectPayment, ID: "pi_other"}, Status: core.PaymentSucceeded,
			Amount: equal.Amount, Authorized: equal.Amount, Captured: equal.Amount, Refunded: core.Zero("EUR"),
			Environment: core.EnvTest, CreatedAt: h.Clock.Now(),
		})

		runs := backfill(t, h, time.Time{})
		for stream, want := range map[core.BackfillStream][3]int{ // listed, new, others
			core.BackfillEvents: {0, 0, 0}, core.BackfillPayments: {4, 1, 1}, core.BackfillRefunds: {1, 0, 0},
			core.BackfillDisputes: {1, 1, 0}, core.BackfillSubscriptions: {1, 1, 0},
		} {
			run := runs[stream]
			require.Equal(t, core.BackfillDone, run.Status, "%s: %s", stream, run.Note)
			require.Equal(t, want, [3]int{run.Listed, run.New, run.Others}, stream)
		}
		require.EqualValues(t, 300, h.Payment(p.ID).AmountRefunded.Minor())
		require.True(t, h.Payment(equal.ID).Disputed)
		found, err := h.Store.DisputeByRef(t.Context(), core.ProviderRef{Account: coretest.Account, Kind: core.ObjectDispute, ID: dispute})
		require.NoError(t, err)
		require.Equal(t, core.DisputeNeedsResponse, found.Status)
		require.True(t, h.Subscription(subscription.ID).CancelAtPeriodEnd)
		kinds := map[core.CauseKind]int{}
		for _, entry := range h.Timeline(equal.ID) {
			kinds[entry.Cause.Kind]++
		}
		require.Positive(t, kinds[core.CauseBackfill], "the history says how it was found: %v", kinds)

		before := h.Payment(p.ID)
		again := backfill(t, h, time.Time{})
		for stream, run := range again {
			require.Zero(t, run.New, stream)
		}
		require.Equal(t, before, h.Payment(p.ID))
	})
}

// What was asked for and whose answer was lost is ours by the id that the provider keeps with it.
func TestBackfillFindsPaymentsWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.FailNextAfterCommit(&core.ProviderError{Class: core.ClassUnknown, Op: "create"})
	_, err := h.Payments.Start(t.Context(), h.Open(core.CaptureAutomatic).ID, coretest.Account)
	require.Error(t, err)
	page, err := h.Store.Payments(t.Context(), ports.PaymentFilter{}, core.PageRequest{Limit: 1})
	require.NoError(t, err)
	require.Empty(t, page.Items[0].ProviderPaymentID)
	run := backfill(t, h, time.Time{})[core.BackfillPayments]
	require.Equal(t, [2]int{1, 1}, [2]int{run.Listed, run.New})
	require.NotEmpty(t, h.Payment(page.Items[0].ID).ProviderPaymentID)
}

func TestFailedRunsSaySoAndGoOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	backfill(t, h, time.Time{})
	good := cursor(t, h, core.BackfillEvents)
	require.Equal(t, core.BackfillDone, good.Status)
	p := h.Paid()
	const count = 2*core.PageItemsMax + 10
	for range count {
		h.Provider.Happen("payment.changed", p.Ref())
	}
	calls := 0
	h.Provider.OnCall(func(_ context.Context, call portstest.FakeCall) {
		if call.Method != "ListEvents" {
			return
		}
		if calls++; calls == 1 { // of the second page
			h.Provider.FailNext(&core.ProviderError{Class: core.ClassRetryable, Foreign: "rate_limit", Op: "list"})
		}
	})
	h.Clock.Advance(time.Hour)
	runs := backfill(t, h, time.Time{})
	run := runs[core.BackfillEvents]
	require.Equal(t, core.BackfillFailed, run.Status)
	require.Contains(t, run.Note, "rate_limit")
	require.ErrorContains(t, run.Err, "rate_limit")
	require.Equal(t, core.BackfillDone, runs[core.BackfillDisputes].Status, "the others go on")
	failed := cursor(t, h, core.BackfillEvents)
	require.Equal(t, good.SucceededAt, failed.SucceededAt, "the last success stays")
	require.Equal(t, good.TakenUntil, failed.TakenUntil, "nothing is skipped")
	require.NotEmpty(t, failed.Page, "what was taken of the window is kept")
	require.Len(t, inbound(t, h), core.PageItemsMax)

	h.Provider.OnCall(nil)
	byJobs(t, h)
	done := cursor(t, h, core.BackfillEvents)
	require.Equal(t, core.BackfillDone, done.Status)
	require.Empty(t, done.Note)
	require.Empty(t, done.Page)
	require.EqualValues(t, count, done.Found)
}

// A provider's cursor that was kept too long is refused; the window begins again.
func TestCursorsThatRanOutBeginTheWindowAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	backfill(t, h, time.Time{})
	p := h.Paid()
	for range core.PageItemsMax + 5 {
		h.Provider.Happen("payment.changed", p.Ref())
	}
	h.Clock.Advance(settled)
	c := cursor(t, h, core.BackfillEvents)
	c, _, _ = c.Next(h.Clock.Now(), time.Time{}, 0)
	c.Page = "ran out"
	require.NoError(t, h.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.SaveBackfillCursor(ctx, c) }))
	run := backfill(t, h, time.Time{})[core.BackfillEvents]
	require.Equal(t, core.BackfillDone, run.Status, run.Note)
	require.Equal(t, core.PageItemsMax+5, run.New)
}

// The job's time is over in the middle of a window; another goes on at the page that was reached.
func TestRunsWhoseTimeIsOverAreGoneOnWith(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	backfill(t, h, time.Time{})
	p := h.Paid()
	const pages = 3
	for range pages * core.PageItemsMax {
		h.Provider.Happen("payment.changed", p.Ref())
	}
	h.Clock.Advance(settled)
	job := ports.Job{Kind: ports.JobBackfillAccount, Subject: string(coretest.Account)}
	first := newLimited(t)
	h.Pacer.Before(first.endAfter(pages - 1))
	require.NoError(t, h.Reconcile.Continue(first, job), "no failure")
	h.Pacer.Before(nil)
	require.Len(t, h.Store.Jobs(ports.JobBackfillAccount), 1, "another goes on")
	reached := cursor(t, h, core.BackfillEvents)
	require.NotEqual(t, core.BackfillFailed, reached.Status)
	require.NotEmpty(t, reached.Page)
	require.EqualValues(t, (pages-1)*core.PageItemsMax, reached.Found, "the pages before are kept")
	h.RunDue()
	require.Empty(t, h.Store.Jobs(ports.JobBackfillAccount))
	require.EqualValues(t, pages*core.PageItemsMax, cursor(t, h, core.BackfillEvents).Found)
}

// Time goes on while a list is walked through; what happens meanwhile is the next run's.
func TestRunsEndAtTheTimeTheyBegan(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	backfill(t, h, time.Time{})
	p := h.Paid()
	h.Pacer.Before(func(context.Context, core.AccountName) { // each page takes a while
		h.Clock.Advance(settled)
		h.Provider.Happen("payment.changed", p.Ref())
	})
	before := h.Provider.CallsOf("ListEvents")
	run := backfill(t, h, time.Time{})[core.BackfillEvents]
	require.Equal(t, core.BackfillDone, run.Status)
	require.Equal(t, 1, h.Provider.CallsOf("ListEvents")-before)
	require.Zero(t, run.New)
	h.Pacer.Before(nil)
	require.Equal(t, 5, backfill(t, h, time.Time{})[core.BackfillEvents].New, "one for each list, a page each")
}

func TestLongOutagesAreWalkedInWindows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	backfill(t, h, time.Time{})
	const days = 20
	for range days {
		h.Clock.Advance(24 * time.Hour)
		h.Provider.Happen("payment.changed", p.Ref())
	}
	before := h.Provider.CallsOf("ListEvents")
	run := backfill(t, h, time.Time{})[core.BackfillEvents]
	require.Equal(t, days, run.New)
	require.Equal(t, core.BackfillDone, run.Status)
	calls := h.Provider.CallsOf("ListEvents") - before
	require.InDelta(t, days*24*time.Hour/core.BackfillWindowMax, calls, 2, "each window once")
}

// An outage longer than the provider lists events leaves a hole, which is said, and then every open
// object is looked at.
func TestWhatIsListedNoMoreIsSaidAndMadeUpFor(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *coretest.House) {
		h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Lists, can.ListPayments = nil, false })
		p := h.Start(h.Open(core.CaptureManual).ID)
		h.Pay(p.ID, portstest.CardSucceeds)
		subscription := h.Subscribed(h.Plan(900, 0).ID, 1, portstest.CardSucceeds)
		backfill(t, h, time.Time{})
		h.Provider.Set(p.ID, func(s *core.PaymentSnapshot) { s.Status, s.Captured = core.PaymentSucceeded, s.Amount })
		h.Provider.Happen("payment.changed", p.Ref())
		h.Clock.Advance(portstest.FakeEventsKept + 48*time.Hour)

		runs := backfill(t, h, time.Time{})
		events, open := runs[core.BackfillEvents], runs[core.BackfillOpen]
		require.Equal(t, core.BackfillIncomplete, events.Status)
		require.Contains(t, events.Note, "lists no events from")
		require.Zero(t, events.New)
		require.Equal(t, core.BackfillDone, open.Status, open.Note)
		require.Equal(t, 2, open.Listed, "what is not final, by its id")
		require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
		require.Greater(t, h.Subscription(subscription.ID).CurrentPeriodEnd, h.Clock.Now().Add(-31*24*time.Hour), "renewed meanwhile")

		runs = backfill(t, h, time.Time{})
		require.Equal(t, core.BackfillDone, runs[core.BackfillEvents].Status, "whole again")
		require.NotContains(t, runs, core.BackfillOpen, "once")
	})
}

func TestFirstRunsBeginAtTheOldestHeldObject(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, c := range map[string]struct{ oldest, want time.Time }{
		"none":        {time.Time{}, now.Add(-core.BackfillFirstLeast)},
		"a new one":   {now.Add(-time.Hour), now.Add(-core.BackfillFirstLeast)},
		"an old one":  {now.Add(-50 * time.Hour), now.Add(-50 * time.Hour)},
		"far too old": {now.Add(-9000 * time.Hour), now.Add(-core.BackfillFirstMost)},
	} {
		require.Equal(t, c.want, core.NewBackfillCursor("a", core.BackfillEvents, c.oldest, now).TakenUntil, name)
	}
	h := newHouse(t)
	paid := h.Paid() // nothing of ours is open, and no webhook tells of the dispute
	ref := core.ProviderRef{Account: coretest.Account, Kind: core.ObjectDispute, ID: h.Provider.OpenDispute(t, paid.ID, false)}
	h.Clock.Advance(3 * 24 * time.Hour)
	runs := backfill(t, h, time.Time{})
	_, err := h.Store.DisputeByRef(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, h.Clock.Now().Add(-3*24*time.Hour).Add(-settled-core.BackfillOverlap).Truncate(time.Minute), runs[core.BackfillEvents].From.Truncate(time.Minute))
}

func TestSinceWalksThroughWhatWasTakenOnceMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := h.Paid()
	h.Clock.Advance(time.Hour)
	backfill(t, h, time.Time{})
	taken := cursor(t, h, core.BackfillEvents).TakenUntil
	h.Clock.Advance(time.Hour)
	run := backfill(t, h, h.Clock.Now().Add(-90*time.Minute))[core.BackfillPayments]
	require.Zero(t, run.Listed)
	run = backfill(t, h, h.Clock.Now().Add(-150*time.Minute))[core.BackfillPayments]
	require.Equal(t, 1, run.Listed)
	require.Equal(t, core.PaymentSucceeded, h.Payment(p.ID).Status)
	require.True(t, cursor(t, h, core.BackfillEvents).TakenUntil.After(taken))
	_, err := h.Reconcile.Backfill(t.Context(), "nobody", time.Time{})
	require.ErrorAs(t, err, new(*core.InvalidError))
}

// A job leaves an account alone that another run is at, until that is believed dead; a person's
// command takes over, and the other notices before it writes anything.
func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	backfill(t, h, time.Time{})
	p := h.Paid()
	for range 3 * core.PageItemsMax {
		h.Provider.Happen("payment.changed", p.Ref())
	}
	h.Clock.Advance(settled)
	job := ports.Job{Kind: ports.JobBackfillAccount, Subject: string(coretest.Account)}
	var inner []core.BackfillRun
	waits := 0
	h.Pacer.Before(func(ctx context.Context, account core.AccountName) {
		if waits++; waits != 2 { // before the second page
			return
		}
		before := h.Provider.CallsOf("ListEvents")
		require.NoError(t, h.Reconcile.Continue(ctx, job))
		require.Equal(t, before, h.Provider.CallsOf("ListEvents"), "somebody is at it")
		var err error
		inner, err = h.Reconcile.Backfill(ctx, account, time.Time{})
		require.NoError(t, err)
	})
	err := h.Reconcile.Continue(t.Context(), job)
	require.ErrorContains(t, err, "took over")
	require.Equal(t, core.BackfillDone, inner[0].Status)
	require.EqualValues(t, 3*core.PageItemsMax, cursor(t, h, core.BackfillEvents).Found)
	require.Equal(t, core.BackfillDone, cursor(t, h, core.BackfillEvents).Status, "what the other wrote stands")

	h.Pacer.Before(nil)
	require.NoError(t, h.Store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		return tx.GrabLease(ctx, "backfill:"+string(coretest.Account), "a process that died", h.Clock.Now().Add(time.Minute))
	}))
	before := h.Provider.CallsOf("ListEvents")
	require.NoError(t, h.Reconcile.Continue(t.Context(), job))
	require.Equal(t, before, h.Provider.CallsOf("ListEvents"))
	h.Clock.Advance(2 * time.Minute)
	require.NoError(t, h.Reconcile.Continue(t.Context(), job))
	require.Greater(t, h.Provider.CallsOf("ListEvents"), before)
}

// Each event that is found has its object looked at: those calls are waited for as well.
func TestWalksKeepToTheirPace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.Lists, can.ListPayments = nil, false })
	p := h.Paid()
	backfill(t, h, time.Time{})
	for n := range core.PageItemsMax + 1 {
		h.Provider.Happen(fmt.Sprintf("payment.changed.%d", n), p.Ref())
	}
	before := h.Pacer.Calls(coretest.Account)
	backfill(t, h, time.Time{})
	require.Equal(t, 2+core.PageItemsMax, h.Pacer.Calls(coretest.Account)-before, "two pages, and what the first brought")
}

// Lists that are hours late are asked for further back, and less often.
func TestLateListsAreAskedForFurtherBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const late = 3 * time.Hour
	h.Provider.SetCapabilities(func(can *ports.Capabilities) { can.PaymentsLag = late })
	byJobs(t, h)
	first := cursor(t, h, core.BackfillPayments)
	h.Clock.Advance(time.Minute)
	byJobs(t, h)
	require.Equal(t, first, cursor(t, h, core.BackfillPayments), "too soon")
	h.Clock.Advance(late)
	run := backfill(t, h, time.Time{})[core.BackfillPayments]
	require.Equal(t, first.TakenUntil.Add(-late-core.BackfillOverlap), run.From)
}

func TestUnreadableEventsAreCounted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	backfill(t, h, time.Time{})
	h.Accounts[coretest.Account] = unreadable{h.Provider}
	run := backfill(t, h, time.Time{})[core.BackfillEvents]
	require.Equal(t, core.BackfillDone, run.Status)
	require.Equal(t, 3, run.Unreadable)
}

type unreadable struct{ *portstest.FakeProvider }

func (unreadable) ListEvents(context.Context, ports.ListEvents) (ports.EventList, error) {
	return ports.EventList{Unreadable: 3}, nil
}

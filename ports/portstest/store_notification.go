package portstest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// storedEndpoint is one that is told of things.
func storedEndpoint(t testing.TB, store ports.Store) core.Endpoint {
	t.Helper()
	endpoint := core.Endpoint{ID: storeID[core.EndpointID](), URL: "https://shop.example", Secret: "whsec_x", CreatedAt: minutes(1)}
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.InsertEndpoint(ctx, endpoint) })
	return endpoint
}

// newNotification is one that nobody tried, with the event that it tells of.
func newNotification(endpoint core.EndpointID, subject string) (core.Notification, core.Event) {
	event := fullEvent(core.EventPaymentFailed)
	event.Subject = subject
	return core.Notification{
		ID: storeID[core.NotificationID](), Endpoint: endpoint, Event: event.ID, Type: event.Type, Subject: subject,
		Status: core.NotificationPending, CreatedAt: minutes(int(storeSerial.Add(1))),
	}, event
}

// tell stores notifications of the given subjects, one transaction for all.
func tell(t testing.TB, store ports.Store, endpoint core.EndpointID, subjects ...string) []core.Notification {
	t.Helper()
	told := make([]core.Notification, len(subjects))
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		for i, subject := range subjects {
			n, event := newNotification(endpoint, subject)
			_, err := tx.AppendEvent(ctx, event)
			require.NoError(t, err)
			require.NoError(t, tx.AppendNotification(ctx, n))
			told[i] = n
		}
		return nil
	})
	for i := range told {
		told[i] = readNotification(t, store, told[i].ID)
	}
	return told
}

func readNotification(t testing.TB, store ports.Reader, id core.NotificationID) core.Notification {
	t.Helper()
	n, err := store.Notification(t.Context(), id)
	require.NoError(t, err)
	return n
}

// claim begins tries at a time.
func claim(t testing.TB, store ports.Store, endpoint core.EndpointID, now time.Time, limit int) (claimed []core.Notification) {
	t.Helper()
	inTx(t, store, func(ctx context.Context, tx ports.Tx) (err error) {
		_, err = tx.LockEndpoint(ctx, endpoint)
		require.NoError(t, err)
		claimed, err = tx.ClaimNotifications(ctx, endpoint, now, now.Add(time.Minute), limit)
		return err
	})
	return claimed
}

func settle(store ports.Store, ctx context.Context, n core.Notification) error { //nolint:revive // the store is what it is about
	return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.SettleNotification(ctx, n) })
}

func idsOf(all []core.Notification) []core.NotificationID {
	ids := make([]core.NotificationID, len(all))
	for i, n := range all {
		ids[i] = n.ID
	}
	return ids
}

func notificationRoundTrip(t *testing.T, store ports.Store) {
	ctx := t.Context()
	endpoint := storedEndpoint(t, store)
	n, event := newNotification(endpoint.ID, "pay_1")
	n.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	roughly := n
	roughly.CreatedAt = rough(n.CreatedAt)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.AppendEvent(ctx, event)
		require.NoError(t, err)
		return tx.AppendNotification(ctx, roughly)
	})
	stored, err := store.Event(ctx, event.ID)
	require.NoError(t, err)
	n.Sequence = stored.Sequence
	require.Equal(t, n, readNotification(t, store, n.ID))

	claimed := claim(t, store, endpoint.ID, minutes(10), 3)
	n.Attempts, n.Leased, n.DueAt = 1, true, minutes(11)
	require.Equal(t, []core.Notification{n}, claimed)
	require.Equal(t, n, readNotification(t, store, n.ID))

	full := n
	full.Leased, full.DueAt = false, minutes(20)
	full.FirstTriedAt, full.LastTriedAt, full.AnswerStatus, full.Error = minutes(12), minutes(13), 503, "endpoint answered 503"
	full.Answer = []byte{0, 'n', 'o', 0xff}
	roughly = full
	roughly.LastTriedAt = rough(full.LastTriedAt)
	require.NoError(t, settle(store, ctx, roughly))
	requireFull(t, full, "Leased", "DeliveredAt")
	require.Equal(t, full, readNotification(t, store, n.ID))
	require.ErrorIs(t, settle(store, ctx, full), ports.ErrConflict, "no try is under way")

	renewed := full.Again()
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.RenewNotification(ctx, renewed) })
	require.Equal(t, renewed, readNotification(t, store, n.ID))
	claim(t, store, endpoint.ID, minutes(21), 1)
	err = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.RenewNotification(ctx, renewed) })
	require.ErrorIs(t, err, ports.ErrConflict, "a try is under way")

	done := renewed
	done.Attempts, done.Status, done.DeliveredAt, done.AnswerStatus, done.Error, done.Answer = 1, core.NotificationDelivered, minutes(22), 204, "", nil
	require.NoError(t, settle(store, ctx, done))
	require.Equal(t, done, readNotification(t, store, n.ID))
	require.Empty(t, claim(t, store, endpoint.ID, minutes(99), 3))
	_, err = store.Notification(ctx, storeID[core.NotificationID]())
	require.ErrorIs(t, err, ports.ErrNotFound)
	for name, one := range map[string]core.Notification{"shown": {Status: core.NotificationHeld}, "none": {}, "NUL": {Status: core.NotificationPending, Error: "\x00"}} {
		require.Error(t, settle(store, ctx, one), name)
	}
	err = store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		other, event := newNotification(endpoint.ID, "pay_1")
		other.Event = stored.ID // which an earlier transaction told
		_, err := tx.AppendEvent(ctx, event)
		require.NoError(t, err)
		return tx.AppendNotification(ctx, other)
	})
	require.Error(t, err, "its event must be of the same transaction")
}

func notificationOrder(t *testing.T, store ports.Store) {
	ctx := t.Context()
	one, other := storedEndpoint(t, store), storedEndpoint(t, store)
	told := tell(t, store, one.ID, "pay_1", "pay_1", "pay_2", "pay_1", "pay_3")
	aside := tell(t, store, other.ID, "pay_1")

	require.Equal(t, idsOf([]core.Notification{told[0], told[2]}), idsOf(claim(t, store, one.ID, minutes(1), 2)), "the first of each object, the oldest first")
	require.Equal(t, idsOf(told[4:]), idsOf(claim(t, store, one.ID, minutes(1), 9)))
	require.Empty(t, claim(t, store, one.ID, minutes(1), 9), "the rest waits")
	require.Equal(t, idsOf(aside), idsOf(claim(t, store, other.ID, minutes(1), 9)), "for nothing at another endpoint")

	again := claim(t, store, one.ID, minutes(2), 9)
	require.Equal(t, idsOf([]core.Notification{told[0], told[2], told[4]}), idsOf(again), "their tries count as dead")
	require.Equal(t, 2, again[0].Attempts)
	late := again[0]
	late.Attempts, late.Leased, late.Status = 1, false, core.NotificationDelivered
	require.ErrorIs(t, settle(store, ctx, late), ports.ErrConflict, "a try that counted as dead says nothing any more")

	first := again[0]
	first.Status, first.Leased = core.NotificationFailed, false
	require.NoError(t, settle(store, ctx, first))
	next := claim(t, store, one.ID, minutes(2), 9)
	require.Equal(t, idsOf(told[1:2]), idsOf(next), "what was given up is not waited for")
	next[0].Status, next[0].Leased = core.NotificationDelivered, false
	require.NoError(t, settle(store, ctx, next[0]))
	require.Equal(t, idsOf(told[3:4]), idsOf(claim(t, store, one.ID, minutes(2), 9)))
}

// notificationRace has several claim and settle at once.
func notificationRace(t *testing.T, store ports.Store) {
	ctx := t.Context()
	const claimers, subjects, each = 4, 5, 4
	endpoint := storedEndpoint(t, store)
	for range each {
		var names []string
		for i := range subjects {
			names = append(names, fmt.Sprint("pay_", i))
		}
		tell(t, store, endpoint.ID, names...)
	}
	var mu sync.Mutex
	sent := make(map[string][]int64)
	total := 0
	finished := func() bool { mu.Lock(); defer mu.Unlock(); return total == subjects*each }
	failures := make(chan error, claimers)
	var running sync.WaitGroup
	for range claimers {
		running.Go(func() {
			for !finished() {
				var claimed []core.Notification
				err := store.InTx(ctx, func(ctx context.Context, tx ports.Tx) (err error) {
					if _, err = tx.LockEndpoint(ctx, endpoint.ID); err != nil {
						return err
					}
					claimed, err = tx.ClaimNotifications(ctx, endpoint.ID, minutes(1), minutes(2), 2)
					return err
				})
				for _, n := range claimed {
					mu.Lock()
					sent[n.Subject] = append(sent[n.Subject], n.Sequence)
					total++
					mu.Unlock()
					n.Status, n.Leased = core.NotificationDelivered, false
					if err == nil {
						err = settle(store, ctx, n)
					}
				}
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	running.Wait()
	close(failures)
	require.NoError(t, <-failures)
	require.Len(t, sent, subjects)
	for subject, sequences := range sent {
		require.Len(t, sequences, each, "%s: each once", subject)
		require.True(t, slices.IsSorted(sequences), "%s: in order", subject)
	}
}

func notificationsPutOff(t *testing.T, store ports.Store) {
	ctx := t.Context()
	endpoint := storedEndpoint(t, store)
	told := tell(t, store, endpoint.ID, "pay_1", "pay_1", "pay_2")
	due := func() time.Time {
		all, err := store.NotificationsDue(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, endpoint.ID, all[0].Endpoint)
		return all[0].At
	}
	require.True(t, due().IsZero(), "at once")
	claimed := claim(t, store, endpoint.ID, minutes(1), 9)
	require.Equal(t, minutes(2), due(), "should both tries count as dead")
	claimed[0].Leased, claimed[0].DueAt = false, minutes(30)
	require.NoError(t, settle(store, ctx, claimed[0]))
	require.Equal(t, minutes(30), readNotification(t, store, told[1].ID).DueAt, "what waits behind it is put off as well")
	claimed[1].Leased, claimed[1].Status = false, core.NotificationDelivered
	require.NoError(t, settle(store, ctx, claimed[1]))
	require.Equal(t, minutes(30), due())
	require.Empty(t, claim(t, store, endpoint.ID, minutes(29), 9))
	claimed = claim(t, store, endpoint.ID, minutes(30), 9)
	require.Equal(t, idsOf(told[:1]), idsOf(claimed))
	claimed[0].Leased, claimed[0].Status = false, core.NotificationDelivered
	require.NoError(t, settle(store, ctx, claimed[0]))
	require.True(t, due().IsZero(), "and comes at once when that was delivered")

	claimed = claim(t, store, endpoint.ID, minutes(30), 9)
	claimed[0].Leased, claimed[0].DueAt, claimed[0].FirstTriedAt = false, minutes(60), minutes(30)
	require.NoError(t, settle(store, ctx, claimed[0]))
	for since, want := range map[time.Time]bool{minutes(29): false, minutes(30): true} {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
			found, err := tx.NotificationTriedSince(ctx, endpoint.ID, since)
			require.Equal(t, want, found)
			return err
		})
	}
	hurry := func(afresh bool) {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.HurryNotifications(ctx, endpoint.ID, afresh) })
	}
	hurry(false)
	n := readNotification(t, store, told[1].ID)
	require.True(t, n.DueAt.IsZero())
	require.Equal(t, 1, n.Attempts)
	require.Equal(t, minutes(30), n.FirstTriedAt)
	hurry(true)
	n = readNotification(t, store, told[1].ID)
	require.Zero(t, n.Attempts)
	require.True(t, n.FirstTriedAt.IsZero())
	claimed = claim(t, store, endpoint.ID, minutes(31), 9)
	hurry(true)
	require.Equal(t, claimed[0], readNotification(t, store, told[1].ID), "a try that is under way is left alone")

	paused := endpoint
	paused.PausedUntil = minutes(90)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.UpdateEndpoint(ctx, paused) })
	require.Equal(t, minutes(90), due(), "nothing is sent during a pause")
}

func notificationStandings(t *testing.T, store ports.Store) {
	ctx := t.Context()
	one, other, third := storedEndpoint(t, store), storedEndpoint(t, store), storedEndpoint(t, store)
	pending := tell(t, store, one.ID, "pay_1", "pay_1")
	held := tell(t, store, other.ID, "pay_2")[0]
	dropped := tell(t, store, third.ID, "pay_3")[0]
	claimed := claim(t, store, one.ID, minutes(1), 1)[0]
	claimed.Leased, claimed.Status = false, core.NotificationDelivered
	require.NoError(t, settle(store, ctx, claimed))
	other.DisabledAt, other.DisabledReason = minutes(5), core.DisabledFailing
	third.DeletedAt, third.DisabledAt = minutes(5), minutes(4)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		require.NoError(t, tx.UpdateEndpoint(ctx, other))
		return tx.UpdateEndpoint(ctx, third)
	})
	list := func(filter ports.NotificationFilter) []core.NotificationID {
		page, err := store.Notifications(ctx, filter, core.PageRequest{Limit: 10})
		require.NoError(t, err)
		return idsOf(page.Items)
	}
	for status, n := range map[core.NotificationStatus]core.Notification{
		core.NotificationPending: pending[1], core.NotificationDelivered: pending[0], core.NotificationHeld: held, core.NotificationDropped: dropped,
	} {
		require.Equal(t, status, readNotification(t, store, n.ID).Status)
		require.Equal(t, []core.NotificationID{n.ID}, list(ports.NotificationFilter{Statuses: []core.NotificationStatus{status}}), status)
	}
	require.Equal(t, []core.NotificationID{dropped.ID, held.ID, pending[1].ID, pending[0].ID}, list(ports.NotificationFilter{}), "newest first")
	require.Equal(t, []core.NotificationID{dropped.ID, held.ID},
		list(ports.NotificationFilter{Statuses: []core.NotificationStatus{core.NotificationHeld, core.NotificationDropped}}))
	require.Empty(t, list(ports.NotificationFilter{Statuses: []core.NotificationStatus{core.NotificationFailed}}))
	require.Equal(t, []core.NotificationID{pending[1].ID, pending[0].ID}, list(ports.NotificationFilter{Endpoint: one.ID}))
	require.Equal(t, []core.NotificationID{held.ID}, list(ports.NotificationFilter{Subject: "pay_2"}))
	require.Equal(t, []core.NotificationID{pending[1].ID}, list(ports.NotificationFilter{Event: pending[1].Event}))
	page, err := store.Notifications(ctx, ports.NotificationFilter{}, core.PageRequest{Limit: 1, After: &core.Cursor{At: dropped.CreatedAt, ID: string(dropped.ID)}})
	require.NoError(t, err)
	require.Equal(t, []core.NotificationID{held.ID}, idsOf(page.Items))
	require.True(t, page.HasNext)
	require.Equal(t, core.NotificationHeld, page.Items[0].Status)

	due, err := store.NotificationsDue(ctx)
	require.NoError(t, err)
	require.Equal(t, []ports.EndpointDue{{Endpoint: one.ID}}, due, "who is not told of things has nothing due")
	waiting, err := store.NotificationsWaiting(ctx)
	require.NoError(t, err)
	require.ElementsMatch(t, []ports.EndpointWaiting{
		{Endpoint: one.ID, Count: 1, Oldest: pending[1].CreatedAt}, {Endpoint: other.ID, Disabled: true, Count: 1, Oldest: held.CreatedAt},
	}, waiting)
}

func notificationSignal(t *testing.T, store ports.Store) {
	endpoint := storedEndpoint(t, store)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.AppendEvent(ctx, fullEvent(core.EventPaymentFailed))
		return err
	})
	require.Empty(t, store.NotificationsCommitted(), "nobody is told of it")
	tell(t, store, endpoint.ID, "pay_1")
	tell(t, store, endpoint.ID, "pay_1")
	require.Len(t, store.NotificationsCommitted(), 1)
	<-store.NotificationsCommitted()
	require.Empty(t, store.NotificationsCommitted())
}

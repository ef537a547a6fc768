package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// storeHistoryChapters are of walks through what providers list.
func storeHistoryChapters() []storeChapter {
	return []storeChapter{
		{"leases have one holder", leases},
		{"cursors of the backfill keep every field", backfillCursors},
		{"open objects are found", openObjects},
		{"held objects are found by time", heldObjects},
		{"comparisons and what remained of them keep every field", drifts},
	}
}

func leases(t *testing.T, store ports.Store) {
	take := func(name, holder string, now, until int) (ok bool) {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) (err error) {
			ok, err = tx.TakeLease(ctx, name, holder, minutes(now), minutes(until))
			return err
		})
		return ok
	}
	keep := func(name, holder string, until int) (ok bool) {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) (err error) {
			ok, err = tx.KeepLease(ctx, name, holder, minutes(until))
			return err
		})
		return ok
	}
	release := func(name, holder string) {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.ReleaseLease(ctx, name, holder) })
	}
	require.True(t, take("a", "first", 0, 2))
	require.True(t, take("b", "second", 0, 2), "each name apart")
	require.False(t, take("a", "second", 1, 3), "held")
	require.False(t, take("a", "first", 1, 4), "also by oneself")
	require.True(t, keep("a", "first", 4))
	require.False(t, keep("a", "second", 9), "not its holder")
	require.False(t, keep("nothing", "first", 4))
	require.False(t, take("a", "second", 3, 5), "and so for longer")
	require.True(t, take("a", "second", 4, 6), "over")
	require.False(t, keep("a", "first", 8), "taken since")
	release("a", "first")
	require.False(t, take("a", "first", 4, 6), "nobody gives back another's")
	release("a", "second")
	require.False(t, keep("a", "second", 6), "given back")
	require.True(t, take("a", "first", 4, 6))
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.GrabLease(ctx, "a", "third", minutes(9)) })
	require.False(t, take("a", "first", 5, 6))
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.GrabLease(ctx, "c", "third", minutes(9)) })
	require.False(t, take("c", "first", 5, 6), "also where nobody held it")
	require.ErrorIs(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		_, err := tx.TakeLease(ctx, "a\x00", "x", minutes(0), minutes(1))
		return err
	}), ports.ErrText)
}

func backfillCursors(t *testing.T, store ports.Store) {
	full := core.BackfillCursor{
		Account: "stripe_eu", Stream: core.BackfillEvents, Status: core.BackfillIncomplete, TakenUntil: minutes(1),
		WindowFrom: minutes(2), WindowUntil: minutes(3), Page: "page_1", Found: 4, Note: "a note",
		CreatedAt: minutes(5), RanAt: minutes(6), SucceededAt: minutes(7),
	}
	requireFull(t, full)
	bare := core.BackfillCursor{
		Account: "square", Stream: core.BackfillRefunds, Status: core.BackfillBehind, TakenUntil: minutes(1), CreatedAt: minutes(2), RanAt: minutes(2),
	}
	save := func(c core.BackfillCursor) error {
		return store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.SaveBackfillCursor(ctx, c) })
	}
	roughly := full
	roughly.TakenUntil = rough(full.TakenUntil)
	require.NoError(t, save(roughly))
	require.NoError(t, save(bare))
	read, err := store.BackfillCursors(t.Context())
	require.NoError(t, err)
	require.Equal(t, []core.BackfillCursor{bare, full}, read, "by account")

	changed := full
	changed.Status, changed.Page, changed.Note, changed.Found = core.BackfillDone, "", "", 9
	changed.WindowFrom, changed.WindowUntil = time.Time{}, time.Time{}
	changed.TakenUntil, changed.RanAt, changed.SucceededAt = minutes(11), minutes(12), minutes(13)
	again := changed
	again.CreatedAt = minutes(99) // of the first run, whatever is given
	require.NoError(t, save(again))
	read, err = store.BackfillCursors(t.Context())
	require.NoError(t, err)
	require.Equal(t, []core.BackfillCursor{bare, changed}, read)
	refusesTexts(t, store, full, func(ctx context.Context, tx ports.Tx, c core.BackfillCursor) error {
		return tx.SaveBackfillCursor(ctx, c)
	})
}

func openObjects(t *testing.T, store ports.Store) {
	oldest, err := store.OldestHeld(t.Context(), "stripe_eu")
	require.NoError(t, err)
	require.Zero(t, oldest)
	of := storedSale(t, store)
	final := fullPayment(t, of)
	final.Status, final.Failure, final.Review = core.PaymentSucceeded, nil, ""
	final = write(t, store, ports.Tx.InsertPayment, final)
	var open []core.Payment
	for n, status := range []core.PaymentStatus{core.PaymentProcessing, core.PaymentAuthorized, core.PaymentRequiresAction} {
		p := fullPayment(t, of)
		p.Account, p.Status, p.Failure, p.Review, p.CreatedAt = final.Account, status, nil, "", minutes(30-n)
		if n == 2 {
			p.ProviderSessionID = ""
		}
		open = append(open, write(t, store, ports.Tx.InsertPayment, p))
	}
	unasked := fullPayment(t, of)
	unasked.Account, unasked.Status, unasked.Failure, unasked.Review = final.Account, core.PaymentProcessing, nil, ""
	unasked.ProviderPaymentID, unasked.ProviderSessionID, unasked.CreatedAt = "", "", minutes(40)
	write(t, store, ports.Tx.InsertPayment, unasked)

	oldest, err = store.OldestHeld(t.Context(), final.Account)
	require.NoError(t, err)
	require.Equal(t, final.CreatedAt, oldest, "final or not")
	oldest, err = store.OldestHeld(t.Context(), "nobody")
	require.NoError(t, err)
	require.Zero(t, oldest)

	list := func(kind core.ObjectKind, after string, limit int) []ports.OpenObject {
		all, err := store.OpenObjects(t.Context(), final.Account, kind, after, limit)
		require.NoError(t, err)
		return all
	}
	want := make([]ports.OpenObject, len(open))
	for n, p := range open {
		want[n] = ports.OpenObject{ID: string(p.ID), Ref: p.Ref()}
	}
	require.Equal(t, core.ObjectSession, want[0].Ref.Kind, "by the page that it is paid at, where there is one")
	require.Equal(t, core.ObjectPayment, want[2].Ref.Kind)
	require.Equal(t, want, list(core.ObjectPayment, "", 10))
	require.Equal(t, want[1:2], list(core.ObjectPayment, want[0].ID, 1))
	require.Empty(t, list(core.ObjectPayment, want[2].ID, 10))

	refund := fullRefund(t, final.ID)
	refund.Account, refund.Status, refund.Failure, refund.CreatedAt = final.Account, core.RefundPending, nil, minutes(20)
	refund = write(t, store, ports.Tx.InsertRefund, refund)
	require.Equal(t, []ports.OpenObject{{ID: string(refund.ID), Ref: refund.Ref()}}, list(core.ObjectRefund, "", 10))
	dispute := fullDispute(t, final.ID)
	dispute.Account, dispute.Status, dispute.CreatedAt = final.Account, core.DisputeUnderReview, minutes(-10)
	dispute = write(t, store, ports.Tx.InsertDispute, dispute)
	require.Equal(t, []ports.OpenObject{{ID: string(dispute.ID), Ref: dispute.Ref()}}, list(core.ObjectDispute, "", 10))
	subscription := fullSubscription(t, of)
	subscription.Account, subscription.Status = final.Account, core.SubscriptionActive
	subscription = write(t, store, ports.Tx.InsertSubscription, subscription)
	require.Contains(t, list(core.ObjectSubscription, "", 10), ports.OpenObject{ID: string(subscription.ID), Ref: subscription.Ref()}, "beside the sale's own")
	oldest, err = store.OldestHeld(t.Context(), final.Account)
	require.NoError(t, err)
	require.Equal(t, minutes(-10), oldest)

	_, err = store.OpenObjects(t.Context(), final.Account, core.ObjectMethod, "", 10)
	require.Error(t, err)
	_, err = store.OpenObjects(t.Context(), final.Account, core.ObjectPayment, "", 0)
	require.Error(t, err)
}

func drifts(t *testing.T, store ports.Store) {
	full := core.DriftRun{
		Account: "stripe_eu", Status: core.DriftFailed, From: minutes(1), Until: minutes(2), Step: 3, Page: "page_1", Compared: 4, Others: 5,
		Unreadable: 6, Repaired: 7, Remaining: 8, Note: "a note", StartedAt: minutes(9), RanAt: minutes(10), EndedAt: minutes(11),
	}
	requireFull(t, full)
	bare := core.DriftRun{Account: "square", Status: core.DriftRunning, From: minutes(1), Until: minutes(2), StartedAt: minutes(3), RanAt: minutes(3)}
	saveRun := func(ctx context.Context, tx ports.Tx, r core.DriftRun) error { return tx.SaveDriftRun(ctx, r) }
	roughly := full
	roughly.EndedAt = rough(full.EndedAt)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return saveRun(ctx, tx, roughly) })
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return saveRun(ctx, tx, bare) })
	runs, err := store.DriftRuns(t.Context())
	require.NoError(t, err)
	require.Equal(t, []core.DriftRun{bare, full}, runs, "by account")
	next := bare
	next.Account = full.Account
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return saveRun(ctx, tx, next) })
	runs, err = store.DriftRuns(t.Context())
	require.NoError(t, err)
	require.Equal(t, []core.DriftRun{bare, next}, runs, "the last of each account")
	require.Error(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.SaveDriftRun(ctx, core.DriftRun{Account: "a"}) }))
	refusesTexts(t, store, full, saveRun)

	one := core.Drift{
		Account: "stripe_eu", Kind: core.ObjectPayment, Class: core.DriftDiffers, ID: "pay_1", ForeignID: "pi_1",
		Fields: []core.Difference{{Field: "status", Ours: "a", Theirs: "b"}}, Note: "a note", FoundAt: minutes(1),
	}
	requireFull(t, one, "Repaired") // what is repaired is not kept
	other := core.Drift{Account: "square", Kind: core.ObjectRefund, Class: core.DriftMissingHere, ForeignID: "re_1", FoundAt: minutes(2)}
	save := func(ctx context.Context, tx ports.Tx, d core.Drift) error { return tx.SaveDrift(ctx, d) }
	for _, drift := range []core.Drift{one, other} {
		inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return save(ctx, tx, drift) })
	}
	all, err := store.Drifts(t.Context())
	require.NoError(t, err)
	other.Fields = all[0].Fields
	require.Empty(t, other.Fields)
	require.Equal(t, []core.Drift{other, one}, all)
	one.Class, one.ID, one.Fields, one.Note, one.FoundAt = core.DriftMissingThere, "pay_2", []core.Difference{{Field: "amount"}}, "other", minutes(3)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return save(ctx, tx, one) })
	all, err = store.Drifts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []core.Drift{other, one}, all, "each object once")
	refusesTexts(t, store, one, save)
	inTx(t, store, func(ctx context.Context, tx ports.Tx) error { return tx.ClearDrifts(ctx, one.Account) })
	all, err = store.Drifts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []core.Drift{other}, all)
}

func heldObjects(t *testing.T, store ports.Store) {
	of := storedSale(t, store)
	account := core.AccountName("held_eu")
	made := make([]ports.OpenObject, 3)
	for n := range made {
		p := fullPayment(t, of)
		p.Account, p.Status, p.Failure, p.Review, p.ProviderSessionID = account, core.PaymentSucceeded, nil, "", ""
		p.CreatedAt, p.UpdatedAt = minutes(10*n), minutes(10*n+5)
		p = write(t, store, ports.Tx.InsertPayment, p)
		made[n] = ports.OpenObject{ID: string(p.ID), Ref: p.Ref()}
	}
	list := func(in ports.HeldObjects, after string, limit int) []ports.OpenObject {
		in.Account, in.Kind = account, core.ObjectPayment
		all, err := store.HeldObjects(t.Context(), in, after, limit)
		require.NoError(t, err)
		return all
	}
	require.Equal(t, made, list(ports.HeldObjects{}, "", 10), "whatever their status")
	require.Equal(t, made[1:2], list(ports.HeldObjects{}, made[0].ID, 1))
	require.Equal(t, made[1:], list(ports.HeldObjects{MadeFrom: minutes(10)}, "", 10), "from then on")
	require.Equal(t, made[:1], list(ports.HeldObjects{MadeUntil: minutes(10)}, "", 10), "before then")
	require.Equal(t, made[1:], list(ports.HeldObjects{ChangedFrom: minutes(15)}, "", 10))
	require.Equal(t, made[1:2], list(ports.HeldObjects{MadeUntil: minutes(20), ChangedFrom: minutes(15)}, "", 10))
	_, err := store.HeldObjects(t.Context(), ports.HeldObjects{Account: account, Kind: core.ObjectMethod}, "", 10)
	require.Error(t, err)
	_, err = store.HeldObjects(t.Context(), ports.HeldObjects{Account: account, Kind: core.ObjectRefund}, "", 0)
	require.Error(t, err)
}

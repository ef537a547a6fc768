package portstest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func fullAPIKey() core.APIKey {
	id := storeID[core.APIKeyID]()
	return core.APIKey{
		ID: id, Name: "shop " + string(id), Environment: core.EnvTest, Hash: core.HashSecret(string(id)), Hint: "x9z1",
		CreatedAt: minutes(1), RevokedAt: minutes(2),
	}
}

func apiKeys(t *testing.T, store ports.Store) {
	ctx := t.Context()
	insert := func(k core.APIKey) error {
		return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.InsertAPIKey(ctx, k) })
	}
	full := fullAPIKey()
	requireFull(t, full)
	require.NoError(t, insert(full))
	read, err := store.APIKeyByHash(ctx, full.Hash)
	require.NoError(t, err)
	require.Equal(t, full, read, "revoked ones are found, too")

	good := fullAPIKey()
	good.RevokedAt, good.CreatedAt = time.Time{}, minutes(9)
	roughly := good
	roughly.CreatedAt = rough(good.CreatedAt)
	require.NoError(t, insert(roughly))
	read, err = store.APIKeyByHash(ctx, good.Hash)
	require.NoError(t, err)
	require.Equal(t, good, read)
	for _, hash := range []string{"", "nobody's"} {
		_, err = store.APIKeyByHash(ctx, hash)
		require.ErrorIs(t, err, ports.ErrNotFound)
	}
	all, err := store.APIKeys(ctx)
	require.NoError(t, err)
	require.Equal(t, []core.APIKey{good, full}, all, "newest first")

	same := fullAPIKey()
	same.Hash = good.Hash
	require.ErrorIs(t, insert(same), ports.ErrDuplicate)
	same.ID, same.Hash = good.ID, "another"
	require.ErrorIs(t, insert(same), ports.ErrDuplicate)

	revoke := func(id core.APIKeyID, at time.Time) error {
		return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.RevokeAPIKey(ctx, id, at) })
	}
	require.NoError(t, revoke(good.ID, rough(minutes(20))))
	good.RevokedAt = minutes(20)
	read, err = store.APIKeyByHash(ctx, good.Hash)
	require.NoError(t, err)
	require.Equal(t, good, read)
	require.ErrorIs(t, revoke(storeID[core.APIKeyID](), minutes(21)), ports.ErrNotFound)
}

func fullStaff() core.Staff {
	id := storeID[core.StaffID]()
	return core.Staff{
		ID: id, Email: string(id) + "@example.test", Role: core.RoleFinance, PasswordHash: "$argon2id$" + string(id),
		TokenHash: core.HashSecret(string(id)), CreatedAt: minutes(1), DisabledAt: minutes(2),
		CodeSecret: "SECRET" + string(id), CodePending: "PENDING" + string(id), CodeStep: 58_000_000, RecoveryHashes: []string{"a", "b"},
	}
}

func staff(t *testing.T, store ports.Store) {
	ctx := t.Context()
	insert := func(s core.Staff) error {
		return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.InsertStaff(ctx, s) })
	}
	update := func(s core.Staff) error {
		return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.UpdateStaff(ctx, s) })
	}
	full, bare, bareToo := fullStaff(), fullStaff(), fullStaff()
	requireFull(t, full)
	bare.TokenHash, bare.DisabledAt, bare.CreatedAt = "", time.Time{}, minutes(5)
	bareToo.TokenHash, bareToo.DisabledAt, bareToo.CreatedAt = "", time.Time{}, minutes(6)
	roughly := bareToo
	roughly.CreatedAt = rough(bareToo.CreatedAt)
	require.NoError(t, insert(full))
	require.NoError(t, insert(bare))
	require.NoError(t, insert(roughly), "no token twice is no duplicate")

	all, err := store.Staff(ctx)
	require.NoError(t, err)
	require.Equal(t, []core.Staff{bareToo, bare, full}, all, "newest first")
	read, err := store.StaffByEmail(ctx, full.Email)
	require.NoError(t, err)
	require.Equal(t, full, read)
	read, err = store.StaffByTokenHash(ctx, full.TokenHash)
	require.NoError(t, err)
	require.Equal(t, full, read)
	read, err = store.StaffByID(ctx, full.ID)
	require.NoError(t, err)
	require.Equal(t, full, read)
	_, err = store.StaffByID(ctx, storeID[core.StaffID]())
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.StaffByTokenHash(ctx, "")
	require.ErrorIs(t, err, ports.ErrNotFound, "no token opens nothing")
	_, err = store.StaffByEmail(ctx, "")
	require.ErrorIs(t, err, ports.ErrNotFound)
	_, err = store.StaffByEmail(ctx, "nobody@example.test")
	require.ErrorIs(t, err, ports.ErrNotFound)

	same := fullStaff()
	same.Email = full.Email
	require.ErrorIs(t, insert(same), ports.ErrDuplicate)
	same = fullStaff()
	same.TokenHash = full.TokenHash
	require.ErrorIs(t, insert(same), ports.ErrDuplicate)

	next := fullStaff()
	next.ID, next.CreatedAt, next.Role, next.DisabledAt = bare.ID, bare.CreatedAt, core.RoleAdmin, minutes(30)
	require.NoError(t, update(next))
	read, err = store.StaffByTokenHash(ctx, next.TokenHash)
	require.NoError(t, err)
	require.Equal(t, next, read)
	require.ErrorIs(t, update(fullStaff()), ports.ErrNotFound)
	require.NoError(t, store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		locked, err := tx.LockStaff(ctx, next.ID)
		require.NoError(t, err)
		require.Equal(t, next, locked)
		_, err = tx.LockStaff(ctx, storeID[core.StaffID]())
		require.ErrorIs(t, err, ports.ErrNotFound)
		for role, want := range map[core.Role]int{core.RoleFinance: 1, core.RoleAdmin: 0} {
			count, err := tx.LockActiveStaff(ctx, role)
			require.NoError(t, err)
			require.Equal(t, want, count, "%s who are not disabled", role)
		}
		return nil
	}))
}

func fullSession(staff core.StaffID) core.Session {
	id := storeID[core.SessionID]()
	return core.Session{
		ID: id, Staff: staff, TokenHash: core.HashSecret(string(id)), From: "192.0.2.7", Agent: "Mozilla/5.0 " + string(id),
		CreatedAt: minutes(1), SeenAt: minutes(2), ExpiresAt: minutes(100),
	}
}

func sessions(t *testing.T, store ports.Store) {
	ctx := t.Context()
	in := func(do func(ctx context.Context, tx ports.Tx) error) error { return store.InTx(ctx, do) }
	ada, grace := fullStaff(), fullStaff()
	first, second, hers := fullSession(ada.ID), fullSession(ada.ID), fullSession(grace.ID)
	requireFull(t, first)
	second.CreatedAt, second.Agent = minutes(3), ""
	hers.ExpiresAt = minutes(50)
	require.NoError(t, in(func(ctx context.Context, tx ports.Tx) error {
		return errors.Join(tx.InsertStaff(ctx, ada), tx.InsertStaff(ctx, grace), tx.InsertSession(ctx, first), tx.InsertSession(ctx, second), tx.InsertSession(ctx, hers))
	}))
	read, staff, err := store.SessionByTokenHash(ctx, first.TokenHash)
	require.NoError(t, err)
	require.Equal(t, first, read)
	require.Equal(t, ada, staff)
	_, _, err = store.SessionByTokenHash(ctx, "")
	require.ErrorIs(t, err, ports.ErrNotFound)
	all, err := store.Sessions(ctx, ada.ID)
	require.NoError(t, err)
	require.Equal(t, []core.Session{second, first}, all, "newest first")
	same := fullSession(ada.ID)
	same.TokenHash = first.TokenHash
	require.ErrorIs(t, in(func(ctx context.Context, tx ports.Tx) error { return tx.InsertSession(ctx, same) }), ports.ErrDuplicate)

	require.NoError(t, in(func(ctx context.Context, tx ports.Tx) error {
		return errors.Join(tx.TouchSession(ctx, first.ID, minutes(9)), tx.TouchSession(ctx, storeID[core.SessionID](), minutes(9)))
	}))
	first.SeenAt = minutes(9)
	read, _, err = store.SessionByTokenHash(ctx, first.TokenHash)
	require.NoError(t, err)
	require.Equal(t, first, read)

	require.NoError(t, in(func(ctx context.Context, tx ports.Tx) error {
		return errors.Join(tx.DeleteSession(ctx, second.ID), tx.DeleteSession(ctx, second.ID), tx.PruneSignIns(ctx, minutes(51), minutes(0)))
	}))
	for owner, want := range map[core.StaffID][]core.Session{ada.ID: {first}, grace.ID: {}} {
		all, err = store.Sessions(ctx, owner)
		require.NoError(t, err)
		require.ElementsMatch(t, want, all)
	}
	require.NoError(t, in(func(ctx context.Context, tx ports.Tx) error {
		count, err := tx.DeleteSessions(ctx, ada.ID)
		require.Equal(t, 1, count)
		return err
	}))
}

func signInTries(t *testing.T, store ports.Store) {
	ctx := t.Context()
	subject := core.HashSecret(string(storeID[core.StaffID]()))
	change := func(do func(core.SignInTries) core.SignInTries) error {
		return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
			tries, err := tx.LockSignInTries(ctx, subject)
			if err != nil {
				return err
			}
			return tx.PutSignInTries(ctx, do(tries))
		})
	}
	look := func(want core.SignInTries) {
		t.Helper()
		require.NoError(t, change(func(tries core.SignInTries) core.SignInTries {
			require.Equal(t, want, tries)
			return tries
		}))
	}
	look(core.SignInTries{Subject: subject})
	var all sync.WaitGroup
	failed := make([]error, 8)
	for n := range failed {
		all.Go(func() {
			failed[n] = change(func(tries core.SignInTries) core.SignInTries {
				return core.SignInTries{Subject: subject, Count: tries.Count + 1, LastAt: minutes(5)}
			})
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(failed...))
	look(core.SignInTries{Subject: subject, Count: len(failed), LastAt: minutes(5)})
	prune := func(before time.Time) {
		t.Helper()
		require.NoError(t, store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return tx.PruneSignIns(ctx, minutes(0), before) }))
	}
	prune(minutes(5))
	look(core.SignInTries{Subject: subject, Count: len(failed), LastAt: minutes(5)})
	prune(minutes(6))
	look(core.SignInTries{Subject: subject})
}

func fullEndpoint() core.Endpoint {
	id := storeID[core.EndpointID]()
	return core.Endpoint{
		ID: id, URL: "https://shop.example/hooks/" + string(id), Types: []core.EventType{core.EventPaymentFailed, core.EventCheckoutExpired},
		Secret: "whsec_" + string(id), CreatedAt: minutes(1), DisabledAt: minutes(2), DeletedAt: minutes(3), DisabledReason: core.DisabledGone,
		OldSecrets: []core.OldSecret{{Secret: "whsec_old" + string(id), Until: minutes(4)}}, Failures: 7, FailingSince: minutes(5), PausedUntil: minutes(6),
	}
}

func endpoints(t *testing.T, store ports.Store) {
	ctx := t.Context()
	try := func(method func(ports.Tx, context.Context, core.Endpoint) error, e core.Endpoint) error {
		return store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error { return method(tx, ctx, e) })
	}
	deleted, disabled, active := fullEndpoint(), fullEndpoint(), fullEndpoint()
	requireFull(t, deleted)
	disabled.DeletedAt, disabled.CreatedAt = time.Time{}, minutes(5)
	active.DeletedAt, active.DisabledAt, active.Types, active.CreatedAt = time.Time{}, time.Time{}, nil, minutes(6)
	active.DisabledReason, active.OldSecrets, active.Failures, active.FailingSince, active.PausedUntil = "", nil, 0, time.Time{}, time.Time{}
	roughly := active
	roughly.Types, roughly.CreatedAt = []core.EventType{}, rough(active.CreatedAt)
	require.NoError(t, try(ports.Tx.InsertEndpoint, deleted))
	require.NoError(t, try(ports.Tx.InsertEndpoint, disabled))
	require.NoError(t, try(ports.Tx.InsertEndpoint, roughly))
	require.ErrorIs(t, try(ports.Tx.InsertEndpoint, active), ports.ErrDuplicate)

	for _, want := range []core.Endpoint{deleted, disabled, active} {
		read, err := store.Endpoint(ctx, want.ID)
		require.NoError(t, err)
		require.Equal(t, want, read)
	}
	_, err := store.Endpoint(ctx, storeID[core.EndpointID]())
	require.ErrorIs(t, err, ports.ErrNotFound)
	standing, err := store.Endpoints(ctx)
	require.NoError(t, err)
	require.Equal(t, []core.Endpoint{active, disabled}, standing, "newest first, without the deleted")

	next := fullEndpoint()
	next.ID, next.CreatedAt, next.Types = active.ID, active.CreatedAt, next.Types[:1]
	next.OldSecrets, next.DisabledReason, next.Failures = append(next.OldSecrets, core.OldSecret{Secret: "whsec_older", Until: minutes(9)}), core.DisabledFailing, 0
	require.NoError(t, try(ports.Tx.UpdateEndpoint, next))
	read, err := store.Endpoint(ctx, active.ID)
	require.NoError(t, err)
	require.Equal(t, next, read)
	require.ErrorIs(t, try(ports.Tx.UpdateEndpoint, fullEndpoint()), ports.ErrNotFound)

	inTx(t, store, func(ctx context.Context, tx ports.Tx) error {
		locked, err := tx.LockEndpoint(ctx, active.ID)
		require.NoError(t, err)
		require.Equal(t, next, locked)
		locked, err = tx.LockEndpoint(ctx, deleted.ID)
		require.NoError(t, err)
		require.Equal(t, deleted, locked, "a deleted one, too")
		_, err = tx.LockEndpoint(ctx, storeID[core.EndpointID]())
		require.ErrorIs(t, err, ports.ErrNotFound)
		fresh := fullEndpoint()
		fresh.DeletedAt, fresh.CreatedAt = time.Time{}, minutes(40)
		require.NoError(t, tx.InsertEndpoint(ctx, fresh))
		standing, err := tx.Endpoints(ctx)
		require.NoError(t, err)
		require.Equal(t, []core.Endpoint{fresh, disabled}, standing, "as the transaction sees them")
		return nil
	})
}

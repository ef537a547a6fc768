package access_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/onetime"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
)

// openPasswords stores passwords as they are, behind a mark.
type openPasswords struct{}

func (openPasswords) Hash(password string) (string, error) { return "hash:" + password, nil }

func (openPasswords) Matches(password, hash string) (bool, error) {
	return hash == "hash:"+password, nil
}

func service(store ports.Store, env core.Environment) *access.Service {
	return access.New(store, coretest.NewClock(), &coretest.IDs{}, openPasswords{}, onetime.Codes{}, coretest.NoTraces{}, env)
}

func open(t *testing.T) (*access.Service, ports.Store) {
	t.Helper()
	store := repotest.SQLite(t)
	return service(store, core.EnvTest), store
}

// actions reads the audit log and makes sure that its chain holds.
func actions(t *testing.T, store ports.Store) []string {
	t.Helper()
	log, err := store.AuditLog(t.Context(), 0, 100)
	require.NoError(t, err)
	names := make([]string, 0, len(log))
	sequence, hash := int64(0), ""
	for _, entry := range log {
		require.NoError(t, entry.Follows(sequence, hash))
		sequence, hash = entry.Sequence, entry.Hash
		names = append(names, entry.Actor+" "+entry.Action)
	}
	return names
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	s, store := open(t)
	ctx := t.Context()
	key, secret, err := s.CreateAPIKey(ctx, "  shop ", "cli")
	require.NoError(t, err)
	require.Equal(t, "shop", key.Name)
	require.NoError(t, core.CheckAPIKeyFormat(secret, core.EnvTest))
	require.True(t, strings.HasSuffix(secret, key.Hint))
	require.NotContains(t, key.Hash, secret)
	known, err := s.APIKey(ctx, secret)
	require.NoError(t, err)
	require.Equal(t, key, known)
	for _, wrong := range []string{"", "pd_test_", secret + "x", strings.Replace(secret, "test", "live", 1), "pd_test_nobody's"} {
		_, err = s.APIKey(ctx, wrong)
		require.ErrorIs(t, err, core.ErrUnauthenticated, "%q", wrong)
	}
	_, _, err = s.CreateAPIKey(ctx, " ", "cli")
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid)

	require.NoError(t, s.RevokeAPIKey(ctx, key.ID, "usr_1"))
	require.NoError(t, s.RevokeAPIKey(ctx, key.ID, "usr_1"))
	_, err = s.APIKey(ctx, secret)
	require.ErrorIs(t, err, core.ErrUnauthenticated)
	require.ErrorIs(t, s.RevokeAPIKey(ctx, "key_missing", "usr_1"), ports.ErrNotFound)
	all, err := s.APIKeys(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, []string{"cli api_key.create", "usr_1 api_key.revoke", "usr_1 api_key.revoke"}, actions(t, store))
}

func TestEnsuredAPIKeys(t *testing.T) {
	t.Parallel()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) {
		store := open(t)
		const secret = "pd_test_chosen"
		s := service(store, core.EnvTest)
		var all sync.WaitGroup
		failed := make([]error, 8)
		for n := range failed {
			all.Go(func() { failed[n] = s.EnsureAPIKey(t.Context(), secret, "cli") })
		}
		all.Wait()
		require.NoError(t, errors.Join(failed...))
		key, err := s.APIKey(t.Context(), secret)
		require.NoError(t, err)
		require.Equal(t, []string{"cli api_key.create"}, actions(t, store))
		require.NoError(t, s.RevokeAPIKey(t.Context(), key.ID, "cli"))
		require.NoError(t, s.EnsureAPIKey(t.Context(), secret, "cli"))
		_, err = s.APIKey(t.Context(), secret)
		require.ErrorIs(t, err, core.ErrUnauthenticated, "a revoked key does not come back")
		require.Error(t, s.EnsureAPIKey(t.Context(), "pd_live_chosen", "cli"))
	})
}

func TestStaff(t *testing.T) {
	t.Parallel()
	s, store := open(t)
	ctx := t.Context()
	in := access.NewStaff{Email: "Ada@Example.Test", Password: "secret", Role: core.RoleFinance, WithToken: true}
	staff, shown, err := s.AddStaff(ctx, in, "cli")
	require.NoError(t, err)
	require.Equal(t, "ada@example.test", staff.Email)
	token := shown.Token
	require.NotEmpty(t, token)
	require.NotContains(t, staff.TokenHash, token)
	known, err := s.StaffByToken(ctx, token)
	require.NoError(t, err)
	require.Equal(t, staff, known)
	for _, wrong := range []string{"", "nobody's", staff.TokenHash} {
		_, err = s.StaffByToken(ctx, wrong)
		require.ErrorIs(t, err, core.ErrUnauthenticated)
	}
	_, _, err = s.AddStaff(ctx, in, "cli")
	require.ErrorIs(t, err, ports.ErrDuplicate)
	require.NoError(t, s.EnsureStaff(ctx, in, "cli"))
	in.Email, in.WithToken = "grace@example.test", false
	_, none, err := s.AddStaff(ctx, in, "cli")
	require.NoError(t, err)
	require.Empty(t, none.Token)

	named, err := s.StaffNamed(ctx, "ADA@example.test")
	require.NoError(t, err)
	require.Equal(t, staff.ID, named.ID)
	require.NoError(t, s.DisableStaff(ctx, staff.ID, "usr_1"))
	require.NoError(t, s.DisableStaff(ctx, staff.ID, "usr_1"))
	_, err = s.StaffByToken(ctx, token)
	require.ErrorIs(t, err, core.ErrUnauthenticated)
	require.ErrorIs(t, s.DisableStaff(ctx, "usr_nobody", "usr_1"), ports.ErrNotFound)
	all, err := s.Staff(ctx)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.NoError(t, s.Denied(ctx, "usr_2", "capturePayment", "192.0.2.7"))
	require.Equal(t, []string{"cli staff.add", "cli staff.add", "usr_1 staff.disable", "usr_2 forbidden"}, actions(t, store))
}

func TestRolesInAnyCase(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	staff, _, err := s.AddStaff(t.Context(), access.NewStaff{Email: "ada@example.test", Password: "secret", Role: "admin"}, "cli")
	require.NoError(t, err)
	require.Equal(t, core.RoleAdmin, staff.Role)
}

func TestStaffThatAreRefused(t *testing.T) {
	t.Parallel()
	s, store := open(t)
	_, _, err := s.AddStaff(t.Context(), access.NewStaff{Email: "nobody", Password: "x", Role: "KING"}, "cli")
	var invalid *core.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Fields, 3)
	require.Empty(t, actions(t, store))
	_, _, err = service(store, core.EnvLive).AddStaff(t.Context(), access.NewStaff{Email: "a@b.c", Password: "12345678901", Role: core.RoleAdmin}, "cli")
	require.ErrorAs(t, err, &invalid, "money needs longer passwords")
	require.Equal(t, "password", invalid.Fields[0].Field)
}

// A store that fails does not let anybody in.
type failingStore struct{ ports.Store }

var errBroken = errors.New("broken")

func (failingStore) APIKeyByHash(context.Context, string) (core.APIKey, error) {
	return core.APIKey{}, errBroken
}

func (failingStore) StaffByTokenHash(context.Context, string) (core.Staff, error) {
	return core.Staff{}, errBroken
}

func TestABrokenStoreLetsNobodyIn(t *testing.T) {
	t.Parallel()
	s := service(failingStore{}, core.EnvTest)
	_, err := s.APIKey(t.Context(), "pd_test_abcd")
	require.ErrorIs(t, err, errBroken)
	_, err = s.StaffByToken(t.Context(), "abcd")
	require.ErrorIs(t, err, errBroken)
}

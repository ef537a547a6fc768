package access_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/onetime"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/ports"
)

// door is the service with a clock moved by hand, and Ada who may come in.
type door struct {
	*access.Service

	store ports.Store
	clock *coretest.Clock
	ada   core.Staff
}

const password = "correct horse"

// eachDoor runs a test on both databases.
func eachDoor(t *testing.T, test func(t *testing.T, d *door)) {
	t.Helper()
	repotest.Each(t, func(t *testing.T, open func(t *testing.T) *bunrepo.Store) {
		t.Helper()
		d := &door{store: open(t), clock: coretest.NewClock()}
		d.Service = access.New(d.store, d.clock, &coretest.IDs{}, openPasswords{}, onetime.Codes{}, coretest.NoTraces{}, core.EnvTest)
		var err error
		d.ada, _, err = d.AddStaff(t.Context(), access.NewStaff{Email: "ada@example.test", Password: password, Role: core.RoleFinance}, "cli")
		require.NoError(t, err)
		test(t, d)
	})
}

func (d *door) signIn(ctx context.Context, change ...func(*access.SignIn)) (core.Session, string, error) {
	in := access.SignIn{Email: "Ada@Example.test ", Password: password, From: "192.0.2.7", Agent: "Browser\x00 1"}
	for _, one := range change {
		one(&in)
	}
	return d.SignIn(ctx, in)
}

func wrong(in *access.SignIn) { in.Password = "wrong horse" }

func TestASessionLastsUntilItEnds(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		ctx := t.Context()
		session, token, err := d.signIn(ctx)
		require.NoError(t, err)
		require.Equal(t, "Browser  1", session.Agent)
		staff, _, err := d.StaffBySession(ctx, token)
		require.NoError(t, err)
		require.Equal(t, d.ada, staff)
		for _, other := range []string{"", "nobody's", session.TokenHash, string(session.ID)} {
			_, _, err = d.StaffBySession(ctx, other)
			require.ErrorIs(t, err, core.ErrUnauthenticated)
		}
		// One that is used lasts for its age, one that is not for the idle time.
		for range core.SessionAgeMax/(50*time.Minute) - 1 {
			d.clock.Advance(50 * time.Minute)
			_, _, err = d.StaffBySession(ctx, token)
			require.NoError(t, err)
		}
		_, idle, err := d.signIn(ctx)
		require.NoError(t, err)
		d.clock.Advance(core.SessionIdleMax)
		for _, ended := range []string{token, idle} {
			_, _, err = d.StaffBySession(ctx, ended)
			require.ErrorIs(t, err, core.ErrUnauthenticated)
		}
		good, err := d.Sessions(ctx, d.ada.ID)
		require.NoError(t, err)
		require.Empty(t, good)
	})
}

func TestAChangeOfRoleCountsAtOnce(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		ctx := t.Context()
		_, token, err := d.signIn(ctx)
		require.NoError(t, err)
		require.NoError(t, d.SetRole(ctx, d.ada.ID, core.RoleViewer, "usr_boss"))
		staff, _, err := d.StaffBySession(ctx, token)
		require.NoError(t, err)
		require.Equal(t, core.RoleViewer, staff.Role)
		require.ErrorIs(t, d.SetRole(ctx, d.ada.ID, core.RoleAdmin, string(d.ada.ID)), core.ErrOwnAccount)
		require.ErrorIs(t, d.DisableStaff(ctx, d.ada.ID, string(d.ada.ID)), core.ErrOwnAccount)
		require.NoError(t, d.DisableStaff(ctx, d.ada.ID, "usr_boss"))
		_, _, err = d.StaffBySession(ctx, token)
		require.ErrorIs(t, err, core.ErrUnauthenticated)
		_, _, err = d.signIn(ctx)
		require.ErrorIs(t, err, core.ErrUnauthenticated)
	})
}

func TestSessionsAreRevoked(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		ctx := t.Context()
		var tokens []string
		for range 3 {
			_, token, err := d.signIn(ctx)
			require.NoError(t, err)
			tokens = append(tokens, token)
		}
		require.NoError(t, d.SignOut(ctx, tokens[0], "192.0.2.7"))
		require.NoError(t, d.SignOut(ctx, tokens[0], "192.0.2.7"), "once is enough")
		good, err := d.Sessions(ctx, d.ada.ID)
		require.NoError(t, err)
		require.Len(t, good, 2)
		require.NoError(t, d.RevokeSessions(ctx, d.ada.ID, "usr_boss"))
		for _, token := range tokens {
			_, _, err := d.StaffBySession(ctx, token)
			require.ErrorIs(t, err, core.ErrUnauthenticated)
		}
		ada := string(d.ada.ID)
		require.Equal(t, []string{
			"cli staff.add", ada + " staff.sign_in", ada + " staff.sign_in", ada + " staff.sign_in", ada + " staff.sign_out", "usr_boss staff.revoke_sessions",
		}, actions(t, d.store))
	})
}

func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		nobody := func(in *access.SignIn) { in.Email = "nobody@example.test" }
		long := func(in *access.SignIn) { in.Password = strings.Repeat("x", 2000) }
		for _, change := range []func(*access.SignIn){wrong, nobody, long} {
			_, token, err := d.signIn(t.Context(), change)
			require.ErrorIs(t, err, core.ErrUnauthenticated)
			require.Empty(t, token)
		}
	})
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	for name, email := range map[string]string{"somebody's": "ada@example.test", "nobody's": "nobody@example.test"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachDoor(t, func(t *testing.T, d *door) {
				guess := func(in *access.SignIn) { in.Email, in.Password = email, "wrong horse" }
				for range 5 {
					_, _, err := d.signIn(t.Context(), guess)
					require.ErrorIs(t, err, core.ErrUnauthenticated)
				}
				var pauses []time.Duration
				for range 7 {
					_, _, err := d.signIn(t.Context(), guess)
					var locked *core.LockedError
					require.ErrorAs(t, err, &locked)
					pauses = append(pauses, locked.Until.Sub(d.clock.Now()))
					_, _, err = d.signIn(t.Context(), func(in *access.SignIn) { in.Email = email })
					require.ErrorAs(t, err, &locked, "the right password is not looked at either")
					d.clock.Advance(pauses[len(pauses)-1])
					_, _, err = d.signIn(t.Context(), guess)
					require.ErrorIs(t, err, core.ErrUnauthenticated)
				}
				require.Equal(t, []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute}, pauses)
				d.clock.Advance(15 * time.Minute)
				if email == d.ada.Email {
					_, _, err := d.signIn(t.Context())
					require.NoError(t, err)
					_, _, err = d.signIn(t.Context(), wrong)
					require.ErrorIs(t, err, core.ErrUnauthenticated, "it starts anew")
				}
			})
		})
	}
}

// Many guesses at once are no more than as many in a row.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		var looked atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, _, err := d.signIn(t.Context(), wrong); err != nil && strings.Contains(err.Error(), core.ErrUnauthenticated.Error()) {
					looked.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 5, looked.Load())
	})
}

func TestGuessingFromOneAddressIsSlowedDown(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		for n := range 30 {
			_, _, err := d.signIn(t.Context(), func(in *access.SignIn) { in.Email = fmt.Sprintf("nobody%d@example.test", n) })
			require.ErrorIs(t, err, core.ErrUnauthenticated)
		}
		_, _, err := d.signIn(t.Context())
		var locked *core.LockedError
		require.ErrorAs(t, err, &locked)
		_, _, err = d.signIn(t.Context(), func(in *access.SignIn) { in.From = "198.51.100.9" })
		require.NoError(t, err)
	})
}

func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	require.NoError(t, err)
	return code
}

func TestCodesOfAnApp(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		ctx := t.Context()
		_, _, err := d.BeginCodes(ctx, d.ada.ID, "wrong horse")
		require.ErrorIs(t, err, core.ErrPasswordWrong)
		secret, address, err := d.BeginCodes(ctx, d.ada.ID, password)
		require.NoError(t, err)
		require.Contains(t, address, "ada@example.test")
		_, _, err = d.signIn(ctx)
		require.NoError(t, err, "not asked for before the first code")
		_, err = d.ConfirmCodes(ctx, d.ada.ID, "000000")
		require.ErrorIs(t, err, core.ErrCodeWrong)
		first := codeAt(t, secret, d.clock.Now())
		recovery, err := d.ConfirmCodes(ctx, d.ada.ID, first)
		require.NoError(t, err)
		require.Len(t, recovery, 10)
		_, err = d.ConfirmCodes(ctx, d.ada.ID, first)
		require.ErrorIs(t, err, core.ErrCodeWrong, "nothing waits for it")

		code := func(text string) func(*access.SignIn) { return func(in *access.SignIn) { in.Code = text } }
		_, _, err = d.signIn(ctx)
		require.ErrorIs(t, err, core.ErrCodeNeeded)
		_, _, err = d.signIn(ctx, wrong, code(first))
		require.ErrorIs(t, err, core.ErrUnauthenticated)
		_, _, err = d.signIn(ctx, code(first))
		require.ErrorIs(t, err, core.ErrUnauthenticated, "a code is good once")
		d.clock.Advance(time.Minute)
		next := codeAt(t, secret, d.clock.Now())
		_, _, err = d.signIn(ctx, code(next[:3]+" "+next[3:]))
		require.NoError(t, err)
		_, _, err = d.signIn(ctx, code(next))
		require.ErrorIs(t, err, core.ErrUnauthenticated)
		_, _, err = d.signIn(ctx, code(recovery[4]))
		require.NoError(t, err)
		_, _, err = d.signIn(ctx, code(recovery[4]))
		require.ErrorIs(t, err, core.ErrUnauthenticated, "each is good once")

		require.ErrorIs(t, d.RemoveCodes(ctx, d.ada.ID, "wrong horse", string(d.ada.ID)), core.ErrPasswordWrong)
		require.NoError(t, d.RemoveCodes(ctx, d.ada.ID, "", "usr_boss"))
		_, _, err = d.signIn(ctx)
		require.NoError(t, err)
	})
}

func TestAPasswordIsChanged(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		ctx := t.Context()
		_, token, err := d.signIn(ctx)
		require.NoError(t, err)
		require.ErrorIs(t, d.ChangePassword(ctx, d.ada.ID, "wrong horse", "battery staple"), core.ErrPasswordWrong)
		var invalid *core.InvalidError
		require.ErrorAs(t, d.ChangePassword(ctx, d.ada.ID, password, "x"), &invalid)
		require.NoError(t, d.ChangePassword(ctx, d.ada.ID, password, "battery staple"))
		_, _, err = d.StaffBySession(ctx, token)
		require.ErrorIs(t, err, core.ErrUnauthenticated)
		_, _, err = d.signIn(ctx)
		require.ErrorIs(t, err, core.ErrUnauthenticated)
		_, _, err = d.signIn(ctx, func(in *access.SignIn) { in.Password = "battery staple" })
		require.NoError(t, err)
		for range 5 {
			err = d.ChangePassword(ctx, d.ada.ID, "wrong horse", "battery staple")
		}
		var locked *core.LockedError
		require.ErrorIs(t, err, core.ErrPasswordWrong)
		require.ErrorAs(t, d.ChangePassword(ctx, d.ada.ID, "battery staple", password), &locked, "who took over a session cannot guess on")
	})
}

// Two who shut each other out at once do not both succeed.
func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	eachDoor(t, func(t *testing.T, d *door) {
		ctx := t.Context()
		var admins []core.StaffID
		for n := range 2 {
			staff, _, err := d.AddStaff(ctx, access.NewStaff{Email: fmt.Sprintf("boss%d@example.test", n), DrawPassword: true, Role: core.RoleAdmin}, "cli")
			require.NoError(t, err)
			admins = append(admins, staff.ID)
		}
		var all sync.WaitGroup
		failed := make([]error, 2)
		for n := range admins {
			all.Go(func() { failed[n] = d.DisableStaff(ctx, admins[n], string(admins[1-n])) })
		}
		all.Wait()
		failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil })
		require.Len(t, failed, 1)
		require.ErrorIs(t, failed[0], core.ErrLastAdmin)
	})
}

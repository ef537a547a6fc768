package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

func TestRolesIncludeThoseBelow(t *testing.T) {
	t.Parallel()
	order := []core.Role{core.RoleViewer, core.RoleSupport, core.RoleFinance, core.RoleAdmin}
	for i, role := range order {
		for j, other := range order {
			require.Equal(t, i >= j, role.Includes(other), "%s includes %s", role, other)
		}
		require.False(t, role.Includes("OWNER"), "nobody may do what needs an unknown role")
		require.False(t, core.Role("").Includes(role))
	}
	parsed, err := core.ParseRole("admin")
	require.NoError(t, err)
	require.Equal(t, core.RoleAdmin, parsed)
	_, err = core.ParseRole("owner")
	require.Error(t, err)
}

func TestAPIKeysBelongToTheirEnvironment(t *testing.T) {
	t.Parallel()
	require.NoError(t, core.CheckAPIKeyFormat("pd_test_0123456789abcdef", core.EnvTest))
	require.Error(t, core.CheckAPIKeyFormat("pd_live_0123456789abcdef01234567", core.EnvTest))
	require.Error(t, core.CheckAPIKeyFormat("pd_live_short", core.EnvLive))
	err := core.CheckAPIKeyFormat("sk_test_oops", core.EnvTest)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "oops")
}

func TestTheAuditChainShowsEveryChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		log := make([]core.AuditEntry, rapid.IntRange(2, 8).Draw(t, "length"))
		var sequence int64
		hash := ""
		for i := range log {
			log[i] = core.AuditEntry{Actor: "usr_1", Action: "key.create", Subject: string(rune('a' + i)), At: start.Add(time.Duration(i))}.Seal(sequence, hash)
			require.NoError(t, log[i].Follows(sequence, hash))
			sequence, hash = log[i].Sequence, log[i].Hash
		}
		at := rapid.IntRange(0, len(log)-1).Draw(t, "at")
		switch rapid.SampledFrom([]string{"change", "remove", "swap"}).Draw(t, "harm") {
		case "change":
			log[at].Detail += "!"
		case "remove":
			if at == len(log)-1 {
				return // a shortened tail is found by the number of the last entry
			}
			log = append(log[:at], log[at+1:]...)
		case "swap":
			other := (at + 1) % len(log)
			log[at], log[other] = log[other], log[at]
		}
		require.Error(t, verify(log))
	})
}

func verify(log []core.AuditEntry) error {
	var sequence int64
	hash := ""
	for _, entry := range log {
		if err := entry.Follows(sequence, hash); err != nil {
			return err
		}
		sequence, hash = entry.Sequence, entry.Hash
	}
	return nil
}

func TestIdempotencyVerdicts(t *testing.T) {
	t.Parallel()
	running := core.IdempotencyRecord{RequestHash: "a", LockedAt: start}
	done := core.IdempotencyRecord{RequestHash: "a", Status: 201}
	require.Equal(t, core.IdempotencyMismatch, running.Judge("b", start, core.IdempotencyLockMax))
	require.Equal(t, core.IdempotencyMismatch, done.Judge("b", start, core.IdempotencyLockMax))
	require.Equal(t, core.IdempotencyReplay, done.Judge("a", start, core.IdempotencyLockMax))
	require.Equal(t, core.IdempotencyBusy, running.Judge("a", start.Add(core.IdempotencyLockMax-1), core.IdempotencyLockMax))
	require.Equal(t, core.IdempotencyRun, running.Judge("a", start.Add(core.IdempotencyLockMax), core.IdempotencyLockMax))
}

func TestEndpointsWantWhatTheyAskedFor(t *testing.T) {
	t.Parallel()
	all := core.Endpoint{}
	some := core.Endpoint{Types: []core.EventType{core.EventPaymentFailed}}
	require.True(t, all.Wants(core.EventCheckoutExpired))
	require.True(t, some.Wants(core.EventPaymentFailed))
	require.False(t, some.Wants(core.EventPaymentSucceeded))
	all.DisabledAt = start
	require.True(t, all.Wants(core.EventCheckoutExpired), "kept until it is enabled")
	require.False(t, all.Told())
	some.DeletedAt = start
	require.False(t, some.Wants(core.EventPaymentFailed))
}

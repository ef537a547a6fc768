package system_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
)

func TestClockIsUTCAndCutToMicroseconds(t *testing.T) {
	t.Parallel()
	before := time.Now().Truncate(time.Microsecond)
	now := system.NewClock().Now()

	require.Equal(t, time.UTC, now.Location())
	require.Zero(t, now.Nanosecond()%1000)
	require.False(t, now.Before(before))
	require.Equal(t, now, now.Round(0), "no monotonic reading: it would not survive the database")
}

func TestShiftableClockOnlyMovesAhead(t *testing.T) {
	t.Parallel()
	wall, clock := system.NewClock(), system.NewShiftable()

	require.WithinDuration(t, wall.Now(), clock.Now(), time.Minute)
	require.Equal(t, 720*time.Hour, clock.Advance(720*time.Hour))
	require.WithinDuration(t, wall.Now().Add(720*time.Hour), clock.Now(), time.Minute)
	require.Equal(t, 720*time.Hour, clock.Advance(-time.Hour), "business time never runs backwards")
	require.Equal(t, system.ShiftMax, clock.Advance(1<<63-1), "and not beyond the limit")
	require.Equal(t, system.ShiftMax, clock.Advance(time.Hour))
	require.Zero(t, clock.Now().Nanosecond()%1000)
	require.Equal(t, time.UTC, clock.Now().Location())
}

func TestShiftableClockIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	clock := system.NewShiftable()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				clock.Advance(time.Second)
				clock.Now()
			}
		})
	}
	group.Wait()
	require.Equal(t, 800*time.Second, clock.Advance(0))
}

func TestUUIDsAreVersion7AndGrow(t *testing.T) {
	t.Parallel()
	ids := system.NewIDs()
	last := ids.UUID()
	for range 10_000 {
		next := ids.UUID()
		require.Equal(t, byte(7), next[6]>>4)
		require.Equal(t, byte(2), next[8]>>6, "the variant of RFC 9562")
		require.Negative(t, bytes.Compare(last[:], next[:]))
		last = next
	}
}

func TestUUIDsOfManyCallersDiffer(t *testing.T) {
	t.Parallel()
	ids := system.NewIDs()
	const callers, each = 8, 1000
	drawn := make([][][16]byte, callers)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for range each {
				drawn[caller] = append(drawn[caller], ids.UUID())
			}
		})
	}
	group.Wait()
	seen := map[[16]byte]bool{}
	for _, list := range drawn {
		for _, id := range list {
			seen[id] = true
		}
	}
	require.Len(t, seen, callers*each)
}

func TestSecretsAreLongRandomAndPlain(t *testing.T) {
	t.Parallel()
	ids := system.NewIDs()
	seen := map[string]bool{}
	used := map[rune]bool{}
	for range 2000 {
		secret := ids.Secret()
		require.Len(t, secret, 32)
		require.Empty(t, strings.Trim(secret, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
		require.NoError(t, core.CheckAPIKeyFormat("pd_test_"+secret, core.EnvTest))
		require.False(t, core.HasCardNumber(secret))
		seen[secret] = true
		for _, character := range secret {
			used[character] = true
		}
	}
	require.Len(t, seen, 2000)
	require.Len(t, used, 62, "every character occurs")
}

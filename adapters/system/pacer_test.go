package system_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
)

func TestPacerKeepsEachAccountToItsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer := system.NewPacer(map[core.AccountName]float64{"slow": 10})
		start := time.Now()
		for range 10 {
			require.NoError(t, pacer.Wait(t.Context(), "slow", 1))
		}
		require.Zero(t, time.Since(start), "a second's calls after a rest")
		require.NoError(t, pacer.Wait(t.Context(), "slow", 5))
		require.Equal(t, 500*time.Millisecond, time.Since(start))
		require.NoError(t, pacer.Wait(t.Context(), "other", 1_000_000))
		require.Equal(t, 500*time.Millisecond, time.Since(start), "another account has no limit, and does not wait for this one")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, pacer.Wait(ctx, "slow", 1000), context.DeadlineExceeded)
	})
}

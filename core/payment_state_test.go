package core_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

// The whole table stands in testdata, for people to read and to see change.
func TestPaymentStateMatrix(t *testing.T) {
	t.Parallel()
	var matrix strings.Builder
	fmt.Fprintf(&matrix, "%-16s", "held \\ seen")
	for _, seen := range core.PaymentStatuses() {
		fmt.Fprintf(&matrix, " %-15s", seen)
	}
	for _, held := range core.PaymentStatuses() {
		fmt.Fprintf(&matrix, "\n%-16s", held)
		for _, seen := range core.PaymentStatuses() {
			fmt.Fprintf(&matrix, " %-15s", held.Judge(seen))
		}
	}
	lines := strings.Split(matrix.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	got := strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", "payment_states.golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestTerminalStatusesNeverAdvance(t *testing.T) {
	t.Parallel()
	for _, held := range core.PaymentStatuses() {
		require.True(t, held.Known())
		for _, seen := range core.PaymentStatuses() {
			if held.Terminal() {
				require.NotEqual(t, core.Advance, held.Judge(seen), "%s to %s", held, seen)
			}
			if held == seen {
				require.Equal(t, core.Stale, held.Judge(seen))
			}
		}
	}
	require.False(t, core.PaymentStatus("paid").Known())
}

func TestEveryStatusHasItsEvent(t *testing.T) {
	t.Parallel()
	require.Equal(t, core.EventPaymentSucceeded, core.PaymentSucceeded.Event())
	require.Equal(t, core.EventPaymentNeedsReview, core.PaymentNeedsReview.Event())
	require.Equal(t, core.EventPaymentCanceled, core.PaymentExpired.Event(), "expiry has no type of its own")
}

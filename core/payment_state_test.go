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

// status is one of the state machines' types.
type status[S any] interface {
	~string
	Judge(seen S) core.Verdict
	Known() bool
}

// requireMatrix compares a whole table of moves with the one in testdata, which is for people to
// read and to see change.
func requireMatrix[S status[S]](t *testing.T, name string, statuses []S) {
	t.Helper()
	var matrix strings.Builder
	fmt.Fprintf(&matrix, "%-16s", "held \\ seen")
	for _, seen := range statuses {
		require.True(t, seen.Known())
		fmt.Fprintf(&matrix, " %-15s", string(seen))
	}
	for _, held := range statuses {
		fmt.Fprintf(&matrix, "\n%-16s", string(held))
		for _, seen := range statuses {
			fmt.Fprintf(&matrix, " %-15s", held.Judge(seen))
		}
	}
	lines := strings.Split(matrix.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	got := strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", name+".golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestStateMatrices(t *testing.T) {
	t.Parallel()
	requireMatrix(t, "payment_states", core.PaymentStatuses())
	requireMatrix(t, "refund_states", core.RefundStatuses())
	requireMatrix(t, "dispute_states", core.DisputeStatuses())
	require.False(t, core.RefundStatus("done").Known())
	require.False(t, core.DisputeStatus("open").Known())
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

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

// requireBillingMatrix holds a table of moves to the one in testdata, which is for people to read
// and to see change.
func requireBillingMatrix[S ~string](t *testing.T, name string, statuses []S, judge func(held, seen S) core.Verdict) {
	t.Helper()
	var matrix strings.Builder
	fmt.Fprintf(&matrix, "%-14s", "held \\ seen")
	for _, seen := range statuses {
		fmt.Fprintf(&matrix, " %-13s", seen)
	}
	for _, held := range statuses {
		fmt.Fprintf(&matrix, "\n%-14s", held)
		for _, seen := range statuses {
			verdict := judge(held, seen)
			fmt.Fprintf(&matrix, " %-13s", verdict)
			if held == seen {
				require.Equal(t, core.Stale, verdict)
			}
		}
	}
	lines := strings.Split(matrix.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	got := strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", name+".golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestBillingStateMatrices(t *testing.T) {
	t.Parallel()
	requireBillingMatrix(t, "method_states", core.MethodStatuses(), core.MethodStatus.Judge)
	requireBillingMatrix(t, "subscription_states", core.SubscriptionStatuses(), core.SubscriptionStatus.Judge)
	requireBillingMatrix(t, "invoice_states", core.InvoiceStatuses(), core.InvoiceStatus.Judge)
	for _, s := range core.MethodStatuses() {
		require.True(t, s.Known())
	}
	for _, s := range core.SubscriptionStatuses() {
		require.True(t, s.Known())
	}
	for _, s := range core.InvoiceStatuses() {
		require.True(t, s.Known())
	}
	require.False(t, core.MethodStatus("gone").Known() || core.SubscriptionStatus("ended").Known() || core.InvoiceStatus("due").Known())
}

package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func TestRefundLimits(t *testing.T) {
	t.Parallel()
	limits, err := core.ParseRefundLimits("EUR:500, jpy=80000,1000")
	require.NoError(t, err)
	for _, want := range []struct {
		minor    int64
		currency core.Currency
		above    bool
	}{{500, "EUR", false}, {501, "EUR", true}, {80000, "JPY", false}, {80001, "JPY", true}, {1000, "USD", false}, {1001, "USD", true}} {
		require.Equal(t, want.above, limits.Above(money(t, want.minor, want.currency)), want)
	}
	only, err := core.ParseRefundLimits("EUR:0")
	require.NoError(t, err)
	require.True(t, only.Above(money(t, 1, "EUR")))
	require.False(t, only.Above(money(t, core.MinorMax, "USD")))
	require.False(t, core.RefundLimits{}.Above(money(t, core.MinorMax, "USD")))
	for _, bad := range []string{"EUR", "EUR:", "EUR:-1", "EUR:1.5", "XXZ:1", "EUR:1,", ","} {
		_, err := core.ParseRefundLimits(bad)
		require.Error(t, err, bad)
	}
}

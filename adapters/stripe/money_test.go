package stripe_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/adapters/stripe"
	"github.com/paydesk/paydesk/core"
)

func TestAmounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		currency core.Currency
		foreign  int64 // 0 where it cannot be said
	}{
		{1999, "USD", 1999},
		{1, "EUR", 1},
		{core.MinorMax, "USD", core.MinorMax},
		{500, "JPY", 500},
		{5, "ISK", 500},     // whole units, sent with two decimals
		{1750, "HUF", 1750}, // two decimals in charges
		{1234, "TWD", 1234}, // likewise
		{5120, "KWD", 5120}, // thousandths, of which the last is zero
		{5124, "KWD", 0},    // finer than that
		{12300, "MGA", 123}, // two decimals in ISO 4217, none at Stripe
		{12345, "MGA", 0},   // finer than that
		{100, "UGX", 0},     // Stripe's pages disagree
		{100, "IRR", 0},     // not taken
		{core.MinorMax, "ISK", 100 * core.MinorMax},
	} {
		foreign, currency, err := stripe.ToForeign(money(t, c.minor, c.currency))
		require.Equal(t, c.foreign, foreign, c.currency)
		if c.foreign == 0 {
			require.Error(t, err, c.currency)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, strings.ToLower(string(c.currency)), currency)
	}
	_, _, err := stripe.ToForeign(core.Money{})
	require.Error(t, err)
}

func TestAmountsBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		foreign  int64
		currency core.Currency
	}{
		{150, "ISK"}, {math.MaxInt64, "USD"}, {math.MinInt64, "USD"}, {math.MaxInt64, "MGA"}, {core.MinorMax, "MGA"}, {100, "UGX"}, {100, "XYZ"}, {100, ""},
	} {
		_, err := stripe.FromForeign(c.foreign, c.currency)
		require.Error(t, err, "%d %s", c.foreign, c.currency)
	}
}

// TestAmountsRoundTrip: what can be said to Stripe is understood from it as the same.
func TestAmountsRoundTrip(t *testing.T) {
	t.Parallel()
	var currencies []core.Currency
	for currency := range adapterAt(t, "").Capabilities().Currencies {
		currencies = append(currencies, currency)
	}
	slices.Sort(currencies)
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom(currencies).Draw(t, "currency")
		given, err := core.NewMoney(rapid.Int64Range(0, core.MinorMax).Draw(t, "minor"), currency)
		require.NoError(t, err)
		foreign, _, err := stripe.ToForeign(given)
		if err != nil {
			return
		}
		back, err := stripe.FromForeign(foreign, currency)
		require.NoError(t, err)
		require.Equal(t, given, back)
	})
}

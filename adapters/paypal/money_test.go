package paypal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/adapters/paypal"
	"github.com/paydesk/paydesk/core"
)

func TestAmountsToPayPal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		currency core.Currency
		value    string // empty for none
	}{
		{10_00, "USD", "10.00"},
		{1, "EUR", "0.01"},
		{core.MinorMax, "EUR", "9999999999.99"},
		{10, "JPY", "10"},
		{core.MinorMax, "JPY", "999999999999"},
		{10_00, "HUF", "10"},
		{10_50, "HUF", ""},
		{100_00, "TWD", "100"},
		{1, "TWD", ""},
		{0, "EUR", ""},
		{-1, "EUR", ""},
		{1_000, "KWD", ""},
		{1_00, "RUB", ""},
		{1_00, "INR", ""},
	} {
		amount, err := paypal.ToForeign(money(t, c.minor, c.currency))
		require.Equal(t, c.value == "", err != nil, "%d %s", c.minor, c.currency)
		require.Equal(t, c.value, amount.Value)
	}
	_, err := paypal.ToForeign(money(t, 10_50, "HUF"))
	require.ErrorContains(t, err, "whole amounts")
	_, err = paypal.ToForeign(core.Money{})
	require.Error(t, err)
}

func TestAmountsFromPayPal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value    string
		currency string
		minor    int64 // -1 for none
	}{
		{"10", "USD", 10_00},
		{"10.0", "USD", 10_00},
		{"10.00", "USD", 10_00},
		{"10.000", "USD", 10_00},
		{"0.5", "USD", 50},
		{"0.00", "USD", 0},
		{"10", "JPY", 10},
		{"10.00", "JPY", 10},
		{"10", "HUF", 10_00},
		{"10.00", "HUF", 10_00},
		{"10.5", "HUF", 10_50},
		{"1.234", "KWD", 1_234},
		{"9999999999.99", "EUR", core.MinorMax},
		{"10000000000.00", "EUR", -1},
		{"999999999999999999999999999999", "EUR", -1},
		{"10.001", "USD", -1},
		{"10.5", "JPY", -1},
		{"1e2", "USD", -1},
		{"1E2", "USD", -1},
		{"-1.00", "USD", -1},
		{"+1.00", "USD", -1},
		{"NaN", "USD", -1},
		{"Inf", "USD", -1},
		{"", "USD", -1},
		{".", "USD", -1},
		{".5", "USD", -1},
		{"5.", "USD", -1},
		{" 5", "USD", -1},
		{"5 ", "USD", -1},
		{"1,000.00", "USD", -1},
		{"1.0.0", "USD", -1},
		{"0x10", "USD", -1},
		{"1_0", "USD", -1},
		{"１０", "USD", -1},
		{"10", "usd", -1},
		{"10", "XXQ", -1},
		{"10", "", -1},
		{"10." + strings.Repeat("0", 29), "USD", 10_00},
		{"10." + strings.Repeat("0", 30), "USD", -1},
	} {
		amount, err := paypal.FromForeign(&paypal.Amount{CurrencyCode: c.currency, Value: c.value})
		if c.minor < 0 {
			require.Error(t, err, "%q %s", c.value, c.currency)
			require.Zero(t, amount)
			continue
		}
		require.NoError(t, err, "%q %s", c.value, c.currency)
		require.Equal(t, money(t, c.minor, core.Currency(c.currency)), amount)
	}
	_, err := paypal.FromForeign(nil)
	require.Error(t, err)
}

// TestAmountsRoundTrip: what can be said to PayPal is understood from it as the same, and only
// what is finer than PayPal counts cannot be said.
func TestAmountsRoundTrip(t *testing.T) {
	t.Parallel()
	adapter := newAdapter(t, options())
	var currencies []core.Currency
	for currency := range adapter.Capabilities().Currencies {
		currencies = append(currencies, currency)
	}
	slices.Sort(currencies)
	script := adapter.Browser().Decimals
	require.Equal(t, map[core.Currency]int{"HUF": 0, "TWD": 0}, script)
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom(currencies).Draw(t, "currency")
		given, err := core.NewMoney(rapid.Int64Range(1, core.MinorMax).Draw(t, "minor"), currency)
		require.NoError(t, err)
		foreign, err := paypal.ToForeign(given)
		if _, whole := script[currency]; whole && given.Minor()%100 != 0 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.LessOrEqual(t, len(foreign.Value), 32)
		back, err := paypal.FromForeign(&foreign)
		require.NoError(t, err)
		require.Equal(t, given, back)
	})
}

// FuzzAmount: whatever PayPal writes is an amount of at most what is handled, or none.
func FuzzAmount(f *testing.F) {
	for _, value := range []string{"10.00", "1e9", "-0", "0.000000000000000000000000000000", "99999999999999999999", "1.", "\x00"} {
		f.Add(value, "USD")
		f.Add(value, "JPY")
	}
	f.Fuzz(func(t *testing.T, value, currency string) {
		amount, err := paypal.FromForeign(&paypal.Amount{CurrencyCode: currency, Value: value})
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, amount.Minor(), int64(0))
		require.LessOrEqual(t, amount.Minor(), core.MinorMax)
		require.Regexp(t, `^\d+(\.\d+)?$`, value)
	})
}

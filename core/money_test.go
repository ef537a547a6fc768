package core_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

func money(t require.TestingT, minor int64, currency core.Currency) core.Money {
	m, err := core.NewMoney(minor, currency)
	require.NoError(t, err)
	return m
}

func TestMoneyIsShownWithTheCurrencysOwnDecimals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		currency core.Currency
		want     string
	}{
		{1000, "USD", "10.00"},
		{5, "EUR", "0.05"},
		{-5, "EUR", "-0.05"},
		{0, "EUR", "0.00"},
		{500, "JPY", "500"},
		{0, "JPY", "0"},
		{500, "KWD", "0.500"},
		{12345, "KWD", "12.345"},
		{-12345, "BHD", "-12.345"},
		{core.MinorMax, "USD", "9999999999.99"},
	} {
		require.Equal(t, c.want, money(t, c.minor, c.currency).Decimal())
	}
	require.Equal(t, "USD 10.00", money(t, 1000, "USD").String())
}

func TestMoneyRefusesWhatIsNoAmount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		currency core.Currency
		want     error
	}{
		{1, "", core.ErrCurrencyUnknown},
		{1, "usd", core.ErrCurrencyUnknown},
		{1, "XXX", core.ErrCurrencyUnknown},
		{1, "XTS", core.ErrCurrencyUnknown},
		{core.MinorMax + 1, "USD", core.ErrAmountRange},
		{-core.MinorMax - 1, "USD", core.ErrAmountRange},
		{math.MinInt64, "USD", core.ErrAmountRange},
	} {
		_, err := core.NewMoney(c.minor, c.currency)
		require.ErrorIs(t, err, c.want, "%d %s", c.minor, c.currency)
	}
}

func TestMoneyOfDifferentCurrenciesNeverMeets(t *testing.T) {
	t.Parallel()
	usd, eur := money(t, 1, "USD"), money(t, 1, "EUR")
	_, err := usd.Add(eur)
	require.ErrorIs(t, err, core.ErrCurrencyMismatch)
	_, err = usd.Sub(eur)
	require.ErrorIs(t, err, core.ErrCurrencyMismatch)
	_, err = usd.Compare(eur)
	require.ErrorIs(t, err, core.ErrCurrencyMismatch)
	_, err = usd.Add(core.Money{})
	require.ErrorIs(t, err, core.ErrCurrencyMismatch)
}

// Arithmetic agrees with integers of any size, or says that the result is out of range.
func TestMoneyArithmeticIsExactOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minors := rapid.Int64Range(-core.MinorMax, core.MinorMax)
		a, b := minors.Draw(t, "a"), minors.Draw(t, "b")
		quantity := rapid.Int64().Draw(t, "quantity")
		x, y := money(t, a, "EUR"), money(t, b, "EUR")

		sum, err := x.Add(y)
		requireExact(t, new(big.Int).Add(big.NewInt(a), big.NewInt(b)), sum, err)
		difference, err := x.Sub(y)
		requireExact(t, new(big.Int).Sub(big.NewInt(a), big.NewInt(b)), difference, err)
		product, err := x.Mul(quantity)
		requireExact(t, new(big.Int).Mul(big.NewInt(a), big.NewInt(quantity)), product, err)
	})
}

func requireExact(t require.TestingT, want *big.Int, got core.Money, err error) {
	if new(big.Int).Abs(want).Cmp(big.NewInt(core.MinorMax)) > 0 {
		require.ErrorIs(t, err, core.ErrAmountRange)
		return
	}
	require.NoError(t, err)
	require.Equal(t, want.Int64(), got.Minor())
	require.Equal(t, core.Currency("EUR"), got.Currency())
}

func TestCurrencyTable(t *testing.T) {
	t.Parallel()
	for currency, exponent := range map[core.Currency]int{
		"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "BHD": 3, "ISK": 0, "HUF": 2, "TWD": 2, "CLP": 0, "TND": 3, "MGA": 2,
	} {
		require.True(t, currency.Known(), currency)
		require.Equal(t, exponent, currency.Exponent(), currency)
	}
	require.Greater(t, len(core.Currencies()), 150)
	for _, currency := range core.Currencies() {
		require.Regexp(t, `^[A-Z]{3}$`, string(currency))
		require.Contains(t, []int{0, 2, 3}, currency.Exponent())
	}
}

func TestSumLineItems(t *testing.T) {
	t.Parallel()
	item := func(minor, quantity int64) core.LineItem {
		return core.LineItem{Name: "x", Amount: money(t, minor, "EUR"), Quantity: quantity}
	}
	sum, err := core.SumLineItems([]core.LineItem{item(250, 2), item(1, 3)}, "EUR")
	require.NoError(t, err)
	require.Equal(t, money(t, 503, "EUR"), sum)

	for name, items := range map[string][]core.LineItem{
		"nothing":  nil,
		"zero":     {item(0, 1)},
		"negative": {item(-5, 1)},
		"too much": {item(core.MinorMax, 1), item(1, 1)},
		"overflow": {item(core.MinorMax, math.MaxInt64)},
	} {
		_, err := core.SumLineItems(items, "EUR")
		require.ErrorIs(t, err, core.ErrAmountRange, name)
	}
	_, err = core.SumLineItems([]core.LineItem{item(1, 1)}, "USD")
	require.ErrorIs(t, err, core.ErrCurrencyMismatch)
}

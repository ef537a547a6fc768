package pay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/web/pay"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

func TestMoneyForPeople(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    int64
		currency core.Currency
		want     string
	}{
		{0, "EUR", "€0.00"},
		{5, "EUR", "€0.05"},
		{123_456_789, "USD", "$1,234,567.89"},
		{100_000, "JPY", "¥100,000"},
		{999, "JPY", "¥999"},
		{1_234_567, "KWD", "KWD\u00a01,234.567"},
		{-1_000_00, "CHF", "-CHF\u00a01,000.00"},
	} {
		money, err := core.NewMoney(c.minor, c.currency)
		require.NoError(t, err)
		require.Equal(t, c.want, pay.FormatMoney(money))
	}
}

func TestForeignAmount(t *testing.T) {
	t.Parallel()
	config := ports.BrowserConfig{Decimals: map[core.Currency]int{"ISK": 2, "KWD": 2}}
	for currency, want := range map[core.Currency]int64{"EUR": 1230, "ISK": 123_000, "KWD": 123} {
		money, err := core.NewMoney(1230, currency)
		require.NoError(t, err)
		require.Equal(t, want, pay.ForeignAmount(money, config), currency)
	}
}

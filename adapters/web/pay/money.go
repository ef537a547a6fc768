package pay

import (
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// symbols are the currency signs that no other currency in use is written with when
// set like this in English. All other currencies show their codes.
//
// Source: Unicode CLDR, English.
var symbols = map[core.Currency]string{
	"AUD": "A$", "BRL": "R$", "CAD": "CA$", "CNY": "CN¥", "EUR": "€", "GBP": "£", "HKD": "HK$", "ILS": "₪", "INR": "₹",
	"JPY": "¥", "KRW": "₩", "MXN": "MX$", "NZD": "NZ$", "PHP": "₱", "TWD": "NT$", "USD": "$", "VND": "₫",
}

// noBreak is a space at which no line ends.
const noBreak = "\u00a0"

// formatMoney writes an amount for people who read English: "€1,250.00", "KWD 0.500".
func formatMoney(m core.Money) string {
	whole, decimals, _ := strings.Cut(m.Decimal(), ".")
	sign := ""
	if rest, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "-", rest
	}
	var grouped strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			grouped.WriteByte(',')
		}
		grouped.WriteRune(digit)
	}
	if decimals != "" {
		grouped.WriteString("." + decimals)
	}
	if symbol, ok := symbols[m.Currency()]; ok {
		return sign + symbol + grouped.String()
	}
	return sign + string(m.Currency()) + noBreak + grouped.String()
}

// foreignAmount is an amount in the unit that a provider's script counts in.
func foreignAmount(m core.Money, config ports.BrowserConfig) int64 {
	decimals, differs := config.Decimals[m.Currency()]
	value := m.Minor()
	if !differs {
		return value
	}
	for range decimals - m.Currency().Exponent() {
		value *= 10
	}
	for range m.Currency().Exponent() - decimals {
		value /= 10
	}
	return value
}

func lower(c core.Currency) string { return strings.ToLower(string(c)) }

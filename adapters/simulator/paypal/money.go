package paypal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// money is an amount on the wire.
type money struct {
	Currency string `json:"currency_code"`
	Value    string `json:"value"`
}

// currencies are what PayPal pays in: those without decimals and those with two.
//
// Source: developer.paypal.com/reference/currency-codes.
var currencies = struct{ whole, rest []string }{
	whole: []string{"HUF", "JPY", "TWD"},
	rest: strings.Fields(`
		AUD BRL CAD CNY CZK DKK EUR HKD ILS MYR MXN NZD NOK PHP PLN GBP SGD SEK CHF THB USD`),
}

// amountDigitsMost bounds an amount's whole part; what is longer is no payment.
const amountDigitsMost = 12

func wholeOnly(currency string) bool { return slices.Contains(currencies.whole, currency) }

// units reads an amount in the smallest units that PayPal has for its currency. It must be
// positive where zero is not allowed; field is where it is.
func (m money) units(field string, zero bool) (int64, *result) {
	whole := wholeOnly(m.Currency)
	if !whole && !slices.Contains(currencies.rest, m.Currency) {
		return 0, new(unprocessable("INVALID_CURRENCY_CODE", field+"/currency_code"))
	}
	field += "/value"
	text, negative := strings.CutPrefix(m.Value, "-")
	before, after, decimals := strings.Cut(text, ".")
	syntax := strings.Trim(before+after, "0123456789") != "" || decimals && after == "" || !decimals && before == ""
	switch {
	case syntax:
		return 0, new(invalid(detail{Issue: "INVALID_PARAMETER_SYNTAX", Field: field, Location: "body"}))
	case whole && decimals:
		return 0, new(unprocessable("DECIMALS_NOT_SUPPORTED", field))
	case len(after) > 2:
		return 0, new(unprocessable("DECIMAL_PRECISION", field))
	case len(strings.TrimLeft(before, "0")) > amountDigitsMost:
		return 0, new(invalid(detail{Issue: "INVALID_PARAMETER_VALUE", Field: field, Location: "body"}))
	}
	digits := "0" + before
	if !whole {
		digits += (after + "00")[:2]
	}
	units, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil:
		return 0, new(invalid(detail{Issue: "INVALID_PARAMETER_SYNTAX", Field: field, Location: "body"}))
	case negative && units != 0, units == 0 && !zero:
		return 0, new(unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", field))
	}
	return units, nil
}

// moneyOf writes an amount as PayPal does.
func moneyOf(units int64, currency string) money {
	if wholeOnly(currency) {
		return money{currency, strconv.FormatInt(units, 10)}
	}
	sign := ""
	if units < 0 {
		sign, units = "-", -units
	}
	return money{currency, fmt.Sprintf("%s%d.%02d", sign, units/100, units%100)}
}

// fromISO turns minor units of ISO 4217 into PayPal's smallest units. The two differ where
// ISO has two decimals and PayPal none.
func fromISO(units int64, currency string) int64 {
	if currency == "HUF" || currency == "TWD" {
		return units / 100
	}
	return units
}

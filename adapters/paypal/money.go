package paypal

import (
	"errors"
	"strconv"
	"strings"

	"github.com/paydesk/paydesk/core"
)

// decimals holds every currency that payments are made in, with the decimals that PayPal
// takes of it. Forints and Taiwan dollars have two by ISO 4217 and none at PayPal. Rubles are
// left out: PayPal serves nobody in Russia any more. BRL, CNY and MYR work for accounts of
// those countries alone, which PayPal itself tells.
//
// Source: developer.paypal.com/api/rest/reference/currency-codes.
var decimals = func() map[core.Currency]int {
	table := make(map[core.Currency]int)
	for code := range strings.FieldsSeq("AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD") {
		table[core.Currency(code)] = 2
	}
	for code := range strings.FieldsSeq("HUF JPY TWD") {
		table[core.Currency(code)] = 0
	}
	return table
}()

// scriptDecimals lists the currencies that PayPal counts otherwise than ISO 4217.
func scriptDecimals() map[core.Currency]int {
	differing := make(map[core.Currency]int)
	for currency, places := range decimals {
		if places != currency.Exponent() {
			differing[currency] = places
		}
	}
	return differing
}

// Limits of an amount's text.
const (
	amountCharsMax = 32
	// wholeDigitsMax is of what stands before the point; far above [core.MinorMax], and far
	// below what an int64 holds.
	wholeDigitsMax = 15
)

// Why an amount cannot be said to PayPal, or understood from it.
var (
	errCurrency      = errors.New("currency is none that PayPal takes")
	errAmountWhole   = errors.New("PayPal takes whole amounts only in this currency")
	errAmountForeign = errors.New("amount is not one of the currency")
)

// Amount is an amount of money as PayPal writes it, a decimal number in the currency's major
// unit: "10.00" USD, "10" JPY.
type Amount struct {
	CurrencyCode string `json:"currency_code"`
	Value        string `json:"value"`
}

// toForeign writes an amount for PayPal. It must be above zero.
func toForeign(amount core.Money) (Amount, error) {
	places, ok := decimals[amount.Currency()]
	if !ok {
		return Amount{}, errCurrency
	}
	if !amount.IsPositive() {
		return Amount{}, core.ErrAmountRange
	}
	text := amount.Decimal()
	if places < amount.Currency().Exponent() {
		whole, rest, _ := strings.Cut(text, ".")
		if strings.Trim(rest, "0") != "" {
			return Amount{}, errAmountWhole
		}
		text = whole
	}
	return Amount{CurrencyCode: string(amount.Currency()), Value: text}, nil
}

// fromForeign reads an amount of PayPal's. "10", "10.0" and "10.00" are the same; an exponent,
// a sign, or decimals that the currency has not are none at all.
func fromForeign(amount *Amount) (core.Money, error) {
	if amount == nil || !core.Currency(amount.CurrencyCode).Known() || len(amount.Value) > amountCharsMax {
		return core.Money{}, errAmountForeign
	}
	currency := core.Currency(amount.CurrencyCode)
	whole, rest, point := strings.Cut(amount.Value, ".")
	exponent := currency.Exponent()
	if !isDigits(whole) || len(whole) > wholeDigitsMax || point && !isDigits(rest) {
		return core.Money{}, errAmountForeign
	}
	if len(rest) > exponent {
		if strings.Trim(rest[exponent:], "0") != "" {
			return core.Money{}, errAmountForeign
		}
		rest = rest[:exponent]
	}
	minor, err := strconv.ParseInt(whole+rest+strings.Repeat("0", exponent-len(rest)), 10, 64)
	if err != nil {
		return core.Money{}, errAmountForeign
	}
	return core.NewMoney(minor, currency)
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

package stripe

import (
	"errors"
	"fmt"
	"strings"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
)

// units is how Stripe counts a currency.
type units struct {
	decimals int   // of the unit that amounts are sent in
	step     int64 // amounts are whole multiples of it
}

// foreignUnits holds every currency that payments are made in. Most count as ISO 4217
// does; the exceptions are Stripe's own. UGX is left out: Stripe's pages disagree about
// its decimals. So are codes that the standard has withdrawn since.
//
// Source: the currency list of the API version and docs.stripe.com/currencies.
var foreignUnits = func() map[core.Currency]units {
	table := map[core.Currency]units{
		"ISK": {decimals: 2, step: 100}, // no decimals in life, two on the wire
	}
	for code := range strings.FieldsSeq(`
		AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BZD CAD CDF CHF CNY COP
		CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
		JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN
		NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SOS SRD SZL THB
		TJS TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD YER ZAR ZMW`) {
		table[core.Currency(code)] = units{decimals: 2, step: 1}
	}
	for code := range strings.FieldsSeq("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF") {
		table[core.Currency(code)] = units{decimals: 0, step: 1}
	}
	for code := range strings.FieldsSeq("BHD JOD KWD OMR TND") {
		table[core.Currency(code)] = units{decimals: 3, step: 10}
	}
	return table
}()

// Why an amount cannot be said to Stripe, or understood from it.
var (
	errCurrencyNotTaken = errors.New("currency is not taken")
	errAmountStep       = errors.New("amount is finer than the currency's smallest step")
	errAmountForeign    = errors.New("amount is not one of the currency")
)

// toForeign gives an amount in Stripe's units and spelling.
func toForeign(amount core.Money) (int64, stripesdk.Currency, error) {
	unit, ok := foreignUnits[amount.Currency()]
	if !ok {
		return 0, "", errCurrencyNotTaken
	}
	value := amount.Minor()
	up, down := scales(unit, amount.Currency())
	// At most core.MinorMax times a thousand: far from overflow.
	value *= up
	if value%down != 0 || value/down%unit.step != 0 {
		return 0, "", errAmountStep
	}
	return value / down, stripesdk.Currency(strings.ToLower(string(amount.Currency()))), nil
}

// fromForeign reads an amount as Stripe tells it. What is finer than our minor unit, or
// in a currency that Paydesk does not take at Stripe, is an error and never rounded.
func fromForeign(value int64, currency stripesdk.Currency) (core.Money, error) {
	code := core.Currency(strings.ToUpper(string(currency)))
	unit, ok := foreignUnits[code]
	if !ok {
		return core.Money{}, errCurrencyNotTaken
	}
	down, up := scales(unit, code)
	if value%down != 0 || value/down > core.MinorMax || value/down < -core.MinorMax {
		return core.Money{}, errAmountForeign
	}
	money, err := core.NewMoney(value/down*up, code)
	if err != nil {
		return core.Money{}, fmt.Errorf("%w: %w", errAmountForeign, err)
	}
	return money, nil
}

// scales are the factor and the divisor from our minor units to Stripe's; one of the
// two is 1.
func scales(unit units, currency core.Currency) (up, down int64) {
	up, down = 1, 1
	for range unit.decimals - currency.Exponent() {
		up *= 10
	}
	for range currency.Exponent() - unit.decimals {
		down *= 10
	}
	return up, down
}

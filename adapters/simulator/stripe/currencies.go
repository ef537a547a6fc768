package stripe

import (
	"fmt"
	"slices"
	"strings"
)

// amountMost is eight digits, whatever the currency.
//
// Source: docs.stripe.com/currencies, minimum and maximum charge amounts.
const amountMost = 99_999_999

// currencies are what Stripe charges in, by how amounts are said.
//
// Source: docs.stripe.com/currencies.
var currencies = struct{ zero, three, rest []string }{
	zero:  strings.Fields("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"),
	three: strings.Fields("bhd jod kwd omr tnd"),
	rest: strings.Fields(`
		aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop
		crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl hrk htg huf idr ils inr isk
		jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn
		nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb
		tjs top try ttd twd tzs uah usd uyu uzs wst xcd yer zar zmw`),
}

// amountLeast is the least that can be charged in currencies where it is published and
// not fifty.
//
// Source: docs.stripe.com/currencies, minimum charge amounts.
var amountLeast = map[string]int64{
	"aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "mxn": 1000, "myr": 200,
	"nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}

const amountLeastElsewhere = 50

// leastOf is the least that can be charged.
func leastOf(currency string) int64 {
	if least, ok := amountLeast[currency]; ok {
		return least
	}
	return amountLeastElsewhere
}

// fromISO is an amount in Stripe's units, of one in minor units of ISO 4217.
//
// Source: docs.stripe.com/currencies, special cases.
func fromISO(amount int64, currency string) int64 {
	switch currency {
	case "isk":
		return 100 * amount
	case "mga":
		return amount / 100
	}
	return amount
}

// checkCurrency refuses what is no currency.
func checkCurrency(currency string) *result {
	if !slices.Contains(currencies.three, currency) && !slices.Contains(currencies.zero, currency) && !slices.Contains(currencies.rest, currency) {
		return new(invalid("", "currency", "Invalid currency: "+currency[:min(len(currency), 8)]+". It must be a currency that Stripe supports, in lower case."))
	}
	return nil
}

// checkAmount refuses what cannot be charged.
func checkAmount(amount int64, currency string) *result {
	if out := checkCurrency(currency); out != nil {
		return out
	}
	three, least := slices.Contains(currencies.three, currency), leastOf(currency)
	var out result
	switch {
	case amount > amountMost:
		out = invalid("amount_too_large", "amount", fmt.Sprintf("Amount must be no more than %d.", int64(amountMost)))
	case amount < least:
		out = invalid("amount_too_small", "amount", fmt.Sprintf("Amount must be at least %d in %s.", least, currency))
	case three && amount%10 != 0:
		out = invalid("", "amount", "Amounts in three-decimal currencies must have 0 as their last digit.")
	case currency == "isk" && amount%100 != 0:
		out = invalid("invalid_charge_amount_no_decimal_compatible", "amount", "Amounts in isk must be whole: their last two digits must be 00.")
	default:
		return nil
	}
	return &out
}

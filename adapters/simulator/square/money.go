package square

import (
	"slices"
	"strconv"
	"strings"
)

// amountMost bounds a payment, in the currency's smallest unit. Square's own limits go by the
// country and are not published as one list; this one only keeps sums from running over.
const amountMost = 9_999_999_999

// money is an amount in the currency's smallest unit.
//
// Source: developer.squareup.com/reference/square/objects/Money.
type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

var moneyShape = shape{kind: object, of: fields{"amount": {kind: whole, need: true}, "currency": {kind: currency, need: true}}}

// taken are the currencies that the location takes. A real location takes that of its country
// alone; this one takes those of all countries that Square serves, so that one account is
// enough to try each.
var taken = []string{"AUD", "CAD", "EUR", "GBP", "JPY", "USD"}

// checkMoney refuses what cannot be charged or given back. field is the money's name.
func checkMoney(field string, m money) *result {
	switch {
	case !slices.Contains(taken, m.Currency):
		return new(invalid("CURRENCY_MISMATCH", field+".currency", "The currency provided is not one that this location takes."))
	case m.Amount <= 0:
		return new(invalid("VALUE_TOO_LOW", field+".amount", "The amount must be greater than 0."))
	case m.Amount > amountMost:
		return new(invalid("VALUE_TOO_HIGH", field+".amount", "The amount is too high."))
	}
	return nil
}

// digits are those behind a currency's point.
func digits(of string) int {
	if of == "JPY" {
		return 0
	}
	return 2
}

// fromDecimal reads an amount as browsers say it, "10.00" or "10".
func fromDecimal(said, of string) (money, bool) {
	before, after, pointed := strings.Cut(said, ".")
	places := digits(of)
	if before == "" || pointed && (after == "" || len(after) > places) || strings.Trim(before+after, "0123456789") != "" {
		return money{}, false
	}
	minor, err := strconv.ParseInt(before+after+strings.Repeat("0", places-len(after)), 10, 64)
	return money{Amount: minor, Currency: of}, err == nil
}

// decimal writes an amount as people read it.
func (m money) decimal() string {
	said, places := strconv.FormatInt(m.Amount, 10), digits(m.Currency)
	if places == 0 {
		return said
	}
	said = strings.Repeat("0", max(places+1-len(said), 0)) + said
	return said[:len(said)-places] + "." + said[len(said)-places:]
}

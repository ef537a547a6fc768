package stripe

import (
	"strings"

	stripesdk "github.com/stripe/stripe-go/v76"

	"github.com/paydesk/paydesk/core"
)

// ToForeign and FromForeign give the tests the amounts' translation.
func ToForeign(amount core.Money) (int64, string, error) {
	value, currency, err := toForeign(amount)
	return value, string(currency), err
}

// FromForeign is the way back.
func FromForeign(value int64, currency core.Currency) (core.Money, error) {
	return fromForeign(value, stripesdk.Currency(strings.ToLower(string(currency))))
}

package stripe

import (
	"strings"
	"time"

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

// CheckSignature is the part of VerifyWebhook that does not read the event.
func (a *Adapter) CheckSignature(header string, body []byte) (time.Time, error) {
	return a.checkSignature(header, body)
}

// Package check collects what is wrong with a storefront's request, so that every use case refuses
// in one form and names all fields at once.
package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
)

// Limits of what requests may carry, in characters unless said otherwise.
const (
	ReferenceMax     = 200
	ItemNameMax      = 250
	EmailMax         = 254
	NameMax          = 200
	metadataKeysMax  = 50
	metadataKeyMax   = 40
	metadataValueMax = 500
)

// Fields collects what is wrong with a request. The zero value is ready.
type Fields struct {
	fields []core.FieldError
}

// Refuse notes that a field is wrong, and how to mend it.
func (c *Fields) Refuse(field, format string, args ...any) {
	c.fields = append(c.fields, core.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Good reports whether nothing was refused so far.
func (c *Fields) Good() bool { return len(c.fields) == 0 }

// Err is a *[core.InvalidError] that names every refused field; nil where there is none.
func (c *Fields) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &core.InvalidError{Fields: c.fields}
}

// Text checks the length in characters, and that no control character is in it.
func (c *Fields) Text(field, value string, least, most int) {
	length := utf8.RuneCountInString(value)
	switch {
	case length < least || length > most:
		c.Refuse(field, "must have %d to %d characters", least, most)
	case !utf8.ValidString(value) || hasControl(value):
		c.Refuse(field, "must be text without control characters")
	}
}

// Email checks an address; empty is allowed.
func (c *Fields) Email(field, value string) {
	c.Text(field, value, 0, EmailMax)
	at := strings.LastIndexByte(value, '@')
	if value != "" && (at < 1 || at == len(value)-1 || strings.ContainsAny(value, " \t\r\n<>")) {
		c.Refuse(field, "must be an email address")
	}
}

// Currency checks an ISO 4217 code; empty where it is refused.
func (c *Fields) Currency(field, text string) core.Currency {
	currency, err := core.ParseCurrency(text)
	if err != nil {
		c.Refuse(field, "must be an ISO 4217 code in upper case, for example EUR")
		return ""
	}
	return currency
}

// Amount checks a positive amount of minor units; the zero Money where it is refused.
func (c *Fields) Amount(field string, minor int64, currency core.Currency) core.Money {
	amount, err := core.NewMoney(minor, currency)
	if err != nil || !amount.IsPositive() {
		c.Refuse(field, "must be a whole number of minor units from 1 to %d", core.MinorMax)
		return core.Money{}
	}
	return amount
}

// Quantity checks a number of pieces.
func (c *Fields) Quantity(field string, quantity int64) {
	if quantity < 1 || quantity > core.LineItemQuantityMax {
		c.Refuse(field, "must be from 1 to %d", core.LineItemQuantityMax)
	}
}

// Metadata checks a storefront's own data.
func (c *Fields) Metadata(field string, metadata map[string]string) {
	if len(metadata) > metadataKeysMax {
		c.Refuse(field, "must have at most %d keys", metadataKeysMax)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if key == "" || utf8.RuneCountInString(key) > metadataKeyMax || hasControl(key) || !utf8.ValidString(key) {
			c.Refuse(field, "must have keys of 1 to %d characters without control characters", metadataKeyMax)
			return
		}
		c.Text(field+"."+key, metadata[key], 0, metadataValueMax)
	}
}

// ID reads an id; empty where it is refused.
func ID[T core.ID](c *Fields, field, text string) T {
	id, err := core.ParseID[T](text)
	if err != nil {
		c.Refuse(field, "%s", err)
		return ""
	}
	return id
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

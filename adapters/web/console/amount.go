package console

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/paydesk/paydesk/core"
)

// inputError is an answer of the form that the admin API gives to what cannot be asked.
func inputError(message string) error {
	return gqlerror.List{{Message: message, Extensions: map[string]any{"code": "BAD_USER_INPUT"}}}
}

// minorOf reads an amount as people write it, 12.50, in the currency's minor unit. It never rounds.
func minorOf(text string, currency core.Currency) (int64, error) {
	currency = core.Currency(strings.ToUpper(string(currency)))
	if !currency.Known() {
		return 0, errors.New("the currency is not known")
	}
	whole, fraction, some := strings.Cut(strings.TrimSpace(text), ".")
	digits := currency.Exponent()
	if whole == "" || some && fraction == "" || len(fraction) > digits {
		return 0, fmt.Errorf("%s has %d digits after the point", currency, digits)
	}
	for _, c := range whole + fraction {
		if c < '0' || c > '9' {
			return 0, errors.New("only digits and a point")
		}
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil {
		return 0, errors.New("too large")
	}
	return minor, nil
}

// days are the filters "from" and "to": whole days of UTC, both included.
func (v *visit) days() (from, to *time.Time, err error) { return daysOf(v.given) }

func daysOf(given func(name string) *string) (from, to *time.Time, err error) {
	for name, into := range map[string]**time.Time{"from": &from, "to": &to} {
		text := given(name)
		if text == nil {
			continue
		}
		day, err := time.Parse(time.DateOnly, *text)
		if err != nil {
			return nil, nil, inputError("Days are written as 2026-01-31.")
		}
		if name == "to" {
			day = day.AddDate(0, 0, 1)
		}
		*into = &day
	}
	return from, to, nil
}

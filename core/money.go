package core

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MinorMax is the largest amount, in minor units, that Paydesk handles: twelve digits,
// as much as a card message of ISO 8583 can carry.
const MinorMax int64 = 999_999_999_999

// Errors of money arithmetic. They mark a broken rule in the caller, never bad luck.
var (
	ErrCurrencyUnknown  = errors.New("unknown currency")
	ErrCurrencyMismatch = errors.New("amounts of different currencies")
	ErrAmountRange      = errors.New("amount out of range")
)

// Money is an amount in minor units of one currency: JPY 500 is ¥500, USD 500 is
// $5.00, KWD 500 is half a dinar. The zero Money has no currency; it is no amount at
// all and adds to nothing.
type Money struct {
	minor    int64
	currency Currency
}

// NewMoney makes an amount. minor may be negative down to -[MinorMax] so that
// differences can be told; whoever asks for payment checks for a positive one.
func NewMoney(minor int64, currency Currency) (Money, error) {
	if !currency.Known() {
		return Money{}, ErrCurrencyUnknown
	}
	if minor > MinorMax || minor < -MinorMax {
		return Money{}, ErrAmountRange
	}
	return Money{minor: minor, currency: currency}, nil
}

// Zero is no money at all in the given currency.
func Zero(currency Currency) Money { return Money{currency: currency} }

// Minor is the amount in minor units.
func (m Money) Minor() int64 { return m.minor }

// Currency is the ISO 4217 code, upper case; empty for the zero Money.
func (m Money) Currency() Currency { return m.currency }

// IsZero reports whether the amount is zero, whatever the currency.
func (m Money) IsZero() bool { return m.minor == 0 }

// IsPositive reports whether the amount is above zero.
func (m Money) IsPositive() bool { return m.minor > 0 }

// Add is m plus other, or an error where currencies differ or the sum leaves the range.
func (m Money) Add(other Money) (Money, error) {
	if m.currency != other.currency {
		return Money{}, ErrCurrencyMismatch
	}
	// Both are within ±MinorMax, so the sum cannot overflow an int64.
	return NewMoney(m.minor+other.minor, m.currency)
}

// Sub is m less other, or an error where currencies differ or the difference leaves
// the range. The difference may be negative.
func (m Money) Sub(other Money) (Money, error) {
	if m.currency != other.currency {
		return Money{}, ErrCurrencyMismatch
	}
	return NewMoney(m.minor-other.minor, m.currency)
}

// Mul is m taken quantity times, or an error where the product leaves the range.
func (m Money) Mul(quantity int64) (Money, error) {
	if m.minor != 0 && quantity != 0 {
		if quantity > math.MaxInt64/abs(m.minor) || quantity < -(math.MaxInt64/abs(m.minor)) {
			return Money{}, ErrAmountRange
		}
	}
	return NewMoney(m.minor*quantity, m.currency)
}

// Compare is negative, zero or positive as m is less than, equal to or more than
// other; an error where currencies differ.
func (m Money) Compare(other Money) (int, error) {
	if m.currency != other.currency {
		return 0, ErrCurrencyMismatch
	}
	return cmp.Compare(m.minor, other.minor), nil
}

// Decimal is the amount in major units with the currency's own number of decimals:
// "10.00", "500", "0.500". It has no grouping and a point whatever the locale.
func (m Money) Decimal() string {
	exponent := m.currency.Exponent()
	digits := strconv.FormatInt(abs(m.minor), 10)
	if missing := exponent + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	sign := ""
	if m.minor < 0 {
		sign = "-"
	}
	if exponent == 0 {
		return sign + digits
	}
	return sign + digits[:len(digits)-exponent] + "." + digits[len(digits)-exponent:]
}

// String is for people and logs: "USD 10.00".
func (m Money) String() string { return fmt.Sprintf("%s %s", m.currency, m.Decimal()) }

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

package core_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/core"
)

func TestCardNumbersAreSpotted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "4242  4242--4242 4242",
		"4000000000000002", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005",
		"3782 822463 10005", "6011111111111117", "30569309025904", "3566002020360505", "6200000000000005",
		"order 12 4242 4242 4242 4242", "4242424242424242 12/34 123", `{"reference":"4242424242424242"}`,
		`{"amount":4242424242424242}`, "card4242424242424242", "card_4242424242424242x", "pan=4242424242424242&x",
		"/v1/checkouts/4242424242424242", "a\n4242424242424242\nb",
		"4242\u00a04242\u20094242\u30004242", "4242\u20134242\u20144242\u22124242", "4242\u200b4242\u00ad4242\ufeff4242",
		"\uff14\uff12\uff14\uff12424242424242", "\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662",
		"\U0001d7d2\U0001d7d0424242424242\U0001d7fa\U0001d7f8",
	} {
		require.True(t, core.HasCardNumber(text), "%q", text)
	}
}

func TestDigitsOfAllScriptsCount(t *testing.T) {
	t.Parallel()
	const number = "4242424242424242"
	for _, table := range []rune{0x660, 0x6f0, 0x966, 0xe50, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7f6, 0x1fbf0} {
		text := strings.Map(func(r rune) rune { return table + r - '0' }, number)
		require.True(t, core.HasCardNumber(text), "%U", table)
		require.False(t, core.HasCardNumber(text[:len(text)-utf8.RuneLen(table)]+string(table)), "%U: Luhn", table)
	}
}

// The values of digits lean on this.
func TestUnicodeKeepsDigitsInTens(t *testing.T) {
	t.Parallel()
	for _, digits := range unicode.Nd.R16 {
		require.True(t, digits.Stride == 1 && (digits.Hi-digits.Lo+1)%10 == 0, "%U", digits.Lo)
	}
	for _, digits := range unicode.Nd.R32 {
		require.True(t, digits.Stride == 1 && (digits.Hi-digits.Lo+1)%10 == 0, "%U", digits.Lo)
	}
}

func TestOtherDigitsAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "order 1234", "4242424242424241", "1700000000000", "42424242424242424242424242", "9999999999999995",
		"+49 30 1234567", "2026-11-23T10:11:12.123456Z", "4242.4242", "4242 4242 4242", "4242/4242/4242/4242",
		"pay_01h4242424242424242424242q", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"a4242424242424242bcdefghijklmnopq", "999999999999",
	} {
		require.False(t, core.HasCardNumber(text), "%q", text)
	}
}

// However a number is broken up by spaces and dashes, and whatever stands around it, it
// is spotted.
func TestSeparatorsHideNoCardNumber(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]string{"4242424242424242", "378282246310005", "5555555555554444"}).Draw(t, "number")
		var text strings.Builder
		text.WriteString(rapid.SampledFrom([]string{"", "ref ", "#", "é", "x: "}).Draw(t, "before"))
		for i, digit := range number {
			if i > 0 {
				text.WriteString(rapid.SampledFrom([]string{"", "", " ", "-", " - "}).Draw(t, "separator"))
			}
			text.WriteRune(digit)
		}
		text.WriteString(rapid.SampledFrom([]string{"", ".", ",", " end", "\""}).Draw(t, "after"))
		require.True(t, core.HasCardNumber(text.String()), text.String())
	})
}

func TestNewIDsAreNoCardNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		uuid := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid")
		require.False(t, core.HasCardNumber(string(core.NewID[core.CheckoutID]([16]byte(uuid)))))
	})
}

func BenchmarkHasCardNumber3KiB(b *testing.B) {
	text := strings.Repeat(`{"name":"Tea","amount":1250,"quantity":2,"at":"2026-11-23T10:11:12.123456Z"},`, 40)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		core.HasCardNumber(text)
	}
}

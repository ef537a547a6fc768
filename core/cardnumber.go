package core

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cardRange is a range of issuer prefixes and the lengths of numbers that have them.
type cardRange struct {
	low, high   int // inclusive, of digits digits
	digits      int
	lengthLeast int
	lengthMost  int
}

// cardRanges holds the issuer prefixes of the brands in use.
//
// Source: ISO/IEC 7812 and the brands' published ranges: Visa, Mastercard, American
// Express, Discover, Diners Club, JCB, UnionPay, Maestro.
var cardRanges = []cardRange{
	{4, 4, 1, 13, 19},
	{51, 55, 2, 16, 16},
	{2221, 2720, 4, 16, 16},
	{34, 34, 2, 15, 15},
	{37, 37, 2, 15, 15},
	{6011, 6011, 4, 16, 19},
	{644, 649, 3, 16, 19},
	{65, 65, 2, 16, 19},
	{300, 305, 3, 14, 19},
	{3095, 3095, 4, 14, 19},
	{36, 36, 2, 14, 19},
	{38, 39, 2, 16, 19},
	{3528, 3589, 4, 16, 19},
	{62, 62, 2, 16, 19},
	{50, 50, 2, 13, 19},
	{56, 58, 2, 13, 19},
	{60, 60, 2, 13, 19},
	{63, 63, 2, 13, 19},
	{67, 69, 2, 13, 19},
}

const (
	cardDigitsLeast = 13
	cardDigitsMost  = 19
	// cardWordCharactersMax is the longest word whose digits count although letters touch
	// them. Ids (26 characters), UUIDs (32) and hashes (40 and more) are longer words and
	// full of digits by chance; what people type around a card number is shorter.
	cardWordCharactersMax = 25
)

// digitGroup is an unbroken run of digits in a text.
type digitGroup struct {
	from, to int  // text[from:to]
	joined   bool // only spaces and dashes lie between it and the group before
}

// HasCardNumber reports whether text holds what looks like a card number: digits, in
// one group or in several with only spaces and dashes between them, that have the
// prefix and length of a known brand and pass the Luhn check. Digits, spaces and dashes
// of all scripts count, and characters that nobody sees do not.
func HasCardNumber(text string) bool {
	text = asciiDigits(text)
	groups := digitGroups(text)
	var digits [cardDigitsMost]byte
	for first := range groups {
		count := 0
		for last := first; last < len(groups); last++ {
			g := groups[last]
			if last > first && !g.joined || count+g.to-g.from > cardDigitsMost {
				break
			}
			for _, c := range []byte(text[g.from:g.to]) {
				digits[count] = c - '0'
				count++
			}
			if isCardNumber(digits[:count]) && !insideLongWord(text, groups[first].from, g.to) {
				return true
			}
		}
	}
	return false
}

// asciiDigits writes the digits, spaces and dashes of all scripts as those of ASCII, and
// leaves out what has no width.
func asciiDigits(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case unicode.Is(unicode.Zs, r):
			return ' '
		case unicode.Is(unicode.Pd, r), r == '\u2212': // the minus sign is no dash to Unicode
			return '-'
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsDigit(r):
			return '0' + digitValue(r)
		}
		return r
	}, text)
}

// digitValue is the value of a decimal digit of any script. Unicode keeps the ten of each
// together, from nought to nine, and its ranges are made of whole tens.
func digitValue(r rune) rune {
	for _, digits := range unicode.Nd.R16 {
		if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
			return (r - rune(digits.Lo)) % 10
		}
	}
	for _, digits := range unicode.Nd.R32 {
		if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
			return (r - rune(digits.Lo)) % 10
		}
	}
	return 0
}

func digitGroups(text string) []digitGroup {
	var groups []digitGroup
	joined := false
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			joined = joined && (text[i] == ' ' || text[i] == '-')
			i++
			continue
		}
		from := i
		for i < len(text) && isDigit(text[i]) {
			i++
		}
		groups = append(groups, digitGroup{from: from, to: i, joined: joined})
		joined = true
	}
	return groups
}

// insideLongWord reports whether letters touch text[from:to] on either side and make
// it part of a word too long to be anything but an id or a hash.
func insideLongWord(text string, from, to int) bool {
	start, end := from, to
	for start > 0 && isWordByte(text[start-1]) {
		start--
	}
	for end < len(text) && isWordByte(text[end]) {
		end++
	}
	return (start < from || end > to) && end-start > cardWordCharactersMax
}

func isCardNumber(digits []byte) bool {
	if len(digits) < cardDigitsLeast || !luhn(digits) {
		return false
	}
	for _, r := range cardRanges {
		prefix := 0
		for _, d := range digits[:r.digits] {
			prefix = prefix*10 + int(d)
		}
		if prefix >= r.low && prefix <= r.high && len(digits) >= r.lengthLeast && len(digits) <= r.lengthMost {
			return true
		}
	}
	return false
}

func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		n := int(d)
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isWordByte(b byte) bool { return isDigit(b) || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

package outbound

import (
	"strconv"
	"time"
)

// retryAfterMax bounds how long a provider can have us wait.
const retryAfterMax = time.Hour

// RetryAfter reads the header's whole seconds; 0 where it holds none. The header's other
// form, a date, counts as none.
func RetryAfter(header string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, retryAfterMax)
}

// Bounds of what is taken over from a provider into errors and rows.
const (
	CodeLengthMax = 64
	idLengthMax   = 255 // of any object's id
	urlLengthMax  = 2048
)

// SafeCode is text as it stands where it has the shape of a provider's codes or
// parameter names, and empty otherwise.
func SafeCode(text string) string {
	return Shaped(text, CodeLengthMax, "_.[]")
}

// SafeID is the same for ids.
func SafeID(text string) string {
	return Shaped(text, idLengthMax, "_-")
}

// SafeURL is the same for addresses, whatever they lead to.
//
// Source: RFC 3986, section 2.
func SafeURL(text string) string {
	return Shaped(text, urlLengthMax, "-._~:/?#[]@!$&'()*+,;=%")
}

// SafeCodes are those of texts that have the shape of codes.
func SafeCodes(texts []string) []string {
	var safe []string
	for _, text := range texts {
		if code := SafeCode(text); code != "" {
			safe = append(safe, code)
		}
	}
	return safe
}

// Shaped is text as it stands where it is no longer than lengthMax and holds nothing but
// letters, digits and what else is given, and empty otherwise.
func Shaped(text string, lengthMax int, besides string) string {
	if len(text) > lengthMax {
		return ""
	}
	for i := range len(text) {
		b := text[i]
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !letter && !containsByte(besides, b) {
			return ""
		}
	}
	return text
}

func containsByte(set string, b byte) bool {
	for i := range len(set) {
		if set[i] == b {
			return true
		}
	}
	return false
}

package guard

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/paydesk/paydesk/core"
)

const (
	// errorTextBytesMax is how much of one part of an error is passed on.
	errorTextBytesMax = 512
	removed           = "(removed)"
)

// secretShapes are what must not stand in an error that is logged: keys, signing and
// client secrets, what a header authorizes by, and people's addresses.
var secretShapes = regexp.MustCompile(
	`\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_[\w+/=]+|\b\w+_secret_\w+|(?i:\b(?:bearer|basic)\s+\S+)|[\w.+%-]+@[\w-]+\.[\w.-]+`)

// redacted is the error without what adapters should have left out and may have missed.
func redacted(known *core.ProviderError) *core.ProviderError {
	clean := *known
	clean.Op, clean.Foreign = readOver(known.Op), readOver(known.Foreign)
	clean.RequestID, clean.ObjectID = readOver(known.RequestID), readOver(known.ObjectID)
	if known.Err != nil {
		if text := readOver(known.Err.Error()); text != known.Err.Error() {
			clean.Err = rewritten(text, known.Err)
		}
	}
	return &clean
}

// rewrittenError is a cause in other words.
type rewrittenError struct {
	text  string
	cause error // nil or one of context's
}

// Error is one line for logs.
func (e rewrittenError) Error() string { return e.text }

// Unwrap gives what may still be asked for.
func (e rewrittenError) Unwrap() error { return e.cause }

// rewritten puts a cause in other words. Of what it was made from, only that time ran out
// or that nobody waits any more stays to be asked for.
func rewritten(text string, cause error) error {
	for _, known := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(cause, known) {
			return rewrittenError{text: text, cause: known}
		}
	}
	return rewrittenError{text: text}
}

// readOver is text on one line, of bounded length, without what looks like a secret.
func readOver(text string) string {
	if len(text) > errorTextBytesMax {
		text = strings.ToValidUTF8(text[:errorTextBytesMax], "") + "…"
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		text = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, text)
	}
	if core.HasCardNumber(text) {
		return removed
	}
	return secretShapes.ReplaceAllLiteralString(text, removed)
}

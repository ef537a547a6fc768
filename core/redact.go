package core

import (
	"bytes"
	"encoding/json"
	"strings"
)

const (
	// redacted stands for a text that is not shown.
	redacted = "***"
	// redactDepthMax is how deep a payload is followed; what lies deeper is not shown.
	redactDepthMax = 40
)

// shownWords are the last words of names whose texts name a thing, a kind, a state or a time, and no
// person: "payment_intent.id", "event_type", "created_at".
var shownWords = map[string]bool{ //nolint:gochecknoglobals // a constant set
	"id": true, "ids": true, "object": true, "type": true, "status": true, "state": true, "currency": true, "code": true, "reason": true,
	"version": true, "at": true, "time": true, "created": true, "updated": true, "brand": true, "last4": true, "last": true, "digits": true,
	"kind": true, "mode": true, "method": true, "event": true, "value": true, "amount": true, "total": true, "rel": true, "livemode": true,
	"interval": true, "category": true, "outcome": true, "result": true, "intent": true, "charge": true, "dispute": true,
	"refund": true, "payment": true, "subscription": true, "invoice": true, "order": true, "capture": true, "location": true, "merchant": true,
}

// hiddenWords are words anywhere in a name that make it one of a person, or a secret.
var hiddenWords = map[string]bool{ //nolint:gochecknoglobals // a constant set
	"email": true, "name": true, "phone": true, "address": true, "line1": true, "line2": true, "city": true, "postal": true, "zip": true,
	"street": true, "birth": true, "dob": true, "ip": true, "secret": true, "token": true, "password": true, "metadata": true, "description": true,
	"note": true, "memo": true, "given": true, "surname": true, "payer": true, "customer": true, "buyer": true, "recipient": true, "cvc": true,
	"cvv": true, "number": true, "url": true, "href": true, "signature": true, "tax": true, "statement": true, "fingerprint": true,
}

// Redact is a provider's JSON as staff may see it: numbers and truth values as they are, and of texts
// those alone whose name says that they name no person; the others are masked. false where it is no JSON.
func Redact(body []byte) (string, bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // amounts and ids stay what they are
	var value any
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		return "", false
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(redact(value, "", redactDepthMax)); err != nil {
		return "", false
	}
	return strings.TrimSuffix(text.String(), "\n"), true
}

// redact hides what stands under a name. Under a hidden name nothing is shown but whether it is there,
// and ids.
func redact(value any, name string, depth int) any {
	if depth == 0 {
		return redacted
	}
	switch value := value.(type) {
	case map[string]any:
		shown := make(map[string]any, len(value))
		for key, held := range value {
			inner := key
			if isHidden(name) {
				inner = name + "_" + key
			}
			if HasCardNumber(key) || strings.Contains(key, "@") {
				key = redacted
			}
			shown[key] = redact(held, inner, depth-1)
		}
		return shown
	case []any:
		shown := make([]any, len(value))
		for i, held := range value {
			shown[i] = redact(held, name, depth-1)
		}
		return shown
	case string:
		if value == "" || isShown(name) && !HasCardNumber(value) && !strings.Contains(value, "@") {
			return value
		}
		return redacted
	case json.Number:
		if isHidden(name) || HasCardNumber(value.String()) {
			return redacted
		}
		return value
	default: // true, false and null
		return value
	}
}

func isShown(name string) bool {
	words := nameWords(name)
	return len(words) > 0 && shownWords[words[len(words)-1]] && !isHidden(name)
}

// isHidden tells of names like "billing_details.name"; an id of a person's object is none of the person.
func isHidden(name string) bool {
	words := nameWords(name)
	if len(words) > 1 && words[len(words)-1] == "id" && !hiddenWords[words[0]] {
		return false
	}
	for _, word := range words {
		if hiddenWords[word] {
			return true
		}
	}
	return false
}

// nameWords splits snake_case, camelCase and kebab-case into words of lower case.
func nameWords(name string) []string {
	var split strings.Builder
	for i, c := range []byte(name) {
		switch {
		case c == '_' || c == '-' || c == '.' || c == ' ':
			split.WriteByte(' ')
			continue
		case i > 0 && c >= 'A' && c <= 'Z' && name[i-1] >= 'a' && name[i-1] <= 'z':
			split.WriteByte(' ')
		}
		split.WriteByte(c)
	}
	return strings.Fields(strings.ToLower(split.String()))
}

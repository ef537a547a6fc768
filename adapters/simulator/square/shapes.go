package square

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a field of a body can be.
type kind uint8

const (
	text kind = iota
	whole
	boolean
	object
	list
	currency
	either // a text or a whole number
	// unsupported is a field that Square has and its simulation has not.
	unsupported
)

// shape is what a field must look like.
type shape struct {
	kind        kind
	need        bool
	least, most int // characters of a text, members of a list; 0 for no bound
	words       []string
	of          fields // of an object; nil for any names with texts
	each        *shape // of a list
}

// fields are the shapes of an object's fields by their names.
type fields map[string]shape

// needed is a shape whose field cannot be left out.
func needed(s shape) shape {
	s.need = true
	return s
}

// and are these fields together with others.
func (f fields) and(others fields) fields {
	all := maps.Clone(f)
	maps.Copy(all, others)
	return all
}

// upTo is a text of at most so many characters, which is not empty where it is given.
func upTo(most int) shape { return shape{kind: text, least: 1, most: most} }

// check gives what is wrong with an object; at is its own name with a dot, empty for the body.
// A null is a field that is left out.
func (f fields) check(at string, given map[string]any) []apiError {
	var wrong []apiError
	for _, name := range slices.Sorted(maps.Keys(given)) {
		s, known := f[name]
		switch {
		case !known && f != nil:
			wrong = append(wrong, invalidField("UNKNOWN_BODY_PARAMETER", at+clip(name), "The body parameter is not recognized."))
		case given[name] != nil:
			wrong = append(wrong, s.check(at+clip(name), given[name])...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if f[name].need && given[name] == nil {
			wrong = append(wrong, invalidField("MISSING_REQUIRED_PARAMETER", at+name, "Missing required parameter."))
		}
	}
	return wrong
}

func (s shape) check(at string, value any) []apiError {
	one := func(code, detail string) []apiError { return []apiError{invalidField(code, at, detail)} }
	switch s.kind {
	case text, currency:
		if said, ok := value.(string); ok {
			return s.checkText(at, said)
		}
		return one("EXPECTED_STRING", "Expected a string value.")
	case either:
		if said, ok := value.(string); ok {
			return s.checkText(at, said)
		}
		return shape{kind: whole}.check(at, value)
	case whole:
		number, ok := value.(json.Number)
		if _, err := strconv.ParseInt(number.String(), 10, 64); !ok || err != nil {
			return one("EXPECTED_INTEGER", "Expected an integer value.")
		}
	case boolean:
		if _, ok := value.(bool); !ok {
			return one("EXPECTED_BOOLEAN", "Expected a boolean value.")
		}
	case object:
		if inside, ok := value.(map[string]any); ok {
			return s.of.check(at+".", inside)
		}
		return one("EXPECTED_OBJECT", "Expected an object.")
	case list:
		if members, ok := value.([]any); ok {
			return s.checkList(at, members)
		}
		return one("EXPECTED_ARRAY", "Expected an array.")
	case unsupported:
		return one("SANDBOX_NOT_SUPPORTED", "This field is not supported here.")
	}
	return nil
}

func (s shape) checkText(at, said string) []apiError {
	one := func(code, detail string) []apiError { return []apiError{invalidField(code, at, detail)} }
	length := utf8.RuneCountInString(said)
	switch {
	case s.kind == currency && (len(said) != 3 || strings.Trim(said, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != ""):
		return one("INVALID_ENUM_VALUE", "`"+clip(said)+"` is not a valid enum value for `"+at+"`.")
	case length == 0 && s.least > 0:
		return one("VALUE_EMPTY", "Field must not be blank")
	case length < s.least:
		return one("VALUE_TOO_SHORT", fmt.Sprintf("Field must be at least %d characters long", s.least))
	case s.most > 0 && length > s.most:
		return one("VALUE_TOO_LONG", fmt.Sprintf("Field must not be greater than %d in length", s.most))
	case len(s.words) > 0 && !slices.Contains(s.words, said):
		return one("INVALID_ENUM_VALUE", "`"+clip(said)+"` is not a valid enum value for `"+at+"`.")
	}
	return nil
}

func (s shape) checkList(at string, members []any) []apiError {
	switch {
	case len(members) == 0 && s.least > 0:
		return []apiError{invalidField("ARRAY_EMPTY", at, "The array must not be empty.")}
	case s.most > 0 && len(members) > s.most:
		return []apiError{invalidField("ARRAY_LENGTH_TOO_LONG", at, fmt.Sprintf("The array must have at most %d elements.", s.most))}
	}
	var wrong []apiError
	for n, member := range members {
		wrong = append(wrong, s.each.check(fmt.Sprintf("%s[%d]", at, n), member)...)
	}
	return wrong
}

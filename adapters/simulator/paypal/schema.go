package paypal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// shape is what a value of a body looks like.
type shape struct {
	kind     string // object, list, text, flag, number, or any
	fields   map[string]shape
	required []string
	item     *shape
	least    int // characters of a text, items of a list, or of a number itself
	most     int
	words    []string // the only texts allowed; nil for any
}

// issuesMax bounds how many mistakes of one body are told.
const issuesMax = 10

var anything = shape{kind: "any"}

var flag = shape{kind: "flag"}

func text(least, most int) shape { return shape{kind: "text", least: least, most: most} }

// number is a whole one.
func number(least, most int) shape { return shape{kind: "number", least: least, most: most} }

func word(words ...string) shape { return shape{kind: "text", most: 255, words: words} }

func object(fields map[string]shape, required ...string) shape {
	return shape{kind: "object", fields: fields, required: required}
}

// list has one item at least.
func list(item shape, most int) shape {
	return shape{kind: "list", item: &item, least: 1, most: most}
}

// amount is money on the wire. Longer values than of 32 characters are no money.
//
// Source: PayPal's API description, schema money.
var amount = object(map[string]shape{"currency_code": text(3, 3), "value": text(0, 32)}, "currency_code", "value")

// parse reads a body and checks it against a shape. No body is an empty object. It gives the
// body written in one way only, by which two of them can be compared.
//
// PayPal itself ignores fields that it does not know. Here they are refused: most are
// mistakes that nobody would notice otherwise.
func (in shape) parse(body []byte) ([]byte, []detail) {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err == nil {
		if _, rest := decoder.Token(); !errors.Is(rest, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return nil, []detail{{Issue: "MALFORMED_REQUEST_JSON", Field: "/", Location: "body"}}
	}
	if details := in.check("", value); len(details) > 0 {
		return nil, details[:min(len(details), issuesMax)]
	}
	canonical, err := json.Marshal(value)
	if err != nil {
		return nil, []detail{{Issue: "MALFORMED_REQUEST_JSON", Field: "/", Location: "body"}}
	}
	return canonical, nil
}

// check lists what is wrong with a value; at is where it is, as a JSON pointer.
func (in shape) check(at string, value any) []detail {
	wrong := func(issue string) []detail { return []detail{{Issue: issue, Field: at, Location: "body"}} }
	switch in.kind {
	case "object":
		fields, ok := value.(map[string]any)
		if !ok {
			return wrong("MALFORMED_REQUEST_JSON")
		}
		return in.checkFields(at, fields)
	case "list":
		items, ok := value.([]any)
		switch {
		case !ok:
			return wrong("MALFORMED_REQUEST_JSON")
		case len(items) < in.least:
			return wrong("INVALID_ARRAY_MIN_ITEMS")
		case len(items) > in.most:
			return wrong("INVALID_ARRAY_MAX_ITEMS")
		}
		var details []detail
		for i, item := range items {
			details = append(details, in.item.check(at+"/"+strconv.Itoa(i), item)...)
		}
		return details
	case "text":
		said, ok := value.(string)
		switch {
		case !ok:
			return wrong("MALFORMED_REQUEST_JSON")
		case utf8.RuneCountInString(said) < in.least || utf8.RuneCountInString(said) > in.most:
			return wrong("INVALID_STRING_LENGTH")
		case in.words != nil && !slices.Contains(in.words, said):
			return wrong("INVALID_PARAMETER_VALUE")
		}
	case "number":
		said, ok := value.(json.Number)
		count, err := strconv.Atoi(said.String())
		switch {
		case !ok || err != nil:
			return wrong("MALFORMED_REQUEST_JSON")
		case count < in.least:
			return wrong("INVALID_INTEGER_MIN_VALUE")
		case count > in.most:
			return wrong("INVALID_INTEGER_MAX_VALUE")
		}
	case "flag":
		if _, ok := value.(bool); !ok {
			return wrong("MALFORMED_REQUEST_JSON")
		}
	}
	return nil
}

func (in shape) checkFields(at string, fields map[string]any) []detail {
	var details []detail
	for _, name := range in.required {
		if fields[name] == nil {
			details = append(details, detail{Issue: "MISSING_REQUIRED_PARAMETER", Field: at + "/" + name, Location: "body"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field, known := in.fields[name]
		switch {
		case !known:
			name = name[:min(len(name), nameCharsMost)]
			details = append(details, detail{Issue: "INVALID_PARAMETER", Field: at + "/" + name, Location: "body"})
		case fields[name] != nil: // null is nothing
			details = append(details, field.check(at+"/"+name, fields[name])...)
		}
	}
	return details
}

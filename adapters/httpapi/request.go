package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/paydesk/paydesk/core"
)

const (
	// bodyBytesMax is the longest body that is read.
	bodyBytesMax = 64 << 10
	// jsonDepthMax is how deep a body may nest.
	jsonDepthMax = 32
	// fieldErrorsMax is how many wrong fields one answer names.
	fieldErrorsMax = 50
)

// readBody reads the body of a POST or a PUT within its limit; no other method has one.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *Problem) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit) // without reading any of it
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, unreadable
	}
	return body, nil
}

// hasCardNumber looks through everything that the caller chose: the address, the key and
// the body. Address and body are looked at as they were sent and with their escapes read,
// since a number may hide in either.
func hasCardNumber(r *http.Request, body []byte) bool {
	texts := append([]string{r.URL.Path, r.URL.RawQuery, string(body)}, r.Header.Values(headerKey)...)
	if query, err := url.QueryUnescape(r.URL.RawQuery); err == nil {
		texts = append(texts, query)
	}
	if slices.ContainsFunc(texts, core.HasCardNumber) {
		return true
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return false // the end, or no JSON, which is refused for that
		}
		if text, ok := token.(string); ok && core.HasCardNumber(text) {
			return true
		}
	}
}

// checkQuery refuses a query that programs read in different ways: malformed, or with a
// parameter given twice.
func checkQuery(raw string) *Problem {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return invalidFields(FieldError{Location: "query", Message: "must be name=value pairs with & between them, percent-encoded"})
	}
	var refused []FieldError
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if len(query[name]) > 1 {
			refused = append(refused, FieldError{Location: "query." + name, Message: "must be given once; put commas between several values"})
		}
	}
	return invalidFields(refused...)
}

// checkBody refuses a body that is not clean JSON, whatever call it is for.
func checkBody(r *http.Request, body []byte) *Problem {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return unsupported
	}
	if !utf8.Valid(body) || !json.Valid(body) {
		return invalidJSON
	}
	walk := &bodyWalk{decoder: json.NewDecoder(bytes.NewReader(body))}
	walk.decoder.UseNumber()
	return walk.check()
}

// bodyWalk goes through a body's tokens. It refuses what decoders pass over or read each
// in its own way: a name twice in one object, too deep a nesting, and numbers that are
// not written as whole ones. No field of this API takes any other.
type bodyWalk struct {
	decoder *json.Decoder
	levels  []bodyLevel
	refused []FieldError
}

// bodyLevel is an object or a list that the walk is in.
type bodyLevel struct {
	names     map[string]bool // those seen; nil for a list
	name      string          // of the value that comes next
	wantsName bool
	index     int // of the list's element that comes next
}

func (b *bodyWalk) check() *Problem {
	for {
		token, err := b.decoder.Token()
		if err != nil {
			return invalidFields(b.refused...)
		}
		if delimiter, ok := token.(json.Delim); ok && (delimiter == '}' || delimiter == ']') {
			b.levels = b.levels[:len(b.levels)-1]
			b.valueEnds()
			continue
		}
		if top := b.top(); top != nil && top.wantsName {
			name, _ := token.(string)
			if top.names[name] {
				return problem(http.StatusBadRequest, "invalid_json", "The body names a field twice in one object.")
			}
			top.names[name], top.name, top.wantsName = true, name, false
			continue
		}
		if refused := b.value(token); refused != nil {
			return refused
		}
	}
}

// value takes the first token of a value.
func (b *bodyWalk) value(token json.Token) *Problem {
	delimiter, opens := token.(json.Delim)
	if !opens {
		if number, ok := token.(json.Number); ok && len(b.refused) < fieldErrorsMax {
			if _, err := strconv.ParseInt(number.String(), 10, 64); err != nil {
				b.refused = append(b.refused, FieldError{Location: b.path(), Message: "must be a whole number in digits alone, and not so large"})
			}
		}
		b.valueEnds()
		return nil
	}
	level := bodyLevel{}
	if delimiter == '{' {
		level.names, level.wantsName = make(map[string]bool), true
	}
	if b.levels = append(b.levels, level); len(b.levels) > jsonDepthMax {
		return problem(http.StatusBadRequest, "invalid_json", fmt.Sprintf("The body nests deeper than %d levels.", jsonDepthMax))
	}
	return nil
}

func (b *bodyWalk) valueEnds() {
	if top := b.top(); top != nil {
		top.wantsName = top.names != nil
		top.index++
	}
}

func (b *bodyWalk) top() *bodyLevel {
	if len(b.levels) == 0 {
		return nil
	}
	return &b.levels[len(b.levels)-1]
}

// path is where the walk is: "body.line_items[0].amount".
func (b *bodyWalk) path() string {
	var path strings.Builder
	path.WriteString("body")
	for _, level := range b.levels {
		if level.names != nil {
			path.WriteString("." + level.name)
		} else {
			fmt.Fprintf(&path, "[%d]", level.index)
		}
	}
	return path.String()
}

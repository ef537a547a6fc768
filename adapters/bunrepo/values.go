package bunrepo

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun/schema"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// instant is a point in time as both databases keep it: UTC, cut to microseconds. On
// SQLite it is text of a fixed width, so that it sorts as it reads. The zero instant is
// NULL.
type instant struct{ time.Time } //nolint:recvcheck // reading must change it, and writing must work on values

const instantLayout = "2006-01-02T15:04:05.000000Z"

// at makes an instant.
func at(t time.Time) instant {
	if t.IsZero() {
		return instant{}
	}
	return instant{t.UTC().Truncate(time.Microsecond)}
}

// AppendQuery writes the instant as a literal of either database.
func (i instant) AppendQuery(_ schema.QueryGen, b []byte) ([]byte, error) {
	if i.IsZero() {
		return append(b, "NULL"...), nil
	}
	b = append(b, '\'')
	b = i.UTC().AppendFormat(b, instantLayout)
	return append(b, '\''), nil
}

// Scan reads what either driver gives.
func (i *instant) Scan(source any) error {
	switch value := source.(type) {
	case nil:
		*i = instant{}
		return nil
	case time.Time:
		*i = at(value)
		return nil
	case string:
		t, err := time.Parse(instantLayout, value)
		*i = instant{t.UTC()}
		return err
	case []byte:
		return i.Scan(string(value))
	default:
		return fmt.Errorf("read a time from %T", source)
	}
}

// text is the instant as SQLite keeps it; nil for the zero one.
func (i instant) text() any {
	if i.IsZero() {
		return nil
	}
	return i.UTC().Format(instantLayout)
}

// document is JSON as text; empty is NULL where the column allows it.
type document string

// encode writes a value of this package's own shapes. Empty lists and maps all look
// alike: absent is written as what the caller calls empty.
func encode(value any, empty document) (document, error) {
	if v := reflect.ValueOf(value); !v.IsValid() || isEmpty(v) {
		return empty, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("write JSON: %w", err)
	}
	return document(text), nil
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	case reflect.Pointer:
		return v.IsNil()
	default:
		return false
	}
}

// decode reads what encode wrote. An empty list or map comes back as nil.
func decode[T any](text document) (T, error) {
	var value T
	if text == "" || text == "[]" || text == "{}" {
		return value, nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		return value, fmt.Errorf("read JSON: %w", err)
	}
	return value, nil
}

// checkTexts makes sure that every text in a value of the core can be kept by both
// databases: PostgreSQL refuses NUL and what is not UTF-8 with words that help nobody,
// and SQLite keeps them. The error names the field and never the text.
func checkTexts(value any) error { return checkText(reflect.ValueOf(value), "") }

var timeType = reflect.TypeFor[time.Time]()

func checkText(v reflect.Value, field string) error {
	switch v.Kind() {
	case reflect.String:
		if text := v.String(); strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
			return fmt.Errorf("%s holds a NUL or is not UTF-8: %w", field, ports.ErrText)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return checkText(v.Elem(), field)
		}
	case reflect.Struct:
		if v.Type() == timeType {
			return nil
		}
		for i := range v.NumField() {
			if err := checkText(v.Field(i), v.Type().Field(i).Name); err != nil {
				return err
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil // bytes are kept as they are
		}
		for i := range v.Len() {
			if err := checkText(v.Index(i), field); err != nil {
				return err
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if err := checkText(entries.Key(), field); err != nil {
				return err
			}
			if err := checkText(entries.Value(), field); err != nil {
				return err
			}
		}
	default:
	}
	return nil
}

// moneyOf is an amount as a row holds it. Without a currency it is no amount at all.
func moneyOf(minor int64, currency core.Currency) (core.Money, error) {
	if minor == 0 && currency == "" {
		return core.Money{}, nil
	}
	return core.NewMoney(minor, currency)
}

// checkLeast makes sure that there is an amount, and no less of it than minor units are given.
func checkLeast(field string, amount core.Money, minor int64) error {
	if !amount.Currency().Known() || amount.Minor() < minor {
		return fmt.Errorf("%s is less than %d or of no currency", field, minor)
	}
	return nil
}

// checkKnown makes sure that a word is one of its kind.
func checkKnown[T interface {
	~string
	Known() bool
}](field string, word T,
) error {
	if !word.Known() {
		return fmt.Errorf("%s %q is none", field, word)
	}
	return nil
}

// seal encrypts what stands in a row's column. The place binds it to the row.
func (s *Store) seal(column, id string, plain []byte) ([]byte, error) {
	sealed, err := s.sealer.Seal(column+":"+id, plain)
	if err != nil {
		return nil, fmt.Errorf("seal %s of %s: %w", column, id, err)
	}
	return sealed, nil
}

// unseal gives back what seal was given for the same place.
func (s *Store) unseal(column, id string, sealed []byte) ([]byte, error) {
	plain, err := s.sealer.Open(column+":"+id, sealed)
	if err != nil {
		return nil, fmt.Errorf("unseal %s of %s: %w", column, id, err)
	}
	return plain, nil
}

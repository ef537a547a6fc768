package square

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	pageMost = 100 // and what a page has where nothing is said
	// signatureBytes is how much of a hash makes a cursor one of ours.
	signatureBytes = 12
)

// windowQuery are the parameters of lists by time.
var windowQuery = []string{
	"begin_time", "end_time", "updated_at_begin_time", "updated_at_end_time", "sort_field", "sort_order", "limit", "cursor",
}

// window is which part of a list is wanted. Times are zero for no bound; the ends are not
// part of it.
type window struct {
	begin, end               time.Time
	updatedBegin, updatedEnd time.Time
	byUpdate, ascending      bool
	limit                    int
	cursor                   string
	filters                  string // all else that was asked, which a cursor belongs to
}

// place is where an object stands in a list.
type place struct {
	created, updated time.Time
	id               string
}

// readWindow reads a list's parameters.
func (s *Server) readWindow(in *request) (window, *result) {
	w := window{byUpdate: in.query["sort_field"] == "UPDATED_AT", ascending: in.query["sort_order"] == "ASC", limit: pageMost, cursor: in.query["cursor"]}
	for _, one := range []struct {
		name  string
		words []string
	}{{"sort_field", []string{"CREATED_AT", "UPDATED_AT"}}, {"sort_order", []string{"ASC", "DESC"}}} {
		if said, ok := in.query[one.name]; ok && !slices.Contains(one.words, said) {
			return w, new(invalid("INVALID_ENUM_VALUE", one.name, "`"+clip(said)+"` is not a valid enum value for `"+one.name+"`."))
		}
	}
	if location, ok := in.query["location_id"]; ok && location != s.LocationID {
		return w, new(invalid("INVALID_LOCATION", "location_id", "The location is not one of the seller's."))
	}
	times := []bound{
		{"begin_time", in.query["begin_time"], &w.begin},
		{"end_time", in.query["end_time"], &w.end},
		{"updated_at_begin_time", in.query["updated_at_begin_time"], &w.updatedBegin},
		{"updated_at_end_time", in.query["updated_at_end_time"], &w.updatedEnd},
	}
	times = slices.DeleteFunc(times, func(one bound) bool {
		_, given := in.query[one.name]
		return !given
	})
	if bad := readTimes("", times); bad != nil {
		return w, bad
	}
	if !w.end.IsZero() && w.end.Before(w.begin) || !w.updatedEnd.IsZero() && w.updatedEnd.Before(w.updatedBegin) {
		return w, new(invalid("INVALID_TIME_RANGE", "end_time", "The time range ends before it begins."))
	}
	if said, ok := in.query["limit"]; ok {
		limit, err := strconv.Atoi(said)
		switch {
		case err != nil:
			return w, new(invalid("EXPECTED_INTEGER", "limit", "Expected an integer value."))
		case limit < 1:
			return w, new(invalid("VALUE_TOO_LOW", "limit", "The limit must be at least 1."))
		case limit > pageMost:
			return w, new(invalid("VALUE_TOO_HIGH", "limit", fmt.Sprintf("The limit must be at most %d.", pageMost)))
		}
		w.limit = limit
	}
	asked := maps.Clone(in.query)
	delete(asked, "cursor")
	delete(asked, "limit")
	w.filters = string(encode(asked))
	return w, nil
}

// readSearch reads where a search begins and ends: its body's limit, cursor and order. most is
// what a page can have at most, and has where nothing is said.
func readSearch(in *request, most int) (window, *result) {
	var given struct {
		Cursor string          `json:"cursor"`
		Limit  *int            `json:"limit"`
		Query  json.RawMessage `json:"query"`
	}
	in.into(&given)
	var query struct {
		Sort struct {
			Order string `json:"order"`
		} `json:"sort"`
	}
	if len(given.Query) > 0 {
		_ = json.Unmarshal(given.Query, &query) // its shape was checked
	}
	w := window{limit: most, cursor: given.Cursor, ascending: query.Sort.Order == "ASC", filters: string(given.Query)}
	if given.Limit != nil {
		if w.limit = *given.Limit; w.limit < 1 || w.limit > most {
			return w, new(invalid("INVALID_VALUE", "limit", fmt.Sprintf("The limit must be from 1 to %d.", most)))
		}
	}
	return w, nil
}

// bound is one end of a time, as it was asked for.
type bound struct {
	name, said string
	into       *time.Time
}

// readTimes reads bounds; at is the name of what they are in, with a dot.
func readTimes(at string, bounds []bound) *result {
	for _, one := range bounds {
		when, err := time.Parse(time.RFC3339Nano, one.said)
		if err != nil {
			return new(invalid("INVALID_TIME", at+one.name, "The time must be in the RFC 3339 format."))
		}
		*one.into = when
	}
	return nil
}

// has reports whether an object is in the window's times.
func (w window) has(at place) bool {
	return !at.created.Before(w.begin) && (w.end.IsZero() || at.created.Before(w.end)) &&
		!at.updated.Before(w.updatedBegin) && (w.updatedEnd.IsZero() || at.updated.Before(w.updatedEnd))
}

// order compares two places as the window sorts them.
func (w window) order(a, b place) int {
	one, other := a.created, b.created
	if w.byUpdate {
		one, other = a.updated, b.updated
	}
	by := cmp.Or(one.Compare(other), cmp.Compare(a.id, b.id))
	if !w.ascending {
		return -by
	}
	return by
}

// cut cuts a page out of objects and answers with it under its name; no objects are no such
// field. The caller holds mu.
//
// Source: developer.squareup.com/docs/build-basics/common-api-patterns/pagination.
func cut[T any](s *Server, w window, name string, objects []T, at func(T) place) result {
	kept := slices.DeleteFunc(objects, func(one T) bool { return !w.has(at(one)) })
	slices.SortFunc(kept, func(a, b T) int { return w.order(at(a), at(b)) })
	if w.cursor != "" {
		last, ok := s.readCursor(w)
		if !ok {
			return refused(http.StatusBadRequest, invalidField("INVALID_CURSOR", "cursor", "The cursor is not one of a list with these filters."))
		}
		kept = slices.DeleteFunc(kept, func(one T) bool { return w.order(at(one), last) <= 0 })
	}
	answer := map[string]any{}
	if len(kept) > w.limit {
		kept = kept[:w.limit]
		answer["cursor"] = s.cursor(w, at(kept[len(kept)-1]))
	}
	if len(kept) > 0 {
		answer[name] = written(kept)
	}
	return result{status: http.StatusOK, object: answer}
}

// mark is what a cursor holds: the last place of the page before.
type mark struct {
	Created time.Time `json:"c"`
	Updated time.Time `json:"u"`
	ID      string    `json:"i"`
}

func (s *Server) cursor(w window, last place) string {
	text := encode(mark{last.created, last.updated, last.id})
	return base64.RawURLEncoding.EncodeToString(append(s.sealOf(w, text), text...))
}

// readCursor reads a cursor that was given for the same filters.
func (s *Server) readCursor(w window) (place, bool) {
	text, err := base64.RawURLEncoding.DecodeString(w.cursor)
	if err != nil || len(text) <= signatureBytes || !hmac.Equal(text[:signatureBytes], s.sealOf(w, text[signatureBytes:])) {
		return place{}, false
	}
	var last mark
	if err := json.Unmarshal(text[signatureBytes:], &last); err != nil {
		return place{}, false
	}
	return place{last.Created, last.Updated, last.ID}, true
}

func (s *Server) sealOf(w window, text []byte) []byte {
	sum := hmac.New(sha256.New, s.secret)
	_, _ = fmt.Fprintf(sum, "cursor\n%s\n%s", w.filters, text)
	return sum.Sum(nil)[:signatureBytes]
}

package console

import (
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// cell is one value as a page shows it.
type cell struct {
	text  string
	href  templ.SafeURL // of our own pages alone; empty for no link
	title string        // shown when pointed at; empty for none
	kind  cellKind
}

// cellKind is how a value looks.
type cellKind uint8

const (
	plain  cellKind = iota
	status          // a word with a color of its own
	money           // to the right
	code            // an id, or text for programs
)

func text(value string) cell { return cell{text: value} }

// optionalText is a dash for what is not known.
func optionalText[T ~string](value *T) cell {
	if value == nil || *value == "" {
		return cell{text: "–"}
	}
	return cell{text: string(*value)}
}

func statusOf[T ~string](value T) cell { return cell{text: string(value), kind: status} }

func moneyOf(m MoneyView) cell { return cell{text: m.Formatted, kind: money} }

func id(value string) cell { return cell{text: value, kind: code} }

func optionalID(value *string) cell {
	if value == nil {
		return cell{text: "–"}
	}
	return id(*value)
}

// to has a value lead to a page of ours.
func (c cell) to(path string) cell {
	c.href = templ.URL(path)
	return c
}

const (
	timeShown = "2 Jan 2006, 15:04"
	timeExact = "2006-01-02 15:04:05.000 MST"
)

func timeOf(at time.Time) cell {
	return cell{text: at.UTC().Format(timeShown), title: at.UTC().Format(timeExact)}
}

func optionalTime(at *time.Time) cell {
	if at == nil {
		return cell{text: "–"}
	}
	return timeOf(*at)
}

// words are a name of the schema for people: REQUESTED_BY_CUSTOMER is "Requested by customer".
func words[T ~string](name T) string {
	lower := strings.ReplaceAll(strings.ToLower(string(name)), "_", " ")
	if lower == "" {
		return "–"
	}
	return strings.ToUpper(lower[:1]) + lower[1:]
}

// tone is the color of a status.
func tone(status string) string {
	switch status {
	case "SUCCEEDED", "DELIVERED", "PROCESSED", "ACTIVE", "WON", "APPROVED", "PAID", "COMPLETE", "REACHABLE", "REGISTERED":
		return "good"
	case "FAILED", "LOST", "UNPAID", "REJECTED", "DROPPED", "UNKNOWN", "NEEDS_REVIEW", "NEEDS_RESPONSE", "PAST_DUE", "IMPOSSIBLE", "DISPUTED", "UNREACHABLE", "MISSING", "DISABLED":
		return "bad"
	case "PENDING", "PROCESSING", "REQUIRES_ACTION", "AUTHORIZED", "INQUIRY", "UNDER_REVIEW", "TRIALING", "HELD", "PAUSED", "RECEIVED", "OPEN", "INCOMPLETE":
		return "wait"
	default:
		return "quiet"
	}
}

// column is the head of a list's column.
type column struct {
	name  string
	right bool
}

// table is rows under heads; empty says what it means that there are none.
type table struct {
	columns []column
	rows    [][]cell
	empty   string
}

// filter is one field above a list. Its value stands in the address.
type filter struct {
	name, label, value string
	options            []option // nil for free text
	kind               string   // of the input: text, date, …
}

type option struct{ value, label string }

// link is a button that leads to a page.
type link struct {
	label  string
	path   string
	danger bool
}

// listView is a page of a list.
type listView struct {
	title, intro   string
	filters        []filter
	filtered       bool
	foldable       bool // whether the filters are many, and out of the way until asked for
	table          table
	previous, next string // addresses; empty for none
	links          []link
	live           string // address to read anew every few seconds; empty for none
}

// detail is a value with its name.
type detail struct {
	name string
	cell cell
}

// section is a part of an object's page.
type section struct {
	title   string
	details []detail
	charts  []*chart
	table   *table
	steps   []step
	source  string // text for programs, shown as it is
}

// step is one line of a timeline.
type step struct {
	at     cell
	title  string
	marks  []cell
	lines  []string
	trace  string
	linked []cell
}

// objectView is the page of one thing.
type objectView struct {
	title, subtitle string
	status          string
	notices         []string
	links           []link
	sections        []section
}

// field is one field of a form.
type field struct {
	name, label, hint, value, kind string
	options                        []option
	required                       bool
	errors                         []string
}

// actionView is an action that is shown before it is done.
type actionView struct {
	title, intro, submit string
	danger               bool
	path, back           string
	key                  string // under which it is done once
	fields               []field
	preview              []detail
	warnings, errors     []string
}

// pageView is what is around every page.
type pageView struct {
	title  string
	email  string // of who is signed in; empty for nobody
	role   string
	path   string // of the page, to mark it in the menu
	search string
	notice string
	menu   []menuGroup
	assets assetSet
}

type menuGroup struct {
	name  string
	items []link
}

// encoding is how the form is sent: with a file, or without.
func (v actionView) encoding() string {
	if slices.ContainsFunc(v.fields, func(f field) bool { return f.kind == "file" }) {
		return mediaFiles
	}
	return "application/x-www-form-urlencoded"
}

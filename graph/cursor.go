package graph

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph/model"
)

const (
	// pageItemsDefault is how many items a page has unless the caller says otherwise.
	pageItemsDefault = 20
	// cursorCharactersMax bounds what is decoded; our own cursors are shorter.
	cursorCharactersMax = 128
	// leadMax is the highest place of an operation, the one thing that is not listed by its time alone.
	leadMax = 2
	// cursorVersion leads every cursor, so that the form can change one day.
	cursorVersion = "1"
)

// encodeCursor writes a place in a list as text that clients hand back unread.
func encodeCursor(place core.Cursor) string {
	text := cursorVersion + "|" + strconv.FormatInt(place.At.UnixMicro(), 10) + "|" + place.ID
	if place.Lead != 0 {
		text += "|" + strconv.Itoa(place.Lead)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// decodeCursor reads a cursor of a list of things with ids of type T; nil for none.
func decodeCursor[T core.ID](name string, text *string) (*core.Cursor, error) {
	if text == nil {
		return nil, nil
	}
	bad := refuse(codeInput, "%s must be a cursor that this list gave", name)
	if len(*text) > cursorCharactersMax {
		return nil, bad
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(*text)
	if err != nil {
		return nil, bad
	}
	parts := strings.Split(string(decoded), "|")
	lead := 0
	if len(parts) == 4 {
		if lead, err = strconv.Atoi(parts[3]); err != nil || lead < 1 || lead > leadMax {
			return nil, bad
		}
		parts = parts[:3]
	}
	if len(parts) != 3 || parts[0] != cursorVersion {
		return nil, bad
	}
	micros, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil, bad
	}
	id, err := core.ParseID[T](parts[2])
	if err != nil {
		return nil, bad
	}
	return &core.Cursor{Lead: lead, At: time.UnixMicro(micros).UTC(), ID: string(id)}, nil
}

// pageArgs are the arguments of a connection; nil for those that were not given.
type pageArgs struct {
	first  *int
	after  *string
	last   *int
	before *string
}

// pageRequest reads the arguments of a list of things with ids of type T.
func pageRequest[T core.ID](args pageArgs) (request core.PageRequest, err error) {
	if args.first != nil && args.last != nil {
		return request, refuse(codeInput, "give first or last, not both")
	}
	if request.After, err = decodeCursor[T]("after", args.after); err != nil {
		return request, err
	}
	if request.Before, err = decodeCursor[T]("before", args.before); err != nil {
		return request, err
	}
	if args.last != nil {
		request.Last = true
		request.Limit, err = pageLimit("last", args.last)
		return request, err
	}
	request.Limit, err = pageLimit("first", args.first)
	return request, err
}

func pageLimit(name string, asked *int) (int, error) {
	if asked == nil {
		return pageItemsDefault, nil
	}
	if *asked < 1 || *asked > core.PageItemsMax {
		return 0, refuse(codeInput, "%s must be within 1 and %d", name, core.PageItemsMax)
	}
	return *asked, nil
}

func pageInfo(hasNext, hasPrevious bool, cursors []string) model.PageInfo {
	info := model.PageInfo{HasNextPage: hasNext, HasPreviousPage: hasPrevious}
	if len(cursors) > 0 {
		info.StartCursor, info.EndCursor = &cursors[0], &cursors[len(cursors)-1]
	}
	return info
}

func paymentConnection(page core.Page[core.Payment]) *model.PaymentConnection {
	connection := &model.PaymentConnection{Edges: make([]model.PaymentEdge, len(page.Items))}
	cursors := make([]string, len(page.Items))
	for i, payment := range page.Items {
		cursors[i] = encodeCursor(core.Cursor{At: payment.CreatedAt, ID: string(payment.ID)})
		connection.Edges[i] = model.PaymentEdge{Cursor: cursors[i], Node: model.Payment{Payment: payment}}
	}
	connection.PageInfo = pageInfo(page.HasNext, page.HasPrevious, cursors)
	return connection
}

func timelineConnection(entries []core.TimelineEntry, hasNext, hasPrevious bool) *model.TimelineConnection {
	connection := &model.TimelineConnection{Edges: make([]model.TimelineEdge, len(entries))}
	cursors := make([]string, len(entries))
	for i, entry := range entries {
		cursors[i] = encodeCursor(core.Cursor{At: entry.At, ID: string(entry.ID)})
		connection.Edges[i] = model.TimelineEdge{Cursor: cursors[i], Node: model.TimelineEntry{TimelineEntry: entry}}
	}
	connection.PageInfo = pageInfo(hasNext, hasPrevious, cursors)
	return connection
}

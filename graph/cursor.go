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
	// cursorVersion leads every cursor, so that the form can change one day.
	cursorVersion = "1"
	// cursorParts and cursorPartsMax are the parts of a cursor: version, time and id, and where the
	// list is ordered by something before time, that and the order.
	cursorParts    = 3
	cursorPartsMax = 5
)

// encodeCursor writes a place in a list as text that clients hand back unread.
func encodeCursor(place core.Cursor, order core.Order) string {
	text := cursorVersion + "|" + strconv.FormatInt(place.At.UnixMicro(), 10) + "|" + place.ID
	if place.Lead != 0 || order != core.OrderNewest {
		text += "|" + strconv.FormatInt(place.Lead, 10)
	}
	if order != core.OrderNewest {
		text += "|" + string(order)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// decodeCursor reads a cursor of a list of things with ids of type T in an order; nil for none.
func decodeCursor[T core.ID](name string, text *string, order core.Order) (*core.Cursor, error) {
	if text == nil {
		return nil, nil
	}
	place, ok := readCursor[T](*text, order)
	if !ok {
		return nil, refuse(codeInput, "%s must be a cursor that this list gave, in the same order", name)
	}
	return &place, nil
}

func readCursor[T core.ID](text string, order core.Order) (place core.Cursor, ok bool) {
	if len(text) > cursorCharactersMax {
		return place, false
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return place, false
	}
	parts := strings.Split(string(decoded), "|")
	if len(parts) < cursorParts || len(parts) > cursorPartsMax || parts[0] != cursorVersion {
		return place, false
	}
	made := core.OrderNewest
	if len(parts) == cursorPartsMax {
		made = core.Order(parts[cursorPartsMax-1])
	}
	if len(parts) > cursorParts {
		if place.Lead, err = strconv.ParseInt(parts[cursorParts], 10, 64); err != nil || place.Lead < 0 {
			return place, false
		}
	}
	micros, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || made != order {
		return place, false
	}
	id, err := core.ParseID[T](parts[2])
	place.At, place.ID = time.UnixMicro(micros).UTC(), string(id)
	return place, err == nil
}

// pageArgs are the arguments of a connection; nil for those that were not given.
type pageArgs struct {
	first  *int
	after  *string
	last   *int
	before *string
	order  core.Order
}

// orderOf is the order that was asked for.
func orderOf(sort *core.Order) core.Order {
	if sort == nil {
		return core.OrderNewest
	}
	return *sort
}

// pageRequest reads the arguments of a list of things with ids of type T.
func pageRequest[T core.ID](args pageArgs) (request core.PageRequest, err error) {
	request.Order = args.order
	if args.first != nil && args.last != nil {
		return request, refuse(codeInput, "give first or last, not both")
	}
	if request.After, err = decodeCursor[T]("after", args.after, args.order); err != nil {
		return request, err
	}
	if request.Before, err = decodeCursor[T]("before", args.before, args.order); err != nil {
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

func timelineConnection(entries []core.TimelineEntry, hasNext, hasPrevious bool) *model.TimelineConnection {
	connection := &model.TimelineConnection{Edges: make([]model.TimelineEdge, len(entries))}
	cursors := make([]string, len(entries))
	for i, entry := range entries {
		cursors[i] = encodeCursor(core.Cursor{At: entry.At, ID: string(entry.ID)}, core.OrderNewest)
		connection.Edges[i] = model.TimelineEdge{Cursor: cursors[i], Node: model.TimelineEntry{TimelineEntry: entry}}
	}
	connection.PageInfo = pageInfo(hasNext, hasPrevious, cursors)
	return connection
}

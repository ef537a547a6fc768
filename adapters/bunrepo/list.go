package bunrepo

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

// rowsMax is the most rows that any one call reads or removes.
const rowsMax = 1000

// checkLimit refuses a limit that is none.
func checkLimit(limit int) error {
	if limit < 1 || limit > rowsMax {
		return fmt.Errorf("limit %d is not within 1 and %d", limit, rowsMax)
	}
	return nil
}

// sweep reads the ids of the rows that a query selects and orders. Its conditions on an index
// that holds some rows only are literals, so that the database sees that the index will do.
func sweep[T core.ID](ctx context.Context, query *bun.SelectQuery, limit int) (ids []T, err error) {
	if err := checkLimit(limit); err != nil {
		return nil, err
	}
	err = query.Column("id").Limit(int64(limit)).Scan(ctx, &ids)
	return ids, err
}

// errTooMany means that there is more than may be looked at, of what must be looked at whole.
var errTooMany = fmt.Errorf("more than %d rows", rowsMax)

// whole reads all rows that a query selects, oldest first. Those that are added up must not be
// cut short in silence, so too many are an error.
func whole[R, T any](ctx context.Context, query *bun.SelectQuery, rows *[]R, of func(R) (T, error)) ([]T, error) {
	if err := query.Model(rows).Order("created_at", "id").Limit(rowsMax + 1).Scan(ctx); err != nil {
		return nil, err
	}
	if len(*rows) > rowsMax {
		return nil, errTooMany
	}
	return mapped(*rows, of)
}

// equal is a condition on a column, none where the value is empty.
type equal struct{ column, value string }

// whereEqual puts conditions on a query.
func whereEqual(query *bun.SelectQuery, conditions ...equal) *bun.SelectQuery {
	for _, condition := range conditions {
		if condition.value != "" {
			query = query.Where("? = ?", bun.Ident(condition.column), condition.value)
		}
	}
	return query
}

// whereStatus selects rows of some statuses; of all where there are none.
func whereStatus[T ~string](query *bun.SelectQuery, statuses []T) *bun.SelectQuery {
	if len(statuses) == 0 {
		return query
	}
	return query.Where("status IN ?", bun.Tuple(statuses))
}

// refColumns says in which column a table holds its providers' ids of each kind of object.
type refColumns map[core.ObjectKind]string

// find selects the one row of a provider's object; none where the kind is another, or where the
// reference names no object yet.
func (c refColumns) find(query *bun.SelectQuery, ref core.ProviderRef) *bun.SelectQuery {
	column := c[ref.Kind]
	if column == "" || ref.ID == "" {
		return query.Where("1 = 0")
	}
	return query.Where("account = ?", ref.Account).Where("? = ?", bun.Ident(column), ref.ID)
}

// mapped turns rows into what they say.
func mapped[R, T any](rows []R, of func(R) (T, error)) ([]T, error) {
	items := make([]T, 0, len(rows))
	for _, row := range rows {
		item, err := of(row)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// listing is a list that pages are cut from: newest first by a column of time, and by id
// where times are equal.
type listing struct {
	column string // of time
	lead   string // column of whole numbers that the list is ordered by before all else; empty for none
	// narrow puts the list's own conditions on a query.
	narrow func(*bun.SelectQuery) *bun.SelectQuery
}

// everything narrows nothing.
func everything(query *bun.SelectQuery) *bun.SelectQuery { return query }

// place is the condition that a row lies on one side of a cursor; op is one of <, <=, >
// and >=. Newer is greater.
func (l listing) place(query *bun.SelectQuery, op string, cursor core.Cursor) *bun.SelectQuery {
	if l.lead != "" {
		return query.Where("(?, ?, id) "+op+" (?, ?, ?)", bun.Ident(l.lead), bun.Ident(l.column), cursor.Lead, at(cursor.At), cursor.ID)
	}
	return query.Where("(?, id) "+op+" (?, ?)", bun.Ident(l.column), at(cursor.At), cursor.ID)
}

// readPage cuts one page out of a list. It reads one row more than asked for, to see
// whether the list goes on, and looks beyond the cursors for the same reason.
func readPage[R any](ctx context.Context, db bun.IDB, l listing, request core.PageRequest) (page core.Page[R], err error) {
	var rows []R
	if request.Limit < 1 || request.Limit > core.PageItemsMax {
		return page, fmt.Errorf("page of %d is not within 1 and %d", request.Limit, core.PageItemsMax)
	}
	query := l.narrow(db.NewSelect().Model(&rows)).Limit(int64(request.Limit) + 1)
	if request.After != nil {
		query = l.place(query, "<", *request.After)
	}
	if request.Before != nil {
		query = l.place(query, ">", *request.Before)
	}
	direction := "DESC"
	if request.Last {
		direction = "ASC"
	}
	if l.lead != "" {
		query = query.OrderExpr("? "+direction, bun.Ident(l.lead))
	}
	if err := query.OrderExpr("? "+direction+", id "+direction, bun.Ident(l.column)).Scan(ctx); err != nil {
		return page, err
	}
	more := len(rows) > request.Limit
	if more {
		rows = rows[:request.Limit]
	}
	if request.Last {
		slices.Reverse(rows)
	}
	page.HasNext, page.HasPrevious = more && !request.Last, more && request.Last
	if !page.HasNext && request.Before != nil {
		if page.HasNext, err = l.anything(ctx, db, new(R), "<=", *request.Before); err != nil {
			return page, err
		}
	}
	if !page.HasPrevious && request.After != nil {
		if page.HasPrevious, err = l.anything(ctx, db, new(R), ">=", *request.After); err != nil {
			return page, err
		}
	}
	page.Items = rows
	return page, nil
}

// anything reports whether the list has a row on one side of a cursor.
func (l listing) anything(ctx context.Context, db bun.IDB, model any, op string, cursor core.Cursor) (bool, error) {
	query := l.place(l.narrow(db.NewSelect().Model(model).ColumnExpr("1")), op, cursor)
	var found []int64
	err := query.Limit(1).Scan(ctx, &found)
	return len(found) > 0, err
}

// pageOf is a page of rows as a page of what they say.
func pageOf[R, T any](page core.Page[R], of func(R) (T, error)) (core.Page[T], error) {
	items, err := mapped(page.Items, of)
	return core.Page[T]{Items: items, HasNext: page.HasNext, HasPrevious: page.HasPrevious}, err
}

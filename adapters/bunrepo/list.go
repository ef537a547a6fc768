package bunrepo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	bundialect "github.com/uptrace/bun/dialect"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
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

// whereTimes selects what a column says happened after one time and before another; zero times select all.
func whereTimes(query *bun.SelectQuery, column string, after, before time.Time) *bun.SelectQuery {
	if !after.IsZero() {
		query = query.Where("? > ?", bun.Ident(column), at(after))
	}
	if !before.IsZero() {
		query = query.Where("? < ?", bun.Ident(column), at(before))
	}
	return query
}

// whereAmounts selects amounts of a currency within a range.
func whereAmounts(query *bun.SelectQuery, in ports.Amounts) *bun.SelectQuery {
	query = whereEqual(query, equal{"currency", string(in.Currency)})
	if in.Least != nil {
		query = query.Where("amount >= ?", *in.Least)
	}
	if in.Most != nil {
		query = query.Where("amount <= ?", *in.Most)
	}
	return query
}

// byIDs reads the rows with some ids, in no order.
func byIDs[R, T any, K core.ID](ctx context.Context, db bun.IDB, ids []K, of func(R) (T, error)) ([]T, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if err := checkLimit(len(ids)); err != nil {
		return nil, err
	}
	var rows []R
	if err := db.NewSelect().Model(&rows).Where("id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	return mapped(rows, of)
}

// ofEach reads the first rows of each of several owners in the list's order: at most limit of each,
// whatever they have, by as many looks into the index of column and that order.
func ofEach[R, T any, K core.ID](ctx context.Context, db bun.IDB, l listing, column string, owners []K, limit int, of func(R) (T, error)) ([]T, error) {
	if len(owners) == 0 {
		return nil, nil
	}
	if len(owners) > core.PageItemsMax || limit < 1 || limit > core.PageItemsMax {
		return nil, fmt.Errorf("%d of each of %d owners is more than %d", limit, len(owners), core.PageItemsMax)
	}
	direction := "DESC"
	if l.oldest {
		direction = "ASC"
	}
	order := fmt.Sprintf("%s %s, id %s", l.column, direction, direction)
	var rows []R
	query := db.NewSelect().Model(&rows)
	if db.Dialect().Name() == bundialect.PG {
		query = whereFirstJoined[R](query, db, column, owners, order, limit)
	} else {
		query = whereFirstInParts[R](query, db, column, owners, order, limit)
	}
	if err := query.OrderExpr(order).Scan(ctx); err != nil {
		return nil, err
	}
	return mapped(rows, of)
}

// whereFirstJoined selects the first rows of each owner by a join: a part for each owner, as SQLite gets it,
// takes PostgreSQL longer to plan than to run.
func whereFirstJoined[R any, K core.ID](query *bun.SelectQuery, db bun.IDB, column string, owners []K, order string, limit int) *bun.SelectQuery {
	values := make([]any, 0, len(owners)+1)
	for _, owner := range owners {
		values = append(values, owner)
	}
	part := db.NewSelect().Model((*R)(nil)).Column("id").Where("? = owner.key", bun.Ident(column)).OrderExpr(order).Limit(int64(limit))
	list := strings.TrimSuffix(strings.Repeat("(?),", len(owners)), ",")
	return query.Where("id IN (SELECT part.id FROM (VALUES "+list+") AS owner (key) CROSS JOIN LATERAL (?) AS part)", append(values, part)...)
}

func whereFirstInParts[R any, K core.ID](query *bun.SelectQuery, db bun.IDB, column string, owners []K, order string, limit int) *bun.SelectQuery {
	var parts []string
	var values []any
	for _, owner := range owners {
		part := db.NewSelect().Model((*R)(nil)).Column("id").Where("? = ?", bun.Ident(column), owner).OrderExpr(order).Limit(int64(limit))
		parts, values = append(parts, "SELECT id FROM (?) AS part"), append(values, part)
	}
	return query.Where("id IN ("+strings.Join(parts, " UNION ALL ")+")", values...)
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
	// amount and due are the columns of the orders by them; empty where the list does not know the order.
	amount, due string
	without     string // a column that is not read; empty for none
	oldest      bool   // whether it is the oldest that [ofEach] gives, the oldest first
	// narrow puts the list's own conditions on a query.
	narrow func(*bun.SelectQuery) *bun.SelectQuery
}

// everything narrows nothing.
func everything(query *bun.SelectQuery) *bun.SelectQuery { return query }

// ordered gives the list in the order asked for, and whether it is to be read from its end.
func (l listing) ordered(order core.Order) (_ listing, reversed bool, err error) {
	switch order {
	case core.OrderNewest:
		return l, false, nil
	case core.OrderOldest:
		return l, true, nil
	case core.OrderLargest, core.OrderSmallest:
		if l.amount != "" {
			l.lead = l.amount
			return l, order == core.OrderSmallest, nil
		}
	case core.OrderDue:
		if l.due != "" {
			narrow := l.narrow
			l.column = l.due
			l.narrow = func(query *bun.SelectQuery) *bun.SelectQuery {
				return narrow(query).Where("? IS NOT NULL", bun.Ident(l.due))
			}
			return l, true, nil
		}
	}
	return l, false, fmt.Errorf("this list has no order %q", order)
}

// place is the condition that a row lies on one side of a cursor; op is one of <, <=, >
// and >=. Newer is greater.
func (l listing) place(query *bun.SelectQuery, op string, cursor core.Cursor) *bun.SelectQuery {
	if l.lead != "" {
		return query.Where("(?, ?, id) "+op+" (?, ?, ?)", bun.Ident(l.lead), bun.Ident(l.column), cursor.Lead, at(cursor.At), cursor.ID)
	}
	return query.Where("(?, id) "+op+" (?, ?)", bun.Ident(l.column), at(cursor.At), cursor.ID)
}

// readPage cuts one page out of a list, in the order that the request names.
func readPage[R any](ctx context.Context, db bun.IDB, l listing, request core.PageRequest) (page core.Page[R], err error) {
	if request.Limit < 1 || request.Limit > core.PageItemsMax {
		return page, fmt.Errorf("page of %d is not within 1 and %d", request.Limit, core.PageItemsMax)
	}
	l, reversed, err := l.ordered(request.Order)
	if err != nil {
		return page, err
	}
	if reversed {
		page, err = cutPage[R](ctx, db, l, request.Reversed())
		return page.Reversed(), err
	}
	return cutPage[R](ctx, db, l, request)
}

// cutPage reads one row more than asked for, to see whether the list goes on, and looks beyond the
// cursors for the same reason.
func cutPage[R any](ctx context.Context, db bun.IDB, l listing, request core.PageRequest) (page core.Page[R], err error) {
	var rows []R
	query := l.narrow(db.NewSelect().Model(&rows)).Limit(int64(request.Limit) + 1)
	if l.without != "" {
		query = query.ExcludeColumn(l.without)
	}
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

package bunrepo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// What an endpoint's standing makes of its pending notifications, as conditions on these.
const (
	endpointRemoved  = `endpoint IN (SELECT id FROM endpoints WHERE deleted_at IS NOT NULL)`
	endpointDisabled = `endpoint IN (SELECT id FROM endpoints WHERE deleted_at IS NULL AND disabled_at IS NOT NULL)`
	endpointTold     = `endpoint IN (SELECT id FROM endpoints WHERE deleted_at IS NULL AND disabled_at IS NULL)`
)

// Notification gives one notification.
func (s *Store) Notification(ctx context.Context, id core.NotificationID) (core.Notification, error) {
	var row notificationRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Notification{}, s.failed(ctx, err, "read notification %s", id)
	}
	found := []core.Notification{{}}
	var err error
	if found[0], err = s.notification(row); err == nil {
		err = s.stand(ctx, found)
	}
	return found[0], s.failed(ctx, err, "read notification %s", id)
}

// Notifications gives one page of notifications.
func (s *Store) Notifications(ctx context.Context, filter ports.NotificationFilter, request core.PageRequest) (core.Page[core.Notification], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.Notification]{}, fmt.Errorf("list notifications: %w", err)
	}
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereEqual(query, equal{"endpoint", string(filter.Endpoint)}, equal{"event", string(filter.Event)}, equal{"subject", filter.Subject})
		return whereStanding(query, filter.Statuses)
	}
	rows, err := readPage[notificationRow](ctx, s.read, listing{column: "created_at", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.Notification]{}, s.failed(ctx, err, "list notifications")
	}
	page, err := pageOf(rows, s.notification)
	if err == nil {
		err = s.stand(ctx, page.Items)
	}
	return page, s.failed(ctx, err, "list notifications")
}

// whereStanding selects notifications as they stand; all where there are no statuses.
func whereStanding(query *bun.SelectQuery, statuses []core.NotificationStatus) *bun.SelectQuery {
	if len(statuses) == 0 {
		return query
	}
	return query.WhereGroup(" AND ", func(query *bun.SelectQuery) *bun.SelectQuery {
		for _, status := range statuses {
			switch status {
			case core.NotificationPending:
				query = query.WhereOr("status = 'pending' AND " + endpointTold)
			case core.NotificationHeld:
				query = query.WhereOr("status = 'pending' AND " + endpointDisabled)
			case core.NotificationDropped:
				query = query.WhereOr("status = 'pending' AND " + endpointRemoved)
			default:
				query = query.WhereOr("status = ?", status)
			}
		}
		return query
	})
}

// stand gives notifications the status that their endpoints make of it.
func (s *Store) stand(ctx context.Context, items []core.Notification) error {
	var ids []core.EndpointID
	for _, n := range items {
		if n.Status == core.NotificationPending && !slices.Contains(ids, n.Endpoint) {
			ids = append(ids, n.Endpoint)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []endpointRow
	if err := s.read.NewSelect().Model(&rows).Column("id", "disabled_at", "deleted_at").Where("id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
		return err
	}
	endpoints := make(map[core.EndpointID]core.Endpoint, len(rows))
	for _, row := range rows {
		endpoints[row.ID] = core.Endpoint{ID: row.ID, DisabledAt: row.DisabledAt.Time, DeletedAt: row.DeletedAt.Time}
	}
	for i, n := range items {
		items[i].Status = n.Standing(endpoints[n.Endpoint])
	}
	return nil
}

// NotificationsDue says when each endpoint can be sent something.
func (s *Store) NotificationsDue(ctx context.Context) ([]ports.EndpointDue, error) {
	var rows []struct {
		ID          core.EndpointID `bun:"id"`
		PausedUntil instant         `bun:"paused_until"`
		DueAt       instant         `bun:"due_at"`
	}
	first := heads(s.read.NewSelect().Model((*notificationRow)(nil)).Column("due_at").Where("n.endpoint = e.id")).
		Order("n.due_at", "n.sequence").Limit(1)
	err := s.read.NewSelect().TableExpr("endpoints AS e").Column("e.id", "e.paused_until").ColumnExpr("(?) AS due_at", first).
		Where("e.deleted_at IS NULL").Where("e.disabled_at IS NULL").Limit(rowsMax).Scan(ctx, &rows)
	if err != nil {
		return nil, s.failed(ctx, err, "list endpoints to be notified")
	}
	var all []ports.EndpointDue
	for _, row := range rows {
		if row.DueAt.IsZero() {
			continue
		}
		one := ports.EndpointDue{Endpoint: row.ID, At: row.DueAt.dueTime()}
		if row.PausedUntil.After(one.At) {
			one.At = row.PausedUntil.Time
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b ports.EndpointDue) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return all, nil
}

// NotificationsWaiting says how much each endpoint has not taken yet.
func (s *Store) NotificationsWaiting(ctx context.Context) ([]ports.EndpointWaiting, error) {
	var rows []struct {
		ID         core.EndpointID `bun:"id"`
		DisabledAt instant         `bun:"disabled_at"`
		Count      int64           `bun:"pending"`
		Oldest     instant         `bun:"oldest"`
	}
	err := s.read.NewSelect().TableExpr("endpoints AS e").Column("e.id", "e.disabled_at").
		ColumnExpr("count(n.id) AS pending").ColumnExpr("min(n.created_at) AS oldest").
		Join("LEFT JOIN notifications AS n ON n.endpoint = e.id AND n.status = 'pending'").
		Where("e.deleted_at IS NULL").Group("e.id", "e.disabled_at").OrderExpr("e.id").Limit(rowsMax).Scan(ctx, &rows)
	if err != nil {
		return nil, s.failed(ctx, err, "count waiting notifications")
	}
	all := make([]ports.EndpointWaiting, len(rows))
	for i, row := range rows {
		all[i] = ports.EndpointWaiting{Endpoint: row.ID, Disabled: !row.DisabledAt.IsZero(), Count: row.Count, Oldest: row.Oldest.Time}
	}
	return all, nil
}

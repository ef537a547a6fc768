package bunrepo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type notificationRow struct {
	bun.BaseModel `bun:"table:notifications,alias:n"`

	ID           core.NotificationID     `bun:"id,pk"`
	Endpoint     core.EndpointID         `bun:"endpoint"`
	Event        core.EventID            `bun:"event"`
	Sequence     int64                   `bun:"sequence"`
	Type         core.EventType          `bun:"type"`
	Subject      string                  `bun:"subject"`
	Status       core.NotificationStatus `bun:"status"`
	Attempts     int                     `bun:"attempts"`
	DueAt        instant                 `bun:"due_at"`
	Leased       bool                    `bun:"leased"`
	FirstTriedAt instant                 `bun:"first_tried_at"`
	LastTriedAt  instant                 `bun:"last_tried_at"`
	AnswerStatus int                     `bun:"answer_status,nullzero"`
	Answer       []byte                  `bun:"answer,nullzero"`
	Error        string                  `bun:"error,nullzero"`
	Trace        string                  `bun:"trace,nullzero"`
	CreatedAt    instant                 `bun:"created_at"`
	DeliveredAt  instant                 `bun:"delivered_at"`
}

const placeNotificationAnswer = "notifications.answer"

// dueAtOnce stands for no time at all, so that it sorts before all others.
var dueAtOnce = instant{time.Unix(0, 0).UTC()}

func due(t time.Time) instant {
	if t.IsZero() {
		return dueAtOnce
	}
	return at(t)
}

// dueTime is the opposite of due.
func (i instant) dueTime() time.Time {
	if i.Time.Equal(dueAtOnce.Time) {
		return time.Time{}
	}
	return i.Time
}

var errNotificationStatus = errors.New("status is not one that is stored")

func (s *Store) notificationRow(n core.Notification) (row notificationRow, err error) {
	if err := checkTexts(n); err != nil {
		return row, err
	}
	switch n.Status {
	case core.NotificationPending, core.NotificationDelivered, core.NotificationFailed:
	default:
		return row, fmt.Errorf("%q: %w", n.Status, errNotificationStatus)
	}
	row = notificationRow{
		ID: n.ID, Endpoint: n.Endpoint, Event: n.Event, Sequence: n.Sequence, Type: n.Type, Subject: n.Subject, Status: n.Status,
		Attempts: n.Attempts, DueAt: due(n.DueAt), Leased: n.Leased, FirstTriedAt: at(n.FirstTriedAt), LastTriedAt: at(n.LastTriedAt),
		AnswerStatus: n.AnswerStatus, Error: n.Error, Trace: n.Trace, CreatedAt: at(n.CreatedAt), DeliveredAt: at(n.DeliveredAt),
	}
	if len(n.Answer) > 0 {
		row.Answer, err = s.seal(placeNotificationAnswer, string(n.ID), n.Answer)
	}
	return row, err
}

func (s *Store) notification(row notificationRow) (n core.Notification, err error) {
	n = core.Notification{
		ID: row.ID, Endpoint: row.Endpoint, Event: row.Event, Sequence: row.Sequence, Type: row.Type, Subject: row.Subject, Status: row.Status,
		Attempts: row.Attempts, DueAt: row.DueAt.dueTime(), Leased: row.Leased, FirstTriedAt: row.FirstTriedAt.Time, LastTriedAt: row.LastTriedAt.Time,
		AnswerStatus: row.AnswerStatus, Error: row.Error, Trace: row.Trace, CreatedAt: row.CreatedAt.Time, DeliveredAt: row.DeliveredAt.Time,
	}
	if len(row.Answer) > 0 {
		n.Answer, err = s.unseal(placeNotificationAnswer, string(row.ID), row.Answer)
	}
	return n, err
}

// AppendNotification keeps a notification for the end of the transaction.
func (t *tx) AppendNotification(ctx context.Context, n core.Notification) error {
	n.Sequence = 0
	if n.Trace == "" {
		n.Trace = traceparent(ctx)
	}
	if _, err := t.store.notificationRow(n); err != nil {
		return t.failed(ctx, err, "append notification %s", n.ID)
	}
	t.notifications = append(t.notifications, n)
	return nil
}

var errNoEvent = errors.New("its event is not of the same transaction")

// flushNotifications stores the transaction's notifications with their events' numbers.
func (t *tx) flushNotifications(ctx context.Context, events []eventRow) error {
	if len(t.notifications) == 0 {
		return nil
	}
	sequences := make(map[core.EventID]int64, len(events))
	for _, event := range events {
		sequences[event.ID] = event.Sequence
	}
	rows := make([]notificationRow, len(t.notifications))
	for i, n := range t.notifications {
		n.Sequence = sequences[n.Event]
		var err error
		if rows[i], err = t.store.notificationRow(n); err == nil && n.Sequence == 0 {
			err = errNoEvent
		}
		if err != nil {
			return t.failed(ctx, err, "append notification %s", n.ID)
		}
	}
	return t.failed(ctx, t.insert(ctx, &rows), "append notifications")
}

// heads narrows a query on notifications to those that wait for no earlier one.
func heads(query *bun.SelectQuery) *bun.SelectQuery {
	return query.Where("n.status = 'pending'").Where(`NOT EXISTS (SELECT 1 FROM notifications AS b
WHERE b.status = 'pending' AND b.endpoint = n.endpoint AND b.subject = n.subject AND b.sequence < n.sequence)`)
}

// ClaimNotifications begins tries.
func (t *tx) ClaimNotifications(ctx context.Context, endpoint core.EndpointID, now, until time.Time, limit int) ([]core.Notification, error) {
	claimed, err := t.claimNotifications(ctx, endpoint, now, until, limit)
	return claimed, t.failed(ctx, err, "claim notifications of %s", endpoint)
}

func (t *tx) claimNotifications(ctx context.Context, endpoint core.EndpointID, now, until time.Time, limit int) ([]core.Notification, error) {
	if err := checkLimit(limit); err != nil {
		return nil, err
	}
	var rows []notificationRow
	query := heads(t.tx.NewSelect().Model(&rows).Where("n.endpoint = ?", endpoint)).Where("n.due_at <= ?", at(now))
	if err := query.Order("n.due_at", "n.sequence").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]core.NotificationID, len(rows))
	for i := range rows {
		rows[i].Attempts, rows[i].Leased, rows[i].DueAt = rows[i].Attempts+1, true, at(until)
		ids[i] = rows[i].ID
	}
	_, err := t.tx.NewUpdate().Model((*notificationRow)(nil)).Set("attempts = attempts + 1").Set("leased = ?", true).
		Set("due_at = ?", at(until)).Where("id IN ?", bun.Tuple(ids)).Exec(ctx)
	if err != nil {
		return nil, err
	}
	return mapped(rows, t.store.notification)
}

// SettleNotification stores what became of a try.
func (t *tx) SettleNotification(ctx context.Context, n core.Notification) error {
	return t.failed(ctx, t.settleNotification(ctx, n), "settle notification %s", n.ID)
}

func (t *tx) settleNotification(ctx context.Context, n core.Notification) error {
	row, err := t.store.notificationRow(n)
	if err != nil {
		return err
	}
	result, err := t.tx.NewUpdate().Model(&row).
		Column("status", "due_at", "leased", "first_tried_at", "last_tried_at", "answer_status", "answer", "error", "delivered_at").
		WherePK().Where("status = 'pending'").Where("leased").Where("attempts = ?", n.Attempts).Exec(ctx)
	if err := affected(result, err, ports.ErrConflict); err != nil {
		return err
	}
	if n.Status != core.NotificationPending && n.Attempts <= 1 {
		return nil // nothing was ever put off for it
	}
	then := row.DueAt
	if n.Status != core.NotificationPending {
		then = dueAtOnce
	}
	_, err = t.tx.NewUpdate().Model((*notificationRow)(nil)).Set("due_at = ?", then).
		Where("endpoint = ?", n.Endpoint).Where("subject = ?", n.Subject).Where("status = 'pending'").
		Where("sequence > ?", n.Sequence).Where("NOT leased").Exec(ctx)
	return err
}

// RenewNotification stores one that is to be tried from the beginning.
func (t *tx) RenewNotification(ctx context.Context, n core.Notification) error {
	row, err := t.store.notificationRow(n)
	if err == nil {
		result, failed := t.tx.NewUpdate().Model(&row).
			Column("status", "attempts", "due_at", "first_tried_at", "delivered_at").
			WherePK().Where("NOT leased").Exec(ctx)
		err = affected(result, failed, ports.ErrConflict)
	}
	return t.failed(ctx, err, "renew notification %s", n.ID)
}

// NotificationTriedSince looks for one that was tried for long.
func (t *tx) NotificationTriedSince(ctx context.Context, endpoint core.EndpointID, since time.Time) (bool, error) {
	found, err := t.tx.NewSelect().Model((*notificationRow)(nil)).Where("endpoint = ?", endpoint).Where("status = 'pending'").
		Where("first_tried_at <= ?", at(since)).Exists(ctx)
	return found, t.failed(ctx, err, "look for old notifications of %s", endpoint)
}

// HurryNotifications makes what is pending due at once.
func (t *tx) HurryNotifications(ctx context.Context, endpoint core.EndpointID, afresh bool) error {
	query := t.tx.NewUpdate().Model((*notificationRow)(nil)).
		Set("due_at = CASE WHEN leased THEN due_at ELSE ? END", dueAtOnce).Where("endpoint = ?", endpoint).Where("status = 'pending'")
	if afresh {
		query = query.Set("first_tried_at = NULL").Set("attempts = CASE WHEN leased THEN attempts ELSE 0 END")
	} else {
		query = query.Where("due_at > ?", dueAtOnce) // most of them are, where much waits
	}
	_, err := query.Exec(ctx)
	return t.failed(ctx, err, "hurry notifications of %s", endpoint)
}

// notified is a signal that is given once, however often it is made before somebody takes it. The
// zero value is ready for use.
type notified struct {
	once    sync.Once
	signals chan struct{}
}

func (n *notified) channel() chan struct{} {
	n.once.Do(func() { n.signals = make(chan struct{}, 1) })
	return n.signals
}

func (n *notified) signal() {
	select {
	case n.channel() <- struct{}{}:
	default:
	}
}

// NotificationsCommitted gives a signal after new notifications.
func (s *Store) NotificationsCommitted() <-chan struct{} { return s.notified.channel() }

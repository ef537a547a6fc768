package bunrepo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

type eventRow struct {
	bun.BaseModel `bun:"table:events"`

	Sequence   int64          `bun:"sequence,pk"`
	ID         core.EventID   `bun:"id"`
	Type       core.EventType `bun:"type"`
	Subject    string         `bun:"subject"`
	Data       []byte         `bun:"data"`
	OccurredAt instant        `bun:"occurred_at"`
}

// placeEventData is where events' objects are sealed: a checkout's tells who the buyer is.
const placeEventData = "events.data"

func (s *Store) event(row eventRow) (core.Event, error) {
	data, err := s.unseal(placeEventData, string(row.ID), row.Data)
	return core.Event{
		Sequence: row.Sequence, ID: row.ID, Type: row.Type, Subject: row.Subject, Data: data, OccurredAt: row.OccurredAt.Time,
	}, err
}

var errNotJSON = errors.New("data is not JSON")

// Events gives our own events in order.
func (s *Store) Events(ctx context.Context, after int64, types []core.EventType, limit int) ([]core.Event, error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	var rows []eventRow
	query := s.read.NewSelect().Model(&rows).Where("sequence > ?", after)
	if len(types) > 0 {
		query = query.Where("type IN ?", bun.Tuple(types))
	}
	if err := query.Order("sequence").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list events")
	}
	return mapped(rows, s.event)
}

// Event gives one of our own events.
func (s *Store) Event(ctx context.Context, id core.EventID) (core.Event, error) {
	var row eventRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Event{}, s.failed(ctx, err, "read event %s", id)
	}
	return s.event(row)
}

// AppendEvent keeps an event for the end of the transaction, where it gets its number.
func (t *tx) AppendEvent(ctx context.Context, e core.Event) (core.Event, error) {
	err := checkTexts(e)
	if err == nil && !json.Valid(e.Data) {
		err = errNotJSON
	}
	if err != nil {
		return core.Event{}, t.failed(ctx, err, "append event %s", e.ID)
	}
	e.Sequence, e.OccurredAt = 0, at(e.OccurredAt).Time
	t.events = append(t.events, e)
	return e, nil
}

// flushEvents numbers and stores the transaction's events. Whoever moves the counter
// holds it until the commit, so numbers become visible in order and without gaps.
func (t *tx) flushEvents(ctx context.Context) error {
	if len(t.events) == 0 {
		return nil
	}
	var last int64
	err := t.tx.NewRaw("UPDATE counters SET value = value + ? WHERE name = 'events' RETURNING value", len(t.events)).Scan(ctx, &last)
	if err != nil {
		return t.failed(ctx, err, "number events")
	}
	rows := make([]eventRow, len(t.events))
	for i, e := range t.events {
		data, err := t.store.seal(placeEventData, string(e.ID), e.Data)
		if err != nil {
			return t.failed(ctx, err, "append event %s", e.ID)
		}
		rows[i] = eventRow{
			Sequence: last - int64(len(t.events)) + int64(i) + 1, ID: e.ID, Type: e.Type, Subject: e.Subject,
			Data: data, OccurredAt: at(e.OccurredAt),
		}
	}
	if err := t.insert(ctx, &rows); err != nil {
		return t.failed(ctx, err, "append events")
	}
	return t.flushNotifications(ctx, rows)
}

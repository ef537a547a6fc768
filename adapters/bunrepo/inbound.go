package bunrepo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type inboundRow struct {
	bun.BaseModel `bun:"table:inbound_events"`

	ID              core.InboundID     `bun:"id,pk"`
	Account         core.AccountName   `bun:"account"`
	ProviderEventID string             `bun:"provider_event_id"`
	Type            string             `bun:"type"`
	Source          core.InboundSource `bun:"source"`
	Status          core.InboundStatus `bun:"status"`
	RefKind         core.ObjectKind    `bun:"ref_kind,nullzero"`
	RefID           string             `bun:"ref_id,nullzero"`
	APIVersion      string             `bun:"api_version,nullzero"`
	Body            []byte             `bun:"body,nullzero"`
	Note            string             `bun:"note,nullzero"`
	ReceivedAt      instant            `bun:"received_at"`
	ProcessedAt     instant            `bun:"processed_at"`
}

const placeInboundBody = "inbound_events.body"

func (s *Store) inbound(row inboundRow) (core.InboundEvent, error) {
	body, err := s.unseal(placeInboundBody, string(row.ID), row.Body)
	if err != nil {
		return core.InboundEvent{}, err
	}
	e := core.InboundEvent{
		ID: row.ID, Account: row.Account, ProviderEventID: row.ProviderEventID, Type: row.Type, Source: row.Source, Status: row.Status,
		APIVersion: row.APIVersion, Body: body, Note: row.Note, ReceivedAt: row.ReceivedAt.Time,
		ProcessedAt: row.ProcessedAt.Time,
	}
	if row.RefID != "" {
		e.Ref = core.ProviderRef{Account: row.Account, Kind: row.RefKind, ID: row.RefID}
	}
	return e, nil
}

// Inbound gives one inbound event.
func (s *Store) Inbound(ctx context.Context, id core.InboundID) (core.InboundEvent, error) {
	var row inboundRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.InboundEvent{}, s.failed(ctx, err, "read inbound event %s", id)
	}
	return s.inbound(row)
}

// InboundEvents gives one page of inbound events, without their bodies: of a page of large ones nobody
// could hold all.
func (s *Store) InboundEvents(ctx context.Context, filter ports.InboundFilter, request core.PageRequest) (core.Page[core.InboundEvent], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.InboundEvent]{}, fmt.Errorf("list inbound events: %w", err)
	}
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereEqual(query, equal{"account", string(filter.Account)}, equal{"type", filter.Type})
		query = whereTimes(query, "received_at", filter.ReceivedAfter, filter.ReceivedBefore)
		if len(filter.Statuses) == 1 && filter.Statuses[0] == core.InboundFailed {
			return query.Where("status = 'failed'") // in the words of the index
		}
		return whereStatus(query, filter.Statuses)
	}
	page, err := readPage[inboundRow](ctx, s.read, listing{column: "received_at", without: "body", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.InboundEvent]{}, s.failed(ctx, err, "list inbound events")
	}
	return pageOf(page, s.inbound)
}

// errOtherAccount means that an event names an object of another account than its own.
var errOtherAccount = fmt.Errorf("%w: the event's object belongs to another account", ports.ErrRefused)

// AcceptInbound stores those events that are not stored yet.
//
// This is the busiest write of all and its rows are large, so it does without bun: the
// values go beside the statement and not inside it.
func (t *tx) AcceptInbound(ctx context.Context, events []core.InboundEvent) ([]core.InboundID, error) {
	if len(events) == 0 {
		return nil, nil
	}
	bodies := make([][]byte, len(events))
	for i, e := range events {
		err := checkTexts(e)
		if err == nil {
			err = checkKnown("source", e.Source)
		}
		if err == nil && e.Ref.ID != "" && e.Ref.Account != e.Account {
			err = errOtherAccount
		}
		if err == nil {
			bodies[i], err = t.store.seal(placeInboundBody, string(e.ID), e.Body)
		}
		if err != nil {
			return nil, t.failed(ctx, err, "accept inbound event %s", e.ID)
		}
	}
	insert := t.insertInboundSQLite
	if t.store.dialect == dialectPostgres {
		insert = t.insertInboundPostgres
	}
	stored, err := insert(ctx, events, bodies)
	if err != nil {
		return nil, t.failed(ctx, err, "accept %d inbound events", len(events))
	}
	ids := make([]core.InboundID, 0, len(stored))
	for _, e := range events {
		if stored[e.ID] {
			ids = append(ids, e.ID)
		}
	}
	return ids, nil
}

const inboundColumns = `id, account, provider_event_id, type, status, ref_kind, ref_id, api_version, body, note, source, received_at, processed_at`

// insertInboundPostgres sends the batch as one array for each column.
func (t *tx) insertInboundPostgres(ctx context.Context, events []core.InboundEvent, bodies [][]byte) (map[core.InboundID]bool, error) {
	const statement = `INSERT INTO inbound_events (` + inboundColumns + `)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[])
ON CONFLICT (account, provider_event_id) DO NOTHING RETURNING id`
	var texts [10][]*string // all columns before the last two but the body
	for i := range texts {
		texts[i] = make([]*string, len(events))
	}
	received, processed := make([]*time.Time, len(events)), make([]*time.Time, len(events))
	for i, e := range events {
		for column, value := range []string{
			string(e.ID), string(e.Account), e.ProviderEventID, e.Type, string(e.Status), string(e.Ref.Kind), e.Ref.ID, e.APIVersion, e.Note, string(e.Source),
		} {
			if value != "" || column == 3 { // a type may be empty, and is not NULL then
				texts[column][i] = &value
			}
		}
		received[i], processed[i] = timeOrNull(e.ReceivedAt), timeOrNull(e.ProcessedAt)
		if len(bodies[i]) == 0 {
			bodies[i] = nil
		}
	}
	args := make([]any, 0, 14)
	if t.store.inboundMode != nil {
		args = append(args, *t.store.inboundMode)
	}
	args = append(args, texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], texts[7], bodies, texts[8], texts[9], received, processed)
	return t.insertInbound(ctx, statement, args)
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	cut := at(t).Time
	return &cut
}

// inboundRowsMax is how many rows one statement has on SQLite: 13 values each, of the
// 32,766 that it takes.
const inboundRowsMax = 500

// insertInboundSQLite sends the batch as rows of placeholders.
func (t *tx) insertInboundSQLite(ctx context.Context, events []core.InboundEvent, bodies [][]byte) (map[core.InboundID]bool, error) {
	stored := make(map[core.InboundID]bool, len(events))
	for start := 0; start < len(events); start += inboundRowsMax {
		end := min(start+inboundRowsMax, len(events))
		statement := []byte("INSERT INTO inbound_events (" + inboundColumns + ") VALUES ")
		args := make([]any, 0, (end-start)*13)
		for i := start; i < end; i++ {
			if i > start {
				statement = append(statement, ',')
			}
			statement = append(statement, "(?,?,?,?,?,?,?,?,?,?,?,?,?)"...)
			e := events[i]
			args = append(args, string(e.ID), string(e.Account), e.ProviderEventID, e.Type, string(e.Status),
				textOrNull(string(e.Ref.Kind)), textOrNull(e.Ref.ID), textOrNull(e.APIVersion), bytesOrNull(bodies[i]),
				textOrNull(e.Note), string(e.Source), at(e.ReceivedAt).text(), at(e.ProcessedAt).text())
		}
		statement = append(statement, " ON CONFLICT (account, provider_event_id) DO NOTHING RETURNING id"...)
		part, err := t.insertInbound(ctx, string(statement), args)
		if err != nil {
			return nil, err
		}
		for id := range part {
			stored[id] = true
		}
	}
	return stored, nil
}

func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func bytesOrNull(data []byte) any {
	if len(data) == 0 {
		return nil
	}
	return data
}

// insertInbound runs the statement and gathers the ids that it stored.
func (t *tx) insertInbound(ctx context.Context, statement string, args []any) (stored map[core.InboundID]bool, err error) {
	ctx, span := t.store.tracer.Start(ctx, "INSERT inbound_events")
	defer span.End()
	rows, err := t.tx.Tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	stored = make(map[core.InboundID]bool)
	for rows.Next() {
		var id core.InboundID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		stored[id] = true
	}
	return stored, rows.Err()
}

// SetInboundStatus notes what became of an event.
func (t *tx) SetInboundStatus(ctx context.Context, id core.InboundID, status core.InboundStatus, note string, when time.Time) error {
	if err := checkTexts(struct{ Note string }{note}); err != nil {
		return t.failed(ctx, err, "set status of %s", id)
	}
	var processed instant // none while the event waits
	if status != core.InboundReceived {
		processed = at(when)
	}
	row := inboundRow{ID: id, Status: status, Note: note, ProcessedAt: processed}
	result, err := t.tx.NewUpdate().Model(&row).Column("status", "note", "processed_at").WherePK().Exec(ctx)
	return t.failed(ctx, affected(result, err, ports.ErrNotFound), "set status of %s", id)
}

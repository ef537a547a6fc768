package bunrepo

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

type timelineRow struct {
	bun.BaseModel `bun:"table:timeline"`

	ID           core.TimelineID   `bun:"id,pk"`
	Payment      core.PaymentID    `bun:"payment,nullzero"`
	Subject      string            `bun:"subject"`
	Kind         core.TimelineKind `bun:"kind"`
	CauseKind    core.CauseKind    `bun:"cause_kind"`
	CauseInbound core.InboundID    `bun:"cause_inbound,nullzero"`
	CauseActor   string            `bun:"cause_actor,nullzero"`
	Operation    core.OperationID  `bun:"operation,nullzero"`
	Status       string            `bun:"status,nullzero"`
	From         string            `bun:"from_status,nullzero"`
	To           string            `bun:"to_status,nullzero"`
	Verdict      string            `bun:"verdict,nullzero"`
	Reason       core.Reason       `bun:"reason,nullzero"`
	Note         string            `bun:"note,nullzero"`
	Text         []byte            `bun:"text,nullzero"`
	TraceID      string            `bun:"trace_id,nullzero"`
	At           instant           `bun:"at"`
}

const placeTimelineText = "timeline.text"

func (s *Store) timelineEntry(row timelineRow) (core.TimelineEntry, error) {
	text, err := s.unseal(placeTimelineText, string(row.ID), row.Text)
	if err != nil {
		return core.TimelineEntry{}, err
	}
	return core.TimelineEntry{
		ID: row.ID, Payment: row.Payment, Subject: row.Subject, Kind: row.Kind,
		Cause:     core.Cause{Kind: row.CauseKind, Inbound: row.CauseInbound, Actor: row.CauseActor},
		Operation: row.Operation, Status: row.Status, From: row.From, To: row.To, Verdict: row.Verdict,
		Reason: row.Reason, Note: row.Note, Text: string(text), TraceID: row.TraceID, At: row.At.Time,
	}, nil
}

// TimelineEntry gives one line.
func (s *Store) TimelineEntry(ctx context.Context, id core.TimelineID) (core.TimelineEntry, error) {
	var row timelineRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.TimelineEntry{}, s.failed(ctx, err, "read timeline entry %s", id)
	}
	return s.timelineEntry(row)
}

// Timeline gives a part of a payment's history, oldest first.
func (s *Store) Timeline(ctx context.Context, payment core.PaymentID, after *core.Cursor, limit int) ([]core.TimelineEntry, error) {
	return s.timeline(ctx, equal{"payment", string(payment)}, after, limit)
}

// SubjectTimeline gives a part of the history of an object that is no payment, oldest first.
func (s *Store) SubjectTimeline(ctx context.Context, subject string, after *core.Cursor, limit int) ([]core.TimelineEntry, error) {
	return s.timeline(ctx, equal{"subject", subject}, after, limit)
}

func (s *Store) timeline(ctx context.Context, whose equal, after *core.Cursor, limit int) ([]core.TimelineEntry, error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	var rows []timelineRow
	query := s.read.NewSelect().Model(&rows).Where("? = ?", bun.Ident(whose.column), whose.value)
	if after != nil {
		query = query.Where("(at, id) > (?, ?)", at(after.At), after.ID)
	}
	if err := query.Order("at", "id").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "read timeline of %s", whose.value)
	}
	return mapped(rows, s.timelineEntry)
}

// AppendTimeline adds lines to histories.
func (t *tx) AppendTimeline(ctx context.Context, entries ...core.TimelineEntry) error {
	if len(entries) == 0 {
		return nil
	}
	rows := make([]timelineRow, len(entries))
	for i, e := range entries {
		if err := checkTexts(e); err != nil {
			return t.failed(ctx, err, "append to timeline of %s", e.Subject)
		}
		text, err := t.store.seal(placeTimelineText, string(e.ID), []byte(e.Text))
		if err != nil {
			return t.failed(ctx, err, "append to timeline of %s", e.Subject)
		}
		rows[i] = timelineRow{
			ID: e.ID, Payment: e.Payment, Subject: e.Subject, Kind: e.Kind, CauseKind: e.Cause.Kind, CauseInbound: e.Cause.Inbound,
			CauseActor: e.Cause.Actor, Operation: e.Operation, Status: e.Status, From: e.From, To: e.To,
			Verdict: e.Verdict, Reason: e.Reason, Note: e.Note, Text: text, TraceID: e.TraceID, At: at(e.At),
		}
	}
	for _, e := range entries {
		t.changed(e.Payment)
	}
	return t.failed(ctx, t.insert(ctx, &rows), "append to timeline")
}

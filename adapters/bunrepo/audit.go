package bunrepo

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type auditRow struct {
	bun.BaseModel `bun:"table:audit_log"`

	Sequence int64        `bun:"sequence,pk"`
	ID       core.AuditID `bun:"id"`
	Actor    string       `bun:"actor"`
	Action   string       `bun:"action"`
	Subject  string       `bun:"subject,nullzero"`
	Detail   string       `bun:"detail,nullzero"`
	Before   string       `bun:"state_before,nullzero"`
	After    string       `bun:"state_after,nullzero"`
	From     string       `bun:"from_address,nullzero"`
	TraceID  string       `bun:"trace_id,nullzero"`
	At       instant      `bun:"at"`
	Previous string       `bun:"previous"`
	Hash     string       `bun:"hash"`
}

// auditHeadRow is the end of the chain: its one row is locked by whoever adds to it.
type auditHeadRow struct {
	bun.BaseModel `bun:"table:audit_head"`

	ID       int64  `bun:"id,pk"`
	Sequence int64  `bun:"sequence"`
	Hash     string `bun:"hash"`
}

func auditEntry(row auditRow) (core.AuditEntry, error) {
	return core.AuditEntry{
		Sequence: row.Sequence, ID: row.ID, Actor: row.Actor, Action: row.Action, Subject: row.Subject,
		Detail: row.Detail, Before: row.Before, After: row.After, From: row.From, TraceID: row.TraceID, At: row.At.Time, Previous: row.Previous, Hash: row.Hash,
	}, nil
}

// AuditLog gives entries in order.
func (s *Store) AuditLog(ctx context.Context, after int64, limit int) ([]core.AuditEntry, error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	var rows []auditRow
	err := s.read.NewSelect().Model(&rows).Where("sequence > ?", after).Order("sequence").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, s.failed(ctx, err, "read audit log")
	}
	return mapped(rows, auditEntry)
}

// AuditEntries gives one page of the log, newest first.
func (s *Store) AuditEntries(ctx context.Context, filter ports.AuditFilter, request core.PageRequest) (core.Page[core.AuditEntry], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.AuditEntry]{}, fmt.Errorf("list audit log: %w", err)
	}
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereEqual(query, equal{"actor", filter.Actor}, equal{"action", filter.Action}, equal{"subject", filter.Subject})
		return whereTimes(query, "at", filter.After, filter.Before)
	}
	page, err := readPage[auditRow](ctx, s.read, listing{column: "at", lead: "sequence", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.AuditEntry]{}, s.failed(ctx, err, "list audit log")
	}
	return pageOf(page, auditEntry)
}

// AuditHead gives the last line's place and hash, kept beside the log.
func (s *Store) AuditHead(ctx context.Context) (core.AuditMark, error) {
	var head auditHeadRow
	if err := s.read.NewSelect().Model(&head).Where("id = 1").Scan(ctx); err != nil {
		return core.AuditMark{}, s.failed(ctx, err, "read end of audit log")
	}
	return core.AuditMark{Sequence: head.Sequence, Hash: head.Hash}, nil
}

// AppendAudit keeps a line for the end of the transaction, where it joins the chain.
func (t *tx) AppendAudit(ctx context.Context, e core.AuditEntry) error {
	if err := checkTexts(e); err != nil {
		return t.failed(ctx, err, "append to audit log")
	}
	e.At = at(e.At).Time // as it will be read, since the hash covers it
	t.audits = append(t.audits, e)
	return nil
}

// flushAudits adds the transaction's lines to the chain.
func (t *tx) flushAudits(ctx context.Context) error {
	if len(t.audits) == 0 {
		return nil
	}
	var head auditHeadRow
	query := t.tx.NewSelect().Model(&head).Where("id = 1")
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return t.failed(ctx, err, "lock audit log")
	}
	rows := make([]auditRow, len(t.audits))
	for i, e := range t.audits {
		e = e.Seal(head.Sequence, head.Hash)
		head.Sequence, head.Hash = e.Sequence, e.Hash
		rows[i] = auditRow{
			Sequence: e.Sequence, ID: e.ID, Actor: e.Actor, Action: e.Action, Subject: e.Subject, Detail: e.Detail,
			Before: e.Before, After: e.After, From: e.From, TraceID: e.TraceID, At: at(e.At), Previous: e.Previous, Hash: e.Hash,
		}
	}
	if err := t.insert(ctx, &rows); err != nil {
		return t.failed(ctx, err, "append to audit log")
	}
	_, err := t.tx.NewUpdate().Model(&head).Column("sequence", "hash").WherePK().Exec(ctx)
	return t.failed(ctx, err, "move end of audit log")
}

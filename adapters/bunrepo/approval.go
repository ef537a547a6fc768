package bunrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type approvalRow struct {
	bun.BaseModel `bun:"table:approvals"`

	ID          core.ApprovalID     `bun:"id,pk"`
	Version     int64               `bun:"version"`
	Status      core.ApprovalStatus `bun:"status"`
	Payment     core.PaymentID      `bun:"payment"`
	Amount      int64               `bun:"amount"`
	Currency    core.Currency       `bun:"currency"`
	Reason      core.RefundReason   `bun:"reason"`
	Note        string              `bun:"note,nullzero"`
	AskedBy     core.StaffID        `bun:"asked_by"`
	DecidedBy   core.StaffID        `bun:"decided_by,nullzero"`
	Refund      core.RefundID       `bun:"refund,nullzero"`
	RequestKey  core.RequestKey     `bun:"request_key,nullzero"`
	Environment core.Environment    `bun:"environment"`
	CreatedAt   instant             `bun:"created_at"`
	ExpiresAt   instant             `bun:"expires_at"`
	DecidedAt   instant             `bun:"decided_at"`
}

func checkApproval(a core.Approval) error {
	return errors.Join(checkKnown("status", a.Status), checkKnown("reason", a.Reason), checkLeast("amount", a.Amount, 1))
}

func (s *Store) approvalRow(a core.Approval) (row approvalRow, err error) {
	if err := errors.Join(checkTexts(a), checkApproval(a)); err != nil {
		return row, err
	}
	if a.Environment != s.environment {
		return row, s.wrongEnvironment(string(a.ID), a.Environment)
	}
	return approvalRow{
		ID: a.ID, Version: a.Version, Status: a.Status, Payment: a.Payment, Amount: a.Amount.Minor(), Currency: a.Amount.Currency(),
		Reason: a.Reason, Note: a.Note, AskedBy: a.AskedBy, DecidedBy: a.DecidedBy, Refund: a.Refund, RequestKey: a.RequestKey,
		Environment: a.Environment, CreatedAt: at(a.CreatedAt), ExpiresAt: at(a.ExpiresAt), DecidedAt: at(a.DecidedAt),
	}, nil
}

func (s *Store) approval(row approvalRow) (core.Approval, error) {
	a := core.Approval{
		ID: row.ID, Version: row.Version, Status: row.Status, Payment: row.Payment, Reason: row.Reason, Note: row.Note, AskedBy: row.AskedBy,
		DecidedBy: row.DecidedBy, Refund: row.Refund, RequestKey: row.RequestKey, Environment: row.Environment,
		CreatedAt: row.CreatedAt.Time, ExpiresAt: row.ExpiresAt.Time, DecidedAt: row.DecidedAt.Time,
	}
	var failed error
	a.Amount, failed = core.NewMoney(row.Amount, row.Currency)
	if err := errors.Join(failed, checkApproval(a)); err != nil {
		return core.Approval{}, fmt.Errorf("approval %s: %w", row.ID, err)
	}
	return a, nil
}

// Approval gives one approval.
func (s *Store) Approval(ctx context.Context, id core.ApprovalID) (core.Approval, error) {
	var row approvalRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Approval{}, s.failed(ctx, err, "read approval %s", id)
	}
	return s.approval(row)
}

// ApprovalByRequestKey gives the approval that a call asked for.
func (s *Store) ApprovalByRequestKey(ctx context.Context, key core.RequestKey) (core.Approval, error) {
	var row approvalRow
	if err := s.read.NewSelect().Model(&row).Where("request_key = ?", key).Scan(ctx); err != nil {
		return core.Approval{}, s.failed(ctx, err, "read approval by request key")
	}
	return s.approval(row)
}

// Approvals gives one page of approvals.
func (s *Store) Approvals(ctx context.Context, filter ports.ApprovalFilter, request core.PageRequest) (core.Page[core.Approval], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.Approval]{}, fmt.Errorf("list approvals: %w", err)
	}
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereEqual(query, equal{"payment", string(filter.Payment)})
		if len(filter.Statuses) == 0 {
			return query
		}
		return query.WhereGroup(" AND ", func(query *bun.SelectQuery) *bun.SelectQuery {
			for _, status := range filter.Statuses {
				switch status {
				case core.ApprovalPending:
					query = query.WhereOr("status = ? AND expires_at > ?", core.ApprovalPending, at(filter.Now))
				case core.ApprovalExpired:
					query = query.WhereOr("status = ? AND expires_at <= ?", core.ApprovalPending, at(filter.Now))
				case core.ApprovalApproved, core.ApprovalRejected:
					query = query.WhereOr("status = ?", status)
				}
			}
			return query
		})
	}
	page, err := readPage[approvalRow](ctx, s.read, listing{column: "created_at", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.Approval]{}, s.failed(ctx, err, "list approvals")
	}
	return pageOf(page, s.approval)
}

// LockApproval reads an approval and keeps it from others.
func (t *tx) LockApproval(ctx context.Context, id core.ApprovalID) (core.Approval, error) {
	var row approvalRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Approval{}, t.failed(ctx, err, "lock approval %s", id)
	}
	return t.store.approval(row)
}

// InsertApproval stores a new approval under version 1.
func (t *tx) InsertApproval(ctx context.Context, a core.Approval) (core.Approval, error) {
	a.Version = 1
	row, err := t.store.approvalRow(a)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Approval{}, t.failed(ctx, err, "insert approval %s", a.ID)
	}
	return t.store.approval(row)
}

// UpdateApproval stores a decided approval under the next version.
func (t *tx) UpdateApproval(ctx context.Context, a core.Approval) (core.Approval, error) {
	a.Version++
	row, err := t.store.approvalRow(a)
	if err == nil {
		err = t.update(ctx, &row, a.Version-1)
	}
	if err != nil {
		return core.Approval{}, t.failed(ctx, err, "update approval %s", a.ID)
	}
	return t.store.approval(row)
}

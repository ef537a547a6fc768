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

type disputeRow struct {
	bun.BaseModel `bun:"table:disputes"`

	ID                 core.DisputeID     `bun:"id,pk"`
	Version            int64              `bun:"version"`
	Payment            core.PaymentID     `bun:"payment"`
	Account            core.AccountName   `bun:"account"`
	Provider           core.ProviderName  `bun:"provider"`
	ProviderDisputeID  string             `bun:"provider_dispute_id"`
	Status             core.DisputeStatus `bun:"status"`
	ForeignStatus      string             `bun:"foreign_status,nullzero"`
	Reason             core.DisputeReason `bun:"reason"`
	ForeignReason      string             `bun:"foreign_reason,nullzero"`
	Amount             int64              `bun:"amount"`
	Currency           core.Currency      `bun:"currency"`
	Fee                int64              `bun:"fee"`
	FeeCurrency        core.Currency      `bun:"fee_currency,nullzero"`
	Withdrawn          int64              `bun:"withdrawn"`
	WithdrawnCurrency  core.Currency      `bun:"withdrawn_currency,nullzero"`
	Reinstated         int64              `bun:"reinstated"`
	ReinstatedCurrency core.Currency      `bun:"reinstated_currency,nullzero"`
	DueAt              instant            `bun:"due_at"`
	CanSubmit          bool               `bun:"can_submit"`
	CanAccept          bool               `bun:"can_accept"`
	RemindedDays       int                `bun:"reminded_days"`
	Owner              core.StaffID       `bun:"owner,nullzero"`
	SubmittedAt        instant            `bun:"submitted_at"`
	AcceptedAt         instant            `bun:"accepted_at"`
	ClosedAt           instant            `bun:"closed_at"`
	Anomaly            core.Reason        `bun:"anomaly,nullzero"`
	Environment        core.Environment   `bun:"environment"`
	OpenedAt           instant            `bun:"opened_at"`
	CreatedAt          instant            `bun:"created_at"`
	UpdatedAt          instant            `bun:"updated_at"`
	SyncedAt           instant            `bun:"synced_at"`
	LookAt             instant            `bun:"look_at"`
}

// checkDispute holds a dispute to what no row may break, on write and on read.
func checkDispute(d core.Dispute) error {
	failed := []error{checkKnown("status", d.Status), checkLeast("amount", d.Amount, 0)}
	for field, amount := range map[string]core.Money{"fee": d.Fee, "withdrawn": d.Withdrawn, "reinstated": d.Reinstated} {
		if amount != (core.Money{}) {
			failed = append(failed, checkLeast(field, amount, 0))
		}
	}
	return errors.Join(failed...)
}

// disputeRow is how a dispute is stored.
func (s *Store) disputeRow(d core.Dispute) (row disputeRow, err error) {
	if err := errors.Join(checkTexts(d), checkDispute(d)); err != nil {
		return row, err
	}
	if d.Environment != s.environment {
		return row, s.wrongEnvironment(string(d.ID), d.Environment)
	}
	return disputeRow{
		ID: d.ID, Version: d.Version, Payment: d.Payment, Account: d.Account, Provider: d.Provider,
		ProviderDisputeID: d.ProviderDisputeID, Status: d.Status, ForeignStatus: d.ForeignStatus, Reason: d.Reason,
		ForeignReason: d.ForeignReason, Amount: d.Amount.Minor(), Currency: d.Amount.Currency(),
		Fee: d.Fee.Minor(), FeeCurrency: d.Fee.Currency(), Withdrawn: d.Withdrawn.Minor(), WithdrawnCurrency: d.Withdrawn.Currency(),
		Reinstated: d.Reinstated.Minor(), ReinstatedCurrency: d.Reinstated.Currency(), DueAt: at(d.DueAt),
		CanSubmit: d.CanSubmit, CanAccept: d.CanAccept, RemindedDays: d.RemindedDays, Owner: d.Owner, SubmittedAt: at(d.SubmittedAt),
		AcceptedAt: at(d.AcceptedAt), ClosedAt: at(d.ClosedAt), Anomaly: d.Anomaly, Environment: d.Environment,
		OpenedAt: at(d.OpenedAt), CreatedAt: at(d.CreatedAt), UpdatedAt: at(d.UpdatedAt), SyncedAt: at(d.SyncedAt), LookAt: at(d.LookAt()),
	}, nil
}

// dispute is what a row says. A row that breaks the invariants is an error.
func (s *Store) dispute(row disputeRow) (core.Dispute, error) {
	d := core.Dispute{
		ID: row.ID, Version: row.Version, Payment: row.Payment, Account: row.Account, Provider: row.Provider,
		ProviderDisputeID: row.ProviderDisputeID, Status: row.Status, ForeignStatus: row.ForeignStatus, Reason: row.Reason,
		ForeignReason: row.ForeignReason, DueAt: row.DueAt.Time, CanSubmit: row.CanSubmit, CanAccept: row.CanAccept,
		RemindedDays: row.RemindedDays, Owner: row.Owner, SubmittedAt: row.SubmittedAt.Time, AcceptedAt: row.AcceptedAt.Time,
		ClosedAt: row.ClosedAt.Time, Anomaly: row.Anomaly, Environment: row.Environment, OpenedAt: row.OpenedAt.Time,
		CreatedAt: row.CreatedAt.Time, UpdatedAt: row.UpdatedAt.Time, SyncedAt: row.SyncedAt.Time,
	}
	var failed [5]error
	d.Amount, failed[0] = core.NewMoney(row.Amount, row.Currency)
	d.Fee, failed[1] = moneyOf(row.Fee, row.FeeCurrency)
	d.Withdrawn, failed[2] = moneyOf(row.Withdrawn, row.WithdrawnCurrency)
	d.Reinstated, failed[3] = moneyOf(row.Reinstated, row.ReinstatedCurrency)
	failed[4] = checkDispute(d)
	if err := errors.Join(failed[:]...); err != nil {
		return core.Dispute{}, fmt.Errorf("dispute %s: %w", row.ID, err)
	}
	return d, nil
}

// Dispute gives one dispute.
func (s *Store) Dispute(ctx context.Context, id core.DisputeID) (core.Dispute, error) {
	var row disputeRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Dispute{}, s.failed(ctx, err, "read dispute %s", id)
	}
	return s.dispute(row)
}

// disputeRefs is where disputes hold their providers' ids.
var disputeRefs = refColumns{core.ObjectDispute: "provider_dispute_id"}

// DisputeByRef gives the dispute that a provider's object is.
func (s *Store) DisputeByRef(ctx context.Context, ref core.ProviderRef) (core.Dispute, error) {
	var row disputeRow
	if err := disputeRefs.find(s.read.NewSelect().Model(&row), ref).Scan(ctx); err != nil {
		return core.Dispute{}, s.failed(ctx, err, "read dispute by provider reference")
	}
	return s.dispute(row)
}

// PaymentDisputes gives all disputes of a payment, oldest first.
func (s *Store) PaymentDisputes(ctx context.Context, payment core.PaymentID) ([]core.Dispute, error) {
	disputes, err := s.disputesOf(ctx, s.read, payment)
	return disputes, s.failed(ctx, err, "list disputes of %s", payment)
}

func (s *Store) disputesOf(ctx context.Context, db bun.IDB, payment core.PaymentID) ([]core.Dispute, error) {
	var rows []disputeRow
	return whole(ctx, db.NewSelect().Where("payment = ?", payment), &rows, s.dispute)
}

// Disputes gives one page of disputes.
func (s *Store) Disputes(ctx context.Context, filter ports.DisputeFilter, request core.PageRequest) (core.Page[core.Dispute], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.Dispute]{}, fmt.Errorf("list disputes: %w", err)
	}
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereStatus(whereEqual(query, equal{"payment", string(filter.Payment)}, equal{"account", string(filter.Account)}, equal{"owner", string(filter.Owner)}), filter.Statuses)
		if len(filter.Reasons) > 0 {
			query = query.Where("reason IN ?", bun.Tuple(filter.Reasons))
		}
		return whereTimes(query, "due_at", filter.DueAfter, filter.DueBefore)
	}
	page, err := readPage[disputeRow](ctx, s.read, listing{column: "created_at", due: "due_at", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.Dispute]{}, s.failed(ctx, err, "list disputes")
	}
	return pageOf(page, s.dispute)
}

// DisputesDue gives disputes that wait for our evidence, the soonest deadline first. A bank's
// question waits for it like a chargeback; one that was accepted waits for nothing.
func (s *Store) DisputesDue(ctx context.Context, from, before time.Time, days, limit int) ([]core.DisputeID, error) {
	query := s.read.NewSelect().Model((*disputeRow)(nil)).Where("status IN ('inquiry', 'needs_response')").
		Where("submitted_at IS NULL").Where("accepted_at IS NULL").
		Where("due_at > ?", at(from)).Where("due_at < ?", at(before)).Where("(reminded_days = 0 OR reminded_days > ?)", days).
		Order("due_at", "id")
	ids, err := sweep[core.DisputeID](ctx, query, limit)
	return ids, s.failed(ctx, err, "list disputes that are due")
}

// LockDispute reads a dispute and keeps it from others.
func (t *tx) LockDispute(ctx context.Context, id core.DisputeID) (core.Dispute, error) {
	var row disputeRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Dispute{}, t.failed(ctx, err, "lock dispute %s", id)
	}
	return t.store.dispute(row)
}

// PaymentDisputes is the store's, as the transaction sees them.
func (t *tx) PaymentDisputes(ctx context.Context, payment core.PaymentID) ([]core.Dispute, error) {
	disputes, err := t.store.disputesOf(ctx, t.tx, payment)
	return disputes, t.failed(ctx, err, "list disputes of %s", payment)
}

// InsertDispute stores a new dispute under version 1.
func (t *tx) InsertDispute(ctx context.Context, d core.Dispute) (core.Dispute, error) {
	d.Version = 1
	row, err := t.store.disputeRow(d)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Dispute{}, t.failed(ctx, err, "insert dispute %s", d.ID)
	}
	return t.store.dispute(row)
}

// UpdateDispute stores a changed dispute under the next version.
func (t *tx) UpdateDispute(ctx context.Context, d core.Dispute) (core.Dispute, error) {
	d.Version++
	row, err := t.store.disputeRow(d)
	if err == nil {
		err = t.update(ctx, &row, d.Version-1)
	}
	if err != nil {
		return core.Dispute{}, t.failed(ctx, err, "update dispute %s", d.ID)
	}
	return t.store.dispute(row)
}

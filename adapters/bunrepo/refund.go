package bunrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

type refundRow struct {
	bun.BaseModel `bun:"table:refunds"`

	ID               core.RefundID     `bun:"id,pk"`
	Version          int64             `bun:"version"`
	Payment          core.PaymentID    `bun:"payment"`
	Account          core.AccountName  `bun:"account"`
	Provider         core.ProviderName `bun:"provider"`
	ProviderRefundID string            `bun:"provider_refund_id,nullzero"`
	Status           core.RefundStatus `bun:"status"`
	ForeignStatus    string            `bun:"foreign_status,nullzero"`
	Amount           int64             `bun:"amount"`
	Currency         core.Currency     `bun:"currency"`
	Reason           core.RefundReason `bun:"reason,nullzero"`
	Origin           core.Origin       `bun:"origin"`
	Failure          document          `bun:"failure,nullzero"`
	Anomaly          core.Reason       `bun:"anomaly,nullzero"`
	RequestKey       core.RequestKey   `bun:"request_key,nullzero"`
	Environment      core.Environment  `bun:"environment"`
	Metadata         document          `bun:"metadata"`
	CreatedAt        instant           `bun:"created_at"`
	UpdatedAt        instant           `bun:"updated_at"`
	SyncedAt         instant           `bun:"synced_at"`
	LookAt           instant           `bun:"look_at"`
}

// checkRefund holds a refund to what no row may break, on write and on read.
func checkRefund(r core.Refund) error {
	failed := []error{checkKnown("status", r.Status), checkLeast("amount", r.Amount, 1)}
	if r.Reason != "" { // a provider need not say
		failed = append(failed, checkKnown("reason", r.Reason))
	}
	if r.Origin != core.OriginHere && r.Origin != core.OriginProvider {
		failed = append(failed, fmt.Errorf("origin %q is none", r.Origin))
	}
	return errors.Join(failed...)
}

// refundRow is how a refund is stored.
func (s *Store) refundRow(r core.Refund) (row refundRow, err error) {
	if err := errors.Join(checkTexts(r), checkRefund(r)); err != nil {
		return row, err
	}
	if r.Environment != s.environment {
		return row, s.wrongEnvironment(string(r.ID), r.Environment)
	}
	row = refundRow{
		ID: r.ID, Version: r.Version, Payment: r.Payment, Account: r.Account, Provider: r.Provider,
		ProviderRefundID: r.ProviderRefundID, Status: r.Status, ForeignStatus: r.ForeignStatus,
		Amount: r.Amount.Minor(), Currency: r.Amount.Currency(), Reason: r.Reason, Origin: r.Origin, Anomaly: r.Anomaly,
		RequestKey: r.RequestKey, Environment: r.Environment, CreatedAt: at(r.CreatedAt), UpdatedAt: at(r.UpdatedAt),
		SyncedAt: at(r.SyncedAt), LookAt: at(r.LookAt()),
	}
	var failed [2]error
	row.Failure, failed[0] = encodeFailure(r.Failure)
	row.Metadata, failed[1] = encode(r.Metadata, "{}")
	return row, errors.Join(failed[:]...)
}

// refund is what a row says. A row that breaks the invariants is an error.
func (s *Store) refund(row refundRow) (core.Refund, error) {
	r := core.Refund{
		ID: row.ID, Version: row.Version, Payment: row.Payment, Account: row.Account, Provider: row.Provider,
		ProviderRefundID: row.ProviderRefundID, Status: row.Status, ForeignStatus: row.ForeignStatus,
		Reason: row.Reason, Origin: row.Origin, Anomaly: row.Anomaly, RequestKey: row.RequestKey,
		Environment: row.Environment, CreatedAt: row.CreatedAt.Time, UpdatedAt: row.UpdatedAt.Time, SyncedAt: row.SyncedAt.Time,
	}
	var failed [4]error
	r.Amount, failed[0] = core.NewMoney(row.Amount, row.Currency)
	r.Failure, failed[1] = decodeFailure(row.Failure)
	r.Metadata, failed[2] = decode[map[string]string](row.Metadata)
	failed[3] = checkRefund(r)
	if err := errors.Join(failed[:]...); err != nil {
		return core.Refund{}, fmt.Errorf("refund %s: %w", row.ID, err)
	}
	return r, nil
}

// Refund gives one refund.
func (s *Store) Refund(ctx context.Context, id core.RefundID) (core.Refund, error) {
	var row refundRow
	if err := s.read.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return core.Refund{}, s.failed(ctx, err, "read refund %s", id)
	}
	return s.refund(row)
}

// refundRefs is where refunds hold their providers' ids.
var refundRefs = refColumns{core.ObjectRefund: "provider_refund_id"}

// RefundByRef gives the refund that a provider's object is.
func (s *Store) RefundByRef(ctx context.Context, ref core.ProviderRef) (core.Refund, error) {
	var row refundRow
	if err := refundRefs.find(s.read.NewSelect().Model(&row), ref).Scan(ctx); err != nil {
		return core.Refund{}, s.failed(ctx, err, "read refund by provider reference")
	}
	return s.refund(row)
}

// RefundByRequestKey gives the refund that a storefront's call made.
func (s *Store) RefundByRequestKey(ctx context.Context, key core.RequestKey) (core.Refund, error) {
	var row refundRow
	if err := s.read.NewSelect().Model(&row).Where("request_key = ?", key).Scan(ctx); err != nil {
		return core.Refund{}, s.failed(ctx, err, "read refund by request key")
	}
	return s.refund(row)
}

// PaymentRefunds gives all refunds of a payment, oldest first.
func (s *Store) PaymentRefunds(ctx context.Context, payment core.PaymentID) ([]core.Refund, error) {
	refunds, err := s.refundsOf(ctx, s.read, payment)
	return refunds, s.failed(ctx, err, "list refunds of %s", payment)
}

func (s *Store) refundsOf(ctx context.Context, db bun.IDB, payment core.PaymentID) ([]core.Refund, error) {
	var rows []refundRow
	return whole(ctx, db.NewSelect().Where("payment = ?", payment), &rows, s.refund)
}

// Refunds gives one page of refunds.
func (s *Store) Refunds(ctx context.Context, filter ports.RefundFilter, request core.PageRequest) (core.Page[core.Refund], error) {
	if err := checkTexts(filter); err != nil {
		return core.Page[core.Refund]{}, fmt.Errorf("list refunds: %w", err)
	}
	narrow := func(query *bun.SelectQuery) *bun.SelectQuery {
		query = whereStatus(whereEqual(query, equal{"payment", string(filter.Payment)}, equal{"account", string(filter.Account)}), filter.Statuses)
		return whereTimes(whereAmounts(query, filter.Amounts), "created_at", filter.CreatedAfter, filter.CreatedBefore)
	}
	page, err := readPage[refundRow](ctx, s.read, listing{column: "created_at", amount: "amount", narrow: narrow}, request)
	if err != nil {
		return core.Page[core.Refund]{}, s.failed(ctx, err, "list refunds")
	}
	return pageOf(page, s.refund)
}

// LockRefund reads a refund and keeps it from others.
func (t *tx) LockRefund(ctx context.Context, id core.RefundID) (core.Refund, error) {
	var row refundRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Refund{}, t.failed(ctx, err, "lock refund %s", id)
	}
	return t.store.refund(row)
}

// PaymentRefunds is the store's, as the transaction sees them.
func (t *tx) PaymentRefunds(ctx context.Context, payment core.PaymentID) ([]core.Refund, error) {
	refunds, err := t.store.refundsOf(ctx, t.tx, payment)
	return refunds, t.failed(ctx, err, "list refunds of %s", payment)
}

// InsertRefund stores a new refund under version 1.
func (t *tx) InsertRefund(ctx context.Context, r core.Refund) (core.Refund, error) {
	r.Version = 1
	row, err := t.store.refundRow(r)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	if err != nil {
		return core.Refund{}, t.failed(ctx, err, "insert refund %s", r.ID)
	}
	return t.store.refund(row)
}

// UpdateRefund stores a changed refund under the next version.
func (t *tx) UpdateRefund(ctx context.Context, r core.Refund) (core.Refund, error) {
	r.Version++
	row, err := t.store.refundRow(r)
	if err == nil {
		err = t.update(ctx, &row, r.Version-1)
	}
	if err != nil {
		return core.Refund{}, t.failed(ctx, err, "update refund %s", r.ID)
	}
	return t.store.refund(row)
}

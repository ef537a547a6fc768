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

type leaseRow struct {
	bun.BaseModel `bun:"table:leases"`

	Name      string  `bun:"name,pk"`
	Holder    string  `bun:"holder"`
	HeldUntil instant `bun:"held_until"`
}

// TakeLease takes a lease that nobody holds.
func (t *tx) TakeLease(ctx context.Context, name, holder string, now, until time.Time) (bool, error) {
	err := checkTexts(struct{ Name, Holder string }{name, holder})
	if err == nil {
		row := leaseRow{Name: name, Holder: holder, HeldUntil: at(until)}
		result, failed := t.tx.NewInsert().Model(&row).On("CONFLICT (name) DO UPDATE").
			Set("holder = EXCLUDED.holder").Set("held_until = EXCLUDED.held_until").
			Where("?TableAlias.held_until <= ?", at(now)).Returning("NULL").Exec(ctx)
		err = affected(result, failed, ports.ErrConflict)
	}
	if errors.Is(err, ports.ErrConflict) {
		return false, nil
	}
	return err == nil, t.failed(ctx, err, "take lease %s", name)
}

// KeepLease holds on to a lease.
func (t *tx) KeepLease(ctx context.Context, name, holder string, until time.Time) (bool, error) {
	result, err := t.tx.NewUpdate().Model((*leaseRow)(nil)).Set("held_until = ?", at(until)).
		Where("name = ?", name).Where("holder = ?", holder).Exec(ctx)
	err = affected(result, err, ports.ErrConflict)
	if errors.Is(err, ports.ErrConflict) {
		return false, nil
	}
	return err == nil, t.failed(ctx, err, "keep lease %s", name)
}

// GrabLease takes a lease from whoever holds it.
func (t *tx) GrabLease(ctx context.Context, name, holder string, until time.Time) error {
	err := checkTexts(struct{ Name, Holder string }{name, holder})
	if err == nil {
		row := leaseRow{Name: name, Holder: holder, HeldUntil: at(until)}
		_, err = t.tx.NewInsert().Model(&row).On("CONFLICT (name) DO UPDATE").
			Set("holder = EXCLUDED.holder").Set("held_until = EXCLUDED.held_until").Returning("NULL").Exec(ctx)
	}
	return t.failed(ctx, err, "grab lease %s", name)
}

// ReleaseLease gives back what the holder holds.
func (t *tx) ReleaseLease(ctx context.Context, name, holder string) error {
	_, err := t.tx.NewDelete().Model((*leaseRow)(nil)).Where("name = ?", name).Where("holder = ?", holder).Exec(ctx)
	return t.failed(ctx, err, "release lease %s", name)
}

type backfillRow struct {
	bun.BaseModel `bun:"table:backfill_cursors"`

	Account     core.AccountName    `bun:"account,pk"`
	Stream      core.BackfillStream `bun:"stream,pk"`
	Status      core.BackfillStatus `bun:"status"`
	TakenUntil  instant             `bun:"taken_until"`
	WindowFrom  instant             `bun:"window_from"`
	WindowUntil instant             `bun:"window_until"`
	Page        string              `bun:"page,nullzero"`
	Found       int64               `bun:"found"`
	Note        string              `bun:"note,nullzero"`
	CreatedAt   instant             `bun:"created_at"`
	RanAt       instant             `bun:"ran_at"`
	SucceededAt instant             `bun:"succeeded_at"`
}

func backfillCursor(row backfillRow) (core.BackfillCursor, error) {
	return core.BackfillCursor{
		Account: row.Account, Stream: row.Stream, Status: row.Status, TakenUntil: row.TakenUntil.Time,
		WindowFrom: row.WindowFrom.Time, WindowUntil: row.WindowUntil.Time, Page: row.Page, Found: row.Found, Note: row.Note,
		CreatedAt: row.CreatedAt.Time, RanAt: row.RanAt.Time, SucceededAt: row.SucceededAt.Time,
	}, nil
}

// SaveBackfillCursor stores how far a walk came.
func (t *tx) SaveBackfillCursor(ctx context.Context, c core.BackfillCursor) error {
	err := checkTexts(c)
	if err == nil {
		row := backfillRow{
			Account: c.Account, Stream: c.Stream, Status: c.Status, TakenUntil: at(c.TakenUntil),
			WindowFrom: at(c.WindowFrom), WindowUntil: at(c.WindowUntil), Page: c.Page, Found: c.Found, Note: c.Note,
			CreatedAt: at(c.CreatedAt), RanAt: at(c.RanAt), SucceededAt: at(c.SucceededAt),
		}
		query := t.tx.NewInsert().Model(&row).On("CONFLICT (account, stream) DO UPDATE").Returning("NULL")
		for _, column := range []string{"status", "taken_until", "window_from", "window_until", "page", "found", "note", "ran_at", "succeeded_at"} {
			query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		_, err = query.Exec(ctx)
	}
	return t.failed(ctx, err, "save the cursor of %s %s", c.Account, c.Stream)
}

// BackfillCursors gives all cursors.
func (s *Store) BackfillCursors(ctx context.Context) ([]core.BackfillCursor, error) {
	var rows []backfillRow
	if err := s.read.NewSelect().Model(&rows).Order("account", "stream").Limit(rowsMax).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list the cursors of the backfill")
	}
	return mapped(rows, backfillCursor)
}

// openObjects says where the objects of a kind are, which are not final, and in which columns the provider's ids
// stand; the second is empty where there is one.
var openObjects = map[core.ObjectKind]struct{ table, where, column, session string }{
	core.ObjectPayment: {
		"payments", "status IN ('requires_action', 'processing', 'authorized', 'needs_review')", "provider_payment_id", "provider_session_id",
	},
	core.ObjectRefund:       {"refunds", "status = 'pending'", "provider_refund_id", ""},
	core.ObjectDispute:      {"disputes", "status IN ('inquiry', 'needs_response', 'under_review')", "provider_dispute_id", ""},
	core.ObjectSubscription: {"subscriptions", "status <> 'canceled'", "provider_subscription_id", ""},
}

// OldestHeld is when the oldest object of an account was made.
func (s *Store) OldestHeld(ctx context.Context, account core.AccountName) (time.Time, error) {
	var oldest time.Time
	for _, kind := range []core.ObjectKind{core.ObjectPayment, core.ObjectRefund, core.ObjectDispute, core.ObjectSubscription} {
		held := openObjects[kind]
		var made []struct {
			CreatedAt instant `bun:"created_at"`
		}
		err := s.read.NewSelect().Table(held.table).Column("created_at").Where("account = ?", account).
			Order("created_at").Limit(1).Scan(ctx, &made)
		if err != nil {
			return time.Time{}, s.failed(ctx, err, "find the oldest object of %s", account)
		}
		if len(made) > 0 && (oldest.IsZero() || made[0].CreatedAt.Before(oldest)) {
			oldest = made[0].CreatedAt.Time
		}
	}
	return oldest, nil
}

// OpenObjects gives objects that are not final, by our ids.
func (s *Store) OpenObjects(ctx context.Context, account core.AccountName, kind core.ObjectKind, after string, limit int) ([]ports.OpenObject, error) {
	query, err := s.knownThere(account, kind, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list open objects: %w", err)
	}
	objects, err := knownObjects(ctx, query.Where(openObjects[kind].where), account, kind)
	return objects, s.failed(ctx, err, "list open objects of %s", account)
}

// knownThere asks for objects of a kind that the provider knows, by our ids.
func (s *Store) knownThere(account core.AccountName, kind core.ObjectKind, after string, limit int) (*bun.SelectQuery, error) {
	of, ok := openObjects[kind]
	if !ok {
		return nil, fmt.Errorf("there is no list of the kind %q", kind)
	}
	if err := checkLimit(limit); err != nil {
		return nil, err
	}
	query := s.read.NewSelect().Table(of.table).Column("id").ColumnExpr("coalesce(?, '') AS object", bun.Ident(of.column)).
		Where("account = ?", account).Where("id > ?", after).OrderExpr("id").Limit(int64(limit))
	if of.session == "" {
		return query.ColumnExpr("'' AS session").Where("? IS NOT NULL", bun.Ident(of.column)), nil
	}
	return query.ColumnExpr("coalesce(?, '') AS session", bun.Ident(of.session)).
		Where("(? IS NOT NULL OR ? IS NOT NULL)", bun.Ident(of.column), bun.Ident(of.session)), nil
}

// knownObjects reads what [Store.knownThere] asks for.
func knownObjects(ctx context.Context, query *bun.SelectQuery, account core.AccountName, kind core.ObjectKind) ([]ports.OpenObject, error) {
	var rows []struct {
		ID      string `bun:"id"`
		Object  string `bun:"object"`
		Session string `bun:"session"`
	}
	if err := query.Scan(ctx, &rows); err != nil {
		return nil, err
	}
	objects := make([]ports.OpenObject, len(rows))
	for i, row := range rows {
		objects[i] = ports.OpenObject{ID: row.ID, Ref: core.ProviderRef{Account: account, Kind: kind, ID: row.Object}}
		if row.Session != "" {
			objects[i].Ref = core.ProviderRef{Account: account, Kind: core.ObjectSession, ID: row.Session}
		}
	}
	return objects, nil
}

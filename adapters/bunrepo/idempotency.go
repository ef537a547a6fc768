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

type idempotencyRow struct {
	bun.BaseModel `bun:"table:idempotency_records"`

	Caller      core.APIKeyID `bun:"caller,pk"`
	Key         string        `bun:"key,pk"`
	RequestHash string        `bun:"request_hash"`
	LockedAt    instant       `bun:"locked_at"`
	Status      int           `bun:"status"`
	Body        []byte        `bun:"body,nullzero"`
	CreatedAt   instant       `bun:"created_at"`
}

const (
	placeIdempotencyBody = "idempotency_records.body"
	// idempotencyTriesMax bounds how often a record that vanishes between two looks is
	// looked for again.
	idempotencyTriesMax = 3
)

// idempotencyPlace binds a sealed answer to its row.
func idempotencyPlace(caller core.APIKeyID, key string) string { return string(caller) + ":" + key }

func (s *Store) idempotencyRow(r core.IdempotencyRecord) (row idempotencyRow, err error) {
	if err := checkTexts(r); err != nil {
		return row, err
	}
	row = idempotencyRow{
		Caller: r.Caller, Key: r.Key, RequestHash: r.RequestHash, LockedAt: at(r.LockedAt), Status: r.Status,
		CreatedAt: at(r.CreatedAt),
	}
	row.Body, err = s.seal(placeIdempotencyBody, idempotencyPlace(r.Caller, r.Key), r.Body)
	return row, err
}

func (s *Store) idempotencyRecord(row idempotencyRow) (core.IdempotencyRecord, error) {
	body, err := s.unseal(placeIdempotencyBody, idempotencyPlace(row.Caller, row.Key), row.Body)
	if err != nil {
		return core.IdempotencyRecord{}, err
	}
	return core.IdempotencyRecord{
		Caller: row.Caller, Key: row.Key, RequestHash: row.RequestHash, LockedAt: row.LockedAt.Time,
		Status: row.Status, Body: body, CreatedAt: row.CreatedAt.Time,
	}, nil
}

// BeginIdempotent stores the record where none stands, and gives the one that stands.
func (t *tx) BeginIdempotent(ctx context.Context, r core.IdempotencyRecord) (core.IdempotencyRecord, bool, error) {
	standing, fresh, err := t.beginIdempotent(ctx, r)
	return standing, fresh, t.failed(ctx, err, "begin idempotent call")
}

func (t *tx) beginIdempotent(ctx context.Context, r core.IdempotencyRecord) (none core.IdempotencyRecord, fresh bool, err error) {
	row, err := t.store.idempotencyRow(r)
	if err != nil {
		return none, false, err
	}
	for range idempotencyTriesMax {
		result, err := t.tx.NewInsert().Model(&row).On("CONFLICT (caller, key) DO NOTHING").Returning("NULL").Exec(ctx)
		switch err := affected(result, err, ports.ErrDuplicate); {
		case err == nil:
			standing, err := t.store.idempotencyRecord(row)
			return standing, true, err
		case !errors.Is(err, ports.ErrDuplicate):
			return none, false, err
		}
		var found idempotencyRow
		query := t.tx.NewSelect().Model(&found).Where("caller = ?", r.Caller).Where("key = ?", r.Key)
		err = t.store.dialect.lock(query).Scan(ctx)
		if err == nil {
			standing, err := t.store.idempotencyRecord(found)
			return standing, false, err
		}
		// Who stood there has been forgotten since, so the place is free again.
		if !errors.Is(t.store.dialect.classify(err), ports.ErrNotFound) {
			return none, false, err
		}
	}
	return none, false, fmt.Errorf("record comes and goes: %w", ports.ErrConflict)
}

// RelockIdempotent takes over a record that was locked at lockedAt.
func (t *tx) RelockIdempotent(ctx context.Context, r core.IdempotencyRecord, lockedAt time.Time) error {
	result, err := t.tx.NewUpdate().Model((*idempotencyRow)(nil)).Set("locked_at = ?", at(r.LockedAt)).
		Where("caller = ?", r.Caller).Where("key = ?", r.Key).Where("status = 0").Where("locked_at = ?", at(lockedAt)).Exec(ctx)
	return t.failed(ctx, affected(result, err, ports.ErrConflict), "take over idempotent call")
}

// FinishIdempotent stores the answer of a running call; ErrConflict where none runs.
func (t *tx) FinishIdempotent(ctx context.Context, r core.IdempotencyRecord) error {
	row, err := t.store.idempotencyRow(r)
	if err == nil {
		row.LockedAt = instant{}
		result, failed := t.tx.NewUpdate().Model(&row).Column("locked_at", "status", "body").WherePK().Where("status = 0").Exec(ctx)
		err = affected(result, failed, ports.ErrConflict)
	}
	return t.failed(ctx, err, "finish idempotent call")
}

// ForgetIdempotent removes a running record; none is no error.
func (t *tx) ForgetIdempotent(ctx context.Context, caller core.APIKeyID, key string) error {
	_, err := t.tx.NewDelete().Model((*idempotencyRow)(nil)).
		Where("caller = ?", caller).Where("key = ?", key).Where("status = 0").Exec(ctx)
	return t.failed(ctx, err, "forget idempotent call")
}

// PruneIdempotent removes records created before a time.
func (t *tx) PruneIdempotent(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := checkLimit(limit); err != nil {
		return 0, t.failed(ctx, err, "prune idempotency records")
	}
	old := t.tx.NewSelect().Model((*idempotencyRow)(nil)).Column("caller", "key").
		Where("created_at < ?", at(before)).Order("created_at").Limit(int64(limit))
	result, err := t.tx.NewDelete().Model((*idempotencyRow)(nil)).Where("(caller, key) IN (?)", old).Exec(ctx)
	if err != nil {
		return 0, t.failed(ctx, err, "prune idempotency records")
	}
	removed, err := result.RowsAffected()
	return int(removed), t.failed(ctx, err, "prune idempotency records")
}

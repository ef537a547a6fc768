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

type apiKeyRow struct {
	bun.BaseModel `bun:"table:api_keys"`

	ID          core.APIKeyID    `bun:"id,pk"`
	Name        string           `bun:"name"`
	Environment core.Environment `bun:"environment"`
	Hash        string           `bun:"hash"`
	Hint        string           `bun:"hint"`
	CreatedAt   instant          `bun:"created_at"`
	RevokedAt   instant          `bun:"revoked_at"`
}

func apiKey(row apiKeyRow) (core.APIKey, error) {
	return core.APIKey{
		ID: row.ID, Name: row.Name, Environment: row.Environment, Hash: row.Hash, Hint: row.Hint,
		CreatedAt: row.CreatedAt.Time, RevokedAt: row.RevokedAt.Time,
	}, nil
}

type staffRow struct {
	bun.BaseModel `bun:"table:staff"`

	ID           core.StaffID `bun:"id,pk"`
	Email        string       `bun:"email"`
	Role         core.Role    `bun:"role"`
	PasswordHash string       `bun:"password_hash"`
	TokenHash    string       `bun:"token_hash,nullzero"`
	CreatedAt    instant      `bun:"created_at"`
	DisabledAt   instant      `bun:"disabled_at"`

	CodeSecret     []byte   `bun:"code_secret,nullzero"`
	CodePending    []byte   `bun:"code_pending,nullzero"`
	CodeStep       int64    `bun:"code_step"`
	RecoveryHashes document `bun:"recovery_hashes,nullzero"`
}

const (
	placeCodeSecret  = "staff.code_secret" //nolint:gosec // the name of a column
	placeCodePending = "staff.code_pending"
)

// staff is what a row says.
func (s *Store) staff(row staffRow) (core.Staff, error) {
	one := core.Staff{
		ID: row.ID, Email: row.Email, Role: row.Role, PasswordHash: row.PasswordHash, TokenHash: row.TokenHash,
		CodeStep: row.CodeStep, CreatedAt: row.CreatedAt.Time, DisabledAt: row.DisabledAt.Time,
	}
	var failed [3]error
	var secret, pending []byte
	secret, failed[0] = s.unseal(placeCodeSecret, string(row.ID), row.CodeSecret)
	pending, failed[1] = s.unseal(placeCodePending, string(row.ID), row.CodePending)
	one.RecoveryHashes, failed[2] = decode[[]string](row.RecoveryHashes)
	if err := errors.Join(failed[:]...); err != nil {
		return core.Staff{}, fmt.Errorf("staff %s: %w", row.ID, err)
	}
	one.CodeSecret, one.CodePending = string(secret), string(pending)
	return one, nil
}

// staffRow is how a member of staff is stored.
func (s *Store) staffRow(one core.Staff) (row staffRow, err error) {
	row = staffRow{
		ID: one.ID, Email: one.Email, Role: one.Role, PasswordHash: one.PasswordHash, TokenHash: one.TokenHash,
		CodeStep: one.CodeStep, CreatedAt: at(one.CreatedAt), DisabledAt: at(one.DisabledAt),
	}
	var failed [3]error
	row.CodeSecret, failed[0] = s.seal(placeCodeSecret, string(one.ID), []byte(one.CodeSecret))
	row.CodePending, failed[1] = s.seal(placeCodePending, string(one.ID), []byte(one.CodePending))
	row.RecoveryHashes, failed[2] = encode(one.RecoveryHashes, "")
	return row, errors.Join(checkTexts(one), errors.Join(failed[:]...))
}

// APIKeyByHash gives a key, revoked or not.
func (s *Store) APIKeyByHash(ctx context.Context, hash string) (core.APIKey, error) {
	return s.apiKeyBy(ctx, "hash", hash)
}

// APIKeyByID gives a key, revoked or not.
func (s *Store) APIKeyByID(ctx context.Context, id core.APIKeyID) (core.APIKey, error) {
	return s.apiKeyBy(ctx, "id", string(id))
}

func (s *Store) apiKeyBy(ctx context.Context, column, value string) (core.APIKey, error) {
	var row apiKeyRow
	if err := s.read.NewSelect().Model(&row).Where("? = ?", bun.Ident(column), value).Scan(ctx); err != nil {
		return core.APIKey{}, s.failed(ctx, err, "read API key")
	}
	return apiKey(row)
}

// APIKeys gives all keys, newest first.
func (s *Store) APIKeys(ctx context.Context) ([]core.APIKey, error) {
	var rows []apiKeyRow
	if err := s.read.NewSelect().Model(&rows).OrderExpr("created_at DESC, id DESC").Limit(rowsMax).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list API keys")
	}
	return mapped(rows, apiKey)
}

// Staff gives everyone, newest first.
func (s *Store) Staff(ctx context.Context) ([]core.Staff, error) {
	var rows []staffRow
	if err := s.read.NewSelect().Model(&rows).OrderExpr("created_at DESC, id DESC").Limit(rowsMax).Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list staff")
	}
	return mapped(rows, s.staff)
}

// StaffByTokenHash gives who a staff token belongs to.
func (s *Store) StaffByTokenHash(ctx context.Context, hash string) (core.Staff, error) {
	return s.staffBy(ctx, "token_hash", hash)
}

// StaffByID gives a member of staff.
func (s *Store) StaffByID(ctx context.Context, id core.StaffID) (core.Staff, error) {
	return s.staffBy(ctx, "id", string(id))
}

// StaffByEmail gives who an address belongs to.
func (s *Store) StaffByEmail(ctx context.Context, email string) (core.Staff, error) {
	if err := checkTexts(email); err != nil {
		return core.Staff{}, ports.ErrNotFound
	}
	return s.staffBy(ctx, "email", email)
}

func (s *Store) staffBy(ctx context.Context, column, value string) (core.Staff, error) {
	var row staffRow
	if err := s.read.NewSelect().Model(&row).Where("? = ?", bun.Ident(column), value).Scan(ctx); err != nil {
		return core.Staff{}, s.failed(ctx, err, "read staff")
	}
	return s.staff(row)
}

// InsertAPIKey stores a new key.
func (t *tx) InsertAPIKey(ctx context.Context, k core.APIKey) error {
	err := checkTexts(k)
	if err == nil && k.Environment != t.store.environment {
		err = t.store.wrongEnvironment(string(k.ID), k.Environment)
	}
	if err == nil {
		err = t.insert(ctx, &apiKeyRow{
			ID: k.ID, Name: k.Name, Environment: k.Environment, Hash: k.Hash, Hint: k.Hint,
			CreatedAt: at(k.CreatedAt), RevokedAt: at(k.RevokedAt),
		})
	}
	return t.failed(ctx, err, "insert API key %s", k.ID)
}

// RevokeAPIKey ends a key. One that is revoked keeps its first time.
func (t *tx) RevokeAPIKey(ctx context.Context, id core.APIKeyID, when time.Time) error {
	result, err := t.tx.NewUpdate().Model((*apiKeyRow)(nil)).
		Set("revoked_at = coalesce(revoked_at, ?)", at(when)).Where("id = ?", id).Exec(ctx)
	return t.failed(ctx, affected(result, err, ports.ErrNotFound), "revoke API key %s", id)
}

// InsertStaff stores a new member of staff.
func (t *tx) InsertStaff(ctx context.Context, s core.Staff) error {
	row, err := t.store.staffRow(s)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	return t.failed(ctx, err, "insert staff %s", s.ID)
}

// LockStaff reads a member of staff and keeps them from others.
func (t *tx) LockStaff(ctx context.Context, id core.StaffID) (core.Staff, error) {
	var row staffRow
	query := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if err := t.store.dialect.lock(query).Scan(ctx); err != nil {
		return core.Staff{}, t.failed(ctx, err, "lock staff %s", id)
	}
	return t.store.staff(row)
}

// LockActiveStaff counts those of a role who may come in, and keeps them from others, in the order of ids.
func (t *tx) LockActiveStaff(ctx context.Context, role core.Role) (int, error) {
	var ids []core.StaffID
	query := t.tx.NewSelect().Model((*staffRow)(nil)).Column("id").Where("role = ? AND disabled_at IS NULL", role).Order("id").Limit(rowsMax)
	if err := t.store.dialect.lock(query).Scan(ctx, &ids); err != nil {
		return 0, t.failed(ctx, err, "lock staff")
	}
	return len(ids), nil
}

// UpdateStaff stores a changed member of staff.
func (t *tx) UpdateStaff(ctx context.Context, s core.Staff) error {
	row, err := t.store.staffRow(s)
	if err == nil {
		result, failed := t.tx.NewUpdate().Model(&row).ExcludeColumn("id", "created_at").WherePK().Exec(ctx)
		err = affected(result, failed, ports.ErrNotFound)
	}
	return t.failed(ctx, err, "update staff %s", s.ID)
}

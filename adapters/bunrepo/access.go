package bunrepo

import (
	"context"
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
}

func staff(row staffRow) (core.Staff, error) {
	return core.Staff{
		ID: row.ID, Email: row.Email, Role: row.Role, PasswordHash: row.PasswordHash, TokenHash: row.TokenHash,
		CreatedAt: row.CreatedAt.Time, DisabledAt: row.DisabledAt.Time,
	}, nil
}

func staffRowOf(s core.Staff) (staffRow, error) {
	return staffRow{
		ID: s.ID, Email: s.Email, Role: s.Role, PasswordHash: s.PasswordHash, TokenHash: s.TokenHash,
		CreatedAt: at(s.CreatedAt), DisabledAt: at(s.DisabledAt),
	}, checkTexts(s)
}

// APIKeyByHash gives a key, revoked or not.
func (s *Store) APIKeyByHash(ctx context.Context, hash string) (core.APIKey, error) {
	var row apiKeyRow
	if err := s.read.NewSelect().Model(&row).Where("hash = ?", hash).Scan(ctx); err != nil {
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
	return mapped(rows, staff)
}

// StaffByTokenHash gives who a staff token belongs to.
func (s *Store) StaffByTokenHash(ctx context.Context, hash string) (core.Staff, error) {
	return s.staffBy(ctx, "token_hash", hash)
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
	return staff(row)
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
	row, err := staffRowOf(s)
	if err == nil {
		err = t.insert(ctx, &row)
	}
	return t.failed(ctx, err, "insert staff %s", s.ID)
}

// UpdateStaff stores a changed member of staff.
func (t *tx) UpdateStaff(ctx context.Context, s core.Staff) error {
	row, err := staffRowOf(s)
	if err == nil {
		result, failed := t.tx.NewUpdate().Model(&row).ExcludeColumn("id", "created_at").WherePK().Exec(ctx)
		err = affected(result, failed, ports.ErrNotFound)
	}
	return t.failed(ctx, err, "update staff %s", s.ID)
}

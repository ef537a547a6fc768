package bunrepo

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/paydesk/paydesk/core"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions"`

	ID        core.SessionID `bun:"id,pk"`
	Staff     core.StaffID   `bun:"staff"`
	TokenHash string         `bun:"token_hash"`
	From      string         `bun:"from_address,nullzero"`
	Agent     string         `bun:"agent,nullzero"`
	CreatedAt instant        `bun:"created_at"`
	SeenAt    instant        `bun:"seen_at"`
	ExpiresAt instant        `bun:"expires_at"`
}

func session(row sessionRow) (core.Session, error) {
	return core.Session{
		ID: row.ID, Staff: row.Staff, TokenHash: row.TokenHash, From: row.From, Agent: row.Agent,
		CreatedAt: row.CreatedAt.Time, SeenAt: row.SeenAt.Time, ExpiresAt: row.ExpiresAt.Time,
	}, nil
}

type triesRow struct {
	bun.BaseModel `bun:"table:sign_in_tries"`

	Subject string  `bun:"subject,pk"`
	Tries   int     `bun:"tries"`
	LastAt  instant `bun:"last_at"`
}

// SessionByTokenHash gives a session and whose it is.
func (s *Store) SessionByTokenHash(ctx context.Context, hash string) (core.Session, core.Staff, error) {
	var row sessionRow
	if err := s.read.NewSelect().Model(&row).Where("token_hash = ?", hash).Scan(ctx); err != nil {
		return core.Session{}, core.Staff{}, s.failed(ctx, err, "read session")
	}
	one, bad := session(row)
	staff, err := s.StaffByID(ctx, row.Staff)
	return one, staff, errors.Join(bad, err)
}

// Sessions gives somebody's sessions, newest first.
func (s *Store) Sessions(ctx context.Context, staff core.StaffID) ([]core.Session, error) {
	var rows []sessionRow
	query := s.read.NewSelect().Model(&rows).Where("staff = ?", staff).OrderExpr("created_at DESC, id DESC").Limit(rowsMax)
	if err := query.Scan(ctx); err != nil {
		return nil, s.failed(ctx, err, "list sessions")
	}
	return mapped(rows, session)
}

// InsertSession stores a new session.
func (t *tx) InsertSession(ctx context.Context, s core.Session) error {
	err := checkTexts(s)
	if err == nil {
		err = t.insert(ctx, &sessionRow{
			ID: s.ID, Staff: s.Staff, TokenHash: s.TokenHash, From: s.From, Agent: s.Agent,
			CreatedAt: at(s.CreatedAt), SeenAt: at(s.SeenAt), ExpiresAt: at(s.ExpiresAt),
		})
	}
	return t.failed(ctx, err, "insert session %s", s.ID)
}

// TouchSession remembers when a session was used.
func (t *tx) TouchSession(ctx context.Context, id core.SessionID, when time.Time) error {
	_, err := t.tx.NewUpdate().Model((*sessionRow)(nil)).Set("seen_at = ?", at(when)).Where("id = ?", id).Exec(ctx)
	return t.failed(ctx, err, "touch session %s", id)
}

// DeleteSession ends a session.
func (t *tx) DeleteSession(ctx context.Context, id core.SessionID) error {
	_, err := t.tx.NewDelete().Model((*sessionRow)(nil)).Where("id = ?", id).Exec(ctx)
	return t.failed(ctx, err, "delete session %s", id)
}

// DeleteSessions ends all sessions of somebody.
func (t *tx) DeleteSessions(ctx context.Context, staff core.StaffID) (int, error) {
	result, err := t.tx.NewDelete().Model((*sessionRow)(nil)).Where("staff = ?", staff).Exec(ctx)
	if err != nil {
		return 0, t.failed(ctx, err, "delete sessions of %s", staff)
	}
	count, err := result.RowsAffected()
	return int(count), t.failed(ctx, err, "delete sessions of %s", staff)
}

// PruneSignIns removes what is of no more use.
func (t *tx) PruneSignIns(ctx context.Context, sessions, tries time.Time) error {
	_, err := t.tx.NewDelete().Model((*sessionRow)(nil)).Where("expires_at < ?", at(sessions)).Exec(ctx)
	if err == nil {
		_, err = t.tx.NewDelete().Model((*triesRow)(nil)).Where("last_at < ?", at(tries)).Exec(ctx)
	}
	return t.failed(ctx, err, "prune sessions")
}

// LockSignInTries reads what failed of a subject. There is a row afterwards, so that two at once wait
// for each other.
func (t *tx) LockSignInTries(ctx context.Context, subject string) (core.SignInTries, error) {
	row := triesRow{Subject: subject, LastAt: at(time.Unix(0, 0))}
	err := checkTexts(subject)
	if err == nil {
		_, err = t.tx.NewInsert().Model(&row).On("CONFLICT (subject) DO NOTHING").Exec(ctx)
	}
	if err == nil {
		err = t.store.dialect.lock(t.tx.NewSelect().Model(&row).WherePK()).Scan(ctx)
	}
	if err != nil {
		return core.SignInTries{}, t.failed(ctx, err, "lock tries to sign in")
	}
	tries := core.SignInTries{Subject: row.Subject, Count: row.Tries}
	if row.Tries > 0 {
		tries.LastAt = row.LastAt.Time
	}
	return tries, nil
}

// PutSignInTries stores what failed of a subject.
func (t *tx) PutSignInTries(ctx context.Context, tries core.SignInTries) (err error) {
	if tries.Count == 0 {
		_, err = t.tx.NewDelete().Model((*triesRow)(nil)).Where("subject = ?", tries.Subject).Exec(ctx)
	} else {
		row := triesRow{Subject: tries.Subject, Tries: tries.Count, LastAt: at(tries.LastAt)}
		_, err = t.tx.NewUpdate().Model(&row).WherePK().Exec(ctx)
	}
	return t.failed(ctx, err, "store tries to sign in")
}

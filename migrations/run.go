package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Why a schema cannot be worked with. The texts say what to do.
var (
	// ErrOlder means that migrations are missing.
	ErrOlder = errors.New("the database's schema is older than this program: run `paydesk migrate up`")
	// ErrNewer means that a newer program has migrated the database.
	ErrNewer = errors.New("the database's schema is newer than this program: run a newer paydesk, or `paydesk migrate down` with the one that made it")
	// ErrChanged means that a migration was applied in a form that this program does not
	// know.
	ErrChanged = errors.New("the database's schema was made by migrations other than this program's")
)

// DB is what reads: a database, a connection or a transaction.
type DB interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Applied is a migration that a database has had.
type Applied struct {
	Version   int
	Name      string
	Checksum  string
	AppliedAt time.Time // UTC, to the second
}

const (
	ledgerTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer NOT NULL PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at text NOT NULL
)`
	ledgerExistsSQLite   = `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'`
	ledgerExistsPostgres = `SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = to_regclass('schema_migrations')`
)

// AppliedTo lists what a database has had, in order; nothing for a new one.
func AppliedTo(ctx context.Context, db DB, d Dialect) (list []Applied, err error) {
	exists, err := ledgerExists(ctx, db, d)
	if err != nil || !exists {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version`)
	if err != nil {
		return nil, fmt.Errorf("read applied migrations: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a Applied
		var at string
		if err := rows.Scan(&a.Version, &a.Name, &a.Checksum, &at); err != nil {
			return nil, fmt.Errorf("read applied migrations: %w", err)
		}
		if a.AppliedAt, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, fmt.Errorf("read applied migrations: %w", err)
		}
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read applied migrations: %w", err)
	}
	return list, nil
}

func ledgerExists(ctx context.Context, db DB, d Dialect) (exists bool, err error) {
	query := ledgerExistsPostgres
	if d == SQLite {
		query = ledgerExistsSQLite
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return false, fmt.Errorf("look for applied migrations: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	return rows.Next(), rows.Err()
}

// Check reports why this program cannot work with the database's schema ([ErrOlder],
// [ErrNewer], [ErrChanged]), or nil.
func Check(ctx context.Context, db DB, d Dialect) error {
	list, err := List(d)
	if err != nil {
		return err
	}
	applied, err := AppliedTo(ctx, db, d)
	if err != nil {
		return err
	}
	if err := compare(list, applied); err != nil {
		return err
	}
	if len(applied) < len(list) {
		return fmt.Errorf("version %d, wanted %d: %w", len(applied), len(list), ErrOlder)
	}
	return nil
}

// compare makes sure that what was applied is a beginning of the list.
func compare(list []Migration, applied []Applied) error {
	for i, a := range applied {
		switch {
		case i >= len(list):
			return fmt.Errorf("version %d, known %d: %w", a.Version, len(list), ErrNewer)
		case a.Version != list[i].Version || a.Checksum != list[i].Checksum:
			return fmt.Errorf("version %d: %w", a.Version, ErrChanged)
		}
	}
	return nil
}

// Up applies the migrations that are missing and gives them. tx must hold the lock under
// which nobody else migrates; nothing is applied unless it commits. now is for the record.
func Up(ctx context.Context, tx DB, d Dialect, now time.Time) ([]Migration, error) {
	list, err := List(d)
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, ledgerTable); err != nil {
		return nil, fmt.Errorf("make table of migrations: %w", err)
	}
	applied, err := AppliedTo(ctx, tx, d)
	if err != nil {
		return nil, err
	}
	if err := compare(list, applied); err != nil {
		return nil, err
	}
	missing := list[len(applied):]
	for _, m := range missing {
		if _, err := tx.ExecContext(ctx, m.Up); err != nil {
			return nil, fmt.Errorf("migrate up to %d (%s): %w", m.Version, m.Name, err)
		}
		// All three are our own constants and digits, so they can stand in the statement:
		// placeholders differ between the databases.
		note := fmt.Sprintf(`INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (%d, '%s', '%s', '%s')`,
			m.Version, m.Name, m.Checksum, now.UTC().Format(time.RFC3339))
		if _, err := tx.ExecContext(ctx, note); err != nil {
			return nil, fmt.Errorf("note migration %d: %w", m.Version, err)
		}
	}
	return missing, nil
}

// Down takes back the migrations above target and gives them, the latest first. Target 0
// leaves nothing of ours behind. The data of dropped tables is lost. tx is as for [Up].
func Down(ctx context.Context, tx DB, d Dialect, target int) ([]Migration, error) {
	list, err := List(d)
	if err != nil {
		return nil, err
	}
	applied, err := AppliedTo(ctx, tx, d)
	if err != nil {
		return nil, err
	}
	if err := compare(list, applied); err != nil {
		return nil, err
	}
	var reverted []Migration
	for i := len(applied); i > max(target, 0); i-- {
		m := list[i-1]
		if _, err := tx.ExecContext(ctx, m.Down); err != nil {
			return nil, fmt.Errorf("migrate down from %d (%s): %w", m.Version, m.Name, err)
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM schema_migrations WHERE version = %d`, m.Version)); err != nil {
			return nil, fmt.Errorf("note migration %d: %w", m.Version, err)
		}
		reverted = append(reverted, m)
	}
	if target <= 0 {
		if _, err := tx.ExecContext(ctx, `DROP TABLE IF EXISTS schema_migrations`); err != nil {
			return nil, fmt.Errorf("drop table of migrations: %w", err)
		}
	}
	return reverted, nil
}

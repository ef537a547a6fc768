package bunrepo

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	sqlite "modernc.org/sqlite"

	"github.com/paydesk/paydesk/ports"
)

// dialect is which of the two databases the store speaks to.
type dialect uint8

const (
	dialectSQLite dialect = iota + 1
	dialectPostgres
)

// String is the database's name as OpenTelemetry knows it (db.system).
func (d dialect) String() string {
	if d == dialectPostgres {
		return "postgresql"
	}
	return "sqlite"
}

// Codes of PostgreSQL.
//
// Source: PostgreSQL 15 manual, appendix A.
const (
	postgresUniqueViolation      = "23505"
	postgresSerializationFailure = "40001"
	postgresDeadlockDetected     = "40P01"
	postgresCodeLength           = 5
)

// postgresRefusals are classes of codes: data exceptions, violated constraints, exceeded limits
// (as of an index's row).
var postgresRefusals = []string{"22", "23", "54"}

// Primary and extended result codes of SQLite.
//
// Source: https://www.sqlite.org/rescode.html.
const (
	sqliteBusy                 = 5
	sqliteLocked               = 6
	sqlitePrimaryMask          = 0xff
	sqliteConstraintPrimaryKey = 1555
	sqliteConstraintUnique     = 2067
)

// sqliteRefusals are primary codes: too big, violated constraint, mismatched type.
var sqliteRefusals = []int{18, 19, 20}

// lock makes a SELECT keep its rows from others until the transaction ends. On SQLite a
// transaction that may write holds the only write lock from its start, and the words
// would be a syntax error.
func (d dialect) lock(query *bun.SelectQuery) *bun.SelectQuery {
	if d == dialectPostgres {
		return query.For("UPDATE")
	}
	return query
}

// classify turns what a database said into what callers of the store branch on. It is
// called once, where an error enters this package.
func (d dialect) classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return ports.ErrNotFound
	case uniqueViolation(err):
		return fmt.Errorf("%w: %w", ports.ErrDuplicate, err)
	case refusedRow(err):
		return fmt.Errorf("%w: %w", ports.ErrRefused, err)
	}
	return err
}

// refusedRow reports whether the database said that a row can never be stored: a value out of
// range, a broken constraint, a limit exceeded.
func refusedRow(err error) bool {
	if postgres, ok := errors.AsType[*pgconn.PgError](err); ok {
		return len(postgres.Code) == postgresCodeLength && slices.Contains(postgresRefusals, postgres.Code[:2])
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return slices.Contains(sqliteRefusals, lite.Code()&sqlitePrimaryMask)
	}
	return false
}

func uniqueViolation(err error) bool {
	if postgres, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgres.Code == postgresUniqueViolation
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == sqliteConstraintPrimaryKey || lite.Code() == sqliteConstraintUnique
	}
	return false
}

// transient reports whether the database asks for the transaction to be run again. Only
// answers that say that nothing was committed count: a connection that broke during a
// commit is none of them.
func transient(err error) bool {
	if postgres, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgres.Code == postgresSerializationFailure || postgres.Code == postgresDeadlockDetected
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		primary := lite.Code() & sqlitePrimaryMask
		return primary == sqliteBusy || primary == sqliteLocked
	}
	return errors.Is(err, driver.ErrBadConn)
}

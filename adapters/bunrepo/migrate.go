package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/migrations"
)

// ErrEnvironment means that something belongs to another environment than the database.
var ErrEnvironment = errors.New("database is of the other environment")

const (
	// migrateMax is how long all migrations together may take, waiting for others who
	// migrate included.
	migrateMax = 10 * time.Minute
	// migrateLock names the advisory lock under which a PostgreSQL database is migrated.
	migrateLock = 0x70617964_65736b31
)

// SchemaStatus is where a database's schema stands.
type SchemaStatus struct {
	Version     int              // 0 for an empty database
	Known       int              // the version that this program works with
	Environment core.Environment // that the database is stamped with; empty before the first start
}

// MigrateUp brings a database's schema to this program's version, stamps a new one with
// the environment, and gives the version.
func MigrateUp(ctx context.Context, url string, env core.Environment) (int, error) {
	return onDatabase(ctx, url, func(ctx context.Context, ways *connections) (int, error) {
		if err := migrateUp(ctx, ways); err != nil {
			return 0, err
		}
		return migrations.Version, stamp(ctx, ways, env)
	})
}

// MigrateDown takes a database's schema back to a version, -1 for the one before its
// present one, and gives the version. What is dropped is lost.
func MigrateDown(ctx context.Context, url string, target int) (int, error) {
	return onDatabase(ctx, url, func(ctx context.Context, ways *connections) (int, error) {
		err := locked(ctx, ways, func(tx *sql.Tx) error {
			applied, err := migrations.AppliedTo(ctx, tx, ways.dialect.folder())
			if err != nil {
				return err
			}
			if target < 0 {
				target = max(len(applied)-1, 0)
			}
			if _, err := migrations.Down(ctx, tx, ways.dialect.folder(), target); err != nil {
				return err
			}
			if target > 0 {
				return nil
			}
			return migrateRiver(ctx, ways, tx, rivermigrate.DirectionDown)
		})
		return target, err
	})
}

// MigrationStatus tells where a database's schema stands.
func MigrationStatus(ctx context.Context, url string) (status SchemaStatus, err error) {
	_, err = onDatabase(ctx, url, func(ctx context.Context, ways *connections) (int, error) {
		applied, err := migrations.AppliedTo(ctx, ways.writer, ways.dialect.folder())
		if err != nil {
			return 0, err
		}
		status = SchemaStatus{Version: len(applied), Known: migrations.Version}
		if len(applied) > 0 {
			status.Environment, err = stampOf(ctx, ways.writer)
		}
		return 0, err
	})
	return status, err
}

// onDatabase does one thing on a database and lets go of it.
func onDatabase(ctx context.Context, url string, do func(context.Context, *connections) (int, error)) (int, error) {
	ways, err := connect(ctx, url)
	if err != nil {
		return 0, err
	}
	version, err := do(ctx, ways)
	return version, errors.Join(err, ways.close())
}

// folder is where a dialect's migrations lie.
func (d dialect) folder() migrations.Dialect {
	if d == dialectPostgres {
		return migrations.Postgres
	}
	return migrations.SQLite
}

// locked runs fn in a transaction beside which nobody else migrates.
func locked(ctx context.Context, ways *connections, fn func(tx *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, migrateMax)
	defer cancel()
	tx, err := ways.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin migration: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // no effect once committed
	if ways.dialect == dialectPostgres {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", int64(migrateLock))); err != nil {
			return fmt.Errorf("wait for other migrations: %w", err)
		}
	}
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit migration: %w", err)
	}
	return nil
}

// migrateUp applies what is missing of our migrations and of the job queue's.
func migrateUp(ctx context.Context, ways *connections) error {
	// Looking first keeps a database that is up to date free of locks.
	if migrations.Check(ctx, ways.writer, ways.dialect.folder()) == nil {
		return nil
	}
	return locked(ctx, ways, func(tx *sql.Tx) error {
		if err := migrateRiver(ctx, ways, tx, rivermigrate.DirectionUp); err != nil {
			return err
		}
		_, err := migrations.Up(ctx, tx, ways.dialect.folder(), time.Now())
		return err
	})
}

// riverVersion is the version of the job queue's tables that migration number 1 comes
// with. A later one needs a migration of ours beside it, so that the two move together.
const riverVersion = 8

// migrateRiver makes or drops the job queue's tables. On SQLite they change within the
// transaction. PostgreSQL cannot use a new value of an enumeration in the transaction
// that added it, so there each step is one of its own, beside the transaction that holds
// the lock; steps that were done are not done again where a later one fails.
func migrateRiver(ctx context.Context, ways *connections, tx *sql.Tx, direction rivermigrate.Direction) error {
	options := &rivermigrate.MigrateOpts{TargetVersion: riverVersion}
	if direction == rivermigrate.DirectionDown {
		options.TargetVersion = -1
	}
	var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(nil)
	if ways.dialect == dialectPostgres {
		driver = riverdatabasesql.New(ways.writer)
	}
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("prepare tables of the job queue: %w", err)
	}
	if ways.dialect == dialectPostgres {
		_, err = migrator.Migrate(ctx, direction, options)
	} else {
		_, err = migrator.MigrateTx(ctx, tx, direction, options) //nolint:staticcheck // deprecated for PostgreSQL's sake; SQLite has one writing connection, which tx holds
	}
	if err != nil {
		return fmt.Errorf("migrate tables of the job queue %s: %w", direction, err)
	}
	return nil
}

// stamp makes sure that a database belongs to the environment; the first to ask decides.
func stamp(ctx context.Context, ways *connections, env core.Environment) error {
	held, err := stampOf(ctx, ways.writer)
	if err != nil {
		return err
	}
	if held == "" {
		// Both texts are our own, so they can stand in the statement: placeholders differ
		// between the databases.
		statement := fmt.Sprintf(`INSERT INTO instance (id, environment, stamped_at) VALUES (1, '%s', '%s') ON CONFLICT (id) DO NOTHING`, env, at(time.Now()).text()) //nolint:gosec // see above
		if _, err := ways.writer.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("stamp database: %w", err)
		}
		if held, err = stampOf(ctx, ways.writer); err != nil {
			return err
		}
	}
	if held != env {
		return fmt.Errorf("the database holds %q, asked for was %q: %w", held, env, ErrEnvironment)
	}
	return nil
}

// stampOf is the environment that a database belongs to; empty for none yet.
func stampOf(ctx context.Context, db *sql.DB) (core.Environment, error) {
	var env core.Environment
	err := db.QueryRowContext(ctx, `SELECT environment FROM instance WHERE id = 1`).Scan(&env)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the database's environment: %w", err)
	}
	return env, nil
}

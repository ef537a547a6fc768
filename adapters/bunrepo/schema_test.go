package bunrepo_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/migrations"
	"github.com/paydesk/paydesk/ports"
)

// eachURL runs a test with the URL of a migrated, empty database of each kind.
func eachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, repotest.SQLiteURL(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, repotest.PostgresURL(t))
	})
}

// database opens a database beside the store.
func database(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, address := "pgx", strings.Replace(url, "pool_max_conns=", "application_name=", 1) // which only a pool knows
	if path, lite := strings.CutPrefix(url, "sqlite:"); lite {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// lines gives a query's rows as text, columns apart by a bar.
func lines(t *testing.T, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, query string,
) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err, query)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var all []string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		require.NoError(t, rows.Scan(targets...))
		texts := make([]string, len(values))
		for i, value := range values {
			texts[i] = value.String
		}
		all = append(all, strings.Join(texts, "|"))
	}
	require.NoError(t, rows.Err())
	return all
}

// schema is everything that a database consists of.
func schema(t *testing.T, url string) []string {
	t.Helper()
	db := database(t, url)
	if strings.HasPrefix(url, "sqlite:") {
		return lines(t, db, `SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name`)
	}
	all := lines(t, db, `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`)
	all = append(all, lines(t, db, `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname`)...)
	all = append(all, lines(t, db, `SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`)...)
	all = append(all, lines(t, db, `SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1`)...)
	return append(all, lines(t, db, `SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype = 'e' ORDER BY 1`)...)
}

func TestMigrationsGoUpDownAndUpToTheSameSchema(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		ctx := t.Context()
		first := schema(t, url)
		require.NotEmpty(t, first)

		version, err := bunrepo.MigrateDown(ctx, url, 0)
		require.NoError(t, err)
		require.Zero(t, version)
		require.Empty(t, schema(t, url), "nothing of ours stays")
		status, err := bunrepo.MigrationStatus(ctx, url)
		require.NoError(t, err)
		require.Equal(t, bunrepo.SchemaStatus{Known: migrations.Version}, status)
		_, _, err = bunrepo.Open(ctx, repotest.Options(url))
		require.ErrorIs(t, err, migrations.ErrOlder, "an empty database is not worked with")

		for range 2 { // the second time has nothing to do
			version, err = bunrepo.MigrateUp(ctx, url, core.EnvTest)
			require.NoError(t, err)
			require.Equal(t, migrations.Version, version)
			require.Equal(t, first, schema(t, url))
		}
		status, err = bunrepo.MigrationStatus(ctx, url)
		require.NoError(t, err)
		require.Equal(t, bunrepo.SchemaStatus{Version: migrations.Version, Known: migrations.Version, Environment: core.EnvTest}, status)
	})
}

func TestDatabasesBelongToOneEnvironment(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		options := repotest.Options(url)
		options.Environment = core.EnvLive
		_, _, err := bunrepo.Open(t.Context(), options)
		require.ErrorIs(t, err, bunrepo.ErrEnvironment)
		_, err = bunrepo.MigrateUp(t.Context(), url, core.EnvLive)
		require.ErrorIs(t, err, bunrepo.ErrEnvironment)
	})
}

func TestSeveralProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		_, err := bunrepo.MigrateDown(t.Context(), url, 0)
		require.NoError(t, err)
		failed := make(chan error)
		for range 4 {
			go func() {
				_, err := bunrepo.MigrateUp(t.Context(), url, core.EnvTest)
				failed <- err
			}()
		}
		for range 4 {
			require.NoError(t, <-failed)
		}
	})
}

func TestSQLiteFilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	options := repotest.Options("sqlite:" + filepath.Join(folder, "paydesk.db"))
	options.Migrate = true
	store, closeStore, err := bunrepo.Open(t.Context(), options)
	require.NoError(t, err)
	defer closeStore()
	require.NoError(t, store.Ready(t.Context()))
	err = store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
		return tx.AppendAudit(ctx, core.AuditEntry{ID: "aud_1", Actor: "cli", Action: "test", At: moment})
	})
	require.NoError(t, err)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 3, "the database, its log and the log's index")
	for _, entry := range entries {
		info, err := entry.Info()
		require.NoError(t, err)
		require.Equal(t, "-rw-------", info.Mode().String(), entry.Name())
	}
	info, err := os.Stat(folder)
	require.NoError(t, err)
	require.Equal(t, "drwx------", info.Mode().String())
}

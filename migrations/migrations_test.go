package migrations_test

import (
	"bufio"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/paydesk/paydesk/migrations"
)

// What was merged is frozen: a database somewhere has had it.
func TestMergedMigrationsNeverChange(t *testing.T) {
	t.Parallel()
	frozen := make(map[string]string)
	file, err := os.Open("checksums.txt")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		sum, name, ok := strings.Cut(scanner.Text(), "  ")
		require.True(t, ok, "checksums.txt: %q", scanner.Text())
		frozen[name] = sum
	}
	for _, d := range []migrations.Dialect{migrations.SQLite, migrations.Postgres} {
		list, err := migrations.List(d)
		require.NoError(t, err)
		require.Len(t, list, migrations.Version)
		for _, m := range list {
			name := string(d) + "/" + m.Name
			require.Equal(t, frozen[name], m.Checksum, "%s: changed, or its line is missing in checksums.txt", name)
			delete(frozen, name)
		}
	}
	require.Empty(t, frozen, "checksums.txt names what is not there")
}

func TestBothDatabasesHaveTheSameSteps(t *testing.T) {
	t.Parallel()
	lite, err := migrations.List(migrations.SQLite)
	require.NoError(t, err)
	postgres, err := migrations.List(migrations.Postgres)
	require.NoError(t, err)
	require.Len(t, postgres, len(lite))
	for i := range lite {
		require.Equal(t, lite[i].Version, postgres[i].Version)
		require.Equal(t, lite[i].Name, postgres[i].Name)
	}
}

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "schema.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func schema(t *testing.T, db *sql.DB) string {
	t.Helper()
	var text strings.Builder
	rows, err := db.QueryContext(t.Context(), `SELECT coalesce(sql, name) FROM sqlite_master ORDER BY name`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		text.WriteString(line + "\n")
	}
	require.NoError(t, rows.Err())
	return text.String()
}

func TestUpDownUpLeavesTheSameSchema(t *testing.T) {
	t.Parallel()
	db, ctx := open(t), t.Context()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	applied, err := migrations.Up(ctx, db, migrations.SQLite, now)
	require.NoError(t, err)
	require.Len(t, applied, migrations.Version)
	require.NoError(t, migrations.Check(ctx, db, migrations.SQLite))
	first := schema(t, db)
	again, err := migrations.Up(ctx, db, migrations.SQLite, now)
	require.NoError(t, err)
	require.Empty(t, again)
	_, err = migrations.Down(ctx, db, migrations.SQLite, 0)
	require.NoError(t, err)
	require.Empty(t, schema(t, db))
	require.ErrorIs(t, migrations.Check(ctx, db, migrations.SQLite), migrations.ErrOlder)
	_, err = migrations.Up(ctx, db, migrations.SQLite, now)
	require.NoError(t, err)
	require.Equal(t, first, schema(t, db))
}

func TestForeignSchemasAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string
		want   error
	}{
		"newer":   {`INSERT INTO schema_migrations VALUES (9999, 'later', 'x', '2026-01-02T03:04:05Z')`, migrations.ErrNewer},
		"changed": {`UPDATE schema_migrations SET checksum = 'x' WHERE version = 1`, migrations.ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t), t.Context()
			_, err := migrations.Up(ctx, db, migrations.SQLite, time.Now())
			require.NoError(t, err)
			exec(t, db, c.change)
			require.ErrorIs(t, migrations.Check(ctx, db, migrations.SQLite), c.want)
			_, err = migrations.Up(ctx, db, migrations.SQLite, time.Now())
			require.ErrorIs(t, err, c.want)
		})
	}
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	_, err := db.ExecContext(context.WithoutCancel(t.Context()), statement)
	require.NoError(t, err)
}

func TestEveryTableHasItsNote(t *testing.T) {
	t.Parallel()
	db := open(t)
	_, err := migrations.Up(t.Context(), db, migrations.SQLite, time.Now())
	require.NoError(t, err)
	tables, err := migrations.Describe(t.Context(), db)
	require.NoError(t, err)
	notes, columns := migrations.Tables(), migrations.Columns()
	for _, table := range tables {
		require.NotEmpty(t, notes[table.Name], "table %s has no line in notes.go", table.Name)
		delete(notes, table.Name)
		for _, column := range table.Columns {
			delete(columns, table.Name+"."+column.Name)
		}
	}
	require.Empty(t, notes, "notes.go tells of tables that do not exist")
	require.Empty(t, columns, "notes.go tells of columns that do not exist")
}

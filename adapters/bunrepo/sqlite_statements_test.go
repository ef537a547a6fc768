package bunrepo

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// keptStatements is what the pool's one connection keeps prepared.
func keptStatements(t *testing.T, c *connections) int {
	t.Helper()
	conn, err := c.writer.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	kept := 0
	require.NoError(t, conn.Raw(func(raw any) error {
		prepared, ok := raw.(*preparedConn)
		require.True(t, ok)
		kept = len(prepared.kept)
		return nil
	}))
	return kept
}

func connectFresh(t *testing.T) *connections {
	t.Helper()
	c, err := connectSQLite(t.Context(), filepath.Join(t.TempDir(), "statements.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.close()) })
	_, err = c.writer.ExecContext(t.Context(), `CREATE TABLE numbers (n INTEGER PRIMARY KEY)`)
	require.NoError(t, err)
	return c
}

func TestStatementsWithParametersStayPrepared(t *testing.T) {
	t.Parallel()
	c := connectFresh(t)
	for n := range 10 {
		_, err := c.writer.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES (?)`, n)
		require.NoError(t, err)
	}
	require.Equal(t, 1, keptStatements(t, c), "ten times the same one, and one without parameters")
	_, err := c.writer.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES (?)`, 3)
	require.True(t, uniqueViolation(err), "%v", err)
	for n := range 10 { // what failed before does not spoil the next
		var found int
		require.NoError(t, c.writer.QueryRowContext(t.Context(), `SELECT n FROM numbers WHERE n = ?`, n).Scan(&found))
		require.Equal(t, n, found)
	}
	require.Equal(t, 2, keptStatements(t, c))
}

func TestAStatementWhoseRowsAreReadIsNotDisturbed(t *testing.T) {
	t.Parallel()
	c := connectFresh(t)
	tx, err := c.writer.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	for n := range 3 {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES (?)`, n)
		require.NoError(t, err)
	}
	read := func(from int, inside func()) (seen []int) {
		rows, err := tx.QueryContext(t.Context(), `SELECT n FROM numbers WHERE n >= ? ORDER BY n`, from)
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		for rows.Next() {
			var n int
			require.NoError(t, rows.Scan(&n))
			seen = append(seen, n)
			inside()
		}
		require.NoError(t, rows.Err())
		return seen
	}
	seen := read(0, func() { require.Equal(t, []int{1, 2}, read(1, func() {})) })
	require.Equal(t, []int{0, 1, 2}, seen)
}

func TestNotMoreStatementsStayPreparedThanMay(t *testing.T) {
	t.Parallel()
	c := connectFresh(t)
	for n := range 2 * preparedMax {
		var found int
		require.NoError(t, c.writer.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT ? + %d`, n), 1).Scan(&found))
		require.Equal(t, n+1, found)
	}
	require.Equal(t, preparedMax, keptStatements(t, c))
}

// A statement whose context ended works again.
func TestAnInterruptedStatementStaysUsable(t *testing.T) {
	t.Parallel()
	c := connectFresh(t)
	const endless = `WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < ?) SELECT count(*) FROM up`
	count := func(ctx context.Context, to int64) (counted int64, err error) {
		err = c.writer.QueryRowContext(ctx, endless, to).Scan(&counted)
		return counted, err
	}
	counted, err := count(t.Context(), 5)
	require.NoError(t, err)
	require.EqualValues(t, 5, counted)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = count(ctx, 1<<60)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	counted, err = count(t.Context(), 7)
	require.NoError(t, err)
	require.EqualValues(t, 7, counted)
}

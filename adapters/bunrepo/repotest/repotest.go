// Package repotest opens stores for tests: real databases, migrated once and copied for
// each test, so that none sees another's rows. Only tests import it.
//
// SQLite needs nothing. PostgreSQL needs the URL of a server that may be filled with
// databases, in PAYDESK_TEST_POSTGRES_URL; without it such tests are skipped, and fail
// where CI=true.
package repotest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
)

// Each runs a test on both databases, as subtests. open gives an empty store and closes
// it when its t ends.
func Each(t *testing.T, test func(t *testing.T, open func(t *testing.T) *bunrepo.Store)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, func(t *testing.T) *bunrepo.Store { return SQLite(t) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		NeedPostgres(t)
		test(t, func(t *testing.T) *bunrepo.Store { return Postgres(t) })
	})
}

// SQLite opens an empty store of the environment test in a file of its own.
func SQLite(t testing.TB) *bunrepo.Store {
	t.Helper()
	return Open(t, SQLiteURL(t))
}

// Postgres opens an empty store of the environment test in a database of its own.
func Postgres(t testing.TB) *bunrepo.Store {
	t.Helper()
	return Open(t, PostgresURL(t))
}

// Open opens the store of a database from [SQLiteURL] or [PostgresURL], perhaps for a
// second time, and closes it when the test ends.
func Open(t testing.TB, url string) *bunrepo.Store {
	t.Helper()
	store, closeStore, err := bunrepo.Open(t.Context(), Options(url))
	require.NoError(t, err)
	t.Cleanup(closeStore)
	return store
}

// Options are those that all stores here are opened with.
func Options(url string) bunrepo.Options {
	return bunrepo.Options{URL: url, Environment: core.EnvTest, Sealer: Sealer(), IDs: system.NewIDs()}
}

// Sealer encrypts under a key of this process.
var Sealer = sync.OnceValue(func() ports.Sealer {
	ring, err := seal.New([]string{seal.GenerateKey()})
	if err != nil {
		panic("a generated key is refused: " + err.Error())
	}
	return ring
})

// sqliteFileMode is that of a database's file: for its owner alone.
const sqliteFileMode = 0o600

// template makes something once a process. Where that fails, the next test tries again.
type template[T any] struct {
	mu   sync.Mutex
	made bool
	what T
}

func (m *template[T]) get(t testing.TB, create func(t testing.TB) T) T {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.made {
		m.what, m.made = create(t), true
	}
	return m.what
}

var sqliteTemplate template[[]byte]

// SQLiteURL names a new, migrated, empty database in the test's folder.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	content := sqliteTemplate.get(t, func(t testing.TB) []byte {
		path := filepath.Join(t.TempDir(), "template.db")
		_, err := bunrepo.MigrateUp(t.Context(), "sqlite:"+path, core.EnvTest)
		require.NoError(t, err)
		content, err := os.ReadFile(path) // whole, since closing it emptied its log
		require.NoError(t, err)
		require.NoFileExists(t, path+"-wal")
		return content
	})
	path := filepath.Join(t.TempDir(), "paydesk.db")
	require.NoError(t, os.WriteFile(path, content, sqliteFileMode))
	return "sqlite:" + path
}

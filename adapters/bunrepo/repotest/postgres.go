package repotest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/migrations"
)

const (
	// serverVariable names the server that databases are made on.
	serverVariable = "PAYDESK_TEST_POSTGRES_URL"
	// connectionsMax is how many connections one store holds: many tests share a server.
	connectionsMax = 12
	// serverTimeMax is how long making or dropping a database may take.
	serverTimeMax = 30 * time.Second
	// templateLock names the advisory lock under which the template is made.
	templateLock = 0x70617964_74657374
)

// NeedPostgres skips the test where no server is there to run it on, and fails it where
// CI=true.
func NeedPostgres(t testing.TB) {
	t.Helper()
	server(t)
}

func server(t testing.TB) *url.URL {
	t.Helper()
	address := os.Getenv(serverVariable)
	if address == "" && os.Getenv("CI") == "true" {
		t.Fatal(serverVariable + " is not set")
	}
	if address == "" {
		t.Skip("needs PostgreSQL: go run ./internal/testpostgres -- go test ./…")
	}
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	return parsed
}

// at is the server's URL for one of its databases.
func at(server *url.URL, database string, parameters ...string) string {
	u := *server
	u.Path = "/" + database
	query := u.Query()
	for _, parameter := range parameters {
		name, value, _ := strings.Cut(parameter, "=")
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// onServer runs statements one by one, outside of transactions.
func onServer(t testing.TB, server *url.URL, do func(ctx context.Context, conn *pgx.Conn) error) {
	t.Helper()
	// Not the test's own context: it is done before cleaning up begins.
	ctx, cancel := context.WithTimeout(context.Background(), serverTimeMax) //nolint:usetesting // see above
	defer cancel()
	conn, err := pgx.Connect(ctx, server.String())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	require.NoError(t, do(ctx, conn))
}

var postgresTemplate template[string]

// PostgresURL names a new, migrated, empty database, which is dropped when the test ends.
// parameters are added to the URL, each as "name=value".
func PostgresURL(t testing.TB, parameters ...string) string {
	t.Helper()
	server := server(t)
	source := postgresTemplate.get(t, func(t testing.TB) string { return makeTemplate(t, server) })
	name := "paydesk_test_" + random()
	onServer(t, server, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, source))
		return err
	})
	t.Cleanup(func() {
		onServer(t, server, func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
			return err
		})
	})
	return at(server, name, append([]string{"pool_max_conns=" + strconv.Itoa(connectionsMax)}, parameters...)...)
}

// makeTemplate makes the migrated database that others are copied from. It is named for
// the schema, and stays: processes that test the same schema share it.
func makeTemplate(t testing.TB, server *url.URL) string {
	t.Helper()
	name := "paydesk_template_" + fingerprint(t)
	onServer(t, server, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_advisory_lock(%d)", int64(templateLock))); err != nil {
			return err // let go of when the connection closes
		}
		var there bool
		err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
		if err != nil || there {
			return err
		}
		// It gets its name when it is whole, so that nobody copies half of it.
		draft := "paydesk_draft_" + random()
		if _, err := conn.Exec(ctx, "CREATE DATABASE "+draft+" TEMPLATE template0"); err != nil {
			return err
		}
		if _, err := bunrepo.MigrateUp(ctx, at(server, draft), core.EnvTest); err != nil {
			return err
		}
		_, err = conn.Exec(ctx, fmt.Sprintf("ALTER DATABASE %s RENAME TO %s", draft, name))
		return err
	})
	return name
}

// fingerprint differs between schemas.
func fingerprint(t testing.TB) string {
	t.Helper()
	list, err := migrations.List(migrations.Postgres)
	require.NoError(t, err)
	sum := sha256.New()
	for _, m := range list {
		_, err := io.WriteString(sum, m.Checksum)
		require.NoError(t, err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func random() string { return strings.ToLower(rand.Text()[:16]) }

package repotest

import (
	"context"
	"crypto/rand"
	"fmt"
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
)

const (
	// serverVariable names the server that databases are made on.
	serverVariable = "PAYDESK_TEST_POSTGRES_URL"
	// connectionsMax is how many connections one store holds: many tests share a server.
	connectionsMax = 12
	// serverTimeMax is how long making or dropping a database may take.
	serverTimeMax = 30 * time.Second
	// templateAgeMax is how long a template stays at least. No process tests for longer.
	templateAgeMax = 2 * time.Hour
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

// templatePrefix is followed by the second that a template was made in, and by chance.
const templatePrefix = "paydesk_template_"

// makeTemplate makes the migrated database that this process copies others from. Nobody
// tells a process that its last test is over, so each removes those that were left long
// ago.
func makeTemplate(t testing.TB, server *url.URL) string {
	t.Helper()
	now := time.Now().Unix()
	name := fmt.Sprintf("%s%d_%s", templatePrefix, now, random())
	onServer(t, server, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", templatePrefix)
		if err != nil {
			return err
		}
		standing, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, other := range standing {
			made, _, _ := strings.Cut(strings.TrimPrefix(other, templatePrefix), "_")
			second, err := strconv.ParseInt(made, 10, 64)
			if err != nil || now-second < int64(templateAgeMax.Seconds()) {
				continue
			}
			if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{other}.Sanitize()); err != nil {
				return err
			}
		}
		_, err = conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0")
		return err
	})
	_, err := bunrepo.MigrateUp(t.Context(), at(server, name), core.EnvTest)
	require.NoError(t, err)
	return name
}

func random() string { return strings.ToLower(rand.Text()[:16]) }

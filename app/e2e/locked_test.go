package e2e_test

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // to hold the program's database from outside

	"github.com/paydesk/paydesk/app/apptest"
	"github.com/paydesk/paydesk/internal/load"
)

// inboundLookEvery is how often is looked how many events are stored.
const inboundLookEvery = 100 * time.Millisecond

// openDatabase opens a house's SQLite file beside the program.
func openDatabase(t testing.TB, house *apptest.House) *sql.DB {
	t.Helper()
	database, err := sql.Open("sqlite", "file:"+house.Data+"/paydesk.db?_pragma=busy_timeout(5000)&_txlock=immediate")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, database.Close()) })
	return database
}

// holdDatabase keeps the program from writing to its database until the returned function is called.
func holdDatabase(t testing.TB, database *sql.DB) (release func()) {
	t.Helper()
	held, err := database.BeginTx(context.WithoutCancel(t.Context()), nil)
	require.NoError(t, err)
	return func() { require.NoError(t, held.Rollback()) }
}

// countInbound is how many events of some statuses are stored.
func countInbound(t testing.TB, database *sql.DB, where string) (count int) {
	t.Helper()
	require.NoError(t, database.QueryRowContext(t.Context(), "SELECT count(*) FROM inbound_events WHERE "+where).Scan(&count))
	return count
}

// awaitInbound waits until as many events are stored, and gives how long it took.
func awaitInbound(b testing.TB, database *sql.DB, where string, want int) time.Duration {
	b.Helper()
	start := time.Now()
	for {
		count := countInbound(b, database, where)
		require.LessOrEqual(b, count, want, "more is stored than was sent")
		if count == want {
			return time.Since(start)
		}
		require.Less(b, time.Since(start), storedTimeMax, "%d of %d are stored", count, want)
		time.Sleep(inboundLookEvery) // another process's work; there is no signal to wait for
	}
}

// A database that somebody else holds, also in the moment of a start, costs no webhook: they are
// taken by the journal, a process that is killed meanwhile leaves them there, and once the database
// is free all of them are stored and worked on, in the order in which they came.
func TestADatabaseThatIsHeldWhileWebhooksCome(t *testing.T) {
	t.Parallel()
	const each = 40
	house, first := ingress(t, false, "spool", "public,worker")
	database := openDatabase(t, house)
	release := holdDatabase(t, database)
	made, distinct := posts(t, house, 2*each, 0)
	require.Equal(t, 2*each, distinct)
	take := func(some []load.Post) {
		report, err := load.Flat(t.Context(), host(house), some, 1)
		require.NoError(t, err)
		accepted(t, report)
	}
	take(made[:each])
	first.Kill()
	second := apptest.Run(t, house.Folder, house.Env, `"msg":"ready"`, "serve", "--roles", "public,worker")
	require.True(t, second.Ready(), second.Output())
	take(made[each:])
	require.Eventually(t, func() bool { return strings.Contains(second.Output(), "jobs cannot be worked on yet") }, waitMax, inboundLookEvery)
	require.Zero(t, countInbound(t, database, "true"))
	release()
	awaitInbound(t, database, "status <> 'received'", distinct)
	var want, came []string
	for _, post := range made {
		want = append(want, post.Event)
	}
	rows, err := database.QueryContext(t.Context(), "SELECT provider_event_id FROM inbound_events ORDER BY rowid")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var event string
		require.NoError(t, rows.Scan(&event))
		came = append(came, event)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, want, came)
	require.Equal(t, http.StatusOK, newClient(house).call(t, http.MethodGet, house.OpsURL+"/readyz", nil, nil).Status)
	require.Zero(t, second.Stop(t))
}

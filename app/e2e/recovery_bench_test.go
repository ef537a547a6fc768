package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
	"github.com/paydesk/paydesk/internal/load"
)

const (
	recoveryEvents = 100_000
	recoveryStarts = 5
)

// BenchmarkRecovery kills the server while 100,000 answered webhooks wait in the journal, for the
// database is held by somebody else, and starts it again: how long until it is ready, how fast
// what waits becomes rows of the inbox and is processed, and what memory that takes at most.
func BenchmarkRecovery(b *testing.B) {
	apptest.PlainBinary(b) // to build it is no part of a start
	house, first := ingress(b, false, "spool", "public,worker")
	database := openDatabase(b, house)
	release := holdDatabase(b, database)
	made, distinct := posts(b, house, recoveryEvents, 0)
	report, err := load.Flat(b.Context(), host(house), made, ingressConnections)
	require.NoError(b, err, apptest.LastLines(first.Output()))
	accepted(b, report)
	b.ReportMetric(report.PerSecond(), "posts/s")
	first.Kill()
	release()
	require.Zero(b, countInbound(b, database, "true"), "all of it waits")

	// It is killed some times more in the moment that it is ready, for one start may be an odd one.
	var starts []time.Duration
	var server *apptest.Process
	for len(starts) < recoveryStarts {
		if server != nil {
			server.Kill()
		}
		start := time.Now()
		server = apptest.RunPlain(b, house.Folder, house.Env, `"msg":"ready"`, "serve", "--roles", "public,worker")
		require.Equal(b, http.StatusOK, newClient(house).call(b, http.MethodGet, house.OpsURL+"/readyz", nil, nil).Status)
		starts = append(starts, time.Since(start))
	}
	before := countInbound(b, database, "true")
	slices.Sort(starts)
	b.ReportMetric(milliseconds(starts[len(starts)/2]), "ready-ms")
	b.ReportMetric(milliseconds(starts[len(starts)-1]), "ready-most-ms")
	stored := awaitInbound(b, database, "true", distinct)
	b.ReportMetric(float64(distinct-before)/stored.Seconds(), "stored/s")
	processed := stored + awaitInbound(b, database, "status <> 'received'", distinct)
	b.ReportMetric(float64(distinct)/processed.Seconds(), "processed/s")
	b.ReportMetric(memory(b, server.Pid(), "VmHWM"), "peak-MiB")
}

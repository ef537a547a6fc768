package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// backfillSales is how many payments each account takes while no webhook comes.
const backfillSales = 200

// BenchmarkBackfill sells at the three providers' simulators while every webhook is dropped, and
// measures the command that makes up for it: how many entries of the providers' lists it goes
// through in a second, and how many of them no webhook had brought. It keeps to the pace that an
// account allows, so this is how fast an outage is made up for, and not how fast we could be.
func BenchmarkBackfill(b *testing.B) {
	for name, env := range map[string]func() []string{
		"sqlite":   func() []string { return nil },
		"postgres": func() []string { return []string{"PAYDESK_DATABASE_URL=" + needPostgres(b)} },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				house := apptest.StartPlain(b, env()...)
				sellUnheard(b, newClient(house))
				start := time.Now()
				stdout, stderr, code := apptest.Command(b, house.Folder, append(simulated(house), house.Env...), "events", "backfill", "--since", "26h", "--json")
				took := time.Since(start)
				require.Zero(b, code, "%s%s", stdout, stderr)
				var listed, found int64
				for line := range strings.Lines(stdout) {
					var run apptest.Object
					require.NoError(b, json.Unmarshal([]byte(line), &run), line)
					listed, found = listed+run.Int("listed"), found+run.Int("new")
				}
				require.Positive(b, found)
				b.ReportMetric(float64(listed), "listed")
				b.ReportMetric(float64(found), "new")
				b.ReportMetric(float64(listed)/took.Seconds(), "listed/s")
				b.ReportMetric(took.Seconds(), "s")
				require.Zero(b, house.Stop(b))
			}
		})
	}
}

// sellUnheard sells at each account while its webhooks are dropped, and lets it become old enough
// to be listed.
func sellUnheard(b *testing.B, c *client) {
	b.Helper()
	var group sync.WaitGroup
	for account := range accounts {
		dropped := c.control(b, http.MethodPost, "faults", map[string]any{"account": account, "match": "webhook", "fault": "webhook_drop", "count": 1_000_000})
		require.Equal(b, http.StatusOK, dropped.Status, dropped.Raw)
		group.Go(func() {
			for range backfillSales {
				c.payAt(b, c.checkout(b, newKey(), "automatic"), account, "success")
			}
		})
	}
	group.Wait()
	c.advance(b, time.Hour)
}

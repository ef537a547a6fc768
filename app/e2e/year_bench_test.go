package e2e_test

import (
	"bufio"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// yearBenchDefault is how many subscriptions the benchmark runs through a year, unless
// PAYDESK_BENCH_SUBSCRIPTIONS says otherwise.
const yearBenchDefault = 300

// BenchmarkYear runs subscriptions at the three providers through a year on the simulator's clock,
// over each database, and tells how many of the providers' events were looked after in a second,
// how far the slowest quarter was behind the clock, and the memory in the end. The simulator is a part of the
// process. Records that differ in the end fail it.
func BenchmarkYear(b *testing.B) {
	count := yearBenchDefault
	if text := os.Getenv("PAYDESK_BENCH_SUBSCRIPTIONS"); text != "" {
		var err error
		count, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	for name, env := range map[string]func() []string{
		"sqlite":   func() []string { return nil },
		"postgres": func() []string { return []string{"PAYDESK_DATABASE_URL=" + needPostgres(b)} },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				house := apptest.StartPlain(b, env()...)
				c := newClient(house)
				var sold time.Time
				var before float64
				var settled []time.Duration
				runYear(b, c, count, func(month int, took time.Duration) {
					if month == 0 {
						sold, before = time.Now(), processed(b, c)
						return
					}
					settled = append(settled, took)
				})
				events := processed(b, c) - before
				b.ReportMetric(events, "events")
				b.ReportMetric(events/time.Since(sold).Seconds(), "events/s")
				b.ReportMetric(slices.Max(settled).Seconds(), "slowest-quarter-s")
				b.ReportMetric(resident(b, house.Pid()), "MiB")
				require.Zero(b, house.Stop(b))
			}
		})
	}
}

// processed is how many of the providers' events were looked after.
func processed(b *testing.B, c *client) (count float64) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, c.house.OpsURL+"/metrics", nil)
	require.NoError(b, err)
	response, err := c.http.Do(request)
	require.NoError(b, err)
	defer func() { _ = response.Body.Close() }()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "paydesk_jobs_total{") && strings.Contains(line, `kind="sync_inbound"`) {
			value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			require.NoError(b, err)
			count += value
		}
	}
	return count
}

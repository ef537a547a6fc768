package e2e_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
	"github.com/paydesk/paydesk/internal/load"
)

const (
	ingressConnections = 64
	ingressBodyBytes   = 3 << 10
	ingressFlatPosts   = 60_000
	storedTimeMax      = 5 * time.Minute
)

// stores are the ways to keep webhooks that are measured.
var stores = []struct {
	name     string
	postgres bool
	journal  string
}{
	{"sqlite/spool", false, "spool"},
	{"sqlite/database", false, "database"},
	{"postgres/spool", true, "spool"},
	{"postgres/database", true, "database"},
}

// missingProvider is a provider that knows no object, so that workers have their round
// trip and nothing else.
func missingProvider(b testing.TB) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such payment_intent"}}`))
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// ingress starts a server of some roles on a fresh database.
func ingress(b testing.TB, postgres bool, journal, roles string) (*apptest.House, *apptest.Process) {
	b.Helper()
	house := apptest.NewHouse(b)
	env := append(house.Server(), "PAYDESK_STRIPE_API_BASE="+missingProvider(b), "PAYDESK_LOG_LEVEL=info")
	env = append(env, storeEnv(b, postgres, journal)...)
	house.Env = env
	_, stderr, code := apptest.Command(b, house.Folder, env, "migrate", "up")
	require.Zero(b, code, stderr)
	server := apptest.Run(b, house.Folder, env, `"msg":"ready"`, "serve", "--roles", roles)
	require.True(b, server.Ready(), server.Output())
	return house, server
}

// storeEnv is where webhooks and all else are kept.
func storeEnv(b testing.TB, postgres bool, journal string) (env []string) {
	b.Helper()
	if postgres {
		if os.Getenv("PAYDESK_TEST_POSTGRES_URL") == "" {
			b.Skip("PAYDESK_TEST_POSTGRES_URL is not set")
		}
		env = append(env, "PAYDESK_DATABASE_URL="+needPostgres(b))
	}
	if journal == "database" {
		env = append(env, "PAYDESK_JOURNAL=database")
	}
	return env
}

// posts makes signed posts that no other run has.
func posts(b testing.TB, house *apptest.House, count, repeats int) ([]load.Post, int) {
	b.Helper()
	made, distinct, err := load.Webhooks{
		Provider: load.Stripe{Secret: "whsec_apptest"}, Address: house.PublicURL + "/webhooks/stripe", BodyBytes: ingressBodyBytes,
		Repeats: repeats, Prefix: strings.ToLower(rand.Text()[:6]), Wall: time.Now(),
	}.Make(count)
	require.NoError(b, err)
	return made, distinct
}

func host(house *apptest.House) string { return strings.TrimPrefix(house.PublicURL, "http://") }

func accepted(b testing.TB, report load.Report) {
	b.Helper()
	require.Equal(b, map[int]int{http.StatusOK: report.Posts}, report.Statuses)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// stored waits until as many events are stored, and checks that there are no more.
func stored(b testing.TB, house *apptest.House, want int) {
	b.Helper()
	deadline := time.Now().Add(storedTimeMax)
	for {
		count := len(inbound(b, house))
		if count == want {
			return
		}
		require.Less(b, count, want, "more is stored than was sent")
		require.True(b, time.Now().Before(deadline), "%d of %d are stored", count, want)
		time.Sleep(time.Second) // a benchmark measures the world; there is no signal to wait for
	}
}

// BenchmarkIngressFlat posts as fast as 64 connections can, a fifth of it repeats, and
// checks that what is stored equals the distinct events that were accepted.
func BenchmarkIngressFlat(b *testing.B) {
	for _, roles := range []string{"public", "public,worker"} {
		for _, s := range stores {
			b.Run(fmt.Sprintf("%s/%s", s.name, roles), func(b *testing.B) {
				house, _ := ingress(b, s.postgres, s.journal, roles)
				warm, _ := posts(b, house, 2_000, 0)
				_, err := load.Flat(b.Context(), host(house), warm, ingressConnections)
				require.NoError(b, err)
				stored(b, house, len(warm))
				before := len(warm)
				for b.Loop() {
					b.StopTimer()
					made, distinct := posts(b, house, ingressFlatPosts, 20)
					b.StartTimer()
					report, err := load.Flat(b.Context(), host(house), made, ingressConnections)
					b.StopTimer()
					require.NoError(b, err)
					accepted(b, report)
					b.ReportMetric(report.PerSecond(), "posts/s")
					b.ReportMetric(milliseconds(report.At(500)), "p50-ms")
					b.ReportMetric(milliseconds(report.At(990)), "p99-ms")
					before += distinct
					stored(b, house, before)
					b.StartTimer()
				}
			})
		}
	}
}

// BenchmarkIngressSteady posts 500 distinct events a second for ten seconds.
func BenchmarkIngressSteady(b *testing.B) {
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) {
			house, _ := ingress(b, s.postgres, s.journal, "public,worker")
			for b.Loop() {
				made, _ := posts(b, house, 500*10, 0)
				report, err := load.Steps(b.Context(), host(house), made, ingressConnections, load.Step{PerSecond: 500, For: 10 * time.Second})
				require.NoError(b, err)
				accepted(b, report)
				b.ReportMetric(milliseconds(report.At(500)), "p50-ms")
				b.ReportMetric(milliseconds(report.At(990)), "p99-ms")
				b.ReportMetric(milliseconds(report.At(999)), "p99.9-ms")
			}
		})
	}
}

// BenchmarkIngressStep goes from 200 to 4,000 posts a second at once.
func BenchmarkIngressStep(b *testing.B) {
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) {
			house, _ := ingress(b, s.postgres, s.journal, "public,worker")
			for b.Loop() {
				made, _ := posts(b, house, 200*3+4000*5, 0)
				report, err := load.Steps(b.Context(), host(house), made, ingressConnections,
					load.Step{PerSecond: 200, For: 3 * time.Second}, load.Step{PerSecond: 4000, For: 5 * time.Second})
				require.NoError(b, err)
				accepted(b, report)
				b.ReportMetric(milliseconds(report.At(990)), "p99-ms")
				b.ReportMetric(milliseconds(report.At(1000)), "max-ms")
			}
		})
	}
}

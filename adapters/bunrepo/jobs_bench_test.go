package bunrepo_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/ports"
)

// benchmarkBatch is how many jobs one transaction commits.
const benchmarkBatch = 64

// BenchmarkJobs measures, on both databases, how many jobs that do nothing go from commit
// to done in a second, committed 64 at a time and one at a time, how many are committed
// in a second while nobody works, and how long a job that is committed alone waits for
// its handler.
func BenchmarkJobs(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) *bunrepo.Store{
		"SQLite":     func(b *testing.B) *bunrepo.Store { return repotest.SQLite(b) },
		"PostgreSQL": func(b *testing.B) *bunrepo.Store { return repotest.Postgres(b) },
	} {
		b.Run(name+"/batches", func(b *testing.B) { benchmarkThroughput(b, open(b), benchmarkBatch) })
		b.Run(name+"/singles", func(b *testing.B) { benchmarkThroughput(b, open(b), 1) })
		b.Run(name+"/enqueue", func(b *testing.B) { benchmarkEnqueue(b, open(b)) })
		b.Run(name+"/latency", func(b *testing.B) { benchmarkLatency(b, open(b)) })
	}
}

func commitJobs(b *testing.B, store *bunrepo.Store, jobs []ports.Job) {
	b.Helper()
	require.NoError(b, store.InTx(b.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.Enqueue(ctx, jobs...) }))
}

// workFor handles sync jobs until the benchmark ends.
func workFor(b *testing.B, store *bunrepo.Store, handler ports.JobHandler) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	jobs := bunrepo.NewJobs(store, bunrepo.JobsOptions{})
	go func() {
		ended <- jobs.Work(ctx, map[ports.JobKind]ports.JobHandler{ports.JobSyncInbound: handler}, nil)
	}()
	b.Cleanup(func() {
		cancel()
		require.NoError(b, <-ended)
	})
}

func sameJobs(count int) []ports.Job {
	return slices.Repeat([]ports.Job{{Kind: ports.JobSyncInbound, Inbound: "evt_01jd0000000000000000000000"}}, count)
}

func benchmarkThroughput(b *testing.B, store *bunrepo.Store, batch int) {
	done := make(chan struct{}, 1024)
	workFor(b, store, func(context.Context, ports.Job) error {
		done <- struct{}{}
		return nil
	})
	commitJobs(b, store, sameJobs(1))
	<-done // it works
	b.ResetTimer()
	go func() {
		for left := b.N; left > 0; left -= batch {
			commitJobs(b, store, sameJobs(min(left, batch)))
		}
	}()
	for range b.N {
		<-done
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

func benchmarkEnqueue(b *testing.B, store *bunrepo.Store) {
	commitJobs(b, store, sameJobs(1))
	for left := b.N; left > 0; left -= benchmarkBatch {
		commitJobs(b, store, sameJobs(min(left, benchmarkBatch)))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

func benchmarkLatency(b *testing.B, store *bunrepo.Store) {
	begun := make(chan time.Time, 1)
	workFor(b, store, func(context.Context, ports.Job) error {
		begun <- time.Now()
		return nil
	})
	commitJobs(b, store, sameJobs(1))
	<-begun // it works
	waits := make([]time.Duration, 0, b.N)
	for b.Loop() {
		commitJobs(b, store, sameJobs(1))
		committed := time.Now()
		waits = append(waits, (<-begun).Sub(committed))
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "ms-p99")
}

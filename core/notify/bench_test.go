package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/adapters/notifier"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/coretest"
	"github.com/paydesk/paydesk/core/notify"
	"github.com/paydesk/paydesk/ports"
)

// benchDatabases run a benchmark over each database.
func benchDatabases(b *testing.B, run func(b *testing.B, store ports.Store)) {
	b.Helper()
	for name, open := range map[string]func(testing.TB) *bunrepo.Store{"SQLite": repotest.SQLite, "PostgreSQL": repotest.Postgres} {
		b.Run(name, func(b *testing.B) { run(b, open(b)) })
	}
}

// posting is a house that posts to real servers.
type posting struct {
	*coretest.House
	service *notify.Service
}

func newPosting(b *testing.B, store ports.Store) *posting {
	b.Helper()
	h := coretest.New(b, store)
	sender, err := notifier.New(notifier.Options{AllowPrivate: true, Wall: system.NewClock()})
	require.NoError(b, err)
	return &posting{h, notify.New(h.Store, sender, h.Clock, system.NewClock(), h.IDs, coretest.NoTraces{}, core.EnvTest)}
}

// begin has the notifications sent until the returned function is called.
func (p *posting) begin(b *testing.B) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.service.Run(ctx, func(context.Context) {}) }()
	return func() {
		cancel()
		require.NoError(b, await(b, ended))
	}
}

// tell commits events about payments that were not told of before.
func (p *posting) tell(ctx context.Context, first, count int) error {
	return p.Store.InTx(ctx, func(ctx context.Context, tx ports.Tx) error {
		for n := range count {
			payment := core.Payment{ID: core.PaymentID(fmt.Sprint("pay_", first+n)), Status: core.PaymentProcessing, Amount: core.Zero("EUR")}
			if err := p.Record.Payment(ctx, tx, payment); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkNotifications sends a backlog to one endpoint, or four, that answer at once.
func BenchmarkNotifications(b *testing.B) {
	for _, endpoints := range []int{1, 4} {
		b.Run(fmt.Sprint("endpoints=", endpoints), func(b *testing.B) {
			benchDatabases(b, func(b *testing.B, store ports.Store) {
				p := newPosting(b, store)
				got := make(chan struct{}, 1024)
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(http.StatusNoContent)
					got <- struct{}{}
				}))
				b.Cleanup(server.Close)
				for range endpoints {
					_, err := p.Notify.Add(b.Context(), server.URL, nil)
					require.NoError(b, err)
				}
				const batch = 100
				for first := 0; first < b.N; first += batch {
					require.NoError(b, p.tell(b.Context(), first, min(batch, b.N-first)))
				}
				b.ResetTimer()
				stop := p.begin(b)
				for range b.N * endpoints {
					await(b, got)
				}
				b.StopTimer()
				stop()
				b.ReportMetric(float64(b.N*endpoints)/b.Elapsed().Seconds(), "notifications/s")
			})
		})
	}
}

// BenchmarkBesideADeadEndpoint measures how long after its commit a notification reaches an endpoint
// that answers at once, by itself and beside one that does not. An event is committed each 20 ms.
func BenchmarkBesideADeadEndpoint(b *testing.B) {
	const pause, count = 20 * time.Millisecond, 1000
	hangs := func(b *testing.B) string {
		b.Helper()
		release := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		b.Cleanup(func() { close(release); server.Close() })
		return server.URL
	}
	refuses := func(b *testing.B) string {
		b.Helper()
		listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
		require.NoError(b, err)
		require.NoError(b, listener.Close())
		return "http://" + listener.Addr().String()
	}
	for _, beside := range []struct {
		name string
		open func(b *testing.B) string
	}{{"none", nil}, {"refuses", refuses}, {"hangs", hangs}} {
		b.Run("beside="+beside.name, func(b *testing.B) {
			benchDatabases(b, func(b *testing.B, store ports.Store) {
				p := newPosting(b, store)
				came := make(chan arrival, count)
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					var body struct{ Data struct{ ID string } }
					_ = json.NewDecoder(r.Body).Decode(&body)
					came <- arrival{body.Data.ID, time.Now()}
					w.WriteHeader(http.StatusNoContent)
				}))
				b.Cleanup(server.Close)
				addresses := []string{server.URL}
				if beside.open != nil {
					addresses = append(addresses, beside.open(b))
				}
				for _, address := range addresses {
					_, err := p.Notify.Add(b.Context(), address, nil)
					require.NoError(b, err)
				}
				stop := p.begin(b)
				defer stop()
				for b.Loop() {
					report(b, p.delays(b, came, count, pause))
				}
			})
		})
	}
}

// arrival is a payment that an endpoint was told of.
type arrival struct {
	id string
	at time.Time
}

// delays tells of one event each pause and gives how long after its commit each came.
func (p *posting) delays(b *testing.B, came <-chan arrival, count int, pause time.Duration) []time.Duration {
	b.Helper()
	begun := time.Now()
	committed, told := make([]time.Time, count), make(chan error, count)
	go func() {
		for n := range count {
			time.Sleep(time.Until(begun.Add(time.Duration(n) * pause)))
			err := p.tell(b.Context(), n, 1)
			committed[n] = time.Now()
			told <- err
		}
	}()
	arrived := make([]time.Time, count)
	for range count {
		require.NoError(b, await(b, told))
		one := await(b, came)
		var n int
		_, err := fmt.Sscanf(one.id, "pay_%d", &n)
		require.NoError(b, err)
		arrived[n] = one.at
	}
	delays := make([]time.Duration, count)
	for n := range delays {
		delays[n] = max(arrived[n].Sub(committed[n]), 0) // it may come before the commit's caller knows of it
	}
	return delays
}

func report(b *testing.B, delays []time.Duration) {
	b.Helper()
	slices.Sort(delays)
	for _, at := range []int{50, 99} {
		b.ReportMetric(float64(delays[len(delays)*at/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", at))
	}
}

package e2e_test

import (
	"fmt"
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

// BenchmarkStart measures the time from start to ready of a trial house on a fresh
// folder, and the memory it holds when idle.
func BenchmarkStart(b *testing.B) {
	apptest.Binary(b)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		house := apptest.Start(b)
		took = append(took, time.Since(start))
		require.Zero(b, house.Stop(b))
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "ready-ms")
	house := apptest.Start(b)
	time.Sleep(idleAfter)
	b.ReportMetric(resident(b, house.Pid()), "idle-MiB")
}

// idleAfter is how long past ready a house is idle: what the start took is given back.
const idleAfter = 2 * time.Second

// resident is a process's memory in MiB, as the kernel counts it.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	return memory(b, pid, "VmRSS")
}

// memory is one of the kernel's counts of a process's memory, in MiB: VmRSS is what it takes,
// VmHWM the most that it ever took.
func memory(b testing.TB, pid int, count string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, count+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			require.NoError(b, err)
			return kib / 1024
		}
	}
	b.Fatalf("the kernel tells no %s", count)
	return 0
}

// BenchmarkAPI measures calls of the storefront API, one after the other. The create call
// of a payment is an attempt on the checkout page; what is our own of it is told by the
// program's spans, the provider's call taken off.
func BenchmarkAPI(b *testing.B) {
	exported, env := exportTo(b)
	house := apptest.Start(b, env...)
	c := newClient(house)
	b.Run("create checkout", func(b *testing.B) {
		times := make([]time.Duration, 0, b.N)
		n := 0
		for b.Loop() {
			n++
			start := time.Now()
			c.checkout(b, fmt.Sprintf("bench-%d-%d", b.N, n), "automatic")
			times = append(times, time.Since(start))
		}
		report(b, times)
	})
	b.Run("read checkout", func(b *testing.B) {
		id := c.checkout(b, fmt.Sprintf("read-%d", time.Now().UnixNano()), "automatic")
		var times []time.Duration
		for b.Loop() {
			start := time.Now()
			require.Equal(b, http.StatusOK, c.api(b, http.MethodGet, "/v1/checkouts/"+id, nil, "").Status)
			times = append(times, time.Since(start))
		}
		report(b, times)
	})
	b.Run("start payment", func(b *testing.B) {
		var times []time.Duration
		for b.Loop() {
			id := c.checkout(b, fmt.Sprintf("start-%d", time.Now().UnixNano()), "automatic")
			start := time.Now()
			a := c.call(b, http.MethodPost, house.PublicURL+"/pay/"+id+"/attempts", map[string]any{"account": "stripe"},
				map[string]string{"Origin": house.PublicURL, "Sec-Fetch-Site": "same-origin"})
			times = append(times, time.Since(start))
			require.Equal(b, http.StatusCreated, a.Status, a.Raw)
		}
		report(b, times)
		var own []time.Duration
		require.Eventually(b, func() bool {
			own = exported.own("pay POST /pay/{checkout}/attempts", "provider stripe create_payment")
			return len(own) >= len(times)
		}, waitMax, 50*time.Millisecond, "the spans come")
		slices.Sort(own)
		b.ReportMetric(milliseconds(own[len(own)/2]), "own-p50-ms")
		b.ReportMetric(milliseconds(own[len(own)*99/100]), "own-p99-ms")
	})
}

func report(b *testing.B, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	b.ReportMetric(milliseconds(times[len(times)/2]), "p50-ms")
	b.ReportMetric(milliseconds(times[len(times)*99/100]), "p99-ms")
}

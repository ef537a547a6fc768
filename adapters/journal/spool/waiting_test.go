package spool_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports/portstest"
)

const (
	waitingCount     = 100_000
	waitingCallers   = 64
	waitingBodyBytes = 1 << 10
	// drainHeapBytesMost is what draining may hold: a window on the file and a batch, some times
	// over until they are collected, and far less than the 100 MiB that wait.
	drainHeapBytesMost = 32 << 20
	// heapLookEvery is after how many batches is looked what is held.
	heapLookEvery = 8
)

// drainAndTell prints the events that it takes over, batch by batch, and in the end the most memory
// that it held.
func drainAndTell(dir, until string) {
	journal, err := spool.Open(spool.Options{Dir: dir, Sealer: seal.Plain()})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	left, _ := strconv.Atoi(until)
	ctx, cancel := context.WithCancel(context.Background())
	out := bufio.NewWriter(os.Stdout)
	var memory runtime.MemStats
	var heap uint64
	batches := 0
	_ = journal.Drain(ctx, func(_ context.Context, batch []core.Delivery) error {
		if batches++; batches%heapLookEvery == 0 {
			runtime.ReadMemStats(&memory)
			heap = max(heap, memory.HeapAlloc)
		}
		_, _ = fmt.Fprintln(out, "batch", len(batch))
		for _, d := range batch {
			_, _ = fmt.Fprintln(out, d.ProviderEventID)
		}
		if left -= len(batch); left <= 0 {
			cancel()
		}
		return nil
	})
	journal.Close()
	_, _ = fmt.Fprintln(out, "heap", heap)
	_ = out.Flush()
	os.Exit(0)
}

// However many wait for another process, they are handed over in bounded batches and little memory,
// each caller's in its order.
func TestAHundredThousandThatWait(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal := openIn(t, spool.Options{Dir: dir, SegmentBytes: 16 << 20})
	body := bytes.Repeat([]byte("x"), waitingBodyBytes)
	next := make(map[int]int) // by caller
	var group sync.WaitGroup
	for caller := range waitingCallers {
		from, until := caller*waitingCount/waitingCallers, (caller+1)*waitingCount/waitingCallers
		next[caller] = from
		group.Go(func() {
			for n := from; n < until; n++ {
				delivery := portstest.Delivery(n)
				delivery.Body = body
				if err := journal.Append(t.Context(), delivery); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	journal.Close()

	out, err := child(t, roleDrain, dir, strconv.Itoa(waitingCount)).Output()
	require.NoError(t, err, string(out))
	total, heap := 0, -1
	for line := range strings.Lines(string(out)) {
		var n int
		if _, err := fmt.Sscanf(line, "evt_%d", &n); err == nil {
			caller := ((n+1)*waitingCallers - 1) / waitingCount
			require.Equal(t, next[caller], n)
			next[caller]++
			total++
		} else if _, err := fmt.Sscanf(line, "batch %d", &n); err == nil {
			require.LessOrEqual(t, n, 256)
		} else if _, err := fmt.Sscanf(line, "heap %d", &heap); err != nil {
			require.Fail(t, "the child says", line)
		}
	}
	require.Equal(t, waitingCount, total)
	require.Positive(t, heap)
	require.Less(t, heap, drainHeapBytesMost)
	t.Logf("%d deliveries of %d bytes each: %d KiB held at most", total, waitingBodyBytes, heap>>10)
	require.Len(t, files(t, dir, "*.segment"), 1)
}

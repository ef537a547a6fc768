package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/simulator/engine"
)

func newClock() (*engine.Clock, time.Time) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return engine.NewClock(func() time.Time { return start }), start
}

func TestClock(t *testing.T) {
	t.Parallel()
	clock, start := newClock()
	clock.Advance(time.Hour)
	clock.Advance(time.Minute)
	require.Equal(t, start.Add(61*time.Minute), clock.Now())
	require.Equal(t, start, clock.Wall())
}

func TestKeys(t *testing.T) {
	t.Parallel()
	clock, _ := newClock()
	keys := engine.NewKeys(clock, time.Hour)
	begin := func(key, fingerprint string) engine.KeyVerdict {
		verdict, _ := keys.Begin(key, fingerprint)
		return verdict
	}
	require.Equal(t, engine.KeyRun, begin("k", "a"))
	require.Equal(t, engine.KeyBusy, begin("k", "a"))
	require.Equal(t, engine.KeyMismatch, begin("k", "b"))
	keys.Release("k")
	require.Equal(t, engine.KeyRun, begin("k", "b"), "it was refused, so it is free for anything")
	keys.Finish("k", engine.Stored{Status: 200, Body: []byte("x")})
	keys.Release("k")
	verdict, stored := keys.Begin("k", "b")
	require.Equal(t, engine.KeyReplay, verdict, "an answer that is there stays")
	require.Equal(t, engine.Stored{Status: 200, Body: []byte("x")}, stored)
	clock.Advance(time.Hour)
	require.Equal(t, engine.KeyReplay, begin("k", "b"))
	clock.Advance(time.Nanosecond)
	require.Equal(t, engine.KeyRun, begin("k", "c"), "its time is over")
	require.Equal(t, engine.KeyRun, begin("other", "c"))
	keys.Reset()
	require.Equal(t, engine.KeyRun, begin("k", "d"))
}

func TestOneOfManyRuns(t *testing.T) {
	t.Parallel()
	clock, _ := newClock()
	keys := engine.NewKeys(clock, time.Hour)
	var runs atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if verdict, _ := keys.Begin("k", "a"); verdict == engine.KeyRun {
				runs.Add(1)
				keys.Finish("k", engine.Stored{Status: 200})
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, runs.Load())
}

func TestFaultsMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		account, match string
		call           bool // rather than a delivery
		hits           bool
	}{
		{"", "", true, true},
		{"stripe", "post /v1/things", true, true},
		{"stripe", "POST /stripe/v1/Things", true, true},
		{"stripe", "/capture", true, true},
		{"stripe", "GET", true, false},
		{"other", "", true, false},
		{"stripe", "webhook", true, false},
	}
	for _, test := range tests {
		var faults engine.Faults
		require.NoError(t, faults.Add(engine.Fault{Account: test.account, Match: test.match, Fault: engine.FaultLatency}))
		_, hit := faults.TakeCall("stripe", "POST /stripe/v1/things/1/capture")
		require.Equal(t, test.hits, hit, test)
		_, again := faults.TakeCall("stripe", "POST /stripe/v1/things/1/capture")
		require.False(t, again, "a count of none is one")
	}
	for _, match := range []string{"", "webhook", "WebHook", "thing.made", "POST /webhooks/stripe"} {
		var faults engine.Faults
		require.NoError(t, faults.Add(engine.Fault{Match: match, Fault: engine.FaultWebhookDrop, Count: 2}))
		_, hit := faults.TakeCall("stripe", "POST /stripe/v1/thing.made")
		require.False(t, hit, match)
		for _, want := range []bool{true, true, false} {
			_, hit = faults.TakeWebhook("stripe", "POST /webhooks/stripe thing.made")
			require.Equal(t, want, hit, match)
		}
	}
	var faults engine.Faults
	require.NoError(t, faults.Add(engine.Fault{Fault: engine.FaultReset}))
	faults.Reset()
	_, hit := faults.TakeCall("stripe", "GET /")
	require.False(t, hit)
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	var requests engine.Requests
	const made, kept = 21_000, 20_000
	for i := range made {
		requests.Add(engine.Request{Path: fmt.Sprint(i)})
	}
	list := requests.List()
	require.Len(t, list, kept)
	require.Equal(t, engine.Request{Number: made - kept + 1, Path: fmt.Sprint(made - kept)}, list[0])
	require.Equal(t, engine.Request{Number: made, Path: fmt.Sprint(made - 1)}, list[kept-1])
	require.Equal(t, list[kept-1:], requests.After(made-1))
	require.Equal(t, list, requests.After(10), "of what is forgotten nothing is given")
	require.Empty(t, requests.After(made))
}

// Whatever goes on, Close ends it and Settle ends.
func TestWebhooksEnd(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 100)
	leave := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-leave:
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	defer close(leave)
	var faults engine.Faults
	require.NoError(t, faults.Add(engine.Fault{Match: "late", Fault: engine.FaultWebhookDelay, LatencyMS: 60_000}))
	require.NoError(t, faults.Add(engine.Fault{Match: "turned", Fault: engine.FaultWebhookReorder, LatencyMS: 60_000}))
	webhooks := engine.NewWebhooks(server.Client(), &faults, slog.New(slog.DiscardHandler))
	delivery := func(kind string) engine.Delivery {
		return engine.Delivery{Account: "stripe", Kind: kind, URL: server.URL, Body: []byte("{}"), Sign: func([]byte) http.Header { return http.Header{} }}
	}
	for range 20 {
		webhooks.Post(delivery("plain"))
	}
	webhooks.Post(delivery("late"))
	webhooks.Post(delivery("turned"))
	webhooks.Post(delivery("plain")) // which the one before follows
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, webhooks.Settle(ctx), context.Canceled)
	var closers sync.WaitGroup
	for range 2 {
		closers.Go(webhooks.Close)
	}
	closers.Wait()
	require.NoError(t, webhooks.Settle(t.Context()))
	webhooks.Post(delivery("plain"))
	require.NoError(t, webhooks.Settle(t.Context()), "what comes after the end is dropped")
}

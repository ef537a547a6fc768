package chaos_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app/apptest"
)

// followEvery is how often it is read what the simulator was asked.
const followEvery = 500 * time.Millisecond

// short is the form of `make chaos LENGTH=short`.
var short = scale{
	trades: 120, length: 25 * time.Second, shoppers: 6, pause: 1200 * time.Millisecond, database: 2 * time.Second, disk: time.Second,
	provider: 3 * time.Second, settle: 5 * time.Minute, jump: 40 * 24 * time.Hour, points: commonPoints,
}

// databases are what a run can be over.
var databases = map[string]func(*testing.T, *apptest.House) database{
	"sqlite":   func(_ *testing.T, h *apptest.House) database { return sqliteFile{path: h.Data + "/paydesk.db"} },
	"postgres": func(t *testing.T, _ *apptest.House) database { t.Helper(); return newPostgres(t) },
}

// TestChaos trades for a while with faults on, over each database. PAYDESK_CHAOS_SEED asks for it,
// PAYDESK_CHAOS_DATABASE for one database and PAYDESK_CHAOS_LENGTH for another length than an hour.
func TestChaos(t *testing.T) {
	t.Parallel()
	text := os.Getenv("PAYDESK_CHAOS_SEED")
	if text == "" {
		t.Skip("what comes about hangs on the machine's load, too, so it runs when it is asked for: make chaos")
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "PAYDESK_CHAOS_SEED")
	size := formOf(t, os.Getenv("PAYDESK_CHAOS_LENGTH"))
	for name, open := range databases {
		if only := os.Getenv("PAYDESK_CHAOS_DATABASE"); only != "" && only != name {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runChaos(t, seed, size, open)
		})
	}
}

// formOf is the form of `make chaos`, of a length: an hour where none is named.
func formOf(t *testing.T, text string) scale {
	t.Helper()
	length := time.Hour
	switch text {
	case "":
	case "short":
		return short
	default:
		var err error
		length, err = time.ParseDuration(text)
		require.NoError(t, err, "PAYDESK_CHAOS_LENGTH")
	}
	return scale{
		trades: 1_000_000, length: length, shoppers: 8, pause: 8 * time.Second, database: 30 * time.Second, disk: 10 * time.Second,
		provider: 5 * time.Minute, settle: 20 * time.Minute, jump: 20 * 24 * time.Hour,
		points: crashPoints, all: length >= time.Hour,
	}
}

func runChaos(t *testing.T, seed uint64, size scale, open func(*testing.T, *apptest.House) database) {
	t.Helper()
	again := fmt.Sprintf("seed %d: make chaos SEED=%[1]d RUNS=1", seed)
	t.Log(again)
	start := time.Now()
	w := newWorld(t, open, seed)
	w.crashAt(nil)
	life, end := context.WithCancel(t.Context())
	var living sync.WaitGroup
	living.Go(func() { w.supervise(life) })
	t.Cleanup(func() {
		end()
		living.Wait()
	})
	require.Eventually(t, func() bool { return w.pid() != 0 }, time.Minute, 50*time.Millisecond)
	w.open(t.Context())

	asked, unfollow := follow(t, w.client)
	s, x := newShop(w, seed, size.settle), newTrouble(w)
	w.crashAt(planCrashes(seed, size.points, func(point string) bool { return w.kills[point] > 0 }))
	w.kill() // the first life knew of no crash point
	traded := tradeUnder(t, s, x, size)

	w.calm(t)
	settling := time.Now()
	b, missing := w.settled(t.Context(), size.settle)
	took := time.Since(settling)
	unfollow()
	report(t, w, s, x, asked, b, fmt.Sprintf("%s: traded %s, settled in %s, %s in all, differences %d",
		again, traded.Round(time.Second), took.Round(time.Second), time.Since(start).Round(time.Second), len(missing)))

	assert.Empty(t, shown(missing), "%s: %d differences after %s", again, len(missing), size.settle)
	assert.Empty(t, shown(b.doubled()), "%s: the provider holds something of ours twice", again)
	assert.Zero(t, asked.lost, "%s: calls were not looked at", again)
	assert.Empty(t, shown(asked.twice()), "%s: something was done twice under one key", again)
	assert.Empty(t, shown(s.unkept(t.Context())), "%s: an answer promised what is not there", again)
	overdrawn, err := w.overdrawn(t.Context())
	require.NoError(t, err)
	assert.Empty(t, shown(overdrawn), "%s: more was taken, or given back, than could be", again)
	unstored, stored := w.unstored(t)
	assert.Empty(t, shown(unstored), "%s: deliveries were answered and are not among the %d stored events", again, stored)
	if size.all {
		assert.Empty(t, w.missed(x, asked), "%s: these never came about", again)
	}
	assert.Positive(t, s.counts["sale done"], "%s: nothing was sold", again)
	for n, e := range w.told {
		assert.Zero(t, e.forged, "%s: endpoint %d was told what was not signed", again, n)
	}
}

// shown is the beginning of a list.
func shown(list []string) []string { return list[:min(len(list), shownMost)] }

// follow reads what the simulator is asked until it is told to stop.
func follow(t *testing.T, c *apptest.Client) (asked *effects, stop func()) {
	t.Helper()
	asked = &effects{byKey: make(map[string]int), faults: make(map[string]int), shapes: make(map[string]int)}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	read := func() {
		if err := asked.follow(context.WithoutCancel(ctx), c); err != nil {
			t.Error(err)
		}
	}
	group.Go(func() {
		for pause(ctx, followEvery) {
			read()
		}
	})
	return asked, func() {
		cancel()
		group.Wait()
		read()
	}
}

// calm ends all that goes wrong. The server is started once more, for no crash point to be left.
func (w *world) calm(t *testing.T) {
	t.Helper()
	w.crashAt(nil)
	lifted := w.client.Control(t.Context(), http.MethodDelete, "faults", nil)
	require.True(t, lifted.OK(), "%v %s", lifted.Err, lifted.Raw)
	for _, e := range w.told {
		e.calm()
	}
	w.kill()
}

// tradeUnder trades while things go wrong.
func tradeUnder(t *testing.T, s *shop, x *trouble, size scale) time.Duration {
	t.Helper()
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), size.length)
	defer cancel()
	var trouble, shoppers sync.WaitGroup
	trouble.Go(func() { x.run(ctx, planIncidents(s.seed, size)) })
	numbers := make(chan int)
	for range size.shoppers {
		shoppers.Go(func() {
			for number := range numbers {
				s.trade(t.Context(), planTrade(s.seed, number)) // what has begun comes to its end
			}
		})
	}
	for number := range size.trades {
		select {
		case numbers <- number:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(numbers)
	shoppers.Wait()
	cancel()
	trouble.Wait()
	return time.Since(start)
}

// most gives the largest counts.
func most(counts map[string]int) (list []string) {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	for _, name := range names[:min(len(names), shownMost)] {
		list = append(list, fmt.Sprint(name, " ", counts[name]))
	}
	return list
}

// report says what happened.
func report(t *testing.T, w *world, s *shop, x *trouble, asked *effects, b books, head string) {
	t.Helper()
	var lines []string
	lines = append(lines, head, "lives: "+w.lifeReport(), "trade: "+strings.Join(sorted(s.counts), ", "),
		"incidents: "+strings.Join(sorted(x.happened()), ", ")+"; clock moved by "+x.jumps.String(),
		fmt.Sprintf("provider calls: %d, under %d keys, met %v", asked.calls, len(asked.byKey), asked.faults))
	lines = append(lines, "most asked: "+strings.Join(most(asked.shapes), ", "))
	if len(x.failed) > 0 {
		lines = append(lines, "could not happen: "+strings.Join(x.failed, "; "))
	}
	_, answers := w.ingress.taken()
	lines = append(lines, fmt.Sprintf("webhooks by answer: %v", answers))
	for n, e := range w.told {
		told, repeats := e.told()
		lines = append(lines, fmt.Sprintf("endpoint %d: told %d, %d of them again, refused %d, forged %d", n, len(told), repeats, e.refused, e.forged))
	}
	for _, account := range accounts {
		var kinds []string
		for kind, entries := range b.there[account] {
			kinds = append(kinds, fmt.Sprint(kind, " ", len(entries)))
		}
		slices.Sort(kinds)
		lines = append(lines, account+" holds "+strings.Join(kinds, ", "))
	}
	lines = append(lines, fmt.Sprintf("refunds of which nothing is there, left for staff to judge: %d", b.desk))
	t.Log("\n" + strings.Join(lines, "\n"))
}

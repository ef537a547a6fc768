package spool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// picky takes over all but what it has a word against, and ends the drain after as many.
type picky struct {
	refuse func(id string) error // may panic
	until  int
	end    context.CancelFunc
	came   []string
}

func (p *picky) accept(_ context.Context, batch []core.Delivery) error {
	for _, d := range batch {
		if err := p.refuse(d.ProviderEventID); err != nil {
			return err
		}
	}
	for _, d := range batch {
		p.came = append(p.came, d.ProviderEventID)
	}
	if len(p.came) >= p.until {
		p.end()
	}
	return nil
}

// takenBut drains into one who refuses some until as many others came.
func takenBut(t testing.TB, journal ports.Journal, until int, refuse func(id string) error) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &picky{refuse: refuse, until: until, end: cancel}
	require.ErrorIs(t, journal.Drain(ctx, p.accept), context.Canceled)
	return p.came
}

func id(n int) string { return portstest.Delivery(n).ProviderEventID }

// Among ten thousand there is one of every kind that can never be taken over. Each is set aside,
// all others come, in order, and those that may be mended come at the next start.
func TestPoisonAmongTenThousand(t *testing.T) {
	t.Parallel()
	const count, callers = 10_000, 50
	const damaged, unsealable, refused, panicking = 1_234, 5_000, 7_001, 9_876
	dir := t.TempDir()
	oldKey, newKey := seal.GenerateKey(), seal.GenerateKey()
	ring := func(keys ...string) ports.Sealer {
		made, err := seal.New(keys)
		require.NoError(t, err)
		return made
	}
	for start := 0; start < count; start += unsealable {
		first := openIn(t, spool.Options{Dir: dir, SegmentBytes: 256 << 10, Sealer: ring(oldKey)})
		if start == unsealable {
			appendAll(t, first, start, start+1)
			start++
		}
		first.Close()
		sealed := openIn(t, spool.Options{Dir: dir, SegmentBytes: 256 << 10, Sealer: ring(newKey)})
		var group sync.WaitGroup
		for caller := range callers { // each with every 50th, so that the whole is nearly in order
			group.Go(func() {
				for n := start + caller; n < min(start+unsealable, count); n += callers {
					appendAll(t, sealed, n, n+1)
				}
			})
		}
		group.Wait()
		sealed.Close()
	}
	segments := files(t, dir, "*.segment")
	require.Greater(t, len(segments), 5)
	flip(t, segments[1])

	journal := openIn(t, spool.Options{Dir: dir, Sealer: ring(newKey)})
	came := takenBut(t, journal, count-4, func(event string) error {
		switch event {
		case id(refused):
			return fmt.Errorf("accept: %w", ports.ErrRefused)
		case id(panicking):
			panic("a fault of ours")
		}
		return nil
	})
	journal.Close()
	sorted := slices.Sorted(slices.Values(came))
	require.Len(t, slices.Compact(sorted), count-4, "all others came, each once")
	requireNearlyInOrder(t, came, callers)
	for suffix, want := range map[string]int{"damaged": 1, "unsealable": 1, "refused": 2} {
		require.Len(t, files(t, dir, "*."+suffix), want, suffix)
	}

	again := openIn(t, spool.Options{Dir: dir, Sealer: ring(newKey, oldKey)})
	require.ElementsMatch(t, []string{id(unsealable), id(refused), id(panicking)}, taken(t, again, 3), "what may be mended comes again")
	again.Close()
	require.Empty(t, append(files(t, dir, "*.unsealable"), files(t, dir, "*.refused")...))
}

// flip damages one byte in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	text[len(text)/2] ^= 0xff
	require.NoError(t, os.WriteFile(path, text, 0o600))
}

// requireNearlyInOrder holds events to an order in which those that were appended together may
// have changed places.
func requireNearlyInOrder(t *testing.T, events []string, together int) {
	t.Helper()
	highest := -1
	for _, event := range events {
		var n int
		_, err := fmt.Sscanf(event, "evt_%d", &n)
		require.NoError(t, err)
		// A caller that got no turn for a while is behind by some rounds of the others.
		require.Greater(t, n, highest-together*together, "%s comes long after evt_%d", event, highest)
		highest = max(highest, n)
	}
}

// What is refused for ever one after the other is told from a store that refuses everything.
func TestPoisonNextToPoison(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal := openIn(t, spool.Options{Dir: dir, SegmentBytes: 500})
	appendAll(t, journal, 0, 20)
	came := takenBut(t, journal, 17, func(event string) error {
		switch event {
		case id(6), id(8):
			return ports.ErrRefused
		case id(7):
			panic("a fault of ours")
		}
		return nil
	})
	require.Equal(t, append(ids(0, 6), ids(9, 20)...), came)
	require.Len(t, files(t, dir, "*.refused"), 3)
}

// A store that refuses everything for a while, as in the middle of a migration, has nothing set
// aside, also where it becomes well just while is looked at what comes behind the first.
func TestAStoreThatRefusesEverythingCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		journal := openIn(t, spool.Options{Dir: dir})
		appendAll(t, journal, 0, 10)
		left := 60
		came := takenBut(t, journal, 10, func(string) error {
			if left--; left >= 0 {
				return ports.ErrRefused
			}
			return nil
		})
		require.ElementsMatch(t, ids(0, 10), came)
		require.Empty(t, files(t, dir, "*.refused"))
		journal.Close()
	})
}

// With nothing behind it there is no telling whose fault it is, and nobody is held up: it waits.
func TestTheLastOneRefusedWaitsForAWitness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		journal := openIn(t, spool.Options{Dir: dir})
		appendAll(t, journal, 0, 1)
		tries := 0
		came := takenBut(t, journal, 1, func(event string) error {
			if event != id(0) {
				return nil
			}
			if tries++; tries == 4 {
				require.Empty(t, files(t, dir, "*.refused"))
				appendAll(t, journal, 1, 2)
			}
			return ports.ErrRefused
		})
		require.Equal(t, ids(1, 2), came)
		require.Len(t, files(t, dir, "*.refused"), 1)
		journal.Close()
	})
}

// A store that is full takes small ones and not the large one before them. That is no reason to
// set the large one aside.
func TestAFullStoreHasNothingSetAside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		journal := openIn(t, spool.Options{Dir: dir})
		appendAll(t, journal, 0, 10)
		tries := 0
		came := takenBut(t, journal, 10, func(event string) error {
			if tries++; event == id(3) && tries < 50 {
				return errors.New("database or disk is full")
			}
			return nil
		})
		require.Equal(t, ids(0, 10), came)
		require.Empty(t, files(t, dir, "*.refused"))
		journal.Close()
	})
}

// Somebody removes or cuts one file of the journal while it is in use.
func TestAPartThatIsGoneCostsItself(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{
		"removed": os.Remove,
		"cut":     func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			journal := openIn(t, spool.Options{Dir: dir, SegmentBytes: 1})
			appendAll(t, journal, 0, 5)
			require.NoError(t, harm(files(t, dir, "*.segment")[2]))
			require.Equal(t, append(ids(0, 2), ids(3, 5)...), taken(t, journal, 4))
		})
	}
}

// A folder that is away for a while, as one on a disk that is mounted late, costs nothing.
func TestAFolderThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir() + "/journal"
		var log strings.Builder
		journal := openIn(t, spool.Options{Dir: dir, SegmentBytes: 1, Logger: textLogger(&log)})
		appendAll(t, journal, 0, 5)
		require.NoError(t, os.Rename(dir, dir+".away"))
		go func() {
			synctest.Wait()
			_ = os.Rename(dir+".away", dir)
		}()
		require.Equal(t, ids(0, 5), taken(t, journal, 5))
		require.NotContains(t, log.String(), "gone")
		journal.Close()
	})
}

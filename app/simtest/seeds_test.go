package simtest

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "run this seed alone, and print what happens")
	firstSeed = flag.Uint64("first", 1, "the first of many seeds")
	manySeeds = flag.Uint64("seeds", 0, "how many seeds to run; 0 for as many as fit beside other tests")
)

const (
	// seedsDefault is how many seeds run with all other tests, a few seconds of them: `make simtest` runs
	// more. The race detector makes the store, which is no C, many times slower.
	seedsDefault, seedsDefaultRace = 100, 15
	// seedsTelling is how many worlds are enough for everything to come to pass in one of them.
	seedsTelling = 200
	// linesMax is how much of a failing seed is printed; alone it is printed as a whole.
	linesMax = 250
	// failuresMax is how many failing seeds are told of; the rest would only repeat them.
	failuresMax = 3
)

// template is a migrated and empty database.
var template = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "paydesk-simtest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "template.db")
	if _, err := bunrepo.MigrateUp(context.Background(), "sqlite:"+path, core.EnvTest); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// fastFolder is where databases need no disk, where the machine has such a place.
func fastFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "paydesk-simtest-") //nolint:usetesting // it is in memory
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// runSeed plays a world over a new database in the folder, and gives it.
func runSeed(t *testing.T, folder string, seed uint64) *world {
	t.Helper()
	content, err := template()
	require.NoError(t, err)
	path := filepath.Join(folder, "run.db")
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + suffix)
	}
	require.NoError(t, os.WriteFile(path, content, 0o600))
	base, closeBase, err := bunrepo.Open(t.Context(), repotest.Options("sqlite:"+path))
	require.NoError(t, err)
	defer closeBase()
	w := newWorld(t, seed, base)
	w.live()
	return w
}

// TestSeeds runs many worlds. To run one that failed once more, give its number:
//
//	go test ./app/simtest -run TestSeeds -v -seed 17
func TestSeeds(t *testing.T) {
	t.Parallel()
	if *oneSeed != 0 {
		w := runSeed(t, fastFolder(t), *oneSeed)
		t.Log("\n" + w.trace.String())
		require.Empty(t, w.wrongs)
		return
	}
	many := cmp.Or(*manySeeds, seedsByDefault())
	begun := time.Now()
	var next atomic.Uint64
	var mu sync.Mutex
	var workers sync.WaitGroup
	failed, all := map[uint64]*world{}, tally{}
	for range runtime.GOMAXPROCS(0) {
		folder := fastFolder(t)
		workers.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= many {
					return
				}
				w := runSeed(t, folder, *firstSeed+n)
				mu.Lock()
				all.add(w.tally)
				if len(w.wrongs) > 0 {
					failed[w.seed] = w
				}
				enough := len(failed) >= failuresMax
				mu.Unlock()
				if enough {
					return
				}
			}
		})
	}
	workers.Wait()
	took, ran := time.Since(begun), min(next.Load(), many)
	t.Logf("%d seeds from %d in %s, %.1f a second", ran, *firstSeed, took.Round(time.Millisecond), float64(ran)/took.Seconds())
	t.Log(all)
	if ran >= seedsTelling {
		require.Empty(t, all.missing(), "the worlds are too quiet to show anything")
	}
	for seed, w := range failed {
		lines := w.trace.lines[max(0, len(w.trace.lines)-linesMax):]
		t.Errorf("seed %d: %s\n\n%s\n\nto see all of it again: go test ./app/simtest -run TestSeeds -v -seed %d", seed, strings.Join(w.wrongs, "\n"), strings.Join(lines, "\n"), seed)
	}
}

func seedsByDefault() uint64 {
	if raceEnabled {
		return seedsDefaultRace
	}
	return seedsDefault
}

// TestASeedIsAWholeStory runs the same seed twice, and sees the same.
func TestASeedIsAWholeStory(t *testing.T) {
	t.Parallel()
	folder := fastFolder(t)
	stories := map[string]bool{}
	for seed := uint64(1); seed <= 5; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			first, second := runSeed(t, folder, seed), runSeed(t, folder, seed)
			require.Equal(t, first.trace.lines, second.trace.lines)
			require.Equal(t, first.trace.hash(), second.trace.hash())
			stories[first.trace.hash()] = true
		})
	}
	require.Len(t, stories, 5, "each seed is a story of its own")
}

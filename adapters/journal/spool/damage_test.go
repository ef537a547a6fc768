package spool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

// written gives the bytes of a journal of so many deliveries in one segment, where each
// record begins, and the segment's path.
func written(t testing.TB, dir string, count int) (data []byte, starts []int, path string) {
	t.Helper()
	journal := openIn(t, spool.Options{Dir: dir})
	for n := range count {
		appendAll(t, journal, n, n+1)
		path = files(t, dir, "*.segment")[0]
		info, err := os.Stat(path)
		require.NoError(t, err)
		starts = append(starts, len(data))
		data = make([]byte, info.Size())
	}
	journal.Close()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data, starts, path
}

// Whatever byte is flipped, in a header too, costs its own record and no other.
func TestAFlippedByteCostsOneRecord(t *testing.T) {
	t.Parallel()
	const count = 3
	good, starts, _ := written(t, t.TempDir(), count)
	damaged, end := 1, starts[2]
	for at := starts[damaged]; at < end; at += 1 + (at-starts[damaged])/24 { // all of the header, some of the rest
		t.Run(fmt.Sprint("byte ", at-starts[damaged]), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := slices.Clone(good)
			data[at] ^= 0xff
			path := filepath.Join(dir, "0000000000000001.segment")
			require.NoError(t, os.WriteFile(path, data, 0o600))
			journal := openIn(t, spool.Options{Dir: dir})
			appendAll(t, journal, count, count+1)
			require.Equal(t, append(ids(0, 1), ids(2, count+1)...), taken(t, journal, count))
			require.NotEmpty(t, files(t, dir, "*.damaged"))
		})
	}
}

// Wherever the power was cut, whole records come and the next append is fine.
func TestATailCutAnywhere(t *testing.T) {
	t.Parallel()
	const count = 2
	good, starts, _ := written(t, t.TempDir(), count)
	for _, fill := range []string{"gone", "zeros", "noise"} {
		for cut := starts[1] + 1; cut < len(good); cut += 7 {
			t.Run(fmt.Sprint(fill, " from ", cut-starts[1]), func(t *testing.T) {
				t.Parallel()
				data := slices.Clone(good)
				switch fill {
				case "gone":
					data = data[:cut]
				case "zeros":
					clear(data[cut:])
				case "noise":
					noise := rand.New(rand.NewPCG(1, uint64(cut)))
					for i := cut; i < len(data); i++ {
						data[i] ^= byte(1 + noise.IntN(255))
					}
				}
				dir := t.TempDir()
				require.NoError(t, os.WriteFile(filepath.Join(dir, "0000000000000001.segment"), data, 0o600))
				journal := openIn(t, spool.Options{Dir: dir})
				appendAll(t, journal, count, count+1)
				require.Equal(t, append(ids(0, 1), ids(count, count+1)...), taken(t, journal, 2))
				require.Len(t, files(t, dir, "*.torn"), 1)
			})
		}
	}
}

// However a segment is damaged, records that were left alone come, in order.
func TestDamageOfAnyKind(t *testing.T) {
	t.Parallel()
	const count = 12
	good, starts, _ := written(t, t.TempDir(), count)
	rapid.Check(t, func(rt *rapid.T) {
		data := slices.Clone(good)
		from := rapid.IntRange(0, len(data)-1).Draw(rt, "from")
		harm := rapid.SliceOfN(rapid.Byte(), 1, 600).Draw(rt, "harm")
		end := from + copy(data[from:], harm)
		var want []string
		for n, start := range starts {
			stop := len(data)
			if n+1 < count {
				stop = starts[n+1]
			}
			if stop <= from || start >= end || slices.Equal(data[start:stop], good[start:stop]) {
				want = append(want, portstest.Delivery(n).ProviderEventID)
			}
		}
		dir := t.TempDir()
		require.NoError(rt, os.WriteFile(filepath.Join(dir, "0000000000000001.segment"), data, 0o600))
		journal := openIn(t, spool.Options{Dir: dir})
		appendAll(t, journal, count, count+1)
		want = append(want, ids(count, count+1)...)
		require.Equal(rt, want, taken(t, journal, len(want)))
		journal.Close()
	})
}

// After the process died between the accept and the cursor, the batch comes again.
func TestDeathBeforeTheCursorMovedRepeatsTheBatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := openIn(t, spool.Options{Dir: dir})
	appendAll(t, first, 0, 10)
	require.Equal(t, ids(0, 10), taken(t, first, 10))
	before, err := os.ReadFile(filepath.Join(dir, "cursor"))
	require.NoError(t, err)
	appendAll(t, first, 10, 20)
	require.Equal(t, ids(10, 20), taken(t, first, 10))
	first.Close()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cursor"), before, 0o600))
	require.Equal(t, ids(10, 20), taken(t, openIn(t, spool.Options{Dir: dir}), 10))
}

// A key that is missing does not cost deliveries: they wait beside until it is back.
func TestWhatLackedItsKeyReturnsWithIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	oldKey, newKey := seal.GenerateKey(), seal.GenerateKey()
	ring := func(keys ...string) ports.Sealer {
		made, err := seal.New(keys)
		require.NoError(t, err)
		return made
	}
	first := openIn(t, spool.Options{Dir: dir, Sealer: ring(oldKey)})
	appendAll(t, first, 0, 3)
	first.Close()
	second := openIn(t, spool.Options{Dir: dir, Sealer: ring(newKey)})
	appendAll(t, second, 3, 4)
	require.Equal(t, ids(3, 4), taken(t, second, 1), "the rest flows")
	second.Close()
	require.Len(t, files(t, dir, "*.unsealable"), 3)
	third := openIn(t, spool.Options{Dir: dir, Sealer: ring(newKey, oldKey)})
	require.ElementsMatch(t, ids(0, 3), taken(t, third, 3))
	require.Empty(t, files(t, dir, "*.unsealable"))
}

// One delivery that can never be stored does not hold up those around it.
func TestWhatCanNeverBeStoredGoesAsideAlone(t *testing.T) {
	t.Parallel()
	const count, bad = 40, 17
	dir := t.TempDir()
	journal := openIn(t, spool.Options{Dir: dir})
	appendAll(t, journal, 0, count)
	ctx, cancel := context.WithCancel(t.Context())
	var came []string
	err := journal.Drain(ctx, func(_ context.Context, batch []core.Delivery) error {
		for _, d := range batch {
			if d.ProviderEventID == portstest.Delivery(bad).ProviderEventID {
				return fmt.Errorf("accept: %w", ports.ErrText)
			}
		}
		for _, d := range batch {
			came = append(came, d.ProviderEventID)
		}
		if len(came) == count-1 {
			cancel()
		}
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, append(ids(0, bad), ids(bad+1, count)...), came)
	require.Len(t, files(t, dir, "*.refused"), 1)
}

// A batch that fails as a whole gets smaller, so that a bad delivery ends up alone.
func TestABatchThatFailsGetsSmaller(t *testing.T) {
	t.Parallel()
	journal := openIn(t, spool.Options{Dir: t.TempDir()})
	appendAll(t, journal, 0, 8)
	ctx, cancel := context.WithCancel(t.Context())
	var sizes []int
	require.ErrorIs(t, journal.Drain(ctx, func(_ context.Context, batch []core.Delivery) error {
		if sizes = append(sizes, len(batch)); len(batch) == 8 {
			return errors.New("too many for me")
		}
		cancel()
		return nil
	}), context.Canceled)
	require.Equal(t, []int{8, 4}, sizes)
}

func TestCloseEndsDrain(t *testing.T) {
	t.Parallel()
	journal := openIn(t, spool.Options{Dir: t.TempDir()})
	appendAll(t, journal, 0, 1)
	ended, running := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- journal.Drain(t.Context(), func(ctx context.Context, _ []core.Delivery) error {
			close(running)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-running
	require.Error(t, journal.Drain(t.Context(), nil), "one at a time")
	journal.Close()
	require.ErrorIs(t, <-ended, context.Canceled)
	journal.Close()
	require.Error(t, journal.Drain(t.Context(), nil))
	require.ErrorIs(t, journal.Ready(t.Context()), ports.ErrJournalUnavailable)
}

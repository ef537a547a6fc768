package spool_test

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func openIn(t testing.TB, options spool.Options) *spool.Spool {
	t.Helper()
	if options.Sealer == nil {
		options.Sealer = seal.Plain()
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	journal, err := spool.Open(options)
	require.NoError(t, err)
	t.Cleanup(journal.Close)
	return journal
}

func open(t *testing.T, _ ports.AcceptDeliveries) ports.Journal {
	t.Helper()
	return openIn(t, spool.Options{Dir: filepath.Join(t.TempDir(), "journal")})
}

func TestJournal(t *testing.T) {
	t.Parallel()
	portstest.RunJournal(t, open)
	portstest.RunStoringJournal(t, open)
}

func appendAll(t testing.TB, journal ports.Journal, from, until int) {
	t.Helper()
	for n := from; n < until; n++ {
		require.NoError(t, journal.Append(t.Context(), portstest.Delivery(n)))
	}
}

// taken drains until as many events came, and gives their ids in order.
func taken(t testing.TB, journal ports.Journal, count int) (ids []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := journal.Drain(ctx, func(_ context.Context, batch []core.Delivery) error {
		for _, d := range batch {
			ids = append(ids, d.ProviderEventID)
		}
		if len(ids) >= count {
			cancel()
		}
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	return ids
}

func ids(from, until int) (list []string) {
	for n := from; n < until; n++ {
		list = append(list, portstest.Delivery(n).ProviderEventID)
	}
	return list
}

func files(t testing.TB, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	return found
}

func TestAnotherProcessGoesOnWhereThisOneEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := openIn(t, spool.Options{Dir: dir})
	appendAll(t, first, 0, 300)
	require.Equal(t, ids(0, 256), taken(t, first, 200), "a batch of 256 was on its way when it was asked to stop")
	first.Close()
	second := openIn(t, spool.Options{Dir: dir})
	appendAll(t, second, 300, 310)
	require.Equal(t, ids(256, 310), taken(t, second, 54))
}

func TestTwoProcessesCannotShareAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	openIn(t, spool.Options{Dir: dir})
	_, err := spool.Open(spool.Options{Dir: dir, Sealer: seal.Plain()})
	require.ErrorIs(t, err, spool.ErrInUse)
}

// The lock goes with the process that held it, however that ended.
func TestAnotherProcessHoldsTheFolderUntilItIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	command := child(t, roleAppend, dir, "0")
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	require.True(t, bufio.NewScanner(out).Scan(), "it has appended")
	_, err = spool.Open(spool.Options{Dir: dir, Sealer: seal.Plain()})
	require.ErrorIs(t, err, spool.ErrInUse)
	require.NoError(t, command.Process.Kill())
	_ = command.Wait()
	openIn(t, spool.Options{Dir: dir})
}

func TestATornLastRecordIsCutOffAndKeptBeside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal := openIn(t, spool.Options{Dir: dir})
	appendAll(t, journal, 0, 3)
	journal.Close()
	path := files(t, dir, "*.segment")[0]
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(text, text[:40]...), 0o600)) // a fourth, of which only the beginning arrived
	again := openIn(t, spool.Options{Dir: dir})
	appendAll(t, again, 3, 4)
	require.Equal(t, ids(0, 4), taken(t, again, 4))
	require.Len(t, files(t, dir, "*.torn"), 1)
}

func TestADamagedRecordIsSetAsideAndTheRestFlows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal := openIn(t, spool.Options{Dir: dir})
	appendAll(t, journal, 0, 5)
	journal.Close()
	path := files(t, dir, "*.segment")[0]
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	at := bytes.Index(text, []byte(portstest.Delivery(2).ProviderEventID))
	require.Positive(t, at)
	text[at] ^= 0xff
	require.NoError(t, os.WriteFile(path, text, 0o600))
	again := openIn(t, spool.Options{Dir: dir})
	require.Equal(t, append(ids(0, 2), ids(3, 5)...), taken(t, again, 4))
	require.Len(t, files(t, dir, "*.damaged"), 1)
}

func TestALostCursorMeansEverythingAgain(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{
		"removed": os.Remove,
		"damaged": func(path string) error { return os.WriteFile(path, []byte("1 99 7"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			journal := openIn(t, spool.Options{Dir: dir})
			appendAll(t, journal, 0, 4)
			taken(t, journal, 4)
			journal.Close()
			require.NoError(t, harm(filepath.Join(dir, "cursor")))
			require.Equal(t, ids(0, 4), taken(t, openIn(t, spool.Options{Dir: dir}), 4))
		})
	}
}

func TestFinishedSegmentsAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal := openIn(t, spool.Options{Dir: dir, SegmentBytes: 1000})
	appendAll(t, journal, 0, 50)
	require.Greater(t, len(files(t, dir, "*.segment")), 5)
	require.Equal(t, ids(0, 50), taken(t, journal, 50))
	require.Len(t, files(t, dir, "*.segment"), 1)
	journal.Close()
	again := openIn(t, spool.Options{Dir: dir, SegmentBytes: 1000})
	appendAll(t, again, 50, 60)
	require.Equal(t, ids(50, 60), taken(t, again, 10))
}

func TestTooMuchWaitingIsRefusedUntilSomeIsTaken(t *testing.T) {
	t.Parallel()
	journal := openIn(t, spool.Options{Dir: t.TempDir(), BacklogBytes: 500})
	n := 0
	for ; ; n++ {
		if err := journal.Append(t.Context(), portstest.Delivery(n)); err != nil {
			require.ErrorIs(t, err, ports.ErrJournalUnavailable)
			break
		}
		require.Less(t, n, 100)
	}
	require.Error(t, journal.Ready(t.Context()))
	taken(t, journal, n)
	require.NoError(t, journal.Append(t.Context(), portstest.Delivery(n)))
	require.NoError(t, journal.Ready(t.Context()))
}

func TestDeliveriesAreSealedOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := seal.GenerateKey()
	ring, err := seal.New([]string{key})
	require.NoError(t, err)
	journal := openIn(t, spool.Options{Dir: dir, Sealer: ring})
	appendAll(t, journal, 0, 2)
	text, err := os.ReadFile(files(t, dir, "*.segment")[0])
	require.NoError(t, err)
	require.NotContains(t, string(text), "evt_")
	require.Equal(t, ids(0, 2), taken(t, journal, 2))
	info, err := os.Stat(files(t, dir, "*.segment")[0])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAfterCloseNothingIsTaken(t *testing.T) {
	t.Parallel()
	journal := openIn(t, spool.Options{Dir: t.TempDir()})
	journal.Close()
	require.ErrorIs(t, journal.Append(t.Context(), portstest.Delivery(1)), ports.ErrJournalUnavailable)
}

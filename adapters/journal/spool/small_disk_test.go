//go:build linux

package spool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

const (
	smallDiskBytes    = 512 << 10
	smallSegmentBytes = 64 << 10
	smallDiskMost     = 20_000 // far more deliveries than fit
)

// TestOnADiskThatIsReallyFull mounts a file system of half a MiB where nobody else sees it, which
// needs no rights but the right to have a namespace.
func TestOnADiskThatIsReallyFull(t *testing.T) {
	t.Parallel()
	command := child(t, roleSmallDisk, t.TempDir())
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := command.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("no namespaces here: %v", err) // TestAFullDiskIsToldAndRecoveredFrom needs none
	}
	require.NoError(t, err, string(out))
}

// must ends the child where something is not as it must be.
func must(what string, good bool, err error) {
	if !good {
		fmt.Println(what, err)
		os.Exit(1)
	}
}

// onASmallDisk is a journal's life on a disk that fills up twice: once by the journal itself,
// which makes room by being drained, and once by somebody else.
func onASmallDisk(dir string) {
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", smallDiskBytes))
	must("mount", err == nil, err)
	folder := filepath.Join(dir, "journal")
	begin := func() *spool.Spool {
		journal, err := spool.Open(spool.Options{Dir: folder, Sealer: seal.Plain(), SegmentBytes: smallSegmentBytes})
		must("open", err == nil, err)
		return journal
	}
	journal := begin()
	n := untilFull(journal, 0)
	// A start while the disk is full, with a tail that was torn by it.
	journal.Close()
	segments, err := filepath.Glob(filepath.Join(folder, "*.segment"))
	must("segments", err == nil && len(segments) > 2, err)
	last, err := os.ReadFile(segments[len(segments)-1])
	must("read", err == nil, err)
	must("tear", os.Truncate(segments[len(segments)-1], int64(len(last)-5)) == nil, nil)
	must("the last record is the torn one", n > 1, nil)
	journal = begin()
	must("still full", untilFull(journal, n) < n+5, nil)
	seen := drainAll(journal, n-1)
	must("drained while full", seen[id(0)] == 1 && seen[id(n-2)] == 1 && seen[id(n-1)] <= 1, fmt.Errorf("%d of %d", len(seen), n))
	must("ready again", journal.Ready(context.Background()) == nil, nil)
	must("takes again", journal.Append(context.Background(), portstest.Delivery(smallDiskMost)) == nil, nil)

	// Now somebody else takes all the room.
	filler := filepath.Join(dir, "filler")
	file, err := os.Create(filler)
	must("filler", err == nil, err)
	for err == nil {
		_, err = file.Write(make([]byte, 4<<10))
	}
	must("filled", errors.Is(err, syscall.ENOSPC), err)
	more := untilFull(journal, smallDiskMost+1)
	must("not ready", errors.Is(journal.Ready(context.Background()), ports.ErrJournalUnavailable), nil)
	must("room", errors.Join(file.Close(), os.Remove(filler)) == nil, nil)
	must("ready with room", journal.Ready(context.Background()) == nil, nil)
	must("takes with room", journal.Append(context.Background(), portstest.Delivery(more)) == nil, nil)
	journal.Close()
	journal = begin()
	seen = drainAll(journal, more+1-smallDiskMost)
	for n := smallDiskMost; n <= more; n++ {
		must("all that was acknowledged", seen[id(n)] == 1, fmt.Errorf("%s: %d times", id(n), seen[id(n)]))
	}
	os.Exit(0)
}

// untilFull appends until the disk is full and gives the number of the first that was refused,
// and was so each time that it was tried.
func untilFull(journal *spool.Spool, n int) int {
	for last := n + smallDiskMost; ; n++ {
		err := journal.Append(context.Background(), portstest.Delivery(n))
		if err != nil {
			must("refused otherwise", errors.Is(err, ports.ErrJournalUnavailable) && errors.Is(err, syscall.ENOSPC), err)
			break
		}
		must("never full", n < last, nil)
	}
	for range refusedAppends {
		if journal.Append(context.Background(), portstest.Delivery(n)) == nil {
			return untilFull(journal, n+1) // what could not be kept of the last one made room
		}
	}
	return n
}

// drainAll hands over until as many came, and counts each.
func drainAll(journal *spool.Spool, until int) map[string]int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := make(map[string]int)
	err := journal.Drain(ctx, func(_ context.Context, batch []core.Delivery) error {
		for _, d := range batch {
			seen[d.ProviderEventID]++
		}
		if len(seen) >= until {
			cancel()
		}
		return nil
	})
	must("drain", errors.Is(err, context.Canceled), err)
	return seen
}

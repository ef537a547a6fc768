package spool_test

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/journal/spool"
	"github.com/paydesk/paydesk/adapters/seal"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func textLogger(to io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

// badDisk is a disk whose faults come when they are asked for.
type badDisk struct {
	mu    sync.Mutex
	begin error // of the next file
	write error // of the next write, half of which arrives
	sync  error // of the next sync
	// failed are files with a sync that failed, which must never be believed again.
	failed map[string]bool
	broken []string // how that was done all the same
}

type badFile struct {
	spool.SegmentFile
	disk *badDisk
	path string
}

func newBadDisk() *badDisk { return &badDisk{failed: make(map[string]bool)} }

// fault takes an error out.
func (d *badDisk) fault(at *error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := *at
	*at = nil
	return err
}

func (d *badDisk) file(path string) (spool.SegmentFile, error) {
	if err := d.fault(&d.begin); err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	file, err := spool.BeginSegment(path)
	d.mu.Lock()
	delete(d.failed, path) // it begins empty
	d.mu.Unlock()
	return badFile{file, d, path}, err
}

func (f badFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.disk.fault(&f.disk.write); err != nil {
		n, _ := f.SegmentFile.WriteAt(b[:len(b)/2], at)
		return n, err
	}
	return f.SegmentFile.WriteAt(b, at)
}

func (f badFile) Sync() error {
	f.disk.mu.Lock()
	if f.disk.failed[f.path] {
		f.disk.broken = append(f.disk.broken, filepath.Base(f.path))
	}
	f.disk.mu.Unlock()
	if err := f.disk.fault(&f.disk.sync); err != nil {
		f.disk.mu.Lock()
		f.disk.failed[f.path] = true
		f.disk.mu.Unlock()
		return err
	}
	return f.SegmentFile.Sync()
}

// Whatever the disk refuses, once, in a fresh file or in one that has records: the delivery is
// refused, the next one is taken without anybody's help, what was acknowledged is there after
// a restart and what was refused is not.
func TestEveryFaultOfTheDisk(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*badDisk){
		"no room for a file":     func(d *badDisk) { d.begin = syscall.ENOSPC },
		"read-only":              func(d *badDisk) { d.begin = syscall.EROFS },
		"no room in the file":    func(d *badDisk) { d.write = syscall.ENOSPC },
		"a short write":          func(d *badDisk) { d.write = io.ErrShortWrite },
		"a sync that fails":      func(d *badDisk) { d.sync = syscall.EIO },
		"a sync without room":    func(d *badDisk) { d.sync = syscall.ENOSPC },
		"quota":                  func(d *badDisk) { d.write = syscall.EDQUOT },
		"a write, then the sync": func(d *badDisk) { d.write, d.sync = io.ErrShortWrite, syscall.EIO },
	}
	for name, fault := range faults {
		for _, before := range []int{0, 3} {
			t.Run(name+map[int]string{0: ", fresh", 3: ", with records"}[before], func(t *testing.T) {
				t.Parallel()
				dir, disk := t.TempDir(), newBadDisk()
				segment := int64(1 << 20)
				journal := openIn(t, spool.Options{Dir: dir, SegmentBytes: segment}.WithFiles(disk.file))
				appendAll(t, journal, 0, before)
				fault(disk)
				if disk.begin != nil && before > 0 {
					journal.Close() // so that the next append begins a file
					journal = openIn(t, spool.Options{Dir: dir, SegmentBytes: segment}.WithFiles(disk.file))
				}
				acknowledged := ids(0, before)
				refused := 0
				for n := before; n < before+5; n++ {
					if err := journal.Append(t.Context(), portstest.Delivery(n)); err != nil {
						require.ErrorIs(t, err, ports.ErrJournalUnavailable)
						require.NoError(t, journal.Ready(t.Context()), "the disk is well again")
						refused++
						continue
					}
					acknowledged = append(acknowledged, id(n))
				}
				require.NotZero(t, refused)
				require.LessOrEqual(t, refused, 2)
				journal.Close()
				require.Empty(t, disk.broken, "a file whose sync failed was synced again")
				require.Equal(t, acknowledged, taken(t, openIn(t, spool.Options{Dir: dir}), len(acknowledged)))
			})
		}
	}
}

// Somebody removes the file that is written to: writing and syncing it would go on without an
// error, and be in vain.
func TestAFileRemovedUnderTheWriterIsNoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal := openIn(t, spool.Options{Dir: dir})
	appendAll(t, journal, 0, 1)
	require.NoError(t, os.Remove(files(t, dir, "*.segment")[0]))
	require.ErrorIs(t, journal.Append(t.Context(), portstest.Delivery(1)), ports.ErrJournalUnavailable)
	appendAll(t, journal, 2, 4)
	journal.Close()
	require.Equal(t, ids(2, 4), taken(t, openIn(t, spool.Options{Dir: dir}), 2), "the next goes into another file")
}

// Somebody removes the whole folder: nothing is acknowledged any more, and the journal says so.
// It does not make the folder anew, whose lock another process could have by then.
func TestAFolderRemovedUnderTheWriterIsNoticed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "journal")
	journal := openIn(t, spool.Options{Dir: dir})
	appendAll(t, journal, 0, 1)
	require.NoError(t, os.RemoveAll(dir))
	for n := range 3 {
		require.ErrorIs(t, journal.Append(t.Context(), portstest.Delivery(n)), ports.ErrJournalUnavailable)
		require.ErrorIs(t, journal.Ready(t.Context()), ports.ErrJournalUnavailable)
	}
	require.NoDirExists(t, dir)
}

func TestAFolderThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{file, filepath.Join(file, "below"), "/proc/no/journal"} {
		_, err := spool.Open(spool.Options{Dir: dir, Sealer: seal.Plain()})
		require.Error(t, err, dir)
	}
}

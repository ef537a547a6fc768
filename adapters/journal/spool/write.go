package spool

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/paydesk/paydesk/ports"
)

// bufferKeptBytesMax is the longest buffer for writing that is used again.
const bufferKeptBytesMax = 1 << 20

var (
	errBacklog = errors.New("too much waits to be taken over")
	errGone    = errors.New("the journal's files were removed")
)

// segmentFile is what is needed of the file that is written to.
type segmentFile interface {
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
	Stat() (os.FileInfo, error)
}

// beginSegment makes an empty file.
func beginSegment(path string) (segmentFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err // no file in an interface
	}
	return file, nil
}

// write appends sealed deliveries and syncs them with one call. It is called by one
// goroutine at a time. After an error nothing of the batch stays.
func (s *Spool) write(sealed [][]byte) error {
	data := s.buffer[:0]
	for _, one := range sealed {
		data = appendRecord(data, one)
	}
	err := s.tryWrite(data)
	if s.buffer = data; cap(data) > bufferKeptBytesMax {
		s.buffer = nil
	}
	s.mu.Lock()
	before := s.problem
	s.problem = err
	s.mu.Unlock()
	switch {
	case err != nil && before == nil: // those after it are the same trouble
		s.logger.Error("the journal takes no deliveries", slog.String("error", err.Error()))
	case err == nil && before != nil:
		s.logger.Info("the journal takes deliveries again")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ports.ErrJournalUnavailable, err)
	}
	select {
	case s.filled <- struct{}{}:
	default: // the one who waits has been told already
	}
	return nil
}

func (s *Spool) tryWrite(data []byte) error {
	file, size, err := s.writable(int64(len(data)))
	if err != nil {
		return err
	}
	_, err = file.WriteAt(data, size)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = stillThere(file)
	}
	if err != nil {
		return errors.Join(err, s.giveUp(file, size))
	}
	s.mu.Lock()
	s.segments[len(s.segments)-1].size += int64(len(data))
	s.mu.Unlock()
	return nil
}

// stillThere reports a file that was removed: writing and syncing it goes on working, and
// nothing of it would be found after a restart.
func stillThere(file segmentFile) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink == 0 {
		return errGone
	}
	return nil
}

// giveUp leaves a file that could not be written. What the disk holds of it now is not
// known, and a sync that failed may pass next time without having written anything: the
// file ends where it was good, and the next append begins another one.
func (s *Spool) giveUp(file segmentFile, good int64) error {
	s.active = nil
	err := errors.Join(file.Truncate(good), file.Close())
	if good > 0 {
		return err
	}
	s.mu.Lock() // an empty file goes, or a full disk would fill with them
	last := len(s.segments) - 1
	number := s.segments[last].number
	s.segments = s.segments[:last]
	s.mu.Unlock()
	return errors.Join(err, os.Remove(s.path(number)))
}

// writable is the file to append to, and where. It begins a new segment where there is
// none or the last one is long enough.
func (s *Spool) writable(size int64) (segmentFile, int64, error) {
	s.mu.Lock()
	full := s.backlog()+size > s.options.BacklogBytes
	number, length := s.cursor.segment, int64(0)
	if len(s.segments) > 0 {
		last := s.segments[len(s.segments)-1]
		number, length = max(number, last.number), last.size
	}
	s.mu.Unlock()
	if full {
		return nil, 0, errBacklog
	}
	if s.active != nil {
		if length < s.options.SegmentBytes {
			return s.active, length, nil
		}
		if err := s.active.Close(); err != nil { // everything in it is synced
			s.logger.Warn("close full segment", slog.String("error", err.Error()))
		}
		s.active = nil
	}
	number++
	// A file that is there already was left by a try that failed below.
	file, err := s.options.begin(s.path(number))
	if err != nil {
		return nil, 0, fmt.Errorf("begin segment: %w", err)
	}
	if err := syncFolder(s.options.Dir); err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	s.active = file
	s.mu.Lock()
	s.segments = append(s.segments, segment{number: number})
	s.mu.Unlock()
	return file, 0, nil
}

func (s *Spool) path(number int64) string {
	return filepath.Join(s.options.Dir, fmt.Sprintf("%016d%s", number, segmentSuffix))
}

// makeFolder makes the journal's folder, and durable that it is there.
func makeFolder(dir string) error {
	made := []string{}
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, os.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		made = append(made, filepath.Dir(at))
	}
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return err
	}
	for _, parent := range made {
		if err := syncFolder(parent); err != nil {
			return err
		}
	}
	return nil
}

// syncFolder makes new and renamed files of a folder durable.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// writeSynced writes a small file whole.
func writeSynced(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

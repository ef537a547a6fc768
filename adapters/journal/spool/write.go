package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/paydesk/paydesk/ports"
)

// bufferKeptBytesMax is the longest buffer for writing that is used again.
const bufferKeptBytesMax = 1 << 20

var errBacklog = errors.New("too much waits to be taken over")

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
	if err != nil {
		return errors.Join(err, s.giveUp(file, size))
	}
	s.mu.Lock()
	s.segments[len(s.segments)-1].size += int64(len(data))
	s.mu.Unlock()
	return nil
}

// giveUp leaves a file that could not be written. What the disk holds of it now is not
// known, and a sync that failed may pass next time without having written anything: the
// file ends where it was good, and the next append begins another one.
func (s *Spool) giveUp(file *os.File, good int64) error {
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
func (s *Spool) writable(size int64) (*os.File, int64, error) {
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
	file, err := os.OpenFile(s.path(number), os.O_CREATE|os.O_TRUNC|os.O_RDWR, fileMode)
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

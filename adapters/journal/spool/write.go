package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/paydesk/paydesk/ports"
)

// write appends records and syncs them with one call. It is called by one goroutine at
// a time. After an error nothing of the batch stays.
func (s *Spool) write(records [][]byte) error {
	err := s.tryWrite(slices.Concat(records...))
	s.mu.Lock()
	s.problem = err
	s.mu.Unlock()
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
	s.mu.Lock()
	full := s.backlog() > s.options.BacklogBytes
	s.mu.Unlock()
	if full {
		return errors.New("too much waits to be taken over")
	}
	file, size, err := s.writable()
	if err != nil {
		return err
	}
	_, err = file.WriteAt(data, size)
	if err == nil {
		err = file.Sync()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last := &s.segments[len(s.segments)-1]
	if err != nil {
		// What the disk holds now is not known, and a sync that failed may pass next time
		// without having written anything: go on in a new file, and cut this one off where
		// it was good.
		s.active = nil
		return errors.Join(err, file.Truncate(last.size), file.Close())
	}
	last.size += int64(len(data))
	return nil
}

// writable is the file to append to, and where. It begins a new segment where there is
// none or the last one is long enough.
func (s *Spool) writable() (*os.File, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active != nil {
		size := s.segments[len(s.segments)-1].size
		if size < s.options.SegmentBytes {
			return s.active, size, nil
		}
		if err := s.active.Close(); err != nil {
			s.logger.Warn("close full segment", "error", err.Error())
		}
		s.active = nil
	}
	number := int64(1)
	if len(s.segments) > 0 {
		number = s.segments[len(s.segments)-1].number + 1
	} else if s.cursor.segment >= number {
		number = s.cursor.segment + 1
	}
	file, err := os.OpenFile(s.path(number), os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	if errors.Is(err, os.ErrExist) { // left over from a try that failed below
		file, err = os.OpenFile(s.path(number), os.O_TRUNC|os.O_RDWR, fileMode)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("begin segment: %w", err)
	}
	if err := syncFolder(s.options.Dir); err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	s.segments = append(s.segments, segment{number: number})
	s.active = file
	return file, 0, nil
}

func (s *Spool) path(number int64) string {
	return filepath.Join(s.options.Dir, fmt.Sprintf("%016d.segment", number))
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

package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const cursorName = "cursor"

// recover finds out what an earlier process left.
func (s *Spool) recover() error {
	entries, err := os.ReadDir(s.options.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		var number int64
		if !strings.HasSuffix(entry.Name(), ".segment") {
			continue
		}
		if _, err := fmt.Sscanf(entry.Name(), "%d.segment", &number); err != nil {
			continue // not one of ours
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		s.segments = append(s.segments, segment{number: number, size: info.Size()})
	}
	slices.SortFunc(s.segments, func(a, b segment) int { return int(a.number - b.number) })
	s.cursor = s.readCursor()
	if len(s.segments) == 0 {
		return nil
	}
	return s.cutTornTail(&s.segments[len(s.segments)-1])
}

// readCursor gives where to go on. A cursor that is lost or damaged means from the
// start: events are stored once however often they come.
func (s *Spool) readCursor() position {
	var at position
	var sum uint32
	text, err := os.ReadFile(filepath.Join(s.options.Dir, cursorName))
	if err != nil {
		return position{}
	}
	if _, err := fmt.Sscanf(string(text), "%d %d %d", &at.segment, &at.offset, &sum); err != nil || sum != at.sum() {
		s.logger.Warn("the journal's cursor is damaged; everything in it is handed over again")
		return position{}
	}
	return at
}

func (p position) sum() uint32 {
	return crc32.Checksum(fmt.Appendf(nil, "%d %d", p.segment, p.offset), castagnoli)
}

// writeCursor remembers how far the journal was taken over. It is not synced: losing it
// costs time and nothing else.
func (s *Spool) writeCursor(at position) error {
	path := filepath.Join(s.options.Dir, cursorName)
	if err := os.WriteFile(path+".new", fmt.Appendf(nil, "%d %d %d\n", at.segment, at.offset, at.sum()), fileMode); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// cutTornTail ends the last segment after its last whole record. What is cut off was
// never acknowledged, but is kept beside, should anybody doubt it.
func (s *Spool) cutTornTail(last *segment) (err error) {
	file, err := os.OpenFile(s.path(last.number), os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	good, err := wholeRecords(file, last.size)
	if err != nil || good == last.size {
		return err
	}
	tail := make([]byte, min(last.size-good, recordBytesMax))
	if _, err := file.ReadAt(tail, good); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	s.setAside(last.number, good, tail, "torn")
	if err := errors.Join(file.Truncate(good), file.Sync()); err != nil {
		return err
	}
	last.size = good
	return nil
}

// wholeRecords gives the end of the last record that is there in full. A damaged record
// with others behind it is passed over here, and set aside when its turn comes.
func wholeRecords(file *os.File, size int64) (int64, error) {
	var good, at int64
	head := make([]byte, recordHeaderBytes)
	for at+recordHeaderBytes <= size {
		if _, err := file.ReadAt(head, at); err != nil {
			return 0, err
		}
		length, sum, ok := header(head)
		end := at + recordHeaderBytes + int64(length)
		if !ok || end > size {
			break
		}
		body := make([]byte, length)
		if _, err := file.ReadAt(body, at+recordHeaderBytes); err != nil {
			return 0, err
		}
		if crc32.Checksum(body, castagnoli) == sum {
			good = end
		}
		at = end
	}
	return good, nil
}

// setAside keeps bytes that are no record in a file of their own, and says so.
func (s *Spool) setAside(number, offset int64, data []byte, why string) {
	name := fmt.Sprintf("%016d-%d.%s", number, offset, why)
	err := writeSynced(filepath.Join(s.options.Dir, name), data)
	s.logger.Error("a part of the journal was set aside", slog.String("file", name), slog.Int("bytes", len(data)), slog.Bool("kept", err == nil))
}

package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	// tailKeptBytesMax is how much of a torn tail is kept beside; more than one write.
	tailKeptBytesMax = 8 << 20

	segmentSuffix = ".segment"
)

// recover finds out what an earlier process left.
func (s *Spool) recover() error {
	entries, err := os.ReadDir(s.options.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		var number int64
		if !strings.HasSuffix(entry.Name(), segmentSuffix) {
			continue
		}
		if _, err := fmt.Sscanf(entry.Name(), "%d"+segmentSuffix, &number); err != nil {
			continue // not one of ours
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		s.segments = append(s.segments, segment{number: number, size: info.Size()})
	}
	slices.SortFunc(s.segments, func(a, b segment) int { return cmp.Compare(a.number, b.number) })
	if len(s.segments) > 0 {
		if err := s.cutTornTail(&s.segments[len(s.segments)-1]); err != nil {
			return err
		}
	}
	var damaged bool
	if s.remembered, s.cursor, damaged, err = openCursor(s.options.Dir); err != nil {
		return err
	}
	if damaged {
		s.logger.Warn("the journal's cursor is damaged; what is left of the journal is handed over again")
	}
	return nil
}

// cutTornTail ends the last segment after its last whole record. What is cut off was
// never acknowledged, but is kept beside, should anybody doubt it. Damage with whole
// records behind it stays, and is set aside when its turn comes.
func (s *Spool) cutTornTail(last *segment) (err error) {
	file, err := os.OpenFile(s.path(last.number), os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	good := int64(0)
	records := reader{file: file, end: last.size}
	for {
		p, err := records.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if p.sealed != nil {
			good = records.at
		}
	}
	if good == last.size {
		return nil
	}
	tail := make([]byte, min(last.size-good, tailKeptBytesMax))
	if _, err := file.ReadAt(tail, good); err != nil {
		return err
	}
	// A disk that is too full to keep the tail must not keep the journal from its start.
	_ = s.setAside(position{last.number, good}, tail, asideTorn)
	if err := errors.Join(file.Truncate(good), file.Sync()); err != nil {
		return err
	}
	last.size = good
	return nil
}

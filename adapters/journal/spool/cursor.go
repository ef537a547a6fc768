package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	cursorName = "cursor"
	// A slot is a segment's number, an offset and a CRC-32C of both.
	cursorSlotBytes = 8 + 8 + 4
	cursorSlots     = 2
	// cursorSyncEvery is how often the cursor is synced at most. Without a loss of power
	// nothing depends on it; with one, what was taken over since comes again.
	cursorSyncEvery = time.Second
)

// position is a place in the journal.
type position struct {
	segment int64
	offset  int64
}

func (p position) before(other position) bool {
	return p.segment < other.segment || p.segment == other.segment && p.offset < other.offset
}

// cursor is the file that remembers how far the journal was taken over. Its slots are
// written in turn, so that one is good whenever the machine stops. It belongs to the one
// Drain, or to whoever opens and closes the journal.
type cursor struct {
	file   *os.File
	slot   int64 // to be written next
	dirty  bool  // written since the last sync
	synced time.Time
}

// openCursor gives the file and where to go on. damaged reports that no slot can be
// read, although there was something: then everything comes again.
func openCursor(dir string) (c *cursor, at position, damaged bool, err error) {
	file, err := os.OpenFile(filepath.Join(dir, cursorName), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, position{}, false, fmt.Errorf("open cursor: %w", err)
	}
	c = &cursor{file: file}
	slots := make([]byte, cursorSlots*cursorSlotBytes)
	n, err := file.ReadAt(slots, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, position{}, false, errors.Join(fmt.Errorf("read cursor: %w", err), file.Close())
	}
	found := false
	for slot := range int64(cursorSlots) {
		if p, ok := readSlot(slots[slot*cursorSlotBytes:][:cursorSlotBytes]); ok && !p.before(at) {
			at, found = p, true
			c.slot = (slot + 1) % cursorSlots
		}
	}
	return c, at, n > 0 && !found, nil
}

func readSlot(b []byte) (position, bool) {
	p := position{int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:]))}
	good := crc32.Checksum(b[:16], castagnoli) == binary.LittleEndian.Uint32(b[16:])
	return p, good && p.segment > 0 && p.offset >= 0
}

// write remembers a position against the death of the process.
func (c *cursor) write(at position) error {
	b := make([]byte, 0, cursorSlotBytes)
	b = binary.LittleEndian.AppendUint64(b, uint64(at.segment))
	b = binary.LittleEndian.AppendUint64(b, uint64(at.offset))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if _, err := c.file.WriteAt(b, c.slot*cursorSlotBytes); err != nil {
		return fmt.Errorf("write cursor: %w", err)
	}
	c.slot = (c.slot + 1) % cursorSlots
	c.dirty = true
	return nil
}

// sync has what was written survive a loss of power, unless it synced just before.
func (c *cursor) sync(now time.Time) error {
	if !c.dirty || now.Sub(c.synced) < cursorSyncEvery {
		return nil
	}
	if err := c.file.Sync(); err != nil {
		return fmt.Errorf("sync cursor: %w", err)
	}
	c.dirty, c.synced = false, now
	return nil
}

// close syncs what was written and lets go of the file.
func (c *cursor) close() error {
	c.synced = time.Time{}
	return errors.Join(c.sync(time.Now()), c.file.Close())
}

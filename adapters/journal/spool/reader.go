package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// windowBytes is how much of a segment is held while it is read: room for the longest
// record.
const windowBytes = recordHeaderBytes + recordBytesMax

// reader goes through one segment, record by record. Bytes that belong to no whole
// record are given as such, and reading goes on behind them.
type reader struct {
	file   io.ReaderAt
	at     int64  // where data begins
	end    int64  // of what may be read
	data   []byte // of the file from at on, in window
	window []byte // grows to windowBytes and can be handed from reader to reader
}

// piece is a whole record, or a stretch without any. It holds until the next one is read.
type piece struct {
	offset int64
	raw    []byte // with the header
	sealed []byte // nil where raw is no record
}

// next gives the next piece; [io.EOF] after the last.
func (r *reader) next() (piece, error) {
	if r.at >= r.end {
		return piece{}, io.EOF
	}
	if err := r.fill(recordHeaderBytes); err != nil {
		return piece{}, err
	}
	if len(r.data) >= recordHeaderBytes {
		if length := recordLength(r.data); length > 0 {
			if err := r.fill(length); err != nil {
				return piece{}, err
			}
			if len(r.data) >= length {
				if sealed, ok := wholeRecord(r.data[:length]); ok {
					return r.take(length, sealed), nil
				}
			}
		}
	}
	if err := r.fill(windowBytes); err != nil {
		return piece{}, err
	}
	return r.take(r.distance(), nil), nil
}

func (r *reader) take(length int, sealed []byte) piece {
	p := piece{offset: r.at, raw: r.data[:length:length], sealed: sealed}
	r.at += int64(length)
	r.data = r.data[length:]
	return p
}

// fill has data hold as many bytes, or all up to the end.
func (r *reader) fill(need int) error {
	if int64(len(r.data)) >= min(int64(need), r.end-r.at) {
		return nil
	}
	size := int(min(int64(windowBytes), r.end-r.at))
	if cap(r.window) < size {
		r.window = make([]byte, size)
	}
	r.data = r.window[:size]
	if n, err := r.file.ReadAt(r.data, r.at); n < size {
		r.data = nil
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // the file is shorter than it was
		}
		return fmt.Errorf("read segment at %d: %w", r.at, err)
	}
	return nil
}

// distance is how far behind the start of data the next record may begin; all of data
// where there is none.
func (r *reader) distance() int {
	for at := 1; at < len(r.data); at++ {
		next := bytes.IndexByte(r.data[at:], recordMark[0])
		if next < 0 {
			break
		}
		at += next
		if r.mayBegin(at) {
			return at
		}
	}
	return len(r.data)
}

// mayBegin reports whether a record begins there, as far as can be seen: one that is cut
// by the window's end is looked at when the window has moved.
func (r *reader) mayBegin(at int) bool {
	rest := r.data[at:]
	if len(rest) < recordHeaderBytes {
		return bytes.HasPrefix(rest, []byte(recordMark)[:min(len(rest), len(recordMark))])
	}
	length := recordLength(rest)
	if length == 0 || r.at+int64(at+length) > r.end {
		return false
	}
	if length > len(rest) {
		return true
	}
	_, ok := wholeRecord(rest[:length])
	return ok
}

package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"github.com/paydesk/paydesk/core"
)

// A record is a header and the sealed delivery. The header is a mark by which the next
// record is found behind a damaged one, the length of what follows, and a CRC-32C of
// that length and what follows.
const (
	recordMark        = "\xf5PDj"
	recordHeaderBytes = len(recordMark) + 4 + 4
	// recordBytesMax is above the longest webhook and what encoding and sealing add.
	recordBytesMax = 1<<20 + 64<<10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errRecord = errors.New("record is damaged")

// appendRecord appends a sealed delivery's record to b.
func appendRecord(b, sealed []byte) []byte {
	start := len(b)
	b = append(b, recordMark...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(sealed)))
	b = binary.LittleEndian.AppendUint32(b, recordSum(b[start+len(recordMark):], sealed))
	return append(b, sealed...)
}

// recordSum is over a record's length, in the form of the header, and its content.
func recordSum(length, sealed []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, sealed)
}

// recordLength is how much of b the record at its start takes, with its header; 0 where
// none begins there. b holds a header at least.
func recordLength(b []byte) int {
	length := binary.LittleEndian.Uint32(b[len(recordMark):])
	if string(b[:len(recordMark)]) != recordMark || length == 0 || length > recordBytesMax {
		return 0
	}
	return recordHeaderBytes + int(length)
}

// wholeRecord gives what the record that b consists of holds; false where it is damaged.
func wholeRecord(b []byte) ([]byte, bool) {
	header, sealed := b[:recordHeaderBytes], b[recordHeaderBytes:]
	length, sum := header[len(recordMark):len(recordMark)+4], header[len(recordMark)+4:]
	return sealed, recordSum(length, sealed) == binary.LittleEndian.Uint32(sum)
}

// deliveryVersion begins the plain form of a delivery.
const deliveryVersion = 1

// encode appends a delivery to b: the version, the time in microseconds, each text with
// its length before it, the body.
func encode(b []byte, d core.Delivery) []byte {
	b = append(b, deliveryVersion)
	b = binary.AppendVarint(b, d.ReceivedAt.UnixMicro())
	for _, text := range []string{
		string(d.Account), d.ProviderEventID, d.Type, string(d.Ref.Account), string(d.Ref.Kind), d.Ref.ID, d.APIVersion, d.Trace,
	} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return append(b, d.Body...)
}

// decode reads what encode wrote.
func decode(b []byte) (d core.Delivery, err error) {
	if len(b) == 0 || b[0] != deliveryVersion {
		return d, errRecord
	}
	micros, n := binary.Varint(b[1:])
	if n <= 0 {
		return d, errRecord
	}
	b = b[1+n:]
	var account, refAccount, refKind string
	for _, text := range []*string{&account, &d.ProviderEventID, &d.Type, &refAccount, &refKind, &d.Ref.ID, &d.APIVersion, &d.Trace} {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return core.Delivery{}, errRecord
		}
		*text = string(b[n : n+int(length)])
		b = b[n+int(length):]
	}
	d.Account, d.Ref.Account, d.Ref.Kind = core.AccountName(account), core.AccountName(refAccount), core.ObjectKind(refKind)
	d.ReceivedAt, d.Body = time.UnixMicro(micros).UTC(), b
	return d, nil
}

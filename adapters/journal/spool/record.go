package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"github.com/paydesk/paydesk/core"
)

// A record is a header of 8 bytes, length and CRC-32C of what follows, and the sealed
// delivery.
const (
	recordHeaderBytes = 8
	// recordBytesMax is above the largest webhook and what sealing adds.
	recordBytesMax = 2 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errRecord = errors.New("record is damaged")

// frame puts the header in front.
func frame(sealed []byte) []byte {
	record := make([]byte, recordHeaderBytes, recordHeaderBytes+len(sealed))
	binary.LittleEndian.PutUint32(record, uint32(len(sealed)))
	binary.LittleEndian.PutUint32(record[4:], crc32.Checksum(sealed, castagnoli))
	return append(record, sealed...)
}

// header reads a record's header; ok is false for one that no record has.
func header(b []byte) (length int, sum uint32, ok bool) {
	if len(b) < recordHeaderBytes {
		return 0, 0, false
	}
	length = int(binary.LittleEndian.Uint32(b))
	return length, binary.LittleEndian.Uint32(b[4:]), length > 0 && length <= recordBytesMax
}

// deliveryVersion begins the plain form of a delivery.
const deliveryVersion = 1

// encode writes a delivery: the version, the time in microseconds, each text with its
// length before it, the body.
func encode(d core.Delivery) []byte {
	b := make([]byte, 0, len(d.Body)+256)
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

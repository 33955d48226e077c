package kafka

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The record batch of the message format v2 (Kafka 0.11 and later):
//
//	 0 base offset int64            27 base timestamp int64
//	 8 length of what follows int32 35 max timestamp int64
//	12 leader epoch int32           43 producer id int64
//	16 magic int8                   51 producer epoch int16
//	17 CRC-32C of what follows      53 base sequence int32
//	21 attributes int16             57 number of records int32
//	23 last offset delta int32      61 records, compressed as the attributes say
const (
	batchPrefix = 12 // bytes before those that the length counts
	batchHeader = 61
	batchMagic  = 2
)

const (
	codecMask       = 7
	appendTimeFlag  = 1 << 3 // all records have the time at which the broker stored them
	transactionFlag = 1 << 4
	controlFlag     = 1 << 5
)

// A recordBatch is one batch as it was fetched.
type recordBatch struct {
	base, last int64 // offsets; compaction may have left fewer records, or none
	attributes int16
	baseTime   int64 // milliseconds
	maxTime    int64
	producer   int64
	count      int
	crc        uint32
	summed     []byte // what the checksum is about
	payload    []byte // records, maybe compressed
}

func (b *recordBatch) codec() int8           { return int8(b.attributes & codecMask) }
func (b *recordBatch) isControl() bool       { return b.attributes&controlFlag != 0 }
func (b *recordBatch) isTransactional() bool { return b.attributes&transactionFlag != 0 }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// intact reports whether the checksum fits.
func (b *recordBatch) intact() bool { return crc32.Checksum(b.summed, castagnoli) == b.crc }

// nextBatch takes the first batch off data. ok is false when data ends before it does: a broker cuts the last one off
// when the answer is full.
func nextBatch(data []byte) (b recordBatch, rest []byte, ok bool, err error) {
	if len(data) < batchPrefix+5 {
		return b, nil, false, nil
	}
	length := int64(int32(binary.BigEndian.Uint32(data[8:])))
	b.base = int64(binary.BigEndian.Uint64(data))
	if magic := int8(data[16]); magic != batchMagic {
		return b, nil, false, fmt.Errorf("the batch at offset %d has message format %d; only 2 (Kafka 0.11 and later) is read", b.base, magic)
	}
	if length < batchHeader-batchPrefix {
		return b, nil, false, fmt.Errorf("the batch at offset %d is damaged: its length is %d", b.base, length)
	}
	if int64(len(data)) < batchPrefix+length {
		return b, nil, false, nil
	}
	p := data[:batchPrefix+length]
	b.crc = binary.BigEndian.Uint32(p[17:])
	b.summed = p[21:]
	b.attributes = int16(binary.BigEndian.Uint16(p[21:]))
	b.last = b.base + int64(int32(binary.BigEndian.Uint32(p[23:])))
	b.baseTime = int64(binary.BigEndian.Uint64(p[27:]))
	b.maxTime = int64(binary.BigEndian.Uint64(p[35:]))
	b.producer = int64(binary.BigEndian.Uint64(p[43:]))
	b.count = int(int32(binary.BigEndian.Uint32(p[57:])))
	b.payload = p[batchHeader:]
	if b.last < b.base || b.count < 0 {
		return b, nil, false, fmt.Errorf("the batch at offset %d is damaged: its last offset is %d, it has %d records", b.base, b.last, b.count)
	}
	return b, data[len(p):], true, nil
}

// after returns the offset after the last whole batch of data, or from when there is none.
func after(data []byte, from int64) (next int64, err error) {
	for next = from; ; {
		b, rest, ok, err := nextBatch(data)
		if !ok || err != nil {
			return next, err
		}
		next, data = max(next, b.last+1), rest
	}
}

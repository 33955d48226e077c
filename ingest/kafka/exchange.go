package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
)

// maxResponse bounds the answer that is read of a broker, in bytes. It is far above any: what is larger is no Kafka.
const maxResponse = 1 << 30

// An exchange is one request and its answer, in our own encoding. The library's would read a fetched batch into pages
// and a value for each record, and forget where a compacted batch ends; it also knows no version with topic ids. Through
// [protocol.RawExchanger] it still brings the connections: dialling, TLS, SASL, one request at a time on each.
type exchange struct {
	key      protocol.ApiKey
	version  int16
	flexible bool  // the version has compact lengths and tagged fields (KIP-482)
	broker   int32 // who is asked; -1 is anybody
	encode   func(*encoder)
	decode   func(*decoder)
}

// ApiKey implements [protocol.Message].
func (e *exchange) ApiKey() protocol.ApiKey { return e.key }

// Broker implements [protocol.BrokerMessage].
func (e *exchange) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: e.broker}, nil
}

// Required implements [protocol.RawExchanger].
func (e *exchange) Required(map[protocol.ApiKey]int16) bool { return true }

const (
	clientID    = "logflume"
	correlation = 1 // a connection has one request at a time
)

// RawExchange implements [protocol.RawExchanger].
func (e *exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	out := &encoder{b: make([]byte, 4, 256)}
	out.int16(int16(e.key))
	out.int16(e.version)
	out.int32(correlation)
	out.string(clientID) // never compact in this place
	out.flexible = e.flexible
	out.tags()
	e.encode(out)
	binary.BigEndian.PutUint32(out.b, uint32(len(out.b)-4))
	if _, err := rw.Write(out.b); err != nil {
		return nil, err
	}

	in := &decoder{r: rw, left: 8}
	size, id := in.int32(), in.int32()
	switch {
	case in.err != nil:
		return nil, in.err
	case size < 4 || size > maxResponse || id != correlation:
		return nil, fmt.Errorf("this is no answer of a Kafka broker (size %d, correlation %d)", size, id)
	}
	in.left, in.flexible = int(size)-4, e.flexible
	in.tags()
	e.decode(in)
	in.discard(in.left)
	return e, in.err
}

// An encoder appends the values of a request. The first error of a decoder stays; an encoder has none.
type encoder struct {
	b        []byte
	flexible bool
}

func (e *encoder) int8(v int8)   { e.b = append(e.b, byte(v)) }
func (e *encoder) int16(v int16) { e.b = binary.BigEndian.AppendUint16(e.b, uint16(v)) }
func (e *encoder) int32(v int32) { e.b = binary.BigEndian.AppendUint32(e.b, uint32(v)) }
func (e *encoder) int64(v int64) { e.b = binary.BigEndian.AppendUint64(e.b, uint64(v)) }
func (e *encoder) uuid(v uuid)   { e.b = append(e.b, v[:]...) }

func (e *encoder) string(s string) {
	if e.flexible {
		e.b = binary.AppendUvarint(e.b, uint64(len(s))+1)
	} else {
		e.int16(int16(len(s)))
	}
	e.b = append(e.b, s...)
}

// array begins an array of n elements; -1 is null.
func (e *encoder) array(n int) {
	if e.flexible {
		e.b = binary.AppendUvarint(e.b, uint64(n+1))
	} else {
		e.int32(int32(n))
	}
}

// tags ends a structure.
func (e *encoder) tags() {
	if e.flexible {
		e.b = append(e.b, 0)
	}
}

// A decoder reads the values of an answer. After an error it returns zeros.
type decoder struct {
	r        io.Reader
	left     int // bytes of the answer that were not read yet
	flexible bool
	err      error
	scratch  [16]byte
}

var errShort = errors.New("the broker's answer ends too early")

// fixed returns the next n bytes, at most 16, which are valid until the next call.
func (d *decoder) fixed(n int) []byte {
	p := d.scratch[:n]
	clear(p)
	d.read(p)
	return p
}

// read fills p.
func (d *decoder) read(p []byte) {
	if d.err == nil && len(p) > d.left {
		d.err = errShort
	}
	if d.err != nil {
		return
	}
	if _, d.err = io.ReadFull(d.r, p); d.err == nil {
		d.left -= len(p)
	}
}

func (d *decoder) int8() int8   { return int8(d.fixed(1)[0]) }
func (d *decoder) int16() int16 { return int16(binary.BigEndian.Uint16(d.fixed(2))) }
func (d *decoder) int32() int32 { return int32(binary.BigEndian.Uint32(d.fixed(4))) }
func (d *decoder) int64() int64 { return int64(binary.BigEndian.Uint64(d.fixed(8))) }
func (d *decoder) uuid() uuid   { return uuid(d.fixed(16)) }

func (d *decoder) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64 && d.err == nil; shift += 7 {
		c := d.fixed(1)[0]
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	return v
}

// length reads a length that stands as the given width in versions that are not flexible; -1 is null.
func (d *decoder) length(width int) int {
	var n int
	switch {
	case d.flexible:
		n = int(d.uvarint()) - 1
	case width == 2:
		n = int(d.int16())
	default:
		n = int(d.int32())
	}
	if d.err == nil && n > d.left {
		d.err = errShort
	}
	if d.err != nil {
		return 0
	}
	return n
}

// array reads how many elements follow.
func (d *decoder) array() int { return max(d.length(4), 0) }

func (d *decoder) string() string {
	p := make([]byte, max(d.length(2), 0))
	d.read(p)
	return string(p)
}

func (d *decoder) discard(n int) {
	if d.err != nil || n <= 0 {
		return
	}
	if _, d.err = io.CopyN(io.Discard, d.r, int64(n)); d.err == nil {
		d.left -= n
	}
}

// tags passes over the tagged fields at the end of a structure.
func (d *decoder) tags() {
	if !d.flexible {
		return
	}
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		d.uvarint()
		size := d.uvarint()
		if size > uint64(d.left) {
			d.err = errShort
			return
		}
		d.discard(int(size))
	}
}

// ints32 passes over an array of 32-bit integers.
func (d *decoder) ints32() {
	if n := d.array(); n <= d.left/4 {
		d.discard(4 * n)
	} else if d.err == nil {
		d.err = errShort
	}
}

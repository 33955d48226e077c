package kafka

import (
	"errors"
	"io"
)

// records reads the records of one batch, field by field, from memory or from a decompressor. A field of any length is
// read in bounded memory: take keeps its head. After an error all values are zero.
type records struct {
	buf     []byte
	at, end int       // what is left of it
	src     io.Reader // where more comes from; nil when buf has it all
	read    int64     // bytes taken since the batch began
	err     error
}

var errDamaged = errors.New("the batch is damaged: a record does not end where it says")

// more makes sure that a byte is there, and reports whether one is.
func (r *records) more() bool {
	if r.at < r.end {
		return true
	}
	if r.err == nil && r.src != nil {
		var n int
		for n == 0 && r.err == nil {
			n, r.err = r.src.Read(r.buf)
		}
		r.at, r.end = 0, n
		if n > 0 {
			if errors.Is(r.err, io.EOF) { // it comes again
				r.err = nil
			}
			return true
		}
	}
	if r.err == nil || errors.Is(r.err, io.EOF) {
		r.err = errDamaged
	}
	return false
}

// varint reads an integer in zigzag encoding.
func (r *records) varint() int64 {
	var v uint64
	for shift := 0; shift < 70; shift += 7 {
		if !r.more() {
			return 0
		}
		c := r.buf[r.at]
		r.at++
		r.read++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int64(v>>1) ^ -int64(v&1)
		}
	}
	r.err = errDamaged
	return 0
}

// take reads a field of n bytes and appends its first keep to p.
func (r *records) take(p []byte, n, keep int) []byte {
	keep = min(n, keep)
	for left := keep; left > 0 && r.more(); {
		k := min(left, r.end-r.at)
		p = append(p, r.buf[r.at:r.at+k]...)
		r.at += k
		r.read += int64(k)
		left -= k
	}
	r.skip(n - keep)
	return p
}

// skip passes over n bytes.
func (r *records) skip(n int) {
	for n > 0 && r.more() {
		k := min(n, r.end-r.at)
		r.at += k
		r.read += int64(k)
		n -= k
	}
}

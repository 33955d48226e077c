package file

import (
	"bytes"
	"cmp"
	"strings"
)

// longer returns a file that has all of f and more, and that is about to be given a stream too, f's being r. A compressed
// one waits for a plain one that has just as much: that is not known for its copy once the compressed one has the stream.
func (k *keeper) longer(f *openFile, r *row) *openFile {
	// There is time to unpack others when nothing of f is left to be read.
	if f.packing == plain && f.size == r.Position && r.wait != nil && r.wait.cut && k.digesting > 0 {
		for _, o := range k.files {
			if o.packing != plain && o.state == placing && o.digest == nil {
				return o
			}
		}
	}
	for o := range k.heads.alike(f.head) {
		if o != f && o.row == nil && (o.undecided() || o.state == held) && f.isWithin(o, r) {
			return o
		}
	}
	return nil
}

// isWithin reports whether o, which may continue r as f may, has all of f and more.
func (f *openFile) isWithin(o *openFile, r *row) bool {
	switch {
	case o.packing == plain:
		return (o.size > f.extent() || o.size == f.extent() && f.packing != plain) && f.copies(o)
	case f.packing == plain:
		return f.beginsPacked(o) && o.digest.size > f.size && o.mayHold(r)
	}
	return false
}

// beginsPacked reports whether o, a compressed file, has all of f, as far as is known.
func (f *openFile) beginsPacked(o *openFile) bool {
	d := o.digest
	if d == nil || d.size < f.size || !bytes.HasPrefix(o.head, f.head) {
		return false
	}
	if f.size <= int64(len(f.head)) || !d.covers([]int64{f.size}) {
		return true
	}
	end, err := readBefore(f.handle, f.size)
	if err != nil || !d.has(milestone{f.size, markOf(end)}) {
		return false
	}
	return strings.HasPrefix(string(o.trail(f.size)), string(f.trail(f.size)))
}

// mayHold reports whether f, which is compressed, has r's bytes, as far as its digest tells.
func (f *openFile) mayHold(r *row) bool {
	return f.mayBe(r) && r.matches(f.head) && f.digest != nil && (!f.digest.covers([]int64{r.Position}) || f.holds(r))
}

// yield has f wait for o, which is about to continue r with more than f has.
func (k *keeper) yield(f, o *openFile, r *row) {
	k.hold(f, o)
	if o.packing != plain {
		f.former = r
	}
}

// hasYielded reports whether f's stream was continued by a compressed file that has all of f. That is not known for its
// original by anything else.
func (f *openFile) hasYielded() bool {
	if f.packing != plain || f.former == nil {
		return false
	}
	o := f.former.file
	return o != nil && o.packing != plain && f.comparedWithin(o)
}

// comparedWithin reports whether o, a compressed file, has all of f, and its digest says so to the last byte of f.
func (f *openFile) comparedWithin(o *openFile) bool {
	return f.beginsPacked(o) && (f.size <= int64(len(f.head)) || o.digest.covers([]int64{f.size}))
}

// continuing returns a compressed file that has all of f and continues a stream that f would have continued, if that had not
// been found first.
func (k *keeper) continuing(f *openFile) *openFile {
	if f.packing != plain {
		return nil
	}
	for o := range k.heads.alike(f.head) {
		if o.packing != plain && o.state != done && o.whole > 0 && cmp.Or(o.row, o.claimed) != nil && f.comparedWithin(o) {
			return o
		}
	}
	return nil
}

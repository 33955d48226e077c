package file

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A trail tells whether a content is the beginning of a stream's. It has 4 hexadecimal digits of the hash of the up to 128
// bytes before each of the positions of trails that the stream has passed.
type trail string

const (
	trailDigits = 4
	trailStep   = 64  // between the positions up to headSizeMax
	trailEnd    = 150 // positions, the last of which is beyond any file
)

// trailPosition returns the i-th position of trails: every 64 bytes of the head, and then four until it is twice as far.
// What many files begin with must not hide that they differ then.
func trailPosition(i int) int64 {
	beyond := i + 1 - headSizeMax/trailStep
	if beyond <= 0 {
		return int64(i+1) * trailStep
	}
	return int64(4+beyond%4) * headSizeMax / 4 << (beyond / 4)
}

// next returns the position that the trail has to be extended with.
func (t trail) next() int64 { return trailPosition(len(t) / trailDigits) }

// extended returns the trail up to position to of a content that begins with head; before returns bytes beyond that.
func (t trail) extended(to int64, head []byte, before func(pos int64) ([]byte, error)) (trail, error) {
	for pos := t.next(); pos <= to; pos = t.next() {
		p := head[:min(pos, int64(len(head)))]
		p = p[max(0, len(p)-anchorSize):]
		if pos > int64(len(head)) {
			var err error
			if p, err = before(pos); err != nil {
				return "", err
			}
		}
		t += trail(fmt.Sprintf("%04x", uint16(xxhash.Sum64(p))))
	}
	return t, nil
}

// leaveTrail extends the trail up to position to, which the file reaches.
func (r *reading) leaveTrail(to int64) error {
	if r.file == nil {
		return nil
	}
	t, err := r.notes.Trail.extended(to, r.head, func(pos int64) ([]byte, error) { return readBefore(r.file, pos) })
	if errors.Is(err, io.EOF) {
		return errReplaced
	}
	if err != nil {
		return err
	}
	r.notes.Trail = t
	return nil
}

// trail returns the trail of what is in f up to position to, "" when there is too little or it cannot be read.
func (f *openFile) trail(to int64) trail {
	if f.packing != plain && f.digest == nil {
		return ""
	}
	t, err := trail("").extended(min(to, f.extent()), f.head, func(pos int64) ([]byte, error) {
		if f.packing != plain {
			return f.digest.anchors[pos], nil
		}
		return readBefore(f.handle, pos)
	})
	if err != nil {
		return ""
	}
	return t
}

// begins reports whether f, whose trail is t, is the beginning of r's stream, as far as the trail can tell, and all of it
// was read.
func (f *openFile) begins(r *row, t trail) bool {
	return t != "" && f.extent() <= r.Position && f.place != r.place && strings.HasPrefix(string(r.Trail), string(t))
}

// cutInPlace reports whether r's bytes are gone from their place, because the file there has others now.
func (k *keeper) cutInPlace(r *row) bool {
	o := k.files[r.place]
	return !r.Closed && r.file == nil && o != nil && (r.wait != nil || !o.holds(r))
}

// shortCopyOf returns the row of a stream that was cut, of which f is a copy that ends before what was read: somebody
// copied the file, then lines were added and read, then it was truncated. There is nothing to read in it, also when another
// copy has continued the stream since.
func (k *keeper) shortCopyOf(f *openFile) (original *row) {
	t := f.trail(math.MaxInt64)
	for _, r := range k.rows.byKey {
		if f.begins(r, t) && (r == f.short || k.cutInPlace(r)) {
			return r
		}
	}
	return nil
}

// hasShortCopy reports whether r must stay open for a file to be known as a short copy of its stream.
func (k *keeper) hasShortCopy(r *row) bool {
	for _, f := range k.files {
		if f.row != nil || f.state != held && !f.undecided() || !strings.HasPrefix(string(r.Trail), string(f.trail(trailStep))) {
			continue // most of them without looking further
		}
		if f.begins(r, f.trail(math.MaxInt64)) {
			return true
		}
	}
	return false
}

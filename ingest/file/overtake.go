package file

import "cmp"

// outrun returns a file that continues a stream as the copy of what was cut, if f, which no row tells of, has all of it and
// more: it was made later, and found when the other had the stream already.
func (k *keeper) outrun(f *openFile) *openFile {
	for o := range k.heads.alike(f.head) {
		if k.outruns(f, o) {
			return o
		}
	}
	return nil
}

func (k *keeper) outruns(f, o *openFile) bool {
	r := cmp.Or(o.row, o.claimed)
	if o == f || r == nil || o.whole == 0 || k.beganAt(f.place, r) {
		return false
	}
	size := o.size
	if o.packing != plain { // when it has been read
		size = r.Position
	}
	switch {
	case f.extent() <= size:
		return false
	case size < headSizeMax && o.whole <= size: // nothing says that there was more: many files may begin so
		return false
	case f.packing == plain:
		return o.packing == plain && o.equalTo(f) && f.holds(r)
	case o.packing == plain:
		return o.beginsPacked(f) // for all that is known; overtake looks closer
	default:
		return f.holds(r)
	}
}

// comesFrom notes that f has, or is about to have, the row r, of whose stream so much is known to exist.
func (k *keeper) comesFrom(f *openFile, r *row, size int64) {
	f.whole = 0
	if !k.beganAt(f.place, r) {
		f.whole = size
	}
}

// chase holds f until o, which it outruns, has nothing to read any more and can be passed over.
func (k *keeper) chase(f, o *openFile) {
	k.hold(f, nil)
	f.slower = o
}

// overtake passes over the file that f outruns, and leaves its stream to f. Its own row comes first: a process that dies
// between the two steps leaves nothing that could be read twice. It reports whether f has to wait.
func (k *keeper) overtake(f *openFile) (wait bool) {
	o := f.slower
	if k.files[o.place] != o || o.row == nil && !o.undecided() {
		return false
	}
	if o.state != idle && o.state != done || k.Clock.Now().Sub(k.rival) < rivalry { // one that knows less would do otherwise
		return true
	}
	k.refreshSize(o)
	if !k.outruns(f, o) || f.packing != plain && o.packing == plain && !f.digest.covers([]int64{o.size}) {
		return false // f is unpacked again first
	}
	f.heir = o.row
	if o.state == idle { // what it may have beyond its last line's end, f has too
		k.leave(o, max(o.row.Size, o.size)).cut = false
	} else {
		o.row.file, o.row = nil, nil
	}
	k.examine(o, func(o *openFile) { k.skip(o, f.path) })
	return true
}

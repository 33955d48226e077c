package file

import (
	"cmp"
	"slices"
)

// resume goes on with the row that says its bytes lie in f, if they do.
func (k *keeper) resume(f *openFile) bool {
	here := k.rows.here(f.place)
	for _, r := range here {
		if !f.mayBe(r) || k.superseded(f, r, here) {
			continue
		}
		if f.packing != plain && r.Closed && r.Packed == f.size && r.Path == f.path { // spares unpacking it again
			f.row, r.file, f.state = r, f, done
			k.unwait(r)
			return true
		}
		if f.holds(r) {
			k.adopt(f, r)
			return true
		}
	}
	return false
}

// mayResume reports whether a row says that its bytes lie in f, which is compressed and held: another instance has
// continued a stream with it.
func (k *keeper) mayResume(f *openFile) bool {
	return slices.ContainsFunc(k.rows.here(f.place), func(r *row) bool { return !r.Closed && f.mayHold(r) })
}

// isFree reports whether f is given no stream yet, or has lost the bytes of the one it has and will leave it.
func (f *openFile) isFree() bool {
	return f.row == nil || f.packing == plain && f.hasLost(f.milestone())
}

// mayBe reports whether nothing is known by which r's bytes are not f's.
func (f *openFile) mayBe(r *row) bool {
	return r.file == nil && (r.wait == nil || r.wait.settled && !(r.wait.cut && r.wait.place == f.place))
}

// superseded reports whether a later stream began where r did and fits f as well: the file was cut, and what was read of it
// before was then written to it again. Two instances would read it as both.
func (k *keeper) superseded(f *openFile, r *row, here []*row) bool {
	return k.beganAt(f.place, r) && slices.ContainsFunc(here, func(o *row) bool {
		return o.ID > r.ID && !o.Closed && k.beganAt(f.place, o) && f.mayBe(o) && f.holds(o)
	})
}

func (k *keeper) beganAt(p place, r *row) bool {
	began, _, ok := parseKey(k.Host, r.Key)
	return ok && began == p
}

// decide gives f the stream that it belongs to: the one that was here, one whose bytes have moved here, or a new one;
// or holds it, if it looks like a copy of a file that is being read.
func (k *keeper) decide(f *openFile) {
	if f.packing == plain { // the rows may know more of it than there was when we looked last
		k.refreshSize(f) // before the head, so that a change after either is still to be seen
		k.refreshHead(f)
		if len(f.head) == 0 { // cut since
			f.state = empty
			return
		}
	} else if !f.digest.covers(k.rows.positions().of(f.head)) {
		k.examine(f, k.decide)
		return
	} else if f.digest.size == 0 { // nothing would ever tell whose it is, and there is nothing to read
		f.state = done
		return
	}
	if k.resume(f) {
		return
	}
	k.waitAt(f.place)
	for _, r := range k.rows.vacant(f.head) {
		if !f.continues(r) {
			continue
		}
		o := k.files[r.place]
		there := o != nil && o != f && r.wait == nil && o.holds(r)
		if there && !o.isFree() && k.beganAt(o.place, r) {
			continue // another instance has passed over what this one reads as another stream
		}
		if there && o.isFree() {
			// another instance reads it there
			k.hold(f, o)
		} else if o := k.longer(f, r); o != nil { // of two copies the one that was made later has what the other has not
			k.yield(f, o, r)
		} else {
			k.claim(f, r)
		}
		return
	}
	if f.stray {
		k.drop(f)
		return
	}
	if o, copied := k.copyOf(f); copied {
		k.hold(f, o)
		return
	}
	if !k.passOver(f) {
		k.createUnlessUnsure(f)
	}
}

// passOver skips f, which no row says the bytes of, if they were read before its original was cut. It holds f as long as
// that is not sure yet.
func (k *keeper) passOver(f *openFile) bool {
	yielded := f.hasYielded()
	if yielded {
		f.proven = f.extent()
	}
	short := k.shortCopyOf(f)
	switch {
	case f.spent():
		k.skip(f, f.former.Path)
	case yielded:
		k.hold(f, f.former.file)
	case short != nil && k.heldLong(f):
		k.skip(f, short.Path)
	case short != nil:
		k.hold(f, nil)
		f.short = short
	default:
		return false
	}
	return true
}

// createUnlessUnsure begins a new stream with f, unless it may still turn out to be of another.
func (k *keeper) createUnlessUnsure(f *openFile) {
	if k.unsure(f) {
		k.survey(f)
	} else if k.movedHere(f) {
		k.rest(f, restMoved)
	} else if o := k.cutUnseen(f); o != nil {
		k.hold(f, o)
	} else if o := k.continuing(f); o != nil {
		k.yield(f, o, cmp.Or(o.row, o.claimed))
	} else if o := k.outrun(f); o != nil {
		k.chase(f, o)
	} else if !k.part(f) {
		k.create(f, f.first)
	}
}

package file

import (
	"bytes"
	"time"
)

// copyOf returns the file that f looks like a copy of, among those that are being read. A stream that was cut a moment
// ago counts too, although its bytes are gone: its copy is about to continue it.
func (k *keeper) copyOf(f *openFile) (original *openFile, copied bool) {
	for _, w := range k.waits {
		if !w.settled && w.fits(f) {
			return nil, true
		}
	}
	isRead := func(o *openFile) bool {
		return o != f && (o.row != nil || o.undecided() ||
			o.state == held && o.packing == plain && f.packing != plain) // it would not be held for f once that is read
	}
	for o := range k.heads.alike(f.head) {
		if isRead(o) && f.copies(o) {
			return o, true
		}
	}
	if f.packing == plain {
		return nil, false
	}
	for _, o := range k.files {
		if isRead(o) && o.packing != plain && o.row != nil && f.holds(o.row) {
			return o, true
		}
	}
	return nil, false
}

// cutUnseen returns a file that begins as f does and whose reader has yet to notice that it was cut and filled again: f may
// be a copy of what it holds now.
func (k *keeper) cutUnseen(f *openFile) *openFile {
	for o := range k.active {
		if o == f || !o.again || o.packing != plain {
			continue
		}
		head, err := readHead(o.handle)
		if n := min(len(head), len(f.head)); err == nil && n > 0 && bytes.Equal(head[:n], f.head[:n]) && o.hasLost(o.milestone()) {
			return o
		}
	}
	return nil
}

// undecided reports whether the row of f is still to be found, if f has none.
func (f *openFile) undecided() bool {
	return f.state == unplaced || f.state == placing || f.state == resting
}

// hold leaves f alone until it shows what it is.
func (k *keeper) hold(f, original *openFile) {
	if f.since.IsZero() {
		f.since = k.Clock.Now()
		k.Log.Debug("file looks like a copy in progress", "path", f.path)
	}
	f.state, f.original, f.surveyed = held, original, false
	f.prove()
}

// prove notes that a held file is the same as its original so far. Once that is cut it is too late: the row knows a few
// bytes before its position, which a copy that was made a little earlier does not reach.
func (f *openFile) prove() {
	if o := f.original; o != nil && f.equalTo(o) && o.intact(o.milestone()) {
		f.proven = f.extent()
	}
}

// spent reports whether f is a copy of what was all read before the original was cut.
func (f *openFile) spent() bool {
	return f.former != nil && f.proven == f.extent() && f.proven <= f.former.Position
}

// heldLong reports whether f has waited long enough to show what it is.
func (k *keeper) heldLong(f *openFile) bool {
	return !f.since.IsZero() && k.Clock.Now().Sub(f.since) >= k.CopyWait
}

// writePause is how long a compressed file must have been unchanged to be unpacked again.
const writePause = 2 * time.Second

// recheck looks at a held file again. A plain copy is passed over once it has waited long enough: its stream begins
// at its end, so that what is appended to it later is read.
func (k *keeper) recheck(f *openFile) {
	now := k.Clock.Now()
	waited := k.heldLong(f)
	chased := f.slower != nil
	if chased {
		if k.overtake(f) {
			return
		}
		f.slower = nil
	}
	if f.packing != plain {
		written := f.again && now.Sub(f.changed) >= writePause
		o := f.original
		due := waited && (o == nil || o.row == nil && !o.undecided() || o.hasStored(f)) // not at every tick of an outage
		if chased || due || written || k.mayResume(f) || o != nil && (k.files[o.place] != o || !f.copies(o) && k.cutUnseen(f) != o) {
			f.again = false
			k.examine(f, func(f *openFile) { k.judge(f, waited) })
		}
		return
	}
	k.judge(f, waited)
}

func (k *keeper) judge(f *openFile, waited bool) {
	if head, err := readHead(f.handle); err == nil && f.packing == plain {
		k.setHead(f, head)
	}
	if k.resume(f) {
		return
	}
	o, copied := k.copyOf(f)
	// An original that was cut, and whose reader has not noticed yet, is about to leave its row to this copy. So is one that
	// is gone and of which the copy has more. One that is not stored yet may be lost with this process, and the copy has it.
	if !copied || !waited || o == nil || !o.intact(o.milestone()) || f.size > o.size || !o.hasStored(f) {
		k.decide(f)
		return
	}
	k.skip(f, o.path)
}

// hasStored reports whether the whole lines of f's copy c are durable, or f is not read any more: then nobody needs c.
func (f *openFile) hasStored(c *openFile) bool {
	switch {
	case f.row == nil:
		return false
	case f.state == orphaned:
		return true
	}
	ended := f.state == idle || f.state == done
	return f.committed() >= c.extent() || ended && f.committed() >= f.milestone().pos
}

// skip begins a stream at the end of f.
func (k *keeper) skip(f *openFile, original string) {
	end := f.size
	if f.packing != plain {
		end = wholeContent
	}
	k.Log.Warn("file is a copy of another and not read", "path", f.path, "original", original, "bytes", f.size)
	k.in.Stats.FilesSkipped.Add(1)
	k.create(f, end)
}

// outgrown reports whether a copy of f has more than f.
func (k *keeper) outgrown(f *openFile) bool {
	for _, c := range k.files {
		if c.state == held && c.original == f && c.size > f.size && c.copies(f) {
			return true
		}
	}
	return false
}

// release skips the copies of f, which is finished, or about to be: there is nothing that they could continue. It reports
// whether there are any that have no row yet. A process that starts when f is gone takes them for new files; or, as long as
// f is not stored, for what continues it.
func (k *keeper) release(f *openFile) (wait bool) {
	for _, c := range k.filesInOrder() {
		if c.original != f || c.row != nil || c.packing != plain || c.size > f.size || !c.copies(f) {
			continue
		}
		switch {
		case c.state != held:
			c.former, c.proven = f.row, c.size
		case f.hasStored(c):
			k.skip(c, f.path)
		default:
			wait = true
		}
		wait = wait || c.undecided()
	}
	return wait
}

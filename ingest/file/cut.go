package file

import "time"

// overdue reports whether f was deleted so long ago that it must go, although what it held then is not all committed:
// the database has been away, or the source is paused, and the disk fills with files that nobody sees. A file that is
// read to its end costs nothing but a descriptor as long as somebody writes to it, and is finished when nobody does.
func (k *keeper) overdue(f *openFile, now time.Time) bool {
	if f.noteDeletion(now); f.deleted.IsZero() || f.cut || now.Sub(f.deleted) < k.Deleted {
		return false
	}
	switch f.state {
	case active, queued, idle, resting:
		return f.packing != plain || f.committed() < f.owed
	case held:
		return true
	}
	return false
}

// noteDeletion looks whether f, which discovery does not find, was deleted or only moved.
func (f *openFile) noteDeletion(now time.Time) {
	if !f.deleted.IsZero() {
		return
	}
	if info, err := f.handle.Stat(); err == nil && nameless(info) {
		f.deleted, f.owed = now, info.Size()
	}
}

// committed is the position up to which f's stream is durable, as far as is known.
func (f *openFile) committed() int64 {
	switch {
	case f.reading != nil:
		return f.reading.stream.Committed()
	case f.row != nil:
		return f.row.Position
	}
	return 0
}

// cut gives f up. Its descriptor is closed as soon as nobody reads from it.
func (k *keeper) cut(f *openFile) {
	k.Log.Warn("a deleted file is given up before it was read to its end: it kept its space on the disk for too long",
		"path", f.path, "committed", f.committed(), "size", f.size, "after", k.Deleted)
	k.in.Stats.FilesCut.Add(1)
	f.cut = true
	if f.state == active {
		f.abort()
		return
	}
	k.letGo(f)
}

// letGo closes a file that was cut. What was sent of it may still be committed; then its row waits for a copy of the rest
// as after a truncation, and what nobody continues is counted in lost_bytes.
func (k *keeper) letGo(f *openFile) {
	r := f.row
	if r == nil { // nothing of it is known to the database
		k.drop(f)
		return
	}
	size := r.Size
	if f.packing == plain {
		size = max(size, f.size)
	}
	k.leave(f, size)
	k.drop(f)
}

package file

import (
	"bytes"
	"errors"
	"time"

	"logflume/pipeline"
)

// A waiting row is one whose bytes lie in no open file: they were cut, or their file is not found. A copy that has
// them may still turn up.
type waiting struct {
	row     *row
	place   place // where the bytes lay; another instance may have found them elsewhere
	since   time.Time
	size    int64            // last known size of the content
	cut     bool             // the bytes were seen to vanish from their place: what is there now is not the stream
	fenced  bool             // nobody commits as the stream's what its file holds now
	stream  *pipeline.Stream // what was read of it, if cut
	settled bool             // everything read of it is durable or dropped, and row is as the database has it

	// Until then, how to know its copy:
	head []byte
	sent milestone
}

// fits reports whether f may have the bytes of a row that is not settled yet. Of a compressed file the beginning must do:
// what was sent last was not looked for in it.
func (w *waiting) fits(f *openFile) bool {
	n := min(len(w.head), len(f.head))
	if n == 0 || !bytes.Equal(w.head[:n], f.head[:n]) || f.place == w.place {
		return false
	}
	return f.packing != plain || f.size < w.sent.pos || w.sent.in(f.handle)
}

// waitFor lets r wait for a file that continues it.
func (k *keeper) waitFor(r *row) {
	w := &waiting{row: r, place: r.place, since: k.Clock.Now(), size: r.Size, settled: true}
	r.wait, k.waits[r] = w, w
}

// waitAt lets the rows wait whose bytes should lie at p and do not.
func (k *keeper) waitAt(p place) {
	for _, r := range k.rows.here(p) {
		if r.file == nil && !r.Closed && r.wait == nil {
			k.waitFor(r)
		}
	}
}

// unwait ends r's waiting.
func (k *keeper) unwait(r *row) {
	r.wait = nil
	delete(k.waits, r)
}

// replaced leaves f's stream as it is, waiting for the copy that has its bytes, and begins a new one with what the
// file holds now.
func (k *keeper) replaced(f *openFile) {
	r := f.row
	size := r.Size
	if f.reading != nil {
		size = f.reading.notes.Size
	}
	size = f.sizeBefore(size)
	k.Log.Info("file was truncated", "path", f.path, "source", r.Key, "position", f.milestone().pos, "size", size)
	k.noteFormer(f, r)
	k.leave(f, size)
	k.place(f)
}

// sizeBefore returns the size that f had before it was cut, which was at least size.
func (f *openFile) sizeBefore(size int64) int64 {
	if f.size < f.peak {
		return max(size, f.peak)
	}
	return size
}

// leave lets f's row wait for a file that has the bytes of its stream, of which there were size.
func (k *keeper) leave(f *openFile, size int64) *waiting {
	r, sent, head := f.row, f.milestone(), f.head
	stream := f.stopped
	if f.reading != nil {
		stream, head = f.reading.stream, f.reading.head
	}
	for _, o := range k.rows.here(f.place) {
		if o.wait != nil { // what the file holds now may have been taken for o's stream since
			o.wait.fenced = false
		}
	}
	w := &waiting{row: r, place: f.place, since: k.Clock.Now(), size: size, cut: true, stream: stream, head: head, sent: sent}
	r.wait, k.waits[r] = w, w
	r.file, f.row, f.reading = nil, nil, nil
	k.settle(w)
	return w
}

// noteFormer tells the copies of f which row it has left.
func (k *keeper) noteFormer(f *openFile, r *row) {
	for _, c := range k.files {
		if c.original == f {
			c.former = r
		}
	}
}

// settle waits until the batches of w's stream are durable or dropped, and reads its row again.
func (k *keeper) settle(w *waiting) {
	s := w.stream
	k.do(func() func() {
		if err := s.WaitCommitted(k.ctx, w.sent.pos); k.ctx.Err() != nil {
			return func() {}
		} else if errors.Is(err, pipeline.ErrGone) {
			return func() { k.forget(w.row) }
		}
		list, err := k.in.Checkpoints.List(k.ctx, s.Key, false)
		return func() { k.afterSettle(w, list, err) }
	})
}

// part holds f as long as it has the bytes of a stream that was cut in it, as far as the row says yet, and another instance
// may read it as that.
func (k *keeper) part(f *openFile) bool {
	for _, r := range k.rows.here(f.place) {
		w := r.wait
		if w == nil || !w.cut || w.place != f.place || w.settled && w.fenced || !f.holds(r) {
			continue
		}
		k.hold(f, nil)
		if w.settled {
			w.settled = false
			k.fence(w)
		}
		return true
	}
	return false
}

// taken reports whether another instance, which has not seen the cut, reads what the file holds now as w's stream. If
// there is anything of it that was sent and not committed, that was dropped.
func (k *keeper) taken(w *waiting) bool {
	return w.row.Position > w.stream.Committed() && k.fitsAgain(w)
}

// fitsAgain reports whether the file that w's stream was cut in has its bytes again, as far as its row says.
func (k *keeper) fitsAgain(w *waiting) bool {
	f := k.files[w.place]
	return w.cut && f != nil && f.row == nil && f.holds(w.row)
}

// fence makes another instance that reads what the file holds now as w's stream look at the rows again.
func (k *keeper) fence(w *waiting) {
	c := w.row.Checkpoint
	k.ask(func() func() {
		amended, err := k.in.Checkpoints.Amend(k.ctx, c, pipeline.Amendment{Fence: true})
		return func() {
			switch {
			case k.ctx.Err() != nil:
			case errors.Is(err, pipeline.ErrMoved):
				k.settle(w)
			case errors.Is(err, pipeline.ErrGone):
				k.forget(w.row)
			case err != nil: // tried again before the file's stream begins
				k.Log.Error("raise the epoch of a truncated stream", "source", w.row.Key, "error", err)
				w.settled = true
			default:
				w.fenced = true
				k.afterSettle(w, []pipeline.Checkpoint{amended}, nil)
			}
		}
	})
}

func (k *keeper) afterSettle(w *waiting, list []pipeline.Checkpoint, err error) {
	if k.ctx.Err() != nil {
		return
	}
	if err != nil {
		k.Log.Error("read the position of a truncated stream", "source", w.row.Key, "error", err)
		k.unwait(w.row)
		return
	}
	k.put(list)
	switch {
	case w.row.Closed || w.row.place != w.place: // another instance has dealt with it
		k.unwait(w.row)
	case k.taken(w):
		k.Log.Warn("the end of a stream is lost: its file was cut, and another instance goes on with what it holds now",
			"source", w.row.Key, "path", w.row.Path, "bytes", max(0, w.size-w.stream.Committed()))
		k.unwait(w.row)
	case !w.fenced && k.fitsAgain(w):
		k.fence(w)
		return
	}
	w.settled, w.since = true, k.Clock.Now()
	for _, f := range k.filesInOrder() {
		switch {
		case f.state != held:
		case f.packing == plain:
			k.recheck(f)
		case w.fits(f):
			k.examine(f, func(f *openFile) { k.judge(f, false) })
		}
	}
}

// expire closes a row that nobody has continued. What was left of it is lost.
func (k *keeper) expire(w *waiting) {
	r := w.row
	if r.file != nil || !w.settled || k.awaits(r) || k.hasShortCopy(r) {
		return
	}
	k.unwait(r)
	if r.Closed { // by another instance, which has counted what is lost
		return
	}
	lost := max(0, w.size-max(r.Position, r.Start))
	c, closed := r.Checkpoint, []byte(`{"closed": true}`)
	k.ask(func() func() {
		// The raised epoch makes a second instance that waits for the same row count nothing.
		amended, err := k.in.Checkpoints.Amend(k.ctx, c, pipeline.Amendment{Meta: closed, Fence: true, LostBytes: lost})
		return func() { k.expired(r, amended, lost, err) }
	})
}

// awaits reports whether the database has not answered yet about a file that may continue r. It may be away for longer than
// copies are waited for.
func (k *keeper) awaits(r *row) bool {
	for _, f := range k.files {
		if f.row == nil && f.undecided() && (f.packing != plain || r.matches(f.head)) {
			return true
		}
	}
	return false
}

func (k *keeper) expired(r *row, amended pipeline.Checkpoint, lost int64, err error) {
	switch {
	case k.ctx.Err() != nil || errors.Is(err, pipeline.ErrMoved): // somebody else goes on with it
	case errors.Is(err, pipeline.ErrGone):
		k.forget(r)
	case err != nil:
		k.Log.Error("close a stream without a file", "source", r.Key, "error", err)
	default:
		k.put([]pipeline.Checkpoint{amended})
		k.in.Stats.LostBytes.Add(lost)
		if lost > 0 {
			k.Log.Warn("the end of a stream is lost: its file was cut or removed before it was read",
				"source", r.Key, "path", r.Path, "position", r.Position, "bytes", lost)
		}
	}
}

package file

import (
	"slices"
	"time"

	"logflume/pipeline"
)

// rivalry is how long after it was noticed another instance is taken to be at work on the same files.
const rivalry = time.Minute

// rivalled records that another instance may be at work on the same files.
func (k *keeper) rivalled() { k.rival = k.Clock.Now() }

// unsure reports whether f may belong to a stream that only another instance knows of: it began the stream, read it, and
// met the copy of it that f is, before this one has looked.
func (k *keeper) unsure(f *openFile) bool { return !f.surveyed && k.Clock.Now().Sub(k.rival) < rivalry }

// movedHere reports whether a row says that its bytes lie in f, and this process still reads them in another file: another
// instance has continued the stream with f, and one that has nothing to read does not learn of that.
func (k *keeper) movedHere(f *openFile) bool {
	for _, r := range k.rows.here(f.place) {
		o := r.file
		if o == nil || o == f || !f.holds(r) {
			continue
		}
		if o.state == idle {
			k.stopped(o, pipeline.ErrMoved)
		}
		return true
	}
	return false
}

// survey decides upon f when all rows have been read again.
func (k *keeper) survey(f *openFile) {
	f.state = placing
	k.surveys = append(k.surveys, f)
	k.surveyNext()
}

// surveyNext reads all rows once for all files that wait for it.
func (k *keeper) surveyNext() {
	if k.surveying || len(k.surveys) == 0 {
		return
	}
	files := k.surveys
	k.surveys, k.surveying = nil, true
	k.ask(func() func() {
		list, err := k.in.Checkpoints.List(k.ctx, keyPrefix(k.Host), false)
		return func() {
			k.surveying = false
			k.put(slices.DeleteFunc(list, k.knowsBetter))
			for _, f := range files {
				if err != nil {
					k.failed(f, "list the positions of all files", err)
					continue
				}
				f.surveyed = true
				k.decide(f)
			}
			k.surveyNext()
		}
	})
}

// knowsBetter reports whether the row of c is known as it was when c was read, or as it became since.
func (k *keeper) knowsBetter(c pipeline.Checkpoint) bool {
	r := k.rows.byKey[c.Key]
	return r != nil && (r.Epoch > c.Epoch || r.Epoch == c.Epoch && r.Position >= c.Position)
}

package file

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"logflume/pipeline"
)

// place finds out which stream f's bytes belong to. Until the rows are known, or while nothing is in the file, it
// stays where it is.
func (k *keeper) place(f *openFile) {
	if !k.identify(f) || !k.loaded {
		return
	}
	f.state = placing
	if f.packing == plain {
		f.original, _ = k.copyOf(f)
		f.prove()
	} else {
		k.digesting++
	}
	k.ask(func() func() {
		list, err := k.in.Checkpoints.List(k.ctx, inodePrefix(k.Host, f.place), false)
		return func() {
			if f.packing != plain {
				k.digesting--
			}
			if err != nil {
				k.failed(f, "list the positions of file", err)
				return
			}
			k.put(list)
			k.examine(f, k.decide)
		}
	})
}

// identify reads the beginning of f and reports whether it has content that can be read.
func (k *keeper) identify(f *openFile) bool {
	head, err := readHead(f.handle)
	if err != nil {
		k.failed(f, "read the beginning of file", err)
		return false
	}
	was := f.state
	k.refreshSize(f) // the last look may have been at other content
	k.renew(f, head)
	f.digest, f.peak, f.since, f.proven, f.former, f.read = nil, f.size, time.Time{}, 0, nil, milestone{}
	f.surveyed, f.short, f.slower, f.heir = false, nil, nil, nil
	f.packing, f.state = packingOf(head), unplaced
	if f.row != nil {
		f.row.file, f.row = nil, nil
	}
	if len(head) == 0 || isMagicPrefix(head) {
		f.state = empty
	}
	if reason := foreign(head); reason != "" {
		f.state = refused
		if was != refused {
			k.Log.Error("file is not read", "path", f.path, "error", reason)
		}
	}
	return f.state == unplaced
}

// renew gives f, which has no row yet, the head that it has now. What was proven of copies of other content says nothing of
// the stream that f will be.
func (k *keeper) renew(f *openFile, head []byte) {
	if f.packing == plain && !bytes.HasPrefix(head, f.head) {
		for _, c := range k.files {
			if c.original == f && c.former == nil {
				c.proven = 0
			}
		}
	}
	k.setHead(f, head)
}

// refreshHead reads the beginning of f again if it has no row yet: the database may be away for long, and what is there by
// then may have copies.
func (k *keeper) refreshHead(f *openFile) {
	if f.row != nil {
		return
	}
	if head, err := readHead(f.handle); err == nil {
		k.renew(f, head)
	}
}

// isMagicPrefix reports whether head is too short to tell whether the file is compressed.
func isMagicPrefix(head []byte) bool {
	return len(head) < minLen && (bytes.HasPrefix(gzipMagic, head) && len(head) < len(gzipMagic) || bytes.HasPrefix(zstdMagic, head))
}

// adopt begins to read f as the stream of r.
func (k *keeper) adopt(f *openFile, r *row) {
	if f.packing == plain { // the row, which another instance may have made, fits what is there now
		if head, err := readHead(f.handle); err == nil && r.matches(head) {
			k.setHead(f, head)
		}
	}
	f.reading = newReading(k.in, r.Checkpoint, r.notes, f.content(k.ctx), f.head, k.framing())
	f.row, r.file, f.stray = r, f, false
	k.comesFrom(f, r, r.Size)
	f.reading.least = f.whole
	f.original, f.since, f.again = nil, k.Clock.Now(), false
	k.unwait(r)
	f.reading.notes.lieIn(f)
	level := slog.LevelInfo
	if f.contested || f.troubled || !f.late {
		level = slog.LevelDebug
	}
	k.Log.Log(k.ctx, level, "reading file", "path", f.path, "source", r.Key, "position", r.Position)
	k.read(f)
}

// claim moves r, whose bytes lie nowhere else, to f. The raised epoch fences whoever reads it at its former place.
func (k *keeper) claim(f *openFile, r *row) {
	f.state, f.claimed, r.file = placing, r, f
	n := r.notes
	n.lieIn(f)
	if r.wait != nil { // a copy with more may still be found
		n.Size = max(n.Size, r.wait.size)
	}
	k.comesFrom(f, r, n.Size)
	c := r.Checkpoint
	k.ask(func() func() {
		amended, err := k.in.Checkpoints.Amend(k.ctx, c, pipeline.Amendment{Meta: n.encode(), Fence: true})
		return func() {
			r.file, f.claimed = nil, nil
			switch {
			case errors.Is(err, pipeline.ErrMoved): // by another instance, or by a try whose answer was lost
				f.missed = r
				k.refresh(f, r)
			case errors.Is(err, pipeline.ErrGone):
				k.forget(r)
				k.decide(f)
			case err != nil:
				k.failed(f, "continue a stream with file", err)
			default:
				k.Log.Info("file continues a stream", "path", f.path, "source", c.Key, "position", c.Position)
				k.put([]pipeline.Checkpoint{amended})
				k.adopt(f, r)
			}
		}
	})
}

// refresh reads r again before f is decided upon again.
func (k *keeper) refresh(f *openFile, r *row) {
	f.state = placing
	key := r.Key
	k.ask(func() func() {
		list, err := k.in.Checkpoints.List(k.ctx, key, false)
		return func() {
			if err != nil {
				k.failed(f, "read the position of file", err)
				return
			}
			k.put(list)
			k.rest(f, restMoved)
		}
	})
}

// wholeContent stands for the end of a compressed file's content.
const wholeContent = -1

// create begins a new stream with f, at start.
func (k *keeper) create(f *openFile, start int64) {
	if start == wholeContent {
		start = f.digest.size
	}
	f.state, f.first = placing, 0
	key := k.rows.nextKey(f.place)
	n := notes{Head: markOf(f.head), Size: f.extent(), Start: start}
	n.lieIn(f)
	k.ask(func() func() {
		c, err := k.in.Checkpoints.Create(k.ctx, key, n.encode())
		return func() {
			if err != nil {
				k.failed(f, "insert the position of file", err)
				return
			}
			k.put([]pipeline.Checkpoint{c})
			r := k.rows.byKey[c.Key]
			if r == nil || r.file != nil || !f.holds(r) { // another instance met other content under this inode
				k.rest(f, restMoved)
				return
			}
			k.adopt(f, r)
		}
	})
}

// failed has f placed again later. A file that fails again and again is reported once.
func (k *keeper) failed(f *openFile, what string, err error) {
	if k.ctx.Err() != nil {
		return
	}
	level := slog.LevelError
	if f.troubled {
		level = slog.LevelDebug
	}
	f.troubled = true
	k.Log.Log(k.ctx, level, "file is not read now", "path", f.path, "error", fmt.Errorf("%s: %w", what, err))
	f.stopReading()
	k.rest(f, restFailed)
}

// forget drops a row that is gone from the database.
func (k *keeper) forget(r *row) {
	k.Log.Error("position row is gone; its stream is not read any more", "source", r.Key)
	k.unwait(r)
	k.rows.remove(r)
}

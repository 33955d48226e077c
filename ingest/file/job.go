package file

import (
	"context"
	"errors"
	"math"
	"sync"

	"logflume/pipeline"
)

// read has f read as soon as there is a turn: thousands of files that change at once do not all need a goroutine, with
// its stack, to wait for the memory of their batches.
func (k *keeper) read(f *openFile) {
	f.state = queued
	k.queue = append(k.queue, f)
}

// readNext begins to read the file that has waited longest. The turn for that was taken.
func (k *keeper) readNext() {
	f := k.queue[0]
	k.queue = k.queue[1:]
	if f.state != queued || k.files[f.place] != f { // it was let go meanwhile
		k.reading.leave()
		return
	}
	f.yield = sync.OnceFunc(k.reading.leave)
	k.begin(f)
}

// begin has a goroutine read f to its end and, where that makes sense, follow it.
func (k *keeper) begin(f *openFile) {
	f.state, f.again = active, false
	k.active[f] = struct{}{}
	f.followed = f.listed && !f.finish && f.packing == plain && k.follows < k.followed && !remote(f.path)
	if f.followed {
		k.follows++
	}
	f.reading.notes.Path, f.reading.notes.Found = f.path, f.found
	f.reading.notes.Packed = 0
	if f.packing != plain {
		f.reading.notes.Packed = f.size
	}
	job := job{reading: f.reading, finish: f.finish || f.packing != plain, clock: k.Clock, yield: f.yield}
	if f.packing != plain {
		job.turn = k.unpacking
	}
	if f.followed {
		f.leave = make(chan struct{})
		job.follow, job.leave = followName(f.handle, f.path), f.leave
	}
	if !f.listed && f.row.Path != f.path {
		job.announce = true
		f.row.Path = f.path
	}
	ctx, abort := context.WithCancel(k.ctx)
	f.abort = abort
	k.do(func() func() {
		defer abort()
		k.in.Active(1)
		err := job.run(ctx)
		k.in.Active(-1)
		job.yield()
		return func() { k.ended(f, err) }
	})
}

// A job is what a file's goroutine is to do.
type job struct {
	reading  *reading
	follow   string          // name to follow the file by; "" to read only what is there
	finish   bool            // nothing will be added: take the last line too and close the row
	announce bool            // write the notes even if there is nothing to read
	leave    <-chan struct{} // closed when following is to end
	turn     turns           // to be taken while reading; nil when there is no need
	yield    func()          // lets another file be read; called before what may take long, and at the end
	clock    Clock
}

func (j *job) run(ctx context.Context) error {
	if j.finish {
		return j.readToEnd(ctx)
	}
	for again := false; ; again = true {
		progressed, err := j.reading.drain(ctx, false)
		if err != nil {
			return err
		}
		if j.announce && !progressed && !again {
			if err := j.reading.note(ctx, j.reading.position()); err != nil {
				return err
			}
		}
		if j.reading.waits > 0 {
			j.yield()
			if err := j.reading.linger(ctx, j.clock); err != nil {
				return err
			}
			continue
		}
		// A file that only grew by a part of a line is read again when it changes again.
		if j.follow == "" || !progressed {
			return nil
		}
		j.yield()
		if quiet, err := j.reading.follow(ctx, j.follow, j.clock, j.leave); err != nil || quiet {
			return err
		}
	}
}

// readToEnd reads the last line too, closes the row, and waits until that is durable.
func (j *job) readToEnd(ctx context.Context) error {
	if j.turn != nil { // unpacking takes long, and has turns of its own
		j.yield()
	}
	if err := j.turn.enter(ctx); err != nil {
		return err
	}
	err := j.reading.finish(ctx)
	j.turn.leave()
	if err != nil {
		return err
	}
	j.yield()
	return j.reading.stream.WaitCommitted(ctx, j.reading.position())
}

// ended deals with the end of a file's job.
func (k *keeper) ended(f *openFile, err error) {
	delete(k.active, f)
	if f.followed {
		f.followed, f.leave = false, nil
		k.follows--
	}
	again := f.again
	f.again = false
	f.reading.lines.joins.rest()
	if n := f.reading.lines.nuls; n > 0 {
		f.reading.lines.nuls = 0
		k.Log.Warn("file began with NUL bytes, which were skipped: its writer does not append", "path", f.path, "bytes", n)
	}
	if err == nil {
		f.troubled = false
	}
	switch {
	case f.cut && k.ctx.Err() == nil:
		k.letGo(f)
	case err == nil && f.packing != plain:
		f.state = done
		k.closed(f)
	case err == nil && f.finish:
		k.finished(f)
	case err == nil:
		f.state = idle
		k.afterIdle(f, again)
	case k.ctx.Err() != nil:
	case errors.Is(err, errReplaced):
		f.finish = false
		k.refreshSize(f)
		k.replaced(f)
	default:
		k.stopped(f, err)
	}
}

// afterIdle looks whether f changed while its job was ending.
func (k *keeper) afterIdle(f *openFile, again bool) {
	if f.renamed {
		k.renamed(f)
		return
	}
	if k.look(f); again && f.state == idle {
		k.read(f)
	}
}

func (k *keeper) refreshSize(f *openFile) {
	if info, err := f.handle.Stat(); err == nil {
		f.observe(info, k.Clock.Now())
	}
}

// stopped deals with a stream that was fenced, or whose file could not be read.
func (k *keeper) stopped(f *openFile, err error) {
	f.finish = false
	switch {
	case errors.Is(err, pipeline.ErrGone):
		f.state = orphaned
		k.Log.Error("position row is gone; file is not read any more", "path", f.path, "source", f.row.Key)
	case errors.Is(err, pipeline.ErrPaused): // the sink says so where it can be seen
		f.stopReading()
		k.rest(f, restPaused)
	case errors.Is(err, pipeline.ErrMoved):
		if !f.contested {
			k.Log.Info("another instance reads this file; trying again", "path", f.path, "source", f.row.Key)
		}
		f.contested = true
		k.rivalled()
		f.stopReading()
		k.rest(f, restMoved)
	default:
		k.failed(f, "read file", err)
	}
}

// retry goes on with a resting file: with its row as it is stored now.
func (k *keeper) retry(f *openFile) {
	r := f.row
	if r == nil {
		if _, err := readHead(f.handle); err != nil && !f.listed && f.quiet(k.Clock.Now()) >= k.Grace {
			k.abandon(f)
			return
		}
		missed := f.missed
		f.missed = nil
		k.place(f)
		if missed != nil && f.packing == plain && (f.begins(missed, f.trail(math.MaxInt64)) || missed.place != f.place && f.holds(missed)) {
			f.former, f.proven = missed, f.extent() // all of it was read, and goes on in another copy
		}
		return
	}
	f.state = placing
	k.ask(func() func() {
		list, err := k.in.Checkpoints.List(k.ctx, r.Key, false)
		return func() {
			if err != nil {
				k.failed(f, "read the position of file", err)
				return
			}
			k.put(list)
			r.file, f.row = nil, nil
			holds := f.holds(r)
			if !holds { // cut meanwhile; another instance may have moved the row to a copy by now
				k.noteFormer(f, r)
				if r.place == f.place && !r.Closed {
					k.refreshSize(f)
					k.waitFor(r)
					r.wait.size = f.sizeBefore(r.Size)
				}
			}
			k.place(f)
			if holds && r.place != f.place && f.packing == plain { // another instance reads f's bytes elsewhere
				f.former, f.proven = r, f.extent()
			}
		}
	})
}

// closed records that the row of f is closed.
func (k *keeper) closed(f *openFile) {
	r := f.row
	r.notes = f.reading.notes
	r.Position = f.reading.position()
	f.reading = nil
}

// finished lets go of a file that was read to its end for good.
func (k *keeper) finished(f *openFile) {
	k.Log.Info("file is finished", "path", f.path, "source", f.row.Key, "position", f.reading.position())
	k.closed(f)
	k.release(f)
	k.drop(f)
}

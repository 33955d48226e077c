package file

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"sync/atomic"
	"time"

	"logflume/pipeline"
)

// errReplaced says that a file no longer holds what was read from it.
var errReplaced = errors.New("content was replaced")

// A reading reads one stream from its stored position on and sends what it reads. One goroutine uses it at a time.
type reading struct {
	in     *pipeline.Intake
	stream *pipeline.Stream
	file   *os.File // what src reads, when that can still change under us; nil for unpacked content
	lines  blockReader
	head   []byte // first bytes of the content, growing up to headSizeMax
	notes  notes  // as of the last batch
	end    int64  // read no further; 0 means as far as the file goes
	begun  bool   // the bytes before the stored position were found
	least  int64  // how much the content is known to have had elsewhere
	needs  int    // arena size that the next line needs; 0 when an ordinary block will do
	waits  int64  // after drain: what was read to this position may be joined with more; 0 when it was all sent

	reached atomic.Pointer[milestone] // as far as was sent; for other goroutines
}

// framing says how lines are cut from bytes.
type framing struct {
	limit int // longest line in bytes
	joins Joins
}

// newReading prepares to read src, which begins with head, from c on, whose row says n. Nothing is read yet.
func newReading(in *pipeline.Intake, c pipeline.Checkpoint, n notes, src io.ReaderAt, head []byte, f framing) *reading {
	r := &reading{in: in, stream: pipeline.NewStream(c), notes: n, head: head}
	r.lines = blockReader{src: src, limit: f.limit, pos: c.Position, joins: joiner{Joins: f.joins, limit: f.limit}}
	r.file, _ = src.(*os.File)
	r.reached.Store(&milestone{pos: c.Position, anchor: n.Anchor})
	return r
}

// position is where the next batch begins.
func (r *reading) position() int64 { return r.lines.pos }

// extent returns the position up to which to read now.
func (r *reading) extent() (int64, error) {
	if r.end > 0 {
		return r.end, nil
	}
	if r.file == nil {
		return math.MaxInt64, nil
	}
	info, err := r.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// drain sends whole lines until there are no more, and says whether there were any. With final nothing will follow:
// the last line goes without its newline too.
func (r *reading) drain(ctx context.Context, final bool) (progressed bool, err error) {
	if err := r.begin(ctx); err != nil {
		return false, err
	}
	r.waits = 0
	for {
		end, err := r.extent()
		if err != nil {
			return progressed, err
		}
		if end < r.position() {
			return progressed, errReplaced
		}
		if end == r.position() {
			return progressed, r.check()
		}
		what, err := r.step(ctx, end, final)
		if err != nil {
			return progressed, err
		}
		switch what {
		case full:
			progressed = true
		case joining:
			r.waits = end
			return progressed, r.check()
		case dry:
			return progressed, r.check()
		}
	}
}

// linger waits, after drain, until the file changes or was quiet for so long that the joins at its end are closed.
func (r *reading) linger(ctx context.Context, clock Clock) error {
	quiet := clock.After(r.lines.joins.patience())
	look := time.NewTicker(pollInterval)
	defer look.Stop()
	for {
		changed := r.stream.Changed()
		if err := r.stream.Err(); err != nil {
			return err
		}
		select {
		case <-look.C:
			if end, err := r.extent(); err != nil || end != r.waits {
				return err
			}
		case <-changed:
		case <-quiet:
			r.lines.quiet = r.waits
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// step sends one batch of whole lines, if there is one before position end.
func (r *reading) step(ctx context.Context, end int64, final bool) (filling, error) {
	r.lines.room = r.ask(end - r.position())
	b, err := r.in.Batch(ctx, r.stream, r.lines.room)
	if err != nil {
		return dry, err
	}
	what, err := r.lines.fill(b, end, final)
	if err == nil && what == full {
		return full, r.deliver(ctx, b)
	}
	if what == small {
		r.needs = min(2*r.lines.room, r.lines.need())
	}
	b.Release()
	if err == nil && what == replaced {
		err = errReplaced
	}
	return what, err
}

// ask returns how large an arena to ask for when left bytes are to be read.
func (r *reading) ask(left int64) int {
	size := r.in.BlockSize()
	for half := size / 2; half >= 4<<10 && int64(half) >= left+anchorSize; half /= 2 {
		size = half
	}
	return max(size, r.needs)
}

// deliver verifies that b's lines are the file's, moves on, and sends b.
func (r *reading) deliver(ctx context.Context, b *pipeline.Batch) error {
	if err := r.genuine(b.To); err != nil {
		b.Release()
		return err
	}
	if err := r.leaveTrail(b.To); err != nil {
		b.Release()
		return err
	}
	if err := r.lines.advance(b); err != nil {
		b.Release()
		return err
	}
	r.needs = 0
	return r.send(ctx, b)
}

// publish lets other goroutines know how far r is. It returns the mark of the bytes before that.
func (r *reading) publish() mark {
	m := milestone{pos: r.position(), anchor: markOf(r.lines.anchor)}
	r.reached.Store(&m)
	return m.anchor
}

func (r *reading) send(ctx context.Context, b *pipeline.Batch) error {
	before := r.reached.Load()
	r.notes.Head, r.notes.Anchor = markOf(r.head), r.publish()
	r.notes.Size = max(r.notes.Size, b.To)
	b.Meta, b.Bytes = r.notes.encode(), b.To-b.From
	b.Received = time.Now().UnixMicro()
	b.Path = cmp.Or(r.notes.Found, r.notes.Path) // a link's name says more than that of what it leads to
	err := r.in.Send(ctx, b)
	if err != nil {
		r.reached.Store(before) // nobody may wait for what was never sent
	}
	return err
}

// genuine returns errReplaced unless the file reaches position to and begins as it did. A head shorter than
// headSizeMax grows with the file.
func (r *reading) genuine(to int64) error {
	if r.file == nil {
		return nil
	}
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < to {
		return errReplaced
	}
	var scratch [headSizeMax]byte
	n, err := r.file.ReadAt(scratch[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.HasPrefix(scratch[:n], r.head) {
		return errReplaced
	}
	if n > len(r.head) {
		r.head = bytes.Clone(scratch[:n])
	}
	r.notes.Size = max(info.Size(), r.least)
	return nil
}

// check returns errReplaced unless the file holds what was read from it.
func (r *reading) check() error {
	if r.file == nil {
		return nil
	}
	if err := r.expect(r.position(), r.lines.anchor); err != nil {
		return err // before the size is taken for the stream's: what is there may be of another with the same head
	}
	return r.genuine(r.position())
}

// begin finds the stored position in the content, which may have changed since it was looked at, and moves it to where
// reading begins, when that is not the beginning.
func (r *reading) begin(ctx context.Context) error {
	if !r.begun {
		err := r.lines.seek(r.position())
		if errors.Is(err, io.EOF) || err == nil && !r.notes.Anchor.ends(r.lines.anchor) {
			return errReplaced
		}
		if err != nil {
			return err
		}
		r.begun = true
	}
	if r.position() >= r.notes.Start {
		return nil
	}
	return r.note(ctx, r.notes.Start)
}

// note sends the notes, and the position to, in a batch without lines.
func (r *reading) note(ctx context.Context, to int64) error {
	b, err := r.in.Batch(ctx, r.stream, 0)
	if err != nil {
		return err
	}
	b.From, b.To = r.position(), to
	if to > b.From {
		if err := r.lines.seek(to); err != nil {
			b.Release()
			return err
		}
	}
	return r.send(ctx, b)
}

// finish reads what is left, an unterminated last line included, and marks the row as closed. Nothing can be read
// afterwards; what read it may be large and goes.
func (r *reading) finish(ctx context.Context) error {
	defer func() { r.lines.src = nil }()
	if _, err := r.drain(ctx, true); err != nil {
		return err
	}
	r.notes.Closed = true
	return r.note(ctx, r.position())
}

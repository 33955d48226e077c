package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/nxadm/tail"
	"github.com/nxadm/tail/watch"

	"logflume/pipeline"
)

const (
	pollInterval   = 50 * time.Millisecond // how often a followed file is looked at
	gatherInterval = 5 * time.Millisecond  // how long a batch may wait for a further line
	followIdle     = 2 * time.Second       // a file quiet for so long is no longer followed
	followBacklog  = 1 << 20               // bytes from which on the block reader is better
	followStall    = 20                    // looks that may find bytes which are not delivered
)

// setPollInterval sets the library's one interval, before its first use.
var setPollInterval = sync.OnceFunc(func() { watch.POLL_DURATION = pollInterval })

// follow sends lines as they are written, with name standing for the file. It returns true when the file has been
// quiet for a while or leave is closed, and false when the block reader should look: at a backlog, a line over the limit, a change of
// content, bytes that are not delivered, or an error of the library (which it shows as an idle file).
func (r *reading) follow(ctx context.Context, name string, clock Clock, leave <-chan struct{}) (quiet bool, err error) {
	setPollInterval()
	t, err := tail.TailFile(name, tail.Config{
		Location:      &tail.SeekInfo{Offset: r.position(), Whence: io.SeekStart},
		Follow:        true,
		MustExist:     true,
		Poll:          true,
		CompleteLines: true,
		Logger:        tail.DiscardingLogger,
	})
	if err != nil {
		return true, nil // an event or the next look wakes the block reader
	}
	defer stopTail(t)

	look := time.NewTicker(pollInterval)
	defer look.Stop()
	idle := clock.After(followIdle)
	stalled := 0
	for {
		changed := r.stream.Changed()
		if err := r.stream.Err(); err != nil {
			return false, err
		}
		select {
		case line, ok := <-t.Lines:
			if !ok {
				return false, nil
			}
			if more, err := r.gather(ctx, t, line); err != nil || !more {
				return false, err
			}
			idle, stalled = clock.After(followIdle), 0
		case <-changed:
		case <-look.C:
			// The library sees only a size that became smaller, not content that was cut and grew again.
			if err := r.check(); err != nil {
				return false, err
			}
			ahead := r.notes.Size - r.position()
			if stalled++; ahead == 0 {
				stalled = 0
			}
			if ahead > min(followBacklog, int64(r.lines.limit)) || stalled > followStall {
				return false, nil
			}
		case <-idle:
			return true, nil
		case <-leave:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// stopTail ends the library's goroutine, which may be about to send.
func stopTail(t *tail.Tail) {
	t.Kill(nil)
	for range t.Lines { // until it closes the channel
	}
	_ = t.Wait() // what it died of does not matter: the block reader goes on
}

// endIfSlow ends the library unless the timer is stopped within the time of a look. While something waits for the pipeline nobody
// watches the library, and of a line without an end it would gather all that is written, in no budget. The block reader
// goes on.
func endIfSlow(t *tail.Tail) *time.Timer { return time.AfterFunc(pollInterval, func() { t.Kill(nil) }) }

// gather sends a batch of line and of what follows it at once. It returns false when a line is not the file's next.
func (r *reading) gather(ctx context.Context, t *tail.Tail, line *tail.Line) (more bool, err error) {
	for line != nil {
		if !r.next(line, r.position()) {
			return false, nil
		}
		end, err := r.extent()
		if err != nil {
			return false, err
		}
		// As much as there is to read, not as much as there could be: hundreds of files with a line each now and then
		// would use up the budget of all.
		size := max(r.ask(min(end-r.position(), followBacklog/4)), anchorSize+len(line.Text)+1)
		wait := endIfSlow(t)
		b, err := r.in.Batch(ctx, r.stream, size)
		wait.Stop()
		if err != nil {
			return false, err
		}
		b.From, b.To = r.position(), r.position()
		b.Arena = append(b.Arena, r.lines.anchor...)
		r.lines.joins.begin()
		r.appendLine(b, line)
		more, line = r.collect(b, t.Lines, size)
		if r.lines.joins.cut(b) { // what was cut off, the block reader reads again until it knows where its joins end
			more = false
		}
		if b.To == b.From {
			b.Release()
			return false, nil
		}
		wait = endIfSlow(t)
		err = r.deliverFollowed(ctx, b)
		if wait.Stop(); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// collect adds lines to b while they come without a pause and fit into room bytes. It returns the line that did not fit, or more as
// false when a line is not the file's next.
func (r *reading) collect(b *pipeline.Batch, lines <-chan *tail.Line, room int) (more bool, left *tail.Line) {
	pause := time.NewTimer(gatherInterval)
	defer pause.Stop()
	for len(b.Lines) < maxLines(room) {
		select {
		case line, ok := <-lines:
			if !ok || !r.next(line, b.To) {
				return false, nil
			}
			if len(b.Arena)+len(line.Text)+1 > room {
				return true, line
			}
			r.appendLine(b, line)
		case <-pause.C:
			return true, nil
		}
	}
	return true, nil
}

// next reports whether line begins at position pos and is one that may be taken as it is. After a truncation the
// library starts at 0 again, and its offsets run back.
func (r *reading) next(line *tail.Line, pos int64) bool {
	return line.Err == nil && line.SeekInfo.Offset == pos+int64(len(line.Text))+1 && len(line.Text) <= r.lines.limit
}

// appendLine adds line to b byte for byte as it stands in the file.
func (r *reading) appendLine(b *pipeline.Batch, line *tail.Line) {
	start := len(b.Arena)
	b.Arena = append(append(b.Arena, line.Text...), '\n')
	r.lines.addLine(b, start, len(b.Arena)-1, b.To)
	b.To = line.SeekInfo.Offset
}

// deliverFollowed sends b if the file has b's bytes, and those before b. The library delivers what it has read: a file that
// was cut and grew again past the position, with the same head, would go on in mid-content, even within a batch.
func (r *reading) deliverFollowed(ctx context.Context, b *pipeline.Batch) error {
	r.scratch = slices.Grow(r.scratch[:0], len(b.Arena))[:len(b.Arena)]
	n, err := r.lines.src.ReadAt(r.scratch, b.From-int64(len(r.lines.anchor)))
	if !bytes.Equal(r.scratch[:n], b.Arena) {
		b.Release()
		if err == nil || errors.Is(err, io.EOF) {
			err = errReplaced
		}
		return err
	}
	return r.deliver(ctx, b)
}

// expect returns errReplaced unless the bytes before pos are the last ones of p.
func (r *reading) expect(pos int64, p []byte) error {
	anchor, err := readBefore(r.lines.src, pos)
	if errors.Is(err, io.EOF) || err == nil && !bytes.HasSuffix(p, anchor) {
		return errReplaced
	}
	return err
}

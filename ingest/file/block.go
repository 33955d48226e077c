package file

import (
	"bytes"
	"errors"
	"io"

	"logflume/pipeline"
)

// anchorSize is how many bytes before a position prove that a file still holds what was read from it.
const anchorSize = 128

// A blockReader cuts a stream of bytes into batches of whole lines. It reads straight into the batch's arena; the
// bytes before its position are read again each time, so that a file changed under it is noticed.
type blockReader struct {
	src     io.ReaderAt
	limit   int    // longest line in bytes
	room    int    // how much of an arena to use: what was asked for, which may be less than what it has
	pos     int64  // a line begins here
	anchor  []byte // the up to anchorSize bytes before pos
	scanned int64  // when above pos: the line at pos is over the limit and has no newline before this position
	reach   int    // when not 0: how many bytes to read, because lines are so short that a whole block has too many
	nuls    int64  // NUL bytes skipped at the start of the stream

	joins joiner
	quiet int64 // nothing was added for a while to what stands before this position: joins that end there are closed
}

// filling says what became of [blockReader.fill].
type filling int

const (
	full     filling = iota // the batch has a span
	small                   // the arena does not hold one line: a larger one is needed
	short                   // the source had less at hand: try again
	dry                     // no whole line before the end
	joining                 // whole lines before the end, but more may be joined to them
	replaced                // the bytes before the position are no longer what they were
)

// leastScratch is how much room there must be beside the head of a long line to read through the rest of it.
const leastScratch = 4 << 10

// need is the arena size that does for a line over the limit.
func (r *blockReader) need() int { return anchorSize + r.limit + leastScratch }

// fill reads whole lines into b, none of them reaching beyond position end. final says that nothing follows end (or
// what the source ends with before): the last line is then taken without its newline. The reader moves on only when
// advance is called.
func (r *blockReader) fill(b *pipeline.Batch, end int64, final bool) (filling, error) {
	if r.scanned > r.pos {
		return r.fillLong(b, end, final)
	}
	for {
		atEnd, err := r.load(b, end)
		if err != nil {
			return dry, err
		}
		lead := len(r.anchor)
		if len(b.Arena) < lead || !bytes.Equal(b.Arena[:lead], r.anchor) {
			return replaced, nil
		}
		from := r.skipPreamble(b.Arena, lead)
		stop := r.frame(b, from, r.pos+int64(from-lead), maxLines(r.room))
		if stop == from && r.reach > 0 && !atEnd { // we limited ourselves too much
			r.reach = 0
			continue
		}
		return r.finish(b, stop, end, atEnd, final)
	}
}

// load reads the anchor and what follows it.
func (r *blockReader) load(b *pipeline.Batch, end int64) (atEnd bool, err error) {
	lead := int64(len(r.anchor))
	want := min(int64(r.room), end-r.pos+lead)
	if r.reach > 0 {
		want = min(want, int64(r.reach))
	}
	b.Arena = b.Arena[:max(want, 0)]
	b.From, b.To = r.pos, r.pos
	n, err := r.src.ReadAt(b.Arena, r.pos-lead)
	b.Arena = b.Arena[:n]
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return err != nil || r.pos-lead+int64(n) >= end, nil
}

// finish decides what the framed part of the arena means.
func (r *blockReader) finish(b *pipeline.Batch, stop int, end int64, atEnd, final bool) (filling, error) {
	lead, n := len(r.anchor), len(b.Arena)
	r.adapt(len(b.Lines), stop)
	final = final && atEnd
	rest := n - stop
	if final && rest > 0 && len(b.Lines) < maxLines(r.room) && rest <= r.limit {
		before := len(b.Lines)
		r.addLine(b, stop, n, r.pos+int64(stop-lead))
		if len(b.Lines) > before {
			b.Lines[before].Partial = true
		}
		stop, rest = n, 0
	}
	stop, waits := r.settle(b, stop, atEnd, final)
	switch {
	case stop > lead:
	case waits && atEnd:
		return joining, nil
	case !waits && rest > r.limit:
		r.scanned = r.pos + int64(n-lead)
		return r.fillLong(b, end, final)
	case !atEnd && n < r.room:
		return short, nil
	case !atEnd:
		return small, nil
	default:
		return dry, nil
	}
	b.To = r.pos + int64(stop-lead)
	b.Arena = b.Arena[:stop]
	return full, nil
}

// adapt limits how much is read at once where a whole block would have too many lines.
func (r *blockReader) adapt(lines, stop int) {
	if lines >= maxLines(r.room) {
		r.reach = max(stop+stop/8, 4<<10)
	} else if r.reach *= 2; r.reach > r.room {
		r.reach = 0
	}
}

// settle closes the joins that nothing can be added to and takes those out of b that stay open. It returns where what
// is left of the arena ends, and whether something waits.
func (r *blockReader) settle(b *pipeline.Batch, stop int, atEnd, final bool) (end int, waits bool) {
	if r.joins.opened == 0 {
		return stop, false
	}
	if n := len(b.Arena); final && stop == n || atEnd && r.quiet >= r.pos+int64(stop-len(r.anchor)) {
		r.joins.closeAll()
	} else {
		r.joins.closeBefore(b, n-1) // the next line's terminator may be \r\n, whose first half is there
	}
	if r.joins.cut(b) {
		return len(b.Arena), true
	}
	return stop, false
}

// fillLong looks for the end of a line that is over the limit, keeping only its head and using the rest of the arena
// to read through it.
func (r *blockReader) fillLong(b *pipeline.Batch, end int64, final bool) (filling, error) {
	lead, keep := len(r.anchor), headSize(r.limit)
	if r.room < lead+keep+leastScratch {
		return small, nil
	}
	b.From, b.To, b.Lines = r.pos, r.pos, b.Lines[:0]
	if len(b.Arena) < lead+keep {
		b.Arena = b.Arena[:lead+keep]
		if n, err := r.src.ReadAt(b.Arena, r.pos-int64(lead)); n < len(b.Arena) {
			if err != nil && !errors.Is(err, io.EOF) {
				return dry, err
			}
			return replaced, nil
		}
	}
	if !bytes.Equal(b.Arena[:lead], r.anchor) {
		return replaced, nil
	}
	stop, terminated, err := r.seekNewline(b.Arena[lead+keep:r.room], end)
	if err != nil {
		return dry, err
	}
	if !terminated && !final {
		r.scanned = stop
		return dry, nil
	}
	line := pipeline.Line{Offset: r.pos, Start: lead, End: lead + keep, Length: stop - r.pos, Partial: !terminated}
	b.Lines = append(b.Lines, line)
	b.Arena = b.Arena[:lead+keep]
	b.To = stop
	if terminated {
		b.To++
	}
	return full, nil
}

// seekNewline reads through scratch from where the last search ended. It returns the position of the newline, or of
// the end of the source.
func (r *blockReader) seekNewline(scratch []byte, end int64) (at int64, found bool, err error) {
	for at = r.scanned; at < end; {
		part := scratch[:min(int64(len(scratch)), end-at)]
		n, err := r.src.ReadAt(part, at)
		if i := bytes.IndexByte(part[:n], '\n'); i >= 0 {
			return at + int64(i), true, nil
		}
		at += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return at, false, err
		}
	}
	return at, false, nil
}

// advance moves the reader behind b, which it has filled and whose content was found genuine.
func (r *blockReader) advance(b *pipeline.Batch) error {
	n := int(min(anchorSize, b.To))
	if from := len(b.Arena) - n; from >= 0 && b.To-b.From == int64(len(b.Arena)-len(r.anchor)) {
		r.anchor = append(r.anchor[:0], b.Arena[from:]...)
	} else if err := r.seek(b.To); err != nil { // the arena lacks what was skipped
		return err
	}
	r.pos, r.scanned = b.To, 0
	return nil
}

// seek sets the position and reads the anchor that belongs to it.
func (r *blockReader) seek(pos int64) error {
	anchor, err := readBefore(r.src, pos)
	if err != nil {
		return err
	}
	r.pos, r.anchor, r.scanned, r.reach = pos, anchor, 0, 0
	return nil
}

// readBefore returns the up to anchorSize bytes before pos. It fails with io.EOF when the source is shorter.
func readBefore(src io.ReaderAt, pos int64) ([]byte, error) {
	p := make([]byte, min(anchorSize, pos))
	n, err := src.ReadAt(p, pos-int64(len(p)))
	if n == len(p) {
		return p, nil
	}
	return nil, err
}

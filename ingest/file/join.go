package file

import (
	"time"

	"logflume/pipeline"
)

// Joins says which lines of a file are joined into one event.
type Joins struct {
	Traces bool // stack traces, and indented lines to the one before them
	Pieces bool // what a container runtime cut; it is then also told whose lines they are, stdout's or stderr's
}

// A join ends before the line with which it would have more lines than this, or more bytes than the longest line may
// have; both count from its first line on, and lines of the other stream that stand between count too.
const maxJoinLines = 2000

// How long a join is left open when nothing follows: in wrapped lines by the runtime's time, at the end of a file by the
// clock. What was cut goes on at once, unless the runtime is held up; half a line is of no use, so it is waited for.
const (
	traceQuiet = time.Second
	pieceQuiet = 10 * time.Second
)

// A joiner joins the lines of a batch as they are framed. It knows nothing when a batch begins, and decides by nothing
// but what comes from a join's first line on: so it does not matter how a file is cut into batches, as long as none ends
// within a join. A border says where one may end.
type joiner struct {
	Joins
	limit    int // bytes
	blank    bool
	opened   int // how many of open are
	open     [2]openJoin
	*scratch // nil while nothing is joined: thousands of idle files keep their joiner
}

// scratch is where contents with escapes are decoded.
type scratch struct {
	text  [decodedSize]byte // for the line at hand
	other [decodedSize]byte // for a join's first
}

// An openJoin is the event that the next line of its stream may continue. Lines are indices into the batch.
type openJoin struct {
	is         bool
	wrapped    bool
	partial    bool // the last line was cut
	state      trace
	first      int
	last       int
	group      int // first line of the joins that it overlaps with, its own if there are none
	lastMillis int // runtime's time of day of the last line
}

// begin forgets what was.
func (j *joiner) begin() { j.open, j.opened, j.blank = [2]openJoin{}, 0, false }

// rest gives back what is needed only while lines are joined.
func (j *joiner) rest() { j.scratch = nil }

// active reports whether anything is to be joined.
func (j *joiner) active() bool { return j.Traces || j.Pieces }

// add looks at the last line of b if it is new, else that line was blank.
func (j *joiner) add(b *pipeline.Batch, isNew bool) {
	if !isNew {
		j.blank = true
		return
	}
	i := len(b.Lines) - 1
	line := &b.Lines[i]
	raw := b.Arena[line.Start:line.End]
	if raw[0] == '{' && j.opened == 0 && !(j.Pieces && startsWith(raw, dockerStart)) {
		return // most lines there are
	}
	if j.scratch == nil {
		j.scratch = &scratch{}
	}
	var w wrapper
	wrapped := w.unwrap(raw, j.text[:0], j.Pieces)
	if j.opened == 0 && !w.partial && startsJSON(w.content) {
		return
	}
	blank := j.blank
	j.blank = false
	if other := &j.open[1-w.stream]; other.is && j.exceeds(other, b, i, w.millis) {
		j.close(other)
	}
	o := &j.open[w.stream]
	if o.is && (o.wrapped != wrapped || line.TooLong() || j.exceeds(o, b, i, w.millis) || !j.continues(o, b, &w, blank)) {
		j.close(o)
	}
	switch {
	case o.is:
		b.Join(o.last, i)
		o.last, o.partial, o.lastMillis = i, w.partial, w.millis
		if o.state == noTrace && !o.partial {
			j.close(o)
		}
	case !line.TooLong():
		j.start(&w, i, wrapped)
	}
}

// continues reports whether a line continues o, and notes what it makes of the trace.
func (j *joiner) continues(o *openJoin, b *pipeline.Batch, w *wrapper, blank bool) bool {
	if o.partial {
		return true
	}
	if !j.Traces || startsJSON(w.content) {
		return false
	}
	next := o.state.after(w.content, blank, func() []byte {
		var first wrapper
		first.unwrap(b.Arena[b.Lines[o.first].Start:b.Lines[o.first].End], j.other[:0], j.Pieces)
		return first.content
	})
	if next == noTrace {
		return false
	}
	o.state = next
	return true
}

// start opens a join with line i, if something may follow it.
func (j *joiner) start(w *wrapper, i int, wrapped bool) {
	state := noTrace
	if j.Traces && !startsJSON(w.content) {
		state = traceOf(w.content)
	}
	if state == noTrace && !w.partial {
		return
	}
	j.open[w.stream] = openJoin{
		is: true, wrapped: wrapped, partial: w.partial, state: state, first: i, last: i, group: i, lastMillis: w.millis,
	}
	j.opened++
}

// exceeds reports whether line i, of the time millis, comes too late for o, in bytes, lines or time.
func (j *joiner) exceeds(o *openJoin, b *pipeline.Batch, i, millis int) bool {
	if b.Lines[i].End-b.Lines[o.group].Start > j.limit || i-o.group >= maxJoinLines {
		return true
	}
	if !o.wrapped || millis < 0 {
		return false
	}
	const dayMillis = 24 * 60 * 60 * 1000
	passed := (millis - o.lastMillis + dayMillis) % dayMillis
	return passed > int(o.patience().Milliseconds()) && passed < dayMillis/2 // clocks are set back, too
}

func (o *openJoin) patience() time.Duration {
	if o.partial {
		return pieceQuiet
	}
	return traceQuiet
}

// patience is how long the end of a file may be quiet before its joins are closed.
func (j *joiner) patience() time.Duration {
	patience := traceQuiet
	for i := range j.open {
		if o := &j.open[i]; o.is {
			patience = max(patience, o.patience())
		}
	}
	return patience
}

// close ends o. Joins that it overlaps with cannot be parted from it any more.
func (j *joiner) close(o *openJoin) {
	o.is = false
	j.opened--
	for i := range j.open {
		if other := &j.open[i]; other.is && other.first < o.last {
			other.group = min(other.group, o.group)
		}
	}
}

// closeAll ends all joins: nothing will follow.
func (j *joiner) closeAll() { j.open, j.opened = [2]openJoin{}, 0 }

// closeBefore ends the joins to which no line can be added that ends at index end of the arena or later.
func (j *joiner) closeBefore(b *pipeline.Batch, end int) {
	for i := range j.open {
		if o := &j.open[i]; o.is && end-b.Lines[o.group].Start > j.limit {
			j.close(o)
		}
	}
}

// border returns how many of b's lines stand before all that may still be joined to.
func (j *joiner) border(b *pipeline.Batch) int {
	border := len(b.Lines)
	for i := range j.open {
		if o := &j.open[i]; o.is {
			border = min(border, o.group)
		}
	}
	return border
}

// cut takes out of b what may still be joined to, and reports whether that is anything. The next batch begins with it.
func (j *joiner) cut(b *pipeline.Batch) bool {
	border := j.border(b)
	if border == len(b.Lines) {
		return false
	}
	first := b.Lines[border]
	b.Lines, b.Arena, b.To = b.Lines[:border], b.Arena[:first.Start], first.Offset
	return true
}

package pipeline

import (
	"slices"
	"unsafe"
)

// A Batch is a span of one stream: whole lines with all their events, committed together. It owns its memory.
type Batch struct {
	Stream   *Stream
	From, To int64  // the span: position before the first line, position after the last
	Meta     []byte // JSON object merged into log_positions.meta at commit; nil adds nothing
	Received int64  // when the lines were read
	Bytes    int64  // of input that the span stands for: position steps in a file, keys and values of messages
	Lost     int64  // messages of the span that were gone before they could be read

	Arena     []byte // raw bytes, filled by the source; Lines and Envelopes point into it
	Lines     []Line
	Envelopes []Envelope // what came with each line, one for each; empty when the source knows nothing but lines

	Text   []byte // decoded values that Events point to, filled by processors; append only, it may move
	Events []Event
	Dead   []DeadLetter

	Rows    []byte  // COPY tuples of the events with Fate Keep, in order, filled by the sink's encoder
	RowEnds []int   // end of each tuple in Rows
	Days    []int32 // days since 1970-01-01 that Rows touch, each once

	intake    *Intake
	workspace *workspace    // whose memory the fields from Text to Days have; nil before the first stage
	done      chan struct{} // receives once when the last processor has finished
	wanted    chan struct{} // receives once when the sink waits for done
	charged   int64         // bytes taken from the budget
}

// Ledger counts what became of a span's lines. Lines = Kept + Filtered + Dead, always.
type Ledger struct {
	Lines    int64 // physical lines that are not blank, or messages
	Kept     int64 // at least one row came of it
	Filtered int64 // neither row nor dead letter
	Dead     int64 // no row, at least one dead letter
	Events   int64 // rows stored
	Analysed int64 // events counted in windows
	Bytes    int64 // position steps in a file; bytes of keys and values in a topic
	Lost     int64 // messages that were gone from the topic before they could be read
}

// Add adds o to l.
func (l *Ledger) Add(o Ledger) {
	l.Lines += o.Lines
	l.Kept += o.Kept
	l.Filtered += o.Filtered
	l.Dead += o.Dead
	l.Events += o.Events
	l.Analysed += o.Analysed
	l.Bytes += o.Bytes
	l.Lost += o.Lost
}

// Ledger classifies every line of the batch by the fates of its events and its dead letters.
func (b *Batch) Ledger() Ledger {
	l := Ledger{Lines: int64(len(b.Lines)), Bytes: b.Bytes, Lost: b.Lost}
	last := int32(-1)
	for i := range b.Events {
		e := &b.Events[i]
		if e.Fate != Drop {
			l.Analysed++
		}
		if e.Fate != Keep {
			continue
		}
		l.Events++
		if e.Line != last { // events stand in the order of their lines
			l.Kept++
			last = e.Line
		}
	}
	if len(b.Dead) > 0 {
		l.Dead = b.deadLines()
	}
	l.Filtered = l.Lines - l.Kept - l.Dead
	return l
}

// deadLines counts the lines that have a dead letter and no row.
func (b *Batch) deadLines() int64 {
	lines := make([]int32, 0, len(b.Dead))
	for i := range b.Dead {
		lines = append(lines, b.Dead[i].Line)
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	n := int64(len(lines))
	last := int32(-1)
	for i := range b.Events {
		e := &b.Events[i]
		if e.Fate != Keep || e.Line == last {
			continue
		}
		last = e.Line
		if _, found := slices.BinarySearch(lines, e.Line); found {
			n--
		}
	}
	return n
}

// Raw returns the bytes of line i.
func (b *Batch) Raw(i int) []byte { return b.Arena[b.Lines[i].Start:b.Lines[i].End] }

// Envelope returns what came with line i, or nil.
func (b *Batch) Envelope(i int) *Envelope {
	if len(b.Envelopes) == 0 {
		return nil
	}
	return &b.Envelopes[i]
}

// Reject adds a dead letter for line i.
func (b *Batch) Reject(i int, reason string) {
	l := &b.Lines[i]
	raw := b.Raw(i)
	cut := min(len(raw), MaxDeadLetter)
	b.Dead = append(b.Dead, DeadLetter{
		Offset: l.Offset, Line: int32(i), Length: l.Length, Reason: reason,
		Raw: raw[:cut], Truncated: l.Length > int64(cut),
	})
}

// Done is readable once, when all processors have finished with the batch. Asking for it lets the batch be processed
// even while the budget is overdrawn.
func (b *Batch) Done() <-chan struct{} {
	select {
	case b.wanted <- struct{}{}:
	default: // asked before
	}
	return b.done
}

// Release gives the batch's memory back to its intake. The caller must own the batch and must not touch it again.
func (b *Batch) Release() { b.intake.release(b) }

// String views p as a string without copying. It is valid as long as p's memory is neither reused nor written to.
func String(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

const (
	eventSize    = int64(unsafe.Sizeof(Event{}))
	lineSize     = int64(unsafe.Sizeof(Line{}))
	envelopeSize = int64(unsafe.Sizeof(Envelope{}))
	deadSize     = int64(unsafe.Sizeof(DeadLetter{}))
)

// size is the memory the batch holds, in bytes.
func (b *Batch) size() int64 {
	w := b.work()
	return int64(cap(b.Arena)) + int64(cap(b.Lines))*lineSize + int64(cap(b.Envelopes))*envelopeSize + w.size()
}

// work returns the fields that the stages fill.
func (b *Batch) work() workspace {
	return workspace{text: b.Text, events: b.Events, dead: b.Dead, rows: b.Rows, rowEnds: b.RowEnds, days: b.Days}
}

// attach gives b the memory of w.
func (b *Batch) attach(w *workspace) {
	b.workspace = w
	b.Text, b.Events, b.Dead, b.Rows, b.RowEnds, b.Days = w.text, w.events, w.dead, w.rows, w.rowEnds, w.days
}

// detach takes the workspace away, emptied, or returns nil when b has none.
func (b *Batch) detach() *workspace {
	w := b.workspace
	if w == nil {
		return nil
	}
	*w = b.work()
	w.empty()
	return w
}

// reset empties the batch, but for the memory of its raw lines.
func (b *Batch) reset() {
	select {
	case <-b.wanted:
	default:
	}
	*b = Batch{Arena: b.Arena[:0], Lines: b.Lines[:0], Envelopes: b.Envelopes[:0], intake: b.intake, done: b.done, wanted: b.wanted}
}

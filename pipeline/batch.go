package pipeline

import (
	"cmp"
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
	Path     string // name of the file that the lines are from; "" when they are from none

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

// Ledger classifies every line of the batch by the fates of its events and its dead letters. Lines that were joined
// share the class of their event.
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
			l.Kept += int64(b.span(e.Line))
			last = e.Line
		}
	}
	if len(b.Dead) > 0 {
		l.Dead = b.countDead()
	}
	l.Filtered = l.Lines - l.Kept - l.Dead
	return l
}

// span counts line i and those joined to it.
func (b *Batch) span(i int32) int32 {
	n := int32(1)
	for l := &b.Lines[i]; l.Next != 0; n++ {
		i += l.Next
		l = &b.Lines[i]
	}
	return n
}

// countDead counts the lines that have a dead letter and no row, and notes the numbers in their letters: in the first
// one of each line.
func (b *Batch) countDead() (lines int64) {
	letters := make([]*DeadLetter, len(b.Dead))
	for i := range b.Dead {
		letters[i] = &b.Dead[i]
	}
	slices.SortStableFunc(letters, func(x, y *DeadLetter) int { return cmp.Compare(x.Line, y.Line) })
	event, counted := 0, int32(-1)
	for _, d := range letters {
		for event < len(b.Events) && (b.Events[event].Line < d.Line || b.Events[event].Fate != Keep) {
			event++
		}
		d.Lines = 0
		if kept := event < len(b.Events) && b.Events[event].Line == d.Line; !kept && d.Line != counted {
			d.Lines, counted = b.span(d.Line), d.Line
			lines += int64(d.Lines)
		}
	}
	return lines
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

// RawJoined returns the bytes of line i and of those joined to it. Lines that stand together are returned as they are,
// blank ones between them included; others are put together in b.Text.
func (b *Batch) RawJoined(i int) []byte {
	first, last := i, i
	together := true
	for b.Lines[last].Next != 0 {
		together = together && b.Lines[last].Next == 1
		last += int(b.Lines[last].Next)
	}
	if together {
		return b.Arena[b.Lines[first].Start:b.Lines[last].End]
	}
	start := len(b.Text)
	b.Text = append(b.Text, b.Raw(i)...)
	for i != last {
		i += int(b.Lines[i].Next)
		b.Text = append(append(b.Text, '\n'), b.Raw(i)...)
	}
	return b.Text[start:]
}

// Join makes line i continue the event of line earlier, which no other line continues yet.
func (b *Batch) Join(earlier, i int) {
	b.Lines[earlier].Next = int32(i - earlier)
	b.Lines[i].Joined = true
}

// Reject adds a dead letter for line i as a whole.
func (b *Batch) Reject(i int, reason string) { b.reject(i, WholeLine, reason) }

// RejectEvent adds a dead letter for one event of a line.
func (b *Batch) RejectEvent(e *Event, reason string) { b.reject(int(e.Line), e.Index, reason) }

func (b *Batch) reject(i int, event int32, reason string) {
	l := &b.Lines[i]
	raw, length := b.Raw(i), l.Length
	if l.Next != 0 {
		raw = b.RawJoined(i)
		length = int64(len(raw))
	}
	cut := min(len(raw), MaxDeadLetter)
	b.Dead = append(b.Dead, DeadLetter{
		Offset: l.Offset, Line: int32(i), Event: event, Length: length, Reason: reason,
		Raw: raw[:cut:cut], Truncated: length > int64(cut),
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

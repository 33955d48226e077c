package pipeline

// A workspace is the memory that the stages fill for one batch. A batch gets one when a worker takes it, so that the
// many which sources hold or which wait for a worker have no more than their raw lines.
type workspace struct {
	text    []byte
	events  []Event
	dead    []DeadLetter
	rows    []byte
	rowEnds []int
	days    []int32
}

// size is the memory of w in bytes.
func (w *workspace) size() int64 {
	return int64(cap(w.text)) + int64(cap(w.events))*eventSize + int64(cap(w.dead))*deadSize + int64(cap(w.rows)) +
		int64(cap(w.rowEnds))*8 + int64(cap(w.days))*4
}

// empty makes all lengths 0.
func (w *workspace) empty() {
	clear(w.events) // or the strings would keep foreign memory alive
	clear(w.dead)
	w.text, w.events, w.dead = w.text[:0], w.events[:0], w.dead[:0]
	w.rows, w.rowEnds, w.days = w.rows[:0], w.rowEnds[:0], w.days[:0]
}

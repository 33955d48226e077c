package postgres

import (
	"sync/atomic"

	"logflume/pipeline"
)

// held counts what the sink has taken and not given back yet. A batch's lines are counted when its workers are done.
type held struct{ batches, lines atomic.Int64 }

// release gives batches back.
func (h *held) release(batches ...*pipeline.Batch) {
	for _, b := range batches {
		h.batches.Add(-1)
		h.lines.Add(-int64(len(b.Lines)))
		b.Release()
	}
}

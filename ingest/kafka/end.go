package kafka

import (
	"context"
	"strconv"

	"logflume/pipeline"
)

// Where a partition ends is noted in its row, so that the database can tell a topic that is quiet from one that is not read.

// noteEnd has the commit of b note where the partition ends, when that is news.
func (r *reading) noteEnd(b *pipeline.Batch) {
	if r.end == r.noted {
		return
	}
	r.noted = r.end
	meta := append(make([]byte, 0, len(`{"end":}`)+20), `{"end":`...)
	meta = append(strconv.AppendInt(meta, r.end, 10), '}')
	if len(b.Meta) > 0 {
		meta = append(append(meta[:len(meta)-1], ','), b.Meta[1:]...)
	}
	b.Meta = meta
}

// noteEnd notes in the row how far the partition reaches. As long as it is read commits do so. What goes wrong here has gone
// wrong before, and was told.
func (p *partition) noteEnd(ctx context.Context) {
	p.g.mu.Lock()
	end := p.end
	p.g.mu.Unlock()
	checkpoints := p.g.in.Checkpoints
	row, err := find(ctx, checkpoints, p.key)
	if err != nil || row.Key == "" {
		return
	}
	n, err := decodeNotes(row.Meta)
	if err == nil && end > 0 && (n.End == nil || *n.End < end) {
		_, err = checkpoints.Amend(ctx, row, pipeline.Amendment{Meta: object(map[string]int64{"end": end})})
	}
	if err != nil {
		p.g.options.Log.Debug("the end of a partition could not be noted", "partition", p.String(), "error", err)
	}
}

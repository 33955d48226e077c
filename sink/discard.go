package sink

import (
	"context"
	"fmt"

	"logflume/pipeline"
)

// A Discard is a sink without a database: it does all that a sink does for a batch but storing it, and keeps positions
// in memory. With it the rest of the pipeline can be measured and tried. It implements [pipeline.Sink] and
// [pipeline.Checkpoints].
type Discard struct {
	*memory
	newAggregate func() pipeline.Aggregate
	segment      int // events after which the shares are computed
	stats        *pipeline.Stats
}

// NewDiscard returns a sink that computes the shares of the analysis after every so many events, as a flush of that size
// would.
func NewDiscard(newAggregate func() pipeline.Aggregate, flushRows int, stats *pipeline.Stats) *Discard {
	return &Discard{memory: newMemory(), newAggregate: newAggregate, segment: flushRows, stats: stats}
}

// Run implements [pipeline.Sink].
func (d *Discard) Run(ctx context.Context, in <-chan *pipeline.Batch) error {
	segment := &discardSegment{aggregate: d.newAggregate()}
	for {
		if len(in) == 0 { // the sources may be waiting for the memory of what is held
			d.flush(segment)
		}
		select {
		case b, ok := <-in:
			if !ok {
				d.flush(segment)
				return nil
			}
			select {
			case <-b.Done():
			case <-ctx.Done():
				return gaveUp(ctx, in)
			}
			d.take(b, segment)
			if segment.events >= d.segment {
				d.flush(segment)
			}
		case <-ctx.Done():
			return gaveUp(ctx, in)
		}
	}
}

// A discardSegment is what was taken since the last flush.
type discardSegment struct {
	batches   []*pipeline.Batch // the aggregate points into them
	events    int
	aggregate pipeline.Aggregate
}

// take commits a batch, or drops it when its stream was fenced.
func (d *Discard) take(b *pipeline.Batch, segment *discardSegment) {
	s := b.Stream
	if s.Err() != nil {
		b.Release()
		return
	}
	if err := d.advance(s.Checkpoint, b.From, b.To, b.Meta); err != nil {
		d.stats.Fenced.Add(1)
		s.Fence(err)
		b.Release()
		return
	}
	segment.batches = append(segment.batches, b)
	segment.events += len(b.Events)
	segment.aggregate.Add(b)
	d.stats.Committed(b.Ledger())
	s.Commit(b.To)
}

// flush computes the shares, throws them away and gives the memory back.
func (d *Discard) flush(segment *discardSegment) {
	if len(segment.batches) == 0 {
		return
	}
	segment.aggregate.Rows(func(*pipeline.Share) {})
	segment.aggregate.Reset()
	for _, b := range segment.batches {
		b.Release()
	}
	clear(segment.batches)
	segment.batches, segment.events = segment.batches[:0], 0
	d.stats.Flushes.Add(1)
}

func gaveUp(ctx context.Context, in <-chan *pipeline.Batch) error {
	return fmt.Errorf("gave up with %d batches not taken: %w", len(in), context.Cause(ctx))
}

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
	aggregate := d.newAggregate()
	events := 0
	for {
		select {
		case b, ok := <-in:
			if !ok {
				d.flush(aggregate)
				return nil
			}
			select {
			case <-b.Done():
			case <-ctx.Done():
				return gaveUp(ctx, in)
			}
			events += d.take(b, aggregate)
			if events >= d.segment {
				d.flush(aggregate)
				events = 0
			}
		case <-ctx.Done():
			return gaveUp(ctx, in)
		}
	}
}

// take commits a batch, or drops it when its stream was fenced, and returns how many events it had.
func (d *Discard) take(b *pipeline.Batch, aggregate pipeline.Aggregate) (events int) {
	defer b.Release()
	s := b.Stream
	if s.Err() != nil {
		return 0
	}
	if err := d.advance(s.Checkpoint, b.From, b.To, b.Meta); err != nil {
		d.stats.Fenced.Add(1)
		s.Fence(err)
		return 0
	}
	aggregate.Add(b)
	d.stats.Committed(b.Ledger())
	s.Commit(b.To)
	return len(b.Events)
}

// flush computes the shares and throws them away.
func (d *Discard) flush(aggregate pipeline.Aggregate) {
	aggregate.Rows(func(*pipeline.Share) {})
	aggregate.Reset()
	d.stats.Flushes.Add(1)
}

func gaveUp(ctx context.Context, in <-chan *pipeline.Batch) error {
	return fmt.Errorf("gave up with %d batches not taken: %w", len(in), context.Cause(ctx))
}

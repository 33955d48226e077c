package postgres

import (
	"context"
	"fmt"
	"time"

	"logflume/pipeline"
)

// A flush is what the assembler hands over at once: a sealed part for each stream that sent something.
type flush []*part

// An assembler collects batches until a flush is large or old enough. One goroutine runs it.
type assembler struct {
	rows, bytes int // thresholds
	interval    time.Duration
	aggregate   pipeline.Aggregate
	patterns    *patternCache
	held        *held

	parts  flush
	open   map[*pipeline.Stream]*part
	events int // so far
	size   int // bytes so far
}

// run takes batches in order and sends sealed flushes until in is closed or ctx ends. It closes out when everything
// was sent.
func (a *assembler) run(ctx context.Context, in <-chan *pipeline.Batch, out chan<- flush) error {
	age := time.NewTimer(a.interval)
	defer age.Stop()
	age.Stop()
	for {
		select {
		case b, ok := <-in:
			if !ok {
				err := a.send(ctx, out)
				close(out)
				return err
			}
			a.held.batches.Add(1)
			if err := a.await(ctx, b, age.C, out); err != nil {
				return err
			}
			if len(a.parts) == 0 {
				age.Reset(a.interval)
			}
			a.add(b)
			if a.events < a.rows && a.size < a.bytes {
				continue
			}
		case <-age.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		age.Stop()
		if err := a.send(ctx, out); err != nil {
			return err
		}
	}
}

// await waits until the workers are done with b. What was collected before it is sent meanwhile when its time comes.
func (a *assembler) await(ctx context.Context, b *pipeline.Batch, due <-chan time.Time, out chan<- flush) error {
	for {
		select {
		case <-b.Done():
			a.held.lines.Add(int64(len(b.Lines)))
			return nil
		case <-due:
			if err := a.send(ctx, out); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// add puts b into the part of its stream. Batches of a stream that was fenced are given back unseen.
func (a *assembler) add(b *pipeline.Batch) {
	s := b.Stream
	p := a.open[s]
	if p != nil && p.to != b.From {
		s.Fence(fmt.Errorf("a batch begins at %d, not at %d: %w", b.From, p.to, pipeline.ErrMoved))
	}
	if s.Err() != nil {
		a.held.release(b)
		return
	}
	if p == nil {
		p = newPart(b)
		a.open[s] = p
		a.parts = append(a.parts, p)
	} else {
		p.add(b)
	}
	a.events += len(b.Events) + len(b.Dead)
	a.size += len(b.Arena) + len(b.Rows)
}

// send seals the parts and hands them over.
func (a *assembler) send(ctx context.Context, out chan<- flush) error {
	if len(a.parts) == 0 {
		return nil
	}
	for _, p := range a.parts {
		p.seal(a.aggregate, a.patterns)
	}
	select {
	case out <- a.parts:
	case <-ctx.Done():
		return ctx.Err()
	}
	a.parts, a.events, a.size = nil, 0, 0
	clear(a.open)
	return nil
}

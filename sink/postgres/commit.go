package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"logflume/pipeline"
)

// A committer commits flushes. One goroutine runs it.
type committer struct {
	sink      *Sink
	conn      *client
	aggregate pipeline.Aggregate // for parts that are counted again

	lanes    []*lane // in the order in which their streams first sent
	byStream map[*pipeline.Stream]*lane

	placed bool // partitions were made because of the error before; if it comes again, the row is to blame
}

func (s *Sink) newCommitter() *committer {
	return &committer{
		sink: s, conn: s.writer, aggregate: s.options.NewAggregate(),
		byStream: map[*pipeline.Stream]*lane{},
	}
}

// run commits what comes until in is closed and nothing is left, or ctx ends, or an error cannot pass.
func (c *committer) run(ctx context.Context, in <-chan flush) error {
	defer c.conn.close()
	defer c.sink.state.gaveUp(partWriter)
	for open := true; open || len(c.lanes) > 0; {
		var due <-chan time.Time
		if len(c.lanes) > 0 { // locked ones: all others are gone when flush returns
			due = time.After(c.sink.pace.lockedRetry)
		}
		select {
		case f, ok := <-in:
			if !ok {
				in, open = nil, false
			}
			c.take(f)
			c.takeWaiting(in)
		case <-due:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// takeWaiting takes the flushes that are there already.
func (c *committer) takeWaiting(in <-chan flush) {
	for {
		select {
		case f := <-in: // an empty one when in is closed, which run then sees itself
			if f == nil {
				return
			}
			c.take(f)
		default:
			return
		}
	}
}

// take puts the parts of a flush at the end of their lanes.
func (c *committer) take(f flush) {
	for _, p := range f {
		l := c.byStream[p.stream]
		if l == nil {
			l = &lane{stream: p.stream}
			c.byStream[p.stream] = l
			c.lanes = append(c.lanes, l)
		}
		if len(l.parts) > 0 && l.to() != p.from {
			c.settle(l, moved) // a gap: the source broke its contract, reading again heals it
		}
		l.parts = append(l.parts, p)
	}
}

// flush tries until every lane is committed, fenced, or found locked.
func (c *committer) flush(ctx context.Context) error {
	wait := newRetry(&c.sink.pace)
	for {
		lanes := c.ready()
		if len(lanes) == 0 {
			return nil
		}
		err := c.sink.once(ctx, func(ctx context.Context) error { return c.try(ctx, lanes) })
		if err != nil {
			if err := c.mend(ctx, wait, err); err != nil {
				return err
			}
			continue
		}
		c.placed = false
		c.sink.state.worked(partWriter)
		if c.purge(); c.lockedLanes() == len(c.lanes) {
			return nil
		}
	}
}

// ready returns the lanes that can be tried, one for each source. Should two streams read one source, the second has
// to wait for the first, and then finds that the position moved.
func (c *committer) ready() []*lane {
	c.purge()
	var lanes []*lane
	sources := map[int32]bool{}
	for _, l := range c.lanes {
		if sources[l.stream.ID] {
			l.lockedSince = c.sink.pace.now()
			continue
		}
		sources[l.stream.ID] = true
		lanes = append(lanes, l)
	}
	return lanes
}

// purge drops the lanes that are empty or whose stream was fenced.
func (c *committer) purge() {
	c.lanes = slices.DeleteFunc(c.lanes, func(l *lane) bool {
		if len(l.parts) > 0 && l.stream.Err() == nil {
			return false
		}
		l.release(&c.sink.held)
		delete(c.byStream, l.stream)
		return true
	})
	c.sink.state.setLocked(c.lockedLanes())
}

func (c *committer) lockedLanes() (n int) {
	for _, l := range c.lanes {
		if !l.lockedSince.IsZero() {
			n++
		}
	}
	return n
}

// try makes what rows refer to and then commits what can be committed.
func (c *committer) try(ctx context.Context, lanes []*lane) error {
	if err := c.conn.connect(ctx); err != nil {
		return err
	}
	lanes, err := c.stopFloods(ctx, lanes)
	if err != nil || len(lanes) == 0 {
		return err
	}
	if err := c.sink.partitions.ensure(ctx, c.conn, days(lanes)); err != nil {
		return err
	}
	stored, err := c.sink.patterns.store(ctx, c.conn, c.sink.sql.patterns, lanes)
	if err != nil {
		return err
	}
	c.sink.options.Stats.Patterns.Add(stored)
	t := &transaction{committer: c, lanes: lanes}
	if err := t.run(ctx); err != nil {
		return err
	}
	return c.thaw(ctx)
}

// mend does what the error of a try asks for. It returns nil when there is to be another try.
func (c *committer) mend(ctx context.Context, wait retry, err error) error {
	c.conn.rollback(ctx)
	class := Classify(err)
	var failed *copyError
	if errors.As(err, &failed) && ctx.Err() == nil {
		switch {
		case class == MissingPartition && !c.placed:
			c.placed = true
			c.sink.partitions.forget()
			return nil
		case class == MissingPartition || class == BadRow:
			var found int
			found, err = c.sieve(ctx, failed)
			if err == nil && found > 0 {
				return nil
			}
			err = errors.Join(err, failed) // the rows were taken this time: nothing is known about them
			c.conn.rollback(ctx)
		}
	}
	c.sink.options.Stats.FlushErrors.Add(1)
	return c.sink.again(ctx, partWriter, c.conn, wait, err)
}

// committed records that the lane's stream is durable up to position to.
func (c *committer) committed(l *lane, to int64) {
	c.sink.options.Stats.Committed(l.advance(to, &c.sink.held))
	l.lockedSince = time.Time{}
	l.stream.Commit(to)
	if c.sink.floods.goesOn(l.stream.ID) {
		c.sink.options.Log.Info("source goes on", "source", l.stream.Key)
	}
}

// settle deals with a lane that did not pass.
func (c *committer) settle(l *lane, v verdict) {
	switch v {
	case locked:
		if l.lockedSince.IsZero() {
			l.lockedSince = c.sink.pace.now()
		}
		l.stream.Block(true)
	case stored:
		c.committed(l, l.asked)
	default:
		c.sink.options.Stats.Fenced.Add(1)
		err := v.fenceError()
		c.sink.options.Log.Warn("stream fenced", "source", l.stream.Key, "error", err)
		l.stream.Fence(err)
	}
}

// days returns the days that the lanes' rows touch.
func days(lanes []*lane) []int32 {
	var all []int32
	for _, l := range lanes {
		for b := range l.batches {
			for _, d := range b.Days {
				all = addDay(all, d)
			}
		}
	}
	return all
}

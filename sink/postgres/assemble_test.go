package postgres

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"logflume/pipeline"
)

// collector is a sink that only assembles, and tells when each flush came and how many events it had.
type collector struct {
	*assembler
	flushes []flushed
}

type flushed struct {
	after  time.Duration
	parts  int
	events int64
}

func (c *collector) Run(ctx context.Context, in <-chan *pipeline.Batch) error {
	start := time.Now()
	out := make(chan flush)
	end := make(chan error, 1)
	go func() { end <- c.run(ctx, in, out) }()
	for f := range out {
		n := flushed{after: time.Since(start), parts: len(f)}
		for _, p := range f {
			n.events += p.ledger.Events
			p.stream.Commit(p.to)
			c.held.release(p.batches...)
		}
		c.flushes = append(c.flushes, n)
	}
	return <-end
}

// memoryless gives every source its row at position 0.
type memoryless struct{ pipeline.Checkpoints }

func (memoryless) Create(_ context.Context, key string, _ []byte) (pipeline.Checkpoint, error) {
	return pipeline.Checkpoint{ID: int32(key[0]), Key: key}, nil
}

func assemble(t *testing.T, feeds ...*feed) []flushed {
	t.Helper()
	c := &collector{assembler: &assembler{
		rows: 100, bytes: 1 << 20, interval: time.Second, aggregate: &count{}, patterns: newPatternCache(), held: &held{},
		open: map[*pipeline.Stream]*part{},
	}}
	budget := pipeline.NewBudget(64 << 20)
	p := pipeline.Pipeline{
		Intake: pipeline.NewIntake(memoryless{}, budget, &pipeline.Stats{}, 4), Workers: 2, Sink: c,
		Stages: func() []pipeline.Processor { return []pipeline.Processor{reader{}, Encoder{}} },
	}
	for _, f := range feeds {
		p.Sources = append(p.Sources, f)
	}
	if err := pipeline.Run(t.Context(), p); err != nil {
		t.Error(err)
	}
	if budget.Used() != 0 || c.held.batches.Load() != 0 || c.held.lines.Load() != 0 {
		t.Errorf("not given back: %d bytes, %d batches, %d lines", budget.Used(), c.held.batches.Load(), c.held.lines.Load())
	}
	return c.flushes
}

func pause(d time.Duration) func(context.Context, int64) {
	return func(ctx context.Context, _ int64) { _ = sleep(ctx, d) }
}

func TestFlushWhenEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := assemble(t, &feed{key: "a", lines: 300, batch: 30, line: number})
		if len(got) != 3 || got[0] != (flushed{0, 1, 120}) || got[1] != (flushed{0, 1, 120}) || got[2] != (flushed{time.Second, 1, 60}) {
			t.Errorf("%+v", got) // whole batches; the rest when its time has come
		}
	})
}

func TestFlushWhenOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := assemble(t, &feed{key: "a", lines: 6, batch: 1, line: number, gate: pause(400 * time.Millisecond)})
		if len(got) != 2 || got[0] != (flushed{1400 * time.Millisecond, 1, 3}) || got[1] != (flushed{2600 * time.Millisecond, 1, 3}) {
			t.Errorf("%+v", got) // a second after its first batch
		}
	})
}

// A batch that takes its time in a worker does not delay what was there before it.
func TestFlushWhileWaitingForAWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &feed{key: "a", lines: 2, batch: 1, line: func(n int64) string { return number(n) + ";w=" + number(n*5) }}
		got := assemble(t, slow)
		if len(got) != 2 || got[0] != (flushed{time.Second, 1, 1}) || got[1] != (flushed{6 * time.Second, 1, 1}) {
			t.Errorf("%+v", got)
		}
	})
}

// Batches of a fenced stream are given back unseen.
func TestFencedBatchesAreDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &feed{key: "a", lines: 40, batch: 10, line: number}
		gap := &gappy{feed: f}
		c := &collector{assembler: &assembler{
			rows: 100, bytes: 1 << 20, interval: time.Second, aggregate: &count{}, patterns: newPatternCache(), held: &held{},
			open: map[*pipeline.Stream]*part{},
		}}
		budget := pipeline.NewBudget(64 << 20)
		err := pipeline.Run(t.Context(), pipeline.Pipeline{
			Sources: []pipeline.Source{gap}, Intake: pipeline.NewIntake(memoryless{}, budget, &pipeline.Stats{}, 4), Workers: 1,
			Sink: c, Stages: func() []pipeline.Processor { return []pipeline.Processor{reader{}, Encoder{}} },
		})
		if err != nil || gap.stream.Err() == nil {
			t.Errorf("%v, a gap did not fence the stream", err)
		}
		if len(c.flushes) != 1 || c.flushes[0].events != 10 || budget.Used() != 0 {
			t.Errorf("%+v, %d bytes held", c.flushes, budget.Used())
		}
	})
}

// gappy sends batches of which the second does not follow the first.
type gappy struct {
	*feed
	stream *pipeline.Stream
}

func (g *gappy) Run(ctx context.Context, in *pipeline.Intake) error {
	g.stream = pipeline.NewStream(pipeline.Checkpoint{ID: 1})
	for _, from := range []int64{0, 20, 30} {
		b, err := in.Batch(ctx, g.stream, 1000)
		if err != nil {
			return nil
		}
		g.fill(b, from, from+10)
		if in.Send(ctx, b) != nil {
			return nil
		}
	}
	return nil
}

package sink_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"logflume/pipeline"
	"logflume/sink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counter is an aggregate that counts what it is asked, and looks whether the batches added are still there when their
// rows are asked for, as the real one needs them.
type counter struct {
	added, rows, released int
	batches               []*pipeline.Batch
}

func (c *counter) Add(b *pipeline.Batch) {
	c.added += len(b.Events)
	c.batches = append(c.batches, b)
}

func (c *counter) Rows(func(*pipeline.Share)) {
	c.rows++
	for _, b := range c.batches {
		if b.Stream == nil || len(b.Events) == 0 {
			c.released++
		}
	}
}

func (c *counter) Reset() { c.batches = nil }

// events makes an event of each line.
type events struct{}

func (events) Process(b *pipeline.Batch) {
	for n := range b.Lines {
		b.Events = append(b.Events, pipeline.Event{Line: int32(n)})
	}
}

// A source that sends spans one after the other, each with ten lines, and remembers how it ended.
type spans struct {
	from, to []int64
	stream   *pipeline.Stream
	err      error
}

func (s *spans) Run(ctx context.Context, in *pipeline.Intake) error {
	c, err := in.Checkpoints.Create(ctx, "k", []byte(`{"path":"p"}`))
	if err != nil {
		return err
	}
	s.stream = pipeline.NewStream(c)
	for i := range s.from {
		b, err := in.Batch(ctx, s.stream, 100)
		if err != nil {
			s.err = err
			return nil
		}
		b.From, b.To, b.Meta = s.from[i], s.to[i], []byte(`{"seen":1}`)
		b.Lines = append(b.Lines, make([]pipeline.Line, 10)...)
		if err := in.Send(ctx, b); err != nil {
			s.err = err
			return nil
		}
	}
	s.err = s.stream.WaitCommitted(ctx, s.to[len(s.to)-1])
	return nil
}

func run(t *testing.T, d *sink.Discard, stats *pipeline.Stats, s *spans) {
	t.Helper()
	budget := pipeline.NewBudget(1 << 20)
	err := pipeline.Run(t.Context(), pipeline.Pipeline{
		Sources: []pipeline.Source{s}, Intake: pipeline.NewIntake(d, budget, stats, 4), Workers: 1,
		Stages: func() []pipeline.Processor { return []pipeline.Processor{events{}} }, Sink: d,
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := budget.Used(); n != 0 {
		t.Errorf("%d bytes not given back", n)
	}
}

func TestDiscardCommits(t *testing.T) {
	t.Parallel()
	stats, c := &pipeline.Stats{}, &counter{}
	d := sink.NewDiscard(func() pipeline.Aggregate { return c }, 20, stats)
	s := &spans{from: []int64{0, 10, 20}, to: []int64{10, 20, 30}}
	run(t, d, stats, s)
	if s.err != nil || c.added != 30 || c.rows < 2 || c.released != 0 || stats.Lines.Load() != 30 || stats.Kept.Load() != 30 {
		t.Errorf("%v, %d events in %d segments, %d batches released too early, %d lines", s.err, c.added, c.rows, c.released, stats.Lines.Load())
	}
	rows, err := d.List(t.Context(), "k", true)
	if err != nil || len(rows) != 1 || rows[0].Position != 30 || string(rows[0].Meta) != `{"path":"p","seen":1}` {
		t.Errorf("%v %+v", err, rows)
	}
}

func TestDiscardFencesAGap(t *testing.T) {
	t.Parallel()
	stats := &pipeline.Stats{}
	d := sink.NewDiscard(func() pipeline.Aggregate { return &counter{} }, 20, stats)
	s := &spans{from: []int64{0, 11, 21}, to: []int64{10, 21, 30}}
	run(t, d, stats, s)
	if !errors.Is(s.err, pipeline.ErrMoved) || stats.Fenced.Load() != 1 || stats.Lines.Load() != 10 {
		t.Errorf("%v, %d lines", s.err, stats.Lines.Load())
	}
}

func TestDiscardGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := sink.NewDiscard(func() pipeline.Aggregate { return &counter{} }, 20, &pipeline.Stats{})
	err := d.Run(ctx, make(chan *pipeline.Batch))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "not taken") {
		t.Error(err)
	}
}

func TestMemoryCheckpoints(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := sink.NewDiscard(func() pipeline.Aggregate { return &counter{} }, 20, &pipeline.Stats{})
	b, _ := d.Create(ctx, "x:b", nil)
	a, _ := d.Create(ctx, "x:a", []byte(`{"n":1}`))
	if again, _ := d.Create(ctx, "x:a", []byte(`{"n":2}`)); again.ID != a.ID || string(again.Meta) != `{"n":1}` {
		t.Errorf("created again: %+v", again)
	}
	if _, err := d.Create(ctx, "y", nil); err != nil {
		t.Error(err)
	}
	fenced, err := d.Amend(ctx, a, pipeline.Amendment{Fence: true, Meta: []byte(`{"closed":true}`)})
	if err != nil || fenced.Epoch != 1 || string(fenced.Meta) != `{"closed":true,"n":1}` {
		t.Errorf("%v %+v", err, fenced)
	}
	if _, err := d.Amend(ctx, a, pipeline.Amendment{}); !errors.Is(err, pipeline.ErrMoved) {
		t.Errorf("former epoch: %v", err)
	}
	if _, err := d.Amend(ctx, pipeline.Checkpoint{ID: 99}, pipeline.Amendment{}); !errors.Is(err, pipeline.ErrGone) {
		t.Errorf("no row: %v", err)
	}
	all, _ := d.List(ctx, "x:", false)
	open, _ := d.List(ctx, "x:", true)
	if len(all) != 2 || all[0].ID != a.ID || len(open) != 1 || open[0].ID != b.ID {
		t.Errorf("all %+v\nopen %+v", all, open)
	}
}

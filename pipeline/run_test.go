package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counting is a source that sends n batches of one line each, or batches for ever when n is 0.
type counting struct {
	stream *Stream
	n      int
	err    error
}

func (s *counting) Run(ctx context.Context, in *Intake) error {
	for i := 0; s.n == 0 || i < s.n; i++ {
		b, err := in.Batch(ctx, s.stream, 1<<10)
		if err != nil {
			return s.err
		}
		b.From, b.To, b.Bytes = int64(i), int64(i+1), 1
		b.Arena = append(b.Arena, 'x')
		b.Lines = append(b.Lines, Line{Offset: int64(i), End: 1, Length: 1})
		if in.Send(ctx, b) != nil {
			return s.err
		}
	}
	return s.err
}

// marking turns every line into an event.
type marking struct{}

func (marking) Process(b *Batch) {
	for i := range b.Lines {
		b.Events = append(b.Events, Event{Offset: b.Lines[i].Offset, Line: int32(i)})
	}
}

// collecting is a sink in memory. While stuck is open it commits nothing.
type collecting struct {
	mu     sync.Mutex
	to     map[*Stream][]int64
	ledger Ledger
	stuck  chan struct{}
	err    error
}

func (s *collecting) Run(ctx context.Context, in <-chan *Batch) error {
	if s.stuck != nil {
		select {
		case <-s.stuck:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for b := range in {
		<-b.Done()
		s.mu.Lock()
		s.to[b.Stream] = append(s.to[b.Stream], b.To)
		s.ledger.Add(b.Ledger())
		s.mu.Unlock()
		b.Stream.Commit(b.To)
		b.Release()
		if s.err != nil {
			return s.err
		}
	}
	return nil
}

func newPipeline(sink Sink, sources ...Source) Pipeline {
	return Pipeline{
		Sources: sources,
		Intake:  NewIntake(nil, NewBudget(64<<10), &Stats{}, 4),
		Workers: 3,
		Stages:  func() []Processor { return []Processor{marking{}} },
		Sink:    sink,
		Grace:   time.Minute,
	}
}

func TestRunKeepsTheOrderOfEachStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &collecting{to: map[*Stream][]int64{}}
		a, b := NewStream(Checkpoint{ID: 1}), NewStream(Checkpoint{ID: 2})
		p := newPipeline(sink, &counting{stream: a, n: 500}, &counting{stream: b, n: 300})
		if err := Run(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		for s, n := range map[*Stream]int{a: 500, b: 300} {
			if got := sink.to[s]; len(got) != n || !slices.IsSorted(got) || s.Committed() != int64(n) {
				t.Errorf("stream %d: %d batches, sorted %v, committed %d", s.ID, len(got), slices.IsSorted(got), s.Committed())
			}
		}
		if want := (Ledger{Lines: 800, Kept: 800, Events: 800, Analysed: 800, Bytes: 800}); sink.ledger != want {
			t.Errorf("ledger %+v", sink.ledger)
		}
		if used := p.Intake.Budget.Used(); used != 0 {
			t.Errorf("%d bytes still charged", used)
		}
	})
}

func TestRunCommitsWhatWasReadBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &collecting{to: map[*Stream][]int64{}, stuck: make(chan struct{})}
		s := NewStream(Checkpoint{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		p := newPipeline(sink, &counting{stream: s})
		go func() { ended <- Run(ctx, p) }()
		synctest.Wait() // the source has filled the channels and waits
		cancel()
		synctest.Wait()
		close(sink.stuck)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if s.Committed() == 0 || s.Committed() != int64(len(sink.to[s])) {
			t.Fatalf("committed %d of %d batches", s.Committed(), len(sink.to[s]))
		}
	})
}

func TestRunGivesUpAfterTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sink := &collecting{stuck: make(chan struct{})}
		ended := make(chan error)
		go func() { ended <- Run(ctx, newPipeline(sink, &counting{stream: NewStream(Checkpoint{})})) }()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestRunStopsAtTheFirstError(t *testing.T) {
	boom := errors.New("boom")
	t.Run("source", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			sink := &collecting{to: map[*Stream][]int64{}}
			failing := &counting{stream: NewStream(Checkpoint{ID: 1}), n: 3, err: boom}
			endless := &counting{stream: NewStream(Checkpoint{ID: 2})}
			if err := Run(t.Context(), newPipeline(sink, failing, endless)); !errors.Is(err, boom) {
				t.Fatalf("got %v", err)
			}
		})
	})
	t.Run("sink", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			sink := &collecting{to: map[*Stream][]int64{}, err: boom}
			if err := Run(t.Context(), newPipeline(sink, &counting{stream: NewStream(Checkpoint{})})); !errors.Is(err, boom) {
				t.Fatalf("got %v", err)
			}
		})
	})
}

// growing is a stage that needs far more memory than the source foresaw.
type growing struct{}

func (growing) Process(b *Batch) { b.Text = append(b.Text, make([]byte, 1<<20)...) }

func TestRunOverdrawsByOneBatchAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &collecting{to: map[*Stream][]int64{}, stuck: make(chan struct{})}
		s := NewStream(Checkpoint{})
		p := newPipeline(sink, &counting{stream: s, n: 20})
		p.Stages = func() []Processor { return []Processor{growing{}} }
		ended := make(chan error)
		go func() { ended <- Run(t.Context(), p) }()
		synctest.Wait()
		if used, most := p.Intake.Budget.Used(), p.Intake.Budget.Limit()+int64(p.Workers)*2<<20; used > most {
			t.Errorf("%d bytes in flight, want at most %d", used, most)
		}
		close(sink.stuck)
		if err := <-ended; err != nil || s.Committed() != 20 {
			t.Fatalf("error %v, committed %d", err, s.Committed())
		}
	})
}

func TestRunEndsWorkersThatWaitForABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := newPipeline(&collecting{stuck: make(chan struct{})}, &counting{stream: NewStream(Checkpoint{})})
		p.Stages = func() []Processor { return []Processor{growing{}} }
		ended := make(chan error)
		go func() { ended <- Run(ctx, p) }()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestBlockedStreamGetsNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := NewIntake(nil, NewBudget(1<<20), &Stats{}, 4)
		s := NewStream(Checkpoint{})
		s.Block(true)
		got := make(chan error, 1)
		go func() {
			b, err := in.Batch(t.Context(), s, 1<<10)
			if err == nil {
				b.Release()
			}
			got <- err
		}()
		synctest.Wait()
		if len(got) != 0 {
			t.Fatal("a blocked stream was given a batch")
		}
		s.Block(false)
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	})
}

func TestStreamAmongOthersHoldsHalfTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := NewIntake(nil, NewBudget(64<<10), &Stats{}, 4)
		in.Active(2)
		s := NewStream(Checkpoint{})
		var batches []*Batch
		got := make(chan *Batch)
		go func() {
			defer close(got)
			for range 5 { // of 8 KiB of budget each
				b, err := in.Batch(t.Context(), s, 2<<10)
				if err != nil {
					t.Error(err)
					return
				}
				got <- b
			}
		}()
		for range 4 {
			batches = append(batches, <-got)
		}
		synctest.Wait()
		if used := in.Budget.Used(); used != 32<<10 {
			t.Fatalf("holds %d bytes, want half of the budget", used)
		}
		other, err := in.Batch(t.Context(), NewStream(Checkpoint{ID: 1}), 2<<10)
		if err != nil {
			t.Fatal(err)
		}
		other.Release()
		batches[0].Release()
		batches = append(batches[1:], <-got)
		for _, b := range batches {
			b.Release()
		}
		if used := in.Budget.Used(); used != 0 {
			t.Errorf("%d bytes still charged", used)
		}
	})
}

func TestFencedStreamSendsNothing(t *testing.T) {
	in := NewIntake(nil, NewBudget(1<<20), &Stats{}, 4)
	s := NewStream(Checkpoint{Position: 5})
	b, err := in.Batch(t.Context(), s, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	s.Fence(ErrMoved)
	s.Fence(ErrGone) // the first reason stays
	if err := in.Send(t.Context(), b); !errors.Is(err, ErrMoved) {
		t.Errorf("send: %v", err)
	}
	if _, err := in.Batch(t.Context(), s, 1<<10); !errors.Is(err, ErrMoved) {
		t.Errorf("batch: %v", err)
	}
	if err := s.WaitCommitted(t.Context(), 6); !errors.Is(err, ErrMoved) {
		t.Errorf("wait: %v", err)
	}
	if err := s.WaitCommitted(t.Context(), 5); err != nil {
		t.Errorf("wait for what is committed: %v", err)
	}
	if used := in.Budget.Used(); used != 0 {
		t.Errorf("%d bytes still charged", used)
	}
}

func TestBlockSizeFollowsActiveStreams(t *testing.T) {
	in := NewIntake(nil, NewBudget(64<<20), &Stats{}, 1)
	for _, c := range []struct{ streams, want int }{{1, 256 << 10}, {64, 256 << 10}, {100, 64 << 20 / 400}, {10_000, 16 << 10}} {
		in.Active(c.streams)
		if got := in.BlockSize(); got != c.want {
			t.Errorf("%d streams: %d, want %d", c.streams, got, c.want)
		}
		in.Active(-c.streams)
	}
}

package postgres

import (
	"context"
	"strings"
	"testing"

	"logflume/internal/testkit"
	"logflume/pipeline"
)

// lock holds the position row of a source until the returned function is called.
func (r *rig) lock(key string) (unlock func()) {
	r.Helper()
	tx, err := r.db.Connect(r).Begin(context.Background())
	if err != nil {
		r.Fatal(err)
	}
	if _, err := tx.Exec(context.Background(), r.in("SELECT FROM @log_positions WHERE source_key = $1 FOR UPDATE"), key); err != nil {
		r.Fatal(err)
	}
	return func() { _ = tx.Rollback(context.Background()) }
}

// stored reports how far a source is.
func (r *rig) stored(key string) int64 {
	return ask[int64](r, "SELECT coalesce(max(position), 0) FROM @log_positions WHERE source_key = $1", key)
}

func TestLockedRowKeepsOthersGoing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	if _, err := s.Checkpoints().Create(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	unlock := r.lock("a")
	a := &feed{key: "a", lines: 2000, batch: 50, line: number}
	b := &feed{key: "b", lines: 2000, batch: 50, line: number}
	_, wait := r.start(t.Context(), s, a, b)
	testkit.Eventually(t, "b is stored while a is locked", func() bool { return r.stored("b") == b.lines })
	testkit.Eventually(t, "health shows the locked stream", func() bool { return s.Health().Locked == 1 })
	if n := r.stored("a"); n != 0 {
		t.Errorf("locked, yet at %d", n)
	}
	unlock()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(a, b)
	if h := s.Health(); h.Locked != 0 || s.options.Stats.Fenced.Load() != 0 || s.options.Stats.Terminated.Load() != 0 {
		t.Errorf("%+v", h)
	}
}

// A sink whose time is up says what it leaves.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	if _, err := s.Checkpoints().Create(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	defer r.lock("a")()
	ctx, cancel := context.WithCancel(t.Context())
	f := &feed{key: "a", lines: 300, batch: 100, line: number}
	intake := pipeline.NewIntake(s.Checkpoints(), pipeline.NewBudget(64<<20), s.options.Stats, 16)
	done := make(chan error, 1)
	go func() {
		done <- pipeline.Run(ctx, pipeline.Pipeline{
			Sources: []pipeline.Source{f}, Intake: intake, Workers: 1, Sink: s,
			Stages: func() []pipeline.Processor { return []pipeline.Processor{reader{}, Encoder{}} },
		})
	}()
	testkit.Eventually(t, "all is in the sink, and locked", func() bool {
		return s.Health().Locked == 1 && s.Health().Uncommitted == f.lines
	})
	cancel()
	err := <-done
	if err == nil || !strings.Contains(err.Error(), "gave up with 3 batches (300 lines) not committed") {
		t.Errorf("%v", err)
	}
	if n := r.stored("a"); n != 0 {
		t.Errorf("position %d", n)
	}
}

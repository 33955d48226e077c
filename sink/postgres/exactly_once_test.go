package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"logflume/internal/testkit"
	"logflume/pipeline"
)

func TestStoresEverything(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	mixed := func(n int64) string {
		switch n % 5 {
		case 1:
			return number(n) + ";f"
		case 2:
			return number(n) + ";d"
		case 3:
			return fmt.Sprintf("%d;x=%d", n, n%7+1)
		}
		return number(n)
	}
	a := &feed{key: "a", lines: 5000, batch: 70, line: number}
	b := &feed{key: "b", lines: 3000, batch: 40, line: mixed}
	if err := r.run(t.Context(), s, a, b); err != nil {
		t.Fatal(err)
	}
	type ledger struct{ position, lines, kept, filtered, dead, events, analysed, bytes, rows, letters int64 }
	get := func(key string) (l ledger) {
		err := r.conn.QueryRow(t.Context(), r.in(`SELECT position, lines, kept, filtered, dead, events, analysed, bytes,
			(SELECT count(DISTINCT source_offset) FROM @log_events e WHERE e.source_id = p.source_id),
			(SELECT count(*) FROM @log_dead_letters d WHERE d.source_id = p.source_id)
			FROM @log_positions p WHERE source_key = $1`), key).Scan(&l.position, &l.lines, &l.kept, &l.filtered, &l.dead,
			&l.events, &l.analysed, &l.bytes, &l.rows, &l.letters)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if got, want := get("a"), (ledger{5000, 5000, 5000, 0, 0, 5000, 5000, 5000, 5000, 0}); got != want {
		t.Errorf("a: %+v", got)
	}
	if got, want := get("b"), (ledger{3000, 3000, 1800, 600, 600, 1800, 2400, 3000, 1800, 600}); got != want {
		t.Errorf("b: %+v", got)
	}
	if got := ask[string](r, `SELECT (meta - 'services')::text FROM @log_positions WHERE source_key = 'b'`); got != `{"last": 3000, "path": "/logs/a"}` {
		t.Errorf("meta %s", got)
	}
	if got := ask[[]int64](r, `SELECT array_agg(pattern_id ORDER BY pattern_id) FROM @log_patterns`); !slices.Equal(got, []int64{1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("patterns %v", got)
	}
	stats := s.options.Stats
	if n := stats.Lines.Load(); n != 8000 || stats.Kept.Load()+stats.Filtered.Load()+stats.Dead.Load() != n || stats.Patterns.Load() != 7 {
		t.Errorf("stats: lines %d, patterns %d", n, stats.Patterns.Load())
	}
	if h := s.Health(); len(h.Faults) > 0 || h.Uncommitted != 0 {
		t.Errorf("health %+v", h)
	}
	r.exactlyOnceTotals()
}

// Connections are reset at random, the answers of commits are lost, commits are lost: every line is there once.
func TestExactlyOnceOverABrokenNetwork(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy, url := testkit.ProxyURL(t, r.db.URL)
	s := r.sink(func(o *Options) { o.URL = url })
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	breakIt := func(_ context.Context, position int64) {
		switch random.IntN(12) {
		case 0:
			proxy.Cut()
		case 1:
			proxy.CutAfterCommit()
		case 2:
			proxy.CutBeforeCommit()
		}
	}
	a := &feed{key: "a", lines: 20000, batch: 50, line: number, gate: breakIt}
	b := &feed{key: "b", lines: 20000, batch: 170, line: number}
	if err := r.run(t.Context(), s, a, b); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(a, b)
	if s.options.Stats.FlushErrors.Load() == 0 {
		t.Error("no flush failed: nothing was tested")
	}
	if n := s.options.Stats.Fenced.Load(); n != 0 {
		t.Errorf("%d streams fenced by the writer's own commits", n)
	}
}

// The answer to a commit is lost. The position shows whether it took place; the stream goes on either way.
func TestCommitWithoutAnswer(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*testkit.FaultyProxy){
		"committed":     (*testkit.FaultyProxy).CutAfterCommit,
		"not committed": (*testkit.FaultyProxy).CutBeforeCommit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			proxy, url := testkit.ProxyURL(t, r.db.URL)
			s := r.sink(func(o *Options) { o.URL = url })
			start := newGate(t)
			f := &feed{key: "a", lines: 1000, batch: 100, line: number, gate: func(ctx context.Context, position int64) {
				if position == 500 {
					start.wait(ctx)
				}
			}}
			_, wait := r.start(t.Context(), s, f)
			testkit.Eventually(t, "the first half is stored", func() bool {
				return ask[int64](r, "SELECT coalesce(max(position), 0) FROM @log_positions") == 500
			})
			fault(proxy) // everything is connected, there are no partitions to make: the next COMMIT is a flush's
			start.lift()
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			if proxy.FaultPending() {
				t.Fatal("no commit was lost: nothing was tested")
			}
			r.exactlyOnce(f)
			if n := s.options.Stats.Fenced.Load(); n != 0 {
				t.Errorf("%d streams fenced by the writer's own commit", n)
			}
			if n := s.options.Stats.Lines.Load(); n != f.lines {
				t.Errorf("stats count %d lines of %d", n, f.lines)
			}
		})
	}
}

// Two writers read one source: whatever they do, each line is stored once.
func TestTwoWritersOfOneStream(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one, two := r.sink(), r.sink()
	started := newGate(t)
	gated := func(ctx context.Context, position int64) {
		if position >= 1000 {
			started.wait(ctx) // so that both are in the middle
		}
	}
	a := &feed{key: "a", lines: 5000, batch: 30, line: number, gate: gated}
	b := &feed{key: "a", lines: 5000, batch: 40, line: number, gate: gated}
	_, waitA := r.start(t.Context(), one, a)
	testkit.Eventually(t, "the first writer stored something", func() bool {
		return ask[int64](r, "SELECT coalesce(max(position), 0) FROM @log_positions") > 0
	})
	_, waitB := r.start(t.Context(), two, b)
	testkit.Eventually(t, "the second writer has a position", func() bool { return two.state.isProven(partCheckpoints) })
	started.lift()
	if err := waitA(); err != nil {
		t.Error(err)
	}
	if err := waitB(); err != nil {
		t.Error(err)
	}
	r.exactlyOnce(a)
}

// A writer whose position was moved under it drops what it has and is told.
func TestFencedStream(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string
		want   error
	}{
		"moved": {"UPDATE @log_positions SET position = position + 1", pipeline.ErrMoved},
		"epoch": {"UPDATE @log_positions SET epoch = epoch + 1", pipeline.ErrMoved},
		"gone":  {"DELETE FROM @log_positions", pipeline.ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.sink()
			hold := newGate(t)
			reason := make(chan error, 1)
			f := &feed{
				key: "a", lines: 600, batch: 100, line: number,
				gate: func(ctx context.Context, position int64) {
					if position == 300 {
						hold.wait(ctx)
					}
				},
				fenced: func(err error) {
					select {
					case reason <- err:
					default:
					}
				},
			}
			stop, wait := r.start(t.Context(), s, f)
			testkit.Eventually(t, "the first half is stored", func() bool {
				return ask[int64](r, "SELECT coalesce(max(position), 0) FROM @log_positions") == 300
			})
			r.exec(c.change)
			hold.lift()
			select {
			case err := <-reason:
				if err != c.want { //nolint:errorlint // the very error
					t.Errorf("fenced with %v, want %v", err, c.want)
				}
			case <-t.Context().Done():
			}
			stop()
			if err := wait(); err != nil {
				t.Error(err)
			}
			if n := s.options.Stats.Fenced.Load(); n == 0 {
				t.Error("not counted")
			}
		})
	}
}

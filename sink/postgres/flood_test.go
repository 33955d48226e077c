package postgres

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"logflume/internal/testkit"
	"logflume/pipeline"
)

// A flood of dead letters is stopped at the limit, without losing or passing over a line, and goes on when letters were
// taken away. Another source is not held up, nor are good lines of the same.
func TestFloodIsPaused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	// A transaction takes all flushes that wait, each of at most 50 letters and one batch more, of 105 bytes at most.
	const limit, transaction = 20_000, (queuedFlushes + 3) * 70 * 105
	s := r.sink(func(o *Options) { o.DeadBytes, o.FlushRows = limit, 50 })
	var paused atomic.Int64
	flood := &feed{key: "flood", lines: 1000, batch: 20, line: func(n int64) string { return number(n) + ";d" }}
	flood.fenced = func(err error) {
		if !errors.Is(err, pipeline.ErrPaused) || !errors.Is(err, pipeline.ErrMoved) {
			t.Errorf("fenced with %v", err)
		}
		paused.Add(1)
	}
	good := &feed{key: "good", lines: 3000, batch: 50, line: number}
	_, wait := r.start(t.Context(), s, flood, good)
	state := func() (is struct{ bytes, lines, letters int64 }) {
		err := r.conn.QueryRow(context.Background(), r.in(`SELECT dead_bytes, lines, (SELECT count(*) FROM @log_dead_letters)
			FROM @log_positions WHERE source_key = 'flood'`)).Scan(&is.bytes, &is.lines, &is.letters)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	purged := int64(0)
	for purged < 700 {
		before := paused.Load()
		testkit.Eventually(t, "the flood is paused", func() bool { return paused.Load() > before+2 && len(s.Health().Paused) == 1 })
		is := state()
		if is.bytes < limit || is.bytes > limit+transaction || is.lines != purged+is.letters {
			t.Fatalf("paused with %+v after %d were purged", is, purged)
		}
		if s.Health().Paused[0].Key != "flood" || s.options.Stats.Paused.Load() != 1 {
			t.Errorf("paused are %v", s.Health().Paused)
		}
		n, err := r.sink().Purge(t.Context(), LetterSelection{Source: "flood"})
		if err != nil {
			t.Fatal(err)
		}
		purged += n
	}
	testkit.Eventually(t, "all is read or paused again", func() bool {
		n, err := r.sink().Purge(t.Context(), LetterSelection{})
		purged += n
		return err == nil && purged == 1000
	})
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(good)
	if got := ask[string](r, `SELECT format('%s %s %s', position, lines, dead) FROM @log_positions WHERE source_key = 'flood'`); got != "1000 1000 1000" {
		t.Errorf("of the flood %s", got)
	}
	if n := len(s.Health().Paused); n != 0 || s.options.Stats.Paused.Load() != 0 || s.options.Stats.Fenced.Load() != 0 {
		t.Errorf("%d sources are still paused, %d were fenced", n, s.options.Stats.Fenced.Load())
	}
}

// The files of one log share the limit, so that rotation does not lift it; other logs beside them do not.
func TestFloodThroughRotatedFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dead := func(n int64) string { return number(n) + ";d" }
	rotated := &feed{key: "file:here/1:2#1", path: "/logs/app.log.1", lines: 100, batch: 10, line: dead}
	if err := r.run(t.Context(), r.sink(), rotated); err != nil {
		t.Fatal(err)
	}
	s := r.sink(func(o *Options) { o.DeadBytes, o.FlushRows = 1000, 10 })
	feeds := []*feed{
		{key: "file:here/1:3#1", path: "/logs/app.log", lines: 20, batch: 10, line: dead},
		{key: "file:here/1:4#1", path: "/logs/app-2026-01-15.log.gz", lines: 20, batch: 10, line: number},
		{key: "file:here/1:5#1", path: "/logs/other.log", lines: 5, batch: 5, line: dead},
		{key: "file:there/1:2#1", path: "/logs/app.log", lines: 5, batch: 5, line: dead},
	}
	stop, wait := r.start(t.Context(), s, feeds...)
	testkit.Eventually(t, "all but the current file of that log are read", func() bool {
		return ask[int64](r, `SELECT sum(position) FROM @log_positions`) == 100+20+5+5
	})
	testkit.Eventually(t, "that one is paused", func() bool {
		paused := s.Health().Paused
		return len(paused) == 1 && paused[0].Key == feeds[0].key
	})
	stop()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
}

// What is over the limit at a start is stopped before its first dead letter, and not before.
func TestFloodAfterARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := &feed{key: "a", lines: 300, batch: 10, line: func(n int64) string {
		if n < 100 || n == 200 {
			return number(n) + ";d"
		}
		return number(n)
	}}
	f.lines = 100
	if err := r.run(t.Context(), r.sink(), f); err != nil {
		t.Fatal(err)
	}
	f.lines = 300
	s := r.sink(func(o *Options) { o.DeadBytes, o.FlushRows = 1000, 10 })
	stop, wait := r.start(t.Context(), s, f)
	testkit.Eventually(t, "it stops before the next dead letter", func() bool {
		return len(s.Health().Paused) == 1 && ask[int64](r, `SELECT position FROM @log_positions`) == 200
	})
	stop()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if got := ask[string](r, `SELECT format('%s %s', lines, dead) FROM @log_positions`); got != "200 100" {
		t.Errorf("ledger %s", got)
	}
	if err := r.run(t.Context(), r.sink(func(o *Options) { o.DeadBytes = 1 << 20 }), f); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
}

package postgres

import (
	"context"
	"slices"
	"testing"
	"time"

	"logflume/internal/testkit"
	"logflume/pipeline"
)

// mergeAll makes every two patterns or more that are not apart cases of number 9, and counts its calls.
type mergeAll struct{ calls int }

func (m *mergeAll) merge(patterns, apart []pipeline.Pattern) (all []pipeline.Alias) {
	m.calls++
	for _, p := range patterns {
		if !slices.ContainsFunc(apart, func(a pipeline.Pattern) bool { return a.ID == p.ID || a.ID == 9 }) && len(patterns) > 1 {
			all = append(all, pipeline.Alias{From: p.ID, To: pipeline.Pattern{ID: 9, Text: "nine\x00"}, Evidence: len(patterns)})
		}
	}
	return all
}

func TestPatternsAreMergedOnNews(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var one, two mergeAll
	first := r.sink(func(o *Options) { o.Instance, o.Merge = "a", one.merge })
	second := r.sink(func(o *Options) { o.Instance, o.Merge = "b", two.merge })
	step := func(want string, callsOfOne, callsOfTwo int) {
		t.Helper()
		for _, s := range []*Sink{second, first} {
			if err := s.beat(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range []*Sink{second, first} {
			if _, err := s.mergeOnNews(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := ask[string](r, "SELECT coalesce(string_agg(from_id || '>' || to_id || ' ' || pattern || ' ' || evidence, ', ' ORDER BY from_id), '') FROM @log_pattern_aliases"); got != want {
			t.Errorf("aliases %q, want %q", got, want)
		}
		if one.calls != callsOfOne || two.calls != callsOfTwo {
			t.Errorf("%d and %d calls, want %d and %d", one.calls, two.calls, callsOfOne, callsOfTwo)
		}
	}
	first.beat(t.Context(), time.Now())
	step("", 1, 0)
	r.exec("INSERT INTO @log_patterns (pattern_id, pattern) VALUES (1, 'p'), (2, repeat('x', 2000))")
	step("", 2, 0)
	r.exec("INSERT INTO @log_patterns (pattern_id, pattern) VALUES (3, 'q')")
	step("1>9 nine\uFFFD 2, 3>9 nine\uFFFD 2", 3, 0)
	step("1>9 nine\uFFFD 2, 3>9 nine\uFFFD 2", 3, 0) // no news
	r.exec("SELECT @unmerge_pattern(1)")
	step("1>1 p 0, 3>9 nine\uFFFD 2", 4, 0)
	r.exec("SELECT @unmerge_pattern(9)")
	step("1>1 p 0, 9>9 nine\uFFFD 0", 5, 0)
	r.exec("SELECT @remerge_pattern(9)")
	step("1>1 p 0, 3>9 nine\uFFFD 2", 6, 0)

	// When the first is gone the second does it; rows of others that died long ago do not count.
	r.exec("UPDATE @log_instances SET seen_at = now() - interval '1 day' WHERE instance = 'a'")
	r.exec("SELECT @remerge_pattern(1)")
	if _, err := second.mergeOnNews(t.Context()); err != nil || two.calls != 1 {
		t.Errorf("the second merges %d times, %v", two.calls, err)
	}
	step("1>9 nine\uFFFD 2, 3>9 nine\uFFFD 2", 7, 1) // the first finds what it did not store
	step("1>9 nine\uFFFD 2, 3>9 nine\uFFFD 2", 7, 1)
}

func TestMaintainMerges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var m mergeAll
	s := r.sink(func(o *Options) { o.Merge = m.merge })
	s.pace.heartbeat, s.pace.merging = time.Millisecond, time.Millisecond
	r.exec("INSERT INTO @log_patterns (pattern_id, pattern) VALUES (1, 'p'), (2, 'q')")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Maintain(ctx) }()
	testkit.Eventually(t, "patterns are merged", func() bool {
		return ask[int64](r, "SELECT count(*) FROM @log_pattern_aliases WHERE to_id = 9") == 2
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

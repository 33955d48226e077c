package postgres

import (
	"strings"
	"testing"

	"logflume/pipeline"
)

func TestMergeMeta(t *testing.T) {
	t.Parallel()
	check := func(want string, objects ...string) {
		t.Helper()
		var meta []byte
		for _, o := range objects {
			meta = mergeMeta(meta, []byte(o))
		}
		if string(meta) != want {
			t.Errorf("%q: %s, want %s", objects, meta, want)
		}
	}
	check("", "", "")
	check(`{"a":1}`, "", `{"a":1}`, "")
	check(`{"a":1}`, " {\"a\":1}\n", "{ }")
	check(`{"a":1,"b":{},"a":2}`, `{"a":1}`, `{"b":{}}`, ` {"a":2} `)
	check(`{"a":1}`, `{}`, `{"a":1}`)
	check(`{ "a":1 ,"b":2}`, `{ "a":1 }`, `{"b":2}`)
}

func TestStorable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain ✓": "plain ✓", "a\x00b": "a\uFFFDb", "a\xff\xfeb": "a\uFFFDb", "": "",
	} {
		if got := storable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aéb", 2, "a"}, {"aéb", 3, "aé"}, {"✓", 2, ""}, {"\xbf\xbf\xbf", 2, ""}} {
		if got := cut(c.s, c.n); got != c.want {
			t.Errorf("%q to %d: %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

// Patterns are stored once, sorted, with samples that fit.
func TestPatternsAreStored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	long := strings.Repeat("é", maxSampleBytes)
	b := &pipeline.Batch{Events: []pipeline.Event{
		{PatternID: 9, Pattern: "nine", Message: long},
		{PatternID: -3, Pattern: "three\x00", Message: "bad \xff"},
		{PatternID: 9, Pattern: "nine", Message: "again"},
		{PatternID: 4, Pattern: "dropped", Fate: pipeline.Drop},
		{PatternID: 5, Pattern: "refused", Fate: pipeline.Refuse},
		{PatternID: 0, Message: "none"},
	}}
	store := func() int64 {
		t.Helper()
		p := &part{patterns: s.patterns.unknown([]*pipeline.Batch{b})}
		n, err := s.patterns.store(t.Context(), s.writer, s.sql.patterns, []*lane{{parts: []*part{p}}, {parts: []*part{p}}})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	defer s.writer.close()
	r.exec("INSERT INTO @log_patterns (pattern_id, pattern) VALUES (5, 'was first')")
	if n := store(); n != 2 {
		t.Errorf("%d inserted", n)
	}
	if len(s.patterns.unknown([]*pipeline.Batch{b})) != 0 || store() != 0 {
		t.Error("known patterns are stored again")
	}
	got := ask[[]string](r, "SELECT array_agg(pattern_id || ' ' || pattern || ' ' || coalesce(length(sample), 0) ORDER BY pattern_id) FROM @log_patterns")
	if want := "-3 three\uFFFD 5, 5 was first 0, 9 nine 512"; strings.Join(got, ", ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	l := &lane{
		stream: pipeline.NewStream(pipeline.Checkpoint{Epoch: 3, Position: 10}), asked: 20,
		parts: []*part{{from: 10, to: 20}, {from: 20, to: 30}},
	}
	for _, c := range []struct {
		mark   mark
		exists bool
		want   verdict
	}{
		{mark{3, 10}, true, locked},
		{mark{3, 20}, true, stored},
		{mark{3, 30}, true, moved}, // where we want to go, but never asked to
		{mark{3, 15}, true, moved},
		{mark{3, 5}, true, moved},
		{mark{4, 20}, true, moved},
		{mark{4, 10}, true, moved},
		{mark{}, false, gone},
	} {
		if got := l.judge(c.mark, c.exists); got != c.want {
			t.Errorf("%+v: %v, want %v", c.mark, got, c.want)
		}
	}
}

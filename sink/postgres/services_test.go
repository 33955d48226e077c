package postgres

import (
	"fmt"
	"maps"
	"testing"

	"logflume/pipeline"
)

// A source's row says in which window it last had events of each service, whatever the order in which they came.
func TestRowsNoteServices(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	const second = 1_000_000
	c, err := s.Checkpoints().Create(t.Context(), "file:here/1:1#1", []byte(`{"path":"/a"}`))
	if err != nil {
		t.Fatal(err)
	}
	commit := func(from, to int64, services map[string]int64) {
		l := &lane{stream: pipeline.NewStream(c), parts: []*part{{from: from, to: to, services: services}}}
		r.exec(s.sql.advance, advanceArgs([]*lane{l})...)
	}
	commit(0, 10, map[string]int64{"shop": 60 * second, "": 120 * second})
	commit(10, 20, nil)
	commit(20, 30, map[string]int64{"shop": 0, `pay "x"`: 60 * second})
	got := ask[map[string]int64](r, "SELECT meta -> 'services' FROM @log_positions")
	if want := map[string]int64{"shop": 60, "": 120, `pay "x"`: 60}; !maps.Equal(got, want) {
		t.Errorf("services %v, want %v", got, want)
	}
	if got := ask[string](r, "SELECT meta ->> 'path' FROM @log_positions"); got != "/a" {
		t.Errorf("the rest of meta is gone: path %q", got)
	}

	many := map[string]int64{}
	for i := range 2 * maxServices {
		many = latest(many, fmt.Sprint("service ", i), int64(i)*second)
	}
	if len(many) != maxServices {
		t.Errorf("%d services noted of a flush, want %d", len(many), maxServices)
	}
	commit(30, 40, many)
	if n := ask[int](r, "SELECT count(*) FROM @log_positions, jsonb_object_keys(meta -> 'services')"); n != maxServices {
		t.Errorf("%d services noted in a row, want %d", n, maxServices)
	}
}

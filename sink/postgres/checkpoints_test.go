package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"logflume/internal/testkit"
	"logflume/pipeline"
)

func TestCheckpoints(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	c := r.sink().Checkpoints()
	create := func(key, meta string) pipeline.Checkpoint {
		t.Helper()
		p, err := c.Create(ctx, key, []byte(meta))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a := create("file:h/1:2#1", `{"path":"/a"}`)
	if a.Key != "file:h/1:2#1" || a.Epoch != 0 || a.Position != 0 || string(a.Meta) != `{"path": "/a"}` {
		t.Errorf("%+v", a)
	}
	if again := create(a.Key, `{"path":"/b"}`); again.ID != a.ID || string(again.Meta) != string(a.Meta) {
		t.Errorf("created again: %+v", again)
	}
	b := create("file:h/1:1#10", "")
	create("file:other/1:1#1", "")
	create("file:h/1:_#1", `{"closed":true}`)
	if b.ID != a.ID+1 {
		t.Errorf("opening a known source burnt %d ids", b.ID-a.ID-1)
	}

	list := func(prefix string, open bool) (keys []string) {
		t.Helper()
		all, err := c.List(ctx, prefix, open)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			keys = append(keys, p.Key)
		}
		return keys
	}
	if got := list("file:h/", false); !slices.Equal(got, []string{"file:h/1:1#10", "file:h/1:2#1", "file:h/1:_#1"}) {
		t.Errorf("all: %v", got)
	}
	if got := list("file:h/", true); !slices.Equal(got, []string{"file:h/1:1#10", "file:h/1:2#1"}) {
		t.Errorf("open: %v", got)
	}
	if got := list("file:h/1:_", false); len(got) != 1 { // no wildcard
		t.Errorf("prefix: %v", got)
	}

	amended, err := c.Amend(ctx, a, pipeline.Amendment{Meta: []byte(`{"head":1}`), Fence: true, LostBytes: 7})
	if err != nil || amended.Epoch != 1 || amended.Position != 0 || string(amended.Meta) != `{"head": 1, "path": "/a"}` {
		t.Errorf("%v %+v", err, amended)
	}
	if n := ask[int64](r, "SELECT lost_bytes FROM @log_positions WHERE source_id = $1", a.ID); n != 7 {
		t.Errorf("lost bytes %d", n)
	}
	if _, err := c.Amend(ctx, a, pipeline.Amendment{LostBytes: 9}); !errors.Is(err, pipeline.ErrMoved) {
		t.Errorf("former epoch: %v", err)
	}
	r.exec("UPDATE @log_positions SET position = 40 WHERE source_id = $1", a.ID)
	amended.Position = 40
	rewound, err := c.Amend(ctx, amended, pipeline.Amendment{Fence: true, Rewind: true})
	if err != nil || rewound.Epoch != 2 || rewound.Position != 0 {
		t.Errorf("%v %+v", err, rewound)
	}
	amended = rewound
	amended.Position = 5
	if _, err := c.Amend(ctx, amended, pipeline.Amendment{}); !errors.Is(err, pipeline.ErrMoved) {
		t.Errorf("other position: %v", err)
	}
	r.exec("DELETE FROM @log_positions WHERE source_id = $1", b.ID)
	if _, err := c.Amend(ctx, b, pipeline.Amendment{}); !errors.Is(err, pipeline.ErrGone) {
		t.Errorf("no row: %v", err)
	}
	if _, err := c.Create(ctx, "bad", []byte(`{`)); sqlState(err) != "22P02" {
		t.Errorf("bad meta: %v", err) // not waited for: it will not get better
	}
}

func TestCreateFromManySides(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sinks := []*Sink{r.sink(), r.sink(), r.sink()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids := map[int32]int{}
	for _, s := range sinks {
		for range 20 {
			wg.Go(func() {
				c, err := s.Checkpoints().Create(t.Context(), "k", nil)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				ids[c.ID]++
				mu.Unlock()
			})
		}
	}
	wg.Wait()
	if len(ids) != 1 {
		t.Errorf("several rows: %v", ids)
	}
}

// Rows that many ask for at once are created together, each once, and one that cannot be created fails alone.
func TestCreateTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	c := s.Checkpoints().(*checkpoints)
	client := <-c.turn // all wait for us
	const keys = 300
	ctx, giveUp := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := c.Create(ctx, "given up", nil)
		gone <- err
	}()
	var wg sync.WaitGroup
	for i := range 2 * keys { // each key twice
		wg.Go(func() {
			key := fmt.Sprintf("k%d", i%keys)
			got, err := c.Create(t.Context(), key, []byte(`{"path":"/a"}`))
			if err != nil || got.Key != key || got.Position != 0 || string(got.Meta) != `{"path": "/a"}` {
				t.Errorf("%s: %v %+v", key, err, got)
			}
		})
	}
	bad := make(chan error)
	go func() {
		_, err := c.Create(t.Context(), "bad", []byte(`{`))
		bad <- err
	}()
	testkit.Eventually(t, "all wait", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.waiting) == 2*keys+2
	})
	giveUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	c.turn <- client
	if err := <-bad; sqlState(err) != "22P02" {
		t.Errorf("bad meta: %v", err)
	}
	wg.Wait()
	if n := ask[int64](r, "SELECT count(*) FROM @log_positions WHERE source_key LIKE 'k%'"); n != keys {
		t.Errorf("%d rows", n)
	}

	before := ask[int64](r, "SELECT count(DISTINCT xmin::text) FROM @log_positions")
	client = <-c.turn
	for i := range keys {
		wg.Go(func() {
			if _, err := c.Create(t.Context(), fmt.Sprintf("n%d", i), nil); err != nil {
				t.Error(err)
			}
		})
	}
	testkit.Eventually(t, "all wait", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.waiting) == keys
	})
	c.turn <- client
	wg.Wait()
	if n := ask[int64](r, "SELECT count(DISTINCT xmin::text) FROM @log_positions"); n != before+1 {
		t.Errorf("%d transactions for %d rows", n-before, keys)
	}
}

// Calls wait for the database as long as their context lasts.
func TestCheckpointsWait(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy, url := testkit.ProxyURL(t, r.db.URL)
	s := r.sink(func(o *Options) { o.URL = url })
	proxy.Refuse(true)
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() {
		_, err := s.Checkpoints().Create(ctx, "a", nil)
		gaveUp <- err
	}()
	testkit.Eventually(t, "the health shows it", func() bool { return meets(s.Health(), Unreachable) })
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	testkit.Eventually(t, "nobody waits any more", func() bool { return len(s.Health().Faults) == 0 })

	created := make(chan error)
	go func() {
		_, err := s.Checkpoints().Create(t.Context(), "a", nil)
		created <- err
	}()
	testkit.Eventually(t, "the health shows it", func() bool { return meets(s.Health(), Unreachable) })
	proxy.Refuse(false)
	if err := <-created; err != nil {
		t.Error(err)
	}
	proxy.CutAfterCommit() // it is there already: asking again finds it
	if _, err := s.Checkpoints().Create(t.Context(), "b", nil); err != nil {
		t.Error(err)
	}
	if n := ask[int64](r, "SELECT count(*) FROM @log_positions"); n != 2 {
		t.Errorf("%d rows", n)
	}
	if n := strings.Count(r.log.String(), "trying again"); n != 3 {
		t.Errorf("three outages, %d log lines", n)
	}
}

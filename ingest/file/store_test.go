package file

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"logflume/pipeline"
)

// A store stands for the database: position rows, and the lines that were committed with them.
type store struct {
	mu      sync.Mutex
	rows    map[string]*stored
	lines   []record
	batches int
	serial  int32
	changed chan struct{} // closed and replaced at every change
}

type stored struct {
	pipeline.Checkpoint
	meta    map[string]json.RawMessage
	decoded *notes // what meta says; nil until somebody asks, as Checkpoint.Meta is
	lost    int64
}

// A record is a line that was committed, with those joined to it.
type record struct {
	key     string
	path    string
	offset  int64
	length  int64
	text    string
	partial bool
}

func newStore() *store { return &store{rows: map[string]*stored{}, changed: make(chan struct{})} }

func (s *store) notifyLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stored) merge(meta []byte) {
	if len(meta) == 0 {
		return
	}
	if err := json.Unmarshal(meta, &s.meta); err != nil {
		panic(err)
	}
	s.Meta, s.decoded = nil, nil
}

func (s *stored) notes() notes {
	if s.decoded == nil {
		n, err := decodeNotes(s.checkpoint().Meta)
		if err != nil {
			panic(err)
		}
		s.decoded = &n
	}
	return *s.decoded
}

func (s *stored) checkpoint() pipeline.Checkpoint {
	if s.Meta == nil {
		s.Meta, _ = json.Marshal(s.meta)
	}
	return s.Checkpoint
}

// A connection is one process's access to a store. Once killed it reaches the store no more.
type connection struct {
	*store
	dead  context.Context
	kill  context.CancelFunc
	loses func() bool         // says which flushes never reach the store before the process is killed
	full  func() bool         // when not nil, says whether the source has too many dead letters
	gate  chan struct{}       // when not nil, the sink takes one token for each batch
	asks  func(prefix string) // when not nil, called before rows are listed
}

func (s *store) connect() *connection {
	dead, kill := context.WithCancel(context.Background())
	return &connection{store: s, dead: dead, kill: kill}
}

func (c *connection) Create(ctx context.Context, key string, meta []byte) (pipeline.Checkpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead.Err() != nil {
		return pipeline.Checkpoint{}, c.dead.Err()
	}
	r := c.rows[key]
	if r == nil {
		c.serial++
		r = &stored{Checkpoint: pipeline.Checkpoint{ID: c.serial, Key: key}, meta: map[string]json.RawMessage{}}
		r.merge(meta)
		c.rows[key] = r
		c.notifyLocked()
	}
	return r.checkpoint(), ctx.Err()
}

func (c *connection) List(ctx context.Context, prefix string, open bool) ([]pipeline.Checkpoint, error) {
	if c.asks != nil {
		c.asks(prefix)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead.Err() != nil {
		return nil, c.dead.Err()
	}
	var list []pipeline.Checkpoint
	for _, key := range slices.Sorted(maps.Keys(c.rows)) {
		r := c.rows[key]
		if strings.HasPrefix(key, prefix) && !(open && r.notes().Closed) {
			list = append(list, r.checkpoint())
		}
	}
	return list, ctx.Err()
}

func (c *connection) Amend(ctx context.Context, at pipeline.Checkpoint, a pipeline.Amendment) (pipeline.Checkpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rows[at.Key]
	switch {
	case c.dead.Err() != nil:
		return pipeline.Checkpoint{}, c.dead.Err()
	case r == nil:
		return pipeline.Checkpoint{}, pipeline.ErrGone
	case r.Epoch != at.Epoch || r.Position != at.Position:
		return pipeline.Checkpoint{}, pipeline.ErrMoved
	}
	r.merge(a.Meta)
	r.lost += a.LostBytes
	if a.Fence {
		r.Epoch++
	}
	c.notifyLocked()
	return r.checkpoint(), ctx.Err()
}

// Run is the sink: it commits each batch by compare-and-set.
func (c *connection) Run(ctx context.Context, in <-chan *pipeline.Batch) error {
	for b := range in {
		<-b.Done()
		if c.gate != nil {
			select {
			case <-c.gate:
			case <-c.dead.Done():
			case <-ctx.Done():
			}
		}
		if c.loses != nil && c.loses() {
			c.kill()
		}
		c.commit(b)
		b.Release()
	}
	return nil
}

func (c *connection) commit(b *pipeline.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead.Err() != nil {
		return
	}
	r := c.rows[b.Stream.Key]
	switch {
	case r == nil:
		b.Stream.Fence(pipeline.ErrGone)
		return
	case r.Epoch != b.Stream.Epoch || r.Position != b.From || b.Stream.Err() != nil:
		b.Stream.Fence(pipeline.ErrMoved)
		return
	}
	if c.full != nil && c.full() {
		b.Stream.Fence(pipeline.ErrPaused)
		return
	}
	r.Position = b.To
	r.merge(b.Meta)
	for i := range b.Lines {
		l := &b.Lines[i]
		if l.Joined {
			continue
		}
		c.lines = append(c.lines, record{
			key: b.Stream.Key, path: b.Path, offset: l.Offset, length: l.Length, text: string(b.RawJoined(i)), partial: l.Partial,
		})
	}
	c.batches++
	c.notifyLocked()
	b.Stream.Commit(b.To)
}

// texts returns the committed lines in order of commit.
func (s *store) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	texts := make([]string, len(s.lines))
	for i := range s.lines {
		texts[i] = s.lines[i].text
	}
	return texts
}

// row is a copy of a position row.
type snapshot struct {
	notes
	key      string
	id       int32
	epoch    int64
	position int64
	lost     int64
}

func (s *store) snapshots() []snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []snapshot
	for _, key := range slices.Sorted(maps.Keys(s.rows)) {
		r := s.rows[key]
		list = append(list, snapshot{notes: r.notes(), key: key, id: r.ID, epoch: r.Epoch, position: r.Position, lost: r.lost})
	}
	return list
}

// at returns the row whose bytes lie at path; the youngest if there are several.
func (s *store) at(path string) (found snapshot, ok bool) {
	for _, r := range s.snapshots() {
		if r.Path == path && r.id > found.id {
			found, ok = r, true
		}
	}
	return found, ok
}

package sink

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"logflume/pipeline"
)

// memory implements [pipeline.Checkpoints] without a database. It forgets everything with the process. Safe for
// concurrent use.
type memory struct {
	mu   sync.Mutex
	last int32 // source_id given last
	rows map[int32]*pipeline.Checkpoint
}

func newMemory() *memory { return &memory{rows: map[int32]*pipeline.Checkpoint{}} }

// Create implements [pipeline.Checkpoints].
func (m *memory) Create(_ context.Context, key string, meta []byte) (pipeline.Checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		if r.Key == key {
			return *r, nil
		}
	}
	m.last++
	r := &pipeline.Checkpoint{ID: m.last, Key: key}
	m.rows[r.ID] = r
	return *r, amend(r, meta)
}

// List implements [pipeline.Checkpoints].
func (m *memory) List(_ context.Context, prefix string, open bool) ([]pipeline.Checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []pipeline.Checkpoint
	for _, r := range m.rows {
		if strings.HasPrefix(r.Key, prefix) && (!open || !isClosed(r.Meta)) {
			found = append(found, *r)
		}
	}
	slices.SortFunc(found, func(a, b pipeline.Checkpoint) int { return cmp.Compare(a.Key, b.Key) })
	return found, nil
}

// Amend implements [pipeline.Checkpoints].
func (m *memory) Amend(_ context.Context, c pipeline.Checkpoint, a pipeline.Amendment) (pipeline.Checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.matchLocked(c, c.Position)
	if err != nil {
		return pipeline.Checkpoint{}, err
	}
	if err := amend(r, a.Meta); err != nil {
		return pipeline.Checkpoint{}, err
	}
	if a.Fence {
		r.Epoch++
	}
	if a.Rewind {
		r.Position = 0
	}
	return *r, nil
}

// advance moves the position of c's row if it stands at from in the same epoch.
func (m *memory) advance(c pipeline.Checkpoint, from, to int64, meta []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.matchLocked(c, from)
	if err != nil {
		return err
	}
	r.Position = to
	return amend(r, meta)
}

func (m *memory) matchLocked(c pipeline.Checkpoint, position int64) (*pipeline.Checkpoint, error) {
	r := m.rows[c.ID]
	switch {
	case r == nil:
		return nil, pipeline.ErrGone
	case r.Epoch != c.Epoch || r.Position != position:
		return nil, pipeline.ErrMoved
	}
	return r, nil
}

// amend merges the members of the object meta over the row's, into memory that nobody else holds.
func amend(r *pipeline.Checkpoint, meta []byte) error {
	merged, more := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for _, o := range []struct {
		text []byte
		into *map[string]json.RawMessage
	}{{r.Meta, &merged}, {meta, &more}} {
		if len(o.text) == 0 {
			continue
		}
		if err := json.Unmarshal(o.text, o.into); err != nil {
			return err
		}
	}
	maps.Copy(merged, more)
	text, err := json.Marshal(merged)
	r.Meta = text
	return err
}

func isClosed(meta []byte) bool {
	var m struct{ Closed any }
	return json.Unmarshal(meta, &m) == nil && m.Closed == true
}

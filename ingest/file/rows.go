package file

import (
	"maps"
	"slices"

	"logflume/pipeline"
)

// A row is what is known of one row of log_positions.
type row struct {
	pipeline.Checkpoint
	notes
	file *openFile // the open file that its bytes lie in; nil when they are nowhere
	wait *waiting  // set while somebody may still continue it
}

// rows is the memory of all position rows of this host.
type rows struct {
	host    string
	byKey   map[string]*row
	byPlace map[place][]*row // where the notes say that the bytes lie
	highest map[place]int    // highest generation of the streams that began at a place
}

func newRows(host string) *rows {
	return &rows{host: host, byKey: map[string]*row{}, byPlace: map[place][]*row{}, highest: map[place]int{}}
}

// put records c. A row that is known already keeps its file and its waiting.
func (m *rows) put(c pipeline.Checkpoint) (*row, error) {
	n, err := decodeNotes(c.Meta)
	if err != nil {
		return nil, err
	}
	r := m.byKey[c.Key]
	if r == nil {
		r = &row{}
		m.byKey[c.Key] = r
		if p, generation, ok := parseKey(m.host, c.Key); ok {
			m.highest[p] = max(m.highest[p], generation)
		}
	} else {
		m.leave(r)
	}
	r.Checkpoint, r.notes = c, n
	r.Meta = nil // decoded; thousands of rows are kept
	m.byPlace[n.place] = append(m.byPlace[n.place], r)
	return r, nil
}

func (m *rows) leave(r *row) {
	left := slices.DeleteFunc(m.byPlace[r.place], func(o *row) bool { return o == r })
	if len(left) == 0 {
		delete(m.byPlace, r.place)
		return
	}
	m.byPlace[r.place] = left
}

// remove forgets a row that is gone from the database.
func (m *rows) remove(r *row) {
	m.leave(r)
	delete(m.byKey, r.Key)
}

// all returns the rows in order of their keys.
func (m *rows) all() []*row {
	return slices.SortedFunc(maps.Values(m.byKey), func(a, b *row) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
}

// nextKey returns the key of the next stream that begins at p.
func (m *rows) nextKey(p place) string { return keyOf(m.host, p, m.highest[p]+1) }

// here returns the rows whose bytes should lie at p, the most promising first: open before closed, later before
// earlier.
func (m *rows) here(p place) []*row { return sortRows(slices.Clone(m.byPlace[p])) }

// vacant returns the rows whose bytes lie in no open file and whose head fits, the most promising first.
func (m *rows) vacant(head []byte) []*row {
	marks := map[int]mark{}
	var fit []*row
	for _, r := range m.byKey {
		n := r.Head.Len
		if r.file != nil || n == 0 || n > len(head) {
			continue
		}
		if _, ok := marks[n]; !ok {
			marks[n] = markOf(head[:n])
		}
		if marks[n] == r.Head {
			fit = append(fit, r)
		}
	}
	return sortRows(fit)
}

// positions remembers which position belongs to which head.
type positions map[mark][]int64

func (m *rows) positions() positions {
	p := positions{}
	for _, r := range m.byKey {
		p[r.Head] = append(p[r.Head], r.Position)
	}
	return p
}

// of returns the positions of the streams that may begin with head, in rising order.
func (p positions) of(head []byte) []int64 {
	var list []int64
	marks := map[int]mark{}
	for m, at := range p {
		if m.Len == 0 || m.Len > len(head) {
			continue
		}
		if _, ok := marks[m.Len]; !ok {
			marks[m.Len] = markOf(head[:m.Len])
		}
		if marks[m.Len] == m {
			list = append(list, at...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func sortRows(list []*row) []*row {
	slices.SortFunc(list, func(a, b *row) int {
		switch {
		case a.Closed != b.Closed:
			if b.Closed {
				return -1
			}
			return 1
		case a.Position != b.Position:
			if a.Position > b.Position {
				return -1
			}
			return 1
		default:
			return int(b.ID) - int(a.ID)
		}
	})
	return list
}

package analyze

import (
	"cmp"
	"maps"
	"slices"

	"logflume/pipeline"
)

// A found is a pattern and how often it was met.
type found struct {
	id      int64
	text    []byte // with marks
	kinds   []kind // of the marks
	count   int64
	first   int64 // number of the first event
	example string
	coarse  int64 // id of what stands for it when it is not kept
}

func (f *found) pattern() pipeline.Pattern {
	return pipeline.Pattern{ID: f.id, Text: string(appendPattern(nil, f.text, f.kinds))}
}

// meet notes the kinds that the placeholders had this time; those that differ become the kind of anything, whatever came
// first.
func (f *found) meet(kinds []kind) {
	if len(kinds) != len(f.kinds) {
		return // another message under the same fingerprint
	}
	for i, k := range kinds {
		if f.kinds[i] != k {
			f.kinds[i] = anything
		}
	}
}

// add counts what o counts.
func (f *found) add(o *found) {
	f.count += o.count
	if o.first < f.first {
		f.first, f.example = o.first, o.example
	}
}

// A leastIDs keeps those patterns of all that were put in that have the least ids, so many at most. One that it has once
// put out it never takes in again; what it keeps in the end was kept from the start.
type leastIDs struct {
	limit  int
	byID   map[int64]*found
	bound  int64 // ids from here on are put out
	closed bool  // bound holds
}

func newLeastIDs(limit int) leastIDs { return leastIDs{limit: limit, byID: map[int64]*found{}} }

func (l *leastIDs) admits(id int64) bool { return !l.closed || id < l.bound }

// put keeps f, which must be admitted and not be there. Every now and then it puts out what is too much.
func (l *leastIDs) put(f *found, out func(*found)) {
	l.byID[f.id] = f
	if len(l.byID) > l.limit+l.limit/8 {
		l.trim(out)
	}
}

// trim puts out what is beyond the limit.
func (l *leastIDs) trim(out func(*found)) {
	if len(l.byID) <= l.limit {
		return
	}
	ids := slices.Sorted(maps.Keys(l.byID))
	l.bound, l.closed = ids[l.limit], true
	for _, id := range ids[l.limit:] {
		f := l.byID[id]
		delete(l.byID, id)
		out(f)
	}
}

// sorted returns what is kept by id.
func (l *leastIDs) sorted() []*found {
	return slices.SortedFunc(maps.Values(l.byID), func(a, b *found) int { return cmp.Compare(a.id, b.id) })
}

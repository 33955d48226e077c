package analyze

import (
	"cmp"
	"slices"

	"logflume/pipeline"
)

const (
	maxPatterns    = 10_000 // listed; the most frequent
	maxPatternText = 1 << 10
)

// errorPatterns counts the error events of one window and service by pattern. There are at most as many as events in
// the segment.
type errorPatterns struct {
	byID  map[int64]int32 // index into list
	list  []errorPattern
	order []int32 // scratch for sorting
}

type errorPattern struct {
	id          int64
	text        string
	level       string
	sample      string // message of the earliest event
	count       int64
	first, last int64
}

func (p *errorPatterns) add(e *pipeline.Event) {
	i, ok := p.byID[e.PatternID]
	if !ok {
		if p.byID == nil {
			p.byID = make(map[int64]int32)
		}
		i = int32(len(p.list))
		p.byID[e.PatternID] = i
		p.list = append(p.list, errorPattern{
			id: e.PatternID, text: e.Pattern, level: e.Level, sample: sample(e), first: e.Time, last: e.Time,
		})
	}
	q := &p.list[i]
	q.count++
	if e.Time < q.first {
		q.first, q.sample = e.Time, sample(e)
	}
	q.last = max(q.last, e.Time)
	if e.Level == "CRITICAL" || q.level == "" {
		q.level = e.Level
	}
}

// sample returns what the pattern was made of.
func sample(e *pipeline.Event) string {
	if e.Message != "" {
		return e.Message
	}
	return headline(e.Exception)
}

// top calls yield for the maxPatterns most frequent patterns, the most frequent first.
func (p *errorPatterns) top(yield func(*errorPattern)) {
	p.order = p.order[:0]
	for i := range p.list {
		p.order = append(p.order, int32(i))
	}
	slices.SortFunc(p.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.list[b].count, p.list[a].count), cmp.Compare(p.list[a].id, p.list[b].id))
	})
	for _, i := range p.order[:min(len(p.order), maxPatterns)] {
		yield(&p.list[i])
	}
}

func (p *errorPatterns) reset() {
	if len(p.list) > maxPatterns {
		*p = errorPatterns{}
		return
	}
	clear(p.byID)
	clear(p.list)
	p.list = p.list[:0]
}

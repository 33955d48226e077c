package analyze

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever way the events are split, the parts add up to the whole.
func TestSharesMerge(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	events := randomEvents(r, 4000)
	whole := NewAggregate(Options{})
	for _, b := range batches(events) {
		whole.Add(b)
	}
	want := rows(t, whole)

	merged := map[rowKey]*row{}
	part := NewAggregate(Options{})
	for _, b := range batches(events, 1, 700, 13, 1500, 2) {
		part.Add(b)
		for key, share := range rows(t, part) {
			if merged[key] == nil {
				merged[key] = share
				continue
			}
			merge(merged[key], share)
		}
		part.Reset()
	}
	if len(merged) != len(want) {
		t.Errorf("%d rows, want %d", len(merged), len(want))
	}
	for key, w := range want {
		g := merged[key]
		slices.SortStableFunc(g.Patterns, func(a, b patternRow) int { return int(b.Count - a.Count) })
		compare(t, key, g, w)
		for name, sets := range map[string][2][]uint32{
			"users":    {g.Summary.Users, w.Summary.Users},
			"tenants":  {g.Summary.Tenants, w.Summary.Tenants},
			"patterns": {g.Summary.Patterns, w.Summary.Patterns},
		} {
			if !slices.Equal(sets[0], sets[1]) {
				t.Errorf("%v: %s differ", key, name)
			}
		}
	}
}

// merge adds o to r as the fold in SQL does.
func merge(r, o *row) {
	s, p := &r.Summary, &o.Summary
	s.TotalLogs += p.TotalLogs
	s.Kept += p.Kept
	s.TotalErrors += p.TotalErrors
	s.SlowRequests += p.SlowRequests
	s.Requests += p.Requests
	s.Failed += p.Failed
	for k, n := range p.Levels {
		s.Levels[k] += n
	}
	for k, n := range p.Statuses {
		s.Statuses[k] += n
	}
	for endpoint, q := range p.Latency {
		l := s.Latency[endpoint]
		l.N, l.Slow, l.Sum, l.Max, l.H = l.N+q.N, l.Slow+q.Slow, l.Sum+q.Sum, max(l.Max, q.Max), q.H
		for i, k := range q.K {
			at, found := slices.BinarySearch(l.K, k)
			if !found {
				l.K, l.C = slices.Insert(l.K, at, k), slices.Insert(l.C, at, 0)
			}
			l.C[at] += q.C[i]
		}
		s.Latency[endpoint] = l
	}
	s.Users, s.Tenants, s.Patterns = union(s.Users, p.Users), union(s.Tenants, p.Tenants), union(s.Patterns, p.Patterns)
	for _, q := range o.Patterns {
		i := slices.IndexFunc(r.Patterns, func(p patternRow) bool { return p.ID == q.ID })
		if i < 0 {
			r.Patterns = append(r.Patterns, q)
			continue
		}
		m := &r.Patterns[i]
		m.Count += q.Count
		if q.First.Before(m.First) {
			m.First = q.First
		}
		if q.Last.After(m.Last) {
			m.Last = q.Last
		}
	}
	s.UniquePatterns = int64(len(r.Patterns))
	r.Issues = append(r.Issues, o.Issues...)
	slices.SortStableFunc(r.Issues, func(a, b issueRow) int { return int(b.ResponseTime - a.ResponseTime) })
	r.Issues = r.Issues[:min(len(r.Issues), 100)]
}

// union merges two lists of HyperLogLog entries.
func union(a, b []uint32) []uint32 {
	best := map[uint32]uint32{}
	for _, entry := range append(slices.Clone(a), b...) {
		best[entry/64] = max(best[entry/64], entry%64)
	}
	out := []uint32{}
	for register, rho := range best {
		out = append(out, register*64+rho)
	}
	slices.Sort(out)
	return out
}

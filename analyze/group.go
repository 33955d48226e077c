package analyze

import (
	"cmp"
	"slices"

	"logflume/pipeline"
)

// root returns the root of n's group. The node with the least id is the root, so that it is the same whatever came first.
func (m *merger) root(n int32) int32 {
	for m.nodes[n].group != n {
		m.nodes[n].group = m.nodes[m.nodes[n].group].group
		n = m.nodes[n].group
	}
	return n
}

// join makes one group of those of two nodes, and reports whether they were two.
func (m *merger) join(a, b int32) bool {
	m.relate(a, b)
	a, b = m.root(a), m.root(b)
	if a == b {
		return false
	}
	if m.nodes[b].id < m.nodes[a].id {
		a, b = b, a
	}
	m.nodes[b].group = a
	m.nodes[a].holes |= m.nodes[b].holes
	m.nodes[a].joined = true
	return true
}

// head returns the root of n's family.
func (m *merger) head(n int32) int32 {
	for m.nodes[n].family != n {
		m.nodes[n].family = m.nodes[m.nodes[n].family].family
		n = m.nodes[n].family
	}
	return n
}

// relate makes one family of those of two nodes.
func (m *merger) relate(a, b int32) {
	if a, b = m.head(a), m.head(b); a != b {
		m.nodes[b].family = a
		m.nodes[a].related = true
	}
}

// represent makes for each group the node that stands for it: the text with a mark wherever a text of the group has one, as
// the rules would write it. It reports whether anything came of it.
func (m *merger) represent() (changed bool) {
	type stand struct {
		root  int32
		text  []byte
		kinds []kind
	}
	var stands []stand
	for n := range m.nodes {
		if root := int32(n); m.nodes[n].joined && m.root(root) == root {
			text, kinds := m.general(root)
			stands = append(stands, stand{root, text, kinds})
		}
	}
	for _, s := range stands {
		n, isNew := m.rewrite(s.text, s.kinds)
		if slices.Equal(m.nodes[n].text, s.text) {
			isNew = m.join(s.root, n) || isNew
		}
		m.relate(s.root, n)
		changed = changed || isNew
	}
	return changed
}

// general returns the text of a root's group with marks for all its holes, and their kinds.
func (m *merger) general(root int32) (text []byte, kinds []kind) {
	r := &m.nodes[root]
	m.slots = slotsOf(m.slots[:0], r.text)
	done, marks := 0, 0
	for i, s := range m.slots {
		switch {
		case s.role == marked:
			kinds = append(kinds, r.kinds[marks])
			marks++
		case r.holes&(1<<i) != 0:
			text = append(append(text, r.text[done:s.start]...), mark)
			done = int(s.end)
			kinds = append(kinds, anything)
		}
	}
	return append(text, r.text[done:]...), append(kinds, r.kinds[marks:]...)
}

// finals returns by its root the pattern that stands for each family of several nodes: of the texts that the rules would write so the
// shortest, which has the most holes.
func (m *merger) finals() map[int32]pipeline.Pattern {
	best := map[int32]int32{}
	for n := range int32(len(m.nodes)) {
		head := m.head(n)
		if !m.nodes[n].ruled || !m.nodes[head].related {
			continue
		}
		if other, ok := best[head]; !ok || m.shorter(n, other) {
			best[head] = n
		}
	}
	all := make(map[int32]pipeline.Pattern, len(best))
	for head, n := range best {
		r := &m.nodes[n]
		all[head] = pipeline.Pattern{ID: r.id, Text: string(appendPattern(nil, r.text, r.kinds))}
	}
	return all
}

func (m *merger) shorter(a, b int32) bool {
	x, y := &m.nodes[a], &m.nodes[b]
	return cmp.Or(cmp.Compare(len(x.text), len(y.text)), cmp.Compare(len(y.kinds), len(x.kinds)), cmp.Compare(x.id, y.id)) < 0
}

// aliases returns an alias for each pattern that another stands for.
func (m *merger) aliases() []pipeline.Alias {
	var all []pipeline.Alias
	finals := m.finals()
	now := map[int64]pipeline.Pattern{} // by the id of a pattern
	stands := map[int64]int{}
	for n := range int32(len(m.nodes)) {
		to, ok := finals[m.head(n)]
		if !m.nodes[n].given || !ok {
			continue
		}
		from := m.nodes[n].id
		now[from] = to
		stands[to.ID]++
		if to.ID != from {
			all = append(all, pipeline.Alias{From: from, To: to})
		}
	}
	for _, a := range m.old {
		if to, ok := now[a.To.ID]; ok {
			a.To = to
		}
		all = append(all, a)
	}
	for i := range all {
		all[i].Evidence = max(stands[all[i].To.ID], 1)
	}
	slices.SortFunc(all, func(a, b pipeline.Alias) int { return cmp.Compare(a.From, b.From) })
	return all
}

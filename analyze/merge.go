package analyze

import (
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"

	"logflume/pipeline"
)

// Merge finds the words of patterns that are values, by comparing patterns with each other: where so many distinct words
// have stood in one place of an otherwise equal text that they cannot all be events, that place is a hole, and the
// patterns are cases of the one with a placeholder there. It returns an alias for each pattern that is such a case,
// sorted by From.
//
// The result depends on nothing but the set of patterns: not on their order, nor on who saw which. The more patterns
// there are the more holes open, and none closes. Patterns of older rules become aliases of what the present rules make
// of them. Others whose id is not that of their text, stack traces and those that the caller named, are left alone, and so are
// those that apart covers: merges that were found wrong.
func Merge(patterns, apart []pipeline.Pattern) []pipeline.Alias {
	var m merger
	m.refuse(apart)
	for {
		m.reset()
		for _, p := range patterns {
			m.add(p)
		}
		m.close()
		if aliases := m.aliases(); !m.refuseGroups(aliases) {
			return aliases
		}
	}
}

// A merger finds the holes of a set of texts. A node is a text: that of a pattern, one with a hole that has opened, or one
// that stands for a group. Nodes with a hole in common are a group, whose texts differ in their holes only. Where a hole
// comes to stand beside a placeholder, the rules make one of the two, and the text has fewer places than before: a group
// and what the rules make of it are a family, which is what has one id in the end.
//
// Each step is taken for all that calls for it at once, so that no order of the nodes enters.
type merger struct {
	masker  masker
	refused refusals

	nodes  []node
	byText map[uint64]int32 // node by hash of its text
	finds  []evidence
	old    []pipeline.Alias // From patterns of older rules To what they are now
	slots  []slot
	buf    []byte
}

type node struct {
	text   []byte // with marks
	kinds  []kind // of its marks
	id     int64
	group  int32  // towards the root of its group; itself at the root
	family int32  // the same of its family
	holes  uint64 // at the group's root: slots in which nodes of the group have marks
	joined bool   // at the group's root: there are others in the group
	given  bool   // it is a pattern
	ruled  bool   // it is as the rules would write it: a pattern, or what they made of a derived text
}

// An evidence is a word that stood in a place.
type evidence struct {
	hole uint64 // hash of the text with a mark in that place, and of the place
	twin uint64 // hash of that text as the rules would write it
	word uint64 // hash of the word
	node int32
	slot uint8
	need need
}

func (m *merger) reset() {
	m.nodes, m.finds, m.old = m.nodes[:0], m.finds[:0], m.old[:0]
	m.byText = map[uint64]int32{}
}

// add takes in a pattern.
func (m *merger) add(p pipeline.Pattern) {
	text, kinds := appendMarks(nil, nil, p.Text)
	switch {
	case idOf(ruleVersion, text) == p.ID:
	case isOlder(p.ID, text):
		now := pipeline.Pattern{ID: m.masker.mask(p.Text), Text: string(m.masker.appendText(nil))}
		if now.ID == 0 {
			return
		}
		m.old = append(m.old, pipeline.Alias{From: p.ID, To: now})
		text, kinds = slices.Clone(m.masker.text()), slices.Clone(m.masker.kinds)
		p = now
	default:
		return
	}
	if m.refused.covers(p.ID, text) {
		return
	}
	n, _ := m.node(text, kinds, p.ID)
	m.nodes[n].given, m.nodes[n].ruled = true, true
}

// isOlder reports whether id is that of text by older rules.
func isOlder(id int64, text []byte) bool {
	for v := byte(1); v < ruleVersion; v++ {
		if idOf(v, text) == id {
			return true
		}
	}
	return false
}

// node returns the node of a text, making it if there is none.
func (m *merger) node(text []byte, kinds []kind, id int64) (n int32, isNew bool) {
	h := xxhash.Sum64(text)
	if n, ok := m.byText[h]; ok {
		return n, false
	}
	n = int32(len(m.nodes))
	m.nodes = append(m.nodes, node{text: text, kinds: kinds, id: id, group: n, family: n})
	m.byText[h] = n
	m.observe(n)
	return n, true
}

// observe notes the words of a node and where they stood.
func (m *merger) observe(n int32) {
	text := m.nodes[n].text
	m.slots = slotsOf(m.slots[:0], text)
	for i, s := range m.slots {
		switch s.role {
		case marked:
			m.nodes[n].holes |= 1 << i
		case varying:
			if k := needed(text, m.slots, i); k.words > 0 {
				m.buf = appendHole(m.buf[:0], text, s)
				twin := m.rewritten(n, i)
				m.buf = append(m.buf, byte(i))
				m.finds = append(m.finds, evidence{
					hole: xxhash.Sum64(m.buf), twin: twin, word: xxhash.Sum64(text[s.start:s.end]), node: n, slot: uint8(i), need: k,
				})
			}
		}
	}
}

// rewritten returns the hash of the text that the rules make of that of node n with a mark in slot i. m.buf holds it.
func (m *merger) rewritten(n int32, i int) uint64 {
	m.masker.mask(string(appendPattern(nil, m.buf, withHole(m.nodes[n].kinds, m.slots, i))))
	return xxhash.Sum64(m.masker.text())
}

// close opens holes and joins groups and families until nothing changes. A hole that opens makes a text in which further
// holes may be found; so does what stands for a group.
func (m *merger) close() {
	for changed := true; changed; {
		for m.open() {
		}
		changed = m.represent()
	}
}

// open looks through the evidence once, and reports whether a hole has opened.
func (m *merger) open() (found bool) {
	slices.SortFunc(m.finds, func(a, b evidence) int { return cmp.Or(cmp.Compare(a.hole, b.hole), cmp.Compare(a.word, b.word)) })
	all := m.finds
	for start := 0; start < len(all); {
		end, words := start+1, 1
		for ; end < len(all) && all[end].hole == all[start].hole; end++ {
			if all[end].word != all[end-1].word {
				words++
			}
		}
		same := all[start:end]
		enough := words >= int(same[0].need.words)
		if !enough && words >= int(same[0].need.withTwin) {
			n, ok := m.byText[same[0].twin]
			enough = ok && m.nodes[n].given
		}
		if enough {
			found = m.openHole(same) || found
		}
		start = end
	}
	return found
}

// openHole joins the nodes that had words in a place with each other and with the text that has a mark there.
func (m *merger) openHole(same []evidence) (isNew bool) {
	first := &m.nodes[same[0].node]
	m.slots = slotsOf(m.slots[:0], first.text)
	text := appendHole(make([]byte, 0, len(first.text)), first.text, m.slots[same[0].slot])
	kinds := withHole(first.kinds, m.slots, int(same[0].slot))
	n, isNew := m.node(text, kinds, idOf(ruleVersion, text))
	for _, e := range same {
		isNew = m.join(e.node, n) || isNew
	}
	if isNew {
		ruled, _ := m.rewrite(text, kinds)
		m.relate(n, ruled)
	}
	return isNew
}

// withHole returns the kinds of the marks of a text with a mark in place of slot i too.
func withHole(kinds []kind, slots []slot, i int) []kind {
	before := 0
	for _, s := range slots[:i] {
		if s.role == marked {
			before++
		}
	}
	return slices.Insert(slices.Clone(kinds), before, anything)
}

// rewrite returns the node of what the rules make of a text.
func (m *merger) rewrite(text []byte, kinds []kind) (n int32, isNew bool) {
	id := m.masker.mask(string(appendPattern(nil, text, kinds)))
	n, isNew = m.node(slices.Clone(m.masker.text()), slices.Clone(m.masker.kinds), id)
	m.nodes[n].ruled = true
	return n, isNew
}

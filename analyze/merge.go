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
//
// Its memory is bounded: patterns are taken in by their ids, the least first, until there is evidence enough, so that which
// are left out depends on the set alone too.
func Merge(patterns, apart []pipeline.Pattern) []pipeline.Alias {
	m := merger{limit: maxEvidence}
	return m.merge(patterns, apart)
}

// maxEvidence bounds the words and places that are compared: those of 200,000 patterns of ten words.
const maxEvidence = 2 << 20

func (m *merger) merge(patterns, apart []pipeline.Pattern) []pipeline.Alias {
	m.refuse(apart)
	patterns = slices.SortedFunc(slices.Values(patterns), func(a, b pipeline.Pattern) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Text, b.Text))
	})
	for {
		m.reset()
		for _, p := range patterns {
			m.addPattern(p)
		}
		m.run()
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
// Each step is taken for all that calls for it at once, so that no order of the nodes enters. For 100,000 patterns of ten
// words it takes some 30 MB besides their texts (BenchmarkMerge).
type merger struct {
	masker  masker
	refused refusals

	nodes    []node
	byText   map[uint64]int32 // node by hash of its text
	finds    []evidence       // sorted up to m.sorted
	sorted   int
	expected int              // evidence of the nodes there are, at most
	limit    int              // of expected: no pattern is taken in beyond it, and nothing derived beyond thrice as much
	old      []pipeline.Alias // From patterns of older rules To what they are now

	slots []slot
	buf   []byte
	late  []evidence // scratch for sorting
}

type node struct {
	text    []byte // with marks
	kinds   []kind // of its marks
	id      int64
	group   int32  // towards the root of its group; itself at the root
	family  int32  // the same of its family
	holes   uint64 // at the group's root: slots in which nodes of the group have marks
	joined  bool   // at the group's root: there are others in the group
	related bool   // at the family's root: there are others in the family
	given   bool   // it is a pattern
	ruled   bool   // it is as the rules would write it: a pattern, or what they made of a derived text
}

// An evidence is a word that stood in a place.
type evidence struct {
	hole uint64 // hash of the place, and of the text with a mark there
	word uint32 // hash of the word
	at   place
}

// A place is a slot of a node, and whether the text with a mark there is a pattern by itself.
type place uint32

func placeOf(node, slot int, twin bool) place {
	p := place(node<<7 | slot<<1)
	if twin {
		p |= 1
	}
	return p
}

func (p place) node() int32   { return int32(p >> 7) }
func (p place) slot() int     { return int(p >> 1 & (maxSlots - 1)) }
func (p place) hasTwin() bool { return p&1 != 0 }

func (m *merger) reset() {
	m.nodes, m.finds, m.sorted, m.expected, m.old = m.nodes[:0], m.finds[:0], 0, 0, m.old[:0]
	m.byText = map[uint64]int32{}
}

// addPattern takes in a pattern, if it is a text that the rules made.
func (m *merger) addPattern(p pipeline.Pattern) {
	text, kinds := parsePattern(p.Text)
	switch {
	case idOf(ruleVersion, text) == p.ID:
		m.add(p.ID, text, kinds)
	case isOlder(p.ID, text):
		now := pipeline.Pattern{ID: m.masker.mask(p.Text), Text: string(m.masker.appendText(nil))}
		if now.ID == 0 {
			return
		}
		m.old = append(m.old, pipeline.Alias{From: p.ID, To: now})
		m.add(now.ID, slices.Clone(m.masker.text()), slices.Clone(m.masker.kinds))
	}
}

// add takes in a pattern's text.
func (m *merger) add(id int64, text []byte, kinds []kind) {
	if m.expected >= m.limit || m.refused.covers(id, text) {
		return
	}
	n, _ := m.node(id, text, kinds)
	m.nodes[n].given, m.nodes[n].ruled = true, true
}

// addFound takes in what a Miner has found, without copies of the texts.
func (m *merger) addFound(all []*found) {
	m.reset()
	m.nodes = make([]node, 0, len(all)+len(all)/8)
	for _, f := range all {
		if idOf(ruleVersion, f.text) == f.id {
			m.add(f.id, f.text, f.kinds)
		}
	}
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
func (m *merger) node(id int64, text []byte, kinds []kind) (n int32, isNew bool) {
	h := xxhash.Sum64(text)
	if n, ok := m.byText[h]; ok {
		return n, false
	}
	var holes uint64
	m.slots = slotsOf(m.slots[:0], text)
	for i, s := range m.slots {
		switch s.role {
		case marked:
			holes |= 1 << i
		case varying:
			m.expected++
		}
	}
	n = int32(len(m.nodes))
	m.nodes = append(m.nodes, node{text: text, kinds: kinds, id: id, group: n, family: n, holes: holes})
	m.byText[h] = n
	return n, true
}

// run opens holes and joins groups and families until nothing changes. A hole that opens makes a text in which further
// holes may be found; so does what stands for a group.
func (m *merger) run() {
	seen := 0
	for changed := true; changed; {
		for opened := true; opened; {
			seen = m.observe(seen)
			opened = m.open() && m.expected < 3*m.limit
		}
		changed = m.represent() && m.expected < 3*m.limit
	}
}

// observe notes the words of the nodes from number seen on, where they stood, and how many nodes there are.
func (m *merger) observe(seen int) int {
	m.finds = slices.Grow(m.finds, max(0, m.expected-len(m.finds)))
	for n := seen; n < len(m.nodes); n++ {
		text := m.nodes[n].text
		m.slots = slotsOf(m.slots[:0], text)
		for i, s := range m.slots {
			if s.role != varying || needed(text, m.slots, i).words == 0 {
				continue
			}
			m.buf = appendHole(m.buf[:0], text, s)
			twin := m.hasTwin(&m.nodes[n], i)
			m.buf = append(m.buf, byte(i))
			m.finds = append(m.finds, evidence{
				hole: xxhash.Sum64(m.buf), word: uint32(xxhash.Sum64(text[s.start:s.end])), at: placeOf(n, i, twin),
			})
		}
	}
	m.sort()
	return len(m.nodes)
}

// sort sorts the evidence, of which all but the latest is sorted already.
func (m *merger) sort() {
	inOrder := func(a, b evidence) int { return cmp.Or(cmp.Compare(a.hole, b.hole), cmp.Compare(a.word, b.word)) }
	slices.SortFunc(m.finds[m.sorted:], inOrder)
	if m.sorted == 0 {
		m.sorted = len(m.finds)
		return
	}
	m.late = append(m.late[:0], m.finds[m.sorted:]...)
	i, j := m.sorted-1, len(m.late)-1
	for to := len(m.finds) - 1; j >= 0; to-- {
		if i >= 0 && inOrder(m.finds[i], m.late[j]) > 0 {
			m.finds[to] = m.finds[i]
			i--
		} else {
			m.finds[to] = m.late[j]
			j--
		}
	}
	m.sorted = len(m.finds)
}

// open looks through the evidence once, and reports whether a hole has opened.
func (m *merger) open() (found bool) {
	for start := 0; start < len(m.finds); {
		end, words := start+1, 1
		for ; end < len(m.finds) && m.finds[end].hole == m.finds[start].hole; end++ {
			if m.finds[end].word != m.finds[end-1].word {
				words++
			}
		}
		found = m.openHole(m.finds[start:end], words) || found
		start = end
	}
	return found
}

// openHole joins the nodes that had words in a place with each other and with the text that has a mark there, if there
// are enough words. It reports whether that was news.
func (m *merger) openHole(same []evidence, words int) (isNew bool) {
	at := same[0].at
	if words < leastWords && !at.hasTwin() {
		return false
	}
	first := &m.nodes[at.node()]
	m.slots = slotsOf(m.slots[:0], first.text)
	need := needed(first.text, m.slots, at.slot())
	if words < int(need.words) && (!at.hasTwin() || words < int(need.withTwin)) {
		return false
	}
	text := appendHole(make([]byte, 0, len(first.text)), first.text, m.slots[at.slot()])
	kinds := withHole(first.kinds, m.slots, at.slot())
	n, isNew := m.node(idOf(ruleVersion, text), text, kinds)
	for _, e := range same {
		isNew = m.join(e.at.node(), n) || isNew
	}
	if isNew {
		ruled, _ := m.rewrite(text, kinds)
		m.relate(n, ruled)
	}
	return isNew
}

// hasTwin reports whether the text of n with a mark in slot i, which m.buf holds, is a pattern as the rules would write it:
// then a value has stood there.
func (m *merger) hasTwin(n *node, i int) bool {
	if s := m.slots[i]; !standsAlone(m.buf, int(s.start)) {
		m.masker.mask(string(appendPattern(nil, m.buf, withHole(n.kinds, m.slots, i))))
		twin, ok := m.byText[xxhash.Sum64(m.masker.text())]
		return ok && m.nodes[twin].given
	}
	twin, ok := m.byText[xxhash.Sum64(m.buf)]
	return ok && m.nodes[twin].given
}

// standsAlone reports whether the rules leave the mark text[i] as it is, for it has but blanks, and beyond them words, beside
// it. False is no more than a reason to ask them.
func standsAlone(text []byte, i int) bool {
	before := i == 0 || text[i-1] == '=' || text[i-1] == ' ' && classes[text[i-2]]&(letter|wide|digit) != 0
	after := i+1 == len(text) || text[i+1] == ' ' && classes[text[i+2]]&(letter|wide|digit) != 0
	return before && after
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
	n, isNew = m.node(id, slices.Clone(m.masker.text()), slices.Clone(m.masker.kinds))
	m.nodes[n].ruled = true
	return n, isNew
}

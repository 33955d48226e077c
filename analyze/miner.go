package analyze

import (
	"cmp"
	"slices"
	"strings"

	"logflume/pipeline"
)

const (
	// MaxMined is how many patterns a Miner tells apart.
	MaxMined = 100_000

	maxExample = 160 // bytes of an example
)

// A Miner counts events by pattern without a database, and merges the patterns when all events have been seen. Its
// memory is bounded: of more than MaxMined patterns it keeps those with the least ids, and counts the others by the words
// they begin with. Which are kept is a matter of the set of patterns alone, so the outcome does not depend on the order
// of the events either.
type Miner struct {
	processor processor
	kept      leastIDs // whole patterns
	coarse    leastIDs // what stands for those not kept
	rest      found    // what stands for those not kept there either
	events    int64
	buf       []byte
	aliases   map[int64]int64 // of kept patterns, set by Close
}

// A Sighting is what a Miner needs to know of an event to tell its final id later. The zero Sighting is that of an event
// that has no pattern.
type Sighting struct{ ID, Coarse int64 }

// A Mined is a pattern with what a Miner has seen of it.
type Mined struct {
	pipeline.Pattern
	Count   int64
	Example string // the first message, or its head
}

// NewMiner returns a Miner that has seen nothing.
func NewMiner() *Miner { return newMiner(MaxMined) }

func newMiner(limit int) *Miner {
	rest := appendCoarse(nil, nil)
	return &Miner{
		kept: newLeastIDs(limit), coarse: newLeastIDs(limit / 10),
		rest: found{id: idOf(ruleVersion, rest), text: rest, kinds: []kind{tail}},
	}
}

// Add counts an event, whatever its level.
func (m *Miner) Add(e *pipeline.Event) Sighting {
	id := m.processor.identify(e)
	if id == 0 {
		return Sighting{}
	}
	m.events++
	masked := &m.processor.masker
	if f := m.kept.byID[id]; f != nil {
		f.count++
		f.meet(masked.kinds)
		return Sighting{ID: id, Coarse: f.coarse}
	}
	m.buf = appendCoarse(m.buf[:0], masked.text())
	f := &found{
		id: id, count: 1, first: m.events, example: strings.Clone(head(sample(e), maxExample)),
		coarse: idOf(ruleVersion, m.buf), text: masked.text(),
	}
	if m.kept.admits(id) {
		f.text, f.kinds = slices.Clone(f.text), slices.Clone(masked.kinds)
		m.kept.put(f, m.putOut)
	} else {
		m.putOut(f)
	}
	return Sighting{ID: id, Coarse: f.coarse}
}

// putOut counts f, which is not kept, by the words it begins with.
func (m *Miner) putOut(f *found) {
	g := m.coarse.byID[f.coarse]
	switch {
	case g != nil:
		g.add(f)
	case m.coarse.admits(f.coarse):
		f.text, f.kinds, f.id = appendCoarse(nil, f.text), []kind{tail}, f.coarse
		m.coarse.put(f, m.putRest)
	default:
		m.putRest(f)
	}
}

// putRest counts f, which is kept nowhere.
func (m *Miner) putRest(f *found) {
	if m.rest.count == 0 {
		m.rest.first = f.first + 1
	}
	m.rest.add(f)
}

// Close merges the patterns and returns those that remain, the most frequent first. No event may be added after it.
func (m *Miner) Close() []Mined {
	m.kept.trim(m.putOut)
	m.coarse.trim(m.putRest)
	kept := m.kept.sorted()
	merging := merger{limit: maxEvidence}
	merging.addFound(kept)
	merging.run()
	aliases := merging.aliases()
	m.aliases = make(map[int64]int64, len(aliases))
	groups := map[int64]*found{}
	texts := map[int64]string{}
	for _, a := range aliases {
		m.aliases[a.From], texts[a.To.ID] = a.To.ID, a.To.Text
	}
	for _, f := range slices.Concat(kept, m.coarse.sorted(), m.others()) {
		id := f.id
		if to, ok := m.aliases[id]; ok {
			id = to
		}
		if g := groups[id]; g != nil {
			g.add(f)
			continue
		}
		groups[id] = f
		if _, ok := texts[id]; !ok {
			texts[id] = f.pattern().Text
		}
	}
	all := make([]Mined, 0, len(groups))
	for id, f := range groups {
		all = append(all, Mined{Pattern: pipeline.Pattern{ID: id, Text: texts[id]}, Count: f.count, Example: f.example})
	}
	slices.SortFunc(all, func(a, b Mined) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (m *Miner) others() []*found {
	if m.rest.count == 0 {
		return nil
	}
	return []*found{&m.rest}
}

// Final returns the id under which [Miner.Close] counted the event of s, 0 if it had no pattern.
func (m *Miner) Final(s Sighting) int64 {
	if s.ID == 0 {
		return 0
	}
	if m.kept.byID[s.ID] != nil {
		if to, ok := m.aliases[s.ID]; ok {
			return to
		}
		return s.ID
	}
	if m.coarse.byID[s.Coarse] != nil {
		return s.Coarse
	}
	return m.rest.id
}

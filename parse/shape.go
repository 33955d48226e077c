package parse

// A shape remembers the keys of an object, since the lines of one logger have the same keys in the same order. Where a
// line matches, its keys are neither scanned nor looked up nor compared with each other: a quarter of the work of
// scanning it (BenchmarkScan).
type shape struct {
	keys   []shapeKey
	text   []byte // their literals, one after the other
	misses int    // objects in a row that had other keys
}

type shapeKey struct {
	start, end int // in text: the key with its quotes and its colon
	hash       uint32
	name       name
}

const maxShape = 64 // keys

// match reports whether p[i:] starts with key number n, and if so fills m in up to the start of its value.
func (s *shape) match(p []byte, i, n int, m *member) bool {
	if n >= len(s.keys) {
		return false
	}
	k := &s.keys[n]
	end := i + k.end - k.start
	if end > len(p) || string(p[i:end]) != string(s.text[k.start:k.end]) {
		return false
	}
	// One by one: a composite literal is built aside and copied, which shows in BenchmarkScan.
	m.keyStart, m.keyEnd = uint32(i+1), uint32(end-2)
	m.start = uint32(skipBlank(p, end))
	m.hash, m.name = k.hash, k.name
	m.chain, m.gone = 0, false
	return true
}

// learn makes the shape that of the object just scanned, when it is the second in a row to differ: then it was no
// exception among objects of the shape.
func (s *scanner) learn(p []byte) {
	if s.shape.misses++; s.shape.misses < 2 || s.odd || s.repeats || len(s.members) > maxShape {
		return
	}
	s.shape = shape{keys: s.shape.keys[:0], text: s.shape.text[:0]}
	for i := range s.members {
		m := &s.members[i]
		if p[m.keyEnd+1] != ':' {
			break // a blank before the colon
		}
		start := len(s.shape.text)
		s.shape.text = append(s.shape.text, p[m.keyStart-1:m.keyEnd+2]...)
		s.shape.keys = append(s.shape.keys, shapeKey{start: start, end: len(s.shape.text), hash: m.hash, name: m.name})
	}
}

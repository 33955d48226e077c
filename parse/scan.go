package parse

// Limits of an object that is stored as it is. What lies beyond them is kept as text; see repair.go.
const (
	maxDepth     = 64   // levels, the event's own object being the first
	maxMembers   = 256  // keys of the event's own object
	maxKeys      = 1024 // keys at all levels
	maxKeyLength = 256  // bytes between the quotes
)

// Reasons of dead letters. They are constant, so that they can be counted.
const (
	badEnd     = "json: unexpected end of input"
	badByte    = "json: unexpected character"
	badControl = "json: control character in a string"
	badEscape  = "json: malformed escape in a string"
	badNumber  = "json: malformed number"
)

// A member is one key and value of an event's own object, as offsets into that object's bytes.
type member struct {
	keyStart, keyEnd uint32 // between the quotes
	start, end       uint32 // the value, with its quotes if it has some
	hash             uint32 // of the decoded key
	chain            uint16 // 1 + index of the member before this one in the same chain of scanner.chains, or 0
	name                    // what is known about the key
	escaped          bool   // the value is a string with escapes
	gone             bool   // not part of attrs
}

func (m *member) key(object []byte) []byte   { return object[m.keyStart:m.keyEnd] }
func (m *member) value(object []byte) []byte { return object[m.start:m.end] }

// A scanner checks objects against the grammar of RFC 8259, each byte once, and notes where their members are. Beyond
// the grammar it only notices what jsonb or a limit refuses: such an object is odd, and is rewritten by a repairer.
type scanner struct {
	names   *names
	members []member // in order
	odd     bool     // the object cannot be stored as it is
	repeats bool     // a key stands more than once

	shape  shape      // the keys that are expected
	keys   int        // at all levels
	chains [64]uint16 // by the hash of a key: 1 + index of the last member there
	used   uint64     // which of chains count, so that they need no clearing
	open   []uint64   // one bit for each open bracket below the object itself, set if it is a brace
	key    []byte     // scratch: a decoded key
}

func newScanner(t *names) scanner {
	return scanner{names: t, members: make([]member, 0, maxMembers+1)}
}

// object scans the object whose brace is p[i] and returns the position behind it, or why it is none. The offsets of
// the members count from p[0].
func (s *scanner) object(p []byte, i int) (end int, reason string) {
	s.members, s.odd, s.repeats, s.keys, s.used = s.members[:0], false, false, 0, 0
	i = skipBlank(p, i+1)
	if i < len(p) && p[i] == '}' {
		return i + 1, ""
	}
	expected := true // so far all keys are those of the shape
	for {
		m := s.next()
		if expected {
			if expected = s.shape.match(p, i, len(s.members)-1, m); !expected {
				s.chainAll()
			}
		}
		if !expected {
			if reason = s.scanKey(p, i, m); reason != "" {
				return i, reason
			}
		}
		end, what, reason := s.value(p, int(m.start))
		if reason != "" {
			return i, reason
		}
		m.end, m.escaped = uint32(end), what&escaped != 0
		if !expected && !s.odd { // an odd object is scanned again when it is repaired
			s.chain(p, len(s.members)-1)
		}
		if i = skipBlank(p, end); i >= len(p) {
			return i, badEnd
		}
		switch p[i] {
		case ',':
			i = skipBlank(p, i+1)
		case '}':
			s.end(p, expected)
			return i + 1, ""
		default:
			return i, badByte
		}
	}
}

// next returns the place of the next member. A repaired object has one more than maxMembers, its overflow; what comes
// beyond that is scanned and forgotten.
func (s *scanner) next() *member {
	s.keys++
	n := len(s.members)
	if n >= maxMembers {
		s.odd = true
		n = min(n, maxMembers)
	}
	s.members = s.members[:n+1]
	return &s.members[n]
}

// end looks at the object as a whole.
func (s *scanner) end(p []byte, expected bool) {
	if s.keys > maxKeys {
		s.odd = true
	}
	if expected {
		s.shape.misses = 0
	} else {
		s.learn(p)
	}
}

// scanKey scans a key and its colon, and looks the key up.
func (s *scanner) scanKey(p []byte, i int, m *member) (reason string) {
	end, what, reason := key(p, i)
	if reason != "" {
		return reason
	}
	start, reason := colon(p, end+1)
	if reason != "" {
		return reason
	}
	if what&odd != 0 || end-i > maxKeyLength+1 {
		s.odd = true
	}
	k := p[i+1 : end]
	if what&escaped != 0 {
		s.key = unescape(s.key[:0], k)
		k = s.key
	}
	h := hash(k)
	*m = member{keyStart: uint32(i + 1), keyEnd: uint32(end), start: uint32(start), hash: h, name: s.names.find(k, h).name}
	return ""
}

// chain enters member i among those that a repeated key is looked for in.
func (s *scanner) chain(p []byte, i int) {
	m := &s.members[i]
	slot := m.hash % uint32(len(s.chains))
	if bit := uint64(1) << slot; s.used&bit == 0 {
		s.used |= bit
	} else {
		m.chain = s.chains[slot]
		s.dropEarlier(p, m)
	}
	s.chains[slot] = uint16(i + 1)
}

// chainAll enters the members before the last, whose keys are known to differ.
func (s *scanner) chainAll() {
	for i := range s.members[:len(s.members)-1] {
		m := &s.members[i]
		slot := m.hash % uint32(len(s.chains))
		if bit := uint64(1) << slot; s.used&bit == 0 {
			s.used |= bit
		} else {
			m.chain = s.chains[slot]
		}
		s.chains[slot] = uint16(i + 1)
	}
}

// dropEarlier takes out the members before m that have its key: the last one counts, as in jsonb. Unknown keys that are
// equal only once their escapes are decoded are left to jsonb.
func (s *scanner) dropEarlier(p []byte, m *member) {
	for c := m.chain; c != 0; c = s.members[c-1].chain {
		e := &s.members[c-1]
		if e.hash == m.hash && (e.index != 0 && e.index == m.index || string(e.key(p)) == string(m.key(p))) {
			e.gone, e.name = true, name{}
			s.repeats = true
		}
	}
}

// value scans any value that starts at p[i] and returns the position behind it.
func (s *scanner) value(p []byte, i int) (end int, what quirks, reason string) {
	if i >= len(p) {
		return i, 0, badEnd
	}
	switch c := p[i]; {
	case c == '"':
		end, what = stringEnd(p, i+1)
		if what >= broken {
			return i, 0, what.reason()
		}
		if what&odd != 0 {
			s.odd = true
		}
		return end + 1, what, ""
	case c == '-' || c-'0' <= 9:
		end, reason = s.number(p, i)
		return end, 0, reason
	case c == '{' || c == '[':
		end, reason = s.nested(p, i)
		return end, 0, reason
	default:
		end, reason = literal(p, i)
		return end, 0, reason
	}
}

// key scans the key whose quote is p[i] and returns the position of its closing quote.
func key(p []byte, i int) (end int, what quirks, reason string) {
	if i >= len(p) {
		return i, 0, badEnd
	}
	if p[i] != '"' {
		return i, 0, badByte
	}
	if end, what = stringEnd(p, i+1); what >= broken {
		return i, 0, what.reason()
	}
	return end, what, ""
}

// colon skips the colon between a key and its value, and blanks.
func colon(p []byte, i int) (start int, reason string) {
	if i < len(p) && p[i] != ':' {
		i = skipBlank(p, i)
	}
	if i >= len(p) {
		return i, badEnd
	}
	if p[i] != ':' {
		return i, badByte
	}
	return skipBlank(p, i+1), ""
}

// literal scans true, false or null.
func literal(p []byte, i int) (end int, reason string) {
	for _, word := range [...]string{"null", "true", "false"} {
		if p[i] != word[0] {
			continue
		}
		rest := p[i:min(i+len(word), len(p))]
		if string(rest) == word {
			return i + len(word), ""
		}
		if string(rest) == word[:len(rest)] {
			return i, badEnd
		}
	}
	return i, badByte
}

// skipBlank returns the first position from i on that is no white space of JSON.
func skipBlank(p []byte, i int) int {
	for i < len(p) && p[i] <= ' ' && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t') {
		i++
	}
	return i
}

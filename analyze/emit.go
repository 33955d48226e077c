package analyze

const (
	// mark stands for every placeholder in the text that is hashed. Events hold no U+0000, and the scanner takes it for
	// a blank, so it cannot be mistaken.
	mark = 0

	maxSeparators = 32 // bytes between two placeholders that may still be one list
)

// An emitter builds the masked text and folds what a variable number of values would make different: runs of blanks,
// lists of placeholders, parentheses that hold nothing but a placeholder. What it does depends on nothing but the
// text emitted so far, so that masking a masked text changes nothing.
type emitter struct {
	out   []byte // masked text with mark for each placeholder, the rule version in front
	kinds []kind // of the marks, in order
	space bool   // a blank is due before what comes next
}

func (m *emitter) reset() {
	m.out = append(m.out[:0], ruleVersion)
	m.kinds = m.kinds[:0]
	m.space = false
}

// text returns the masked text with its marks.
func (m *emitter) text() []byte { return m.out[1:] }

func (m *emitter) empty() bool { return len(m.out) == 1 }

func (m *emitter) blank() { m.space = !m.empty() }

func (m *emitter) flushSpace() {
	if m.space {
		m.out = append(m.out, ' ')
		m.space = false
	}
}

// last returns the last byte emitted, not counting a blank that is due; the rule version when there is none.
func (m *emitter) last() byte { return m.out[len(m.out)-1] }

// literal emits a part of the message as it is.
func (m *emitter) literal(s string) {
	m.flushSpace()
	m.out = append(m.out, s...)
}

// punct emits one byte that is neither letter nor digit. Commas are not repeated: between values that vanish, as in
// `VALUES (1, 2), (3, 4), (5, 6)`, they would tell how many there were.
func (m *emitter) punct(c byte) {
	if c == ',' && m.last() == ',' {
		return
	}
	m.flushSpace()
	m.out = append(m.out, c)
}

func (m *emitter) puncts(s string) {
	for i := range len(s) {
		m.punct(s[i])
	}
}

// placeholder emits k. When only separators lie between it and the placeholder before it joins that one: a list of any
// length is one placeholder.
func (m *emitter) placeholder(k kind) {
	if end, ok := m.joins(); ok {
		m.out = m.out[:end]
		m.space = false
		return
	}
	m.flushSpace()
	m.out = append(m.out, mark)
	m.kinds = append(m.kinds, k)
}

// joins looks back for a placeholder that a next one would join, and returns the end of it. Brackets between the two
// must be as many closed as opened after those: `[1,2],[3,4]`.
func (m *emitter) joins() (end int, ok bool) {
	opened, closed := 0, 0
	for i := len(m.out) - 1; i > 0 && len(m.out)-i <= maxSeparators; i-- {
		switch m.out[i] {
		case mark:
			return i + 1, opened == closed
		case ' ', ',', ';', '|', ':', '/', '-', '+', '&':
		case '(', '[', '{', '<':
			if closed > 0 {
				return 0, false
			}
			opened++
		case ')', ']', '}', '>':
			closed++
		default:
			return 0, false
		}
	}
	return 0, false
}

// closeParen emits ')', unless that closes "()" or " (placeholder)", which then vanish. vanishes says whether what
// follows in the message lets them: the words around must not grow together.
func (m *emitter) closeParen(vanishes bool) {
	if vanishes && !m.space {
		n := len(m.out)
		switch {
		case m.out[n-1] == '(':
			m.cut(n - 1)
			return
		case n > 3 && m.out[n-1] == mark && m.out[n-2] == '(' && m.out[n-3] == ' ':
			m.kinds = m.kinds[:len(m.kinds)-1]
			m.cut(n - 2)
			return
		}
	}
	m.punct(')')
}

// cut shortens out to n bytes and takes the blank before them.
func (m *emitter) cut(n int) {
	if m.out[n-1] == ' ' {
		n--
	}
	m.out = m.out[:n]
}

// appendText appends the masked text for people to dst.
func (m *emitter) appendText(dst []byte) []byte { return appendPattern(dst, m.text(), m.kinds) }

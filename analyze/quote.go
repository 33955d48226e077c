package analyze

import "strings"

// quote handles the quotation mark at index i: quoted text is one placeholder, unless it is a key (`"id": 5`) or the
// whole message. It returns the index after what it took.
func (m *masker) quote(i int) int {
	if i >= m.keyEnd && m.opens() {
		end, ok := m.closing(i)
		switch {
		case !ok || m.isWhole(end):
		case m.quotesSQL(i):
		case m.isKey(end):
			m.keyEnd = end
		default:
			m.placeholder(text)
			return end
		}
	}
	m.punct(m.s[i])
	return i + 1
}

// quotesSQL reports whether a statement begins after the quotation mark at index i.
func (m *masker) quotesSQL(i int) bool {
	j := i + 1
	for j < len(m.s) && classes[m.s[j]]&letter != 0 {
		j++
	}
	if j-i-1 != len("select") {
		return false
	}
	begins, _ := m.statement(i + 1)
	return begins
}

// opens reports whether a mark here stands before something: a quotation mark after a word, as in `can't`, opens none.
func (m *masker) opens() bool {
	return m.space || m.empty() || classes[m.last()]&(delimiter|colon) != 0
}

// closing returns the index after the mark that closes the quotation opened at index i.
func (m *masker) closing(i int) (end int, ok bool) {
	c := m.s[i]
	known := &m.unclosed[quoteIndex(c)]
	// An unsuccessful search covers the rest of the message: without the note of it, `'a 'a 'a` took quadratic time.
	if *known > i {
		return 0, false
	}
	for j := i + 1; j < len(m.s); j++ {
		k := strings.IndexByte(m.s[j:], c)
		if k < 0 {
			break
		}
		j += k
		if m.s[j-1] != '\\' && m.endsWord(j+1) {
			return j + 1, true
		}
	}
	*known = len(m.s)
	return 0, false
}

func quoteIndex(c byte) int {
	switch c {
	case '"':
		return 0
	case '\'':
		return 1
	default:
		return 2
	}
}

// endsWord reports whether no word and no placeholder goes on at index i.
func (m *masker) endsWord(i int) bool {
	if i >= len(m.s) {
		return true
	}
	if m.s[i] == '<' {
		_, _, ok := placeholderAt(m.s, i)
		return !ok
	}
	return classes[m.s[i]]&(letter|wide|digit|sign) == 0
}

func (m *masker) isKey(end int) bool { return end < len(m.s) && m.s[end] == ':' }

func (m *masker) isWhole(end int) bool {
	return m.empty() && strings.TrimRight(m.s[end:], " \t\r\n") == ""
}

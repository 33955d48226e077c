package analyze

import "strings"

const (
	sqlAhead = 1 << 10 // bytes in which a statement must show what it is
	sqlTries = 8       // words of a message that may turn out to begin no statement
)

// SQL in a message is written as databases fingerprint it: in lower case, without comments, values and parameters of any
// kind as placeholders, lists of any length as one. Identifiers stay, short numbers in them too.

// trySQL begins a statement if one begins with the word of six letters at index i. After a few that did not it looks at no
// more.
func (m *masker) trySQL(i int) {
	begins, tried := m.statement(i)
	if begins {
		m.beginSQL(i)
	} else if tried {
		m.tries++
	}
}

// statement reports whether a statement begins with the word of six letters at index i: SELECT … FROM, INSERT INTO, UPDATE …
// SET or DELETE FROM. English that reads like one loses no more than its capitals. tried says that the word is such a verb.
func (m *masker) statement(i int) (begins, tried bool) {
	var verb [6]byte
	for k := range verb {
		verb[k] = m.s[i+k] | 0x20
	}
	ahead := m.s[i+6 : min(len(m.s), i+6+sqlAhead)]
	switch string(verb[:]) {
	case "select":
		return hasWord(ahead, "from"), true
	case "update":
		return hasWord(ahead, "set"), true
	case "insert":
		return beginsWithWord(ahead, "into"), true
	case "delete":
		return beginsWithWord(ahead, "from"), true
	}
	return false, false
}

// hasWord reports whether s has the word, of small letters, between blanks, in any case.
func hasWord(s, word string) bool {
	for i := range len(s) {
		if classes[s[i]] == blank && i+1 < len(s) && classes[s[i+1]] != blank && beginsWithWord(s[i:], word) {
			return true
		}
	}
	return false
}

// beginsWithWord reports whether s begins with blanks and the word, and no more word follows.
func beginsWithWord(s, word string) bool {
	i := 0
	for i < len(s) && classes[s[i]] == blank {
		i++
	}
	rest := s[i:]
	return i > 0 && len(rest) >= len(word) && strings.EqualFold(rest[:len(word)], word) &&
		(len(rest) == len(word) || classes[rest[len(word)]] == blank)
}

// beginSQL begins a statement at index i.
func (m *masker) beginSQL(i int) {
	statement := m.padded[i:len(m.s)]
	for k, c := range statement {
		if c >= 'A' && c <= 'Z' {
			statement[k] = c | 0x20
		}
	}
	m.sql, m.sqlQuote = true, 0
	if i > 0 && classes[m.s[i-1]] == delimiter && m.s[i-1] != '(' {
		m.sqlQuote = m.s[i-1]
	}
}

// inSQL handles what is particular in a statement at index i, and returns the index after what it took, or i.
func (m *masker) inSQL(i int) int {
	rest := m.s[i:]
	apart := m.space || classes[m.last()]&delimiter != 0 // from what was before
	switch c := rest[0]; {
	case c == m.sqlQuote && (c == '"' || c == '\'' || c == '`'):
		m.sql = false
		m.punct(c)
		return i + 1
	case c == '\'':
		m.placeholder(text)
		return i + sqlString(rest)
	case c == '"' || c == '`':
		m.punct(c)
		return i + 1
	case apart && strings.HasPrefix(rest, "/*"):
		m.blank()
		if end := strings.Index(rest[2:], "*/"); end >= 0 {
			return i + end + 4
		}
		return len(m.s)
	case apart && strings.HasPrefix(rest, "--") && (len(rest) == 2 || classes[rest[2]] == blank):
		m.blank()
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			return i + end
		}
		return len(m.s)
	case apart && c == '?':
		m.placeholder(value)
		return i + 1
	case apart && c == '$' && len(rest) > 1 && isDigit(rest[1]):
		m.placeholder(value)
		return i + 1 + digits(rest[1:])
	}
	return i
}

// sqlString returns the length of the string that s begins with; one without an end is all of s.
func sqlString(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		case s[i] == '\'':
			return i + 1
		}
	}
	return len(s)
}

// hasLongNumber reports whether w has a run of four digits or more.
func hasLongNumber(w string) bool {
	run := 0
	for i := range len(w) {
		if run++; !isDigit(w[i]) {
			run = 0
		}
		if run > 3 {
			return true
		}
	}
	return false
}

package analyze

import "strings"

const (
	plain = letter | wide | dash | underscore // a word of nothing else needs no closer look

	maxWord = 256 // longer words with digits or punctuation are data, not language
)

// word handles the word s[i:j]. Its classes are c, those of all its bytes but the last are body. It returns the index after what
// it took.
func (m *masker) word(i, j int, c, body class) int {
	if j-i == len("select") && c&^letter == 0 && !m.sql && m.tries < sqlTries {
		m.trySQL(i)
	}
	if !m.named {
		if c&^plain == 0 {
			return m.plainWord(i, j, c) // or plainRun had taken it
		}
		if end := m.simple(i, j, c); end > i {
			return end
		}
	}
	if c&slash != 0 && c&otherPunct != 0 {
		if end := m.query(i, j, c); end > j {
			j = end
			body = classOf(m.s[i : j-1])
		}
	}
	end := i + bodyLength(m.s[i:j])
	if m.named && end > i && !isParticle(m.s[i:end]) {
		m.placeholder(person)
		m.puncts(m.s[end:j])
		return j
	}
	if end < j {
		if end == j-1 {
			c = body
		} else {
			c = classOf(m.s[i:end])
		}
		if c != 0 && c&^plain == 0 {
			m.plainName(m.s[i:end], c)
			m.literal(m.s[end:j])
			return j
		}
	}
	if counted := m.parts(i, end, c); counted && end == j {
		return m.unit(j)
	}
	m.puncts(m.s[end:j])
	return j
}

// simple handles the word s[i:j], whose classes are c, if it is one of those that most words with digits are, and returns the
// index after what it took, or i: numbers, and names as a whole. It does what parts would do for them.
func (m *masker) simple(i, j int, c class) int {
	w := m.s[i:j]
	first, last := classes[w[0]], classes[w[len(w)-1]]
	switch {
	case len(w) > maxWord:
	case c&^(digit|dot|colon|dash) == 0 && first&last == digit:
		k := number
		if c != digit {
			k = numericKind(w)
		}
		m.placeholder(k)
		if k == address {
			return j
		}
		return m.unit(j)
	case c&^(letter|digit|dash|underscore) == 0 && last != dash && m.last() != '=' && (first&letter != 0 || isUUID(w, c)):
		m.mixed(w, c)
		return j
	}
	return i
}

// bodyLength returns the length of w without the punctuation at its end.
func bodyLength(w string) int {
	n := len(w)
	for n > 0 {
		c := classes[w[n-1]]
		if c&(letter|wide|digit|underscore|slash|backslash|sign) != 0 || w[n-1] == '%' && n > 1 && isDigit(w[n-2]) {
			break
		}
		n--
	}
	return n
}

// query returns the end of the word s[i:j] with the query string that follows it, if it is a location with one: a
// query string holds `=` and other delimiters.
func (m *masker) query(i, j int, c class) int {
	if strings.IndexByte(m.s[i:j], '?') < 0 {
		return j
	}
	if _, n := location(m.s[i:j], c); n == 0 {
		return j
	}
	for j < len(m.s) {
		switch c := m.s[j]; {
		case classes[c]&ends == 0, c == '=', c == ',', c == ';', c == '[', c == ']', c == '|':
			j++
		default:
			return j
		}
	}
	return j
}

// parts masks s[i:end], a word without the punctuation at its end, part by part. counted says that the last part was
// a number, so that a unit may follow.
func (m *masker) parts(i, end int, c class) (counted bool) {
	long := end-i > maxWord
	if long && c&wide == 0 {
		m.placeholder(text)
		return false
	}
	valued := m.last() == '=' && c&digit != 0
	for start := i; i < end; {
		w := m.s[i:end]
		var k kind
		n := 0
		if !long { // or a text without blanks would take quadratic time
			if i > start {
				if c = classOf(w); c == colon|digit && classOf(w[1:]) == digit {
					m.literal(":") // host:port
					m.placeholder(number)
					return true
				}
			}
			k, n = whole(w, c)
		}
		if valued && n < len(w) && !isTypeName(w) {
			k, n = value, len(w)
		}
		valued = false
		if n == 0 {
			var of class
			if n, of = name(w, c); n == 0 {
				m.literal(w[:1])
				i++
				counted = false
				continue
			}
			counted = m.name(w[:n], of)
			i += n
			continue
		}
		if k == address && w[0] == '/' && i > start {
			m.literal("/") // host/address
		}
		m.placeholder(k)
		counted = k == number || k == moment
		i += n
	}
	return counted
}

// name returns the length of the name that w begins with, without dots and dashes at its end, and its classes. A number beside
// a character outside ASCII is a part of its own: languages written without blanks have no other border. all are the classes
// of w, or more.
func name(w string, all class) (n int, c class) {
	last := classes[w[0]]
	if last&(letter|wide|digit|underscore) == 0 && (last != sign || len(w) < 2 || classes[w[1]]&inName&^digit == 0) {
		return 0, 0
	}
	n, c = 1, last
	switch {
	case all&^(inName&^wide) == 0:
		n, c = len(w), all
	case all&wide == 0:
		for ; n < len(w) && classes[w[n]]&inName != 0; n++ {
			c |= classes[w[n]]
		}
	default:
		for ; n < len(w); n++ {
			next := classes[w[n]]
			if next&inName == 0 || last == wide && next&(digit|sign) != 0 || last&(digit|sign) != 0 && next == wide {
				break
			}
			last = next
			c |= next
		}
	}
	if classes[w[n-1]]&(dot|dash) == 0 {
		return n, c
	}
	for n > 1 && classes[w[n-1]]&(dot|dash) != 0 {
		n--
	}
	return n, classOf(w[:n])
}

func nameLength(w string) int {
	n, _ := name(w, unknown)
	return n
}

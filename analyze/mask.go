package analyze

import (
	"github.com/cespare/xxhash/v2"

	"logflume/pipeline"
)

const (
	// ruleVersion enters every id. It changes when the rules do, so that ids made by different rules are never mixed up.
	ruleVersion = 2

	// The ids of stack traces, and of what the caller named, are hashes of another kind.
	traceVersion, namedVersion = ruleVersion | 0x40, ruleVersion | 0x80

	maxMessage = 4 << 10 // bytes of a message that are looked at
)

// A masker turns a message into its pattern: what varies between two messages of one kind becomes a placeholder. It
// goes over the bytes once, keeps nothing from one message to the next, and allocates nothing once its buffers have
// grown.
type masker struct {
	emitter
	padded   []byte // the message, and eight bytes that end every word
	s        string // the message in padded; what a statement begins with is in small letters from there on
	unclosed [3]int // per quotation mark: no closing one lies before this index
	keyEnd   int    // index after a quoted key that is being read
	named    bool   // the next word is the name of a user
	sql      bool   // in a statement
	tries    int    // words that might have begun one
	sqlQuote byte   // the quotation mark around it
	buf      []byte
}

// mask masks message and returns the pattern's id, 0 when nothing is left to name a pattern. appendText gives its text
// until the next call.
func (m *masker) mask(message string) int64 {
	m.reset()
	m.unclosed, m.keyEnd, m.named, m.sql, m.tries = [3]int{}, 0, false, false, 0
	start, cut := bounded(message)
	m.padded = append(append(m.padded[:0], start...), "\x00\x00\x00\x00\x00\x00\x00\x00"...)
	m.s = pipeline.String(m.padded[:len(start)])
	m.scan()
	if cut {
		m.blank()
		m.placeholder(tail)
	}
	if m.empty() {
		return 0
	}
	return idOfHash(xxhash.Sum64(m.out))
}

// called returns the id of what the caller named, and makes the message its text.
func (m *masker) called(fingerprint, message string) int64 {
	m.buf = append(append(m.buf[:0], namedVersion), fingerprint...)
	if m.mask(message) == 0 && m.mask(fingerprint) == 0 {
		m.literal("without a message")
	}
	return idOfHash(xxhash.Sum64(m.buf))
}

// bounded cuts s after maxMessage bytes, at the end of a word when there is one near.
func bounded(s string) (start string, cut bool) {
	if len(s) <= maxMessage {
		return s, false
	}
	for i := maxMessage; i > maxMessage-256; i-- {
		if classes[s[i]] == blank {
			return s[:i], true
		}
	}
	return head(s, maxMessage), true
}

// scan splits the message into words, delimiters and blanks.
func (m *masker) scan() {
	s := m.s
	for i := 0; i < len(s); {
		if s[i] == ' ' {
			m.blank()
			m.named = m.named && m.last() != '=' // `user= uid=0` names nobody
			if i++; i == len(s) {
				return
			}
		}
		if !m.named && classes[s[i]]&plain != 0 {
			if i = m.plainRun(i); i == len(s) {
				return
			}
		}
		if m.sql {
			if j := m.inSQL(i); j > i {
				i = j
				continue
			}
		}
		c := classes[s[i]]
		switch {
		case c == blank:
			m.blank()
			m.named = m.named && m.last() != '='
			i++
		case c == delimiter:
			i = m.delimiter(i)
			m.named = s[i-1] == '=' && m.endsInUserKey()
		default:
			body := class(0) // the class of all but the last byte, which often is punctuation
			j := i + 1
			for ; j < len(s); j++ {
				b := classes[s[j]]
				if b&ends != 0 {
					break
				}
				body = c
				c |= b
			}
			i = m.word(i, j, c, body)
			m.named = s[i-1] == 'r' && m.endsInUser()
		}
	}
}

// delimiter handles the delimiter at index i and returns the index after what it took.
func (m *masker) delimiter(i int) int {
	switch m.s[i] {
	case '"', '\'', '`':
		return m.quote(i)
	case '<':
		if k, end, ok := placeholderAt(m.s, i); ok {
			m.placeholder(k)
			return end
		}
		if m.opens() && m.comparison(i) {
			return i + 1 // `<1 sec` is a number like `1 sec`
		}
	case '[':
		if end, ok := bracketedAddress(m.s, i); ok {
			m.placeholder(address)
			return end
		}
	case ')':
		m.closeParen(!m.sql && m.apart(i+1))
		return i + 1
	}
	m.punct(m.s[i])
	return i + 1
}

// comparison reports whether the '<' at index i belongs to a number, as opposed to opening a bracket.
func (m *masker) comparison(i int) bool {
	j := i + 1
	for j < len(m.s) && (classes[m.s[j]]&(digit|dot)) != 0 {
		j++
	}
	return j > i+1 && isDigit(m.s[i+1]) && (j == len(m.s) || m.s[j] != '>')
}

// apart reports whether the text from index i cannot grow together with a word before it, if need be after one mark of
// punctuation.
func (m *masker) apart(i int) bool {
	if i < len(m.s) {
		switch m.s[i] {
		case '.', ':', '!', '?':
			i++
		}
	}
	if i == len(m.s) {
		return true
	}
	// A '>' could make a placeholder of `<num()>`.
	return classes[m.s[i]]&ends != 0 && m.s[i] != '>' && m.endsWord(i)
}

package analyze

// A class is a set of properties of a byte; the classes of a word's bytes are or-ed together to decide what it is.
type class uint16

const (
	digit class = 1 << iota
	hexLetter
	otherLetter // a letter that is no hex digit
	wide        // part of a character outside ASCII, taken as a letter
	dot
	dash
	underscore
	sign // # and $, which hold the parts of some names together
	colon
	slash
	backslash
	at
	otherPunct
	delimiter // ends a word and stands by itself
	blank     // ends a word and is folded; control characters too

	letter = hexLetter | otherLetter
	inName = letter | wide | digit | dot | dash | underscore | sign // may stand inside a name
	ends   = delimiter | blank

	unknown = ^class(0) // the classes of bytes that may be any
)

// classes tells the class of every byte.
var classes = func() (t [256]class) {
	for c := range t {
		b := byte(c)
		switch {
		case b <= ' ' || b == 0x7f:
			t[c] = blank
		case b >= 0x80:
			t[c] = wide
		case b >= '0' && b <= '9':
			t[c] = digit
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			t[c] = hexLetter
		case b|0x20 >= 'g' && b|0x20 <= 'z':
			t[c] = otherLetter
		default:
			t[c] = otherPunct
		}
	}
	for _, c := range []byte("=,;()[]{}<>|\"'`") {
		t[c] = delimiter
	}
	t['.'], t['-'], t['_'], t['#'], t['$'] = dot, dash, underscore, sign, sign
	t[':'], t['/'], t['\\'], t['@'] = colon, slash, backslash, at
	return t
}()

// classAt returns the class of the byte at index i, blank at the end of s.
func classAt(s string, i int) class {
	if i < len(s) {
		return classes[s[i]]
	}
	return blank
}

// classOf or-s the classes of all bytes of s.
func classOf(s string) (c class) {
	for i := range len(s) {
		c |= classes[s[i]]
	}
	return c
}

func isDigit(c byte) bool { return classes[c] == digit }

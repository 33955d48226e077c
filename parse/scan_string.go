package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// quirks is what stringEnd notices about a string.
type quirks uint8

const (
	escaped       quirks = 1 << iota // has escapes
	odd                              // has U+0000, half a surrogate pair, or bytes that are not UTF-8
	broken                           // not a string of JSON; with the bits above: why
	brokenEscape  = broken | escaped
	brokenControl = broken | odd
)

func (q quirks) reason() string {
	switch q {
	case brokenEscape:
		return badEscape
	case brokenControl:
		return badControl
	}
	return badEnd
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// special marks, with its highest bit, the first of eight bytes that is a quote, a backslash, a control character or
// not ASCII. A later byte may be marked without cause, by a borrow.
func special(x uint64) uint64 {
	quote, backslash := x^('"'*ones), x^('\\'*ones)
	return (x | (x - ' '*ones) | (quote - ones) | (backslash - ones)) & highs
}

// stringEnd returns the position of the quote that ends the string whose body starts at p[i].
func stringEnd(p []byte, i int) (end int, what quirks) {
	for {
		for i+8 <= len(p) {
			if m := special(binary.LittleEndian.Uint64(p[i:])); m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
			i += 8
		}
		if i >= len(p) {
			return i, broken
		}
		switch c := p[i]; {
		case c == '"':
			return i, what
		case c == '\\':
			n, q := escape(p[i:])
			if q >= broken {
				return i, q
			}
			i += n
			what |= q
		case c < ' ':
			return i, brokenControl
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(p[i:])
			if r == utf8.RuneError && n == 1 {
				what |= odd
			}
			i += n
		default: // one of the last seven bytes
			i++
		}
	}
}

// escape checks the escape that p starts with and returns its length.
func escape(p []byte) (n int, what quirks) {
	if len(p) < 2 {
		return 0, broken
	}
	switch p[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, escaped
	case 'u':
	default:
		return 0, brokenEscape
	}
	unit, ok := hex4(p[2:])
	switch {
	case !ok && len(p) < 6:
		return 0, broken
	case !ok:
		return 0, brokenEscape
	case unit == 0:
		return 6, escaped | odd
	case !surrogate(unit):
		return 6, escaped
	case pair(unit, p[6:]) != utf8.RuneError:
		return 12, escaped
	}
	return 6, escaped | odd
}

// hex4 reads the four digits of a \u escape.
func hex4(p []byte) (unit rune, ok bool) {
	if len(p) < 4 {
		return 0, false
	}
	for _, c := range p[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}

func surrogate(unit rune) bool { return unit&^0x7ff == 0xd800 }

// pair joins the surrogate unit with the escape that follows it; utf8.RuneError if they are no pair.
func pair(unit rune, next []byte) rune {
	if unit >= 0xdc00 || len(next) < 6 || next[0] != '\\' || next[1] != 'u' {
		return utf8.RuneError
	}
	low, ok := hex4(next[2:])
	if !ok || low&^0x3ff != 0xdc00 {
		return utf8.RuneError
	}
	return 0x10000 + (unit-0xd800)<<10 + (low - 0xdc00)
}

// unescape appends the text that the body of a string stands for. What the scanner calls odd becomes U+FFFD.
func unescape(dst, body []byte) []byte {
	for i := 0; i < len(body); {
		if body[i] != '\\' {
			n := bytes.IndexByte(body[i:], '\\')
			if n < 0 {
				return append(dst, body[i:]...)
			}
			dst = append(dst, body[i:i+n]...)
			i += n
		}
		c := body[i+1]
		if c == 'u' {
			unit, _ := hex4(body[i+2:])
			i += 6
			if surrogate(unit) {
				if unit = pair(unit, body[i:]); unit != utf8.RuneError {
					i += 6
				}
			}
			if unit == 0 {
				unit = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, unit)
			continue
		}
		dst = append(dst, plainEscape(c))
		i += 2
	}
	return dst
}

func plainEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

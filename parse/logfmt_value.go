package parse

import "unicode/utf8"

// appendBareValue appends a value without quotes: true, false, null, Go's <nil>, a number, or a text. Numbers with an
// exponent are texts, since most that look like one are ids.
func appendBareValue(dst, word []byte) []byte {
	switch string(word) {
	case "true", "false", "null":
		return append(dst, word...)
	case "<nil>":
		return append(dst, "null"...)
	}
	if isPlainNumber(word) {
		return append(dst, word...)
	}
	return appendText(dst, word)
}

// isPlainNumber reports whether word is a number of JSON, without exponent, that can be stored as one.
func isPlainNumber(word []byte) bool {
	if len(word) == 0 || len(word) > maxDigits {
		return false
	}
	i := 0
	if word[0] == '-' {
		i++
	}
	start := i
	i = digitsEnd(word, i)
	if i == start || word[start] == '0' && i > start+1 {
		return false
	}
	if i < len(word) && word[i] == '.' {
		fraction := i + 1
		if i = digitsEnd(word, fraction); i == fraction {
			return false
		}
	}
	return i == len(word)
}

// appendQuotedValue appends the value whose body starts at line[i] and returns the position behind its closing quote,
// -1 if there is none or something follows it at once. Escapes are those of JSON and of Go's %q; other backslashes stand
// for themselves, as in paths that nobody escaped.
func (p *parser) appendQuotedValue(dst, line []byte, i int) (out []byte, end int) {
	out = append(dst, '"')
	for start := i; i < len(line); {
		switch c := line[i]; {
		case c == '"':
			out = append(append(out, line[start:i]...), '"')
			if i++; i < len(line) && !isBlank(line[i]) {
				return out, -1
			}
			return out, i
		case c == '\\':
			n := jsonEscape(line[i:])
			if n == 0 {
				out = append(out, line[start:i]...)
				out, n = p.appendEscape(out, line[i:])
				start = i + n
			}
			i += n
		case c < ' ':
			out = appendControl(append(out, line[start:i]...), c)
			i++
			start = i
		default:
			i++
		}
	}
	return out, -1
}

// jsonEscape returns the length of the escape that s starts with, 0 if JSON has none like it.
func jsonEscape(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(s[2:]); ok {
			return 6
		}
	}
	return 0
}

// appendEscape appends what an escape of Go that JSON lacks stands for, else the backslash, and returns its length.
func (p *parser) appendEscape(dst, s []byte) (out []byte, n int) {
	if len(s) < 2 {
		return dst, 1 // the line ends here, without a quote
	}
	var digits int
	switch s[1] {
	case 'a':
		return appendControl(dst, '\a'), 2
	case 'v':
		return appendControl(dst, '\v'), 2
	case '\'':
		return append(dst, '\''), 2
	case 'x':
		digits = 2
	case 'U':
		digits = 8
	}
	r, ok := hexRune(s[2:], digits)
	switch {
	case !ok:
		return append(dst, `\\`...), 1
	case r < utf8.RuneSelf:
		return appendControl(dst, byte(r)), 2 + digits
	case digits == 2 || !utf8.ValidRune(r): // a byte that is not UTF-8, half a surrogate pair
		p.changed = true
		return append(dst, replacement...), 2 + digits
	}
	return utf8.AppendRune(dst, r), 2 + digits
}

// hexRune reads so many hexadecimal digits; none are no number.
func hexRune(s []byte, digits int) (r rune, ok bool) {
	if digits == 0 || len(s) < digits {
		return 0, false
	}
	if digits == 2 {
		s = []byte{'0', '0', s[0], s[1]}
	}
	high, ok := hex4(s)
	if !ok || digits == 2 {
		return high, ok
	}
	low, ok := hex4(s[4:])
	if high > utf8.MaxRune>>16 {
		return utf8.MaxRune + 1, ok
	}
	return high<<16 | low, ok
}

// appendControl appends the escape of an ASCII character.
func appendControl(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

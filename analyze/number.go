package analyze

import "strings"

// numeric recognises what consists of digits and punctuation only: numbers, dates, times, addresses, versions.
func numeric(w string) (k kind, n int) {
	i := 0
	for i < len(w) && (w[i] == '-' || w[i] == '+' || w[i] == '.' || w[i] == '~') && i < 2 {
		i++
	}
	if i == len(w) || !isDigit(w[i]) {
		return 0, 0
	}
	n = len(w)
	for !isDigit(w[n-1]) && w[n-1] != '%' {
		n--
	}
	return numericKind(w[i:n]), n
}

// numericKind names what s, digits and punctuation, looks like.
func numericKind(s string) kind {
	n := uint64(0)
	for i := range len(s) {
		n += counted[s[i]]
	}
	dots, colons, dashes, slashes := n&0xffff, n>>16&0xffff, n>>32&0xffff, n>>48
	switch {
	case dots == 3 && colons <= 1:
		return address
	case colons > 0 && strings.IndexByte(s, ':') <= 2:
		return moment
	case colons == 0 && (dashes == 2 || slashes == 2):
		return moment
	}
	return number
}

// counted counts four kinds of bytes with one addition per byte, in 16 bits each: s has no more than maxMessage bytes.
var counted = [256]uint64{'.': 1, ':': 1 << 16, '-': 1 << 32, '/': 1 << 48}

// timestamp returns the length of the time with letters that w begins with (2024-12-25T10:20:30Z), or 0.
func timestamp(w string) int {
	if !isDigit(w[0]) || len(w) < len("000000Z") {
		return 0
	}
	n, digits, letters := 0, 0, 0
	for n < len(w) {
		switch c := w[n]; {
		case isDigit(c):
			digits++
		case c == 'T' || c == 'Z' || c == 't' || c == 'z':
			letters++
		case c == ':' || c == '.' || c == '-' || c == '+':
		default:
			if classes[c]&(letter|wide|underscore) != 0 {
				return 0
			}
			return timeLength(w, n, digits, letters)
		}
		n++
	}
	return timeLength(w, n, digits, letters)
}

func timeLength(w string, n, digits, letters int) int {
	for n > 0 && classes[w[n-1]]&(digit|letter) == 0 {
		n--
	}
	if digits < 6 || letters == 0 || letters > 2 {
		return 0
	}
	return n
}

// quantity returns the length of the number with its units or exponent that w begins with, or 0: 12ms, 3h5m6s43ms, 1e9,
// 2nd, -10k.
func quantity(w string) int {
	n, units := 0, 0
	if w[0] == '-' || w[0] == '+' {
		n++
	} else if !isDigit(w[0]) {
		return 0
	}
	for n < len(w) {
		d := digits(w[n:])
		if d == 0 {
			break
		}
		u := unitLength(w[n+d:])
		units += u
		n += d + u
	}
	if units == 0 || n < len(w) && classes[w[n]]&inName != 0 {
		return 0
	}
	return n
}

// digits returns the length of the unsigned decimal number that w begins with.
func digits(w string) (n int) {
	for n < len(w) && (isDigit(w[n]) || w[n] == '.' && n > 0 && n+1 < len(w) && isDigit(w[n+1])) {
		n++
	}
	return n
}

// unitLength returns the length of the unit or exponent that w begins with, or 0.
func unitLength(w string) int {
	if len(w) > 1 && w[0]|0x20 == 'e' {
		n := 1
		if w[1] == '-' || w[1] == '+' {
			n++
		}
		if d := digits(w[n:]); d > 0 {
			return n + d
		}
	}
	n := 0
	for n < len(w) && classes[w[n]]&letter != 0 {
		n++
	}
	if n == 0 && (strings.HasPrefix(w, "µs") || strings.HasPrefix(w, "μs")) {
		return len("µs")
	}
	if n > 0 && (isUnit(w[:n], eight(w, 0)) || isSuffix(w[:n])) {
		return n
	}
	return 0
}

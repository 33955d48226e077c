package analyze

import "strings"

// name masks a name: letters, digits, dots, dashes and underscores; c are its classes. counted says that it was a number.
func (m *masker) name(w string, c class) (counted bool) {
	switch {
	case c&(letter|wide) == 0 && c&digit != 0:
		m.placeholder(number)
		return true
	case c&^plain == 0:
		m.plainName(w, c)
	case c&digit == 0:
		m.dotted(w, c)
	default:
		m.mixed(w, c)
	}
	return false
}

// dotted masks a name with dots and no digits: a host or a qualified name.
func (m *masker) dotted(w string, c class) {
	switch {
	case c&dot == 0 || isTypeName(w):
		m.literal(w)
	case isQualified(w) || hasKnownEnding(w):
		m.placeholder(host)
	default:
		m.literal(w)
	}
}

// mixed masks a name that has letters and digits.
func (m *masker) mixed(w string, c class) {
	switch {
	case isUUID(w, c):
		m.placeholder(uuid)
	case isHex(w, c):
		m.placeholder(hexNumber)
	case isTerm(w) || isTypeName(w):
		m.literal(w)
	case c&dot != 0 && isQualified(w) && isDigit(w[len(w)-1]):
		m.placeholder(identifier) // a version: libc.so.6, v1.2.3
	case c&dot != 0 && (isQualified(w) || hasKnownEnding(w)):
		m.placeholder(host)
	default:
		m.numbered(w)
	}
}

// numbered masks a name with digits. One short number leaves the name readable (eth0 is eth#); more than that make an
// identifier of it.
func (m *masker) numbered(w string) {
	if m.sql && !hasLongNumber(w) {
		m.literal(w)
		return
	}
	first, length, runs := 0, 0, 0
	for i := 0; i < len(w); i++ {
		if !isDigit(w[i]) {
			continue
		}
		start := i
		for i < len(w) && isDigit(w[i]) {
			i++
		}
		runs++
		first, length = start, i-start
		if runs > 1 || length > 3 {
			m.placeholder(identifier)
			return
		}
	}
	m.literal(w[:first])
	m.literal("#")
	m.literal(w[first+length:])
}

// isHex reports whether w, whose classes are c, is a hexadecimal number: 0x and digits, or at least four digits of
// which some are letters and some not.
func isHex(w string, c class) bool {
	if len(w) > 2 && w[0] == '0' && w[1]|0x20 == 'x' {
		return classOf(w[2:])&^(digit|hexLetter|underscore) == 0
	}
	return len(w) >= 4 && c == digit|hexLetter && !isTerm(w)
}

// isUUID reports whether w, whose classes are c, is 8-4-4-4-12 hex digits, some of them letters.
func isUUID(w string, c class) bool {
	return c == digit|hexLetter|dash && len(w) == 36 && w[8] == '-' && w[13] == '-' && w[18] == '-' && w[23] == '-' &&
		strings.Count(w, "-") == 4
}

// isTypeName reports whether w ends like the type of an error. The type is the message, whatever comes before it.
func isTypeName(w string) bool {
	if len(w) < len("Error") {
		return false
	}
	switch w[len(w)-1] {
	case 'n':
		return strings.HasSuffix(w, "Exception")
	case 'r':
		return strings.HasSuffix(w, "Error")
	case 'e':
		return strings.HasSuffix(w, "Throwable")
	case 't':
		return strings.HasSuffix(w, "Fault")
	case 'c':
		return strings.HasSuffix(w, "Panic")
	case 'g':
		return strings.HasSuffix(w, "Warning")
	}
	return false
}

// isQualified reports whether w is a dotted name of three parts or more, none empty.
func isQualified(w string) bool {
	dots, longest, run := 0, 0, 0
	for i := range len(w) {
		if w[i] != '.' {
			run++
			longest = max(longest, run)
			continue
		}
		if run == 0 {
			return false
		}
		dots++
		run = 0
	}
	return dots > 1 && run > 0 && longest > 1
}

// hasKnownEnding reports whether w is a host name by its last part.
func hasKnownEnding(w string) bool {
	i := strings.LastIndexByte(w, '.')
	if i <= 0 {
		return false
	}
	switch w[i+1:] {
	case "com", "org", "net", "edu", "gov", "internal", "lan", // and countries that are no endings of source files
		"at", "au", "br", "ca", "ch", "cn", "de", "eu", "fr", "jp", "kr", "nl", "ru", "se", "uk":
		return true
	}
	return false
}

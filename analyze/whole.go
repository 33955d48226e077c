package analyze

import "strings"

// whole recognises what is made of several parts: locations, numbers, addresses, times. It returns how many bytes of w,
// whose classes are c, belong to it, 0 when w begins with nothing of the kind.
func whole(w string, c class) (k kind, n int) {
	if c&slash != 0 || c&backslash != 0 {
		if k, n = location(w, c); n > 0 {
			return k, n
		}
	}
	if c&digit != 0 {
		if c&(letter|wide) == 0 {
			if k, n = numeric(w); n > 0 {
				return k, n
			}
		} else if n = timestamp(w); n > 0 {
			return moment, n
		} else if n = quantity(w); n > 0 {
			return number, n
		}
	}
	if c&colon != 0 {
		if n = hexAddress(w); n > 0 {
			return address, n
		}
	}
	if c&at != 0 {
		return email, mailbox(w)
	}
	return 0, 0
}

// location recognises URLs, paths and an address behind a slash as Java writes it.
func location(w string, c class) (k kind, n int) {
	if c&slash != 0 && c&colon != 0 {
		if i := strings.Index(w, "://"); i > 0 && nameLength(w) == i {
			return url, len(w)
		}
	}
	switch {
	case w[0] == '/':
		if c&(letter|wide) == 0 {
			if k, n := numeric(w[1:]); k == address && n > 0 {
				return address, n + 1
			}
		}
		if c&(letter|wide|digit) != 0 && strings.IndexByte(w[1:], '/') >= 0 {
			return path, len(w)
		}
	case c&(letter|wide) == 0:
	case hasDrive(w), strings.HasPrefix(w, "./"), strings.HasPrefix(w, "../"), strings.HasPrefix(w, "~/"):
		return path, len(w)
	case w[0] == '\\':
		if strings.Count(w, `\`) > 2 {
			return path, len(w)
		}
	case classes[w[0]]&(letter|wide|digit|dot|underscore) != 0:
		i := strings.IndexByte(w, '/')
		if i > 0 && strings.IndexByte(w[i+1:], '/') >= 0 && strings.IndexByte(w[:i], ':') < 0 {
			return path, len(w)
		}
	}
	return 0, 0
}

func hasDrive(w string) bool {
	return len(w) > 3 && classes[w[0]]&letter != 0 && w[1] == ':' && (w[2] == '\\' || w[2] == '/' && w[3] != '/')
}

// mailbox returns the length of the mail address that w begins with, or 0.
func mailbox(w string) int {
	i := strings.IndexByte(w, '@')
	for j := range max(i, 0) {
		if c := classes[w[j]]; c&inName == 0 && w[j] != '+' {
			return 0
		}
	}
	if i <= 0 || i == len(w)-1 {
		return 0
	}
	domain := w[i+1:]
	n := nameLength(domain)
	for n > 0 && classes[domain[n-1]]&(letter|wide|digit) == 0 {
		n--
	}
	if strings.IndexByte(domain[:n], '.') < 0 {
		return 0
	}
	return i + 1 + n
}

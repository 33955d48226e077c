package parse

import (
	"strings"
	"unicode/utf8"

	"logflume/pipeline"
)

// Routes stand for many paths: what differs from request to request is masked, so that there are few of them.
//
//	/users/123?tab=2                             /users/{n}
//	/orders/3f2504e0-4f89-11d3-9a0c-0305e82c3301 /orders/{uuid}
//	/static/app.3f9a8b7c.js                      /static/app.{hex}.js
//	/pay/cus_9s6XKzkNRiz8i3                      /pay/cus_{id}
//	/mail/alice@example.com                      /mail/{email}
//	https://example.com/v1/users/me              /v1/users/me
//
// A segment is split at punctuation and each part judged alone: digits are {n}, hexadecimal digits from 8 on with a
// decimal one among them {hex}, letters and digits from 12 on with two digits or more {id}. Versions such as v2 or v1.3
// stay.
const (
	minHex = 8
	minID  = 12
)

// route returns path as a route. Masked routes are appended to dst; if nothing is to be masked, a part of path is
// returned instead and dst stays as it is.
func route(dst []byte, path string) (out []byte, r string) {
	i := 0
	for i < len(path) && !telling[path[i]] {
		i++
	}
	if i == len(path) {
		return dst, path
	}
	m := masking{path: pathOf(path, i), out: dst}
	for i := 0; i < len(m.path); {
		end, suspicious := i, false
		for end < len(m.path) && m.path[end] != '/' {
			suspicious = suspicious || telling[m.path[end]]
			end++
		}
		if suspicious {
			m.segment(i, end)
		}
		i = end + 1
	}
	if m.done == 0 {
		return dst, m.path
	}
	out = append(m.out, m.path[m.done:]...)
	return out, pipeline.String(out[len(dst):])
}

// telling holds the bytes without one of which a path is a route already.
var telling = [256]bool{
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'@': true, ':': true, '?': true, '#': true, ';': true,
}

// pathOf cuts scheme and host, query, fragment and matrix parameters. The first telling byte of s is s[i].
func pathOf(s string, i int) string {
	rooted := s[0] == '/'
	if !rooted && i > 0 && strings.HasPrefix(s[i:], "://") {
		s = s[i+3:]
		if i = strings.IndexByte(s, '/'); i < 0 {
			return "/"
		}
		s, i, rooted = s[i:], 0, true
	}
	for ; i < len(s); i++ {
		if c := s[i]; c == '?' || rooted && (c == '#' || c == ';') { // elsewhere it may be users#show
			return s[:i]
		}
	}
	return s
}

// A masking copies a path, with masks in it.
type masking struct {
	path string
	done int // how much of path is in out
	out  []byte
}

// mask puts name in the place of path[start:end].
func (m *masking) mask(start, end int, name string) {
	m.out = append(append(m.out, m.path[m.done:start]...), name...)
	m.done = end
}

// segment masks what it must between two slashes.
func (m *masking) segment(start, end int) {
	s := m.path[start:end]
	switch {
	case s[0] == '{' || s[0] == '<' || s[0] == ':' || version(s):
		return
	case isUUID(s):
		m.mask(start, end, "{uuid}")
		return
	case isEmail(s):
		m.mask(start, end, "{email}")
		return
	}
	for i := start; i < end; {
		part := i
		for i < end && wordByte(m.path[i]) {
			i++
		}
		if name := maskOf(m.path[part:i]); name != "" {
			m.mask(part, i, name)
		}
		i++
	}
}

// maskOf returns what stands for a part without punctuation, "" if it stands for itself.
func maskOf(part string) string {
	digits, hex := 0, 0
	for i := 0; i < len(part); i++ {
		switch c := part[i]; {
		case c-'0' <= 9:
			digits++
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			hex++
		case c >= utf8.RuneSelf:
			return ""
		}
	}
	switch {
	case digits == 0:
		return ""
	case digits == len(part):
		return "{n}"
	case digits+hex == len(part) && len(part) >= minHex:
		return "{hex}"
	case digits >= 2 && len(part) >= minID:
		return "{id}"
	}
	return ""
}

func wordByte(c byte) bool {
	return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf
}

// version reports whether s is v and numbers: v1, v2.3.
func version(s string) bool {
	if len(s) < 2 || s[0]|0x20 != 'v' || s[1]-'0' > 9 || len(s) > 8 {
		return false
	}
	for i := 2; i < len(s); i++ {
		if s[i]-'0' > 9 && s[i] != '.' {
			return false
		}
	}
	return true
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

func isEmail(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && strings.IndexByte(s[at:], '.') > 1
}

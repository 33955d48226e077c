package parse

import (
	"bytes"
	"unicode/utf8"
)

// A repairer rewrites an object that the scanner found odd into one that jsonb takes:
//
//   - U+0000, halves of surrogate pairs and runs of bytes that are not UTF-8 become U+FFFD;
//   - numbers beyond the limits of scan_number.go, and whatever lies deeper than maxDepth, become strings;
//   - members beyond the limits of scan.go move into one string under the key _overflow.
//
// Everything else is copied byte for byte. It relies on the object having been scanned: the grammar is right.
type repairer struct {
	scan     scanner // finds the ends of values
	out      []byte
	overflow []byte // members without a place, separated by commas
	keys     int    // written so far, at all levels
}

var replacement = []byte("\uFFFD")

// object appends the repaired form of object to dst. Nothing in object may alias dst.
func (r *repairer) object(dst, object []byte) []byte {
	r.out, r.overflow, r.keys = dst, r.overflow[:0], 0
	r.members(object, 0, 1)
	if len(r.overflow) > 0 {
		r.out = r.out[:len(r.out)-1]
		if r.keys > 0 {
			r.out = append(r.out, ',')
		}
		r.out = append(r.out, `"_overflow":`...)
		r.out = appendQuoted(r.out, r.overflow)
		r.out = append(r.out, '}')
	}
	out := r.out
	r.out = nil
	return out
}

// members writes the object at p[i], which has the given depth, and returns the position behind it.
func (r *repairer) members(p []byte, i, depth int) int {
	r.out = append(r.out, '{')
	i = skipBlank(p, i+1)
	for written := 0; p[i] != '}'; {
		keyEnd, _ := stringEnd(p, i+1)
		start, _ := colon(p, keyEnd+1)
		if r.fits(keyEnd-i-1, written, depth) {
			if written > 0 {
				r.out = append(r.out, ',')
			}
			written++
			r.keys++
			r.text(p[i : keyEnd+1])
			r.out = append(r.out, ':')
			start = r.value(p, start, depth)
		} else {
			start, _, _ = r.scan.value(p, start)
			if len(r.overflow) > 0 {
				r.overflow = append(r.overflow, ',')
			}
			r.overflow = append(r.overflow, p[i:start]...)
		}
		if i = skipBlank(p, start); p[i] == ',' {
			i = skipBlank(p, i+1)
		}
	}
	r.out = append(r.out, '}')
	return i + 1
}

// fits reports whether a key may stand in an object of that depth with so many members.
func (r *repairer) fits(length, members, depth int) bool {
	return length <= maxKeyLength && r.keys < maxKeys && (depth > 1 || members < maxMembers)
}

// value writes the value at p[i] inside a container of the given depth.
func (r *repairer) value(p []byte, i, depth int) (end int) {
	switch p[i] {
	case '{', '[':
		if depth >= maxDepth {
			end, _, _ = r.scan.value(p, i)
			r.out = appendQuoted(r.out, p[i:end])
			return end
		}
		if p[i] == '{' {
			return r.members(p, i, depth+1)
		}
		return r.elements(p, i, depth+1)
	case '"':
		end, _ = stringEnd(p, i+1)
		r.text(p[i : end+1])
		return end + 1
	}
	r.scan.odd = false
	end, _, _ = r.scan.value(p, i)
	if r.scan.odd {
		r.out = append(r.out, '"')
		r.out = append(r.out, p[i:end]...)
		r.out = append(r.out, '"')
	} else {
		r.out = append(r.out, p[i:end]...)
	}
	return end
}

func (r *repairer) elements(p []byte, i, depth int) int {
	r.out = append(r.out, '[')
	i = skipBlank(p, i+1)
	for first := true; p[i] != ']'; first = false {
		if !first {
			r.out = append(r.out, ',')
		}
		i = skipBlank(p, r.value(p, i, depth))
		if p[i] == ',' {
			i = skipBlank(p, i+1)
		}
	}
	r.out = append(r.out, ']')
	return i + 1
}

// text writes a string, its quotes included, with escapes as they are unless they stand for what jsonb refuses.
func (r *repairer) text(quoted []byte) {
	start := 0
	for i := 0; i < len(quoted); {
		n, bad := 1, false
		switch c := quoted[i]; {
		case c == '\\':
			var what quirks
			n, what = escape(quoted[i:])
			bad = what&odd != 0
		case c >= utf8.RuneSelf:
			n, bad = notUTF8(quoted[i:])
		}
		if bad {
			r.out = append(r.out, quoted[start:i]...)
			r.out = append(r.out, replacement...)
			start = i + n
		}
		i += n
	}
	r.out = append(r.out, quoted[start:]...)
}

// notUTF8 returns the length of the character that p starts with, or of the run of bytes that are none.
func notUTF8(p []byte) (n int, bad bool) {
	for n < len(p) {
		r, size := utf8.DecodeRune(p[n:])
		if r != utf8.RuneError || size != 1 {
			if n == 0 {
				return size, false
			}
			break
		}
		n++
	}
	return n, true
}

// appendQuoted appends text as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	return appendText(dst, bytes.ToValidUTF8(text, replacement))
}

// appendText appends text, which is UTF-8, as a JSON string.
func appendText(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		if c < ' ' {
			dst = appendControl(dst, c)
		} else {
			dst = append(dst, '\\', c)
		}
	}
	return append(append(dst, text[start:]...), '"')
}

package analyze

import (
	"bytes"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// maxSlots bounds the words and marks of a text that are looked at; what lies beyond is never a hole.
const maxSlots = 64

// A slot is a word or a mark of a masked text: text[start:end].
type slot struct {
	start, end int32
	role       role
}

type role byte

const (
	marked  role = iota // a placeholder
	fixed               // a word that says what happened, or names a value
	varying             // a word that may turn out to be a value
)

// slotsOf appends the slots of text, a masked text with marks, to dst. A text and the same text with a varying word
// replaced by a mark have as many slots, in the same places.
func slotsOf(dst []slot, text []byte) []slot {
	for i := 0; i < len(text) && len(dst) < maxSlots; {
		switch {
		case text[i] == mark:
			dst = append(dst, slot{int32(i), int32(i + 1), marked})
			i++
		case classes[text[i]]&ends != 0:
			i++
		default:
			j := i + 1
			for j < len(text) && classes[text[j]]&ends == 0 {
				j++
			}
			if s, ok := wordSlot(text, i, j); ok {
				dst = append(dst, s)
			}
			i = j
		}
	}
	return dst
}

// wordSlot returns the slot of the word text[i:j] without the punctuation around it, if it has letters.
func wordSlot(text []byte, i, j int) (slot, bool) {
	for i < j && classes[text[i]]&inName == 0 {
		i++
	}
	for i < j && classes[text[j-1]]&(letter|wide|digit|underscore|sign) == 0 {
		j--
	}
	word := text[i:j]
	var c class
	for _, b := range word {
		c |= classes[b]
	}
	if c&(letter|wide) == 0 {
		return slot{}, false
	}
	s := slot{int32(i), int32(j), varying}
	if i > 0 && text[i-1] == mark || j < len(text) && text[j] == mark || len(word) > maxWord || j < len(text) && text[j] == '=' || namesEvent(word) {
		s.role = fixed
	}
	return s, true
}

// namesEvent reports whether a word tells events apart, however many others stand in its place: a participle, a state, a
// constant in capitals.
func namesEvent(w []byte) bool {
	n := len(w)
	if n > 4 && (string(w[n-2:]) == "ed" || string(w[n-3:]) == "ing") {
		return true
	}
	capitals := 0
	for _, b := range w {
		if b >= 'A' && b <= 'Z' || b == '_' {
			capitals++
		}
	}
	if capitals == n && n > 1 || isTypeName(string(w)) {
		return true
	}
	switch string(w) {
	case "up", "down", "on", "off", "in", "out", "to", "from", "for", "of", "by", "at", "with", "is", "was", "not", "no", "and", "or",
		"success", "failure", "error", "start", "stop", "begin", "end", "open", "close", "read", "write", "connect", "disconnect",
		"add", "remove", "create", "delete", "update", "insert", "enable", "disable", "enter", "exit", "enters", "exits",
		"send", "receive", "input", "output", "valid", "invalid", "known", "unknown", "new", "old", "first", "last",
		"accept", "reject", "allow", "deny", "grant", "revoke", "lock", "unlock", "login", "logout", "get", "set", "put", "true", "false":
		return true
	}
	return false
}

// A need says how many distinct words make a hole of a place, and how many suffice if the text with a placeholder there
// has been seen by itself, so that a value is known to have stood there. 0 stands for never.
type need struct{ words, withTwin uint8 }

const leastWords = 4 // that a place needs

// needed returns what slot i needs: the less else a text says, the more.
func needed(text []byte, slots []slot, i int) need {
	others := 0
	for j, s := range slots {
		if j != i && s.role != marked {
			others++
		}
	}
	var n need
	switch others {
	case 0, 1:
		return need{}
	case 2:
		n = need{12, 6}
	case 3:
		n = need{8, 4}
	case 4:
		n = need{6, 2}
	default:
		n = need{leastWords, 1}
	}
	if i == 0 || i < 3 && int(slots[i].end) < len(text) && text[slots[i].end] == ':' {
		n.words *= 4 // what a message begins with is what it is about
		n.withTwin *= 2
	}
	return n
}

// appendHole appends text with a mark in place of slot s.
func appendHole(dst, text []byte, s slot) []byte {
	dst = append(dst, text[:s.start]...)
	dst = append(dst, mark)
	return append(dst, text[s.end:]...)
}

// idOf returns the id of a text with marks that the rules of that version made.
func idOf(version byte, text []byte) int64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write([]byte{version}) // it never fails
	_, _ = d.Write(text)
	return idOfHash(d.Sum64())
}

// idOfHash makes an id of a hash; 0 is the id of no pattern.
func idOfHash(h uint64) int64 {
	if h == 0 {
		return 1
	}
	return int64(h)
}

// parsePattern takes apart a pattern as people read it: the text with marks for placeholders, and their kinds.
func parsePattern(pattern string) (text []byte, kinds []kind) {
	text = make([]byte, 0, len(pattern))
	for i := 0; i < len(pattern); {
		if pattern[i] == '<' {
			if k, end, ok := placeholderAt(pattern, i); ok {
				text, kinds, i = append(text, mark), append(kinds, k), end
				continue
			}
		}
		text = append(text, pattern[i])
		i++
	}
	return text, kinds
}

// appendPattern appends a text with marks of those kinds as people read it.
func appendPattern(dst, text []byte, kinds []kind) []byte {
	for _, k := range kinds {
		i := bytes.IndexByte(text, mark)
		p := &placeholders[k]
		n := len(dst) + i + p.length
		dst = binary.LittleEndian.AppendUint64(append(dst, text[:i]...), p.name)[:n]
		text = text[i+1:]
	}
	return append(dst, text...)
}

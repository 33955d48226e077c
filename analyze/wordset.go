package analyze

import "strings"

// A wordSet holds words in any case, told by their first eight bytes: no text compares as fast as an integer. They hold no
// control characters, nor do the words that are looked up, so that or-ing 0x20 to every byte mistakes none.
type wordSet [256]uint64

func setOf(words string) (t wordSet) {
	for w := range strings.FieldsSeq(words) {
		key := wordKey(eight(w, 0), len(w))
		i := slotOf(key)
		for t[i] != 0 {
			i++
		}
		t[i] = key
	}
	return t
}

// wordKey makes a key of a word of n > 0 bytes; x are the first eight from where it begins.
func wordKey(x uint64, n int) uint64 {
	x |= small
	if n < 8 {
		x <<= uint(64-8*n) & 63
	}
	return x
}

func slotOf(key uint64) uint8 { return uint8(key * 0x9e3779b97f4a7c15 >> 56) }

// has reports whether the word of that key is in the set, or begins with the first eight bytes of one that is longer.
func (t *wordSet) has(key uint64) bool {
	for i := slotOf(key); t[i] != 0; i++ {
		if t[i] == key {
			return true
		}
	}
	return false
}

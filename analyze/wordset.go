package analyze

import "strings"

// A wordSet holds words in any case, told by their first eight bytes: no text compares as fast as an integer. They hold no
// control characters, nor do the words that are looked up, so that or-ing 0x20 to every byte mistakes none.
type wordSet [256]uint64

func setOf(words string) (t wordSet) {
	for w := range strings.FieldsSeq(words) {
		key := wordKey(eight(w, 0), len(w))
		h := key * wordHash >> 56
		for t[h] != 0 && t[h] != key {
			h = (h + 1) % 256
		}
		t[h] = key
	}
	return t
}

const wordHash = 0x9e3779b97f4a7c15 // 2^64 / golden ratio

// wordKey makes a key of the first eight bytes of a word of n > 0 bytes; what of x lies beyond the word does not count.
func wordKey(x uint64, n int) uint64 { return (x | small) << (64 - 8*uint(min(n, 8))) }

// has reports whether the word of that key is in the set, or begins with the first eight bytes of one that is longer.
func (t *wordSet) has(key uint64) bool {
	h := key * wordHash >> 56
	for t[h] != 0 {
		if t[h] == key {
			return true
		}
		h = (h + 1) % 256
	}
	return false
}

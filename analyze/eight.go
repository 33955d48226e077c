package analyze

import (
	"encoding/binary"
	"math/bits"
)

// Eight bytes at a time: the byte that comes first in the text is the lowest of the word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
	small = 0x20 * ones // or-ed to letters it makes small ones of them
)

// load returns the eight bytes of b from index i on.
func load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8]) }

// eight returns the eight bytes of s from index i on, with zeros for what lies beyond its end.
func eight(s string, i int) uint64 {
	if i+8 <= len(s) {
		return binary.LittleEndian.Uint64([]byte(s[i : i+8]))
	}
	return beyond(s, i)
}

// beyond is eight where less than eight bytes are left.
func beyond(s string, i int) uint64 {
	s = s[i:]
	n := len(s)
	switch {
	case n >= 4:
		first, last := []byte(s[:4]), []byte(s[n-4:])
		return uint64(binary.LittleEndian.Uint32(first)) | uint64(binary.LittleEndian.Uint32(last))<<(uint(n-4)*8&63)
	case n > 0:
		return uint64(s[0]) | uint64(s[n/2])<<(uint(n/2)*8&63) | uint64(s[n-1])<<(uint(n-1)*8&63)
	}
	return 0
}

// otherThanLetters has the top bit of every byte that is no ASCII letter.
func otherThanLetters(x uint64) uint64 {
	x |= small
	low := x &^ highs // so that no byte borrows from the next, or carries into it
	return ((0x7f+'a')*ones - low | (low + (0x7f-'z')*ones) | x) & highs
}

// leadingLetters returns how many of the eight bytes, from the first on, are ASCII letters.
func leadingLetters(x uint64) int { return bits.TrailingZeros64(otherThanLetters(x)) / 8 }

// mayBeHex reports whether eight bytes are hex digits, provided that they are letters.
func mayBeHex(x uint64) bool {
	return ((x|small)&^highs+(0x7f-'f')*ones)&highs == 0
}

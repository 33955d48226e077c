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

// eight returns the eight bytes of s from index i on, with zeros for what lies beyond its end.
func eight(s string, i int) uint64 {
	if i+8 <= len(s) {
		return binary.LittleEndian.Uint64([]byte(s[i : i+8]))
	}
	return beyond(s, i)
}

// beyond is eight where less than eight bytes are left.
func beyond(s string, i int) uint64 {
	if n := len(s) - 8; n >= 0 {
		return eight(s, n) >> (8 * uint(i-n))
	}
	x := uint64(0)
	for j := len(s) - 1; j >= i; j-- {
		x = x<<8 | uint64(s[j])
	}
	return x
}

// leadingLetters returns how many of the eight bytes, from the first on, are ASCII letters.
func leadingLetters(x uint64) int {
	x |= small
	low := x &^ highs // no byte carries into the next
	mask := (low + (0x80-'a')*ones) &^ (low + (0x7f-'z')*ones) &^ x & highs
	return bits.TrailingZeros64(^mask&highs) / 8
}

// mayBeHex reports whether none of the eight bytes is a letter beyond f.
func mayBeHex(x uint64) bool {
	return ((x|small)&^highs+(0x7f-'f')*ones)&highs == 0
}

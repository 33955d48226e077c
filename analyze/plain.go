package analyze

import (
	"encoding/binary"
	"math/bits"
)

// eight returns the eight bytes of the message from index i on, with zeros for what lies beyond its end.
func (m *masker) eight(i int) uint64 { return binary.LittleEndian.Uint64(m.padded[i : i+8]) }

// plainRun emits the words from index i on that stand in the pattern as they are, and returns the index after them: words of
// letters, with single blanks between, which are most of most messages. It stops before the first that may be more, for scan
// to look at; i begins with a byte that is plain. It reads eight bytes at a time and copies all words at once.
func (m *masker) plainRun(i int) int {
	text, start, end := m.padded, i, i // text[start:end] are words to emit
	for {
		x := binary.LittleEndian.Uint64(text[i : i+8])
		j, other, next := i, otherThanLetters(x), class(0)
		for {
			if other != 0 {
				j += bits.TrailingZeros64(other) / 8
				if next = classes[text[j]]; next&plain == 0 {
					break
				}
				j++ // a dash or the like
			} else {
				j += 8
			}
			other = otherThanLetters(binary.LittleEndian.Uint64(text[j : j+8]))
		}
		n := j - i
		if next&ends == 0 {
			if next&(colon|dot) == 0 || text[j-1] == '-' {
				break
			}
			j++
			if classes[text[j]]&ends == 0 {
				break
			}
		}
		if n == 0 || n >= 8 && mayBeHex(x) || meaningful.has(wordKey(x, n)) || m.sql && text[i] == '-' {
			break
		}
		if text[j] == ',' && text[j+1] == ' ' {
			j++
		}
		if text[j] != ' ' {
			m.literal(m.s[start:j])
			return j
		}
		end = j
		i = j + 1
	}
	if end == start {
		return start
	}
	m.literal(m.s[start:end])
	m.space = true
	return end + 1
}

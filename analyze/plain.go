package analyze

import "math/bits"

// plainRun emits the words from index i on that stand in the pattern as they are, and returns the index after them: words of
// letters, with single blanks between, which are most of most messages. It stops before the first that may be more, for scan
// to look at; i begins with a byte that is plain. It reads eight bytes at a time and copies all words at once.
func (m *masker) plainRun(i int) int {
	text, start, end := m.padded, i, i // text[start:end] are words to emit
	for {
		x := load(text, i)
		j, other := i, otherThanLetters(x)
		for other == 0 {
			j += 8
			other = otherThanLetters(load(text, j))
		}
		j += bits.TrailingZeros64(other) / 8
		next := classes[text[j]]
		for next&plain != 0 { // a dash or the like, and what comes after it
			j++
			next = classes[text[j]]
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
		if text[j] == ',' {
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

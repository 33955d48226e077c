package analyze

// plainRun emits the words from index i on that stand in the pattern as they are, and returns the index after them: words of
// letters, with single blanks between, which are most of most messages. It stops before the first that may be more, for scan
// to look at; i begins with a byte that is plain. It reads eight bytes at a time and copies all words at once.
func (m *masker) plainRun(i int) int {
	s, start, end := m.s, i, i // s[start:end] are words to emit
	for i < len(s) {
		x := eight(s, i)
		j := i + leadingLetters(x)
		next := classAt(s, j)
		for next&plain != 0 { // the ninth letter, or a dash
			j++
			j += leadingLetters(eight(s, j))
			next = classAt(s, j)
		}
		n := j - i
		if next&ends == 0 {
			if next&(colon|dot) == 0 || s[j-1] == '-' {
				break
			}
			j++
			if classAt(s, j)&ends == 0 {
				break
			}
		}
		if n == 0 || n >= 8 && mayBeHex(x) || mayMean(x, n) || m.sql && s[i] == '-' {
			break
		}
		if j < len(s) && s[j] != ' ' {
			m.literal(s[start:j])
			return j
		}
		end = j
		i = j + 1
	}
	if end == start {
		return start
	}
	m.literal(s[start:end])
	if end < len(s) {
		m.space = true
		end++
	}
	return end
}

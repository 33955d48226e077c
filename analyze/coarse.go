package analyze

const coarseWords = 3 // of a pattern, which stand for it when there are too many

// appendCoarse appends the first words of a masked text and a mark for the rest.
func appendCoarse(dst, text []byte) []byte {
	words := 0
	for _, s := range slotsOf(nil, text) {
		if s.role == marked {
			continue
		}
		if words++; words > coarseWords {
			break
		}
		dst = append(append(dst, text[s.start:s.end]...), ' ')
	}
	return append(dst, mark)
}

package analyze

import "logflume/pipeline"

// refusals are patterns that were found to be wrong merges.
type refusals struct {
	ids   map[int64]bool // of the patterns themselves, and of those that would be merged into them
	texts [][]byte       // with marks
}

// refuse takes in the patterns that must not stand for others.
func (m *merger) refuse(apart []pipeline.Pattern) {
	m.refused.ids = make(map[int64]bool, len(apart))
	for _, p := range apart {
		text, _ := parsePattern(p.Text)
		m.refused.ids[p.ID] = true
		m.refused.texts = append(m.refused.texts, text)
	}
}

// refuseGroups refuses the patterns that were merged into a refused one, and reports whether there were any. Such are not
// always covered by its text: parentheses that hold a placeholder vanish.
func (m *merger) refuseGroups(aliases []pipeline.Alias) (found bool) {
	for _, a := range aliases {
		if m.refused.ids[a.To.ID] && !m.refused.ids[a.From] {
			m.refused.ids[a.From] = true
			found = true
		}
	}
	return found
}

// covers reports whether the pattern is to stay by itself.
func (r *refusals) covers(id int64, text []byte) bool {
	if r.ids[id] {
		return true
	}
	for _, general := range r.texts {
		if isCase(text, general) {
			return true
		}
	}
	return false
}

// isCase reports whether text is general with something in place of each mark.
func isCase(text, general []byte) bool {
	i, j, star, from := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case j < len(general) && general[j] == mark:
			star, from = j, i
			j++
			i++ // at least one byte
		case j < len(general) && general[j] == text[i]:
			i++
			j++
		case star >= 0:
			from++
			i, j = from+1, star+1
		default:
			return false
		}
	}
	return j == len(general)
}

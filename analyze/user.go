package analyze

import "bytes"

// endsInUser reports whether the text emitted so far announces the name of a user as its next word: `for user`, `invalid
// user`. The word user alone does not: `user unknown`, `the user session`.
func (m *masker) endsInUser() bool {
	before, ok := bytes.CutSuffix(m.out, []byte(" user"))
	if !ok {
		return false
	}
	i := bytes.LastIndexByte(before, ' ') + 1
	if i == 0 {
		i = 1 // the rule version
	}
	switch string(before[i:]) {
	case "for", "by", "of", "as", "from", "to", "invalid", "Invalid", "unknown", "Unknown":
		return true
	}
	return false
}

// endsInUserKey reports whether the text emitted so far ends in a key whose value is the name of a user.
func (m *masker) endsInUserKey() bool {
	key, ok := bytes.CutSuffix(m.out, []byte("="))
	if !ok {
		return false
	}
	switch key[len(key)-1] {
	case 'r':
		return bytes.HasSuffix(key, []byte("user"))
	case 'e':
		return bytes.HasSuffix(key, []byte("username")) || bytes.HasSuffix(key, []byte("user_name"))
	case 'n':
		return bytes.HasSuffix(key, []byte("login"))
	}
	return false
}

// isParticle reports whether w is a word that goes on after `user` without naming one.
func isParticle(w string) bool {
	switch w {
	case "and", "from", "has", "have", "id", "in", "is", "name", "not", "on", "or", "to", "was", "with",
		"account", "accounts", "authentication", "data", "group", "input", "interface", "login", "request", "requests",
		"session", "sessions":
		return true
	}
	return false
}

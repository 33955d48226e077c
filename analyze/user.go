package analyze

import "bytes"

// endsInUser reports whether the text emitted so far announces the name of a user as its next word: `for user`, `invalid
// user`. The word user alone does not: `user unknown`, `the user session`.
func (m *masker) endsInUser() bool {
	n := len(m.out) - len(" user")
	if n < 0 || string(m.out[n:]) != " user" {
		return false
	}
	before := m.out[:n]
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
	n := len(m.out)
	if n < len("user=") || m.out[n-1] != '=' {
		return false
	}
	switch string(m.out[n-3 : n-1]) { // most keys end otherwise
	case "er":
		return string(m.out[n-len("user="):]) == "user="
	case "me":
		return bytes.HasSuffix(m.out, []byte("username=")) || bytes.HasSuffix(m.out, []byte("user_name="))
	case "in":
		return bytes.HasSuffix(m.out, []byte("login="))
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

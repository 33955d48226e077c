package testkit

import (
	"bytes"
	"regexp"
)

// commit finds a COMMIT at the end of a statement's text, begin a BEGIN at its start.
var (
	commit = regexp.MustCompile(`(?i)\bcommit\s*;?\s*$`)
	begin  = regexp.MustCompile(`(?i)^\s*begin\b`)
)

// statements knows which of a connection's prepared statements and portals are COMMITs, by name.
type statements struct {
	prepared, portals map[string]bool
	copied            bool // rows were copied since the last BEGIN
}

// commits takes the client's next message and reports whether the server commits on it.
func (s *statements) commits(message []byte) bool {
	if s.prepared == nil {
		s.prepared, s.portals = map[string]bool{}, map[string]bool{}
	}
	first, rest, _ := bytes.Cut(message[headerLength:], []byte{0})
	second, _, _ := bytes.Cut(rest, []byte{0})
	switch message[0] {
	case 'c': // CopyDone
		s.copied = true
	case 'Q': // Query: text
		s.copied = s.copied && !begin.Match(first)
		return commit.Match(first)
	case 'P': // Parse: name, text
		s.copied = s.copied && !begin.Match(second)
		s.prepared[string(first)] = commit.Match(second)
	case 'B': // Bind: portal, statement
		s.portals[string(first)] = s.prepared[string(second)]
	case 'E': // Execute: portal
		return s.portals[string(first)]
	}
	return false
}

package main

import (
	"fmt"
	"strings"
)

// A problem is one thing that is wrong with a configuration.
type problem struct {
	place   string // file:line:column, or the environment variable
	key     string // path of the key: flush.interval, sources[0].file.paths[1]; may be empty
	what    string // what is wrong and what to do
	snippet string // the line it stands in, with a mark below; may be empty
}

func (p problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", p.place)
	if p.key != "" {
		fmt.Fprintf(&b, "%s: ", p.key)
	}
	b.WriteString(redact(p.what))
	b.WriteString(p.snippet)
	return b.String()
}

// A configError is everything that is wrong with a configuration. The program ends with exit code 2.
type configError []problem

func (e configError) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// A usageError is a command line that cannot be followed. The program ends with exit code 2.
type usageError string

func (e usageError) Error() string { return string(e) }

// snippet shows line number line of source, counted from 1, with a mark under column column. Passwords are masked.
func snippet(source []byte, line, column int) string {
	lines := strings.Split(string(source), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	text := strings.TrimRight(lines[line-1], "\r")
	shown := redact(text)
	head := fmt.Sprintf("%5d | ", line)
	s := "\n" + head + strings.ReplaceAll(shown, "\t", " ")
	if shown == text && column >= 1 { // masking moves columns
		s += "\n" + strings.Repeat(" ", len(head)-2) + "| " + strings.Repeat(" ", column-1) + "^"
	}
	return s
}

package main

import (
	"fmt"
	"regexp"
	"slices"
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

// yamlPassword finds the value of a key password, and all that comes after it in the line: where a value that is not in
// quotes ends depends on what is around it. passwordKey finds the key alone.
var (
	yamlPassword = regexp.MustCompile(`(?i)(password["']?\s*:\s*)\S.*`)
	passwordKey  = regexp.MustCompile(`(?i)password["']?\s*:`)
)

// belowPassword reports whether the last of lines is part of a value of a key password that stands in a line before it.
func belowPassword(lines []string) bool {
	last := lines[len(lines)-1]
	own := indentation(last)
	if strings.HasPrefix(strings.TrimSpace(last), "-") { // items may stand right below their key
		own++
	}
	for _, line := range slices.Backward(lines[:len(lines)-1]) {
		if strings.TrimSpace(line) != "" && indentation(line) < own {
			return passwordKey.MatchString(line)
		}
	}
	return false
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// snippet shows line number line of source, counted from 1, with a mark under column column. Passwords are masked.
func snippet(source []byte, line, column int) string {
	lines := strings.Split(string(source), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	text := strings.TrimRight(lines[line-1], "\r")
	shown := yamlPassword.ReplaceAllString(redact(text), "${1}***")
	if belowPassword(lines[:line]) {
		shown = "***"
	}
	head := fmt.Sprintf("%5d | ", line)
	s := "\n" + head + strings.ReplaceAll(shown, "\t", " ")
	if shown == text && column >= 1 { // masking moves columns
		s += "\n" + strings.Repeat(" ", len(head)-2) + "| " + strings.Repeat(" ", column-1) + "^"
	}
	return s
}

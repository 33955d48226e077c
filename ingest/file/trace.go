package file

import "bytes"

// A trace is what a join has come to, and so what may follow. The rules are those of stack traces as Python, Java, Go,
// Node, .NET and Ruby print them; besides, an indented line belongs to the line before it. They are meant to miss
// rather than to join what does not belong together: an unindented line is taken only where it can be nothing else.
type trace uint8

const (
	noTrace     trace = iota
	entry             // a line of text: indented lines may follow, and a trace if it tells of a failure
	frames            // the frames of Java, .NET, Node and Ruby
	ruby              // what Ruby says before the frames, which may have blank lines around the source
	source            // the place that Node names before the line of source, which comes next
	pointed           // a line of ^ under a line of source: what is wrong with it comes next, unindented
	python            // the frames of a traceback, before the exception's line
	pythonEnd         // after it
	pythonChain       // between two tracebacks, the first of which led to the second
	goroutines        // a panic, and a list of goroutines
)

const (
	pythonHeader = "Traceback (most recent call last)"
	goHeader     = "goroutine "
)

// traceOf returns what a line that continues nothing begins: noTrace if nothing can follow it.
func traceOf(line []byte) trace {
	switch {
	case len(line) == 0:
		return noTrace
	case indented(line):
		return frameOf(bytes.TrimLeft(line, " \t"))
	case startsWith(line, pythonHeader):
		return python
	case startsWith(line, goHeader), startsWith(line, "panic: "), startsWith(line, "fatal error: "), startsWith(line, "SIGQUIT: "):
		return goroutines
	case isRuby(line):
		return ruby
	case line[0] == '/' && isPlace(line):
		return source
	}
	return entry
}

// after returns what the trace has come to with line, noTrace if that does not belong to it. blank says that blank lines
// stand before it; first returns the join's first line.
func (t trace) after(line []byte, blank bool, first func() []byte) trace {
	if len(line) == 0 || isBlank(line) {
		return t.afterBlank()
	}
	if blank {
		if t = t.afterBlank(); t == noTrace {
			return noTrace
		}
	}
	if indented(line) {
		return t.afterIndented(bytes.TrimLeft(line, " \t"), blank)
	}
	switch t {
	case entry:
		switch {
		case startsWith(line, pythonHeader) && tellsFailure(first()):
			return python
		case isException(line) && tellsFailure(first()) && !isException(first()), isRubyFrame(line) && tellsFailure(first()):
			return frames
		}
	case source:
		return entry
	case frames, ruby:
		if startsWith(line, "Caused by: ") || startsWith(line, "Suppressed: ") || startsWith(line, "--- End of ") || string(line) == "}" ||
			isRubyFrame(line) {
			return frames
		}
	case pointed:
		return frames
	case python:
		return pythonEnd
	case pythonEnd:
		if startsWith(line, "During handling of the above exception") || startsWith(line, "The above exception was the direct cause") {
			return pythonChain
		}
	case pythonChain:
		if startsWith(line, pythonHeader) {
			return python
		}
	case goroutines:
		if isGo(line) {
			return goroutines
		}
	}
	return noTrace
}

// afterBlank returns what the trace has come to with blank lines.
func (t trace) afterBlank() trace {
	switch t {
	case pointed, ruby, pythonEnd, pythonChain, goroutines:
		return t
	}
	return noTrace
}

func (t trace) afterIndented(bare []byte, blank bool) trace {
	frame := frameOf(bare)
	switch t {
	case entry, frames, pointed, source:
		switch {
		case frame != noTrace:
			return frame
		case len(bytes.Trim(bare, "^~ ")) == 0:
			return pointed
		case t == pointed:
			return frames
		}
	case ruby:
		return ruby
	case pythonEnd, pythonChain:
		if blank { // not a further line of the exception's message
			return noTrace
		}
	}
	return t
}

// frameOf returns the kind of trace that an indented line without its indentation is a frame of.
func frameOf(bare []byte) trace {
	switch {
	case startsWith(bare, "at "), startsWith(bare, "from "):
		return frames
	case startsWith(bare, `File "`):
		return python
	}
	return noTrace
}

// isGo reports whether an unindented line is part of what the Go runtime prints when a program dies: a function, the
// head of a goroutine, a signal, registers.
func isGo(line []byte) bool {
	for _, start := range [...]string{goHeader, "created by ", "[signal ", "exit status ", "panic: ", "fatal error: ", "runtime: ",
		"runtime stack:", "PC=", "...additional frames elided..."} {
		if startsWith(line, start) {
			return true
		}
	}
	if line[len(line)-1] == ')' { // a function with its arguments
		at := bytes.IndexByte(line, '(')
		return at > 0 && bytes.IndexByte(line[:at], ' ') < 0
	}
	register, value, found := bytes.Cut(line, []byte(" "))
	return found && len(register) <= len("rflags") && startsWith(bytes.TrimLeft(value, " "), "0x")
}

// rubyWithin is how far into a line the place may reach.
const rubyWithin = 128

// isRuby reports whether a line begins with a place as Ruby names it: cart.rb:12:in `total'.
func isRuby(line []byte) bool {
	at := bytes.Index(line[:min(len(line), rubyWithin)], []byte(":in "))
	return at > 0 && at+len(":in ") < len(line) && (line[at+len(":in ")] == '`' || line[at+len(":in ")] == '\'') && isPlace(line[:at])
}

// isRubyFrame reports whether that is all there is: a frame of a backtrace, and not what was raised there.
func isRubyFrame(line []byte) bool { return isRuby(line) && line[len(line)-1] == '\'' }

// isPlace reports whether p is FILE:LINE.
func isPlace(p []byte) bool {
	colon := bytes.LastIndexByte(p, ':')
	if colon <= 0 || colon == len(p)-1 || bytes.IndexByte(p[:colon], ' ') >= 0 {
		return false
	}
	for _, c := range p[colon+1:] {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

// isException reports whether a line begins with the full name of an exception: java.lang.Error, and a colon or nothing.
func isException(line []byte) bool {
	name, _, _ := bytes.Cut(line, []byte(":"))
	if bytes.IndexByte(name, '.') <= 0 {
		return false
	}
	for _, c := range name {
		if c|0x20 < 'a' && c-'0' > 9 && c != '.' && c != '$' && c != '_' || c|0x20 > 'z' {
			return false
		}
	}
	return bytes.HasSuffix(name, []byte("Exception")) || bytes.HasSuffix(name, []byte("Error")) || bytes.HasSuffix(name, []byte("Throwable"))
}

// failures are the beginnings of words that tell of a failure, in small letters.
var failures = [...]string{"err", "fail", "fatal", "ftl", "crit", "severe", "exception", "panic", "warn", "wrn"}

// failureWithin is how far into a line such a word is looked for.
const failureWithin = 256

// tellsFailure reports whether a line says, by its level or otherwise, that something failed: only then an exception
// that follows is taken for its own.
func tellsFailure(line []byte) bool {
	line = line[:min(len(line), failureWithin)]
	for i := 0; i < len(line); i++ {
		if !isLetter(line[i]) || i > 0 && isLetter(line[i-1]) && line[i] >= 'a' { // WordsInCamelCase count one by one
			continue
		}
		for _, word := range failures {
			if hasWord(line[i:], word) {
				return true
			}
		}
	}
	return false
}

// hasWord reports whether p begins with word, in letters of either size.
func hasWord(p []byte, word string) bool {
	if len(p) < len(word) {
		return false
	}
	for i := range len(word) {
		if p[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func indented(line []byte) bool { return line[0] == ' ' || line[0] == '\t' }

func startsWith(line []byte, prefix string) bool {
	return len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix
}

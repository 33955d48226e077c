package parse

import "strings"

// splitTrace divides lines that were joined into the message that was logged and the stack trace. A trace that stands
// alone is given whole, with the line that says what happened as its message. Lines without a trace are all message.
func splitTrace(s string) (message, exception string) {
	traced, start := false, -1
	var last string // line without indentation
	at := 0
	for line := range strings.Lines(s) {
		text := strings.TrimRight(line, "\r\n")
		bare := strings.TrimLeft(text, " \t")
		indented := len(bare) < len(text)
		begins := beginsTrace(bare)
		traced = traced || begins || indented && isFrame(bare)
		if begins && start < 0 {
			start = at
		}
		if !indented && bare != "" {
			last = text
		}
		at += len(line)
	}
	switch first, _, _ := strings.Cut(s, "\n"); {
	case !traced:
		return s, ""
	case strings.HasPrefix(s, "Traceback "):
		return last, s
	case start <= 0 || strings.HasPrefix(s, "panic: ") || strings.HasPrefix(s, "fatal error: "):
		return strings.TrimRight(first, "\r"), s
	}
	return strings.TrimRight(s[:start], "\r\n"), s[start:]
}

// isFrame reports whether an indented line names a place in a program: Java, .NET and Node say at, Python File, Ruby
// from.
func isFrame(bare string) bool {
	return strings.HasPrefix(bare, "at ") || strings.HasPrefix(bare, `File "`) || strings.HasPrefix(bare, "from ")
}

// beginsTrace reports whether a trace begins with this line: a header, or the exception's type.
func beginsTrace(bare string) bool {
	switch {
	case strings.HasPrefix(bare, "Traceback (most recent call last)"), strings.HasPrefix(bare, "goroutine "):
		return true
	}
	kind, _, _ := strings.Cut(bare, ":")
	if strings.ContainsAny(kind, " \t") || !strings.Contains(kind, ".") {
		return false
	}
	for _, suffix := range [...]string{"Exception", "Error", "Throwable"} {
		if strings.HasSuffix(kind, suffix) {
			return true
		}
	}
	return false
}

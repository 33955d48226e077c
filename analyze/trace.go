package analyze

import (
	"strings"

	"github.com/cespare/xxhash/v2"
)

const (
	maxTraceBytes = 32 << 10 // of a stack trace that are looked at
	maxFrames     = 5        // that make its pattern
	maxFrameName  = 200      // bytes of a function or a type
)

// A tracer finds the pattern of a stack trace: the type of the exception, that of its innermost cause, and the functions
// of our own code nearest to where it happened. Neither messages nor lines of code enter, so that the pattern outlives most
// releases. Functions of libraries count only if there are no others.
type tracer struct {
	outer, inner string // types
	own, foreign frames

	line     string // the one before, where a type may stand
	found    bool   // a frame has been seen
	python   bool   // frames come outermost first, and the type after them
	complete bool   // the innermost cause is known
	deeper   bool   // a deeper cause was named; if it has frames, these count
	hidden   bool   // what follows is suppressed
	numbered bool   // frames are Rust's: a number and a name, and in the next line the file
}

// frames are the first few functions, each once, so that recursion of any depth is the same. Of Python's they are the
// last few.
type frames struct {
	list [maxFrames]string
	n    int
}

func (f *frames) add(name string, last bool) {
	for i := range f.n {
		if f.list[i] == name {
			return
		}
	}
	switch {
	case f.n < maxFrames:
		f.list[f.n] = name
		f.n++
	case last:
		copy(f.list[:], f.list[1:])
		f.list[f.n-1] = name
	}
}

// trace makes the pattern of s, if it is a stack trace, that of the masker and returns its id; 0 if it is none.
func (m *masker) trace(s string) int64 {
	if len(s) > maxTraceBytes {
		s = s[:strings.LastIndexByte(s[:maxTraceBytes], '\n')+1]
	}
	if strings.IndexByte(s, '\n') < 0 {
		return 0
	}
	var t tracer
	for s != "" && !t.ended() {
		line, rest, _ := strings.Cut(s, "\n")
		next, _, _ := strings.Cut(rest, "\n")
		t.read(strings.TrimRight(line, "\r"), next)
		s = rest
	}
	if !t.found {
		return 0
	}
	m.reset()
	m.out[0] = traceVersion
	t.write(m)
	return idOfHash(xxhash.Sum64(m.out))
}

// ended reports whether nothing that follows can matter.
func (t *tracer) ended() bool { return t.complete && !t.python }

// read takes in a line; next is the one after it.
func (t *tracer) read(line, next string) {
	text := strings.TrimLeft(line, " \t")
	switch {
	case text == "":
	case strings.HasPrefix(text, "Traceback (most recent call last)"):
		t.complete = t.found // by the block before: what it raised came first
		t.python = true
	case strings.HasPrefix(text, "Suppressed: "):
		t.hidden = true
	case strings.HasPrefix(text, "Caused by: "):
		t.hidden = line[0] != 'C' && t.hidden
		if !t.hidden {
			t.cause(text[len("Caused by: "):])
		}
	case strings.HasPrefix(text, "--- End of inner exception"), strings.HasPrefix(text, "goroutine ") && t.found:
		t.complete = t.found
	case t.hidden:
	default:
		t.readFrame(line, text, next)
	}
}

// cause begins the trace of a deeper cause.
func (t *tracer) cause(header string) {
	if t.outer == "" {
		t.outer = typeIn(t.line)
	}
	if kind := typeIn(header); kind != "" {
		t.inner = kind
	}
	t.deeper = true
}

func (t *tracer) readFrame(line, text, next string) {
	if t.numbered && strings.HasPrefix(text, "at ") {
		return
	}
	if name, own, ok := frameOf(line, text, next); ok {
		t.numbered = isDigit(text[0])
		if !t.found && !t.python {
			t.types()
		}
		t.found = true
		if t.complete {
			return
		}
		if t.deeper {
			t.own, t.foreign, t.deeper = frames{}, frames{}, false
		}
		if own {
			t.own.add(name, t.python)
		} else {
			t.foreign.add(name, t.python)
		}
		return
	}
	if t.python && t.found && line[0] != ' ' && line[0] != '\t' {
		if kind := typeAt(line); kind != "" && !strings.HasSuffix(line, "following exception:") {
			t.outer = kind
			if t.inner == "" {
				t.inner = kind
			}
		}
	}
	if !t.found && (t.line == "" || typeIn(t.line) == "" || typeIn(line) != "") {
		t.line = line // a message may have several lines; the type is in its first
	}
}

// types takes the types from the line before the first frame.
func (t *tracer) types() {
	if t.outer != "" || t.inner != "" {
		return
	}
	header := t.line
	t.outer = typeIn(header)
	if i := strings.LastIndex(header, "---> "); i >= 0 { // .NET names the causes in one line
		t.inner = typeIn(header[i:])
	}
}

// write emits the pattern: `Type caused by Type at function, function`.
func (t *tracer) write(m *masker) {
	switch {
	case t.outer != "":
		m.literal(head(t.outer, maxFrameName))
	case t.inner == "":
		m.literal("unknown error")
	}
	if t.inner != "" && t.inner != t.outer {
		if t.outer != "" {
			m.literal(" caused by ")
		}
		m.literal(head(t.inner, maxFrameName))
	}
	f := &t.own
	if f.n == 0 {
		f = &t.foreign
	}
	for i := range f.n {
		m.literal([...]string{" at ", ", "}[min(i, 1)])
		name := f.list[i]
		if t.python {
			name = f.list[f.n-1-i] // the innermost first, as everywhere
		}
		m.out = appendFrame(m.out, head(name, maxFrameName))
	}
}

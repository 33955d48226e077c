package chaos

import (
	"fmt"
	"sort"
	"strings"
)

// A Text is a sequence of numbered lines that a script writes. All of them have to be stored, once.
type Text struct {
	End string // of each line

	line   func(writer string, n int) string // makes a line
	joined int                               // how many line feeds it has in it
	writer *Writer
	ends   []int64 // where each line ends, if all are written one after the other
}

// Text begins a text. Its name is the writer's in the lines.
func (s *Script) Text(name string) *Text {
	w := &Writer{Name: name, done: make(chan struct{})}
	close(w.done) // no program writes
	s.writers = append(s.writers, w)
	x := &Text{End: "\n", line: serviceLine, writer: w}
	s.texts = append(s.texts, x)
	return x
}

// Traces has all texts consist of stack traces, of several lines each, which count as one.
func (s *Script) Traces() {
	s.form = TraceLines
	for _, x := range s.texts {
		x.line, x.joined = traceLines, strings.Count(traceLines("", 0), "\n")
	}
}

// serviceLine is the form that [ServiceLines] describes.
func serviceLine(writer string, n int) string {
	return fmt.Sprintf(`{"level":"INFO","msg":"line %d of %s: %send %d","logger":"chaos.%s","writer":%q,"n":%d,"trace_id":"%032x"}`,
		n, writer, strings.Repeat("payload ", n%13), n, writer, writer, n, n)
}

// traceLines are the form that [TraceLines] describes.
func traceLines(writer string, n int) string {
	return fmt.Sprintf("ERROR request %d of %s failed\nTraceback (most recent call last):\n  File \"app.py\", line %d, in work\n"+
		"    work(%d)\nValueError: %d of %s", n, writer, n, n, n, writer)
}

// Next returns the next n lines.
func (x *Text) Next(n int) string {
	var b strings.Builder
	size := x.Size()
	for range n {
		x.writer.Lines++
		b.WriteString(x.line(x.writer.Name, x.writer.Lines))
		b.WriteString(x.End)
		x.ends = append(x.ends, size+int64(b.Len()))
	}
	return b.String()
}

// Size returns how many bytes all lines have.
func (x *Text) Size() int64 {
	if len(x.ends) == 0 {
		return 0
	}
	return x.ends[len(x.ends)-1]
}

// cut says that no more than the first size bytes could be read: the lines after them need not be stored.
func (x *Text) cut(size int64) {
	x.writer.Lines = sort.Search(len(x.ends), func(i int) bool { return x.ends[i] > size })
}

// Borders reports whether a position stands before or behind a line.
func (x *Text) Borders(position int64) bool {
	i := sort.Search(len(x.ends), func(i int) bool { return x.ends[i] >= position })
	return position == 0 || i < len(x.ends) && x.ends[i] == position
}

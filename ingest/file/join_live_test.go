package file

import (
	"os"
	"strings"
	"testing"
)

// newJoiningWorld is a world in which lines are joined.
func newJoiningWorld(t *testing.T, patterns ...string) *world {
	t.Helper()
	w := newWorld(t, patterns...)
	w.o.Joins = allJoins
	return w
}

const (
	traceHead = "2026-01-20 ERROR it failed\n"
	traceRest = "a.b.CException: because\n\tat a.b.C.d(C.java:1)\n\tat a.b.C.e(C.java:2)\n"
	traceText = traceHead + traceRest
)

var wholeTrace = strings.TrimSuffix(traceText, "\n")

func TestTraceIsJoinedWhileItIsWritten(t *testing.T) {
	w := newJoiningWorld(t)
	w.append("app.log", "{\"n\":1}\n")
	w.begin()
	w.expect(`{"n":1}`)
	for line := range strings.Lines(traceText) { // what comes within the second belongs together
		w.append("app.log", line)
	}
	w.append("app.log", "{\"n\":2}\n")
	w.expect(`{"n":1}`, wholeTrace, `{"n":2}`)
	w.expectPosition("app.log", int64(len(traceText)+16))
}

func TestTraceAtTheEndOfAQuietFile(t *testing.T) {
	w := newJoiningWorld(t)
	w.append("app.log", traceText)
	w.begin()
	w.expect(wholeTrace)
	w.expectPosition("app.log", int64(len(traceText)))
	w.append("app.log", "next\n")
	w.expect(wholeTrace, "next")
}

// A process that dies while a join is open has stored a position before it.
func TestTraceAcrossARestart(t *testing.T) {
	w := newJoiningWorld(t)
	w.append("app.log", "{\"n\":1}\n"+traceHead)
	w.begin()
	w.expect(`{"n":1}`)
	w.expectPosition("app.log", 8)
	w.kill()
	w.append("app.log", traceRest+"{\"n\":2}\n")
	w.begin()
	w.expect(`{"n":1}`, wholeTrace, `{"n":2}`)
	if offset := w.store.lines[1].offset; offset != 8 {
		t.Errorf("the trace is at %d", offset)
	}
}

func TestTraceAcrossARenaming(t *testing.T) {
	w := newJoiningWorld(t, "app.log*")
	w.begin()
	w.append("app.log", traceHead)
	w.rename("app.log", "app.log.1")
	w.append("app.log", "next\n")
	w.append("app.log.1", traceRest)
	w.expect(wholeTrace, "next")
}

// The rest of a trace that was cut off with its file is found in the copy.
func TestTraceAcrossACopytruncate(t *testing.T) {
	w := newJoiningWorld(t, "app.log*")
	w.append("app.log", "{\"n\":1}\n")
	w.begin()
	w.expect(`{"n":1}`)
	w.append("app.log", traceText)
	w.copy("app.log", "app.log.1")
	w.truncate("app.log")
	w.append("app.log", "{\"n\":2}\n")
	w.expect(`{"n":1}`, wholeTrace, `{"n":2}`)
}

// A batch names its file as the input found it, so that a link's name can tell whose lines they are.
func TestBatchesNameTheFile(t *testing.T) {
	w := newWorld(t, "links/*.log")
	w.append("0.log", "one\n")
	w.must(os.Mkdir(w.path("links"), 0o755))
	w.must(os.Symlink(w.path("0.log"), w.path("links/pod.log")))
	w.begin()
	w.expect("one")
	if got := w.store.lines[0].path; got != w.path("links/pod.log") {
		t.Errorf("the line is from %s", got)
	}
}

func TestImportJoinsLines(t *testing.T) {
	w := newWorld(t)
	w.append("app.log", "{\"n\":1}\n"+traceText)
	w.append("more.log", traceText+"\tat the.end(") // a finished file has no next line
	for range 2 {                                   // the second time adds nothing
		i, err := NewImport(ImportOptions{Paths: []string{w.path("*.log")}, Host: "host", Joins: allJoins})
		w.must(err)
		w.process = run(w.store.connect(), i)
		w.must(<-w.process.ended)
		w.process.kill()
		w.process = nil
		w.expect(`{"n":1}`, wholeTrace, traceText+"\tat the.end(")
	}
}

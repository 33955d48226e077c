package file

import "testing"

func TestLinesOfAGrowingFile(t *testing.T) {
	w := newWorld(t)
	lines, text := numbered(0, 1000)
	w.append("app.log", text[:20000])
	w.begin()
	w.awaitLines(300)
	w.append("app.log", text[20000:])
	w.expect(lines...)
	w.expectPosition("app.log", int64(len(text)))
}

func TestRenameAndCreate(t *testing.T) {
	w := newWorld(t)
	lines, text := numbered(0, 100)
	w.append("app.log", text)
	w.begin()
	w.expect(lines...)

	w.rename("app.log", "app.log.1")
	late, lateText := numbered(100, 110) // the writer still has the renamed file
	w.append("app.log.1", lateText)
	fresh, freshText := numbered(110, 200)
	w.append("app.log", freshText)
	w.expect(append(append(lines, late...), fresh...)...)
	w.expectPosition("app.log", int64(len(freshText)))
	w.expectPosition("app.log.1", int64(len(text)+len(lateText)))
}

func TestRenamedFileIsFinishedWhenQuiet(t *testing.T) {
	w := newWorld(t)
	w.o.Grace = 5 * aeon
	w.append("app.log", "one\ntwo without newline")
	w.begin()
	w.expect("one")
	w.rename("app.log", "app.log.1")
	w.await("one open file", func() bool { return w.process.stats.FilesOpen.Load() == 1 })
	w.append("app.log.1", " yet\nthree")
	w.expect("one", "two without newline yet")
	w.await("the rest to be seen", func() bool { return w.process.stats.Lag.Load() == 5 })
	w.clock.advance(6 * aeon)
	w.expect("one", "two without newline yet", "three")
	w.await("no open file", func() bool { return w.process.stats.FilesOpen.Load() == 0 })
	w.await("the row to be closed", func() bool {
		r, _ := w.store.at(w.path("app.log.1"))
		return r.Closed
	})
	if last := w.store.lines[2]; !last.partial {
		t.Error("the last line is not marked as partial")
	}
}

package file

import (
	"os"
	"testing"
)

func TestCopytruncate(t *testing.T) {
	w := newWorld(t, "app.log*")
	lines, text := numbered(0, 100)
	w.append("app.log", text)
	w.begin()
	w.expect(lines...)

	w.copy("app.log", "app.log.1")
	w.await("the copy to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	w.truncate("app.log")
	fresh, freshText := numbered(100, 130)
	w.append("app.log", freshText)
	w.expect(append(lines, fresh...)...)
	w.expectPosition("app.log", int64(len(freshText)))
	w.await("the copy to continue the row", func() bool {
		r, ok := w.store.at(w.path("app.log.1"))
		return ok && r.epoch == 1 && r.position == int64(len(text)) && w.process.stats.FilesHeld.Load() == 0 &&
			w.process.stats.FilesWaiting.Load() == 0
	})
}

// What was appended between our last read and the copy is only in the copy.
func TestCopytruncateOfUnreadLines(t *testing.T) {
	w := newWorld(t, "app.log*")
	lines, text := numbered(0, 1000)
	w.append("app.log", text[:5000])
	c := w.store.connect()
	c.gate = make(chan struct{}) // nothing is committed for now
	w.beginWith(c)
	w.await("the row", func() bool { return len(w.store.snapshots()) == 1 })
	w.append("app.log", text[5000:])
	w.copy("app.log", "app.log.1")
	w.truncate("app.log")
	fresh, freshText := numbered(1000, 1010)
	w.append("app.log", freshText)
	close(c.gate)
	w.expect(append(lines, fresh...)...)
	w.expectPosition("app.log", int64(len(freshText)))
	w.expectPosition("app.log.1", int64(len(text)))
}

// While the database is away nobody notices the truncation, however long it takes: the copy is still needed.
func TestCopytruncateWhileTheDatabaseIsAway(t *testing.T) {
	w := newWorld(t, "app.log*")
	w.o.CopyWait = 5 * aeon
	w.o.Grace = 100 * aeon
	lines, text := numbered(0, 200_000)
	c := w.store.connect()
	c.gate = make(chan struct{}, 1)
	w.append("app.log", text)
	w.beginWith(c)
	c.gate <- struct{}{}
	w.awaitLines(1)
	w.copy("app.log", "app.log.1")
	w.await("the copy to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	w.truncate("app.log")
	w.append("app.log", "fresh\n")
	w.clock.advance(6 * aeon)
	w.append("app.log.other", "other\n")
	w.await("a look at everything", func() bool { return w.process.stats.Lag.Load() == 6 })
	close(c.gate)
	w.expect(append(lines, "fresh", "other")...)
	w.expectPosition("app.log.1", int64(len(text)))
}

func TestCopytruncateWhileNothingRuns(t *testing.T) {
	w := newWorld(t, "app.log*")
	lines, text := numbered(0, 1000)
	w.append("app.log", text[:5000])
	w.begin()
	w.awaitLines(90)
	w.kill()

	w.append("app.log", text[5000:])
	w.copy("app.log", "app.log.1")
	w.truncate("app.log")
	fresh, freshText := numbered(1000, 1010)
	w.append("app.log", freshText)
	w.begin()
	w.expect(append(lines, fresh...)...)
	w.expectPosition("app.log.1", int64(len(text)))
}

func TestManyCopytruncates(t *testing.T) {
	w := newWorld(t, "app.log*")
	w.begin()
	var lines []string
	for i := range 10 {
		part, text := numbered(i*200, i*200+200)
		lines = append(lines, part...)
		w.append("app.log", text[:3000])
		w.awaitLines(i*200 + 1)
		w.append("app.log", text[3000:])
		if i > 0 {
			w.cascade2("app.log", i)
		}
		w.copy("app.log", "app.log.1")
		w.truncate("app.log")
	}
	w.expect(lines...)
}

// cascade2 moves the copies on, as logrotate does before it copies.
func (w *world) cascade2(name string, copies int) {
	w.append(name, "") // the current file stays
	for i := copies; i > 0; i-- {
		if _, err := os.Stat(w.path(numberedName(name, i))); err != nil {
			continue
		}
		w.rename(numberedName(name, i), numberedName(name, i+1))
	}
}

// A writer that does not append goes on at its old offset and leaves a hole before it.
func TestCopytruncateUnderAWriterThatDoesNotAppend(t *testing.T) {
	w := newWorld(t, "app.log*")
	f, err := os.Create(w.path("app.log"))
	w.must(err)
	defer f.Close()
	lines, text := numbered(0, 20000)
	_, err = f.WriteString(text)
	w.must(err)
	w.begin()
	w.expect(lines...)
	w.copy("app.log", "app.log.1")
	w.truncate("app.log")
	fresh, freshText := numbered(20000, 20100)
	_, err = f.WriteString(freshText)
	w.must(err)
	w.expect(append(lines, fresh...)...)
	w.expectPosition("app.log", int64(len(text)+len(freshText)))
	w.expectLog("does not append")
}

func TestTruncateWithoutCopyCountsWhatIsLost(t *testing.T) {
	w := newWorld(t)
	w.o.CopyWait = 5 * aeon
	lines, text := numbered(0, 100)
	c := w.store.connect()
	c.gate = make(chan struct{}, 1)
	w.append("app.log", text)
	w.beginWith(c)
	c.gate <- struct{}{}
	w.expect(lines...)
	w.append("app.log", "a line without end")
	w.await("the size to be known", func() bool { return w.process.stats.Lag.Load() == 18 })
	close(c.gate)
	w.truncate("app.log")
	w.await("the row to wait", func() bool { return w.process.stats.FilesWaiting.Load() == 1 })
	w.append("app.log", "fresh\n")
	w.expect(append(lines, "fresh")...)
	w.clock.advance(6 * aeon)
	w.await("the row to be closed", func() bool {
		rows := w.store.snapshots()
		return rows[0].Closed && rows[0].lost == 18 && w.process.stats.LostBytes.Load() == 18
	})
	w.expectLog("is lost")
	w.expectPosition("app.log", 6)
}

package file

import (
	"os"
	"strings"
	"testing"
	"time"
)

// What is read of a deleted file stays its own, what cannot be read in time is counted as lost, and the space is free.
func TestDeletedFileIsGivenUpInTime(t *testing.T) {
	w := newWorld(t)
	w.o.Deleted, w.o.CopyWait = time.Hour, time.Hour
	c := w.store.connect()
	c.gate = make(chan struct{}) // the database is away
	line := strings.Repeat("x", 4<<10-1)
	var text strings.Builder
	for range 4000 { // more than there is memory for
		text.WriteString(line + "\n")
	}
	w.append("app.log", text.String())
	w.beginWith(c)
	p := w.process
	w.await("the row", func() bool { return len(w.store.snapshots()) == 1 })
	w.remove("app.log")
	w.expectLog("is no longer found")
	w.await("it is open", func() bool { return p.stats.FilesOpen.Load() == 1 })
	if p.stats.FilesCut.Load() != 0 {
		t.Error("it was cut at once")
	}
	w.clock.advance(w.o.Deleted + time.Minute)
	w.await("it is cut", func() bool { return p.stats.FilesCut.Load() == 1 && p.stats.FilesOpen.Load() == 0 })

	close(c.gate) // the database is back
	w.await("what was read is committed", func() bool {
		return w.process.stats.FilesWaiting.Load() == 1 && w.store.snapshots()[0].position > 0
	})
	w.await("the rest is counted", func() bool {
		w.clock.advance(w.o.CopyWait)
		r := w.store.snapshots()[0]
		return r.Closed && r.position+r.lost == int64(text.Len()) && r.lost > 0 && p.stats.LostBytes.Load() == r.lost
	})
	if n := int64(len(w.store.texts())); n != w.store.snapshots()[0].position/4096 {
		t.Errorf("%d lines at position %d", n, w.store.snapshots()[0].position)
	}
}

// What was sent of a deleted file and refused, since the source is paused, is counted as lost like what was not read.
func TestDeletedFileOfPausedSourceIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.o.Deleted, w.o.CopyWait = time.Hour, time.Minute
	c, full, stopped := w.pausable()
	w.append("app.log", "one\n")
	w.beginWith(c)
	w.expect("one")
	full.Store(true)
	w.append("app.log", "two\n")
	w.await("the source is paused", stopped.Load)
	w.remove("app.log")
	w.expectLog("is no longer found")
	w.await("it is given up, and what is left is counted", func() bool {
		w.clock.advance(w.o.Deleted)
		r := w.store.snapshots()[0]
		return r.Closed && r.lost == int64(len("two\n"))
	})
}

// A deleted file whose writer goes on is read as long as it does.
func TestDeletedFileThatIsStillWritten(t *testing.T) {
	w := newWorld(t)
	w.o.Deleted = time.Hour
	w.append("app.log", "one\n")
	w.begin()
	w.expect("one")
	f := w.open("app.log")
	w.remove("app.log")
	w.await("it is drained", func() bool { return w.process.stats.FilesDrained.Load() == 1 })
	w.clock.advance(w.o.Deleted + time.Minute)
	_, err := f.WriteString("two\n")
	w.must(err)
	w.expect("one", "two")
	if n := w.process.stats.FilesCut.Load(); n != 0 {
		t.Errorf("%d files were cut", n)
	}
	w.clock.advance(w.o.Grace)
	w.await("it is closed after the grace", func() bool {
		return w.process.stats.FilesOpen.Load()+w.process.stats.FilesDrained.Load() == 0
	})
}

// open opens a file as its writer does.
func (w *world) open(name string) *os.File {
	w.Helper()
	f, err := os.OpenFile(w.path(name), os.O_APPEND|os.O_WRONLY, 0)
	w.must(err)
	w.Cleanup(func() { f.Close() })
	return f
}

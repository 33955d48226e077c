package file

import (
	"strings"
	"testing"
)

func TestPlainCopyIsHeldThenSkipped(t *testing.T) {
	w := newWorld(t, "*.log")
	w.o.CopyWait = 5 * aeon
	lines, text := numbered(0, 100)
	w.append("app.log", text)
	w.begin()
	w.expect(lines...)
	w.copy("app.log", "copy.log")
	w.await("the copy to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	w.clock.advance(6 * aeon)
	w.await("the copy to be skipped", func() bool { return w.process.stats.FilesSkipped.Load() == 1 })
	w.expectLog("copy of another")
	w.expectPosition("copy.log", int64(len(text)))
	w.append("copy.log", "appended to the copy\n")
	want := append(lines, "appended to the copy")
	w.expect(want...)

	// The next process neither reads the copy nor holds it.
	w.stop()
	w.begin()
	w.append("app.log", "appended to the original\n")
	w.expect(append(want, "appended to the original")...)
}

// Files that begin alike are not copies of each other.
func TestBanners(t *testing.T) {
	w := newWorld(t, "*.log")
	banner, bannerText := numbered(0, 100)
	a, aText := numbered(100, 150)
	b, bText := numbered(150, 200)
	w.append("a.log", bannerText+aText)
	w.begin()
	w.expect(append(banner, a...)...)
	w.append("b.log", bannerText+bText)
	w.expect(append(append(append(banner, a...), banner...), b...)...)
	w.append("c.log", bannerText) // could still become a copy
	w.await("the file to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	w.append("c.log", "something else\n")
	w.expect(append(append(append(append(append(banner, a...), banner...), b...), banner...), "something else")...)
}

// A move to another file system is a copy and a removal.
func TestCopiedAndRemoved(t *testing.T) {
	w := newWorld(t, "*.log")
	w.o.CopyWait, w.o.Grace = 5*aeon, aeon
	w.append("small.log", "one\n")
	w.begin()
	w.expect("one")
	w.copy("small.log", "moved.log")
	w.await("the copy to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	w.remove("small.log")
	w.expectLog("no longer found")
	w.clock.advance(2 * aeon)
	w.await("the original to be finished", func() bool { return w.process.stats.FilesOpen.Load() == 1 })
	w.append("moved.log", "two\n")
	w.expect("one", "two")
}

// The copy has more than the original when it is first seen: it went to another file system and back, or was restored, and
// its writer goes on.
func TestMovedAndContinued(t *testing.T) {
	w := newWorld(t, "*.log")
	w.o.CopyWait, w.o.Grace, w.o.Deleted = aeon, 5*aeon, 100*aeon
	lines, text := numbered(0, 150)
	w.append("app.log", text[:5000])
	w.begin()
	w.awaitLines(100)
	w.remove("app.log")
	w.expectLog("no longer found")
	w.append("app.log", text)
	w.await("the copy to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	w.clock.advance(2 * aeon)
	w.append("other.log", "other\n")
	w.awaitLines(101)
	w.clock.advance(5 * aeon)
	w.expect(append(lines, "other")...)
	w.expectPosition("app.log", int64(len(text)))
	if n := len(w.store.snapshots()); n != 2 {
		t.Errorf("there are %d rows", n)
	}
}

func TestCompressedRotation(t *testing.T) {
	w := newWorld(t, "app.log*")
	w.o.CopyWait, w.o.Grace = 5*aeon, aeon
	lines, text := numbered(0, 2000)
	w.append("app.log", text)
	w.begin()
	w.expect(lines...)
	w.rename("app.log", "app.log.1")
	w.gzip("app.log.1.gz", text)
	w.await("the compressed copy to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	w.remove("app.log.1")
	w.append("app.log", "fresh\n")
	w.expect(append(lines, "fresh")...)
	w.clock.advance(2 * aeon)
	w.await("the compressed file to be taken", func() bool {
		r, ok := w.store.at(w.path("app.log.1.gz"))
		return ok && r.Closed && r.position == int64(len(text))
	})
	w.stop()
	w.begin()
	w.append("app.log", "more\n")
	w.expect(append(lines, "fresh", "more")...)
}

// Compressed before it was read to its end, while nothing ran.
func TestCompressedWhileNothingRuns(t *testing.T) {
	w := newWorld(t, "app.log*")
	lines, text := numbered(0, 2000)
	w.append("app.log", text[:50000])
	w.begin()
	w.expectPosition("app.log", int64(strings.LastIndexByte(text[:50000], '\n')+1))
	w.kill()
	w.gzip("app.log.1.gz", text)
	w.remove("app.log")
	w.gzip("app.log.2.gz", "older\n")
	w.begin()
	w.expect(append(lines, "older")...)
	w.expectPosition("app.log.1.gz", int64(len(text)))
}

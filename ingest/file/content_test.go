package file

import (
	"strings"
	"testing"
)

func TestTerminatorsAndBlankLines(t *testing.T) {
	w := newWorld(t)
	text := "\xEF\xBB\xBFone\r\n\r\n \t \ntwo\n\n\nthree \r\n"
	w.append("app.log", text)
	w.begin()
	w.expect("one", "two", "three ")
	w.expectPosition("app.log", int64(len(text)))
	if offset := w.store.lines[0].offset; offset != 3 {
		t.Errorf("the first line is at %d", offset)
	}
	w.append("app.log", "four\r\n\r\nfive\r\n")
	w.expect("one", "two", "three ", "four", "five")
}

func TestUTF16IsRefused(t *testing.T) {
	w := newWorld(t, "*.log")
	w.append("wide.log", "\xFF\xFE{\x00}\x00\n\x00")
	w.append("app.log", "one\n")
	w.begin()
	w.expect("one")
	w.expectLog("UTF-16")
	w.await("the file to be counted", func() bool { return w.process.stats.FilesRefused.Load() == 1 })
	if n := len(w.store.snapshots()); n != 1 {
		t.Errorf("there are %d rows", n)
	}
}

func TestLongLine(t *testing.T) {
	w := newWorld(t)
	w.o.LineLimit = 100 << 10
	long := strings.Repeat("x", 3<<20)
	fits := strings.Repeat("y", 100<<10)
	w.append("app.log", "one\n"+long+"\ntwo\n"+fits+"\n"+fits+"z\nthree\n")
	w.begin()
	w.expect("one", long[:64<<10], "two", fits, fits[:64<<10], "three")
	if l := w.store.lines[1]; l.length != int64(len(long)) || l.offset != 4 {
		t.Errorf("the long line is %d bytes at %d", l.length, l.offset)
	}
	if l := w.store.lines[4]; l.length != 100<<10+1 {
		t.Errorf("the line just over the limit is %d bytes", l.length)
	}
}

func TestLongLineThatIsBeingWritten(t *testing.T) {
	w := newWorld(t)
	w.o.LineLimit = 10 << 10
	part := strings.Repeat("x", 40<<10)
	w.append("app.log", "one\n"+part)
	w.begin()
	w.expect("one")
	w.append("app.log", part)
	w.append("app.log", part+"\ntwo\n")
	w.expect("one", part[:10<<10], "two")
	if l := w.store.lines[1]; l.length != 3*40<<10 {
		t.Errorf("the long line is %d bytes", l.length)
	}
}

// The smallest block is not enough to read through a long line beside its head.
func TestLongLineInASmallFile(t *testing.T) {
	w := newWorld(t)
	w.o.LineLimit = 1000
	w.append("app.log", strings.Repeat("x", 3000)+"\none\n")
	w.begin()
	w.expect(strings.Repeat("x", 1000), "one")
}

func TestManyTinyLines(t *testing.T) {
	w := newWorld(t)
	lines := strings.Split(strings.Repeat("x", 300_000), "")
	w.append("app.log", joined(lines))
	w.begin()
	w.expect(lines...)
	w.expectPosition("app.log", 600_000)
}

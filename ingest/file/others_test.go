package file

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// Rows of files that are no input's belong to somebody else, as another instance on this host or an import. They are
// neither read nor closed.
func TestRowsOfOtherInputsAreLeftAlone(t *testing.T) {
	w := newWorld(t, "*.log")
	w.o.CopyWait = 5 * aeon
	w.append("theirs.log", "one\n")
	w.append("vanished.log", "gone\n")
	w.append("ours.log", "ours\n")
	w.append("removed.log", "removed\n")
	w.begin()
	w.expect("one", "gone", "ours", "removed")
	w.stop()
	w.append("theirs.log", "two\n")
	w.remove("vanished.log")
	w.remove("removed.log")

	w.o.Inputs = []Input{{Paths: []string{w.path("ours.log"), w.path("removed.log")}}}
	w.begin()
	w.append("ours.log", "more\n")
	w.expect("one", "gone", "ours", "removed", "more")
	w.await("the removed file's row to wait alone", func() bool { return w.process.stats.FilesWaiting.Load() == 1 })
	w.clock.advance(6 * aeon)
	w.await("the removed file's row to be closed", func() bool {
		r, _ := w.store.at(w.path("removed.log"))
		return r.Closed
	})
	for _, name := range []string{"theirs.log", "vanished.log"} {
		if r, _ := w.store.at(w.path(name)); r.Closed || r.epoch != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	w.expect("one", "gone", "ours", "removed", "more")
}

// A file whose input starts at the end is not taken for a first one because its predecessor was renamed.
func TestStartAtEndAfterARenameOutOfTheInputs(t *testing.T) {
	w := newWorld(t, "app.log")
	w.o.Inputs[0].StartAt = End
	w.append("app.log", "")
	w.begin()
	w.await("one open file", func() bool { return w.process.stats.FilesOpen.Load() == 1 })
	w.append("app.log", "one\n")
	w.expect("one")
	w.rename("app.log", "app.log.1")
	w.expectPositionAnywhere("app.log.1")
	w.kill()
	w.append("app.log", "two\n")
	w.begin()
	w.expect("one", "two")
}

// A rotation while nothing runs leaves the unread end under a name that no input matches.
func TestRotatedOutOfTheInputsWhileNothingRuns(t *testing.T) {
	w := newWorld(t, "app.log")
	lines, text := numbered(0, 100)
	w.append("app.log", text[:3000])
	w.begin()
	w.awaitLines(50)
	w.stop()
	w.append("app.log", text[3000:])
	w.rename("app.log", "app.log.1")
	w.append("app.log", "fresh\n")
	w.begin()
	w.expect(append(lines, "fresh")...)
	if n := len(w.store.snapshots()); n != 2 {
		t.Errorf("there are %d rows", n)
	}
}

func TestRestartLogsOneLine(t *testing.T) {
	w := newWorld(t, "*.log")
	var want []string
	for i := range 20 {
		lines, text := numbered(i, i+1)
		want = append(want, lines...)
		w.append(numberedName("app", i)+".log", text)
	}
	w.begin()
	w.expect(want...)
	w.stop()
	before := strings.Count(w.log.String(), "level=INFO")
	w.begin()
	w.append("app.0.log", "more\n")
	w.expect(append(want, "more")...)
	w.expectLog("known=20")
	if n := strings.Count(w.log.String(), "level=INFO") - before; n != 1 {
		t.Errorf("%d lines", n)
	}
	w.append("late.log", "late\n")
	w.expectLog(`msg="reading file" path=` + w.path("late.log"))
}

// Another instance reads on while this one, which has looked at the file already, asks for its rows. What the rows then
// know and the look does not is no other content.
func TestRowsThatKnowMoreThanTheLastLook(t *testing.T) {
	w := newWorld(t)
	second := w.store.connect()
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	second.asks = func(prefix string) {
		if strings.HasSuffix(prefix, "#") { // the rows of an inode
			once.Do(func() { close(asked) })
			<-answer
		}
	}
	s, err := New(w.o)
	w.must(err)
	other := run(second, s)
	t.Cleanup(func() {
		other.stop()
		w.must(<-other.ended)
	})
	release := sync.OnceFunc(func() { close(answer) })
	t.Cleanup(release)
	w.expectLog("files found")
	w.begin()
	w.append("app.log", "first\n")
	w.expect("first")
	<-asked
	lines, text := numbered(0, 100)
	w.append("app.log", text)
	want := append([]string{"first"}, lines...)
	w.expect(want...)
	release()
	w.expectLog(fmt.Sprintf("#1 position=%d", len("first\n")+len(text)))
	w.stop()
	w.append("app.log", "last\n")
	w.expect(append(want, "last")...)
	if n := len(w.store.snapshots()); n != 1 {
		t.Errorf("there are %d rows", n)
	}
}

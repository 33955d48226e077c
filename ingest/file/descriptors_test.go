package file

import (
	"bytes"
	"compress/gzip"
	"os"
	"strings"
	"syscall"
	"testing"

	"logflume/pipeline"
)

// A compressed file that was removed while it was read does not stay open.
func TestRemovedCompressedFileIsLetGo(t *testing.T) {
	w := newWorld(t, "*.gz")
	c := w.store.connect()
	c.gate = make(chan struct{})
	w.gzip("app.gz", "one\ntwo\n")
	w.beginWith(c)
	w.await("the row", func() bool { return len(w.store.snapshots()) == 1 })
	w.remove("app.gz")
	w.expectLog("no longer found")
	close(c.gate)
	w.expect("one", "two")
	w.await("no open file", func() bool { return w.process.stats.FilesOpen.Load() == 0 })
}

// A compressed file that is still being written is read soon after it is complete.
func TestCompressedFileBeingWritten(t *testing.T) {
	w := newWorld(t, "*.gz")
	lines, text := numbered(0, 1000)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(text))
	w.must(err)
	w.must(z.Close())
	half := packed.Len() / 2
	w.append("app.gz", packed.String()[:half])
	w.begin()
	w.await("the file to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	w.append("app.gz", packed.String()[half:])
	w.expect(lines...)
}

func TestMoreFilesThanDescriptors(t *testing.T) {
	w := newWorld(t, "*.log")
	w.o.mostFiles, w.o.Grace = 2, aeon
	w.append("a.log", "a\n")
	w.append("b.log", "b\n")
	w.append("c.log", "c\n")
	w.append("d.log", "d\n")
	w.begin()
	w.expect("a", "b")
	w.expectLog("too many open files")
	w.remove("a.log")
	w.expectLog("no longer found")
	w.clock.advance(2 * aeon)
	w.expect("a", "b", "c")
	if n := strings.Count(w.log.String(), "too many open files"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

// newIdleKeeper returns a keeper whose goroutine does not run: the test is it.
func newIdleKeeper(t *testing.T, w *world) *keeper {
	t.Helper()
	w.must(w.o.complete())
	in := pipeline.NewIntake(w.store.connect(), pipeline.NewBudget(1<<20), &pipeline.Stats{}, 1)
	watch := newWatcher(w.o.Log)
	k := newKeeper(t.Context(), w.o, in, watch)
	t.Cleanup(func() {
		k.closeAll()
		watch.kernel.Close()
	})
	return k
}

// A directory that cannot be listed at the moment has not lost its files.
func TestUnlistedIsNotRemoved(t *testing.T) {
	w := newWorld(t, "*.log")
	w.append("app.log", "one\n")
	k := newIdleKeeper(t, w)
	k.scan()
	k.Inputs = nil // nothing is found any more
	k.scan()
	f := k.filesInOrder()[0]
	if !f.listed {
		t.Error("the file counts as removed")
	}
	w.remove("app.log")
	k.scan()
	if f.listed {
		t.Error("the file does not count as removed")
	}
}

func TestRefusedPathsAreForgotten(t *testing.T) {
	w := newWorld(t, "*")
	k := newIdleKeeper(t, w)
	w.must(syscall.Mkfifo(w.path("pipe"), 0o600))
	k.scan()
	k.scan()
	if n := strings.Count(w.log.String(), "file is not read"); n != 1 || len(k.refusal) != 1 {
		t.Errorf("logged %d times, %d kept", n, len(k.refusal))
	}
	if k.gauges.set(k); k.gauges.stats.FilesRefused.Load() != 1 {
		t.Errorf("%d are counted", k.gauges.stats.FilesRefused.Load())
	}
	w.remove("pipe")
	k.scan()
	if len(k.refusal) != 0 {
		t.Errorf("%d kept", len(k.refusal))
	}
}

// A file that another host has removed can no longer be read, and is reported once.
func TestUnreadableRemovedFileIsAbandoned(t *testing.T) {
	w := newWorld(t, "*.log")
	w.append("app.log", "one\n")
	k := newIdleKeeper(t, w)
	k.scan()
	w.remove("app.log")
	k.scan()
	f := k.filesInOrder()[0]
	f.handle.Close()
	for range 5 {
		k.look(f)
		k.failed(f, "read file", os.ErrClosed)
	}
	if n := strings.Count(w.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	w.clock.advance(2 * aeon)
	k.retry(f)
	if len(k.files) != 0 {
		t.Error("the file is kept")
	}
}

// Another directory under a watched name is watched.
func TestReplacedDirectoryIsWatched(t *testing.T) {
	w := newWorld(t)
	watch := newWatcher(w.o.Log)
	defer watch.kernel.Close()
	w.must(os.MkdirAll(w.path("a/logs"), 0o755))
	dirs := map[string]struct{}{w.path("a/logs"): {}}
	watch.sync(dirs)
	w.rename("a", "b") // no watch sees that
	w.must(os.MkdirAll(w.path("a/logs"), 0o755))
	watch.sync(dirs)
	w.append("a/logs/app.log", "one\n")
	if event := <-watch.events; event.Name != w.path("a/logs/app.log") {
		t.Error(event)
	}
}

package file

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"logflume/pipeline"
)

// pausable returns a connection that takes no more while full is set; stopped says that a source has met that.
func (w *world) pausable() (c *connection, full, stopped *atomic.Bool) {
	c, full, stopped = w.store.connect(), &atomic.Bool{}, &atomic.Bool{}
	c.full = func() bool { stopped.Store(full.Load()); return full.Load() }
	return c, full, stopped
}

// A source that is paused reads on where it stopped, whatever happens to its file meanwhile.
func TestPausedSourceGoesOn(t *testing.T) {
	w := newWorld(t, "app.log*")
	c, full, stopped := w.pausable()
	w.append("app.log", "one\n")
	w.beginWith(c)
	w.expect("one")
	full.Store(true)
	w.append("app.log", "two\n")
	w.await("the source is paused", stopped.Load)
	w.append("app.log", "three\n")
	w.rename("app.log", "app.log.1")
	full.Store(false)
	w.expect("one", "two", "three")
	w.expectPosition("app.log.1", 14)
	if log := w.log.String(); strings.Contains(log, "another instance") {
		t.Error("it was taken for another instance")
	}
}

func TestImportEndsWhenItIsPaused(t *testing.T) {
	w := newWorld(t)
	c := w.store.connect()
	c.full = func() bool { return true }
	w.append("app.log", "one\n")
	i, err := NewImport(ImportOptions{Paths: []string{w.path("app.log")}, Host: "host"})
	w.must(err)
	p := run(c, i)
	if err := <-p.ended; !errors.Is(err, pipeline.ErrPaused) {
		t.Errorf("the import ended with %v", err)
	}
	p.kill()
}

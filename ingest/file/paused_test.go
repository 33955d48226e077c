package file

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"logflume/pipeline"
)

// A source that is paused reads on where it stopped, whatever happens to its file meanwhile.
func TestPausedSourceGoesOn(t *testing.T) {
	w := newWorld(t, "app.log*")
	c := w.store.connect()
	var full, stopped atomic.Bool
	c.full = func() bool { stopped.Store(full.Load()); return full.Load() }
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

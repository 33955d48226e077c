package file

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// While the pipeline takes nothing, the library must not go on reading what could be a line without an end: it is ended,
// and its descriptor of the file with it.
func TestLibraryIsEndedWhileThePipelineIsFull(t *testing.T) {
	w := newWorld(t)
	c := w.store.connect()
	c.gate = make(chan struct{})
	var lines []string
	add := func() {
		lines = append(lines, fmt.Sprint("line ", len(lines)))
		w.append("app.log", lines[len(lines)-1]+"\n")
	}
	add()
	w.beginWith(c)
	w.await("the file to be followed", func() bool { return opened(t, w.path("app.log")) == 2 })
	w.await("the library to be ended", func() bool {
		add()
		return opened(t, w.path("app.log")) == 1
	})
	close(c.gate)
	w.expect(lines...)
}

// opened returns how many descriptors of the file at path this process has.
func opened(t *testing.T, path string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("NOT PROVEN without /proc:", err)
	}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && target == path {
			n++
		}
	}
	return n
}

package file

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"logflume/pipeline"
)

// What is allocated while a line without an end passes does not grow with it, however fast it is written. It does not run
// beside others, whose memory would be counted too.
//
//nolint:paralleltest // as said
func TestFollowingALineWithoutEnd(t *testing.T) {
	const (
		length = 64 << 20
		most   = length / 2
	)
	path := filepath.Join(t.TempDir(), "app.log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(err)
	defer file.Close()
	write := func(text string) {
		_, err := file.WriteString(text)
		must(err)
	}
	write("one\n")

	s, err := New(Options{Inputs: []Input{{Paths: []string{path}}}, Host: "host", LineLimit: 1 << 20, Log: slog.New(slog.DiscardHandler)})
	must(err)
	p := run(newStore().connect(), s)
	defer p.kill()
	defer func() { p.stop(); <-p.ended }()
	await := func(lines int) {
		late := time.After(4 * patience)
		for {
			p.mu.Lock()
			n, changed := len(p.lines), p.changed
			p.mu.Unlock()
			if n >= lines {
				return
			}
			select {
			case <-changed:
			case <-late:
				t.Fatalf("%d lines instead of %d", n, lines)
			}
		}
	}
	await(1)
	write("two\n") // it is being followed when that comes
	await(2)

	part := strings.Repeat("x", 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range length / len(part) {
		write(part)
	}
	write("\nthree\n")
	await(4)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > most {
		t.Errorf("%d MiB were allocated for a line of %d MiB", n>>20, length>>20)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	long, last := p.lines[2], p.lines[3]
	if long.length != length || len(long.text) > pipeline.MaxDeadLetter || last.text != "three" {
		t.Errorf("a line of %d bytes, of which %d are kept, and %q", long.length, len(long.text), last.text)
	}
}

// Nobody reads a followed file but the block reader, whose memory is the batches'.
func TestFollowedFileHasOneReader(t *testing.T) {
	w := newWorld(t)
	var lines []string
	for i := range 10 {
		lines = append(lines, fmt.Sprint("line ", i))
		w.append("app.log", lines[i]+"\n")
		if i == 0 {
			w.begin()
		}
		w.expect(lines...)
		if n := opened(t, w.path("app.log")); n != 1 {
			t.Fatalf("%d descriptors of the file after line %d", n, i)
		}
	}
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

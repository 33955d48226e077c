package file

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble has things done to a world of its own, in dir, and returns what is wrong at the end, and the log.
func inBubble(t *testing.T, dir string, do func(w *modelWorld)) (wrong []string, log string) {
	t.Helper()
	dir, err := os.MkdirTemp(dir, "logflume-model-") //nolint:usetesting // in memory, and one of thousands in a test
	must(err)
	defer os.RemoveAll(dir)
	synctest.Test(t, func(*testing.T) {
		w := newModelWorld(dir)
		do(w)
		w.rest()
		wrong, log = w.check(), w.log.String()
	})
	return wrong, log
}

// rest lets everything come to an end that can, with one process.
func (w *modelWorld) rest() {
	w.comeBack()
	w.refuse(0)
	for len(w.processes) > 1 {
		w.end(w.processes[1], false)
	}
	if len(w.processes) == 0 {
		w.start(false)
	}
	w.processes[0].kernel.hear()
	// The longest way: after a pause a file is found to be a copy, then a row is closed.
	w.settle(w.processes[0], 10*time.Second+2*modelCopyWait+modelGrace+scanInterval+rivalry)
	synctest.Wait() // a scan that is due now has a directory open
}

// check returns what is wrong at the end.
func (w *modelWorld) check() (wrong []string) {
	wrong = append(wrong, w.checkLines()...)
	wrong = append(wrong, w.checkOrder()...)
	wrong = append(wrong, w.checkFigures()...)
	before := len(w.store.texts())
	w.end(w.processes[0], false)
	if open := w.openFiles(); len(open) > 0 {
		wrong = append(wrong, fmt.Sprintf("open after the end: %v", open))
	}
	w.start(false)
	w.settle(w.processes[0], scanInterval+modelGrace)
	// What only a process that was killed has found is read by the next that starts, not by one that is running.
	after := slices.DeleteFunc(w.store.texts()[before:], func(text string) bool { return w.texts[text] == 0 })
	if len(after) > 0 {
		wrong = append(wrong, fmt.Sprintf("a restart reads %d lines again, as %.40q", len(after), after[0]))
	}
	w.end(w.processes[0], false)
	return wrong
}

// checkLines compares what was delivered with what was written.
func (w *modelWorld) checkLines() (wrong []string) {
	w.count()
	least, most := map[string]int{}, map[string]int{}
	for _, line := range w.writings {
		if line.twice {
			most[line.text]++
		}
		switch {
		case line.never:
			most[line.text] += 0
		case line.maybe || line.again:
			most[line.text]++
		default:
			least[line.text]++
			most[line.text]++
		}
	}
	for _, text := range slices.Sorted(maps.Keys(w.texts)) {
		switch n, limit := w.texts[text], most[text]; {
		case n > limit:
			wrong = append(wrong, fmt.Sprintf("%.40q: delivered %d times instead of %d", text, n, limit))
		}
	}
	for _, text := range slices.Sorted(maps.Keys(least)) {
		if n := w.texts[text]; n < least[text] {
			wrong = append(wrong, fmt.Sprintf("%.40q: delivered %d times instead of %d", text, n, least[text]))
		}
	}
	return wrong
}

// checkOrder looks whether each stream's lines are in order.
func (w *modelWorld) checkOrder() (wrong []string) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	next := map[string]int64{}
	for _, r := range w.store.lines {
		if r.offset < next[r.key] {
			wrong = append(wrong, fmt.Sprintf("%s: a line at %d after position %d", r.key, r.offset, next[r.key]))
		}
		next[r.key] = r.offset + r.length
	}
	for key, end := range next {
		if r := w.store.rows[key]; r.Position < end {
			wrong = append(wrong, fmt.Sprintf("%s: position %d before the last line's end %d", key, r.Position, end))
		}
	}
	return wrong
}

// checkFigures compares gauges and counters with what there is.
func (w *modelWorld) checkFigures() (wrong []string) {
	stats := w.processes[0].stats
	f := func(name string, got, want int64) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s is %d instead of %d", name, got, want))
		}
	}
	bodies := map[*body]bool{}
	for name, b := range w.names {
		if strings.HasPrefix(name, "logs/") || w.links["logs/link.log"] == name {
			bodies[b] = true
		}
	}
	var lag, optional int64 // a plain copy's stream begins at its end
	for b := range bodies {
		if n := len(b.pieces); b.begun && !b.packed {
			if size := int64(len(b.pieces[n-1].raw)); b.copied {
				optional += size
			} else {
				lag += size
			}
		}
	}
	f("files open", stats.FilesOpen.Load(), int64(len(bodies)))
	f("descriptors", int64(len(w.openFiles())), int64(len(bodies)))
	f("files held", stats.FilesHeld.Load(), 0)
	f("streams waiting", stats.FilesWaiting.Load(), 0)
	f("lag", min(max(stats.Lag.Load(), lag), lag+optional), stats.Lag.Load())
	lost := int64(0)
	for _, r := range w.store.snapshots() {
		lost += r.lost
	}
	if lost > int64(w.lost) {
		wrong = append(wrong, fmt.Sprintf("%d bytes are counted as lost, of which there are %d", lost, w.lost))
	}
	return wrong
}

// openFiles returns the files of this world that the test process has open.
func (w *modelWorld) openFiles() (open []string) {
	entries, err := os.ReadDir("/proc/self/fd")
	must(err)
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && strings.HasPrefix(target, w.dir+"/") {
			open = append(open, strings.TrimPrefix(target, w.dir))
		}
	}
	return open
}

package file

import (
	"testing"
	"time"
)

// resting returns the instance that waits because another reads the file, and the other one.
func (w *modelWorld) resting(name string) (rests, reads *modelProcess) {
	rests, reads = w.processes[0], w.processes[1]
	reads.ask(func(k *keeper) {
		if k.byPath[w.path(name)].state == resting {
			rests, reads = reads, rests
		}
	})
	return rests, reads
}

// An instance that has not seen a file since it was cut takes the size from before for none of what is there now.
func TestLostAfterARestIsOfTheNewContent(t *testing.T) {
	t.Parallel()
	wrong, log := inBubble(t, "", func(w *modelWorld) {
		w.start(false)
		w.start(false)
		w.sleep(time.Second)
		w.add(app, w.lines(5, 150, "\n")...)
		w.sleep(100 * time.Millisecond)
		rests, reads := w.resting(app)
		w.compress(app, app+".1.gz")
		w.sleep(100 * time.Millisecond)
		rests.kernel.lose()
		w.truncate(app)
		w.add(app, w.lines(1, 80, "\n")...)
		w.sleep(7 * time.Second)
		w.end(reads, false)
		w.truncate(app)
		w.add(app, w.lines(1, 90, "\n")...)
		w.sleep(scanInterval + time.Second)
	})
	for _, what := range wrong {
		t.Error(what)
	}
	if t.Failed() {
		t.Log(log)
	}
}

// What was written to a file after it was cut, and compressed when it had been renamed, is not new to an instance that rested
// meanwhile.
func TestCutRenamedAndCompressedDuringARest(t *testing.T) {
	t.Parallel()
	wrong, log := inBubble(t, "", func(w *modelWorld) {
		w.start(false)
		w.start(false)
		w.sleep(time.Second)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(100 * time.Millisecond)
		_, reads := w.resting(app)
		w.compress(app, app+".8.gz")
		w.truncate(app)
		w.end(reads, true)
		w.add(app, w.lines(1, 60, "\n")...)
		w.cascade(app)
		w.compress(moved, app+".9.gz")
		w.remove(moved)
		w.sleep(7 * time.Second)
	})
	for _, what := range wrong {
		t.Error(what)
	}
	if t.Failed() {
		t.Log(log)
	}
}

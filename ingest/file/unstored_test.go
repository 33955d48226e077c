package file

import (
	"testing"
	"time"
)

// unstoredCopies are what gets lost if a copy counts as read because its original was read, and the process is killed before
// that is committed.
var unstoredCopies = map[string]func(w *modelWorld){
	"the original is removed": func(w *modelWorld) {
		w.start(false)
		w.hold()
		w.add(app, w.lines(5, 100, "\n")...)
		w.sleep(time.Second)
		w.copy(app, moved)
		w.sleep(time.Second)
		w.remove(app)
		w.sleep(modelGrace + time.Second)
		w.end(w.processes[0], true)
	},
	"the original is removed, and a copy compressed": func(w *modelWorld) {
		w.start(false)
		w.hold()
		w.add(app, w.lines(5, 100, "\n")...)
		w.sleep(time.Second)
		w.copy(app, moved)
		w.remove(app)
		w.sleep(70 * time.Millisecond)
		w.compress(moved, app+".1.gz")
		w.remove(moved)
		w.sleep(modelGrace + time.Second)
		w.end(w.processes[0], true)
	},
	"the original is there for longer than the copy wait": func(w *modelWorld) {
		w.start(false)
		w.hold()
		w.add(app, w.lines(5, 100, "\n")...)
		w.sleep(time.Second)
		w.copy(app, moved)
		w.sleep(modelCopyWait + time.Second)
		w.end(w.processes[0], true)
		w.remove(app)
	},
	"the original is there for longer than the copy wait, the copy is compressed": func(w *modelWorld) {
		w.start(false)
		w.hold()
		w.add(app, w.lines(5, 100, "\n")...)
		w.sleep(time.Second)
		w.compress(app, app+".1.gz")
		w.sleep(modelCopyWait + 7*time.Second)
		w.end(w.processes[0], true)
		w.remove(app)
	},
}

func TestUnstoredCopies(t *testing.T) { runCases(t, unstoredCopies) }

package file

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

const (
	app   = "logs/app.log"
	moved = app + ".1"
	other = "logs/web.log"
)

// modelCases are what went wrong once, and a plain one.
var modelCases = map[string]func(w *modelWorld){
	"rotated by renaming and by copying": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.cascade(app)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.copytruncate(0)
		w.add(app, w.lines(5, 50, "\n")...)
	},
	"compressed before what was read is committed": func(w *modelWorld) {
		w.start(false)
		w.hold()
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.compress(app, app+".1.gz")
		w.truncate(app)
		w.sleep(5 * time.Second)
	},
	"compressed and removed while the database is away": func(w *modelWorld) {
		w.start(false)
		w.leave()
		w.add(moved, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.compress(moved, app+".1.gz")
		w.remove(moved)
		w.sleep(7 * time.Second)
	},
	"an empty file compressed": func(w *modelWorld) {
		w.start(false)
		w.add(app)
		w.compress(app, app+".1.gz")
	},
	"the line written between copy and truncation is read": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.copy(app, moved)
		w.sleep(time.Second)
		w.add(app, w.lines(1, 50, "\n")...)
		w.sleep(time.Second)
		w.truncate(app)
	},
	"the line written between compression and truncation is read": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.compress(app, app+".1.gz")
		w.sleep(time.Second)
		w.add(app, w.lines(1, 50, "\n")...)
		w.sleep(time.Second)
		w.truncate(app)
	},
	"copied while the database is away, cut later": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.leave()
		w.copy(app, moved)
		w.sleep(time.Second)
		w.add(app, w.lines(60, 300, "\n")...)
		w.sleep(time.Second)
		w.truncate(app)
		w.sleep(7 * time.Second)
	},
	"grown again with the same beginning, nothing is lost": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(4, 400, "\n")...)
		w.sleep(time.Second)
		w.regrow(14)
		w.sleep(time.Second)
	},
	"grown again while lines wait to be sent": func(w *modelWorld) {
		w.add(app, w.lines(1, 140, "\n")...)
		w.sleep(21 * time.Millisecond)
		w.start(false)
		w.sleep(21 * time.Millisecond)
		w.leave()
		w.sleep(time.Millisecond)
		w.add(app, w.lines(2, 172, "\n")...)
		w.sleep(91 * time.Millisecond)
		w.add(app, w.lines(5, 118, "\n")...)
		w.sleep(7 * time.Second)
		w.regrow(98)
		w.sleep(300 * time.Millisecond)
	},
	"grown again while the reader rests": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(1, 30_000, "\n")...)
		w.sleep(7 * time.Second)
		w.add(app, w.lines(2, 100, "\n")...)
		w.sleep(300 * time.Millisecond)
		w.refuse(3)
		w.add(app, w.lines(2, 60, "\n")...)
		w.sleep(time.Millisecond)
		w.copy(app, moved)
		w.sleep(60 * time.Millisecond)
		w.regrow(16)
		w.sleep(300 * time.Millisecond)
	},
	"passed over, killed before that is stored": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 100, "\n")...)
		w.sleep(time.Second)
		w.copy(app, moved)
		w.sleep(time.Second)
		w.hold()
		w.sleep(modelCopyWait)
		w.end(w.processes[0], true)
		w.remove(moved)
	},
	"copied before the first start": func(w *modelWorld) {
		w.add(other, w.lines(5, 100, "\n")...)
		w.copy(other, moved)
		w.add(other, w.lines(5, 100, "\n")...)
		w.start(false)
	},
	"cut between the look and the decision": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 100, "\n")...)
		w.sleep(time.Second)
		w.end(w.processes[0], false)
		w.leave()
		w.start(false)
		w.sleep(time.Second)
		w.processes[0].kernel.lose()
		w.truncate(app)
		w.comeBack()
		w.sleep(100 * time.Millisecond)
		w.add(app, w.lines(5, 100, "\n")...)
	},
	"two copies of what was cut": func(w *modelWorld) {
		w.start(false)
		w.add(other, w.lines(5, 100, "\n")...)
		w.sleep(7 * time.Second)
		w.processes[0].kernel.lose()
		w.add(other, w.lines(1, 100, "\n")...)
		w.copy(other, "logs/a.log")
		w.add(other, w.lines(5, 100, "\n")...)
		w.copy(other, "logs/b.log")
		w.truncate(other)
		w.sleep(16 * time.Second)
	},
	"another instance continues what this one has seen cut": func(w *modelWorld) {
		w.start(false)
		w.hold()
		w.add(app, w.lines(1, 200, "\n")...)
		w.sleep(300 * time.Millisecond)
		w.compress(app, app+".1.gz")
		w.truncate(app)
		w.start(false)
		w.sleep(300 * time.Millisecond)
		w.add(app, w.lines(1, 50, "\n")...)
		w.sleep(70 * time.Millisecond)
	},
	"a copy that is held is compressed": func(w *modelWorld) {
		w.start(false)
		w.sleep(time.Second)
		w.leave()
		w.add(app, w.lines(2, 100, "\n")...)
		w.sleep(time.Second)
		w.copy(app, moved)
		w.sleep(time.Second)
		w.truncate(app)
		w.sleep(time.Second)
		w.processes[0].kernel.lose()
		w.compress(moved, app+".1.gz")
		w.sleep(time.Second)
		w.remove(moved)
	},
	"cut, with copies beside, while one instance rests": func(w *modelWorld) {
		w.start(false)
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(7 * time.Second)
		for i := range 6 {
			w.copy(app, fmt.Sprintf("logs/copy.log.%d", i))
		}
		w.sleep(time.Second)
		w.add(app, w.lines(1, 50, "\n")...)
		w.sleep(100 * time.Millisecond)
		w.copy(app, moved)
		w.sleep(100 * time.Millisecond)
		w.truncate(app)
		w.sleep(7 * time.Second)
	},
	"cut and copied again while the reader rests": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.refuse(1)
		w.add(app, w.lines(2, 50, "\n")...)
		w.sleep(300 * time.Millisecond)
		w.compress(app, app+".2.gz")
		w.sleep(100 * time.Millisecond)
		w.truncate(app)
		w.add(app, w.lines(3, 50, "\n")...)
		w.sleep(100 * time.Millisecond)
		w.copy(app, moved)
		w.sleep(100 * time.Millisecond)
		w.add(app, w.lines(2, 50, "\n")...)
		w.sleep(7 * time.Second)
		w.truncate(app)
	},
	"cut before and copy found after the database went away": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.processes[0].kernel.lose()
		w.copy(app, moved)
		w.truncate(app)
		w.sleep(time.Second)
		w.leave()
		w.sleep(modelCopyWait + scanInterval)
	},
	"compressed before the database told whose copy it is": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(7 * time.Second)
		w.leave()
		w.copy(app, moved)
		w.sleep(time.Millisecond)
		w.truncate(app)
		w.sleep(300 * time.Millisecond)
		w.compress(moved, app+".2.gz")
		w.remove(moved)
		w.sleep(21 * time.Millisecond)
	},
	"compressed while another instance continues the copy": func(w *modelWorld) {
		w.start(false)
		w.start(false)
		w.sleep(time.Millisecond)
		w.add(app, w.lines(3, 44, "\n")...)
		w.sleep(21 * time.Millisecond)
		w.truncate(app)
		synctest.Wait()
		w.add(app, w.lines(7, 80, "\n")...)
		w.sleep(2 * time.Second)
		w.hold()
		w.sleep(300 * time.Millisecond)
		w.copytruncate(72)
		w.sleep(70 * time.Millisecond)
		w.add(app, w.lines(1, 130, "\n")...)
		w.sleep(time.Millisecond)
		w.compress(moved, app+".2.gz")
		w.sleep(7 * time.Second)
		w.remove(moved)
	},
	"found by another instance when it has grown again the same": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(4, 300, "\n")...)
		w.sleep(time.Second)
		w.refuse(1)
		w.regrow(96)
		w.sleep(70 * time.Millisecond)
		w.start(false)
		w.sleep(300 * time.Millisecond)
	},
}

func TestModelCases(t *testing.T) { runCases(t, modelCases) }

func runCases(t *testing.T, cases map[string]func(w *modelWorld)) {
	t.Helper()
	for name, do := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong, log := inBubble(t, "", do)
			for _, what := range wrong {
				t.Error(what)
			}
			if len(wrong) > 0 {
				t.Log(log)
			}
		})
	}
}

package file

import (
	"testing"
	"time"
)

// lateCopies are what goes wrong if a copy that was made earlier, and found earlier, keeps the stream.
var lateCopies = map[string]func(w *modelWorld){
	"a longer compressed one, found late": func(w *modelWorld) {
		w.start(false)
		w.copiedTwice(2, 50, (*modelWorld).copy, (*modelWorld).compress)
	},
	"a longer compressed one of many lines, found late": func(w *modelWorld) {
		w.start(false)
		w.copiedTwice(20, 500, (*modelWorld).copy, (*modelWorld).compress)
	},
	"a longer plain one, found late": func(w *modelWorld) {
		w.start(false)
		w.copiedTwice(20, 500, (*modelWorld).copy, (*modelWorld).copy)
	},
	"both compressed": func(w *modelWorld) {
		w.start(false)
		w.copiedTwice(2, 50, (*modelWorld).compress, (*modelWorld).compress)
	},
	"both compressed, many lines": func(w *modelWorld) {
		w.start(false)
		w.copiedTwice(20, 500, (*modelWorld).compress, (*modelWorld).compress)
	},
	"killed when it is found": func(w *modelWorld) {
		w.start(false)
		w.copiedTwice(20, 500, (*modelWorld).copy, (*modelWorld).compress)
		w.end(w.processes[0], true)
	},
	"a plain one of what is not stored, and a compressed one": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(4, 80, "\n")...)
		w.sleep(7 * time.Second)
		w.add(app, w.lines(8, 80, "\n")...)
		w.copy(app, moved)
		w.leave()
		w.sleep(time.Millisecond)
		w.add(app, w.lines(8, 80, "\n")...)
		w.compress(app, app+".1.gz")
		w.truncate(app)
		w.add(app, w.lines(5, 80, "\n")...)
		w.sleep(2 * time.Second)
	},
	"both have more than was read": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(2, 50, "\n")...)
		w.sleep(100 * time.Millisecond)
		w.refuse(1)
		w.add(app, w.lines(2, 50, "\n")...)
		w.sleep(100 * time.Millisecond)
		w.copy(app, moved)
		w.add(app, w.lines(2, 50, "\n")...)
		w.sleep(100 * time.Millisecond)
		w.processes[0].kernel.lose()
		w.compress(app, app+".2.gz")
		w.truncate(app)
		w.sleep(scanInterval + time.Second)
	},
}

// A copier makes a copy of one file as another.
type copier func(w *modelWorld, from, to string) *body

// copiedTwice writes lines that are read, has two copies made, of which the later one has the beginning of a further line
// too and is not noticed, and truncates.
func (w *modelWorld) copiedTwice(lines, size int, early, late copier) {
	w.add(app, w.lines(lines, size, "\n")...)
	w.sleep(100 * time.Millisecond)
	early(w, app, moved)
	w.sleep(100 * time.Millisecond)
	w.begin(app, 46)
	w.sleep(time.Second)
	for _, p := range w.processes {
		p.kernel.lose()
	}
	late(w, app, app+".2")
	w.truncate(app)
	w.sleep(scanInterval + time.Second)
}

func TestLateCopies(t *testing.T) { runCases(t, lateCopies) }

// A file that begins as another ends must not be taken for its copy because that was one.
func TestMoreThanABanner(t *testing.T) {
	const banner = "the same at every start"
	w := newWorld(t, "*.log*")
	w.append("app.log", banner+"\n")
	w.begin()
	w.expect(banner)
	w.copy("app.log", "app.log.1")
	w.truncate("app.log")
	w.expectLog("continues a stream")
	w.append("web.log", banner+"\nand more\n")
	w.append("old.log.gz", string(gzipOf([]byte(banner+"\nfrom long ago\n"))))
	w.expect(banner, banner, banner, "and more", "from long ago")
}

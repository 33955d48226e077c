package file

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// An action is one thing that happens: what, how, and how long it is quiet afterwards.
type action struct{ what, how, then byte }

func (a action) String() string {
	return fmt.Sprintf("%s(%d) then %s", a.kind().name, a.how, pauseName(a.then))
}

func (a action) kind() actionKind { return actionKinds[int(a.what)%len(actionKinds)] }

// encode and decode are the form of actions in a corpus.
func encode(actions []action) (p []byte) {
	for _, a := range actions {
		p = append(p, a.what, a.how, a.then)
	}
	return p
}

func decode(p []byte) (actions []action) {
	for ; len(p) >= 3; p = p[3:] {
		actions = append(actions, action{p[0], p[1], p[2]})
	}
	return actions
}

// pauses are those between two actions. At 0 both go on at once; at 1 everything has come to rest that need not wait.
var pauses = []time.Duration{0, 0, 1, 1, time.Millisecond, 21 * time.Millisecond, 70 * time.Millisecond,
	300 * time.Millisecond, 2 * time.Second, 7 * time.Second}

func pauseName(b byte) string { return pauses[int(b)%len(pauses)].String() }

func (w *modelWorld) pause(b byte) (d time.Duration) {
	switch d = pauses[int(b)%len(pauses)]; d {
	case 0:
	case 1:
		synctest.Wait()
	default:
		w.sleep(d)
	}
	return d
}

// window appends lines to a file that has been copied, a while ago, and is to be truncated: nobody but a quick reader gets
// them. That the copy is one of what it has read it knows only if it saw the two when both were whole.
func (w *modelWorld) window(name string, copied *body, ago time.Duration, how int) {
	w.write1(name, w.lines(1+how%3, 30, "\n"))
	w.delicate = append(w.delicate, copied)
	for _, p := range w.processes {
		if ago < p.attention() || w.away != nil {
			unproven([]*body{copied})
		}
	}
	// Of two equal files that nobody has looked at before either can be the copy.
	if len(w.processes) == 0 || slices.Contains(w.unknown, copied) {
		unproven([]*body{copied})
	}
	w.pause(byte(how >> 4))
}

func (w *modelWorld) do(a action) {
	a.kind().do(w, int(a.how))
	w.pause(a.then)
}

type actionKind struct {
	name string
	do   func(w *modelWorld, how int)
}

// actionKinds must keep its order: corpora name actions by their index.
var actionKinds = []actionKind{
	{"append lines", func(w *modelWorld, how int) { w.write1(service(how), w.lines(1+how/2%5, 10+how, "\n")) }},
	{"append many lines", func(w *modelWorld, how int) { w.write1(service(how), w.lines(60, 100+2*how, "\n")) }},
	{"append a part of a line", func(w *modelWorld, how int) { w.begin(service(how), 10+how) }},
	{"finish the line", func(w *modelWorld, how int) { w.finish(service(how)) }},
	{"append blank lines and CRLF", func(w *modelWorld, how int) {
		w.write1(service(how), append([]piece{{raw: "\n \t\r\n"}}, w.lines(2, 30, "\r\n")...))
	}},
	{"append a long line", func(w *modelWorld, how int) { w.write1(service(how), w.lines(1, 1000+150*how, "\n")) }},
	{"rotate by renaming", func(w *modelWorld, how int) { w.cascade(service(how)); w.touch(service(how), how&2 != 0) }},
	{"append late to the rotated file", func(w *modelWorld, how int) {
		if b := w.names[service(how)+".1"]; b != nil && !b.copied {
			w.write1(service(how)+".1", w.lines(2, 40, "\n"))
		}
	}},
	{"remove", func(w *modelWorld, how int) { w.removeIf(rotated(how)) }},
	{"copy and truncate", (*modelWorld).copytruncate},
	{"compress and truncate", (*modelWorld).compresstruncate},
	{"compress the rotated file", func(w *modelWorld, how int) {
		if name := service(how) + ".1"; w.names[name] != nil && !w.names[name].begun {
			w.serial++
			w.compress(name, fmt.Sprintf("%s.%d.gz", service(how), w.serial))
			w.pause(byte(how >> 4))
			w.remove(name)
		}
	}},
	{"truncate", func(w *modelWorld, how int) {
		if w.names[service(how)] != nil {
			w.truncate(service(how))
		}
	}},
	{"truncate and grow past", func(w *modelWorld, how int) {
		b := w.names[service(how)]
		if b == nil {
			return
		}
		n := b.size()/60 + 1
		w.truncate(service(how))
		w.pause(byte(how >> 4))
		w.write1(service(how), w.lines(n, 80, "\n"))
	}},
	{"grow again with the same beginning", (*modelWorld).regrow},
	{"copy beside", func(w *modelWorld, how int) {
		// Of two equal files that nobody has looked at before either can be the copy.
		if len(w.processes) > 0 && w.away == nil && w.known(service(how)) {
			w.serial++
			w.delicate = append(w.delicate, w.copy(service(how), fmt.Sprintf("logs/copy.log.%d", w.serial)))
		}
	}},
	{"move away or back", (*modelWorld).moveAway},
	{"link or unlink", func(w *modelWorld, how int) {
		const link = "logs/hard.log"
		if w.names[link] != nil {
			w.remove(link)
		} else if b := w.names[service(how)]; b != nil {
			must(os.Link(w.path(service(how)), w.path(link)))
			w.names[link] = b
			b.names[link] = true
			w.emit(w.path(link), fsnotify.Create)
		}
	}},
	{"append through a symbolic link", func(w *modelWorld, how int) {
		if target := w.links["logs/link.log"]; target != "" {
			w.write1(target, w.lines(1+how%4, 50, "\n"))
		}
	}},
	{"swap the symbolic link", (*modelWorld).swap},
	{"restore the rotated file from a copy", func(w *modelWorld, how int) {
		name := service(how) + ".1"
		if w.names[name] == nil {
			return
		}
		w.serial++
		backup := fmt.Sprintf("away/backup.%d", w.serial)
		w.copy(name, backup)
		w.rename(backup, name)
	}},
	{"kill", func(w *modelWorld, how int) { w.endOne(how, true) }},
	{"kill and start", func(w *modelWorld, how int) { w.endOne(how, true); w.startOne(how) }},
	{"stop", func(w *modelWorld, how int) { w.endOne(how, false) }},
	{"start", (*modelWorld).startOne},
	{"hold commits back", func(w *modelWorld, _ int) { w.hold() }},
	{"allow commits", func(w *modelWorld, how int) { w.allow(1 + how%4) }},
	{"let commits through", func(w *modelWorld, _ int) {
		if w.away == nil {
			w.open()
		}
	}},
	{"refuse commits", func(w *modelWorld, how int) { w.refuse(1 + how%3) }},
	{"take the database away", func(w *modelWorld, _ int) { w.leave() }},
	{"bring the database back", func(w *modelWorld, _ int) { w.comeBack() }},
	{"lose events", func(w *modelWorld, _ int) {
		for _, p := range w.processes {
			p.kernel.lose()
		}
	}},
	{"report lost events", func(w *modelWorld, _ int) {
		for _, p := range w.processes {
			p.kernel.hear()
		}
	}},
	{"wait", func(w *modelWorld, how int) { w.sleep(time.Duration(how) * 100 * time.Millisecond) }},
}

func service(how int) string { return []string{"logs/app.log", "logs/web.log"}[how&1] }

func rotated(how int) string {
	return service(how) + []string{"", ".1", ".2", ".3"}[how>>1&3]
}

// write1 is one write, to a file that has no part of a line.
func (w *modelWorld) write1(name string, pieces []piece) {
	w.finish(name)
	w.add(name, pieces...)
}

func (w *modelWorld) touch(name string, really bool) {
	if really && w.names[name] == nil {
		w.add(name)
	}
}

func (w *modelWorld) removeIf(name string) {
	if w.names[name] != nil {
		w.remove(name)
	}
}

// cascade makes room for name.1 and moves name there.
func (w *modelWorld) cascade(name string) {
	w.cascadeCopies(name)
	w.rename(name, name+".1")
	delete(w.torn, name)
}

func (w *modelWorld) cascadeCopies(name string) {
	w.rename(name+".2", name+".3")
	w.rename(name+".1", name+".2")
}

func (w *modelWorld) copytruncate(how int) {
	name := service(how)
	if w.names[name] == nil {
		return
	}
	w.cascadeCopies(name)
	w.pause(byte(how >> 2))
	copied := w.copy(name, name+".1")
	ago := w.pause(byte(how >> 3))
	if how&2 != 0 {
		w.window(name, copied, ago, how)
	}
	w.truncate(name)
}

func (w *modelWorld) compresstruncate(how int) {
	name := service(how)
	if w.names[name] == nil || w.names[name].size() == 0 {
		return
	}
	w.serial++
	copied := w.compress(name, fmt.Sprintf("%s.%d.gz", name, w.serial))
	ago := w.pause(byte(how >> 3))
	if how&2 != 0 {
		w.window(name, copied, ago, how)
	}
	w.truncate(name)
}

// regrow truncates a file and writes its first KiB again, as a program does that begins each file with the same text.
func (w *modelWorld) regrow(how int) {
	name := service(how)
	b := w.names[name]
	if b == nil {
		return
	}
	n, size := 0, 0
	for n < len(b.pieces) && size < headSizeMax && strings.HasSuffix(b.pieces[n].raw, "\n") {
		size += len(b.pieces[n].raw)
		n++
	}
	if size < headSizeMax {
		return
	}
	again := slices.Clone(b.pieces[:n])
	for i := range again {
		if p := &again[i]; p.line != nil {
			p.line = &writing{text: p.line.text, again: true}
			w.writings = append(w.writings, p.line)
		}
	}
	whole := n == len(b.pieces)
	b.former = append(b.former, b.content())
	w.truncate(name)
	w.pause(byte(how >> 4))
	delete(w.torn, name)
	b.grown, b.both = true, whole && len(w.processes) > 1
	w.add(name, append(again, w.lines(1+how%40, 60, "\n")...)...)
}

func (w *modelWorld) moveAway(how int) {
	name := rotated(how)
	there := "away/" + strings.TrimPrefix(name, "logs/")
	switch {
	case w.names[there] != nil && w.names[name] == nil:
		w.rename(there, name)
	case w.names[name] != nil && !w.names[name].begun:
		w.rename(name, there)
	}
}

func (w *modelWorld) swap(how int) {
	const link = "logs/link.log"
	w.serial++
	target := fmt.Sprintf("data/current.%d", w.serial)
	w.add(target, w.lines(how%3, 50, "\n")...)
	temporary := w.path("away/link")
	must(os.Symlink(w.path(target), temporary))
	must(os.Rename(temporary, w.path(link)))
	former := w.names[w.links[link]]
	w.links[link] = target
	w.emit(w.path(link), fsnotify.Create)
	if former != nil {
		w.abandoned(former)
	}
}

func (w *modelWorld) endOne(how int, kill bool) {
	if n := len(w.processes); n > 0 {
		w.end(w.processes[how%n], kill)
	}
}

func (w *modelWorld) startOne(how int) {
	for _, p := range w.processes {
		p.kernel.hear()
	}
	if n := len(w.processes); n < 2 {
		w.start(n == 0 && how%5 == 0) // of two, one that is late does not learn what became of a file in between
	}
}

func (w *modelWorld) refuse(n int) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.refusals = n
}

// known reports whether a stream of the file's present content has been begun.
func (w *modelWorld) known(name string) bool {
	info, err := os.Stat(w.path(name))
	if err != nil {
		return false
	}
	content := w.names[name].content()
	return slices.ContainsFunc(w.store.snapshots(), func(s snapshot) bool {
		return s.place == placeOf(info) && s.matches(content[:min(len(content), headSizeMax)])
	})
}

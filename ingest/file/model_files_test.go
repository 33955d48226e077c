package file

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A writing is one line that was written once. Its bytes may lie in several files: a copy has the same ones.
type writing struct {
	text  string // as it is to be delivered
	maybe bool   // nobody could know of it any more, or it cannot be told from another: it may be delivered
	never bool   // a part of a line, which more will follow
	again bool   // written a second time: nobody can tell it from the first
	twice bool   // it lies in a copy that nothing proves to be one
}

// A piece is some bytes of a content: a whole line, a blank one, or at the end a part of one.
type piece struct {
	raw  string
	line *writing // nil for blank ones
}

// A body is an inode.
type body struct {
	pieces []piece
	begun  bool // the last piece has no newline yet
	packed bool
	grown  bool // has the beginning that another content had at the same place
	cut    bool // held another content before
	both   bool // has all of another content that two instances have read: one may still take it for that
	copied bool // made by copying, and not by a writer
	born   time.Time
	since  time.Time // when the present content began
	grew   time.Time // when something was added last
	former [][]byte  // contents that were cut and had the same beginning as the next
	names  map[string]bool
	held   map[*modelProcess]bool // processes that have surely opened it
}

func (b *body) content() []byte {
	var p []byte
	for _, piece := range b.pieces {
		p = append(p, piece.raw...)
	}
	return p
}

func (b *body) size() (n int) {
	for _, p := range b.pieces {
		n += len(p.raw)
	}
	return n
}

func (b *body) has(w *writing) bool {
	return slices.ContainsFunc(b.pieces, func(p piece) bool { return p.line == w })
}

// modelFiles does things to real files and keeps account of what lies where.
type modelFiles struct {
	dir      string
	names    map[string]*body // relative to dir
	bodies   []*body          // all that were ever reachable
	links    map[string]string
	torn     map[string]string // what a writer has still to write of a line whose beginning was cut off
	writings []*writing
	serial   int
	stamps   int
	lost     int // bytes that were destroyed and may not have been read
	emit     func(path string, op fsnotify.Op)
	done     func(text string) bool // it was committed
	copied   func(name string, b *body)
	noticed  func() time.Duration // how long it takes until a cut is seen
}

func newModelFiles(dir string) *modelFiles {
	f := &modelFiles{dir: dir, names: map[string]*body{}, links: map[string]string{}, torn: map[string]string{}}
	for _, sub := range []string{"logs", "away", "data"} {
		must(os.Mkdir(filepath.Join(dir, sub), 0o755))
	}
	return f
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (f *modelFiles) path(name string) string { return filepath.Join(f.dir, name) }

// stamp gives a file that was written a new time of modification: the kernel's changes every few milliseconds, in which
// here a whole life may pass.
func (f *modelFiles) stamp(name string) {
	f.stamps++
	at := time.Unix(1_700_000_000, 0).Add(time.Duration(f.stamps) * time.Millisecond)
	must(os.Chtimes(f.path(name), at, at))
}

func (f *modelFiles) create(name string) *body {
	b := &body{born: time.Now(), since: time.Now(), names: map[string]bool{name: true}, held: map[*modelProcess]bool{}}
	f.names[name] = b
	f.bodies = append(f.bodies, b)
	return b
}

// newLine makes up a line of about size bytes. Any part of it that has its beginning or its end is like no other's.
func (f *modelFiles) newLine(size int) string {
	f.serial++
	return fmt.Sprintf("%06d %s %06d", f.serial, strings.Repeat("x", size), f.serial)
}

func (f *modelFiles) write(text string) *writing {
	text = strings.TrimSuffix(text, "\r")
	if len(text) > modelLineLimit {
		text = text[:modelLineLimit]
	}
	w := &writing{text: text}
	f.writings = append(f.writings, w)
	return w
}

// add appends pieces to a file.
func (f *modelFiles) add(name string, pieces ...piece) {
	b := f.names[name]
	op := fsnotify.Write
	if b == nil {
		b = f.create(name)
		op |= fsnotify.Create
	}
	var p []byte
	for _, piece := range pieces {
		p = append(p, piece.raw...)
	}
	h, err := os.OpenFile(f.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	must(err)
	_, err = h.Write(p)
	must(err)
	must(h.Close())
	if len(b.pieces) == 0 {
		b.since = time.Now()
	}
	b.pieces, b.grew = append(b.pieces, pieces...), time.Now()
	if b.both {
		unproven([]*body{b})
	}
	f.stamp(name)
	f.emit(f.path(name), op)
}

// lines makes pieces of n new lines.
func (f *modelFiles) lines(n, size int, end string) (pieces []piece) {
	for range n {
		text := f.newLine(size)
		pieces = append(pieces, piece{raw: text + end, line: f.write(text)})
	}
	return pieces
}

// begin appends a part of a line, which finish makes whole.
func (f *modelFiles) begin(name string, size int) {
	if b := f.names[name]; b != nil && b.begun {
		return
	}
	text := f.newLine(size)
	w := f.write(text[:7+size/2])
	w.never = true // until it is known that nothing follows
	f.add(name, piece{raw: w.text, line: w})
	f.names[name].begun = true
}

// restOf is what is still to be written of a line that begins with part.
func restOf(part string) string { return strings.Repeat("y", 20) + " " + part[:6] + "\n" }

// finish appends the rest of the line that a file was left with.
func (f *modelFiles) finish(name string) {
	b := f.names[name]
	if rest := f.torn[name]; rest != "" && b != nil && !b.begun {
		delete(f.torn, name)
		f.add(name, piece{raw: rest, line: f.write(strings.TrimSuffix(rest, "\n"))})
	}
	if b == nil || !b.begun {
		return
	}
	b.begun = false
	last := b.pieces[len(b.pieces)-1]
	rest := restOf(last.raw)
	w := f.write(last.raw + strings.TrimSuffix(rest, "\n"))
	f.add(name, piece{raw: rest})
	b.pieces = append(b.pieces[:len(b.pieces)-2], piece{raw: last.raw + rest, line: w})
}

// release takes a name from what has it.
func (f *modelFiles) release(name string) *body {
	b := f.names[name]
	delete(f.names, name)
	delete(b.names, name)
	return b
}

func (f *modelFiles) rename(from, to string) {
	if from == to || f.names[from] == nil || f.names[from] == f.names[to] {
		return
	}
	var over *body
	if f.names[to] != nil {
		over = f.release(to)
	}
	must(os.Rename(f.path(from), f.path(to)))
	b := f.release(from)
	f.names[to] = b
	b.names[to] = true
	f.emit(f.path(from), fsnotify.Rename)
	f.emit(f.path(to), fsnotify.Create)
	if over != nil {
		f.abandoned(over)
	}
	f.restored(b)
}

func (f *modelFiles) remove(name string) {
	must(os.Remove(f.path(name)))
	b := f.release(name)
	f.emit(f.path(name), fsnotify.Remove)
	f.abandoned(b)
}

func (f *modelFiles) truncate(name string) {
	b := f.names[name]
	must(os.Truncate(f.path(name), 0))
	f.stamp(name)
	f.emit(f.path(name), fsnotify.Write)
	if b.begun {
		f.torn[name] = restOf(b.pieces[len(b.pieces)-1].raw)
	}
	f.cut(b)
}

// cut notes that b's content is gone.
func (f *modelFiles) cut(b *body) {
	gone := b.pieces
	n := len(b.former)
	grown := n > 0 && bytes.HasPrefix(b.content(), b.former[n-1][:headSizeMax])
	if grown || b.cut && time.Since(b.since) < f.noticed() {
		f.lost += b.size() // who has not seen the cut before takes this for more of what was there then
	}
	b.cut = true
	b.pieces, b.begun, b.both = nil, false, false
	f.destroyed(gone)
}

func (f *modelFiles) copy(from, to string) *body {
	p := f.names[from].content()
	b := f.create(to)
	b.copied = true
	must(os.WriteFile(f.path(to), p, 0o644))
	b.pieces, b.begun = slices.Clone(f.names[from].pieces), f.names[from].begun
	f.stamp(to)
	f.copied(from, b)
	f.emit(f.path(to), fsnotify.Create|fsnotify.Write)
	return b
}

func (f *modelFiles) compress(from, to string) *body {
	b := f.create(to)
	b.packed, b.copied = true, true
	must(os.WriteFile(f.path(to), gzipOf(f.names[from].content()), 0o644))
	b.pieces, b.begun = slices.Clone(f.names[from].pieces), f.names[from].begun
	if n := len(b.pieces); b.begun { // a compressed file is complete, so its last line is one
		b.pieces[n-1].line.loosen()
	}
	f.stamp(to)
	f.copied(from, b)
	f.emit(f.path(to), fsnotify.Create|fsnotify.Write)
	return b
}

// reachable reports whether b can still be read: by a name, or by a descriptor.
func (f *modelFiles) reachable(b *body) bool {
	return len(b.held) > 0 || f.named(b)
}

// named reports whether b has a name that an input matches.
func (f *modelFiles) named(b *body) bool {
	for name := range b.names {
		if strings.HasPrefix(name, "logs/") || f.links["logs/link.log"] == name {
			return true
		}
	}
	return false
}

// loosen notes of a part of a line that it may be taken for a whole one, as its file is finished.
func (w *writing) loosen() {
	if w.never {
		w.never, w.maybe = false, true
	}
}

// abandoned looks what is lost when b may have become unreachable.
func (f *modelFiles) abandoned(b *body) {
	if b.begun {
		b.pieces[len(b.pieces)-1].line.loosen()
	}
	if !f.reachable(b) {
		f.destroyed(b.pieces)
	}
}

// destroyed notes that a file does not have pieces any more.
func (f *modelFiles) destroyed(pieces []piece) {
	for _, p := range pieces {
		switch {
		case p.line == nil, p.line.again: // whether it was read a second time, the text does not tell
			f.lost += len(p.raw)
		case !f.done(p.line.text):
			f.lost += len(p.raw)
			if !f.elsewhere(p.line) {
				p.line.maybe = true
			}
		}
	}
}

// elsewhere reports whether another file has the line. It is not passed over as a mere copy before the line is stored.
func (f *modelFiles) elsewhere(w *writing) bool {
	return slices.ContainsFunc(f.bodies, func(b *body) bool {
		return f.reachable(b) && b.has(w)
	})
}

// restored notes that b can be read again.
func (f *modelFiles) restored(b *body) {
	if !f.reachable(b) {
		f.abandoned(b)
		return
	}
	for _, p := range b.pieces {
		if p.line != nil && !b.packed && strings.HasSuffix(p.raw, "\n") {
			p.line.maybe = false
		}
	}
}

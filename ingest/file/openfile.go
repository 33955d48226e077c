package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"logflume/pipeline"
)

// state is what is being done about an open file.
//
//	unplaced ─► placing ─► idle ◄─► queued, active ─► (finished: the descriptor is closed)
//	   ▲  ▲        │         │             │
//	 empty │       ├─► held ─┘             ├─► resting ─► placing or queued
//	       │       └─► refused             ├─► done (compressed, read to its end)
//	       └──────── replaced ◄────────────┴─► orphaned
type state int

const (
	unplaced state = iota // its row is not known yet
	empty                 // has no content, so nothing tells whose it is
	placing               // the database was asked, or a digest is being made
	held                  // looks like a copy in progress
	idle                  // read to its end
	queued                // to be read, as soon as it is its turn
	active                // a goroutine reads it; reading belongs to that goroutine
	resting               // tried again at retry
	done                  // a compressed file that was read
	refused               // cannot be read as lines
	orphaned              // its row is gone
)

// An openFile is an inode whose descriptor we hold.
type openFile struct {
	place
	handle  *os.File
	path    string // the name it has, as far as is known
	found   string // the name that discovery found last
	input   int    // index of the input that owns it
	packing packing
	state   state

	listed  bool      // discovery finds it
	scan    int       // number of the scan that found it last
	missing time.Time // since when discovery does not find it
	deleted time.Time // since when it has no name at all; zero while it has one
	owed    int64     // its size then
	cut     bool      // it is given up

	head     []byte    // first bytes when it was placed
	size     int64     // as last looked at
	modified time.Time // as last looked at
	peak     int64     // largest size since it was placed, until it shrank
	changed  time.Time // when a look last found it changed

	row      *row
	reading  *reading
	read     milestone        // how far it was read when that was stopped
	stopped  *pipeline.Stream // what it was then read as
	again    bool             // changed while it was busy
	renamed  bool             // its new name is not in its row yet
	finish   bool             // the goroutine reads it to its end for good
	followed bool             // the goroutine may follow it
	leave    chan struct{}    // closed to end that
	abort    func()           // ends the goroutine, whatever it waits for
	yield    func()           // gives back its turn to read

	late      bool      // found after the start
	troubled  bool      // the last attempt on it ended with an error, which was logged
	stray     bool      // opened by a stored path, and of no interest if it is not that stream's
	contested bool      // another instance has read it
	surveyed  bool      // all rows have been read again for it
	first     int64     // where reading begins if it turns out to be a new stream
	retry     time.Time // when resting ends
	original  *openFile // held: the file it seems to be a copy of
	proven    int64     // held: so much content was the original's, when that still had all that was read of it
	former    *row      // held: the row that the original has left since, because it was cut
	short     *row      // held: the row of whose stream it is a short copy
	slower    *openFile // held: a copy with less that continues the stream
	missed    *row      // the row that another instance moved, or read on, when it was to continue it
	heir      *row      // the row that such a copy has left
	claimed   *row      // placing: the row that it is about to continue
	whole     int64     // how much its stream is known to have had where it was continued from; 0 if it began here
	since     time.Time // held: since when neither it nor the original has changed
	digest    *digest   // of a compressed file
}

// observe records what a stat found and reports whether that is new.
func (f *openFile) observe(info fs.FileInfo, now time.Time) bool {
	size, modified := info.Size(), info.ModTime()
	if size == f.size && modified.Equal(f.modified) {
		return false
	}
	if size > f.size {
		f.peak = max(f.peak, size)
	}
	f.size, f.modified, f.changed = size, modified, now
	return true
}

// holds reports whether the file has r's bytes: the same beginning, and the same before r's position. It looks at the
// file as it is now: r may be the work of another instance, which has read more than there was when we looked last.
func (f *openFile) holds(r *row) bool {
	m := milestone{pos: r.Position, anchor: r.Anchor}
	if f.packing != plain {
		return r.matches(f.head) && f.digest != nil && f.digest.has(m)
	}
	head, err := readHead(f.handle)
	return err == nil && r.matches(head) && m.in(f.handle)
}

// continues reports whether the file may go on with r, a row whose bytes lie nowhere. A finished row must be known by
// a whole head, or all of the content: a new file that begins with the same banner is not its continuation.
func (f *openFile) continues(r *row) bool {
	if !f.mayBe(r) {
		return false
	}
	whole := f.packing != plain && f.digest != nil && f.digest.size == r.Position
	if r.Closed && r.Head.Len < headSizeMax && !whole && f.heir != r {
		return false
	}
	return f.holds(r)
}

// copies reports whether f may be a copy, perhaps not yet complete, of what o's stream is made of. What o holds now is
// no help when it was cut after it was copied: then what was read of it is compared.
func (f *openFile) copies(o *openFile) bool {
	n := min(len(f.head), len(o.head))
	if n == 0 || !bytes.Equal(f.head[:n], o.head[:n]) {
		return false
	}
	if f.packing != plain && f.digest == nil || o.packing != plain {
		return f.digest != nil && o.row != nil && f.holds(o.row)
	}
	at := o.milestone()
	if o.intact(at) {
		if f.equalTo(o) {
			return true
		}
		if o.intact(at) { // or it was cut while the two were compared
			return false
		}
	}
	if f.packing != plain {
		return !f.digest.covers([]int64{at.pos}) || f.digest.size < at.pos || f.digest.has(at)
	}
	return f.size < at.pos || at.in(f.handle)
}

// milestone is how far o was read.
func (f *openFile) milestone() milestone {
	if f.reading != nil {
		return *f.reading.reached.Load()
	}
	if f.row != nil && f.row.Position > f.read.pos {
		return milestone{pos: f.row.Position, anchor: f.row.Anchor}
	}
	return f.read
}

// stopReading ends a reading that is to begin again at the stored position.
func (f *openFile) stopReading() {
	if f.reading != nil {
		f.read, f.stopped, f.reading = *f.reading.reached.Load(), f.reading.stream, nil
	}
}

// intact reports whether f still holds what was read of it.
func (f *openFile) intact(at milestone) bool {
	p := make([]byte, len(f.head))
	n, _ := f.handle.ReadAt(p, 0)
	return bytes.Equal(p[:n], f.head) && at.in(f.handle)
}

// hasLost reports whether f surely does not hold any more what was read of it. Not to be able to read it is no sign of that.
func (f *openFile) hasLost(at milestone) bool {
	head, err := readHead(f.handle)
	if err != nil {
		return false
	}
	p, err := readBefore(f.handle, at.pos)
	return !bytes.HasPrefix(head, f.head) || errors.Is(err, io.EOF) || err == nil && !at.anchor.ends(p)
}

// equalTo reports whether f has the same bytes as o as far as it goes. It may be longer only if o is not found any more:
// then it was moved or restored, and somebody goes on writing to it.
func (f *openFile) equalTo(o *openFile) bool {
	const compared = 4 << 10
	if f.packing != plain {
		return f.digest.size > 0 && f.digest.end().in(o.handle)
	}
	info, err := o.handle.Stat()
	if err != nil || f.size == 0 {
		return false
	}
	end := min(f.size, info.Size())
	if f.size > end && (o.listed || end < headSizeMax) {
		return false
	}
	for _, off := range []int64{0, max(0, end-compared)} {
		a, b := make([]byte, min(compared, end)), make([]byte, min(compared, end))
		if _, err := f.handle.ReadAt(a, off); err != nil {
			return false
		}
		if _, err := o.handle.ReadAt(b, off); err != nil || !bytes.Equal(a, b) {
			return false
		}
	}
	return true
}

// extent is how much content f has, as far as was looked.
func (f *openFile) extent() int64 {
	if f.packing == plain {
		return f.size
	}
	return f.digest.size
}

// lastLine returns the position where the last line begins that is not terminated, or the end.
func (f *openFile) lastLine() (int64, error) {
	p := make([]byte, 64<<10)
	for end := f.size; end > 0; {
		from := max(0, end-int64(len(p)))
		n, err := f.handle.ReadAt(p[:end-from], from)
		if n < int(end-from) {
			return 0, fmt.Errorf("look for the last line of %s: %w", f.path, err)
		}
		if i := bytes.LastIndexByte(p[:n], '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}

// content returns what lines are read from: the file, or what it unpacks to, until ctx ends.
func (f *openFile) content(ctx context.Context) io.ReaderAt {
	if f.packing == plain {
		return f.handle
	}
	packed := contextReader{ctx, io.NewSectionReader(f.handle, 0, 1<<62)}
	return &window{src: &lazyReader{src: packed, packing: f.packing}}
}

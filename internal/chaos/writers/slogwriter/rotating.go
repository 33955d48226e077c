package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// A rotating is a log file that is exchanged as time passes. It rotates only between lines.
type rotating struct {
	options
	path      string
	file      *os.File
	turns     []*os.File // written to by turns instead, if not empty
	rotations int
	next      time.Time // of the next rotation
	writes    int       // lines, so the number of the last one
	bytes     int64
	first     int             // number of the file's first line
	inodes    map[uint64]bool // of all files so far
	rotated   string          // the file that the last rotation left, for modes that do something with it in the next one

	// Of a rotation during which lines are written:
	complete func() error // completes it, waiting if need be; nil when there is none
	ready    func() bool  // reports whether it need not wait

	inodesAgain int
	risks       []risk
	err         error // what went wrong writing
}

// A risk is a range of lines that were written while a rotation was about to destroy what it did not copy.
type risk struct {
	First, Last int
	Bytes       int64
}

func newRotating(o options) (*rotating, error) {
	if modes[o.mode] == nil {
		return nil, fmt.Errorf("mode %q is none of %s", o.mode, strings.Join(modeNames(), ", "))
	}
	r := &rotating{
		options: o, path: o.dir + "/" + o.name + ".log", next: time.Now().Add(o.rotate), inodes: map[uint64]bool{}, first: 1,
	}
	if begin := beginnings[o.mode]; begin != nil {
		return r, begin(r)
	}
	return r, r.open()
}

func (r *rotating) open() error { return r.openAs(r.path) }

// openAs makes path the file that is written.
func (r *rotating) openAs(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	r.file, r.first = file, r.writes+1
	info, err := file.Stat()
	if err != nil {
		return err
	}
	inode := info.Sys().(*syscall.Stat_t).Ino
	if r.inodes[inode] {
		r.inodesAgain++
	}
	r.inodes[inode] = true
	return nil
}

// due reports whether it is time to rotate.
func (r *rotating) due() bool {
	if r.every > 0 {
		return r.writes > 0 && r.writes%r.every == 0
	}
	return r.rotate > 0 && time.Now().After(r.next)
}

// step completes a rotation or begins one, if it is time to.
func (r *rotating) step() error {
	if r.complete != nil {
		if !r.ready() {
			return nil
		}
		return r.end()
	}
	if !r.due() {
		return nil
	}
	if err := r.awaitReader(); err != nil {
		return err
	}
	r.next = time.Now().Add(r.rotate)
	return modes[r.mode](r)
}

// end completes the rotation that is going on.
func (r *rotating) end() error {
	complete := r.complete
	r.complete = nil
	return complete()
}

// during lets lines be written until ready, or the end of all, and then calls complete.
func (r *rotating) during(ready func() bool, complete func() error) {
	r.ready, r.complete = ready, complete
}

// late returns a function that reports whether as many lines have been written as a rotation takes.
func (r *rotating) late() func() bool {
	until := r.writes + int(r.share*float64(r.every))
	return func() bool { return r.writes >= until }
}

// riskSince notes that the lines since the first one may be destroyed, of which there were bytes before.
func (r *rotating) riskSince(first int, bytes int64) {
	if r.writes >= first {
		r.risks = append(r.risks, risk{first, r.writes, r.bytes - bytes})
	}
}

// Write writes one line.
func (r *rotating) Write(line []byte) (int, error) {
	r.err = errors.Join(r.err, r.step())
	r.writes++
	r.bytes += int64(len(line))
	file := r.file
	if len(r.turns) > 0 {
		file = r.turns[r.writes%len(r.turns)]
	}
	if r.torn && r.writes%10 == 0 {
		half := len(line) / 2
		_, err := file.Write(line[:half])
		r.err = errors.Join(r.err, err)
		line = line[half:]
	}
	_, err := file.Write(line)
	r.err = errors.Join(r.err, err)
	return len(line), r.err
}

func (r *rotating) close() error {
	var errs []error
	if r.complete != nil {
		errs = append(errs, r.end())
	}
	for _, file := range append(r.turns, r.file) {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}

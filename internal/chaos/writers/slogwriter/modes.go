package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// modes are the ways to rotate.
var modes = map[string]func(*rotating) error{
	"rename":                 (*rotating).rename,
	"late":                   (*rotating).renameLate,
	"gzip":                   (*rotating).renameAndCompress,
	"dated":                  (*rotating).nextDay,
	"copytruncate":           (*rotating).copyTruncate,
	"delete":                 (*rotating).remove,
	"symlink":                (*rotating).retarget,
	"data":                   (*rotating).swapDirectory,
	"container":              (*rotating).renameBehindLink,
	"many":                   (*rotating).open, // never rotated
	"logrotate-copytruncate": (*rotating).logrotateCopyTruncate,
	"logrotate-create":       (*rotating).logrotateCreate,
	"logrotate-compress":     (*rotating).logrotateCompress,
}

// beginnings are how modes open their first file that do not simply create it.
var beginnings = map[string]func(*rotating) error{
	"dated":     (*rotating).openDay,
	"symlink":   (*rotating).link,
	"data":      (*rotating).linkDirectory,
	"container": (*rotating).linkContainer,
	"many":      (*rotating).openMany,
}

func modeNames() []string { return slices.Sorted(maps.Keys(modes)) }

// backup returns the name of the next rotated file.
func (r *rotating) backup() string {
	r.rotations++
	return fmt.Sprintf("%s.%06d", r.path, r.rotations)
}

// rename moves the file out of the way and begins a new one.
func (r *rotating) rename() error {
	return errors.Join(r.file.Close(), os.Rename(r.path, r.backup()), r.open())
}

// renameLate is rename, but for a while every second line still goes to the old file, as from a process that was not told
// to open the new one.
func (r *rotating) renameLate() error {
	old := r.file
	if err := errors.Join(os.Rename(r.path, r.backup()), r.open()); err != nil {
		return err
	}
	r.turns = []*os.File{old, r.file}
	r.during(r.late(), func() error {
		r.turns = nil
		return old.Close()
	})
	return nil
}

// renameAndCompress is rename, and compresses the old file at once.
func (r *rotating) renameAndCompress() error {
	backup := r.backup()
	err := errors.Join(r.file.Close(), os.Rename(r.path, backup), r.open())
	if err != nil {
		return err
	}
	return compress(backup)
}

// compress exchanges a file for its compressed copy.
func compress(path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(path + ".gz")
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(to)
	_, err = io.Copy(packed, from)
	return errors.Join(err, packed.Close(), to.Close(), os.Remove(path))
}

// nextDay begins the file of the next day; each rotation is one.
func (r *rotating) nextDay() error {
	r.rotations++
	return errors.Join(r.file.Close(), r.openDay())
}

func (r *rotating) openDay() error {
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).AddDate(0, 0, r.rotations)
	return r.openAs(fmt.Sprintf("%s/%s-%s.log", r.dir, r.name, day.Format(time.DateOnly)))
}

// copyTruncate copies the file and empties it. Lines that are written between the two may be lost; there are none unless
// the rotation takes its time.
func (r *rotating) copyTruncate() error {
	if err := copyFile(r.path, r.backup()); err != nil {
		return err
	}
	first, bytes := r.writes+1, r.bytes
	r.during(r.late(), func() error {
		r.riskSince(first, bytes)
		return r.file.Truncate(0)
	})
	if r.ready() {
		return r.end()
	}
	return nil
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// remove deletes the file and begins a new one.
func (r *rotating) remove() error {
	r.rotations++
	return errors.Join(r.file.Close(), os.Remove(r.path), r.open())
}

// openMany opens all files.
func (r *rotating) openMany() error {
	for i := range r.files {
		if err := r.openAs(fmt.Sprintf("%s/%s-%04d.log", r.dir, r.name, i)); err != nil {
			return err
		}
		r.turns = append(r.turns, r.file)
	}
	r.file = nil
	return nil
}

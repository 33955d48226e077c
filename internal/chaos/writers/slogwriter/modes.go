package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// modes are the ways to rotate.
var modes = map[string]func(*rotating) error{
	"rename":       (*rotating).rename,
	"copytruncate": (*rotating).copyTruncate,
	"delete":       (*rotating).remove,
	"symlink":      (*rotating).retarget,
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

// copyTruncate copies the file and empties it. No line is written between the two.
func (r *rotating) copyTruncate() error {
	from, err := os.Open(r.path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(r.backup())
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close(), r.file.Truncate(0))
}

// remove deletes the file and begins a new one.
func (r *rotating) remove() error {
	r.rotations++
	return errors.Join(r.file.Close(), os.Remove(r.path), r.open())
}

// retarget begins a new file under a name of its own and makes the known name a link to it, at once.
func (r *rotating) retarget() error {
	r.rotations++
	target := fmt.Sprintf("%s/%s-%06d.log", r.dir, r.name, r.rotations)
	old := r.file
	var err error
	if r.file, err = os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
		return err
	}
	link := r.path + ".new"
	err = errors.Join(os.Symlink(filepath.Base(target), link), os.Rename(link, r.path))
	if old != nil {
		err = errors.Join(err, old.Close())
	}
	return err
}

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// retarget begins a new file under a name of its own and makes the known name a link to it, at once.
func (r *rotating) retarget() error {
	r.rotations++
	return errors.Join(r.file.Close(), r.link())
}

func (r *rotating) link() error {
	target := fmt.Sprintf("%s/%s-%06d.log", r.dir, r.name, r.rotations)
	return errors.Join(r.openAs(target), linkTo(filepath.Base(target), r.path))
}

// linkTo makes path a link, replacing one that is there in a single step.
func linkTo(target, path string) error {
	return errors.Join(os.Symlink(target, path+".new"), os.Rename(path+".new", path))
}

// swapDirectory does what Kubernetes does to a mounted volume: the name is a link into the directory ..data, which is a link
// itself and is led to a new directory in a single step.
func (r *rotating) swapDirectory() error {
	r.rotations++
	return errors.Join(r.file.Close(), r.nextDirectory())
}

func (r *rotating) linkDirectory() error {
	return errors.Join(r.nextDirectory(), os.Symlink(filepath.Join("..data", filepath.Base(r.path)), r.path))
}

func (r *rotating) nextDirectory() error {
	name := fmt.Sprintf("..2026_11_23_10_11_12.%09d", r.rotations)
	if err := os.Mkdir(filepath.Join(r.dir, name), 0o755); err != nil {
		return err
	}
	return errors.Join(r.openAs(filepath.Join(r.dir, name, filepath.Base(r.path))), linkTo(name, filepath.Join(r.dir, "..data")))
}

// renameBehindLink does what the kubelet does to the log of a container: the known name is a link to a file elsewhere, which
// is renamed with the time and made anew by the runtime. The file that the rotation before has left is compressed first,
// once all lines so far are stored: with a count alone, it is not known which ones are.
func (r *rotating) renameBehindLink() error {
	if r.rotated != "" {
		if err := errors.Join(r.awaitStored(r.writes), compress(r.rotated)); err != nil {
			return err
		}
	}
	r.rotations++
	path := r.file.Name()
	r.rotated = fmt.Sprintf("%s.20261123-%06d", path, r.rotations)
	return errors.Join(r.file.Close(), os.Rename(path, r.rotated), r.openAs(path))
}

func (r *rotating) linkContainer() error {
	pod, containers := filepath.Join(r.dir, "pods", "shop_"+r.name+"_4f1c", r.name), filepath.Join(r.dir, "containers")
	if err := errors.Join(os.MkdirAll(pod, 0o755), os.MkdirAll(containers, 0o755)); err != nil {
		return err
	}
	path := filepath.Join(pod, "0.log")
	return errors.Join(r.openAs(path), os.Symlink(path, filepath.Join(containers, r.name+".log")))
}

package file

import (
	"errors"
	"os"
	"path/filepath"
)

// reopen opens the files of unfinished rows that discovery did not find: by their stored path, or by another name in
// the same directory, where a rotation while nothing ran has left them.
func (k *keeper) reopen() {
	listings := map[string]map[place]string{}
	for _, r := range k.unfinished() {
		if r.file != nil || k.reopenAt(r, r.Path) { // it may be what lay at the path of another
			continue
		}
		dir := filepath.Dir(r.Path)
		names, listed := listings[dir]
		if !listed {
			names = placesIn(dir)
			listings[dir] = names
		}
		if path, found := names[r.place]; found {
			k.reopenAt(r, path)
		}
	}
}

// reopenAt opens path if r's bytes lie there, and reports whether they do.
func (k *keeper) reopenAt(r *row, path string) bool {
	handle, info, err := open(path)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			k.Log.Warn("file of an unfinished stream cannot be opened", "path", path, "error", err)
		}
		return false
	}
	if k.files[placeOf(info)] != nil {
		handle.Close()
		return false
	}
	f := k.admit(handle, info, path, 0)
	f.found, f.listed, f.stray, f.missing = r.Found, false, true, k.Clock.Now()
	if !k.identify(f) {
		k.drop(f)
		return false
	}
	k.examine(f, k.decide)
	return r.file == f || f.packing != plain
}

// placesIn returns the regular files in dir by where they lie.
func placesIn(dir string) map[place]string {
	places := map[place]string{}
	entries, _ := os.ReadDir(dir) // what can be listed
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			places[placeOf(info)] = filepath.Join(dir, e.Name())
		}
	}
	return places
}

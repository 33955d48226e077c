package file

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// report deals with what the watcher gathered.
func (k *keeper) report(n news) {
	if n.dirty {
		k.scan()
	}
	if n.all {
		k.lookAll()
	}
	for name := range n.names {
		if f := k.byPath[name]; f != nil {
			k.look(f)
		}
	}
}

// scan finds the files of the inputs, opens new ones, and notes which are no longer found.
func (k *keeper) scan() {
	began := time.Now()
	dirs := directories(k.Inputs)
	k.addTargets(dirs)
	k.blind = !k.watch.sync(dirs) // before listing, so that no name falls in between
	k.scans++
	clear(k.byPath)
	clear(k.targets)
	for _, found := range find(k.Inputs) {
		k.found(found)
	}
	if k.addTargets(dirs) {
		k.blind = !k.watch.sync(dirs)
	}
	for _, f := range k.filesInOrder() {
		if f.scan != k.scans && f.listed && f.gone() {
			k.missed(f)
		}
	}
	k.countSurplus()
	maps.DeleteFunc(k.refusal, func(_ string, scan int) bool { return scan != k.scans })
	k.watch.spare(time.Since(began))
	k.nextScan = k.Clock.Now().Add(scanInterval)
}

// addTargets adds the directories of the files that links lead to, and says whether there were any new ones.
func (k *keeper) addTargets(dirs map[string]struct{}) bool {
	before := len(dirs)
	for path := range k.byPath {
		dirs[filepath.Dir(path)] = struct{}{}
	}
	return len(dirs) > before
}

// found deals with a path that an input matches.
func (k *keeper) found(at finding) {
	info, err := os.Lstat(at.path)
	link := err == nil && info.Mode()&fs.ModeSymlink != 0
	if link {
		info, err = os.Stat(at.path)
	}
	if err != nil {
		k.refuse(at.path, err)
		return
	}
	if !info.Mode().IsRegular() {
		if !info.IsDir() {
			k.refuse(at.path, errNotRegular)
		}
		return
	}
	f := k.files[placeOf(info)]
	if f == nil && !k.hasRoom() {
		k.noRoom(at.path)
		return
	}
	if f == nil {
		handle, info, err := open(at.path)
		if isNoDescriptor(err) {
			k.noRoom(at.path)
			return
		}
		if err != nil {
			k.refuse(at.path, err)
			return
		}
		if f = k.files[placeOf(info)]; f != nil { // the name was given to another file meanwhile
			handle.Close()
		} else {
			delete(k.refusal, at.path)
			f = k.admit(handle, info, at.path, at.input)
			k.name(f, at.path, link)
			k.place(f)
			k.markFirst(f)
			return
		}
	}
	if f.scan != k.scans { // the first of its names in this scan
		f.path, f.found, f.input, f.listed, f.stray, f.scan = at.path, at.path, at.input, true, false, k.scans
	}
	k.name(f, at.path, link)
	k.look(f)
}

// markFirst notes where reading of f begins, should the input turn out to be a new one that starts at the end.
func (k *keeper) markFirst(f *openFile) {
	if k.scans > 1 || k.Inputs[f.input].StartAt != End || f.state != unplaced {
		return
	}
	if f.packing != plain {
		f.first = wholeContent
		return
	}
	var err error
	if f.first, err = f.lastLine(); err != nil {
		k.failed(f, "find the end of file", err)
	}
}

// refuse logs once why a path is not read.
func (k *keeper) refuse(path string, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		return // gone between listing and opening, or a dangling link
	}
	if _, logged := k.refusal[path]; !logged {
		k.Log.Error("file is not read", "path", path, "error", err)
	}
	k.refusal[path] = k.scans
}

// admit begins to hold a file.
func (k *keeper) admit(handle *os.File, info fs.FileInfo, path string, input int) *openFile {
	f := &openFile{
		place: placeOf(info), handle: handle, path: path, found: path, input: input, late: k.loaded,
		listed: true, scan: k.scans, changed: k.Clock.Now(),
	}
	f.observe(info, k.Clock.Now())
	k.files[f.place] = f
	k.gauges.open(1)
	return f
}

// name lets events for path, and for what it leads to, find f. What it leads to is where f is found again when the link,
// or one to its directory, leads elsewhere by then.
func (k *keeper) name(f *openFile, path string, link bool) {
	k.byPath[path] = f
	if link {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			k.leads(f, path, target)
		}
		return
	}
	dir := filepath.Dir(path)
	target, known := k.targets[dir] // or most of a scan's time would go into asking that for every file
	if !known {
		target, _ = filepath.EvalSymlinks(dir)
		k.targets[dir] = target
	}
	if target != dir && target != "" {
		k.leads(f, path, filepath.Join(target, filepath.Base(path)))
	}
}

func (k *keeper) leads(f *openFile, path, target string) {
	k.byPath[target] = f
	if f.found == path {
		f.path = target
	}
}

// gone reports whether the file has left the name that discovery found it by. A directory that cannot be listed at the
// moment is no sign of that.
func (f *openFile) gone() bool {
	info, err := os.Stat(f.found)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	}
	return placeOf(info) != f.place
}

// missed begins the draining of a file that discovery does not find any more.
func (k *keeper) missed(f *openFile) {
	k.look(f) // an event for the name that it had does not find it any more
	f.listed, f.missing = false, k.Clock.Now()
	f.noteDeletion(f.missing)
	k.Log.Debug("file is no longer found; it is drained", "path", f.path)
	switch f.state {
	case refused, done, orphaned:
		k.drop(f)
	case idle:
		k.renamed(f)
	default:
		f.renamed = true
		if f.leave != nil {
			close(f.leave)
			f.leave = nil
		}
	}
}

// renamed has the new name of a file that left its inputs written to its row, so that a restart finds it.
func (k *keeper) renamed(f *openFile) {
	f.renamed = false
	if now := nameNow(f.handle); now != "" {
		f.path = now
	}
	k.wake(f)
}

// drop lets go of a file.
func (k *keeper) drop(f *openFile) {
	f.handle.Close()
	k.heads.remove(f)
	delete(k.files, f.place)
	if f.row != nil && f.row.file == f {
		f.row.file = nil
	}
	f.row = nil
	k.gauges.open(-1)
}

func (k *keeper) closeAll() {
	for _, f := range k.files {
		f.handle.Close()
		k.gauges.open(-1)
	}
	k.gauges.clear()
	k.in.Stats.FilesUnopened.Add(-int64(k.surplus.before))
}

func (k *keeper) filesInOrder() []*openFile {
	return slices.SortedFunc(maps.Values(k.files), func(a, b *openFile) int { return cmp.Compare(a.path, b.path) })
}

// lookAll looks at every file.
func (k *keeper) lookAll() {
	for _, f := range k.files {
		k.look(f)
	}
}

// look asks whether f has changed, and if so has it read.
func (k *keeper) look(f *openFile) {
	info, err := f.handle.Stat()
	if err != nil {
		if !f.troubled {
			f.troubled = true
			k.Log.Error("look at file", "path", f.path, "error", err)
		}
		return
	}
	if f.observe(info, k.Clock.Now()) {
		k.wake(f)
	}
}

// wake does what a change of f calls for in its state.
func (k *keeper) wake(f *openFile) {
	switch f.state {
	case unplaced, empty, refused, done:
		k.place(f)
	case idle:
		k.read(f)
	case resting: // a copy of what it holds now is to be known
		switch {
		case f.packing != plain:
		case f.row == nil:
			k.refreshHead(f)
		case f.hasLost(f.milestone()):
			k.replaced(f)
		}
	case held:
		f.since = k.Clock.Now()
		fallthrough
	case active, placing:
		f.again = true
		if f.packing == plain {
			k.refreshHead(f)
			f.prove()
		}
	}
}

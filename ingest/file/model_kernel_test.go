package file

import (
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// A modelKernel reports what the test does to files, as inotify would: a goroutine that waits for the real one would keep
// the time of a bubble from passing.
type modelKernel struct {
	events chan fsnotify.Event
	errors chan error

	mu     sync.Mutex
	dirs   map[string]bool
	deaf   bool // events are lost
	closed bool
}

func newModelKernel() *modelKernel {
	return &modelKernel{events: make(chan fsnotify.Event, 256), errors: make(chan error, 1), dirs: map[string]bool{}}
}

func (k *modelKernel) Add(dir string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dirs[dir] = true
	return nil
}

func (k *modelKernel) Remove(dir string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.dirs, dir)
	return nil
}

func (k *modelKernel) WatchList() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Keys(k.dirs))
}

func (k *modelKernel) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return nil
}

func (k *modelKernel) emit(path string, op fsnotify.Op) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.deaf && !k.closed && k.dirs[filepath.Dir(path)] {
		k.events <- fsnotify.Event{Name: path, Op: op}
	}
}

// hear lets events be reported again, and says that some were not.
func (k *modelKernel) hear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.deaf && !k.closed {
		k.deaf = false
		select {
		case k.errors <- fsnotify.ErrEventOverflow:
		default: // it was said before, and has not been heard yet; a blind process never hears
		}
	}
}

func (k *modelKernel) lose() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.deaf = true
}

func (k *modelKernel) isDeaf() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.deaf
}

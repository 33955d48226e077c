package file

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A watcher gathers what the kernel reports of directories. Where it cannot watch, it says so and the caller looks by
// itself.
type watcher struct {
	log    *slog.Logger
	kernel kernel // nil when it refuses even one watch
	events <-chan fsnotify.Event
	errors <-chan error
	places map[string]place // what the watched names stand for; sync's
	poke   chan struct{}    // readable when there is news

	mu      sync.Mutex
	names   map[string]struct{} // files written to
	dirty   bool                // a directory may list other names, and it is time to look
	all     bool                // reports were lost: anything may have changed
	pause   time.Duration       // from a change in a directory until it is time
	refused bool                // the refusal was logged
}

// A kernel watches directories. It is fsnotify's watcher but where no real time passes.
type kernel interface {
	Add(dir string) error
	Remove(dir string) error
	WatchList() []string
	Close() error
}

// news is what happened since the last look.
type news struct {
	names map[string]struct{}
	dirty bool
	all   bool
}

// shortestPause is for how long reports are gathered.
const shortestPause = 5 * time.Millisecond

func newWatcher(log *slog.Logger) *watcher {
	k, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("directories cannot be watched; they are listed every second", "error", err, "remedy", remedyOf(err))
		return newWatcherOf(nil, nil, nil, log)
	}
	return newWatcherOf(k, k.Events, k.Errors, log)
}

func newWatcherOf(k kernel, events <-chan fsnotify.Event, errors <-chan error, log *slog.Logger) *watcher {
	return &watcher{
		log: log, kernel: k, events: events, errors: errors,
		poke: make(chan struct{}, 1), names: map[string]struct{}{}, places: map[string]place{}, pause: shortestPause,
	}
}

// run gathers until ctx ends.
func (w *watcher) run(ctx context.Context) {
	if w.kernel == nil {
		return
	}
	defer w.kernel.Close()
	var due, listing <-chan time.Time
	for {
		changed := true
		select {
		case event := <-w.events:
			changed = event.Op&^fsnotify.Write != 0
			w.note(event)
		case err := <-w.errors:
			w.overflow(err)
		case <-due:
			due = nil
			w.wake()
			continue
		case <-listing:
			listing = nil
			w.mu.Lock()
			w.dirty = true
			w.mu.Unlock()
			w.wake()
			continue
		case <-ctx.Done():
			return
		}
		if due == nil {
			due = time.After(shortestPause)
		}
		if changed && listing == nil {
			w.mu.Lock()
			listing = time.After(w.pause)
			w.mu.Unlock()
		}
	}
}

func (w *watcher) wake() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

func (w *watcher) note(event fsnotify.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if event.Has(fsnotify.Write) {
		w.names[event.Name] = struct{}{}
	}
}

func (w *watcher) overflow(err error) {
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		w.log.Warn("watching directories", "error", err)
	}
	w.mu.Lock()
	w.all = true
	w.mu.Unlock()
}

// take returns the news and forgets them.
func (w *watcher) take() news {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := news{names: w.names, dirty: w.dirty, all: w.all}
	w.names, w.dirty, w.all = map[string]struct{}{}, false, false
	return n
}

// spare makes the time from a change in a directory until all are listed a multiple of what that took, so that a large
// tree that changes all the time does not take a whole core. What is written to known files does not wait for it.
func (w *watcher) spare(took time.Duration) {
	w.mu.Lock()
	w.pause = max(shortestPause, 4*took)
	w.mu.Unlock()
}

// sync watches exactly dirs, what their names stand for now. It returns false when one of them cannot be watched.
func (w *watcher) sync(dirs map[string]struct{}) bool {
	if w.kernel == nil {
		return false
	}
	watched := map[string]struct{}{}
	for _, dir := range w.kernel.WatchList() {
		if _, wanted := dirs[dir]; wanted && directoryAt(dir) == w.places[dir] {
			watched[dir] = struct{}{}
			continue
		}
		_ = w.kernel.Remove(dir) // it may be gone already
		delete(w.places, dir)
	}
	complete := true
	for dir := range dirs {
		if remote(dir) {
			complete = false
			continue
		}
		if _, ok := watched[dir]; ok {
			continue
		}
		w.places[dir] = directoryAt(dir) // if the name changes hands right now, the next sync sees it
		if err := w.kernel.Add(dir); err != nil {
			complete = false
			if !w.refused && !errors.Is(err, fsnotify.ErrClosed) { // closed: the source is ending
				w.refused = true
				w.log.Warn("a directory cannot be watched; files are looked at every second", "directory", dir, "error", err,
					"remedy", remedyOf(err))
			}
		}
	}
	return complete
}

// remedyOf says which of the kernel's limits err means: its texts speak of open files and of space on a device.
func remedyOf(err error) string {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "raise fs.inotify.max_user_instances, or the limit on open files"
	case errors.Is(err, syscall.ENOSPC):
		return "raise fs.inotify.max_user_watches"
	}
	return "none known"
}

// directoryAt returns where the directory lies that path names, or nothing.
func directoryAt(path string) place {
	info, err := os.Stat(path)
	if err != nil {
		return place{}
	}
	return placeOf(info)
}

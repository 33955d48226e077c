package file

import (
	"errors"
	"syscall"
)

// surplus is what discovery finds and the limit on descriptors leaves no room for. Some descriptors are left to others:
// without one for a new connection to the database nothing would ever be finished.
type surplus struct {
	now    int    // files that this scan had no room for
	first  string // one of them
	before int    // of the scan before
}

// hasRoom reports whether another file may be opened.
func (k *keeper) hasRoom() bool { return len(k.files) < k.room }

// noRoom notes a file that cannot be opened now. The next scan tries again.
func (k *keeper) noRoom(path string) {
	if k.surplus.now++; k.surplus.now == 1 {
		k.surplus.first = path
	}
}

// isNoDescriptor reports whether err says that the process, or the system, has no descriptor left.
func isNoDescriptor(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// countSurplus tells of the files that a scan had no room for, when there begin to be any and when there are none any more.
func (k *keeper) countSurplus() {
	s := &k.surplus
	switch {
	case s.now > 0 && s.before == 0:
		k.Log.Error("too many open files for the limit on descriptors; further files are read when others are finished: "+
			"raise the limit (ulimit -n, LimitNOFILE= of systemd) and start again",
			"open", len(k.files), "unopened", s.now, "for_example", s.first)
	case s.now == 0 && s.before > 0:
		k.Log.Info("there are descriptors for all files again", "open", len(k.files))
	}
	k.in.Stats.FilesUnopened.Add(int64(s.now - s.before))
	k.surplus = surplus{before: s.now}
}

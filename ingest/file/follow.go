package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/nxadm/tail/watch"
	"gopkg.in/tomb.v1"
)

const (
	pollInterval = 50 * time.Millisecond // how often a followed file is looked at
	followIdle   = 2 * time.Second       // a file quiet for so long is no longer followed
)

// setPollInterval sets the library's one interval, before its first use.
var setPollInterval = sync.OnceFunc(func() { watch.POLL_DURATION = pollInterval })

// follow sends lines as they are written, with name standing for the file. It returns true when the file has been quiet for a
// while or leave is closed, and false when it was cut or its end may be joined with more.
//
// The library looks at the file and tells of changes. Its reader is not used: that keeps a line until its newline comes, in
// no budget, and cannot be ended before it has reached the end of the file.
func (r *reading) follow(ctx context.Context, name string, clock Clock, leave <-chan struct{}) (quiet bool, err error) {
	setPollInterval()
	var end tomb.Tomb
	defer end.Kill(nil)
	events, err := watch.NewPollingFileWatcher(name).ChangeEvents(&end, r.position())
	if err != nil {
		return true, nil // an event or the next look wakes the block reader
	}
	idle := clock.After(followIdle)
	for {
		changed := r.stream.Changed()
		if err := r.stream.Err(); err != nil {
			return false, err
		}
		select {
		case <-events.Modified:
			progressed, err := r.drain(ctx, false)
			if err != nil || r.waits > 0 {
				return false, err
			}
			if progressed {
				idle = clock.After(followIdle)
			}
		case <-events.Truncated:
			return false, nil
		case <-events.Deleted: // the name stands for another file
			return true, nil
		case <-changed:
		case <-idle:
			return true, r.check() // what was filled again has its size, and may have its time of modification
		case <-leave:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// expect returns errReplaced unless the bytes before pos are the last ones of p.
func (r *reading) expect(pos int64, p []byte) error {
	anchor, err := readBefore(r.lines.src, pos)
	if errors.Is(err, io.EOF) || err == nil && !bytes.HasSuffix(p, anchor) {
		return errReplaced
	}
	return err
}

package file

import (
	"time"

	"logflume/pipeline"
)

// tick looks at everything that waits for a time to come.
func (k *keeper) tick() {
	now := k.Clock.Now()
	for _, f := range k.files {
		if f.state != idle || !f.listed { // or thousands of files of which nothing is wanted cost as much as the others
			k.tickFile(f, now)
		}
	}
	for _, w := range k.waits {
		if w.settled && now.Sub(w.since) >= k.CopyWait {
			k.expire(w)
		}
	}
	switch {
	case now.After(k.nextScan):
		k.scan()
		k.lookAll()
	case now.After(k.nextLook) && (k.blind || k.surplus.before > 0 && k.hasRoom()):
		k.scan()
	}
	if now.After(k.nextLook) {
		k.nextLook = now.Add(lookInterval)
		k.tickIdle()
		k.gauges.set(k)
	}
}

// tickIdle gives up the readings of idle files that were fenced.
func (k *keeper) tickIdle() {
	for _, f := range k.files {
		if f.state != idle {
			continue
		}
		if err := f.reading.stream.Err(); err != nil {
			k.stopped(f, err)
		}
	}
}

func (k *keeper) tickFile(f *openFile, now time.Time) {
	if !f.listed && k.overdue(f, now) {
		k.cut(f)
		return
	}
	switch f.state {
	case idle:
		if k.look(f); f.state != idle || f.quiet(now) < k.Grace {
			return
		}
		if k.outgrown(f) { // the copy has the rest of its last line, too
			k.letGo(f)
			return
		}
		if k.release(f) {
			return
		}
		f.finish = true
		k.read(f)
	case active:
		if f.reading.stream.Blocked() { // it may be for long; others go on
			f.yield()
		}
		k.look(f)
	case empty:
		if !f.listed && f.quiet(now) >= k.Grace {
			k.drop(f)
		} else if !f.listed {
			k.look(f)
		}
	case held:
		if k.look(f); f.state == held {
			k.recheck(f)
		}
	case resting:
		if now.After(f.retry) {
			k.retry(f)
		}
	case done, refused, orphaned:
		if !f.listed {
			k.drop(f)
		}
	}
}

// abandon gives up a file that is not found any more and cannot be read either, as when another host has removed it from
// a file system of the network. A copy may continue its stream.
func (k *keeper) abandon(f *openFile) {
	k.Log.Error("file was removed and cannot be read", "path", f.path)
	k.drop(f)
	k.waitAt(f.place)
}

// quiet is how long nothing has happened to a file that discovery does not find.
func (f *openFile) quiet(now time.Time) time.Duration {
	return min(now.Sub(f.missing), now.Sub(f.changed))
}

// gauges are the figures that this source has put into the process's.
type gauges struct {
	stats                                       *pipeline.Stats
	opened, drained, waits, holds, refused, lag int64
}

func (g *gauges) open(n int64) {
	g.opened += n
	g.stats.FilesOpen.Add(n)
}

func (g *gauges) set(k *keeper) {
	var drained, holds, lag int64
	refusals := int64(len(k.refusal))
	for _, f := range k.files {
		if f.state == idle && !f.listed {
			drained++
		}
		switch {
		case f.state == held:
			holds++
		case f.state == refused:
			refusals++
		case f.reading != nil:
			lag += max(0, f.size-f.reading.stream.Committed())
		}
	}
	g.put(drained, int64(len(k.waits)), holds, refusals, lag)
}

func (g *gauges) put(drained, waits, holds, refused, lag int64) {
	g.stats.FilesDrained.Add(drained - g.drained)
	g.stats.FilesWaiting.Add(waits - g.waits)
	g.stats.FilesHeld.Add(holds - g.holds)
	g.stats.FilesRefused.Add(refused - g.refused)
	g.stats.Lag.Add(lag - g.lag)
	g.drained, g.waits, g.holds, g.refused, g.lag = drained, waits, holds, refused, lag
}

func (g *gauges) clear() { g.put(0, 0, 0, 0, 0) }

package file

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// unfound notes that a process which starts takes for lost what only another can read by now.
func (w *modelWorld) unfound() {
	for _, b := range w.bodies {
		for _, p := range b.pieces {
			if len(b.held) > 0 && !w.named(b) && p.line != nil && !w.done(p.line.text) {
				w.lost += len(p.raw)
			}
		}
	}
}

// hasShorterCopy reports whether another copy has less than 1 KiB, all of which b has too, and more.
func (w *modelWorld) hasShorterCopy(b *body) bool {
	content := b.content()
	return slices.ContainsFunc(w.bodies, func(c *body) bool {
		n := c.size()
		return c.copied && n > 0 && n < min(headSizeMax, len(content)) && bytes.HasPrefix(content, c.content())
	})
}

// indistinct notes that a copy which ends before its trail and that of a former content differ may be taken for a short
// copy of that.
func (w *modelWorld) indistinct(b *body, former [][]byte) {
	c := b.content()
	t := trailOf(c)
	for _, p := range former {
		if t == "" || len(c) > len(p) || !strings.HasPrefix(string(trailOf(p)), string(t)) {
			continue
		}
		for _, p := range b.pieces {
			if p.line != nil {
				p.line.again = true
			}
		}
	}
}

func trailOf(p []byte) trail {
	t, err := trail("").extended(int64(len(p)), p[:min(len(p), headSizeMax)], func(pos int64) ([]byte, error) {
		return p[max(0, pos-anchorSize):pos], nil
	})
	must(err)
	return t
}

// noticed is how long it takes until every process has surely seen that a file was cut.
func (w *modelWorld) noticed() time.Duration {
	d := pollInterval
	for _, p := range w.processes {
		d = max(d, pollInterval+p.attention())
	}
	return d
}

// isHeld reports whether readers wait for commits, and do not look at their files.
func (w *modelWorld) isHeld() bool { return len(w.gate) == 0 }

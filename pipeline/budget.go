package pipeline

import (
	"container/list"
	"context"
	"sync"
)

// A Budget bounds the bytes of all batches in flight. Grants are first come, first served, so a large request is not
// starved by small ones. Unlike a semaphore it may be overdrawn: a batch whose events turn out larger than its source
// foresaw is charged for what it holds without waiting, and the next request waits the longer.
type Budget struct {
	limit int64

	mu      sync.Mutex
	used    int64
	waiting list.List     // of *grant
	settled chan struct{} // closed when used is within the limit again; nil while nobody asked
}

type grant struct {
	n     int64
	ready chan struct{}
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Acquire takes n bytes, waiting until they are free. A request above the whole limit is granted when nothing else is
// in flight. It returns ctx's error if that ends first.
func (b *Budget) Acquire(ctx context.Context, n int64) error {
	b.mu.Lock()
	if b.waiting.Len() == 0 && b.fitsLocked(n) {
		b.used += n
		b.mu.Unlock()
		return nil
	}
	g := &grant{n: n, ready: make(chan struct{})}
	e := b.waiting.PushBack(g)
	b.mu.Unlock()

	select {
	case <-g.ready:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-g.ready: // granted while we gave up: hand it on
		b.used -= n
	default:
		b.waiting.Remove(e)
	}
	b.grantLocked()
	return ctx.Err()
}

// Charge takes n more bytes at once, over the limit if need be; a negative n gives bytes back.
func (b *Budget) Charge(n int64) {
	b.mu.Lock()
	b.used += n
	b.grantLocked()
	b.mu.Unlock()
}

// within returns nil when no more than the limit is in flight, else a channel that is closed when that is so again.
func (b *Budget) within() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used <= b.limit {
		return nil
	}
	if b.settled == nil {
		b.settled = make(chan struct{})
	}
	return b.settled
}

// Used returns the bytes in flight.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Limit returns the size of the budget in bytes.
func (b *Budget) Limit() int64 { return b.limit }

func (b *Budget) fitsLocked(n int64) bool { return b.used+n <= b.limit || b.used == 0 }

func (b *Budget) grantLocked() {
	if b.settled != nil && b.used <= b.limit {
		close(b.settled)
		b.settled = nil
	}
	for e := b.waiting.Front(); e != nil; e = b.waiting.Front() {
		g := e.Value.(*grant)
		if !b.fitsLocked(g.n) {
			return
		}
		b.used += g.n
		b.waiting.Remove(e)
		close(g.ready)
	}
}

package postgres

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// A pace holds the waiting times. They are fields so that tests need not wait.
type pace struct {
	now         func() time.Time
	firstRetry  time.Duration // after a fault that may pass at once
	lastRetry   time.Duration // the longest wait; each is twice the one before, ± half of it at random
	faultRetry  time.Duration // after a fault of rights or schema
	lockedRetry time.Duration // between tries for a locked position row, when no flush comes along
	call        time.Duration // after which a server that takes bytes and never answers is left; all else it times itself
	frozenAfter time.Duration // a position row found locked for so long may have a frozen holder; a standby looks every 5 s

	heartbeat  time.Duration // between rows of log_instances
	compaction time.Duration // between runs of the compaction
	partitions time.Duration // between looks at the partitions to make and to drop
	merging    time.Duration // between looks for patterns to merge
	detaching  time.Duration // how long detaching a partition waits for readers, without a lock
	finishing  time.Duration // how long it does so with a lock, when it was cut off; less than limits.lock
}

func defaultPace() pace {
	return pace{
		now:        time.Now,
		firstRetry: 25 * time.Millisecond, lastRetry: 5 * time.Second, faultRetry: 30 * time.Second,
		lockedRetry: 250 * time.Millisecond, call: 90 * time.Second, frozenAfter: 8 * time.Second,
		heartbeat: 10 * time.Second, compaction: 30 * time.Second, partitions: 10 * time.Minute, merging: time.Minute,
		detaching: time.Minute, finishing: 4 * time.Second,
	}
}

// A retry waits between tries of one piece of work.
type retry struct {
	pace    *pace
	backoff *backoff.ExponentialBackOff
}

func newRetry(p *pace) retry {
	return retry{pace: p, backoff: &backoff.ExponentialBackOff{
		InitialInterval: p.firstRetry, MaxInterval: p.lastRetry, Multiplier: 2, RandomizationFactor: 0.5,
	}}
}

// wait sleeps before the next try after an error of that class. It returns ctx's error if that ends first.
func (r retry) wait(ctx context.Context, c Class) error {
	if c == Misconfigured {
		return sleep(ctx, r.pace.faultRetry)
	}
	return sleep(ctx, r.backoff.NextBackOff())
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	fetchWait     = 250 * time.Millisecond // how long a broker with little to send waits for more
	fetchMinBytes = 64 << 10
	restlessWait  = 50 * time.Millisecond // before asking for quiet partitions while busy ones are being read

	retryFetch     = 100 * time.Millisecond // after a failed fetch; doubled up to
	retryFetchMost = 3 * time.Second
	retryPartition = 200 * time.Millisecond // for a partition whose leader has just gone
)

// fetchFrom fetches what the broker leads until ctx ends.
func (g *generation) fetchFrom(ctx context.Context, broker int32) {
	pause := retryFetch
	name := brokerName(broker)
	for turn := 0; ctx.Err() == nil; turn++ {
		request, again, wake := g.plan(broker, turn)
		if request == nil {
			if !g.leads(broker) {
				g.trouble.set(name, nil) // it is no longer ours to worry about
			}
			wait(ctx, again, wake)
			continue
		}
		err := g.cluster.fetch(ctx, request, g.deliver)
		if ctx.Err() != nil {
			return
		}
		if g.tell(name, err); err == nil {
			pause = retryFetch
			continue
		}
		g.ask()
		wait(ctx, pause, nil)
		pause = min(2*pause, retryFetchMost)
	}
}

// leads reports whether broker leads some of our partitions.
func (g *generation) leads(broker int32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.parts, func(p *partition) bool { return p.leader == broker })
}

// brokerName names a broker among the troubles.
func brokerName(id int32) string { return fmt.Sprintf("broker %d", id) }

// wait returns after d, or when wake is closed, or ctx ends.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

// plan makes the next request to broker, or says when to look again. A partition is fetched while fewer than maxQueued
// pieces of it wait. If all can be fetched the broker may wait for more; otherwise it is asked without waiting, so that
// a quiet partition does not hold up a busy one.
func (g *generation) plan(broker int32, turn int) (r *fetchRequest, again time.Duration, wake <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	led, hot, late := 0, false, false
	var ready []*partition
	for _, p := range g.parts {
		if p.leader != broker || p.reading == nil {
			continue
		}
		led++
		switch {
		case p.offset == paused || p.queued >= maxQueued:
		case now.Before(p.notBefore):
			late = true
		default:
			ready = append(ready, p)
			hot = hot || p.hot
		}
	}
	all := len(ready) == led
	size := g.fetchSize()
	switch {
	case late && len(ready) == 0:
		return nil, retryPartition, g.wake
	case len(ready) == 0 || g.held > 0 && g.held+size > g.fetchCap():
		return nil, fetchWait, g.wake
	case !all && !hot && !g.restless(broker, now):
		return nil, restlessWait, g.wake
	}
	r = &fetchRequest{broker: broker, minBytes: 1, maxBytes: size}
	if all {
		r.wait, r.minBytes = fetchWait, min(fetchMinBytes, size)
	}
	// Whoever is first gets its batch whatever its size, so all come first in turn.
	first := turn % len(ready)
	for _, p := range slices.Concat(ready[first:], ready[:first]) {
		r.parts = append(r.parts, fetchPart{
			topicPartition: p.topicPartition, topicID: p.topicID, epoch: p.epoch, offset: p.offset, maxBytes: size / 2,
			reading: p.reading,
		})
	}
	return r, 0, nil
}

// restless reports whether the last request for quiet partitions only is long enough ago, and notes the next.
func (g *generation) restless(broker int32, now time.Time) bool {
	if now.Sub(g.asked[broker]) < restlessWait {
		return false
	}
	g.asked[broker] = now
	return true
}

// fetchCap is how many bytes of pieces may be held: a part of limits.memory, of which they are.
func (g *generation) fetchCap() int { return int(max(g.in.Budget.Limit()/8, 256<<10)) }

// fetchSize is how many bytes to ask a broker for at once.
func (g *generation) fetchSize() int { return g.fetchCap() / 4 }

// deliver gives a partition what was fetched for it.
func (g *generation) deliver(part fetchPart, f fetched) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := part.reading
	p := r.partition
	if p.reading != r || p.offset != part.offset { // something else was decided meanwhile
		freeData(f.data)
		return
	}
	if f.err != nil {
		freeData(f.data)
		g.failedLocked(p, r, f.err)
		return
	}
	p.stable, p.end = f.stable, f.end
	next, err := after(f.data, p.offset)
	p.hot = next > p.offset
	if !p.hot && err == nil {
		freeData(f.data)
		g.unstickLocked(p)
		return
	}
	if p.offset = next; err != nil {
		p.offset = paused // the reading finds the same, behind what is good
	}
	g.handLocked(p, piece{reading: r, data: f.data, aborted: f.aborted, end: f.end})
}

// handLocked puts a piece into the partition's queue, which has room by plan.
func (g *generation) handLocked(p *partition, piece piece) {
	slices.SortFunc(piece.aborted, func(a, b abortedTransaction) int { return cmp.Compare(a.first, b.first) })
	p.queued++
	g.held += len(piece.data)
	g.in.Budget.Charge(int64(len(piece.data)))
	p.pieces <- piece
}

// failedLocked deals with an error of one partition: what passes with the next layout is tried again, the rest is for
// the reading to decide.
func (g *generation) failedLocked(p *partition, r *reading, err error) {
	p.hot = false
	var code kafka.Error
	if errors.As(err, &code) && passing(code) {
		p.notBefore = time.Now().Add(retryPartition)
		g.ask()
		return
	}
	p.offset = paused
	g.handLocked(p, piece{reading: r, err: err})
}

// passing reports whether an error goes away by itself, or with a new leader or topic.
func passing(code kafka.Error) bool {
	switch code {
	case kafka.NotLeaderForPartition, kafka.LeaderNotAvailable, kafka.ReplicaNotAvailable, kafka.FencedLeaderEpoch,
		kafka.UnknownLeaderEpoch, kafka.UnknownTopicOrPartition, kafka.UnknownTopicID, kafka.InconsistentTopicID,
		kafka.KafkaStorageError, kafka.OffsetNotAvailable, kafka.NotEnoughReplicas, kafka.RequestTimedOut, kafka.Unknown:
		return true
	}
	return false
}

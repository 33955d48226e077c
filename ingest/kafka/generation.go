package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"logflume/pipeline"
)

// A generation is the time between two rebalances of the group: what was assigned to this process is read, each partition
// by a goroutine, fetched by one for each broker that leads some of them.
type generation struct {
	*member
	group *kafka.Generation
	began layout // topics as they were when it began

	mu       sync.Mutex
	parts    []*partition  // sorted by topic and partition
	held     int           // bytes of pieces
	wake     chan struct{} // closed and replaced when something may be fetched
	fetchers map[int32]bool
	moved    time.Time           // when a commit was last seen, or nothing waited for one
	settled  int64               // sum of committed positions when last looked
	asked    map[int32]time.Time // when each broker was last asked for its quiet partitions only

	// What this generation has put into the process's figures. Of manage's goroutine.
	lag, stuckNow int64

	refresh chan struct{} // asks for a new layout
	work    sync.WaitGroup
}

// Why a generation ends by our own will.
var (
	errLayout  = errors.New("topics or partitions have changed")
	errStalled = errors.New("nothing could be committed for too long")
)

func newGeneration(m *member, group *kafka.Generation, began layout) *generation {
	g := &generation{
		member: m, group: group, began: began, wake: make(chan struct{}), fetchers: map[int32]bool{},
		refresh: make(chan struct{}, 1), moved: time.Now(), asked: map[int32]time.Time{},
	}
	for topic, assigned := range group.Assignments {
		for _, a := range assigned {
			name := topicPartition{topic, int32(a.ID)}
			g.parts = append(g.parts, &partition{
				topicPartition: name, g: g, key: keyOf(began.clusterID, name), pieces: make(chan piece, maxQueued+1), leadership: leadership{leader: -1},
			})
		}
	}
	sortPartitions(g.parts)
	return g
}

const (
	lookInterval   = time.Second     // between two looks at what was committed
	commitInterval = 5 * time.Second // of offsets, for tools that show the group's lag
	drainTime      = 5 * time.Second // for commits of what was read, before the partitions are given up
)

// run reads until ctx ends or something asks for another generation, which it returns.
func (g *generation) run(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	if err := g.place(reading); err != nil {
		return err
	}
	g.apply(reading, g.began)
	for _, p := range g.parts {
		g.work.Go(func() { p.run(reading) })
	}
	g.in.Stats.Partitions.Add(int64(len(g.parts)))
	defer g.in.Stats.Partitions.Add(-int64(len(g.parts)))
	defer g.gauge(true)
	defer g.trouble.clear()

	err := g.manage(reading)
	stop()
	g.work.Wait()
	g.drain()
	return err
}

// manage keeps the layout up to date, tells the group about offsets, and watches over progress.
func (g *generation) manage(ctx context.Context) error {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	relayout := time.NewTicker(layoutInterval)
	defer relayout.Stop()
	commit := time.NewTicker(commitInterval)
	defer commit.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			g.gauge(false)
			err = g.watch()
		case <-commit.C:
			g.commitOffsets()
		case <-relayout.C:
			err = g.relayout(ctx)
		case <-g.refresh:
			err = g.relayout(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// relayout asks who leads the partitions now. It returns errLayout when the group should divide them anew.
func (g *generation) relayout(ctx context.Context) error {
	now, err := g.look(ctx)
	if err != nil {
		g.tell(brokers, err)
		return nil // fetching goes on where it can
	}
	g.tell(brokers, nil)
	if changed(g.began, now) {
		return errLayout
	}
	g.apply(ctx, now)
	return nil
}

// changed reports whether there are other topics than before, or more partitions.
func changed(before, now layout) bool {
	if len(before.topics) != len(now.topics) {
		return true
	}
	for name, t := range now.topics {
		if old := before.topics[name]; old == nil || len(old.partitions) != len(t.partitions) {
			return true
		}
	}
	return false
}

// apply tells the partitions who leads them.
func (g *generation) apply(ctx context.Context, l layout) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.parts {
		t := l.topics[p.topic]
		if t == nil {
			continue
		}
		p.identifyLocked(t.id)
		now, known := t.partitions[p.partition]
		if !known {
			continue
		}
		p.leadership = now
		if now.leader >= 0 && !g.fetchers[now.leader] {
			g.fetchers[now.leader] = true
			g.work.Go(func() { g.fetchFrom(ctx, now.leader) })
		}
	}
	g.wakeLocked()
}

// wakeLocked has all fetchers look again.
func (g *generation) wakeLocked() {
	close(g.wake)
	g.wake = make(chan struct{})
}

// ask has the layout looked at soon.
func (g *generation) ask() {
	select {
	case g.refresh <- struct{}{}:
	default: // asked already
	}
}

// follow notes whose commits are the partition's from now on.
func (g *generation) follow(p *partition, r *reading) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.stream, p.sentTo = r.stream, r.sent
}

// attach begins the fetching for a reading.
func (g *generation) attach(p *partition, r *reading) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.reading, p.offset = r, r.next
	g.wakeLocked()
}

// detach ends the fetching for a reading and drops what it did not take.
func (g *generation) detach(p *partition) {
	g.mu.Lock()
	p.reading = nil
	g.mu.Unlock()
	for {
		select {
		case piece := <-p.pieces:
			g.release(p, piece)
		default:
			return
		}
	}
}

// seek has the partition fetched from offset on.
func (g *generation) seek(p *partition, offset int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.offset = offset
	g.wakeLocked()
}

// release takes back the memory of a piece.
func (g *generation) release(p *partition, piece piece) {
	size := len(piece.data)
	freeData(piece.data)
	g.in.Budget.Charge(-int64(size))
	g.mu.Lock()
	defer g.mu.Unlock()
	p.queued--
	g.held -= size
	g.wakeLocked()
}

// stick notes why a partition cannot be read.
func (g *generation) stick(p *partition, err error) {
	g.mu.Lock()
	p.stuck = true
	g.mu.Unlock()
	if g.trouble.set(p.String(), err) {
		g.options.Log.Error("partition cannot be read", "partition", p.String(), "source", p.key, "error", err)
	}
}

// unstickLocked notes that a partition is read: messages were sent, or there is none to send.
func (g *generation) unstickLocked(p *partition) {
	if p.stuck {
		p.stuck = false
		g.trouble.set(p.String(), nil)
		g.options.Log.Info("partition can be read again", "partition", p.String(), "source", p.key)
	}
}

func (g *generation) leaderOf(p *partition) int32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return p.leader
}

// sent notes that a batch up to position to is on its way.
func (g *generation) sent(p *partition, to int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.sentTo = to
	g.unstickLocked(p)
}

// streams calls yield with each partition that has one, its stream, and the position up to which batches were sent.
func (g *generation) streams(yield func(*partition, *pipeline.Stream, int64) bool) {
	g.mu.Lock()
	parts := make([]struct {
		stream *pipeline.Stream
		sent   int64
	}, len(g.parts))
	for i, p := range g.parts {
		parts[i].stream, parts[i].sent = p.stream, p.sentTo
	}
	g.mu.Unlock()
	for i, p := range parts {
		if p.stream != nil && !yield(g.parts[i], p.stream, p.sent) {
			return
		}
	}
}

// watch returns errStalled when lines have waited for their commit for too long.
func (g *generation) watch() error {
	waiting, settled := false, int64(0)
	g.streams(func(_ *partition, s *pipeline.Stream, sent int64) bool {
		committed := s.Committed()
		settled += committed
		waiting = waiting || committed < sent && s.Err() == nil
		return true
	})
	if now := time.Now(); !waiting || settled != g.settled {
		g.settled, g.moved = settled, now
	} else if now.Sub(g.moved) >= g.options.Progress {
		return errStalled
	}
	return nil
}

// drain waits a while for the commit of what was sent and then gives it up: another member may have the partition next.
func (g *generation) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	g.streams(func(_ *partition, s *pipeline.Stream, sent int64) bool {
		_ = s.WaitCommitted(ctx, sent) // fenced, or too late: the next statement says the same
		s.Fence(pipeline.ErrMoved)
		return true
	})
	g.commitOffsets()
}

// commitOffsets tells the group how far its partitions are durable. Nothing reads that but tools.
func (g *generation) commitOffsets() {
	offsets := map[string]map[int]int64{}
	g.streams(func(p *partition, s *pipeline.Stream, _ int64) bool {
		if offsets[p.topic] == nil {
			offsets[p.topic] = map[int]int64{}
		}
		offsets[p.topic][int(p.partition)] = s.Committed()
		return true
	})
	if err := g.group.CommitOffsets(offsets); err != nil {
		g.options.Log.Debug("the group did not take our offsets", "group", g.options.Group, "error", err)
	}
}

// gauge puts this generation's figures into the process's.
func (g *generation) gauge(ended bool) {
	var lag, stuck int64
	if !ended {
		stable := map[*partition]int64{}
		g.mu.Lock()
		for _, p := range g.parts {
			stable[p] = p.stable
			if p.stuck {
				stuck++
			}
		}
		g.mu.Unlock()
		g.streams(func(p *partition, s *pipeline.Stream, _ int64) bool {
			lag += max(0, stable[p]-s.Committed())
			return true
		})
	}
	g.in.Stats.LagMessages.Add(lag - g.lag)
	g.in.Stats.PartitionsStuck.Add(stuck - g.stuckNow)
	g.lag, g.stuckNow = lag, stuck
}

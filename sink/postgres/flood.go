package postgres

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// A Paused is a source that is stopped before its next dead letter.
type Paused struct {
	Key   string
	Since time.Time
}

// pausedFor is how long a source counts as paused after it was last stopped. Those that are there begin again, and are
// stopped again, more often than that; others have gone.
const pausedFor = time.Minute

// floods knows the sources that are paused. Safe for concurrent use.
type floods struct {
	stats *pipeline.Stats
	now   func() time.Time

	mu   sync.Mutex
	list map[int32]*flood // by source
}

type flood struct {
	Paused
	last time.Time // when it was last stopped
}

// stopped records that the stream's source was stopped, and reports whether it was not before.
func (f *floods) stopped(s *pipeline.Stream) (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if known := f.list[s.ID]; known != nil {
		known.last = now
		return false
	}
	if f.list == nil {
		f.list = map[int32]*flood{}
	}
	f.list[s.ID] = &flood{Paused{Key: s.Key, Since: now}, now}
	f.stats.Paused.Store(int64(len(f.list)))
	return true
}

// goesOn records that something of the source was committed, and reports whether it was paused.
func (f *floods) goesOn(source int32) (was bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, was = f.list[source]; was {
		delete(f.list, source)
		f.stats.Paused.Store(int64(len(f.list)))
	}
	return was
}

// paused returns the sources that are paused now.
func (f *floods) paused() (all []Paused) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	for source, known := range f.list {
		if now.Sub(known.last) > pausedFor {
			delete(f.list, source)
			continue
		}
		all = append(all, known.Paused)
	}
	f.stats.Paused.Store(int64(len(f.list)))
	slices.SortFunc(all, func(a, b Paused) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// stopFloods fences the lanes that bring a dead letter although their sources have as many as they may, and returns the
// others. It costs a look at the database when there are dead letters. Nothing is lost or passed over: positions stay
// before the flush that would have stored the letter, so a source exceeds the limit by one transaction at most.
func (c *committer) stopFloods(ctx context.Context, lanes []*lane) ([]*lane, error) {
	limit := c.sink.options.DeadBytes
	bad := func(l *lane) bool { return slices.ContainsFunc(l.parts, func(p *part) bool { return len(p.dead) > 0 }) }
	suspects := slices.Clone(lanes)
	suspects = slices.DeleteFunc(suspects, func(l *lane) bool { return !bad(l) })
	if limit <= 0 || len(suspects) == 0 {
		return lanes, nil
	}
	held := map[int32]int64{}
	err := c.conn.transact(ctx, func(b *pgx.Batch) {
		b.Queue(c.sink.sql.dead, sourceIDs(suspects)).Query(func(rows pgx.Rows) error {
			var source int32
			var bytes int64
			_, err := pgx.ForEachRow(rows, []any{&source, &bytes}, func() error {
				held[source] = bytes
				return nil
			})
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(lanes, func(l *lane) bool {
		if held[l.stream.ID] < limit || !bad(l) {
			return false
		}
		if c.sink.floods.stopped(l.stream) {
			c.sink.options.Log.Error("source is paused: its dead letters have reached limits.dead_letters; correct the configuration, "+
				"then replay or purge them (logflume dead-letters), or raise the limit", "source", l.stream.Key, "bytes", held[l.stream.ID])
		}
		l.stream.Fence(pipeline.ErrPaused)
		return true
	}), nil
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	heartbeatSQL = `
INSERT INTO schema.log_instances AS i (instance, host, version, started_at, seen_at, sources)
VALUES ($1::text, $2::text, $3::text, $4::timestamptz, clock_timestamp(), $5::text::jsonb)
ON CONFLICT (instance) DO UPDATE SET host = excluded.host, version = excluded.version,
	started_at = excluded.started_at, seen_at = excluded.seen_at, sources = excluded.sources`

	compactSQL     = `SELECT schema.compact()`
	dropExpiredSQL = `SELECT schema.drop_expired($1::bigint * interval '1 microsecond', $2::bigint * interval '1 microsecond')`
)

// daysAhead is how many days beyond today have a partition before anything is written to them.
const daysAhead = 3

// A chore is work of the maintenance that is done again and again, step by step. Each meets faults of its own.
type chore struct {
	name  string
	every time.Duration
	step  func(context.Context) (more bool, err error)
	due   time.Time
}

// Maintain does what has to be done beside the writing until ctx ends: it shows that this process is alive, makes
// partitions ahead, compacts windows, merges patterns, and drops what is older than the retention. Several processes may do
// so at once. What fails is logged when it begins to fail and tried again later. It returns nil.
func (s *Sink) Maintain(ctx context.Context) error {
	var all sync.WaitGroup
	for _, d := range s.duties() {
		all.Go(func() {
			defer d.conn.close()
			s.attendAll(ctx, d)
		})
	}
	all.Wait()
	return nil
}

// A duty is some chores that take turns with one connection.
type duty struct {
	conn   *client
	chores []*chore
}

// duties divides the chores. Who is not seen for a while is taken for dead, so the heartbeat waits for nothing else. With
// the owner's connection the retention waits for those who read, as long as they do, and the rest does not wait with it.
func (s *Sink) duties() []duty {
	started := s.pace.now()
	beat := func(ctx context.Context) (bool, error) { return false, s.beat(ctx, started) }
	duties := []duty{
		{s.heart, []*chore{{name: "heartbeat", every: s.pace.heartbeat, step: beat}}},
		{s.maintenance, []*chore{
			{name: "partitions", every: s.pace.partitions, step: s.makeAhead},
			{name: "compaction", every: s.pace.compaction, step: s.compact},
		}},
	}
	shared := &duties[1]
	if s.options.Merge != nil {
		shared.chores = append(shared.chores, &chore{name: "patterns", every: s.pace.merging, step: s.mergeOnNews})
	}
	retention := &chore{name: "retention", every: s.pace.partitions, step: s.expire}
	switch {
	case s.options.Retention == 0:
	case s.owner == nil:
		shared.chores = append(shared.chores, retention)
	default:
		duties = append(duties, duty{s.owner, []*chore{retention}})
	}
	return duties
}

// attendAll does the chores of a duty whenever they are due, until ctx ends.
func (s *Sink) attendAll(ctx context.Context, d duty) {
	for ctx.Err() == nil {
		next := s.pace.now().Add(s.pace.heartbeat)
		for _, c := range d.chores {
			if !s.pace.now().Before(c.due) {
				s.attend(ctx, d.conn, c)
			}
			if c.due.Before(next) {
				next = c.due
			}
		}
		_ = sleep(ctx, next.Sub(s.pace.now())) // its error is ctx's, which the loop sees
	}
}

// attend does one step of a chore and sets the time of its next one. A chore with more to do takes turns with the
// others of its duty.
func (s *Sink) attend(ctx context.Context, conn *client, c *chore) {
	more, err := c.step(ctx)
	c.due = s.pace.now()
	switch {
	case err == nil:
		s.state.worked(c.name)
		if !more {
			c.due = c.due.Add(c.every)
		}
	case ctx.Err() != nil:
		s.state.gaveUp(c.name)
	default:
		conn.rollback(ctx)
		s.state.failed(c.name, err)
		if Classify(err) == Misconfigured {
			c.due = c.due.Add(s.pace.faultRetry)
		} else {
			c.due = c.due.Add(s.pace.lastRetry)
		}
	}
}

// maintain runs one statement with a connection of the maintenance's.
func (s *Sink) maintain(ctx context.Context, conn *client, sql string, args []any, result ...any) error {
	return s.once(ctx, func(ctx context.Context) error {
		return conn.transact(ctx, func(b *pgx.Batch) {
			statement := b.Queue(sql, args...)
			if len(result) > 0 {
				statement.QueryRow(func(row pgx.Row) error { return row.Scan(result...) })
			}
		})
	})
}

// beat tells that this process is alive and what it reads.
func (s *Sink) beat(ctx context.Context, started time.Time) error {
	s.floods.paused() // forgets those that have gone
	o := &s.options
	sources := "[]"
	if o.Sources != nil {
		sources = string(o.Sources())
	}
	return s.maintain(ctx, s.heart, s.sql.heartbeat, []any{o.Instance, o.Host, o.Version, started, sources})
}

// makeAhead makes the partitions of today and the days to come.
func (s *Sink) makeAhead(ctx context.Context) (bool, error) {
	return false, s.once(ctx, func(ctx context.Context) error {
		return s.partitions.ensure(ctx, s.maintenance, aheadOf(s.pace.now()))
	})
}

// Compact folds and rolls up what can be, and returns when nothing is left to do or another session is at it. It is for
// those who do not call Maintain.
func (s *Sink) Compact(ctx context.Context) error {
	defer s.maintenance.close()
	for {
		more, err := s.compact(ctx)
		if err != nil {
			return fmt.Errorf("compact windows: %w", err)
		}
		if !more {
			return nil
		}
	}
}

// compact does one step of compaction.
func (s *Sink) compact(ctx context.Context) (more bool, err error) {
	err = s.maintain(ctx, s.maintenance, s.sql.compact, nil, &more)
	return more, err
}

// expire removes one thing that is older than the retention.
func (s *Sink) expire(ctx context.Context) (more bool, err error) {
	var kept error
	conn := s.maintenance
	if s.owner != nil {
		conn = s.owner
		defer conn.close()
		stuck := s.once(ctx, s.detachExpired)
		kept = s.once(ctx, s.dropDetached)
		if stuck != nil { // what comes next would lock the table
			return false, errors.Join(stuck, kept)
		}
	}
	var removed *string
	ages := []any{s.options.Retention.Microseconds(), s.options.RetentionWindows.Microseconds()}
	err = s.maintain(ctx, conn, s.sql.dropExpired, ages, &removed)
	if err != nil || removed == nil {
		return false, errors.Join(err, kept)
	}
	s.options.Log.Info("expired data removed", "from", *removed)
	return true, kept
}

// aheadOf returns today and the days that follow.
func aheadOf(now time.Time) []int32 {
	days := make([]int32, daysAhead+1)
	for i := range days {
		days[i] = int32(now.Unix()/86400) + int32(i)
	}
	return days
}

package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// The days that partitions cover as a whole, as numbers since 1970-01-01.
const partitionsSQL = `
SELECT ceil(extract(epoch FROM greatest(lower, '1970-01-01Z')) / 86400)::integer,
	floor(extract(epoch FROM least(upper, '2200-01-01Z')) / 86400)::integer
FROM schema.list_partitions()`

const ensurePartitionsSQL = `SELECT schema.ensure_partitions($1::date[])`

// Partitions made at once; each takes a few locks until its transaction ends, and the server's table of locks is small.
const partitionsAtOnce = 100

// partitions knows which days have a partition. Safe for concurrent use.
type partitions struct {
	calendar *pipeline.Calendar
	sql      catalog

	mu   sync.Mutex
	days map[int32]struct{}
}

func newPartitions(calendar *pipeline.Calendar, sql catalog) *partitions {
	return &partitions{calendar: calendar, sql: sql, days: map[int32]struct{}{}}
}

// load reads the partitions and tells the calendar.
func (p *partitions) load(ctx context.Context, conn *client) error {
	type span struct{ First, End int32 }
	var spans []span
	err := conn.transact(ctx, func(b *pgx.Batch) {
		b.Queue(p.sql.partitions).Query(func(rows pgx.Rows) (err error) {
			spans, err = pgx.CollectRows(rows, pgx.RowToStructByPos[span])
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("list partitions: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.days)
	for _, s := range spans {
		for d := s.First; d < s.End; d++ {
			p.days[d] = struct{}{}
		}
		p.calendar.Exists(s.First, s.End)
	}
	return nil
}

// forget makes the next ensure ask the database for every day.
func (p *partitions) forget() {
	p.mu.Lock()
	clear(p.days)
	p.mu.Unlock()
}

// ensure makes the partitions that are missing for days. Days for which the database makes none are passed over: their
// rows will be refused.
func (p *partitions) ensure(ctx context.Context, conn *client, days []int32) error {
	missing := p.missing(days)
	if len(missing) == 0 {
		return nil
	}
	for days := range slices.Chunk(missing, partitionsAtOnce) {
		err := p.create(ctx, conn, days)
		if Classify(err) == BadRow {
			err = p.createEach(ctx, conn, days)
		}
		if err != nil {
			return fmt.Errorf("make partitions: %w", err)
		}
	}
	return p.load(ctx, conn)
}

func (p *partitions) missing(days []int32) []int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var missing []int32
	for _, d := range days {
		if _, ok := p.days[d]; !ok {
			missing = append(missing, d)
		}
	}
	return missing
}

func (p *partitions) create(ctx context.Context, conn *client, days []int32) error {
	dates := make([]string, len(days))
	for i, d := range days {
		dates[i] = time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
	}
	return conn.transact(ctx, func(b *pgx.Batch) { b.Queue(p.sql.ensurePartitions, dates) })
}

func (p *partitions) createEach(ctx context.Context, conn *client, days []int32) error {
	for _, d := range days {
		err := p.create(ctx, conn, []int32{d})
		if err != nil && Classify(err) != BadRow {
			return err
		}
	}
	return nil
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The expired partitions with the statement that is due for each, one whose detaching was cut off has to be finished, and
// the comment that marks it.
const expiredSQL = `
SELECT c.oid::regclass::text, CASE WHEN i.inhdetachpending THEN 'FINALIZE' ELSE 'CONCURRENTLY' END,
	$3::text || extract(epoch FROM upper::timestamptz)::bigint
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
CROSS JOIN substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)') AS upper
WHERE i.inhparent = to_regclass($2::text)
AND (i.inhdetachpending OR upper::timestamptz <= now() - $1::bigint * interval '1 microsecond')
ORDER BY i.inhdetachpending DESC, 1`

// The tables that were detached and not dropped, by the mark that they were given before. Neither what is being made or
// attached has one, nor what somebody else detached or named like a partition, to keep it. The time in it is looked at
// again: somebody who makes the retention longer wants to keep what has not gone yet.
const detachedSQL = `
SELECT c.oid::regclass::text
FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
WHERE d.classoid = 'pg_class'::regclass AND d.objsubid = 0 AND starts_with(d.description, $2::text)
AND to_timestamp(substring(d.description FROM '(\d{1,12})$')::bigint) <= now() - $1::bigint * interval '1 microsecond'
AND c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
ORDER BY 1`

// mark begins the comment of partitions that are to be dropped; what follows is their end in seconds since 1970-01-01.
func (s *Sink) mark() string {
	return "logflume drops this, a partition of " + s.sql.events + " until "
}

// errCut says that a statement was cancelled for its time being up.
var errCut = errors.New("somebody has been reading for long, tried again later")

// detachExpired detaches expired partitions with the owner's connection. DETACH CONCURRENTLY waits for the readers of the
// table without making anybody wait behind it; it cannot run inside a transaction. So dropping is another one, which may
// fail or never come: each is marked before.
//
// When its time is up the partition is out of sight for all new statements, and FINALIZE is due, which waits for all older
// snapshots of the database. It does so with the lock that making partitions needs, and is therefore cut off before those
// lose patience. No other partition can be detached meanwhile.
func (s *Sink) detachExpired(ctx context.Context) error {
	if err := s.owner.connect(ctx); err != nil {
		return err
	}
	rows, err := s.owner.conn.Query(ctx, expiredSQL, s.options.Retention.Microseconds(), s.sql.events, s.mark())
	if err != nil {
		return fmt.Errorf("list expired partitions: %w", err)
	}
	type expired struct{ Name, How, Mark string }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[expired])
	if err != nil {
		return fmt.Errorf("list expired partitions: %w", err)
	}
	for _, p := range all {
		if err := s.own(ctx, "COMMENT ON TABLE "+p.Name+" IS '"+p.Mark+"'"); err != nil {
			return fmt.Errorf("mark %s: %w", p.Name, err)
		}
		patience := s.pace.detaching
		if p.How == "FINALIZE" {
			patience = s.pace.finishing
		}
		if err := s.cut(ctx, patience, "ALTER TABLE "+s.sql.events+" DETACH PARTITION "+p.Name+" "+p.How); err != nil {
			return fmt.Errorf("detach %s: %w", p.Name, err)
		}
	}
	return nil
}

// dropDetached drops what was detached because it had expired, now or long ago. One table that cannot be dropped, say for
// a view on it, does not keep the others.
func (s *Sink) dropDetached(ctx context.Context) error {
	if err := s.owner.connect(ctx); err != nil {
		return err
	}
	rows, err := s.owner.conn.Query(ctx, detachedSQL, s.options.Retention.Microseconds(), s.mark())
	if err != nil {
		return fmt.Errorf("list detached partitions: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list detached partitions: %w", err)
	}
	var failed error
	for _, name := range names {
		if err := s.own(ctx, "DROP TABLE IF EXISTS "+name); err != nil { // another process may have been first
			failed = errors.Join(failed, fmt.Errorf("drop %s: %w", name, err))
			continue
		}
		s.options.Log.Info("expired data removed", "from", name)
	}
	return failed
}

// cut runs one statement as the owner, outside of a transaction, and cancels it after d. Set for the session, limits of the
// server would stay with it in a pooler.
func (s *Sink) cut(ctx context.Context, d time.Duration, sql string) error {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := s.owner.exec(limited, sql)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return errCut
	}
	return err
}

// own runs one statement as the owner.
func (s *Sink) own(ctx context.Context, sql string) error {
	return s.owner.transact(ctx, func(b *pgx.Batch) { b.Queue(sql) })
}

package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The sessions that hold position rows: the one whose transaction is the row's xmax. A session of our own role and
// application name is a writer; one that holds its rows for so long is frozen, most likely in the middle of a COPY,
// where neither a time-out nor a cancel reaches it. Its end frees the rows, and nothing it did is stored.
const thawSQL = `
SELECT source_id, pid, ours, CASE WHEN ours THEN pg_terminate_backend(pid) ELSE false END AS ended
FROM (
	SELECT p.source_id, a.pid, coalesce(a.usename = session_user
		AND a.application_name = current_setting('application_name'), false) AS ours
	FROM schema.log_positions p
	JOIN pg_locks l ON l.locktype = 'transactionid' AND l.transactionid = p.xmax AND l.granted
	JOIN pg_stat_activity a ON a.pid = l.pid
	WHERE p.source_id = ANY($1::integer[]) AND a.pid <> pg_backend_pid()) AS holder`

type holder struct {
	Source      int32
	PID         int32
	Ours, Ended bool
}

// thaw ends the sessions that have held a lane's row for too long.
func (c *committer) thaw(ctx context.Context) error {
	var frozen []*lane
	now := c.sink.pace.now()
	for _, l := range c.lanes {
		if !l.lockedSince.IsZero() && now.Sub(l.lockedSince) >= c.sink.pace.frozenAfter {
			frozen = append(frozen, l)
		}
	}
	if len(frozen) == 0 {
		return nil
	}
	var holders []holder
	err := c.conn.transact(ctx, func(b *pgx.Batch) {
		b.Queue(c.sink.sql.thaw, sourceIDs(frozen)).Query(func(rows pgx.Rows) (err error) {
			holders, err = pgx.CollectRows(rows, pgx.RowToStructByPos[holder])
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("find who holds positions: %w", err)
	}
	c.report(frozen, holders)
	return nil
}

// report logs and counts what thaw found; the lanes have their time again before the next look.
func (c *committer) report(frozen []*lane, holders []holder) {
	bySource := map[int32]holder{}
	ended := map[int32]bool{}
	for _, h := range holders {
		bySource[h.Source] = h
		if h.Ended && !ended[h.PID] {
			ended[h.PID] = true
			c.sink.options.Stats.Terminated.Add(1)
			c.sink.options.Log.Warn("ended the session of a frozen writer", "pid", h.PID)
		}
	}
	for _, l := range frozen {
		h, found := bySource[l.stream.ID]
		if found && !h.Ours && !l.reported {
			l.reported = true
			c.sink.options.Log.Warn("a session that is no writer holds a position row, waiting for it",
				"pid", h.PID, "source", l.stream.Key)
		}
		l.lockedSince = c.sink.pace.now()
	}
}

package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// The sessions that hold position rows: the one whose transaction is the row's xmax. A session of our own role and
// application name is a writer. One that waits for its client says in stalled where it stands; if that is among $2, where
// it stood before, the client is frozen, most likely in the middle of a COPY, where neither a time-out nor a cancel reaches
// the session. Its end frees the rows, and nothing it did is stored.
//
// A writer at work in the server, on a slow disk or behind a checkpoint, has its time-outs, and a COMMIT that waits for a
// synchronous standby must not be ended: it is stored, but maybe not there.
const thawSQL = `
SELECT source_id, pid, ours, stalled, CASE WHEN stalled = ANY($2::text[]) THEN pg_terminate_backend(pid) ELSE false END AS ended
FROM (
	SELECT p.source_id, a.pid, w.ours, CASE WHEN w.ours AND a.wait_event IN ('ClientRead', 'ClientWrite') THEN
		concat_ws(' ', a.pid, a.backend_start, a.xact_start, a.state_change, c.bytes_processed) ELSE '' END AS stalled
	FROM schema.log_positions p
	JOIN pg_locks l ON l.locktype = 'transactionid' AND l.transactionid = p.xmax AND l.granted
	JOIN pg_stat_activity a ON a.pid = l.pid
	LEFT JOIN pg_stat_progress_copy c ON c.pid = a.pid
	CROSS JOIN coalesce(a.usename = session_user AND a.application_name = current_setting('application_name'), false) AS w(ours)
	WHERE p.source_id = ANY($1::integer[]) AND a.pid <> pg_backend_pid()) AS holder`

type holder struct {
	Source  int32
	PID     int32
	Ours    bool
	Stalled string
	Ended   bool
}

// thaw looks at the sessions that have held a lane's row for half of the time that makes a holder frozen, and ends those
// that have done so for all of it and not moved for half of it: a slow network moves.
func (c *committer) thaw(ctx context.Context) error {
	var held []*lane
	frozen := []string{}
	now, patience := c.sink.pace.now(), c.sink.pace.frozenAfter
	for _, l := range c.lanes {
		if l.lockedSince.IsZero() || now.Sub(l.lockedSince) < patience/2 {
			continue
		}
		held = append(held, l)
		if l.stalled != "" && now.Sub(l.lockedSince) >= patience && now.Sub(l.stalledSince) >= patience/2 {
			frozen = append(frozen, l.stalled)
		}
	}
	if len(held) == 0 {
		return nil
	}
	var holders []holder
	err := c.conn.transact(ctx, func(b *pgx.Batch) {
		b.Queue(c.sink.sql.thaw, sourceIDs(held), frozen).Query(func(rows pgx.Rows) (err error) {
			holders, err = pgx.CollectRows(rows, pgx.RowToStructByPos[holder])
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("find who holds positions: %w", err)
	}
	c.reportEnded(holders)
	for _, l := range held {
		i := slices.IndexFunc(holders, func(h holder) bool { return h.Source == l.stream.ID })
		if i < 0 {
			continue
		}
		if h := holders[i]; h.Stalled != l.stalled {
			l.stalled, l.stalledSince = h.Stalled, now
		}
		if now.Sub(l.lockedSince) >= patience {
			c.reportHolder(l, holders[i])
			l.lockedSince = now
		}
	}
	return nil
}

// reportEnded logs and counts the sessions that were ended.
func (c *committer) reportEnded(holders []holder) {
	ended := map[int32]bool{}
	for _, h := range holders {
		if h.Ended && !ended[h.PID] {
			ended[h.PID] = true
			c.sink.options.Stats.Terminated.Add(1)
			c.sink.options.Log.Warn("ended the session of a frozen writer", "pid", h.PID)
		}
	}
}

// reportHolder says once whom a lane waits for, if nothing can be done about that.
func (c *committer) reportHolder(l *lane, h holder) {
	if h.Stalled != "" || l.reported {
		return
	}
	l.reported = true
	log := c.sink.options.Log.With("pid", h.PID, "source", l.stream.Key)
	if h.Ours {
		log.Warn("another writer's transaction takes long in the server, waiting for it")
		return
	}
	log.Warn("a session that is no writer holds a position row, waiting for it")
}
